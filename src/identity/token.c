/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/token.h"

#include "base/limits.h"
#include "identity/token_sql.h"

#define HOUR_US INT64_C(3600000000)

int token_expiry(int64_t seconds, int64_t now_us, int64_t *ret_expires_at, struct err *e)
{
	int64_t now = now_us / 1000000;

	if (seconds == 0) {
		*ret_expires_at = -1;
		return 1;
	}
	if (seconds <= now)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'expires' is %lld, which has passed; give seconds since 1970 "
			       "in the future, or 0 for a token that never expires", (long long)seconds);
	if (seconds > now + LIMIT_TOKEN_SECONDS)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'expires' is %lld, more than two years ahead; give seconds "
			       "since 1970 within two years, or 0 for a token that never expires", (long long)seconds);
	*ret_expires_at = seconds * 1000000;
	return 1;
}

static int check_description(const char *description, struct err *e)
{
	size_t n = text_characters(description);

	if (n > LIMIT_DESCRIPTION)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'description' has %zu characters, at most %d are allowed", n,
			       LIMIT_DESCRIPTION);
	return 1;
}

static int check_count(struct db *db, const char *user_id, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct token_count row = { 0 };

	if (db_one(db, &TOKEN_COUNT, DB_VALUES(db_text(user_id)), token_count_columns, &row, &arena, e) < 0)
		return -1;
	if (row.count >= LIMIT_TOKENS_PER_USER)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: you have %lld access tokens, at most %d are allowed; delete "
			       "some that are not used", (long long)row.count, LIMIT_TOKENS_PER_USER);
	return 1;
}

int token_create(struct db *db, const char *user_id, const char *name, const char *description, int64_t expires_at,
		 int64_t now_us, char ret_id[UUID_TEXT], char ret_value[BEARER_TEXT], struct err *e)
{
	unsigned char digest[SHA256_BYTES];

	if (check_description(description, e) < 0 || check_count(db, user_id, e) < 0)
		return -1;
	uuid_new(now_us, ret_id);
	bearer_new("pul-", ret_value, digest);
	return db_exec(db, &TOKEN_CREATE,
		       DB_VALUES(db_text(ret_id), db_text(user_id), db_bytes((struct span){ (char *)digest, sizeof(digest) }),
				 db_text(name), db_text(description), db_time(now_us), db_time(expires_at)),
		       NULL, e);
}

void token_note_use(struct db *db, const struct caller *c, int64_t now_us)
{
	struct err ignored = { 0 };

	if (c->token_used_at < now_us - HOUR_US)
		(void)!db_exec(db, &TOKEN_USED, DB_VALUES(db_time(now_us), db_text(c->token_id), db_time(now_us - HOUR_US)), NULL,
			       &ignored);
}

int token_list(struct db *db, const char *user_id, enum token_filter filter, const char *before, int64_t limit,
	       int64_t now_us, struct arena *arena, struct token **ret_list, size_t *ret_count, struct err *e)
{
	static const struct stmt *const lists[TOKEN_FILTER_COUNT] = { &TOKEN_LIST_ACTIVE, &TOKEN_LIST_EXPIRED, &TOKEN_LIST_ALL };

	return db_all(db, lists[filter], DB_VALUES(db_text(user_id), db_text(before), db_time(now_us), db_int(limit)),
		      token_columns, sizeof(struct token), arena, (void **)ret_list, ret_count, e);
}

int token_delete(struct db *db, const char *user_id, const char *id, struct err *e)
{
	int64_t changed = 0;

	if (uuid_valid(id) && db_exec(db, &TOKEN_DELETE, DB_VALUES(db_text(user_id), db_text(id)), &changed, e) < 0)
		return -1;
	return changed ? 1 : err_set(e, ERR_NOT_FOUND, "Not Found: Token '%.40s' not found", id);
}
