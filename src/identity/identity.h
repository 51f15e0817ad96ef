/* SPDX-License-Identifier: Apache-2.0 */
/* Who calls: users, their access tokens, and the membership that a request is about. */
#ifndef IDENTITY_IDENTITY_H
#define IDENTITY_IDENTITY_H

#include "base/app.h"
#include "crypto/crypto.h"
#include "db/db.h"

/*
 * The authenticated caller: a user, or an organization that its own token speaks for; that has no user_id, and the login and
 * the name of the organization. A token may reach one organization only, also when it is a user's. The organization
 * members are NULL when the path names none that the caller belongs to and the token reaches.
 */
struct caller {
	char *user_id, *login, *name, *email, *token_id, *token_name;
	char *only_organization_id;	/* NULL: the token reaches all organizations of its user */
	bool site_admin;
	int64_t token_used_at;
	char *organization_id, *organization_login, *role;
};

struct organization {
	char *id, *login, *name, *role;
	const char *avatar;	/* NULL: there are no pictures yet */
};

/*
 * The parts of a statement that finds the caller behind a bearer value, for those that read more with it. The joins take the login
 * of the organization (o, and m for the membership of a user), the end takes the digest of the value and the time.
 */
#define CALLER_COLUMNS(structure, at)                                                              \
	DB_COLUMN_IN(structure, at, user_id, COLUMN_TEXT), DB_COLUMN_IN(structure, at, login, COLUMN_TEXT), \
		DB_COLUMN_IN(structure, at, name, COLUMN_TEXT), DB_COLUMN_IN(structure, at, email, COLUMN_TEXT), \
		DB_COLUMN_IN(structure, at, site_admin, COLUMN_BOOL), DB_COLUMN_IN(structure, at, token_id, COLUMN_TEXT), \
		DB_COLUMN_IN(structure, at, token_name, COLUMN_TEXT), DB_COLUMN_IN(structure, at, only_organization_id, COLUMN_TEXT), \
		DB_COLUMN_IN(structure, at, token_used_at, COLUMN_TIME), DB_COLUMN_IN(structure, at, organization_id, COLUMN_TEXT), \
		DB_COLUMN_IN(structure, at, organization_login, COLUMN_TEXT), DB_COLUMN_IN(structure, at, role, COLUMN_TEXT)
#define CALLER_SELECTED                                                                            \
	"t.user_id AS user_id, COALESCE(u.login, own.login) AS login, COALESCE(u.name, own.name) AS name, " \
	"COALESCE(u.email, '') AS email, (t.organization_id IS NULL AND u.site_admin) AS site_admin, " \
	"t.id AS token_id, t.name AS token_name, t.organization_id AS only_organization_id, t.last_used_at AS token_used_at, " \
	"IF(t.user_id IS NULL, o.id, m.organization_id) AS organization_id, o.login AS organization_login, COALESCE(t.role, m.role) AS role "
#define CALLER_FROM                                                                                \
	"FROM access_tokens t "                                                                    \
	"LEFT JOIN users u ON u.id = t.user_id "                                                   \
	"LEFT JOIN organizations own ON own.id = t.organization_id "                               \
	"LEFT JOIN organizations o ON o.login = ? AND (t.organization_id IS NULL OR o.id = t.organization_id) " \
	"LEFT JOIN organization_members m ON m.organization_id = o.id AND m.user_id = t.user_id "
#define CALLER_WHERE                                                                               \
	"WHERE t.token_sha256 = ? AND (t.expires_at IS NULL OR t.expires_at > ?) AND COALESCE(u.id, own.id) IS NOT NULL"

/* The caller behind a bearer value and its membership in `organization` (may be NULL): 0 when unknown or expired. */
int identity_by_token(struct db *db, struct span bearer, const char *organization, int64_t now_us,
		      struct arena *arena, struct caller *ret_caller, struct err *e) WARN_UNUSED;
/* Who asks, where a row has one name for it: the user, or the organization itself. */
const char *identity_author(const struct caller *c);
/* Organizations that the caller reaches, the individual one of a user first. */
int identity_organizations(struct db *db, const struct caller *c, struct arena *arena,
			   struct organization **ret_list, size_t *ret_count, struct err *e) WARN_UNUSED;
/* The same in order of their ids: how lists over all of them go on from page to page. */
int identity_organizations_by_id(struct db *db, const struct caller *c, struct arena *arena,
				 struct organization **ret_list, size_t *ret_count, struct err *e) WARN_UNUSED;
/* The caller as a member of another organization; without a membership its organization members stay NULL. */
int identity_membership(struct db *db, const struct caller *c, const char *organization, struct arena *arena,
			struct caller *ret_caller, struct err *e) WARN_UNUSED;
/* Login of the organization that stacks without an owner go to; 0 when there is none. */
int identity_default_organization(struct db *db, const struct caller *c, struct arena *arena,
				  char **ret_login, struct err *e) WARN_UNUSED;

/* Makes the organization that the caller is a member of its default. */
int identity_set_default_organization(struct db *db, const struct caller *c, struct err *e) WARN_UNUSED;
/* Whether a text can be the login of a user or an organization. */
bool identity_login_valid(const char *login);

struct signup {
	const char *name, *login, *email, *password;
};
/* 400 when the password is too short or long, or is one of the other members. */
int identity_check_password(const struct signup *s, struct err *e) WARN_UNUSED;
/*
 * Makes a user, its individual organization and a first token. The first user administers the site. 409, in the same
 * words, when the login or the e-mail address is taken. In a transaction.
 */
int identity_sign_up(struct db *db, const struct signup *s, int64_t now_us,
		     char ret_token[BEARER_TEXT], struct err *e) WARN_UNUSED;
/* Makes an organization with `user_id` as its administrator. In a transaction. */
int identity_new_organization(struct db *db, const char *user_id, const char *login, const char *name,
			      int64_t now_us, struct err *e) WARN_UNUSED;

#endif
