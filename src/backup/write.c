/* SPDX-License-Identifier: Apache-2.0 */
/* One snapshot of all rows, and the objects that they name. */
#include <stdlib.h>
#include <unistd.h>

#include "backup/backup_sql.h"
#include "backup/internal.h"
#include "base/fault.h"
#include "base/map.h"
#include "blob/blob.h"
#include "update/checkpoint.h"

struct writing {
	struct backup *backup;
	struct arena arena;
	struct buffer parts;		/* struct part */
	struct manifest manifest;
};

static void writing_done(struct writing *w)
{
	buffer_done(&w->parts);
	arena_clear(&w->arena);
}

static void seen(const struct backup *b, const char *what, int64_t more)
{
	if (b->seen)
		b->seen(b->context, what, more);
}

/* --- rows --- */

struct table_writing {
	struct backup *backup;
	const struct table *table;
	struct part_writer *out;
	struct buffer line;
};

static int write_row(void *context, const void *row, struct err *e)
{
	struct table_writing *t = context;

	buffer_clear(&t->line);
	row_write(t->table, row, &t->line);
	t->backup->counts.rows++;
	seen(t->backup, "rows", 1);
	return part_line(t->out, buffer_span(&t->line), e);
}

static struct text_list column_names(const struct table *t, struct arena *arena)
{
	const char **names = arena_alloc(arena, t->count * sizeof(*names));

	for (size_t i = 0; i < t->count; i++)
		names[i] = arena_printf(arena, "%s%s", t->columns[i].name, t->columns[i].binary ? ":base64" : "");
	return (struct text_list){ names, t->count, true };
}

static int write_table(struct writing *w, const struct table *t, struct err *e)
{
	_cleanup_(part_writer_done) struct part_writer out = {
		.backup = w->backup, .stem = arena_printf(&w->arena, "tables/%s", t->name), .arena = &w->arena, .parts = &w->parts,
		.template = { .table = t->name, .columns = column_names(t, &w->arena) },
	};
	struct table_writing context = { w->backup, t, &out, BUFFER_INIT };
	struct db_column columns[BACKUP_COLUMNS + 1];
	const struct stmt *select = table_select(t, &w->arena, columns);
	struct span row[BACKUP_COLUMNS];
	int rc = db_each(w->backup->app->db, select, DB_NONE, columns, row, sizeof(row), write_row, &context, e);

	buffer_done(&context.line);
	return rc < 0 ? -1 : part_finish(&out, e);
}

/* --- objects --- */

struct object_writing {
	struct backup *backup;
	struct part_writer *out;
	struct arena arena;
	struct map written;
	struct buffer data;
};

static int copy_object(struct object_writing *o, const char *key, struct err *e)
{
	_cleanup_(buffer_done) struct buffer line = BUFFER_INIT;
	char hex[2 * SHA256_BYTES + 1], *path = arena_printf(&o->arena, "objects/%s", key);
	struct blob_store *store = object_place(o->backup->app, key).store;
	int rc;

	buffer_clear(&o->data);
	rc = store ? blob_get(store, key, &o->data, e) : 0;
	if (rc == 0) {
		o->backup->counts.missing++;
		o->backup->lost(o->backup->context, key);
		return 1;
	}
	if (rc < 0 || folder_make(o->backup->folder, arena_strndup(&o->arena, path, (size_t)(strrchr(path, '/') - path)), e) < 0 ||
	    file_write(o->backup->folder, path, buffer_span(&o->data), e) < 0)
		return -1;
	digest_hex(buffer_span(&o->data), hex);
	object_line_write(&(struct object_line){ arena_strdup(&o->arena, key), hex, (int64_t)o->data.length }, &line);
	o->backup->counts.objects++;
	o->backup->counts.bytes += (int64_t)o->data.length;
	seen(o->backup, "objects", 1);
	return part_line(o->out, buffer_span(&line), e);
}

/* The same state may be named by several versions. */
static int write_object(void *context, const char *key, struct err *e)
{
	struct object_writing *o = context;
	void **slot;

	if (map_get(&o->written, span_of(key)))
		return 1;
	slot = map_put(&o->written, span_of(arena_strdup(&o->arena, key)));
	*slot = o;
	return copy_object(o, key, e);
}

static int write_objects(struct writing *w, struct err *e)
{
	_cleanup_(part_writer_done) struct part_writer out = { .backup = w->backup, .stem = "objects", .arena = &w->arena,
							       .parts = &w->parts };
	struct object_writing o = { .backup = w->backup, .out = &out };
	int rc = objects_named(w->backup->app->db, write_object, &o, e);

	map_done(&o.written);
	arena_clear(&o.arena);
	buffer_done(&o.data);
	return rc < 0 ? -1 : part_finish(&out, e);
}

/* --- the whole --- */

static int describe(struct writing *w, struct err *e)
{
	struct db *db = w->backup->app->db;
	struct backup_row *rows;
	struct named_checksum *migrations;
	struct master_key *keys;
	size_t n, k;

	if (db_all(db, &BACKUP_MIGRATIONS, DB_NONE, backup_migration_columns, sizeof(*rows), &w->arena, (void **)&rows, &n, e) < 0)
		return -1;
	migrations = arena_alloc(&w->arena, n * sizeof(*migrations));
	for (size_t i = 0; i < n; i++)
		migrations[i] = (struct named_checksum){ rows[i].name, rows[i].checksum };
	if (db_all(db, &BACKUP_MASTER_KEYS, DB_NONE, backup_key_columns, sizeof(*rows), &w->arena, (void **)&rows, &k, e) < 0)
		return -1;
	keys = arena_alloc(&w->arena, k * sizeof(*keys));
	for (size_t i = 0; i < k; i++)
		keys[i] = (struct master_key){ rows[i].id, rows[i].stacks };
	w->manifest = (struct manifest){ .format = BACKUP_FORMAT, .program = PACKAGE_STRING,
					 .audit_table = w->backup->audit_table[0] ? w->backup->audit_table : NULL,
					 .created_at = w->backup->app->now_us() / 1000000,
					 .migrations = { migrations, n, sizeof(*migrations) }, .master_keys = { keys, k, sizeof(*keys) } };
	return 1;
}

/* Everything that is read after this is of one moment. */
static int begin_snapshot(struct db *db, struct err *e)
{
	if (db_run_text(db, BACKUP_ISOLATION, e) < 0 || db_begin(db, e) < 0)
		return -1;
	return db_run_text(db, BACKUP_SNAPSHOT, e);
}

static int write_all(struct writing *w, struct err *e)
{
	struct db *db = w->backup->app->db;
	struct table *tables;
	size_t count;

	if (tables_read(db, &w->arena, &tables, &count, e) < 0 || begin_snapshot(db, e) < 0 || describe(w, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		if (write_table(w, &tables[i], e) < 0)
			return -1;
		fault_point("backup.table");
	}
	return write_objects(w, e);
}

static int make_folders(const struct backup *b, struct err *e)
{
	if (folder_make(b->folder, "", e) < 0 || folder_check_empty(b->folder, e) < 0 || folder_make(b->folder, "tables", e) < 0)
		return -1;
	return folder_make(b->folder, "objects", e);
}

static int finish(struct writing *w, struct err *e)
{
	struct backup *b = w->backup;

	w->manifest.parts = (struct object_list){ w->parts.data, w->parts.length / sizeof(struct part), sizeof(struct part) };
	/* The parts before the manifest: a folder that has one is whole. */
	if (folder_flush(b->folder, e) < 0 || manifest_write(b, &w->manifest, b->digest, e) < 0)
		return -1;
	return folder_flush(b->folder, e);
}

int backup_write(struct backup *b, struct err *e)
{
	_cleanup_(writing_done) struct writing w = { .backup = b };
	struct err why = { 0 };
	int rc;

	if (make_folders(b, e) < 0)
		return -1;
	rc = write_all(&w, &why);
	db_rollback(b->app->db);
	if (rc < 0 && why.kind == ERR_RETRY)
		return err_internal(e, "the connection to the database was lost; remove %s and begin again", b->folder);
	if (rc < 0)
		*e = why;
	return rc < 0 ? -1 : finish(&w, e);
}
