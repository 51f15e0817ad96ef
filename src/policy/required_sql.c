/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/required_sql.h"

const struct db_column required_pack_columns[] = {
	DB_COLUMN(required_pack, id, COLUMN_TEXT),
	DB_COLUMN(required_pack, name, COLUMN_TEXT),
	DB_COLUMN(required_pack, display_name, COLUMN_TEXT),
	DB_COLUMN(required_pack, version_tag, COLUMN_TEXT),
	DB_COLUMN(required_pack, version, COLUMN_INT),
	DB_COLUMN(required_pack, sha256, COLUMN_BYTES),
	DB_COLUMN(required_pack, config, COLUMN_BYTES),
	DB_COLUMN(required_pack, environments, COLUMN_BYTES),
	{ 0 },
};

/* The first row of each name is the one that counts. */
const struct stmt REQUIRED_PACKS = STMT("policy.required_packs",
	"SELECT v.id AS id, p.name AS name, v.display_name AS display_name, COALESCE(v.version_tag, '') AS version_tag, v.version AS version, "
	"v.sha256 AS sha256, a.config_json AS config, a.environments_json AS environments "
	"FROM stacks s "
	"JOIN policy_group_packs a ON a.organization_id = s.organization_id "
	"JOIN policy_groups g ON g.id = a.policy_group_id AND g.entity_type = 'stacks' "
	"LEFT JOIN policy_group_stacks m ON m.policy_group_id = g.id AND m.stack_id = s.id "
	"JOIN policy_pack_versions v ON v.id = a.policy_pack_version_id "
	"JOIN policy_packs p ON p.id = v.policy_pack_id "
	"WHERE s.organization_id = ? AND s.project = ? AND s.name = ? AND s.deleted_at IS NULL "
	"AND COALESCE(m.member, g.is_default) = 1 AND (? IS NULL OR g.mode = ?) "
	"ORDER BY p.name, v.version DESC, g.is_default, g.name");
