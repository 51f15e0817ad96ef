/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BACKUP_BACKUP_SQL_H
#define BACKUP_BACKUP_SQL_H

#include "db/db.h"

struct backup_row {
	char *name, *type, *id, *owner_id, *checksum;
	int64_t stacks, lines;
	struct span sha256;
};

extern const char BACKUP_ISOLATION[], BACKUP_SNAPSHOT[];
extern const struct stmt BACKUP_TABLES, BACKUP_COLUMNS_OF, BACKUP_MIGRATIONS, BACKUP_MASTER_KEYS, BACKUP_CHECKPOINTS,
	BACKUP_RUNNING_CHECKPOINTS, BACKUP_JOURNAL_OBJECTS, BACKUP_EVENT_OBJECTS, BACKUP_CONFIGURATIONS, BACKUP_POLICIES, BACKUP_POLICY_PACKS, BACKUP_PROGRESS, BACKUP_PROGRESS_NOTE, BACKUP_PROGRESS_END;
extern const struct db_column backup_name_columns[], backup_column_columns[], backup_migration_columns[], backup_key_columns[],
	backup_object_columns[], backup_row_object_columns[], backup_progress_columns[];

/* Parts of statements that are made for whatever tables there are. */
extern const char BACKUP_SELECT[], BACKUP_FROM[], BACKUP_INSERT[], BACKUP_REPLACE[], BACKUP_VALUES[], BACKUP_ANY[], BACKUP_COUNT[];

#endif
