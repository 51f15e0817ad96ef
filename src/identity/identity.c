/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/identity.h"

#include <strings.h>

#include "identity/identity_sql.h"
#include "identity/token.h"

#define PASSWORD_LEAST 10	/* characters */
#define PASSWORD_MOST 160

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

const char *identity_author(const struct caller *c)
{
	return c->user_id ? c->user_id : c->only_organization_id;
}

static int list_organizations(struct db *db, const struct caller *c, const struct stmt *of_user, struct arena *arena,
			      struct organization **ret_list, size_t *ret_count, struct err *e)
{
	bool one = c->only_organization_id;

	return db_all(db, one ? &ORGANIZATION_OF_TOKEN : of_user, DB_VALUES(db_text(one ? c->token_id : c->user_id)),
		      organization_columns, sizeof(struct organization), arena, (void **)ret_list, ret_count, e);
}

int identity_organizations(struct db *db, const struct caller *c, struct arena *arena,
			   struct organization **ret_list, size_t *ret_count, struct err *e)
{
	return list_organizations(db, c, &ORGANIZATIONS_OF_USER, arena, ret_list, ret_count, e);
}

int identity_organizations_by_id(struct db *db, const struct caller *c, struct arena *arena,
				 struct organization **ret_list, size_t *ret_count, struct err *e)
{
	return list_organizations(db, c, &ORGANIZATIONS_OF_USER_BY_ID, arena, ret_list, ret_count, e);
}

int identity_membership(struct db *db, const struct caller *c, const char *organization, struct arena *arena,
			struct caller *ret_caller, struct err *e)
{
	struct organization row = { 0 };
	bool one = c->only_organization_id;
	int rc = db_one(db, one ? &MEMBERSHIP_OF_TOKEN : &MEMBERSHIP,
			DB_VALUES(db_text(one ? c->token_id : c->user_id), db_text(organization)), organization_columns, &row, arena, e);

	if (rc < 0)
		return -1;
	*ret_caller = *c;
	ret_caller->organization_id = row.id;
	ret_caller->organization_login = row.login;
	ret_caller->role = row.role;
	return 1;
}

int identity_default_organization(struct db *db, const struct caller *c, struct arena *arena,
				  char **ret_login, struct err *e)
{
	struct organization row = { 0 };
	bool one = c->only_organization_id;
	int rc = db_one(db, one ? &ORGANIZATION_OF_TOKEN : &DEFAULT_ORGANIZATION, DB_VALUES(db_text(one ? c->token_id : c->user_id)),
			organization_columns, &row, arena, e);

	if (rc == 1)
		*ret_login = row.login;
	return rc;
}

int identity_set_default_organization(struct db *db, const struct caller *c, struct err *e)
{
	return db_exec(db, &USER_SET_DEFAULT_ORGANIZATION, DB_VALUES(db_text(c->organization_id), db_text(c->user_id)), NULL, e);
}

/* ASCII only, whatever the locale. */
static bool is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool identity_login_valid(const char *login)
{
	size_t n = login ? strlen(login) : 0;
	bool ok = n >= 3 && n <= 40 && is_alphanumeric(login[0]) && is_alphanumeric(login[n - 1]);

	for (size_t i = 0; ok && i < n; i++)
		ok = is_alphanumeric(login[i]) || login[i] == '-' || login[i] == '_';
	return ok;
}

static int check_login(const char *login, struct err *e)
{
	if (!identity_login_valid(login))
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: the name '%.40s' must have 3 to 40 letters, digits, '-' or '_' and start and end "
			       "with a letter or digit", login ? login : "");
	return 1;
}

/* 1, or 0 when the login is taken. */
static int create_organization(struct db *db, const char *user_id, const char *owner_id, const char *login,
			       const char *name, int64_t now_us, struct err *e)
{
	char id[UUID_TEXT];
	int rc;

	uuid_new(now_us, id);
	rc = db_exec(db, &ORGANIZATION_CREATE,
		     DB_VALUES(db_text(id), db_text(login), db_text(name), db_text(owner_id), db_time(now_us)),
		     NULL, e);
	if (rc <= 0)
		return rc;
	return db_exec(db, &MEMBER_CREATE,
		       DB_VALUES(db_text(id), db_text(user_id), db_text("admin"), db_time(now_us)), NULL, e);
}

int identity_new_organization(struct db *db, const char *user_id, const char *login, const char *name,
			      int64_t now_us, struct err *e)
{
	int rc;

	if (check_login(login, e) < 0)
		return -1;
	rc = create_organization(db, user_id, NULL, login, name && *name ? name : login, now_us, e);
	if (rc == 0)
		return err_set(e, ERR_CONFLICT, "Conflict: Organization '%s' already exists", login);
	return rc;
}

/* What a mail program would take for one address; whether it receives mail, only a mail can tell. */
static int check_email(const char *email, struct err *e)
{
	const char *at = strchr(email, '@');
	bool ok = at && at != email && at[1] && !strchr(at + 1, '@');

	for (const char *c = email; ok && *c; c++)
		ok = (unsigned char)*c > ' ' && *c != 127;
	if (!ok)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: '%.100s' is not an e-mail address", email);
	return 1;
}

int identity_check_password(const struct signup *s, struct err *e)
{
	size_t n = text_characters(s->password);

	if (n < PASSWORD_LEAST || n > PASSWORD_MOST)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: the password has %zu characters, it must have %d to %d", n,
			       PASSWORD_LEAST, PASSWORD_MOST);
	if (!strcasecmp(s->password, s->login) || !strcasecmp(s->password, s->email) || !strcasecmp(s->password, s->name))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: the password must differ from name, login name and e-mail "
			       "address, and must have %d to %d characters", PASSWORD_LEAST, PASSWORD_MOST);
	return 1;
}

static int check_signup(const struct signup *s, struct err *e)
{
	if (check_login(s->login, e) < 0 || check_email(s->email, e) < 0)
		return -1;
	if (!*s->name)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'name' is empty; give the name that others see");
	return identity_check_password(s, e);
}

static int taken(struct err *e)
{
	return err_set(e, ERR_CONFLICT, "Conflict: the login name or the e-mail address is taken; sign in or choose another");
}

static int any_user(struct db *db, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct organization any = { 0 };

	return db_one(db, &USER_COUNT, DB_NONE, user_any_columns, &any, &arena, e);
}

/* 1 nobody is there yet, and nobody else becomes the first: who comes second at this waits, and then looks again. */
static int is_first(struct db *db, const char *id, struct err *e)
{
	int rc = any_user(db, e);

	if (rc == 0 && db_exec(db, &USER_FIRST, DB_VALUES(db_text(id)), NULL, e) < 0)
		return -1;
	if (rc == 0)
		rc = any_user(db, e);
	return rc < 0 ? -1 : rc == 0;
}

static int create_user(struct db *db, const struct signup *s, const char *password, int64_t now_us,
		       char ret_id[UUID_TEXT], struct err *e)
{
	int first, rc;

	uuid_new(now_us, ret_id);
	first = is_first(db, ret_id, e);
	if (first < 0)
		return -1;
	rc = db_exec(db, &USER_CREATE,
		     DB_VALUES(db_text(ret_id), db_text(s->login), db_text(s->name), db_text(s->email), db_text(password),
			       db_int(first), db_time(now_us)),
		     NULL, e);
	if (rc <= 0)
		return rc;
	return create_organization(db, ret_id, ret_id, s->login, s->name, now_us, e);
}

int identity_sign_up(struct db *db, const struct signup *s, int64_t now_us, char ret_token[BEARER_TEXT],
		     struct err *e)
{
	char id[UUID_TEXT], token_id[UUID_TEXT], encoded[128];
	int rc;

	/* The password is hashed before anything is looked up: how long it takes tells nothing about who exists. */
	if (check_signup(s, e) < 0 || password_hash(s->password, encoded, e) < 0)
		return -1;
	rc = create_user(db, s, encoded, now_us, id, e);
	if (rc <= 0)
		return rc < 0 ? -1 : taken(e);
	return token_create(db, id, "sign-up", "made at sign-up", -1, now_us, token_id, ret_token, e);
}
