/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/identity.h"

#include <ctype.h>

#include "identity/identity_sql.h"

int identity_by_token(struct db *db, struct span bearer, const char *organization, int64_t now_us,
		      struct arena *arena, struct caller *ret_caller, struct err *e)
{
	unsigned char digest[SHA256_BYTES];

	sha256(bearer, digest);
	return db_one(db, &CALLER_BY_TOKEN,
		      DB_VALUES(db_text(organization), db_bytes((struct span){ (char *)digest, sizeof(digest) }),
				db_time(now_us)),
		      caller_columns, ret_caller, arena, e);
}

int identity_organizations(struct db *db, const char *user_id, struct arena *arena,
			   struct organization **ret_list, size_t *ret_count, struct err *e)
{
	return db_all(db, &ORGANIZATIONS_OF_USER, DB_VALUES(db_text(user_id)), organization_columns,
		      sizeof(struct organization), arena, (void **)ret_list, ret_count, e);
}

int identity_organizations_by_id(struct db *db, const char *user_id, struct arena *arena,
				 struct organization **ret_list, size_t *ret_count, struct err *e)
{
	return db_all(db, &ORGANIZATIONS_OF_USER_BY_ID, DB_VALUES(db_text(user_id)), organization_columns,
		      sizeof(struct organization), arena, (void **)ret_list, ret_count, e);
}

int identity_membership(struct db *db, const struct caller *c, const char *organization, struct arena *arena,
			struct caller *ret_caller, struct err *e)
{
	struct organization row = { 0 };
	int rc = db_one(db, &MEMBERSHIP, DB_VALUES(db_text(c->user_id), db_text(organization)), organization_columns, &row,
			arena, e);

	if (rc < 0)
		return -1;
	*ret_caller = *c;
	ret_caller->organization_id = row.id;
	ret_caller->organization_login = row.login;
	ret_caller->role = row.role;
	return 1;
}

int identity_default_organization(struct db *db, const char *user_id, struct arena *arena,
				  char **ret_login, struct err *e)
{
	struct organization row = { 0 };
	int rc = db_one(db, &DEFAULT_ORGANIZATION, DB_VALUES(db_text(user_id)), organization_columns, &row,
			arena, e);

	if (rc == 1)
		*ret_login = row.login;
	return rc;
}

/* 3 to 40 letters, digits, - and _; letters or digits at both ends. */
static int check_login(const char *login, struct err *e)
{
	size_t n = login ? strlen(login) : 0;
	bool ok = n >= 3 && n <= 40 && isalnum((unsigned char)login[0]) && isalnum((unsigned char)login[n - 1]);

	for (size_t i = 0; ok && i < n; i++)
		ok = isalnum((unsigned char)login[i]) || login[i] == '-' || login[i] == '_';
	if (!ok)
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: the name '%.40s' must have 3 to 40 letters, digits, '-' or '_' and start and end "
			       "with a letter or digit", login ? login : "");
	return 1;
}

static int create_organization(struct db *db, const char *user_id, const char *owner_id, const char *login,
			       const char *name, int64_t now_us, struct err *e)
{
	char id[UUID_TEXT];
	int rc;

	uuid_new(now_us, id);
	rc = db_exec(db, &ORGANIZATION_CREATE,
		     DB_VALUES(db_text(id), db_text(login), db_text(name), db_text(owner_id), db_time(now_us)),
		     NULL, e);
	if (rc == 0)
		return err_set(e, ERR_CONFLICT, "Conflict: Organization '%s' already exists", login);
	if (rc < 0)
		return -1;
	return db_exec(db, &MEMBER_CREATE,
		       DB_VALUES(db_text(id), db_text(user_id), db_text("admin"), db_time(now_us)), NULL, e);
}

int identity_new_organization(struct db *db, const char *user_id, const char *login, const char *name,
			      int64_t now_us, struct err *e)
{
	if (check_login(login, e) < 0)
		return -1;
	return create_organization(db, user_id, NULL, login, name && *name ? name : login, now_us, e);
}

static int check_signup(const struct signup *s, struct err *e)
{
	size_t n = strlen(s->password);

	if (check_login(s->login, e) < 0)
		return -1;
	if (!strchr(s->email, '@'))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: '%.100s' is not an e-mail address", s->email);
	if (n < 10 || n > 160 || !strcmp(s->password, s->login) || !strcmp(s->password, s->email))
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: the password must have 10 to 160 characters and differ from name and e-mail");
	return 1;
}

static int create_token(struct db *db, const char *user_id, int64_t now_us, char ret_token[BEARER_TEXT],
			struct err *e)
{
	unsigned char digest[SHA256_BYTES];
	char id[UUID_TEXT];

	uuid_new(now_us, id);
	bearer_new("pul-", ret_token, digest);
	return db_exec(db, &TOKEN_CREATE,
		       DB_VALUES(db_text(id), db_text(user_id),
				 db_bytes((struct span){ (char *)digest, sizeof(digest) }), db_text("sign-up"),
				 db_text("made at sign-up"), db_time(now_us), db_time(-1)),
		       NULL, e);
}

int identity_sign_up(struct db *db, const struct signup *s, int64_t now_us, char ret_token[BEARER_TEXT],
		     struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct organization any = { 0 };
	char id[UUID_TEXT], encoded[128];
	int users, rc;

	if (check_signup(s, e) < 0 || password_hash(s->password, encoded, e) < 0)
		return -1;
	users = db_one(db, &USER_COUNT, DB_NONE, user_any_columns, &any, &arena, e);
	if (users < 0)
		return -1;
	uuid_new(now_us, id);
	rc = db_exec(db, &USER_CREATE,
		     DB_VALUES(db_text(id), db_text(s->login), db_text(s->name), db_text(s->email), db_text(encoded),
			       db_int(users == 0), db_time(now_us)),
		     NULL, e);
	if (rc == 0)
		return err_set(e, ERR_CONFLICT, "Conflict: the name or e-mail address already exists; sign in or choose another");
	if (rc < 0 || create_organization(db, id, id, s->login, s->name, now_us, e) < 0)
		return -1;
	return create_token(db, id, now_us, ret_token, e);
}
