/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/pack_sql.h"

const struct db_column pack_count_columns[] = { DB_COLUMN(pack_row, count, COLUMN_INT), { 0 } };
const struct db_column pack_id_columns[] = { DB_COLUMN(pack_row, id, COLUMN_TEXT), { 0 } };
const struct db_column pack_number_columns[] = {
	DB_COLUMN(pack_row, id, COLUMN_TEXT),
	DB_COLUMN(pack_row, last_version, COLUMN_INT),
	{ 0 },
};

const struct stmt PACK_COUNT = STMT("pack.count",
	"SELECT COUNT(*) AS count FROM policy_packs WHERE organization_id = ?");

const struct stmt PACK_CREATE = STMT("pack.create",
	"INSERT INTO policy_packs (id, organization_id, name, display_name, created_at) VALUES (?, ?, ?, ?, ?)");

/* Locks the row until the end of the transaction. */
const struct stmt PACK_NUMBER = STMT("pack.number",
	"UPDATE policy_packs SET last_version = last_version + 1 WHERE organization_id = ? AND name = ?");

const struct stmt PACK_LOCK = STMT("pack.lock",
	"SELECT id, last_version FROM policy_packs WHERE organization_id = ? AND name = ? FOR UPDATE");

const struct stmt PACK_VERSION_COUNT = STMT("pack.version_count",
	"SELECT COUNT(*) AS count FROM policy_pack_versions "
	"WHERE organization_id = ? AND policy_pack_id = ? AND status <> 'deleted'");

const struct stmt PACK_VERSION_FORGET_UPLOAD = STMT("pack.version_forget_upload",
	"DELETE FROM policy_pack_versions "
	"WHERE organization_id = ? AND policy_pack_id = ? AND version_tag = ? AND status = 'uploading'");

const struct stmt PACK_VERSION_CREATE = STMT("pack.version_create",
	"INSERT INTO policy_pack_versions (id, organization_id, policy_pack_id, version, version_tag, status, display_name, policies_json, "
	"details_json, created_by_user_id, created_at) VALUES (?, ?, ?, ?, ?, 'uploading', ?, ?, ?, ?, ?)");

const struct db_column pack_version_columns[] = {
	DB_COLUMN(pack_version, id, COLUMN_TEXT),
	DB_COLUMN(pack_version, pack_id, COLUMN_TEXT),
	DB_COLUMN(pack_version, name, COLUMN_TEXT),
	DB_COLUMN(pack_version, display_name, COLUMN_TEXT),
	DB_COLUMN(pack_version, version_tag, COLUMN_TEXT),
	DB_COLUMN(pack_version, status, COLUMN_TEXT),
	DB_COLUMN(pack_version, version, COLUMN_INT),
	DB_COLUMN(pack_version, bytes, COLUMN_INT),
	DB_COLUMN(pack_version, policies, COLUMN_BYTES),
	DB_COLUMN(pack_version, sha256, COLUMN_BYTES),
	DB_COLUMN(pack_version, applied, COLUMN_BOOL),
	{ 0 },
};

#define PACK_VERSION_ROW                                                                           \
	"SELECT v.id AS id, p.id AS pack_id, p.name AS name, v.display_name AS display_name, "     \
	"COALESCE(v.version_tag, '') AS version_tag, v.status AS status, v.version AS version, v.bytes AS bytes, " \
	"v.policies_json AS policies, v.sha256 AS sha256, "                                        \
	"EXISTS (SELECT 1 FROM policy_group_packs a WHERE a.policy_pack_version_id = v.id) AS applied " \
	"FROM policy_packs p JOIN policy_pack_versions v ON v.policy_pack_id = p.id "

const struct stmt PACK_VERSION_BY_TAG = STMT("pack.version_by_tag",
	PACK_VERSION_ROW "WHERE p.organization_id = ? AND p.name = ? AND v.version_tag = ? AND v.status <> 'deleted'");

const struct stmt PACK_VERSION_BY_NUMBER = STMT("pack.version_by_number",
	PACK_VERSION_ROW "WHERE p.organization_id = ? AND p.name = ? AND v.version = ? AND v.status <> 'deleted'");

const struct stmt PACK_VERSION_NEWEST = STMT("pack.version_newest",
	PACK_VERSION_ROW "WHERE p.organization_id = ? AND p.name = ? AND v.status = 'published' ORDER BY v.version DESC LIMIT 1");

const struct db_column pack_published_columns[] = {
	DB_COLUMN(pack_version, id, COLUMN_TEXT),
	DB_COLUMN(pack_version, organization, COLUMN_TEXT),
	DB_COLUMN(pack_version, name, COLUMN_TEXT),
	DB_COLUMN(pack_version, display_name, COLUMN_TEXT),
	DB_COLUMN(pack_version, version_tag, COLUMN_TEXT),
	DB_COLUMN(pack_version, version, COLUMN_INT),
	DB_COLUMN(pack_version, policies, COLUMN_BYTES),
	DB_COLUMN(pack_version, applied, COLUMN_BOOL),
	{ 0 },
};

/* Versions of packs; with PACK_IS_NEWEST the newest published one of each. TiDB takes no subquery in the condition of a join. */
#define PACK_NEWEST                                                                                \
	"SELECT v.id AS id, o.login AS organization, p.name AS name, v.display_name AS display_name, " \
	"COALESCE(v.version_tag, '') AS version_tag, v.version AS version, v.policies_json AS policies, " \
	"EXISTS (SELECT 1 FROM policy_group_packs a WHERE a.policy_pack_version_id = v.id) AS applied " \
	"FROM policy_packs p JOIN organizations o ON o.id = p.organization_id "                    \
	"JOIN policy_pack_versions v ON v.policy_pack_id = p.id "
#define PACK_IS_NEWEST                                                                             \
	"v.version = (SELECT MAX(n.version) FROM policy_pack_versions n WHERE n.policy_pack_id = p.id AND n.status = 'published') "

const struct stmt PACK_NEWEST_OF_ORGANIZATION = STMT("pack.newest_of_organization",
	PACK_NEWEST "WHERE p.organization_id = ? AND " PACK_IS_NEWEST "ORDER BY p.name");

const struct stmt PACK_NEWEST_OF_USER = STMT("pack.newest_of_user",
	PACK_NEWEST "JOIN organization_members m ON m.organization_id = p.organization_id WHERE m.user_id = ? "
	"AND " PACK_IS_NEWEST "ORDER BY o.login, p.name");

const struct db_column pack_listed_columns[] = {
	DB_COLUMN(pack_version, id, COLUMN_TEXT),
	DB_COLUMN(pack_version, name, COLUMN_TEXT),
	DB_COLUMN(pack_version, display_name, COLUMN_TEXT),
	DB_COLUMN(pack_version, version_tag, COLUMN_TEXT),
	DB_COLUMN(pack_version, version, COLUMN_INT),
	{ 0 },
};

#define PACK_LISTED                                                                                \
	"SELECT v.id AS id, p.name AS name, p.display_name AS display_name, COALESCE(v.version_tag, '') AS version_tag, " \
	"v.version AS version FROM policy_packs p JOIN policy_pack_versions v ON v.policy_pack_id = p.id "

const struct stmt PACK_VERSION_LIST = STMT("pack.version_list",
	PACK_LISTED "WHERE p.organization_id = ? AND v.status = 'published' ORDER BY p.name, v.version");

const struct stmt PACK_VERSION_LIST_NAME = STMT("pack.version_list_name",
	PACK_LISTED "WHERE p.organization_id = ? AND p.name = ? AND v.status = 'published' ORDER BY v.version");

/* Once: the second who says that it is complete finds it published. */
const struct stmt PACK_VERSION_PUBLISH = STMT("pack.version_publish",
	"UPDATE policy_pack_versions SET status = 'published', sha256 = ?, bytes = ?, published_at = ? "
	"WHERE organization_id = ? AND id = ? AND status = 'uploading'");

const struct stmt PACK_SET_DISPLAY_NAME = STMT("pack.set_display_name",
	"UPDATE policy_packs SET display_name = ? WHERE organization_id = ? AND id = ?");

/* Whoever enables it holds its row until that is committed: it is either applied here, or deleted there. */
const struct stmt PACK_VERSION_DELETE = STMT("pack.version_delete",
	"UPDATE policy_pack_versions SET status = 'deleted', sha256 = NULL, policies_json = '[]', details_json = '{}' "
	"WHERE organization_id = ? AND id = ? AND status = 'published' "
	"AND NOT EXISTS (SELECT 1 FROM policy_group_packs a WHERE a.policy_pack_version_id = policy_pack_versions.id)");

const struct stmt PACK_VERSION_DELETE_UPLOAD = STMT("pack.version_delete_upload",
	"DELETE FROM policy_pack_versions WHERE organization_id = ? AND id = ? AND status = 'uploading'");

/* Locks what it reads: nobody enables a version meanwhile. */
const struct stmt PACK_APPLIED = STMT("pack.applied",
	"SELECT policy_group_id AS id FROM policy_group_packs WHERE organization_id = ? AND policy_pack_id = ? LIMIT 1 FOR UPDATE");

const struct stmt PACK_DELETE_VERSIONS = STMT("pack.delete_versions",
	"UPDATE policy_pack_versions SET status = 'deleted', sha256 = NULL, policies_json = '[]', details_json = '{}' "
	"WHERE organization_id = ? AND policy_pack_id = ? AND status = 'published'");

const struct stmt PACK_DELETE_UPLOADS = STMT("pack.delete_uploads",
	"DELETE FROM policy_pack_versions WHERE organization_id = ? AND policy_pack_id = ? AND status = 'uploading'");
