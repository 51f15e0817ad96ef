/* SPDX-License-Identifier: Apache-2.0 */
/* Everything is checked before anything is written: the backup, that the installation is empty, the keys. */
#include <stdio.h>
#include <stdlib.h>

#include "backup/backup_sql.h"
#include "backup/internal.h"
#include "base/fault.h"
#include "blob/blob.h"
#include "policy/pack.h"
#include "secret/secret.h"
#include "update/checkpoint.h"

#define ROWS_AT_ONCE 500
#define BYTES_AT_ONCE (8 << 20)
#define STATEMENT_BYTES (256 << 10)	/* of several rows: no max_allowed_packet is as small */

static void restoring_done(struct restoring *r)
{
	map_done(&r->present);
	arena_clear(&r->arena);
}

static void seen(const struct backup *b, const char *what, int64_t more)
{
	if (b->seen)
		b->seen(b->context, what, more);
}

static const struct part *part_at(const struct restoring *r, size_t i)
{
	return (const struct part *)r->manifest.parts.items + i;
}

int restore_parts(const struct restoring *r, const char *table, part_each *each, void *context, struct err *e)
{
	for (size_t i = 0; i < r->manifest.parts.count; i++) {
		_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
		const struct part *p = part_at(r, i);

		if (!p->table != !table || (table && strcmp(p->table, table)))
			continue;
		if (part_read(r->backup, p, &text, e) < 0 || part_lines(buffer_span(&text), each, context, e) < 0)
			return -1;
	}
	return 1;
}

/* --- checking the backup --- */

static int check_object(void *context, struct span line, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	_cleanup_(buffer_done) struct buffer data = BUFFER_INIT;
	struct backup *b = context;
	struct object_line o;

	if (object_line_read(line, &arena, &o, e) < 0 || object_read(b, &o, &data, e) < 0)
		return -1;
	b->counts.objects++;
	b->counts.bytes += o.bytes;
	seen(b, "objects checked", 1);
	return 1;
}

/* The columns of a part, as the table that it came from had them. */
static int part_table(const struct part *p, struct table *ret_table, struct err *e)
{
	*ret_table = (struct table){ .name = p->table, .count = p->columns.count };
	if (p->columns.count == 0 || p->columns.count >= BACKUP_COLUMNS)
		return err_internal(e, "the backup is damaged: the manifest has no columns for %s", p->file);
	for (size_t i = 0; i < p->columns.count; i++) {
		const char *name = p->columns.items[i];

		ret_table->columns[i] = (struct column){ name, strchr(name, ':') != NULL };
	}
	return 1;
}

struct row_checking {
	struct backup *backup;
	struct table table;
};

static int check_row(void *context, struct span line, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct row_checking *c = context;
	struct db_value values[BACKUP_COLUMNS];

	if (row_read(&c->table, line, &arena, values, e) < 0)
		return -1;
	c->backup->counts.rows++;
	seen(c->backup, "rows checked", 1);
	return 1;
}

static int check_parts(struct restoring *r, struct err *e)
{
	for (size_t i = 0; i < r->manifest.parts.count; i++) {
		_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
		struct row_checking rows = { .backup = r->backup };
		const struct part *p = part_at(r, i);

		if (!p->table)
			continue;
		if (part_table(p, &rows.table, e) < 0 || part_read(r->backup, p, &text, e) < 0 ||
		    part_lines(buffer_span(&text), check_row, &rows, e) < 0)
			return -1;
	}
	return restore_parts(r, NULL, check_object, r->backup, e);
}

static int read_manifest(struct restoring *r, struct err *e)
{
	const char *table;

	if (manifest_read(r->backup, &r->arena, &r->manifest, e) < 0)
		return -1;
	table = r->manifest.audit_table;
	snprintf(r->backup->audit_table, sizeof(r->backup->audit_table), "%s", table ? table : "");
	return 1;
}

int backup_check(struct backup *b, struct err *e)
{
	_cleanup_(restoring_done) struct restoring r = { .backup = b };

	return read_manifest(&r, e) < 0 ? -1 : check_parts(&r, e);
}

/* --- checking the installation --- */

/* The schema may be newer: migrations only add. */
static int check_schema(struct restoring *r, struct err *e)
{
	const struct named_checksum *wanted = r->manifest.migrations.items;
	struct backup_row *rows;
	size_t count;

	if (db_all(r->backup->app->db, &BACKUP_MIGRATIONS, DB_NONE, backup_migration_columns, sizeof(*rows), &r->arena, (void **)&rows,
		   &count, e) < 0)
		return -1;
	for (size_t i = 0; i < r->manifest.migrations.count; i++) {
		size_t at = 0;

		while (at < count && (strcmp(rows[at].name, wanted[i].name) || strcmp(rows[at].checksum, wanted[i].checksum)))
			at++;
		if (at == count)
			return err_internal(e, "this installation's schema lacks %s as the backup had it; install the version that made the "
					    "backup, or a newer one, and run pulumi-migrate up", wanted[i].name);
	}
	return 1;
}

static const struct table *table_of(const struct restoring *r, const char *name)
{
	for (size_t i = 0; i < r->table_count; i++)
		if (!strcmp(r->tables[i].name, name))
			return &r->tables[i];
	return NULL;
}

static const struct column *column_of(const struct table *t, const char *name)
{
	size_t n = strcspn(name, ":");

	for (size_t i = 0; i < t->count; i++)
		if (strlen(t->columns[i].name) == n && !strncmp(t->columns[i].name, name, n))
			return &t->columns[i];
	return NULL;
}

static int check_columns(struct restoring *r, struct err *e)
{
	for (size_t i = 0; i < r->manifest.parts.count; i++) {
		const struct part *p = part_at(r, i);
		const struct table *t = p->table ? table_of(r, p->table) : NULL;

		if (p->table && !t)
			return err_internal(e, "this installation has no table %.64s, which the backup has", p->table);
		for (size_t c = 0; t && c < p->columns.count; c++)
			if (!column_of(t, p->columns.items[c]))
				return err_internal(e, "the table %s has no column %.64s, which the backup has", t->name, p->columns.items[c]);
	}
	return 1;
}

int restore_not_empty(const char *what, struct err *e)
{
	return err_internal(e, "this installation is not empty (%s): a backup goes into a fresh one. Name an empty folder or bucket for "
			    "the objects, and another PULUMI_DATABASE_NAME, and run pulumi-migrate up", what);
}

/* The list of master keys is written by whatever starts first; it is replaced. */
static int check_no_rows(struct restoring *r, struct err *e)
{
	static const struct db_column columns[] = { DB_COLUMN(backup_row, stacks, COLUMN_INT), { 0 } };

	for (size_t i = 0; i < r->table_count; i++) {
		struct backup_row row;
		int rc;

		if (!strcmp(r->tables[i].name, "master_keys"))
			continue;
		rc = db_one(r->backup->app->db, table_any(&r->tables[i], &r->arena), DB_NONE, columns, &row, &r->arena, e);
		if (rc)
			return rc < 0 ? -1 : restore_not_empty(arena_printf(&r->arena, "the table %s has rows", r->tables[i].name), e);
	}
	return 1;
}

static int is_object(void *context, const struct blob_object *object, struct err *e)
{
	(void)context;
	return restore_not_empty(object->key, e);
}

static int check_place(void *context, struct span line, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	const struct backup *b = context;
	struct object_place place;
	struct object_line o;

	if (object_line_read(line, &arena, &o, e) < 0)
		return -1;
	place = object_place(b->app, o.key);
	if (place.store)
		return 1;
	return err_internal(e, "%s is not set, and the backup has %s; name an empty bucket or folder for them", place.setting, place.words);
}

static int check_keys(struct restoring *r, struct err *e)
{
	const struct master_key *keys = r->manifest.master_keys.items;

	for (size_t i = 0; i < r->manifest.master_keys.count; i++)
		if (keys[i].stacks && !keys_has(r->backup->app->keys, keys[i].id))
			return err_internal(e, "%s: master key %.16s, which seals the secrets of %lld stacks in the backup, is not "
					    "in %s; put its file there first, or name its place in PULUMI_OTHER_KEYS",
					    keys_setting(r->backup->app->keys), keys[i].id, (long long)keys[i].stacks,
					    keys_origin(r->backup->app->keys));
	return 1;
}

static int check_target(struct restoring *r, struct err *e)
{
	if (check_schema(r, e) < 0 || tables_read(r->backup->app->db, &r->arena, &r->tables, &r->table_count, e) < 0)
		return -1;
	if (check_columns(r, e) < 0 || restored_read(r->backup->app->db, &r->arena, &r->restored, e) < 0)
		return -1;
	r->backup->resumed = r->restored.manifest_sha256;
	if (r->backup->resumed ? resume_check(r, e) < 0 : check_no_rows(r, e) < 0 || objects_stored(r->backup->app, is_object, NULL, e) < 0)
		return -1;
	return check_keys(r, e) < 0 ? -1 : restore_parts(r, NULL, check_place, r->backup, e);
}

/* --- writing --- */

static int put_object(struct backup *b, const struct object_line *o, struct err *e)
{
	_cleanup_(buffer_done) struct buffer data = BUFFER_INIT;

	if (object_read(b, o, &data, e) < 0 || blob_put(object_place(b->app, o->key).store, o->key, buffer_span(&data), e) < 0)
		return -1;
	fault_point("restore.object");
	return 1;
}

static int restore_object(void *context, struct span line, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct restoring *r = context;
	struct backup *b = r->backup;
	struct object_line o;
	int rc;

	if (object_line_read(line, &arena, &o, e) < 0)
		return -1;
	rc = resume_object(r, &o, e);
	if (rc < 0 || (rc == 0 && put_object(b, &o, e) < 0))
		return -1;
	b->counts.objects++;
	b->counts.bytes += o.bytes;
	seen(b, "objects", 1);
	return 1;
}

/* Rows wait here and are inserted in one transaction that can be run again. */
struct row_restoring {
	struct backup *backup;
	struct table table;
	const struct stmt *insert, *insert_many;	/* one row, or `many` */
	size_t many;
	const struct part *part;
	int64_t skip, done;			/* lines that are rows: of an earlier run; in all */
	struct span lines[ROWS_AT_ONCE];	/* of the part's text */
	size_t count, bytes;
};

/* How many of the next rows one statement takes: `many`, or one, at the end and when they are large. */
static size_t rows_at_once(const struct row_restoring *r, size_t from)
{
	size_t bytes = 0;

	if (r->count - from < r->many)
		return 1;
	for (size_t i = 0; i < r->many; i++)
		bytes += r->lines[from + i].length;
	return bytes <= STATEMENT_BYTES ? r->many : 1;
}

static int insert_some(const struct row_restoring *r, size_t from, size_t rows, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct db_value values[TABLE_VALUES];
	int rc;

	for (size_t i = 0; i < rows; i++)
		if (row_read(&r->table, r->lines[from + i], &arena, values + i * r->table.count, e) < 0)
			return -1;
	rc = db_exec(r->backup->app->db, rows == r->many ? r->insert_many : r->insert, values, rows * r->table.count, NULL, e);
	return rc ? rc : err_internal(e, "a row of the table %s is in the backup twice", r->table.name);
}

static int insert_rows(void *context, struct err *e)
{
	const struct row_restoring *r = context;

	for (size_t i = 0, n; i < r->count; i += n) {
		n = rows_at_once(r, i);
		if (insert_some(r, i, n, e) < 0)
			return -1;
	}
	return restored_note(r->backup->app->db, r->part, r->done + (int64_t)r->count, e);
}

static int flush(struct row_restoring *r, struct err *e)
{
	if (r->count && db_run(r->backup->app->db, insert_rows, r, e) < 0)
		return -1;
	if (r->count)
		fault_point("restore.rows");
	r->done += (int64_t)r->count;
	r->backup->counts.rows += (int64_t)r->count;
	seen(r->backup, "rows", (int64_t)r->count);
	r->count = r->bytes = 0;
	return 1;
}

static int restore_row(void *context, struct span line, struct err *e)
{
	struct row_restoring *r = context;

	if (r->skip) {
		r->skip--;
		r->backup->counts.rows++;
		return 1;
	}
	r->lines[r->count++] = line;
	r->bytes += line.length;
	return r->count == ROWS_AT_ONCE || r->bytes >= BYTES_AT_ONCE ? flush(r, e) : 1;
}

/* The columns that the backup has; others keep their defaults. */
static int prepare(struct restoring *r, const struct part *p, struct row_restoring *ret, struct err *e)
{
	const struct table *here = table_of(r, p->table);

	*ret = (struct row_restoring){ .backup = r->backup, .part = p, .skip = restored_lines(&r->restored, p) };
	ret->done = ret->skip;
	if (part_table(p, &ret->table, e) < 0)
		return -1;
	for (size_t i = 0; i < ret->table.count; i++)
		ret->table.columns[i].name = column_of(here, ret->table.columns[i].name)->name;
	ret->table.name = here->name;
	ret->many = TABLE_VALUES / ret->table.count;
	ret->insert = table_insert(&ret->table, 1, &r->arena);
	ret->insert_many = table_insert(&ret->table, ret->many, &r->arena);
	return 1;
}

static int restore_table(struct restoring *r, const char *name, struct err *e)
{
	for (size_t i = 0; i < r->manifest.parts.count; i++) {
		_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
		const struct part *p = part_at(r, i);
		struct row_restoring rows;

		if (!p->table || strcmp(p->table, name))
			continue;
		if (prepare(r, p, &rows, e) < 0 || part_read(r->backup, p, &text, e) < 0 ||
		    part_lines(buffer_span(&text), restore_row, &rows, e) < 0 || flush(&rows, e) < 0)
			return -1;
	}
	return 1;
}

static int write_all(struct restoring *r, struct err *e)
{
	struct db *db = r->backup->app->db;

	if (!r->backup->resumed && restored_begin(db, r->manifest.sha256, e) < 0)
		return -1;
	fault_point("restore.begun");
	if (restore_parts(r, NULL, restore_object, r, e) < 0)
		return -1;
	for (size_t i = 0; i < r->table_count; i++) {
		fault_point("restore.table");
		if (restore_table(r, r->tables[i].name, e) < 0)
			return -1;
	}
	fault_point("restore.end");
	return restored_end(db, e);
}

int backup_restore(struct backup *b, bool check_only, struct err *e)
{
	_cleanup_(restoring_done) struct restoring r = { .backup = b };

	if (read_manifest(&r, e) < 0 || check_target(&r, e) < 0 || check_parts(&r, e) < 0)
		return -1;
	if (check_only)
		return 1;
	b->counts = (struct backup_counts){ 0 };
	return write_all(&r, e) < 0 ? -1 : 1;
}
