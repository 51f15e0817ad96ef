/* SPDX-License-Identifier: Apache-2.0 */
/* The roles that a member of an organization can have. What a role may do is decided in src/access. */
#ifndef ORG_ROLE_H
#define ORG_ROLE_H

#include "base/err.h"

struct role {
	const char *id, *name, *description;
	bool by_default;	/* what who joins becomes */
};

/* Ends with a zeroed role. */
extern const struct role roles[];

/* The role with that id, NULL when there is none. */
const struct role *role_find(const char *id);
/* Out of what a client names: 400 that says which there are. */
int role_check(const char *id, const struct role **ret_role, struct err *e) WARN_UNUSED;

#endif
