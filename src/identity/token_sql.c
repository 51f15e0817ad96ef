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

const struct stmt TOKEN_CREATE = STMT("token.create",
	"INSERT INTO access_tokens (id, user_id, token_sha256, name, description, created_at, expires_at) "
	"VALUES (?, ?, ?, ?, ?, ?, ?)");

const struct stmt TOKEN_COUNT = STMT("token.count",
	"SELECT COUNT(*) AS count FROM access_tokens WHERE user_id = ?");

/* The comparison makes sure that of many requests at once one writes. */
const struct stmt TOKEN_USED = STMT("token.used",
	"UPDATE access_tokens SET last_used_at = ? WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)");

#define TOKEN_LIST                                                                                 \
	"SELECT id, name, description, created_at, expires_at, last_used_at AS used_at "           \
	"FROM access_tokens WHERE user_id = ? AND id < ? "

/* All three take the time, so that they are called alike. */
const struct stmt TOKEN_LIST_ACTIVE = STMT("token.list_active",
	TOKEN_LIST "AND (expires_at IS NULL OR expires_at > ?) ORDER BY id DESC LIMIT ?");

const struct stmt TOKEN_LIST_EXPIRED = STMT("token.list_expired",
	TOKEN_LIST "AND expires_at <= ? ORDER BY id DESC LIMIT ?");

const struct stmt TOKEN_LIST_ALL = STMT("token.list_all",
	TOKEN_LIST "AND ? IS NOT NULL ORDER BY id DESC LIMIT ?");

const struct stmt TOKEN_DELETE = STMT("token.delete",
	"DELETE FROM access_tokens WHERE user_id = ? AND id = ?");
