/* SPDX-License-Identifier: Apache-2.0 */
#include "update/resource.h"

#include "json/scan.h"

static const char *const names[RESOURCE_MEMBER_COUNT] = {
	"urn", "type", "custom", "id", "provider", "parent", "dependencies", "propertyDependencies", "deletedWith", "delete",
	"pendingReplacement", "aliases", "extensionRef", "resourceHooks", "refreshBeforeUpdate", "replaceWith", "snippetID",
	"taint", "viewOf",
};

void resource_pick(struct span resource, struct span ret_values[RESOURCE_MEMBER_COUNT])
{
	scan_pick(resource, names, RESOURCE_MEMBER_COUNT, ret_values);
}
