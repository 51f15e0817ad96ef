/* SPDX-License-Identifier: Apache-2.0 */
/* What was applied, and how far the one got that is being applied. */
#include <string.h>

#include "migrate.h"
#include "migrate_sql.h"

int state_make_tables(struct db *db, struct err *e)
{
	if (db_run_text(db, CREATE_SCHEMA_MIGRATIONS, e) < 0 || db_run_text(db, CREATE_SCHEMA_PROGRESS, e) < 0)
		return -1;
	return db_run_text(db, CREATE_CLAIMS, e);
}

static int has_table(struct migrate *m, const char *name, struct err *e)
{
	struct table_row row = { 0 };

	return m->db ? db_one(m->db, &TABLE_EXISTS, DB_VALUES(db_text(name)), table_name_columns, &row, &m->arena, e) : 0;
}

static int changed(const struct migration *migration, const char *when, struct err *e)
{
	return err_internal(e, "%s was changed %s; restore the file of the release that applied it", migration->name, when);
}

static int find_progress(struct migrate *m, const struct migration *migration, struct migration_state *state, struct err *e)
{
	struct migration_row row = { 0 };
	int rc = has_table(m, "schema_progress", e);

	if (rc == 1)
		rc = db_one(m->db, &PROGRESS_FIND, DB_VALUES(db_text(migration->name)), progress_columns, &row, &m->arena, e);
	if (rc <= 0)
		return rc < 0 ? -1 : 1;
	if (strcmp(row.checksum, migration->checksum) || (size_t)row.statements > migration->count)
		return changed(migration, "while it was half applied", e);
	state->begun = true;
	state->next = (size_t)row.statements;
	return 1;
}

int state_of(struct migrate *m, const struct migration *migration, struct migration_state *ret_state, struct err *e)
{
	struct migration_state state = { 0 };
	struct migration_row row = { 0 };
	int rc = has_table(m, "schema_migrations", e);

	if (rc == 1)
		rc = db_one(m->db, &MIGRATION_FIND, DB_VALUES(db_text(migration->name)), migration_columns, &row, &m->arena, e);
	if (rc < 0)
		return -1;
	if (rc == 1 && strcmp(row.checksum, migration->checksum))
		return changed(migration, "after it was applied", e);
	state.applied = rc == 1;
	state.applied_at = row.applied_at;
	if (!state.applied && find_progress(m, migration, &state, e) < 0)
		return -1;
	*ret_state = state;
	return 1;
}

int state_begin(struct db *db, const struct migration *migration, struct err *e)
{
	return db_exec(db, &PROGRESS_BEGIN, DB_VALUES(db_text(migration->name), db_text(migration->checksum)), NULL, e);
}

int state_advance(struct db *db, const struct migration *migration, size_t next, struct err *e)
{
	return db_exec(db, &PROGRESS_ADVANCE, DB_VALUES(db_int((int64_t)next), db_text(migration->name)), NULL, e);
}

struct finish {
	struct db *db;
	const struct migration *migration;
};

static int finish(void *context, struct err *e)
{
	const struct finish *f = context;

	if (db_exec(f->db, &MIGRATION_RECORD, DB_VALUES(db_text(f->migration->name), db_text(f->migration->checksum)), NULL, e) < 0)
		return -1;
	return db_exec(f->db, &PROGRESS_END, DB_VALUES(db_text(f->migration->name)), NULL, e);
}

int state_finish(struct db *db, const struct migration *migration, struct err *e)
{
	struct finish f = { db, migration };

	return db_run(db, finish, &f, e);
}

static bool in_folder(const struct migrate *m, const char *name)
{
	for (size_t i = 0; i < m->count; i++)
		if (!strcmp(m->migrations[i].name, name))
			return true;
	return false;
}

int state_unknown(struct migrate *m, struct buffer *ret_names, struct err *e)
{
	struct migration_row *rows;
	size_t count;
	int rc = has_table(m, "schema_migrations", e);

	if (rc <= 0)
		return rc < 0 ? -1 : 1;
	if (db_all(m->db, &MIGRATION_ALL, DB_NONE, migration_name_columns, sizeof(*rows), &m->arena, (void **)&rows, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (!in_folder(m, rows[i].name))
			buffer_printf(ret_names, "%s%s", ret_names->length ? ", " : "", rows[i].name);
	return 1;
}
