/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/stack_sql.h"

#define STACK_ROW(structure, at)                                                                   \
	DB_COLUMN_IN(structure, at, id, COLUMN_TEXT), DB_COLUMN_IN(structure, at, project, COLUMN_TEXT), \
		DB_COLUMN_IN(structure, at, name, COLUMN_TEXT), DB_COLUMN_IN(structure, at, tags, COLUMN_BYTES), \
		DB_COLUMN_IN(structure, at, config, COLUMN_BYTES), DB_COLUMN_IN(structure, at, active_update_id, COLUMN_TEXT), \
		DB_COLUMN_IN(structure, at, version, COLUMN_INT), DB_COLUMN_IN(structure, at, checkpoint_version, COLUMN_INT), \
		DB_COLUMN_IN(structure, at, resource_count, COLUMN_INT), DB_COLUMN_IN(structure, at, last_update_at, COLUMN_TIME)
#define STACK_COLUMNS(structure, at)                                                               \
	STACK_ROW(structure, at), DB_COLUMN_IN(structure, at, locked, COLUMN_BOOL),                \
		DB_COLUMN_IN(structure, at, state_sha256, COLUMN_BYTES)

const struct db_column stack_row_columns[] = { STACK_ROW(stack, ), { 0 } };
const struct db_column stack_columns[] = { STACK_COLUMNS(stack, ), { 0 } };
const struct db_column stack_and_caller_columns[] = {
	CALLER_COLUMNS(stack_and_caller, caller.), STACK_COLUMNS(stack_and_caller, stack.), { 0 },
};

#define ROW_SELECTED                                                                               \
	"s.id AS id, s.project AS project, s.name AS name, s.tags_json AS tags, s.config_json AS config, " \
	"s.active_update_id AS active_update_id, s.version AS version, "                           \
	"COALESCE(s.checkpoint_version, -1) AS checkpoint_version, s.resource_count AS resource_count, " \
	"s.last_update_at AS last_update_at "
#define STACK_SELECTED ROW_SELECTED ", l.stack_id IS NOT NULL AS locked, k.sha256 AS state_sha256 "
#define STACK_JOINED                                                                               \
	"LEFT JOIN stack_locks l ON l.stack_id = s.id "                                            \
	"LEFT JOIN checkpoints k ON k.stack_id = s.id AND k.version = s.checkpoint_version "
/* The unique name makes it one row for the database, which then reads it, and what is joined by it, before it plans. */
#define PATH_IS "s.unique_name = ? AND s.project = ? AND s.name = ? AND s.deleted_at IS NULL "

const struct stmt STACK_BY_PATH = STMT("stack.by_path",
	"SELECT " STACK_SELECTED "FROM stacks s " STACK_JOINED "WHERE s.organization_id = ? AND " PATH_IS);

/*
 * Only in an organization that the caller belongs to: a token without a user is the organization's own, and finds no other. The
 * hint is for TiDB, which would read all stacks; MariaDB takes it for a comment, MySQL for a hint that it does not know.
 */
const struct stmt STACK_BY_TOKEN = STMT("stack.by_token",
	"SELECT /*+ INL_JOIN(s, l, k) */ " CALLER_SELECTED ", " STACK_SELECTED CALLER_FROM
	"LEFT JOIN stacks s ON s.organization_id = o.id AND (t.user_id IS NULL OR m.user_id IS NOT NULL) AND " PATH_IS
	STACK_JOINED CALLER_WHERE);

const struct stmt STACK_LOCK_BY_PATH = STMT("stack.lock_by_path",
	"SELECT " ROW_SELECTED "FROM stacks s WHERE s.organization_id = ? AND " PATH_IS "FOR UPDATE");

const struct db_column stack_operation_columns[] = {
	DB_COLUMN(stack_operation, kind, COLUMN_TEXT),
	DB_COLUMN(stack_operation, author, COLUMN_TEXT),
	DB_COLUMN(stack_operation, started, COLUMN_TIME),
	{ 0 },
};

/* all tenants: the stack was found in its organization */
const struct stmt STACK_OPERATION = STMT("stack.operation",
	"SELECT u.kind AS kind, COALESCE(r.login, o.login) AS author, u.started_at AS started "
	"FROM stack_locks l JOIN updates u ON u.id = l.update_id "
	"LEFT JOIN users r ON r.id = u.requested_by LEFT JOIN organizations o ON o.id = u.requested_by "
	"WHERE l.stack_id = ? AND u.lease_expires_at > ?");

const struct db_column stack_path_columns[] = {
	DB_COLUMN(stack, id, COLUMN_TEXT),
	DB_COLUMN(stack, project, COLUMN_TEXT),
	DB_COLUMN(stack, name, COLUMN_TEXT),
	{ 0 },
};

#define FIVE_PATHS                                                                                 \
	"OR (project = ? AND name = ?) OR (project = ? AND name = ?) OR (project = ? AND name = ?) OR (project = ? AND name = ?) " \
	"OR (project = ? AND name = ?) "
#define FIFTEEN_PATHS FIVE_PATHS FIVE_PATHS FIVE_PATHS

/* STACKS_AT_ONCE pairs of project and name; nothing has those that are NULL. */
const struct stmt STACK_LOCK_ALL = STMT("stack.lock_all",
	"SELECT id, project, name FROM stacks WHERE organization_id = ? AND deleted_at IS NULL AND ((project = ? AND name = ?) "
	"OR (project = ? AND name = ?) OR (project = ? AND name = ?) OR (project = ? AND name = ?) OR (project = ? AND name = ?) "
	FIFTEEN_PATHS FIFTEEN_PATHS FIFTEEN_PATHS ") FOR UPDATE");

const struct db_column stack_id_columns[] = { DB_COLUMN(stack, id, COLUMN_TEXT), { 0 } };

const struct stmt STACK_PROJECT_EXISTS = STMT("stack.project_exists",
	"SELECT id FROM stacks WHERE organization_id = ? AND project = ? AND deleted_at IS NULL LIMIT 1");

const struct stmt STACK_CREATE = STMT("stack.create",
	"INSERT INTO stacks (id, organization_id, project, name, unique_name, tags_json, config_json, created_by, created_at) "
	"VALUES (?, ?, ?, ?, ?, '{}', ?, ?, ?)");

const struct stmt STACK_SET_CONFIG = STMT("stack.set_config",
	"UPDATE stacks SET config_json = ? WHERE organization_id = ? AND project = ? AND name = ? AND deleted_at IS NULL");

/* all tenants: the stack was locked in its organization, and leaves it perhaps */
const struct stmt STACK_MOVE = STMT("stack.move",
	"UPDATE stacks SET organization_id = ?, project = ?, name = ?, unique_name = ? WHERE id = ?");

const struct db_column stack_listed_columns[] = {
	DB_COLUMN(stack_listed, id, COLUMN_TEXT),
	DB_COLUMN(stack_listed, project, COLUMN_TEXT),
	DB_COLUMN(stack_listed, name, COLUMN_TEXT),
	DB_COLUMN(stack_listed, last_update_at, COLUMN_TIME),
	DB_COLUMN(stack_listed, resource_count, COLUMN_INT),
	DB_COLUMN(stack_listed, running, COLUMN_BOOL),
	{ 0 },
};

/*
 * First the ids of the page, each kind a range of an index, then what is shown of them: no join can then tempt the
 * database to sort everything. The index is forced: MariaDB would sometimes use less of it, and walk the rows before
 * the page, or the primary key, and walk other tenants' rows. An update counts as running while its lease is alive.
 */
#define LISTED(page)                                                                               \
	"SELECT s.id AS id, s.project AS project, s.name AS name, s.last_update_at AS last_update_at, " \
	"s.resource_count AS resource_count, u.id IS NOT NULL AS running "                         \
	"FROM (" page ") p JOIN stacks s ON s.id = p.id "                                          \
	"LEFT JOIN stack_locks l ON l.stack_id = s.id "                                            \
	"LEFT JOIN updates u ON u.id = l.update_id AND u.lease_expires_at > ? ORDER BY s.id"

const struct stmt STACK_LIST = STMT("stack.list",
	LISTED("SELECT id FROM stacks FORCE INDEX (stacks_list) "
	       "WHERE organization_id = ? AND deleted_at IS NULL AND id > ? ORDER BY id LIMIT ?"));

const struct stmt STACK_LIST_PROJECT = STMT("stack.list_project",
	LISTED("SELECT id FROM stacks FORCE INDEX (stacks_list_project) "
	       "WHERE organization_id = ? AND project = ? AND deleted_at IS NULL AND id > ? ORDER BY id LIMIT ?"));

const struct stmt STACK_LIST_TAG = STMT("stack.list_tag",
	LISTED("SELECT t.stack_id AS id FROM stack_tags t FORCE INDEX (stack_tags_name) "
	       "JOIN stacks a ON a.id = t.stack_id AND a.deleted_at IS NULL "
	       "WHERE t.organization_id = ? AND t.name = ? AND t.stack_id > ? ORDER BY t.stack_id LIMIT ?"));

const struct stmt STACK_LIST_TAG_VALUE = STMT("stack.list_tag_value",
	LISTED("SELECT t.stack_id AS id FROM stack_tags t FORCE INDEX (stack_tags_value) "
	       "JOIN stacks a ON a.id = t.stack_id AND a.deleted_at IS NULL "
	       "WHERE t.organization_id = ? AND t.name = ? AND t.value = ? AND t.stack_id > ? "
	       "ORDER BY t.stack_id LIMIT ?"));

/* A tag can be on every stack of an organization: a project is the smaller range to walk. */
const struct stmt STACK_LIST_PROJECT_TAG = STMT("stack.list_project_tag",
	LISTED("SELECT a.id AS id FROM stacks a JOIN stack_tags t ON t.stack_id = a.id "
	       "WHERE a.organization_id = ? AND a.project = ? AND t.name = ? AND a.deleted_at IS NULL AND a.id > ? "
	       "ORDER BY a.id LIMIT ?"));

const struct stmt STACK_LIST_PROJECT_TAG_VALUE = STMT("stack.list_project_tag_value",
	LISTED("SELECT a.id AS id FROM stacks a JOIN stack_tags t ON t.stack_id = a.id "
	       "WHERE a.organization_id = ? AND a.project = ? AND t.name = ? AND t.value = ? AND a.deleted_at IS NULL "
	       "AND a.id > ? ORDER BY a.id LIMIT ?"));

const struct stmt STACK_DELETE = STMT("stack.delete",
	"UPDATE stacks SET deleted_at = ?, unique_name = NULL WHERE id = ? AND organization_id = ?");

const struct db_column stack_deleted_columns[] = {
	DB_COLUMN(stack_deleted, id, COLUMN_TEXT),
	DB_COLUMN(stack_deleted, project, COLUMN_TEXT),
	DB_COLUMN(stack_deleted, name, COLUMN_TEXT),
	DB_COLUMN(stack_deleted, deleted_at, COLUMN_TIME),
	DB_COLUMN(stack_deleted, version, COLUMN_INT),
	{ "last_status", COLUMN_TEXT, offsetof(struct stack_deleted, last.status) },
	{ "last_started_at", COLUMN_TIME, offsetof(struct stack_deleted, last.started_at) },
	{ "last_ended_at", COLUMN_TIME, offsetof(struct stack_deleted, last.ended_at) },
	{ "last_resource_count", COLUMN_INT, offsetof(struct stack_deleted, last.resource_count) },
	{ 0 },
};

const struct stmt STACK_LIST_DELETED = STMT("stack.list_deleted",
	"SELECT s.id AS id, s.project AS project, s.name AS name, s.deleted_at AS deleted_at, s.version AS version, "
	"u.status AS last_status, u.started_at AS last_started_at, u.ended_at AS last_ended_at, "
	"u.resource_count AS last_resource_count "
	"FROM stacks s LEFT JOIN updates u ON u.id = s.active_update_id "
	"WHERE s.organization_id = ? AND s.deleted_at IS NOT NULL ORDER BY s.deleted_at DESC, s.id DESC LIMIT ?");

const struct stmt STACK_RESTORE = STMT("stack.restore",
	"UPDATE stacks SET deleted_at = NULL, unique_name = LOWER(CONCAT(project, '/', name)) "
	"WHERE id = ? AND organization_id = ? AND deleted_at IS NOT NULL AND (? IS NULL OR name = ?)");

const struct stmt STACK_SET_TAGS = STMT("stack.set_tags",
	"UPDATE stacks SET tags_json = ? WHERE organization_id = ? AND id = ?");

const struct stmt STACK_TAGS_DELETE = STMT("stack_tag.delete_all",
	"DELETE FROM stack_tags WHERE organization_id = ? AND stack_id = ?");

#define FOUR_PAIRS "UNION ALL SELECT ?, ? UNION ALL SELECT ?, ? UNION ALL SELECT ?, ? UNION ALL SELECT ?, ? "

/* Sixteen pairs of name and value; those without a name make no row. */
const struct stmt STACK_TAGS_INSERT = STMT("stack_tag.insert",
	"INSERT INTO stack_tags (organization_id, stack_id, name, value) "
	"SELECT ?, ?, t.name, t.value FROM (SELECT ? AS name, ? AS value UNION ALL SELECT ?, ? UNION ALL SELECT ?, ? "
	"UNION ALL SELECT ?, ? " FOUR_PAIRS FOUR_PAIRS FOUR_PAIRS ") t WHERE t.name IS NOT NULL");

/* all tenants: the stack was locked in the organization that it leaves */
const struct stmt STACK_TAGS_MOVE = STMT("stack_tag.move",
	"UPDATE stack_tags SET organization_id = ? WHERE stack_id = ?");
