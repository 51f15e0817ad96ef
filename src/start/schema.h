/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the database has the tables that this version needs. */
#ifndef START_SCHEMA_H
#define START_SCHEMA_H

#include "db/db.h"

extern const struct stmt SCHEMA_APPLIED, RESTORE_UNFINISHED;

struct schema_row {
	char *name;
};
extern const struct db_column schema_columns[];

/* 1; -1 with a sentence in e->detail that names the command to run. A newer schema is good: migrations only add. */
int schema_check(struct db *db, struct err *e) WARN_UNUSED;

/* 1; -1 with a sentence when a restore into the database was begun and not finished: half an installation is none. */
int restore_check(struct db *db, struct err *e) WARN_UNUSED;

#endif
