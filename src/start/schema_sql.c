/* SPDX-License-Identifier: Apache-2.0 */
#include "start/schema.h"

const struct db_column schema_columns[] = { DB_COLUMN(schema_row, name, COLUMN_TEXT), { 0 } };

const struct stmt SCHEMA_APPLIED = STMT("schema.applied",
	"SELECT name FROM schema_migrations WHERE name = ?");

const struct stmt RESTORE_UNFINISHED = STMT("restore.unfinished",
	"SELECT part AS name FROM restore_progress WHERE part = 'manifest.json'");
