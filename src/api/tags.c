/* SPDX-License-Identifier: Apache-2.0 */
#include "api/tags.h"

#include <fnmatch.h>

#include "base/arena.h"
#include "base/buffer.h"

#define STACK "/api/stacks/{org}/{project}/{stack}"

/* The first row that matches counts; the last one matches all. */
static const struct tags tags[] = {
	{ "* /api/oauth/token", { "Miscellaneous", "OAuthTokenExchange" } },

	{ "* /api/user/tokens*", { "Users", "AccessTokens" } },
	{ "* /api/user*", { "Users" } },
	{ "* /api/console/email/*", { "Users" } },
	{ "* /api/console/actions/new-organization", { "Organizations" } },

	{ "* /api/orgs/{org}/auditlogs*", { "Organizations", "AuditLogs" } },
	{ "GET /api/orgs/{org}/auth/policies/oidcissuers/*", { "Organizations", "OidcIssuers" } },
	{ "* /api/orgs/{org}/invites*", { "Organizations", "Invites" } },
	{ "* /api/orgs/{org}/oidc/*", { "Organizations", "OidcIssuers" } },
	{ "* /api/orgs/{org}/policygroups*", { "Organizations", "PolicyGroups" } },
	{ "* /api/orgs/{org}/policypacks*", { "Organizations", "PolicyPacks" } },
	{ "* /api/orgs/{org}/registry/*", { "Organizations", "PolicyPacks" } },
	{ "* /api/orgs/*", { "Organizations" } },

	{ "* " STACK "/config*", { "Stacks", "StackConfig" } },
	{ "* " STACK "/policy*", { "Stacks", "StackPolicy" } },
	{ "* " STACK "/tags*", { "Stacks", "StackTags" } },
	{ "GET " STACK "/updates", { "Stacks", "StackUpdates" } },
	{ "GET " STACK "/updates/latest/previews", { "Stacks", "StackUpdates" } },
	{ "GET " STACK "/update/{update}", { "Stacks", "StackUpdates" } },
	{ "GET " STACK "/destroy/{update}/events", { "Stacks", "StackUpdates" } },
	{ "* " STACK "*", { "Stacks" } },
	{ "* /api/stacks/*", { "Organizations" } },

	{ "* /api/registry/policypacks*", { "Registry", "PolicyPacks" } },
	{ "* /api/registry/*", { "Registry" } },
	{ "* /api/preview/registry/*", { "RegistryPreview" } },

	{ "*", { "Miscellaneous" } },
};

const struct tags *tags_of(const char *method, const char *path)
{
	_cleanup_(buffer_done) struct buffer operation = BUFFER_INIT;
	const struct tags *found = tags, *last = tags + sizeof(tags) / sizeof(tags[0]) - 1;

	buffer_printf(&operation, "%s %s", method, path);
	while (found < last && fnmatch(found->operations, operation.data, 0))
		found++;
	return found;
}
