/* SPDX-License-Identifier: Apache-2.0 */
#include "oidc/grant_sql.h"

const struct db_column grant_columns[] = {
	DB_COLUMN(grant, family_id, COLUMN_TEXT),
	DB_COLUMN(grant, organization_id, COLUMN_TEXT),
	DB_COLUMN(grant, issuer_id, COLUMN_TEXT),
	DB_COLUMN(grant, user_id, COLUMN_TEXT),
	DB_COLUMN(grant, role, COLUMN_TEXT),
	DB_COLUMN(grant, name, COLUMN_TEXT),
	DB_COLUMN(grant, description, COLUMN_TEXT),
	DB_COLUMN(grant, scope, COLUMN_TEXT),
	DB_COLUMN(grant, lifetime, COLUMN_INT),
	DB_COLUMN(grant, expires_at, COLUMN_TIME),
	DB_COLUMN(grant_row, access_token_id, COLUMN_TEXT),
	DB_COLUMN(grant_row, member_id, COLUMN_TEXT),
	DB_COLUMN(grant_row, successor, COLUMN_BYTES),
	DB_COLUMN(grant_row, used_at, COLUMN_TIME),
	{ 0 },
};

const struct stmt GRANT_ACCESS_TOKEN = STMT("grant.access_token",
	"INSERT INTO access_tokens (id, user_id, organization_id, role, issuer_id, token_sha256, name, description, created_at, expires_at) "
	"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

const struct stmt GRANT_REFRESH_TOKEN = STMT("grant.refresh_token",
	"INSERT INTO refresh_tokens (token_sha256, family_id, organization_id, issuer_id, user_id, role, name, description, scope, lifetime, "
	"access_token_id, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

/*
 * The membership is missing when the user has left. An access token that was revoked takes its refresh token with it: one that
 * ran out stays in its table for a month.
 */
const struct stmt GRANT_LOCK = STMT("grant.lock",
	"SELECT r.family_id AS family_id, r.organization_id AS organization_id, r.issuer_id AS issuer_id, r.user_id AS user_id, "
	"r.role AS role, r.name AS name, r.description AS description, r.scope AS scope, r.lifetime AS lifetime, "
	"r.expires_at AS expires_at, r.access_token_id AS access_token_id, m.user_id AS member_id, r.successor_sha256 AS successor, "
	"r.used_at AS used_at FROM refresh_tokens r "
	"JOIN access_tokens t ON t.id = r.access_token_id "
	"LEFT JOIN organization_members m ON m.organization_id = r.organization_id AND m.user_id = r.user_id "
	"WHERE r.token_sha256 = ? FOR UPDATE");

const struct stmt GRANT_USED = STMT("grant.used",
	"UPDATE refresh_tokens SET used_at = ?, successor_sha256 = ? WHERE organization_id = ? AND token_sha256 = ?");

const struct stmt GRANT_DELETE = STMT("grant.delete",
	"DELETE FROM refresh_tokens WHERE organization_id = ? AND token_sha256 = ?");

const struct stmt GRANT_DELETE_ACCESS_TOKEN = STMT("grant.delete_access_token",
	"DELETE FROM access_tokens WHERE organization_id = ? AND id = ?");

const struct stmt GRANT_DELETE_FAMILY_ACCESS = STMT("grant.delete_family_access",
	"DELETE t FROM refresh_tokens r JOIN access_tokens t ON t.id = r.access_token_id "
	"WHERE r.organization_id = ? AND r.family_id = ?");

const struct stmt GRANT_DELETE_FAMILY = STMT("grant.delete_family",
	"DELETE FROM refresh_tokens WHERE organization_id = ? AND family_id = ?");
