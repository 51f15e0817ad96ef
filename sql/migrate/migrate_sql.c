/* SPDX-License-Identifier: Apache-2.0 */
#include "migrate_sql.h"

/* These tables are this tool's own: they are there before the first migration. */
const char CREATE_SCHEMA_MIGRATIONS[] =
	"CREATE TABLE IF NOT EXISTS schema_migrations ("
	"name VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'file name', "
	"checksum CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'SHA-256 of the file', "
	"applied_at DATETIME(6) NOT NULL, PRIMARY KEY (name)) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 "
	"COLLATE=utf8mb4_unicode_ci COMMENT='migrations that were applied'";

const char CREATE_SCHEMA_PROGRESS[] =
	"CREATE TABLE IF NOT EXISTS schema_progress ("
	"name VARCHAR(200) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'file name', "
	"checksum CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'SHA-256 of the file', "
	"statements BIGINT NOT NULL COMMENT 'statements of it that are done', PRIMARY KEY (name)) ENGINE=InnoDB "
	"DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='the migration that is being applied'";

const char CREATE_CLAIMS[] =
	"CREATE TABLE IF NOT EXISTS claims ("
	"name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'the work', "
	"holder CHAR(36) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'UUIDv7 of the process', "
	"description VARCHAR(255) NOT NULL COMMENT 'program, process and host, for people', "
	"expires_at DATETIME(6) NOT NULL COMMENT 'free again unless renewed', PRIMARY KEY (name)) ENGINE=InnoDB "
	"DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_unicode_ci COMMENT='work that one process may do at a time'";

const struct db_column migration_columns[] = {
	DB_COLUMN(migration_row, checksum, COLUMN_TEXT),
	DB_COLUMN(migration_row, applied_at, COLUMN_TIME),
	{ 0 },
};

const struct stmt MIGRATION_FIND = STMT("migration.find",
	"SELECT checksum, applied_at FROM schema_migrations WHERE name = ?");

const struct db_column migration_name_columns[] = { DB_COLUMN(migration_row, name, COLUMN_TEXT), { 0 } };

const struct stmt MIGRATION_ALL = STMT("migration.all",
	"SELECT name FROM schema_migrations ORDER BY name");

const struct stmt MIGRATION_RECORD = STMT("migration.record",
	"INSERT INTO schema_migrations (name, checksum, applied_at) VALUES (?, ?, UTC_TIMESTAMP(6))");

const struct db_column progress_columns[] = {
	DB_COLUMN(migration_row, checksum, COLUMN_TEXT),
	DB_COLUMN(migration_row, statements, COLUMN_INT),
	{ 0 },
};

const struct stmt PROGRESS_FIND = STMT("migration_progress.find",
	"SELECT checksum, statements FROM schema_progress WHERE name = ?");

const struct stmt PROGRESS_BEGIN = STMT("migration_progress.begin",
	"INSERT INTO schema_progress (name, checksum, statements) VALUES (?, ?, 0)");

const struct stmt PROGRESS_ADVANCE = STMT("migration_progress.advance",
	"UPDATE schema_progress SET statements = ? WHERE name = ?");

const struct stmt PROGRESS_END = STMT("migration_progress.end",
	"DELETE FROM schema_progress WHERE name = ?");

const struct db_column table_name_columns[] = { DB_COLUMN(table_row, name, COLUMN_TEXT), { 0 } };

const struct stmt TABLE_EXISTS = STMT("table.exists",
	"SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = ?");

#define IN_ORDER_OF(column) "ORDER BY CONVERT(" column " USING utf8mb4) COLLATE utf8mb4_bin"

const struct db_column table_columns[] = {
	DB_COLUMN(table_row, name, COLUMN_TEXT),
	DB_COLUMN(table_row, comment, COLUMN_TEXT),
	{ 0 },
};

const struct stmt SCHEMA_TABLES = STMT("schema.tables",
	"SELECT table_name AS name, table_comment AS comment FROM information_schema.tables "
	"WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE' " IN_ORDER_OF("table_name"));

const struct db_column column_columns[] = {
	DB_COLUMN(column_row, name, COLUMN_TEXT),
	DB_COLUMN(column_row, type, COLUMN_TEXT),
	DB_COLUMN(column_row, nullable, COLUMN_BOOL),
	DB_COLUMN(column_row, character_set, COLUMN_TEXT),
	DB_COLUMN(column_row, collation, COLUMN_TEXT),
	DB_COLUMN(column_row, fallback, COLUMN_TEXT),
	DB_COLUMN(column_row, comment, COLUMN_TEXT),
	{ 0 },
};

const struct stmt SCHEMA_COLUMNS = STMT("schema.columns",
	"SELECT column_name AS name, column_type AS type, is_nullable = 'YES' AS nullable, "
	"character_set_name AS character_set, collation_name AS collation, column_default AS fallback, "
	"column_comment AS comment FROM information_schema.columns "
	"WHERE table_schema = DATABASE() AND table_name = ? ORDER BY ordinal_position");

const struct db_column key_columns[] = {
	DB_COLUMN(key_row, name, COLUMN_TEXT),
	DB_COLUMN(key_row, column, COLUMN_TEXT),
	DB_COLUMN(key_row, not_unique, COLUMN_BOOL),
	{ 0 },
};

const struct stmt SCHEMA_KEYS = STMT("schema.keys",
	"SELECT index_name AS name, column_name AS `column`, non_unique = 1 AS not_unique FROM information_schema.statistics "
	"WHERE table_schema = DATABASE() AND table_name = ? "
	"ORDER BY index_name <> 'PRIMARY', CONVERT(index_name USING utf8mb4) COLLATE utf8mb4_bin, seq_in_index");

const struct db_column reference_columns[] = {
	DB_COLUMN(reference_row, name, COLUMN_TEXT),
	DB_COLUMN(reference_row, column, COLUMN_TEXT),
	DB_COLUMN(reference_row, other_table, COLUMN_TEXT),
	DB_COLUMN(reference_row, other_column, COLUMN_TEXT),
	DB_COLUMN(reference_row, on_delete, COLUMN_TEXT),
	{ 0 },
};

const struct stmt SCHEMA_REFERENCES = STMT("schema.references",
	"SELECT k.constraint_name AS name, k.column_name AS `column`, k.referenced_table_name AS other_table, "
	"k.referenced_column_name AS other_column, r.delete_rule AS on_delete "
	"FROM information_schema.key_column_usage k JOIN information_schema.referential_constraints r "
	"ON r.constraint_schema = k.constraint_schema AND r.constraint_name = k.constraint_name AND r.table_name = k.table_name "
	"WHERE k.table_schema = DATABASE() AND k.table_name = ? AND k.referenced_table_name IS NOT NULL "
	IN_ORDER_OF("k.constraint_name"));
