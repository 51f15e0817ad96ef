/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MIGRATE_MIGRATE_SQL_H
#define MIGRATE_MIGRATE_SQL_H

#include "db/db.h"

struct migration_row {
	char *name, *checksum;
	int64_t statements, applied_at;
};

struct column_row {
	char *table_name, *name, *type, *character_set, *collation, *fallback, *comment;
	bool nullable;
};

struct key_row {
	char *name;
	char *column;
	bool not_unique;
};

struct reference_row {
	char *name, *column, *other_table, *other_column, *on_delete;
};

struct table_row {
	char *name, *comment;
};

extern const char CREATE_SCHEMA_MIGRATIONS[], CREATE_SCHEMA_PROGRESS[], CREATE_CLAIMS[];
extern const struct stmt MIGRATION_FIND, MIGRATION_ALL, MIGRATION_RECORD, PROGRESS_FIND, PROGRESS_BEGIN, PROGRESS_ADVANCE,
	PROGRESS_END, TABLE_EXISTS, SCHEMA_TABLES, SCHEMA_COLUMNS, SCHEMA_KEYS, SCHEMA_REFERENCES;
extern const struct db_column migration_columns[], migration_name_columns[], progress_columns[], table_columns[],
	table_name_columns[], column_columns[], key_columns[], reference_columns[];

#endif
