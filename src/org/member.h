/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who belongs to an organization, and as what. An organization always keeps an administrator; the individual
 * organization of a user has that user and nobody else. Changes of members of one organization exclude each other.
 */
#ifndef ORG_MEMBER_H
#define ORG_MEMBER_H

#include "identity/identity.h"
#include "org/role.h"

struct member {
	char *user_id, *login, *name, *role;
	int64_t created_at, role_modified_at;
};

/* Members behind the user id `after` (""), by user id, at most `limit`. */
int member_list(struct db *db, const char *organization_id, const char *after, int64_t limit, struct arena *arena,
		struct member **ret_list, size_t *ret_count, struct err *e) WARN_UNUSED;
/* 1, or -1 with 404 when the user is no member. */
int member_find(struct db *db, const char *organization_id, const char *login, struct arena *arena,
		struct member *ret_member, struct err *e) WARN_UNUSED;
/* Excludes other changes of members until the transaction ends; 400 for the individual organization of a user. */
int member_begin_change(struct db *db, const struct caller *c, struct err *e) WARN_UNUSED;
/* Adds a user that exists: 404 when none does, 409 when it is a member already. In a transaction. */
int member_add(struct db *db, const struct caller *c, const char *login, const struct role *role, int64_t now_us,
	       struct err *e) WARN_UNUSED;
/* 409 when nobody would administer the organization any more. In a transaction. */
int member_set_role(struct db *db, const struct caller *c, const char *login, const struct role *role,
		    struct err *e) WARN_UNUSED;
/* What the user did stays; nobody removes himself. In a transaction. */
int member_remove(struct db *db, const struct caller *c, const char *login, struct err *e) WARN_UNUSED;

#endif
