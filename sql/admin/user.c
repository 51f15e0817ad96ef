/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "admin_sql.h"
#include "crypto/aead.h"
#include "people.h"

int admin_user(struct admin *a, const char *login, struct user_row *ret_user, struct err *e)
{
	struct user_row row = { 0 };
	int rc = db_one(a->app.db, &ADMIN_USER, DB_VALUES(db_text(login)), admin_user_columns, &row, &a->arena, e);

	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no user '%.60s'; see pulumi-admin user list", login);
	*ret_user = row;
	return rc;
}

static const struct field user_fields[] = {
	FIELD(user_row, id, "id", FIELD_TEXT),
	FIELD(user_row, login, "login", FIELD_TEXT),
	FIELD(user_row, email, "email", FIELD_TEXT),
	FIELD(user_row, name, "name", FIELD_TEXT),
	FIELD(user_row, site_admin, "siteAdmin", FIELD_BOOL),
	FIELD(user_row, created_at, "createdAt", FIELD_TIME),
	{ 0 },
};

static const struct field users_fields[] = {
	FIELD(user_row, login, "login", FIELD_TEXT),
	FIELD(user_row, email, "email", FIELD_TEXT),
	FIELD(user_row, name, "name", FIELD_TEXT),
	FIELD(user_row, site_admin, "siteAdmin", FIELD_BOOL),
	FIELD(user_row, tokens, "tokens", FIELD_INT),
	FIELD(user_row, organizations, "organizations", FIELD_INT),
	FIELD(user_row, created_at, "createdAt", FIELD_TIME),
	FIELD(user_row, id, "id", FIELD_TEXT),
	{ 0 },
};

/* --- create --- */

struct creation {
	struct admin *a;
	struct user_row user;
	const char *password;	/* encoded; NULL: none */
};

/* The user's own organization has the user's name. */
static int create_own_organization(struct admin *a, const struct user_row *u, struct err *e)
{
	int64_t now_us = a->app.now_us();
	char id[UUID_TEXT];
	int rc;

	uuid_new(now_us, id);
	rc = db_exec(a->app.db, &ADMIN_ORGANIZATION_CREATE,
		     DB_VALUES(db_text(id), db_text(u->login), db_text(u->name), db_text(u->id), db_time(now_us)), NULL, e);
	if (rc == 0)
		return err_set(e, ERR_CONFLICT, "--login: there is an organization '%s' already; choose another name", u->login);
	if (rc < 0)
		return -1;
	return db_exec(a->app.db, &ADMIN_MEMBER_CREATE,
		       DB_VALUES(db_text(id), db_text(u->id), db_text("admin"), db_time(now_us)), NULL, e);
}

static int create(void *context, struct err *e)
{
	struct creation *c = context;
	const struct user_row *u = &c->user;
	int rc = db_exec(c->a->app.db, &ADMIN_USER_CREATE,
			 DB_VALUES(db_text(u->id), db_text(u->login), db_text(u->name), db_text(u->email), db_text(c->password),
				   db_int(u->site_admin), db_time(u->created_at)),
			 NULL, e);

	if (rc == 0)
		return err_set(e, ERR_CONFLICT, "there is a user with the name '%s' or the address '%s' already", u->login, u->email);
	if (rc < 0 || create_own_organization(c->a, u, e) < 0)
		return -1;
	return admin_audit(c->a, "admin_create_user", NULL, u->login, e);
}

static int read_user(struct admin *a, struct user_row *u, struct err *e)
{
	const char *login = admin_option(a, "--login"), *name = admin_option(a, "--name"), *email = admin_option(a, "--email");
	char *id = arena_alloc(&a->arena, UUID_TEXT);

	if (!identity_login_valid(login))
		return err_set(e, ERR_BAD_REQUEST, "--login: '%.60s' must have 3 to 40 letters, digits, '-' or '_' and start and end with "
			       "a letter or digit", login);
	if (!strchr(email, '@') || strlen(email) > 255)
		return err_set(e, ERR_BAD_REQUEST, "--email: '%.260s' is not an e-mail address", email);
	u->created_at = a->app.now_us();
	uuid_new(u->created_at, id);
	u->id = id;
	u->login = arena_strdup(&a->arena, login);
	u->name = arena_strdup(&a->arena, name ? name : login);
	u->email = arena_strdup(&a->arena, email);
	u->site_admin = admin_option(a, "--site-admin") != NULL;
	return 1;
}

static int read_password(struct admin *a, const char **ret_encoded, struct err *e)
{
	_cleanup_(buffer_wipe) struct buffer password = BUFFER_INIT;
	char *encoded = arena_alloc(&a->arena, 128);

	if (!admin_option(a, "--password-stdin"))
		return 0;
	if (admin_read_password(&password, e) < 0 || password_hash(password.data, encoded, e) < 0)
		return -1;
	*ret_encoded = encoded;
	return 1;
}

int admin_user_create(struct admin *a, struct err *e)
{
	struct creation c = { .a = a };

	if (read_user(a, &c.user, e) < 0 || read_password(a, &c.password, e) < 0 || admin_change(a, create, &c, e) < 0)
		return -1;
	if (a->json)
		admin_show(a, user_fields, &c.user);
	admin_say(a, "made the user %s%s", c.user.login, c.user.site_admin ? ", who administers the installation" : "");
	return 1;
}

int admin_user_list(struct admin *a, struct err *e)
{
	struct user_row *rows;
	size_t count;

	if (db_all(a->app.db, &ADMIN_USERS, DB_NONE, admin_users_columns, sizeof(*rows), &a->arena, (void **)&rows, &count, e) < 0)
		return -1;
	admin_list(a, users_fields, rows, count, sizeof(*rows));
	return 1;
}

/* --- change --- */

struct change {
	struct admin *a;
	struct user_row user;
	const char *password;
	bool on;
};

static int check_may_go(struct admin *a, const struct user_row *u, struct err *e)
{
	struct user_row row = { 0 };
	int rc = db_one(a->app.db, &ADMIN_USER_SOLE_ADMIN_OF, DB_VALUES(db_text(u->id)), admin_login_columns, &row, &a->arena, e);

	if (rc == 1)
		return err_set(e, ERR_CONFLICT, "%s is the only administrator of the organization %s; first run pulumi-admin org "
			       "add-member --organization %s --role admin --user SOMEBODY", u->login, row.login, row.login);
	if (rc == 0)
		rc = db_one(a->app.db, &ADMIN_USER_OWNED_STACK, DB_VALUES(db_text(u->id)), admin_login_columns, &row, &a->arena, e);
	if (rc == 1)
		return err_set(e, ERR_CONFLICT, "the organization %s, which goes with its user, has stacks (perhaps deleted ones that can "
			       "be restored); transfer or delete them and let pulumi-job-purge-tokens end them", row.login);
	return rc < 0 ? -1 : 1;
}

static int delete(void *context, struct err *e)
{
	static const struct stmt *const steps[] = { &ADMIN_USER_DELETE_TOKENS, &ADMIN_USER_DELETE_EMAIL_TOKENS,
						    &ADMIN_USER_DELETE_MEMBERSHIPS, &ADMIN_USER_DELETE_OWNED_MEMBERS, &ADMIN_USER_DELETE_OWNED, &ADMIN_USER_DELETE };
	struct change *c = context;

	if (check_may_go(c->a, &c->user, e) < 0)
		return -1;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (db_exec(c->a->app.db, steps[i], DB_VALUES(db_text(c->user.id)), NULL, e) < 0)
			return -1;
	return admin_audit(c->a, "admin_delete_user", NULL, c->user.login, e);
}

int admin_user_delete(struct admin *a, struct err *e)
{
	struct change c = { .a = a };

	if (admin_user(a, admin_option(a, "--login"), &c.user, e) < 0 || admin_change(a, delete, &c, e) < 0)
		return -1;
	admin_say(a, "deleted the user %s", c.user.login);
	return 1;
}

static int set_password(void *context, struct err *e)
{
	struct change *c = context;

	if (db_exec(c->a->app.db, &ADMIN_USER_SET_PASSWORD, DB_VALUES(db_text(c->password), db_text(c->user.id)), NULL, e) < 0)
		return -1;
	return admin_audit(c->a, "admin_set_password", NULL, c->user.login, e);
}

int admin_user_password(struct admin *a, struct err *e)
{
	struct change c = { .a = a };

	if (!admin_option(a, "--password-stdin") == !admin_option(a, "--remove"))
		return err_set(e, ERR_BAD_REQUEST, "give either --password-stdin or --remove");
	if (admin_user(a, admin_option(a, "--login"), &c.user, e) < 0 || read_password(a, &c.password, e) < 0 ||
	    admin_change(a, set_password, &c, e) < 0)
		return -1;
	admin_say(a, "%s the password of %s", c.password ? "set" : "removed", c.user.login);
	return 1;
}

static int set_admin(void *context, struct err *e)
{
	struct change *c = context;

	if (db_exec(c->a->app.db, &ADMIN_USER_SET_ADMIN, DB_VALUES(db_int(c->on), db_text(c->user.id)), NULL, e) < 0)
		return -1;
	return admin_audit(c->a, c->on ? "admin_grant_site_admin" : "admin_revoke_site_admin", NULL, c->user.login, e);
}

int admin_user_admin(struct admin *a, struct err *e)
{
	struct change c = { .a = a, .on = !admin_option(a, "--off") };

	if (admin_user(a, admin_option(a, "--login"), &c.user, e) < 0 || admin_change(a, set_admin, &c, e) < 0)
		return -1;
	admin_say(a, "%s %s the installation", c.user.login, c.on ? "administers" : "no longer administers");
	return 1;
}
