/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "identity/token.h"
#include "people.h"

#define DAY_US (86400 * 1000000LL)

struct made_token {
	char *id, *user, *value;
	int64_t expires_at;
};

static const struct field made_token_fields[] = {
	FIELD(made_token, id, "id", FIELD_TEXT),
	FIELD(made_token, user, "user", FIELD_TEXT),
	FIELD(made_token, value, "token", FIELD_TEXT, .flags = FIELD_SECRET),
	FIELD(made_token, expires_at, "expiresAt", FIELD_TIME),
	{ 0 },
};

static const struct field tokens_fields[] = {
	FIELD(token_row, id, "id", FIELD_TEXT),
	FIELD(token_row, user, "user", FIELD_TEXT),
	FIELD(token_row, name, "name", FIELD_TEXT),
	FIELD(token_row, description, "description", FIELD_TEXT),
	FIELD(token_row, created_at, "createdAt", FIELD_TIME),
	FIELD(token_row, expires_at, "expiresAt", FIELD_TIME),
	FIELD(token_row, last_used_at, "lastUsedAt", FIELD_TIME),
	{ 0 },
};

struct change {
	struct admin *a;
	struct user_row user;
	struct made_token token;
	const char *description, *id;
	int64_t count;
};

static int create(void *context, struct err *e)
{
	struct change *c = context;
	struct admin *a = c->a;

	c->token.id = arena_alloc(&a->arena, UUID_TEXT);
	c->token.value = arena_alloc(&a->arena, BEARER_TEXT);
	if (token_create(a->app.db, c->user.id, "pulumi-admin", c->description, c->token.expires_at, a->app.now_us(), c->token.id,
			 c->token.value, e) < 0)
		return -1;
	return admin_audit(a, "admin_create_token", NULL, arena_printf(&a->arena, "%s: %s", c->user.login, c->description), e);
}

int admin_token_create(struct admin *a, struct err *e)
{
	struct change c = { .a = a, .description = admin_option(a, "--description") };
	int64_t days;

	if (admin_number(a, "--days", 1, 3650, 0, &days, e) < 0 || admin_user(a, admin_option(a, "--user"), &c.user, e) < 0)
		return -1;
	c.token.user = c.user.login;
	c.token.expires_at = days ? a->app.now_us() + days * DAY_US : -1;
	if (admin_change(a, create, &c, e) < 0)
		return -1;
	if (a->dry_run)
		admin_say(a, "made a token of %s", c.user.login);
	else if (a->json)
		admin_show(a, made_token_fields, &c.token);
	else
		puts(c.token.value);
	return 1;
}

int admin_token_list(struct admin *a, struct err *e)
{
	const char *user = admin_option(a, "--user");
	struct token_row *rows;
	size_t count;

	if (db_all(a->app.db, &ADMIN_TOKENS, DB_VALUES(db_text(user), db_text(user)), admin_tokens_columns, sizeof(*rows), &a->arena,
		   (void **)&rows, &count, e) < 0)
		return -1;
	admin_list(a, tokens_fields, rows, count, sizeof(*rows));
	return 1;
}

static int revoke(void *context, struct err *e)
{
	struct change *c = context;
	int rc = c->id ? db_exec(c->a->app.db, &ADMIN_TOKEN_DELETE, DB_VALUES(db_text(c->id)), &c->count, e) :
			 db_exec(c->a->app.db, &ADMIN_TOKEN_DELETE_ALL, DB_VALUES(db_text(c->user.id)), &c->count, e);

	if (rc < 0)
		return -1;
	if (c->id && c->count == 0)
		return err_set(e, ERR_NOT_FOUND, "there is no token with the id '%.40s'; see pulumi-admin token list", c->id);
	return admin_audit(c->a, "admin_revoke_token", NULL, c->id ? c->id : c->user.login, e);
}

int admin_token_revoke(struct admin *a, struct err *e)
{
	struct change c = { .a = a, .id = admin_option(a, "--id") };
	const char *user = admin_option(a, "--all-of");

	if (!c.id == !user)
		return err_set(e, ERR_BAD_REQUEST, "give either --id or --all-of");
	if ((user && admin_user(a, user, &c.user, e) < 0) || admin_change(a, revoke, &c, e) < 0)
		return -1;
	admin_say(a, "revoked %lld token%s", (long long)c.count, c.count == 1 ? "" : "s");
	return 1;
}
