/* SPDX-License-Identifier: Apache-2.0 */
/* The members of a resource in a state (apitype ResourceV3) that this server reads; it never builds the whole. */
#ifndef UPDATE_RESOURCE_H
#define UPDATE_RESOURCE_H

#include "base/buffer.h"

enum resource_member {
	RESOURCE_URN, RESOURCE_TYPE, RESOURCE_CUSTOM, RESOURCE_ID, RESOURCE_PROVIDER, RESOURCE_PARENT, RESOURCE_DEPENDENCIES,
	RESOURCE_PROPERTY_DEPENDENCIES, RESOURCE_DELETED_WITH, RESOURCE_DELETE, RESOURCE_PENDING_REPLACEMENT, RESOURCE_ALIASES,
	RESOURCE_EXTENSION_REF, RESOURCE_HOOKS, RESOURCE_REFRESH_BEFORE_UPDATE, RESOURCE_REPLACE_WITH, RESOURCE_SNIPPET_ID,
	RESOURCE_TAINT, RESOURCE_VIEW_OF, RESOURCE_MEMBER_COUNT
};

/* One pass over the JSON: ret_values[m] is the value of a member, data NULL when it is absent or null. */
void resource_pick(struct span resource, struct span ret_values[RESOURCE_MEMBER_COUNT]);

#endif
