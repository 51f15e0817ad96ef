/* SPDX-License-Identifier: Apache-2.0 */
#include "oidc/issuer_sql.h"

const struct db_column issuer_columns[] = {
	DB_COLUMN(issuer, id, COLUMN_TEXT),
	DB_COLUMN(issuer, organization_id, COLUMN_TEXT),
	DB_COLUMN(issuer, name, COLUMN_TEXT),
	DB_COLUMN(issuer, url, COLUMN_TEXT),
	DB_COLUMN(issuer, issuer, COLUMN_TEXT),
	DB_COLUMN(issuer, policy_id, COLUMN_TEXT),
	DB_COLUMN(issuer, thumbprints, COLUMN_BYTES),
	DB_COLUMN(issuer, jwks, COLUMN_BYTES),
	DB_COLUMN(issuer, max_expiration, COLUMN_INT),
	DB_COLUMN(issuer, keys, COLUMN_BYTES),
	DB_COLUMN(issuer, keys_fetched_at, COLUMN_TIME),
	DB_COLUMN(issuer, created_at, COLUMN_TIME),
	DB_COLUMN(issuer, modified_at, COLUMN_TIME),
	DB_COLUMN(issuer, used_at, COLUMN_TIME),
	{ 0 },
};

#define ISSUER_ROW                                                                                 \
	"SELECT i.id AS id, i.organization_id AS organization_id, i.name AS name, i.url AS url, i.issuer AS issuer, " \
	"p.id AS policy_id, i.thumbprints_json AS thumbprints, i.jwks_json AS jwks, i.max_expiration AS max_expiration, " \
	"i.keys_json AS `keys`, i.keys_fetched_at AS keys_fetched_at, i.created_at AS created_at, " \
	"i.modified_at AS modified_at, i.last_used_at AS used_at FROM oidc_issuers i "             \
	"JOIN auth_policies p ON p.organization_id = i.organization_id AND p.issuer_id = i.id "

const struct stmt ISSUER_BY_ID = STMT("issuer.by_id",
	ISSUER_ROW "WHERE i.organization_id = ? AND i.id = ?");

const struct stmt ISSUER_OF_TOKEN = STMT("issuer.of_token",
	ISSUER_ROW "JOIN organizations o ON o.id = i.organization_id WHERE o.login = ? AND i.issuer = ?");

const struct stmt ISSUER_LIST = STMT("issuer.list",
	ISSUER_ROW "WHERE i.organization_id = ? ORDER BY i.name LIMIT 1000");

const struct db_column issuer_count_columns[] = { DB_COLUMN(issuer_count, count, COLUMN_INT), { 0 } };

const struct stmt ISSUER_COUNT = STMT("issuer.count",
	"SELECT COUNT(*) AS count FROM oidc_issuers WHERE organization_id = ?");

const struct stmt ISSUER_CREATE = STMT("issuer.create",
	"INSERT INTO oidc_issuers (id, organization_id, name, url, issuer, thumbprints_json, jwks_json, max_expiration, keys_json, "
	"keys_fetched_at, created_at, modified_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");

const struct stmt ISSUER_CHANGE = STMT("issuer.change",
	"UPDATE oidc_issuers SET name = ?, thumbprints_json = ?, jwks_json = ?, max_expiration = ?, modified_at = ? "
	"WHERE organization_id = ? AND id = ?");

const struct stmt ISSUER_SET_THUMBPRINTS = STMT("issuer.set_thumbprints",
	"UPDATE oidc_issuers SET thumbprints_json = ?, keys_json = ?, keys_fetched_at = ?, modified_at = ? "
	"WHERE organization_id = ? AND id = ?");

const struct stmt ISSUER_DELETE = STMT("issuer.delete",
	"DELETE FROM oidc_issuers WHERE organization_id = ? AND id = ?");

const struct stmt ISSUER_DELETE_POLICY = STMT("issuer.delete_policy",
	"DELETE FROM auth_policies WHERE organization_id = ? AND issuer_id = ?");

const struct stmt ISSUER_DELETE_TOKENS = STMT("issuer.delete_tokens",
	"DELETE FROM access_tokens WHERE organization_id = ? AND issuer_id = ?");

const struct stmt ISSUER_DELETE_REFRESH_TOKENS = STMT("issuer.delete_refresh_tokens",
	"DELETE FROM refresh_tokens WHERE organization_id = ? AND issuer_id = ?");

/* Of many that want to fetch keys at once one goes, and none for a while after it. */
const struct stmt ISSUER_CLAIM_KEYS = STMT("issuer.claim_keys",
	"UPDATE oidc_issuers SET keys_tried_at = ? WHERE organization_id = ? AND id = ? AND (keys_tried_at IS NULL OR keys_tried_at < ?)");

const struct stmt ISSUER_SET_KEYS = STMT("issuer.set_keys",
	"UPDATE oidc_issuers SET keys_json = ?, keys_fetched_at = ? WHERE organization_id = ? AND id = ?");

const struct stmt ISSUER_USED = STMT("issuer.used",
	"UPDATE oidc_issuers SET last_used_at = ? WHERE organization_id = ? AND id = ?");

const struct stmt ISSUER_REFUSED = STMT("issuer.refused",
	"UPDATE oidc_issuers SET refused_at = ? WHERE organization_id = ? AND id = ? AND (refused_at IS NULL OR refused_at < ?)");
