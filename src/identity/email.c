/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/email.h"

#include <ctype.h>

#include "base/clock.h"
#include "base/limits.h"
#include "identity/email_sql.h"
#include "identity/token.h"
#include "mail/limit.h"

#define HOUR_US INT64_C(3600000000)

/* What the two kinds of link have of their own. */
struct link_kind {
	const char *purpose, *kind, *path, *subject, *reason, *request;
	int64_t hours;
};

static const struct link_kind verification = {
	"verify", "verify-email", "/verify-email?token=", "Confirm your e-mail address",
	"the account %s on this Pulumi server was made with this e-mail address.", "Confirm that the address is yours", EMAIL_VERIFY_HOURS,
};

static const struct link_kind reset = {
	"reset", "reset-password", "/reset-password?token=", "Choose a new password",
	"somebody, perhaps you, asked for a new password for the account %s on this Pulumi server.", "Choose one",
	EMAIL_RESET_HOURS,
};

int email_user(struct db *db, const char *user_id, struct arena *arena, struct email_user *ret_user, struct err *e)
{
	return db_one(db, &EMAIL_USER, DB_VALUES(db_text(user_id)), email_user_columns, ret_user, arena, e);
}

static const char *text_of(const struct link_kind *k, const struct email_user *u, const char *token, int64_t until_us,
			   struct arena *arena)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	const char *placeholder = strstr(k->reason, "%s");
	char until[TIME_TEXT];

	time_words(until_us, until);
	buffer_printf(&text, "Hello,\n\n%.*s%s%s\n", (int)(placeholder - k->reason), k->reason, u->login, placeholder + 2);
	buffer_printf(&text, "%s here:\n\n    %s%s\n\n", k->request, mail_link(arena, k->path), token);
	buffer_printf(&text, "The link works once, until %s.\nIf it was not you, do nothing: then nothing changes.\n", until);
	return arena_strndup(arena, text.data, text.length);
}

/* A new token of the kind, and the mail with it. */
static int send_link(struct db *db, const struct mail_config *config, const struct link_kind *k, const struct email_user *u,
		     int64_t now_us, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	int64_t until_us = now_us + k->hours * HOUR_US;
	unsigned char digest[SHA256_BYTES];
	char token[BEARER_TEXT];
	struct mail mail;

	bearer_new("", token, digest);
	mail = (struct mail){ k->kind, u->email, k->subject, text_of(k, u, token, until_us, &arena) };
	if (db_exec(db, &EMAIL_TOKEN_CREATE,
		    DB_VALUES(db_bytes((struct span){ (char *)digest, sizeof(digest) }), db_text(u->id), db_text(k->purpose),
			      db_text(u->email), db_time(now_us), db_time(until_us)),
		    NULL, e) < 0)
		return -1;
	return mail_queue(db, config, &mail, now_us, e);
}

/* Addresses that differ in case only are one. */
static int take_address(struct db *db, const struct link_kind *k, const char *email, int64_t now_us, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	char *what = arena_printf(&arena, "%s to %s", k->kind, email);

	for (char *c = what; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	return limit_take(db, what, LIMIT_MAILS_PER_ADDRESS, now_us, e);
}

int email_ask_verification(struct db *db, const struct mail_config *config, const char *login, int64_t now_us, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct email_user u = { 0 };
	int rc = db_one(db, &EMAIL_USER_BY_LOGIN, DB_VALUES(db_text(login)), email_user_columns, &u, &arena, e);

	if (rc <= 0 || u.verified_at >= 0 || !address_valid(u.email))
		return rc < 0 ? -1 : 0;
	rc = take_address(db, &verification, u.email, now_us, e);
	return rc <= 0 ? rc : send_link(db, config, &verification, &u, now_us, e);
}

static int useless(struct err *e)
{
	return err_set(e, ERR_BAD_REQUEST, "Bad Request: the link was used before, has expired, or is not complete; ask for a new one");
}

static int by_token(struct db *db, const struct link_kind *k, const char *token, int64_t now_us, struct arena *arena,
		    struct email_user *ret_user, struct err *e)
{
	unsigned char digest[SHA256_BYTES];
	int rc;

	sha256(span_of(token), digest);
	rc = db_one(db, &EMAIL_USER_BY_TOKEN,
		    DB_VALUES(db_bytes((struct span){ (char *)digest, sizeof(digest) }), db_text(k->purpose), db_time(now_us)),
		    email_user_columns, ret_user, arena, e);
	return rc ? rc : useless(e);
}

/* Of two that come with one link at once the second finds it used. */
static int use_up(struct db *db, const struct link_kind *k, const char *user_id, struct err *e)
{
	int64_t changed = 0;

	if (db_exec(db, &EMAIL_TOKENS_USE, DB_VALUES(db_text(user_id), db_text(k->purpose)), &changed, e) < 0)
		return -1;
	return changed ? 1 : useless(e);
}

int email_verify(struct db *db, const char *token, int64_t now_us, struct arena *arena, char **ret_user_id, struct err *e)
{
	struct email_user u = { 0 };

	if (by_token(db, &verification, token, now_us, arena, &u, e) < 0 || use_up(db, &verification, u.id, e) < 0 ||
	    db_exec(db, &EMAIL_SET_VERIFIED, DB_VALUES(db_time(now_us), db_text(u.id)), NULL, e) < 0)
		return -1;
	*ret_user_id = u.id;
	return 1;
}

int email_pending(struct db *db, const char *user_id, int64_t now_us, struct arena *arena, char **ret_email, struct err *e)
{
	struct email_user u = { 0 };
	int rc = db_one(db, &EMAIL_PENDING, DB_VALUES(db_text(user_id), db_time(now_us)), email_user_columns, &u, arena, e);

	if (rc == 1)
		*ret_email = u.email;
	return rc;
}

int email_ask_reset(struct db *db, const struct mail_config *config, const char *email, const char *caller, int64_t now_us,
		    struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct email_user u = { 0 };
	int rc;

	if (!address_valid(email))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: '%.100s' is not an e-mail address", email);
	if (limit_check(db, arena_printf(&arena, "mails caused by %s", caller), 1, LIMIT_MAILS_PER_CALLER, now_us, e) < 0)
		return -1;
	rc = take_address(db, &reset, email, now_us, e);
	if (rc == 1)
		rc = db_one(db, &EMAIL_USER_BY_ADDRESS, DB_VALUES(db_text(email)), email_user_columns, &u, &arena, e);
	/* To the address that is stored, never to one that the database takes for the same. */
	if (rc == 1 && address_valid(u.email))
		rc = send_link(db, config, &reset, &u, now_us, e);
	return rc < 0 ? -1 : 1;
}

int email_reset(struct db *db, const char *token, const char *password, int64_t now_us, struct arena *arena,
		char **ret_user_id, char ret_bearer[BEARER_TEXT], struct err *e)
{
	struct email_user u = { 0 };
	char encoded[128], id[UUID_TEXT];
	int64_t changed = 0;

	if (by_token(db, &reset, token, now_us, arena, &u, e) < 0 ||
	    identity_check_password(&(struct signup){ u.name, u.login, u.email, password }, e) < 0 ||
	    password_hash(password, encoded, e) < 0 || use_up(db, &reset, u.id, e) < 0 ||
	    db_exec(db, &EMAIL_SET_PASSWORD, DB_VALUES(db_text(encoded), db_time(now_us), db_text(u.id)), &changed, e) < 0)
		return -1;
	if (!changed)
		return useless(e);
	*ret_user_id = u.id;
	return token_create(db, u.id, "password reset", "made when the password was reset", -1, now_us, id, ret_bearer, e);
}

int email_purge_tokens(struct db *db, int64_t now_us, struct err *e)
{
	int64_t changed = 0;

	if (db_exec(db, &EMAIL_TOKENS_PURGE, DB_VALUES(db_time(now_us)), &changed, e) < 0)
		return -1;
	return changed > 0;
}
