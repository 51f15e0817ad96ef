/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/token_sql.h"

const struct db_column token_columns[] = {
	DB_COLUMN(token, id, COLUMN_TEXT),
	DB_COLUMN(token, name, COLUMN_TEXT),
	DB_COLUMN(token, description, COLUMN_TEXT),
	DB_COLUMN(token, created_at, COLUMN_TIME),
	DB_COLUMN(token, expires_at, COLUMN_TIME),
	DB_COLUMN(token, used_at, COLUMN_TIME),
	{ 0 },
};

const struct db_column token_count_columns[] = { DB_COLUMN(token_count, count, COLUMN_INT), { 0 } };

/* all tenants: a user's own, for all of its organizations */
const struct stmt TOKEN_CREATE = STMT("token.create",
	"INSERT INTO access_tokens (id, user_id, token_sha256, name, description, created_at, expires_at) "
	"VALUES (?, ?, ?, ?, ?, ?, ?)");

/*
 * Those that were made for the tokens of an identity provider are short-lived, and many: they do not count.
 * all tenants: a user's own
 */
const struct stmt TOKEN_COUNT = STMT("token.count",
	"SELECT COUNT(*) AS count FROM access_tokens WHERE user_id = ? AND issuer_id IS NULL");

/*
 * The comparison makes sure that of many requests at once one writes.
 * all tenants: the token was found by its value
 */
const struct stmt TOKEN_USED = STMT("token.used",
	"UPDATE access_tokens SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)");

#define TOKEN_LIST                                                                                 \
	"SELECT id, name, description, created_at, expires_at, last_used_at AS used_at "           \
	"FROM access_tokens WHERE user_id = ? AND id < ? "

/*
 * All three take the time, so that they are called alike.
 * all tenants: a user's own
 */
const struct stmt TOKEN_LIST_ACTIVE = STMT("token.list_active",
	TOKEN_LIST "AND (expires_at IS NULL OR expires_at > ?) ORDER BY id DESC LIMIT ?");

/* all tenants: a user's own */
const struct stmt TOKEN_LIST_EXPIRED = STMT("token.list_expired",
	TOKEN_LIST "AND expires_at <= ? ORDER BY id DESC LIMIT ?");

/* all tenants: a user's own */
const struct stmt TOKEN_LIST_ALL = STMT("token.list_all",
	TOKEN_LIST "AND ? IS NOT NULL ORDER BY id DESC LIMIT ?");

/* all tenants: a user's own */
const struct stmt TOKEN_DELETE = STMT("token.delete",
	"DELETE FROM access_tokens WHERE user_id = ? AND id = ?");
