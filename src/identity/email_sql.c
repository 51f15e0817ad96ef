/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/email_sql.h"

const struct db_column email_user_columns[] = {
	DB_COLUMN(email_user, id, COLUMN_TEXT),
	DB_COLUMN(email_user, login, COLUMN_TEXT),
	DB_COLUMN(email_user, name, COLUMN_TEXT),
	DB_COLUMN(email_user, email, COLUMN_TEXT),
	DB_COLUMN(email_user, verified_at, COLUMN_TIME),
	{ 0 },
};

#define USER_ROW                                                                                   \
	"SELECT u.id AS id, u.login AS login, u.name AS name, u.email AS email, u.email_verified_at AS verified_at FROM users u "

const struct stmt EMAIL_USER = STMT("email.user",
	USER_ROW "WHERE u.id = ?");

const struct stmt EMAIL_USER_BY_LOGIN = STMT("email.user_by_login",
	USER_ROW "WHERE u.login = ?");

/* Who has no password was given none: such accounts are let in by tokens only. */
const struct stmt EMAIL_USER_BY_ADDRESS = STMT("email.user_by_address",
	USER_ROW "WHERE u.email = ? AND u.password IS NOT NULL");

/* A token is worth nothing once the user has another address. */
const struct stmt EMAIL_USER_BY_TOKEN = STMT("email.user_by_token",
	USER_ROW "JOIN email_tokens t ON t.user_id = u.id AND t.email = u.email "
	"WHERE t.token_sha256 = ? AND t.purpose = ? AND t.expires_at > ?");

const struct stmt EMAIL_PENDING = STMT("email.pending",
	USER_ROW "JOIN email_tokens t ON t.user_id = u.id AND t.email = u.email "
	"WHERE u.id = ? AND t.purpose = 'verify' AND t.expires_at > ? AND u.email_verified_at IS NULL LIMIT 1");

const struct stmt EMAIL_TOKEN_CREATE = STMT("email.token_create",
	"INSERT INTO email_tokens (token_sha256, user_id, purpose, email, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)");

/* All of a purpose: when one link was used, those sent before it end too. */
const struct stmt EMAIL_TOKENS_USE = STMT("email.tokens_use",
	"DELETE FROM email_tokens WHERE user_id = ? AND purpose = ?");

const struct stmt EMAIL_TOKENS_PURGE = STMT("email.tokens_purge",
	"DELETE FROM email_tokens WHERE expires_at < ? LIMIT 500");

const struct stmt EMAIL_SET_VERIFIED = STMT("email.set_verified",
	"UPDATE users SET email_verified_at = ? WHERE id = ?");

/* Whoever reads the mail has shown that the address is its own. */
const struct stmt EMAIL_SET_PASSWORD = STMT("email.set_password",
	"UPDATE users SET password = ?, email_verified_at = COALESCE(email_verified_at, ?) "
	"WHERE id = ? AND password IS NOT NULL");
