/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller may do: the one place that compares a row's permission with a role. */
#ifndef ACCESS_ACCESS_H
#define ACCESS_ACCESS_H

#include "identity/identity.h"

enum permission {
	PUBLIC,
	USER,	/* any access token */
	PERSON,	/* a user with a token that reaches all of the user's things */
	UPDATE_TOKEN,
	SITE_ADMIN,	/* administers the installation */
	MEMBER,	/* belongs to the organization, whatever its role */
#define PERMISSION(name, scope, role) name,
#include "access/permission.def"
#undef PERMISSION
	PERMISSION_COUNT
};

/* 1; -1 with 404 when the caller does not belong to the organization, 403 when its role does not reach. */
int access_check(const struct caller *c, enum permission wanted, const char *organization, struct err *e) WARN_UNUSED;
/* Whether every member of an organization has it there, whatever its role. */
bool access_of_member(enum permission wanted);

#endif
