/* SPDX-License-Identifier: Apache-2.0 */
/* A restore that was interrupted goes on: what it left is looked at first, so that nothing else is mixed with it. */
#include "backup/backup_sql.h"
#include "backup/internal.h"
#include "blob/blob.h"
#include "policy/pack.h"
#include "update/checkpoint.h"

static int check_same_backup(struct restoring *r, struct err *e)
{
	if (!strcmp(r->restored.manifest_sha256, r->manifest.sha256))
		return 1;
	return err_internal(e, "the restore of another backup was interrupted here, whose manifest has the SHA-256 %s: restore that one "
			    "again, which goes on where it stopped, or begin with an empty database and an empty folder or bucket",
			    r->restored.manifest_sha256);
}

static int64_t lines_of(const struct restoring *r, const struct table *t)
{
	const struct part *parts = r->manifest.parts.items;
	int64_t lines = 0;

	for (size_t i = 0; i < r->manifest.parts.count; i++)
		if (parts[i].table && !strcmp(parts[i].table, t->name))
			lines += restored_lines(&r->restored, &parts[i]);
	return lines;
}

/* The list of master keys is written by whatever starts first; it is replaced. */
static int check_rows(struct restoring *r, struct err *e)
{
	static const struct db_column columns[] = { DB_COLUMN(backup_row, lines, COLUMN_INT), { 0 } };

	for (size_t i = 0; i < r->table_count; i++) {
		const struct table *t = &r->tables[i];
		struct backup_row row = { 0 };

		if (!strcmp(t->name, "master_keys"))
			continue;
		if (db_one(r->backup->app->db, table_count(t, &r->arena), DB_NONE, columns, &row, &r->arena, e) < 0)
			return -1;
		if (row.lines != lines_of(r, t))
			return err_internal(e, "the table %s has %lld rows, and the restore that was interrupted had written %lld: begin again with "
					    "an empty database and an empty folder or bucket", t->name, (long long)row.lines,
					    (long long)lines_of(r, t));
	}
	return 1;
}

struct listing {
	struct restoring *restoring;
	struct map known;		/* keys of the backup's objects */
};

static int know_object(void *context, struct span line, struct err *e)
{
	struct listing *l = context;
	struct object_line o;

	if (object_line_read(line, &l->restoring->arena, &o, e) < 0)
		return -1;
	*map_put(&l->known, span_of(o.key)) = l;
	return 1;
}

static int note_object(void *context, const struct blob_object *object, struct err *e)
{
	struct listing *l = context;
	struct restoring *r = l->restoring;

	if (!map_get(&l->known, span_of(object->key)))
		return restore_not_empty(object->key, e);
	*map_put(&r->present, span_of(arena_strdup(&r->arena, object->key))) = r;
	return 1;
}

static int check_objects(struct restoring *r, struct err *e)
{
	struct listing l = { r, MAP_INIT };
	int rc = restore_parts(r, NULL, know_object, &l, e);

	if (rc == 1)
		rc = objects_stored(r->backup->app, note_object, &l, e);
	map_done(&l.known);
	return rc;
}

int resume_check(struct restoring *r, struct err *e)
{
	if (check_same_backup(r, e) < 0 || check_rows(r, e) < 0)
		return -1;
	return check_objects(r, e);
}

int resume_object(struct restoring *r, const struct object_line *o, struct err *e)
{
	_cleanup_(buffer_done) struct buffer data = BUFFER_INIT;
	char hex[2 * SHA256_BYTES + 1];
	int rc;

	if (!map_get(&r->present, span_of(o->key)))
		return 0;
	rc = blob_get(object_place(r->backup->app, o->key).store, o->key, &data, e);
	if (rc <= 0)
		return rc;
	digest_hex(buffer_span(&data), hex);
	return (int64_t)data.length == o->bytes && !strcmp(hex, o->sha256);
}
