/* SPDX-License-Identifier: Apache-2.0 */
#include "start/schema.h"

#include "start/schema_needed.h"

#define NO_SUCH_TABLE ": 1146 "

int schema_check(struct db *db, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct schema_row row = { 0 };
	struct err why = { 0 };
	int rc = db_one(db, &SCHEMA_APPLIED, DB_VALUES(db_text(SCHEMA_NEEDED)), schema_columns, &row, &arena, &why);

	if (rc == 1)
		return 1;
	if (rc == 0)
		return err_internal(e, "the schema of the database is older than this version needs (%s was not applied); run "
				    "pulumi-migrate up", SCHEMA_NEEDED);
	if (strstr(why.detail, NO_SUCH_TABLE))
		return err_internal(e, "the database has no schema yet; run pulumi-migrate up");
	*e = why;
	return -1;
}

int restore_check(struct db *db, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct schema_row row = { 0 };
	int rc = db_one(db, &RESTORE_UNFINISHED, DB_NONE, schema_columns, &row, &arena, e);

	if (rc == 1)
		return err_internal(e, "a restore into this installation was not finished: run pulumi-admin restore again with the same "
				    "backup, which goes on where it stopped");
	return rc < 0 ? -1 : 1;
}
