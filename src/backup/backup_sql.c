/* SPDX-License-Identifier: Apache-2.0 */
/* all tenants, every statement here: a backup is of the whole installation. */
#include "backup/backup_sql.h"

const char BACKUP_ISOLATION[] = "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ";
const char BACKUP_SNAPSHOT[] = "START TRANSACTION WITH CONSISTENT SNAPSHOT";

const struct db_column backup_name_columns[] = { DB_COLUMN(backup_row, name, COLUMN_TEXT), { 0 } };

/*
 * What audit_shipped says is true of one table of another service only: without it a restored record is put there again,
 * which changes nothing where it is already.
 * Keys that sign addresses count for two days at most, and only for the clients of this installation.
 * Tables that others refer to come first, so that rows can be inserted in this order; people come last. Mails that wait are
 * left out: they hold links, and whoever restores a backup does not want them to be sent again.
 * all tenants: the catalogue has no rows of theirs
 */
const struct stmt BACKUP_TABLES = STMT("backup.tables",
	"SELECT t.table_name AS name FROM information_schema.tables t "
	"WHERE t.table_schema = DATABASE() AND t.table_type = 'BASE TABLE' "
	"AND t.table_name NOT IN ('audit_shipped', 'claims', 'link_keys', 'mail_limits', 'mail_messages', 'restore_progress', 'schema_migrations', "
	"'schema_progress', 'swept_objects') "
	"ORDER BY t.table_name IN ('users', 'access_tokens'), "
	"(SELECT COUNT(*) FROM information_schema.key_column_usage k WHERE k.table_schema = t.table_schema "
	"AND k.table_name = t.table_name AND k.referenced_table_name IS NOT NULL), t.table_name");

const struct db_column backup_column_columns[] = {
	DB_COLUMN(backup_row, name, COLUMN_TEXT),
	DB_COLUMN(backup_row, type, COLUMN_TEXT),
	{ 0 },
};

const struct stmt BACKUP_COLUMNS_OF = STMT("backup.columns",
	"SELECT column_name AS name, data_type AS type FROM information_schema.columns "
	"WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position");

const struct db_column backup_migration_columns[] = {
	DB_COLUMN(backup_row, name, COLUMN_TEXT),
	DB_COLUMN(backup_row, checksum, COLUMN_TEXT),
	{ 0 },
};

const struct stmt BACKUP_MIGRATIONS = STMT("backup.migrations",
	"SELECT name, checksum FROM schema_migrations ORDER BY name");

const struct db_column backup_key_columns[] = {
	DB_COLUMN(backup_row, id, COLUMN_TEXT),
	DB_COLUMN(backup_row, stacks, COLUMN_INT),
	{ 0 },
};

/* all tenants: a backup says which master keys it needs */
const struct stmt BACKUP_MASTER_KEYS = STMT("backup.master_keys",
	"SELECT m.id AS id, (SELECT COUNT(*) FROM stack_keys k WHERE k.master_key_id = m.id AND m.forgotten_at IS NULL) AS stacks "
	"FROM master_keys m ORDER BY m.created_at, m.id");

const struct db_column backup_object_columns[] = {
	DB_COLUMN(backup_row, id, COLUMN_TEXT),
	DB_COLUMN(backup_row, sha256, COLUMN_BYTES),
	{ 0 },
};

/* all tenants: a backup is of the whole installation */
const struct stmt BACKUP_CHECKPOINTS = STMT("backup.checkpoints",
	"SELECT stack_id AS id, sha256 FROM checkpoints ORDER BY stack_id, version");

/* all tenants: a backup is of the whole installation */
const struct stmt BACKUP_RUNNING_CHECKPOINTS = STMT("backup.running_checkpoints",
	"SELECT u.stack_id AS id, u.checkpoint_sha256 AS sha256 FROM stack_locks l JOIN updates u ON u.id = l.update_id "
	"WHERE u.checkpoint_sha256 IS NOT NULL");

/* all tenants: a backup is of the whole installation */
const struct stmt BACKUP_JOURNAL_OBJECTS = STMT("backup.journal_objects",
	"SELECT update_id AS id, digest AS sha256 FROM journal_batches WHERE body IS NULL");

const struct db_column backup_progress_columns[] = {
	DB_COLUMN(backup_row, name, COLUMN_TEXT),
	DB_COLUMN(backup_row, checksum, COLUMN_TEXT),
	DB_COLUMN(backup_row, lines, COLUMN_INT),
	{ 0 },
};

const struct stmt BACKUP_PROGRESS = STMT("backup.progress",
	"SELECT part AS name, sha256 AS checksum, line_count AS `lines` FROM restore_progress");

const struct stmt BACKUP_PROGRESS_NOTE = STMT("backup.progress_note",
	"REPLACE INTO restore_progress (part, sha256, line_count) VALUES (?, ?, ?)");

const struct stmt BACKUP_PROGRESS_END = STMT("backup.progress_end",
	"DELETE FROM restore_progress");

const struct db_column backup_row_object_columns[] = {
	DB_COLUMN(backup_row, id, COLUMN_TEXT),
	DB_COLUMN(backup_row, owner_id, COLUMN_TEXT),
	DB_COLUMN(backup_row, sha256, COLUMN_BYTES),
	{ 0 },
};

/* all tenants: a backup is of the whole installation */
const struct stmt BACKUP_EVENT_OBJECTS = STMT("backup.event_objects",
	"SELECT e.update_id AS id, u.stack_id AS owner_id, e.digest AS sha256 FROM event_batches e JOIN updates u ON u.id = e.update_id "
	"WHERE e.in_object = 1");

/* all tenants: a backup is of the whole installation */
const struct stmt BACKUP_CONFIGURATIONS = STMT("backup.configurations",
	"SELECT id, stack_id AS owner_id, config_sha256 AS sha256 FROM updates WHERE config_sha256 IS NOT NULL");

/* all tenants: a backup is of the whole installation */
const struct stmt BACKUP_POLICIES = STMT("backup.policies",
	"SELECT policies_object_id AS id, organization_id AS owner_id, policies_sha256 AS sha256 FROM auth_policies "
	"WHERE policies_object_id IS NOT NULL AND policies_json = '[]'");

/* all tenants: a backup is of the whole installation */
const struct stmt BACKUP_POLICY_PACKS = STMT("backup.policy_packs",
	"SELECT id, sha256 FROM policy_pack_versions WHERE status = 'published'");

const char BACKUP_SELECT[] = "SELECT ";
const char BACKUP_FROM[] = " FROM ";
const char BACKUP_INSERT[] = "INSERT INTO ";
const char BACKUP_REPLACE[] = "REPLACE INTO ";
const char BACKUP_VALUES[] = " VALUES (";
const char BACKUP_ANY[] = "SELECT 1 AS stacks FROM ";
const char BACKUP_COUNT[] = "SELECT COUNT(*) AS `lines` FROM ";
