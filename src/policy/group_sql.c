/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/group_sql.h"

const struct db_column group_count_columns[] = { DB_COLUMN(group_row, count, COLUMN_INT), { 0 } };

const struct stmt GROUP_COUNT = STMT("policy_group.count",
	"SELECT COUNT(*) AS count FROM policy_groups WHERE organization_id = ?");

const struct stmt GROUP_CREATE = STMT("policy_group.create",
	"INSERT INTO policy_groups (id, organization_id, name, is_default, entity_type, mode, agent_pool_id, created_at) "
	"VALUES (?, ?, ?, ?, ?, ?, ?, ?)");

#define GROUP_COLUMNS                                                                              \
	DB_COLUMN(policy_group, id, COLUMN_TEXT), DB_COLUMN(policy_group, name, COLUMN_TEXT),       \
		DB_COLUMN(policy_group, entity_type, COLUMN_TEXT), DB_COLUMN(policy_group, mode, COLUMN_TEXT), \
		DB_COLUMN(policy_group, agent_pool_id, COLUMN_TEXT), DB_COLUMN(policy_group, is_default, COLUMN_BOOL)

#define GROUP_ROW                                                                                  \
	"SELECT g.id AS id, g.name AS name, g.entity_type AS entity_type, g.mode AS mode, "        \
	"COALESCE(g.agent_pool_id, '') AS agent_pool_id, g.is_default AS is_default"

const struct db_column group_columns[] = { GROUP_COLUMNS, { 0 } };

const struct stmt GROUP_BY_NAME = STMT("policy_group.by_name",
	GROUP_ROW " FROM policy_groups g WHERE g.organization_id = ? AND g.name = ?");

const struct db_column group_listed_columns[] = {
	GROUP_COLUMNS,
	DB_COLUMN(policy_group, stacks, COLUMN_INT),
	DB_COLUMN(policy_group, packs, COLUMN_INT),
	{ 0 },
};

/* A stack that was transferred to another organization, or deleted, no longer counts. */
#define GROUP_LISTED                                                                               \
	GROUP_ROW ", IF(g.is_default, "                                                            \
	"(SELECT COUNT(*) FROM stacks s WHERE s.organization_id = g.organization_id AND s.deleted_at IS NULL) - " \
	"(SELECT COUNT(*) FROM policy_group_stacks m JOIN stacks s ON s.id = m.stack_id AND s.organization_id = m.organization_id " \
	"AND s.deleted_at IS NULL WHERE m.policy_group_id = g.id AND m.member = 0), "              \
	"(SELECT COUNT(*) FROM policy_group_stacks m JOIN stacks s ON s.id = m.stack_id AND s.organization_id = m.organization_id " \
	"AND s.deleted_at IS NULL WHERE m.policy_group_id = g.id AND m.member = 1)) AS stacks, "   \
	"(SELECT COUNT(*) FROM policy_group_packs a WHERE a.policy_group_id = g.id) AS packs FROM policy_groups g "

const struct stmt GROUP_LIST = STMT("policy_group.list",
	GROUP_LISTED "WHERE g.organization_id = ? ORDER BY g.name");

const struct stmt GROUP_LIST_OF_STACK = STMT("policy_group.list_of_stack",
	GROUP_LISTED "LEFT JOIN policy_group_stacks k ON k.policy_group_id = g.id AND k.stack_id = ? "
	"WHERE g.organization_id = ? AND g.entity_type = 'stacks' AND COALESCE(k.member, g.is_default) = 1 ORDER BY g.name");

const struct db_column group_stack_columns[] = {
	DB_COLUMN(group_stack, name, COLUMN_TEXT),
	DB_COLUMN(group_stack, project, COLUMN_TEXT),
	{ 0 },
};

const struct stmt GROUP_STACKS_OF_DEFAULT = STMT("policy_group.stacks_of_default",
	"SELECT s.name AS name, s.project AS project FROM stacks s "
	"WHERE s.organization_id = ? AND s.deleted_at IS NULL "
	"AND NOT EXISTS (SELECT 1 FROM policy_group_stacks m WHERE m.policy_group_id = ? AND m.stack_id = s.id AND m.member = 0) "
	"ORDER BY s.id LIMIT 100000");

const struct stmt GROUP_STACKS = STMT("policy_group.stacks",
	"SELECT s.name AS name, s.project AS project FROM policy_group_stacks m "
	"JOIN stacks s ON s.id = m.stack_id AND s.organization_id = m.organization_id AND s.deleted_at IS NULL "
	"WHERE m.organization_id = ? AND m.policy_group_id = ? AND m.member = 1 ORDER BY m.stack_id LIMIT 100000");

const struct db_column group_pack_columns[] = {
	DB_COLUMN(group_pack, pack_id, COLUMN_TEXT),
	DB_COLUMN(group_pack, name, COLUMN_TEXT),
	DB_COLUMN(group_pack, display_name, COLUMN_TEXT),
	DB_COLUMN(group_pack, version_tag, COLUMN_TEXT),
	DB_COLUMN(group_pack, version, COLUMN_INT),
	DB_COLUMN(group_pack, config, COLUMN_BYTES),
	DB_COLUMN(group_pack, environments, COLUMN_BYTES),
	{ 0 },
};

const struct stmt GROUP_PACKS = STMT("policy_group.packs",
	"SELECT p.id AS pack_id, p.name AS name, v.display_name AS display_name, COALESCE(v.version_tag, '') AS version_tag, "
	"v.version AS version, a.config_json AS config, a.environments_json AS environments FROM policy_group_packs a "
	"JOIN policy_pack_versions v ON v.id = a.policy_pack_version_id JOIN policy_packs p ON p.id = a.policy_pack_id "
	"WHERE a.organization_id = ? AND a.policy_group_id = ? ORDER BY p.name");

const struct stmt GROUP_PACK_COUNT = STMT("policy_group.pack_count",
	"SELECT COUNT(*) AS count FROM policy_group_packs WHERE organization_id = ? AND policy_group_id = ?");

const struct stmt GROUP_RENAME = STMT("policy_group.rename",
	"UPDATE policy_groups SET name = ? WHERE organization_id = ? AND id = ?");

const struct stmt GROUP_SET_POOL = STMT("policy_group.set_pool",
	"UPDATE policy_groups SET agent_pool_id = ? WHERE organization_id = ? AND id = ?");

/* Its stacks and packs go with it. */
const struct stmt GROUP_DELETE = STMT("policy_group.delete",
	"DELETE FROM policy_groups WHERE organization_id = ? AND id = ?");

const struct stmt GROUP_STACKS_PUT = STMT("policy_group.stacks_put",
	"REPLACE INTO policy_group_stacks (policy_group_id, stack_id, organization_id, member) "
	"SELECT ?, s.id, s.organization_id, ? FROM stacks s WHERE s.organization_id = ? AND s.id IN (" DB_PLACES_TEXT ")");

const struct stmt GROUP_STACKS_REMOVE = STMT("policy_group.stacks_remove",
	"DELETE FROM policy_group_stacks WHERE organization_id = ? AND policy_group_id = ? AND member = ? "
	"AND stack_id IN (" DB_PLACES_TEXT ")");

const struct db_column group_stack_id_columns[] = { DB_COLUMN(group_row, id, COLUMN_TEXT), { 0 } };

/* Which of the stacks belong to a group that is not the default one. */
const struct stmt GROUP_STACKS_AMONG = STMT("policy_group.stacks_among",
	"SELECT stack_id AS id FROM policy_group_stacks WHERE organization_id = ? AND policy_group_id = ? AND member = 1 "
	"AND stack_id IN (" DB_PLACES_TEXT ")");

const struct stmt GROUP_STACKS_CLEAR = STMT("policy_group.stacks_clear",
	"DELETE FROM policy_group_stacks WHERE organization_id = ? AND policy_group_id = ?");

/* All stacks leave the default group; those that are made later belong to it. */
const struct stmt GROUP_STACKS_LEAVE = STMT("policy_group.stacks_leave",
	"INSERT INTO policy_group_stacks (policy_group_id, stack_id, organization_id, member) "
	"SELECT ?, s.id, s.organization_id, 0 FROM stacks s WHERE s.organization_id = ? AND s.deleted_at IS NULL");

/* Only while it is published: whoever deletes it waits until this is committed, and sees it then. */
const struct stmt GROUP_PACK_ADD = STMT("policy_group.pack_add",
	"INSERT INTO policy_group_packs (policy_group_id, policy_pack_id, policy_pack_version_id, organization_id, config_json, "
	"environments_json, enabled_at) SELECT ?, v.policy_pack_id, v.id, v.organization_id, ?, ?, ? FROM policy_pack_versions v "
	"WHERE v.organization_id = ? AND v.id = ? AND v.status = 'published'");

const struct stmt GROUP_PACK_REMOVE = STMT("policy_group.pack_remove",
	"DELETE FROM policy_group_packs WHERE organization_id = ? AND policy_group_id = ? AND policy_pack_id = ?");

const struct stmt GROUP_PACKS_CLEAR = STMT("policy_group.packs_clear",
	"DELETE FROM policy_group_packs WHERE organization_id = ? AND policy_group_id = ?");
