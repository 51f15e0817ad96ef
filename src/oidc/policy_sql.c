/* SPDX-License-Identifier: Apache-2.0 */
#include "oidc/policy_sql.h"

const struct db_column policy_columns[] = {
	DB_COLUMN(policy, id, COLUMN_TEXT),
	DB_COLUMN(policy, issuer_id, COLUMN_TEXT),
	DB_COLUMN(policy, version, COLUMN_INT),
	DB_COLUMN(policy, definitions, COLUMN_BYTES),
	DB_COLUMN(policy, object_id, COLUMN_TEXT),
	DB_COLUMN(policy, sha256, COLUMN_BYTES),
	DB_COLUMN(policy, created_at, COLUMN_TIME),
	DB_COLUMN(policy, modified_at, COLUMN_TIME),
	{ 0 },
};

/* A version that knows no objects writes its text into the row and leaves the rest: no text is an empty list, so it is told by that. */
#define POLICY_ROW                                                                                 \
	"SELECT id, issuer_id, version, policies_json AS definitions, "                            \
	"IF(policies_json = '[]', policies_object_id, NULL) AS object_id, policies_sha256 AS sha256, created_at, modified_at " \
	"FROM auth_policies "

const struct stmt POLICY_OF_ISSUER = STMT("policy.of_issuer",
	POLICY_ROW "WHERE organization_id = ? AND issuer_id = ?");

const struct stmt POLICY_BY_ID = STMT("policy.by_id",
	POLICY_ROW "WHERE organization_id = ? AND id = ?");

const struct stmt POLICY_CREATE = STMT("policy.create",
	"INSERT INTO auth_policies (id, organization_id, issuer_id, version, policies_json, policies_object_id, policies_sha256, created_at, "
	"modified_at) VALUES (?, ?, ?, 1, ?, ?, ?, ?, ?)");

const struct stmt POLICY_CHANGE = STMT("policy.change",
	"UPDATE auth_policies SET policies_json = ?, policies_object_id = ?, policies_sha256 = ?, version = version + 1, modified_at = ? "
	"WHERE organization_id = ? AND id = ?");
