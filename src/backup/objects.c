/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "backup/backup_sql.h"
#include "backup/internal.h"
#include "json/fields.h"
#include "json/scan.h"
#include "policy/pack.h"
#include "update/checkpoint.h"

#define STACKS "stacks/"
#define EVENTS "/events/"

static bool starts_with(const char *key, const char *prefix)
{
	return !strncmp(key, prefix, strlen(prefix));
}

struct blob_store *object_store(const struct app *app, const char *key, const char **ret_setting)
{
	size_t behind_stack = strlen(STACKS) + UUID_TEXT - 1;

	if (starts_with(key, PACK_STORE "/")) {
		*ret_setting = "PULUMI_POLICY_PACK_BLOB_STORAGE_ENDPOINT or PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS";
		return app->packs;
	}
	*ret_setting = "PULUMI_ENGINE_EVENTS_BLOB_STORAGE_ENDPOINT";
	if (starts_with(key, STACKS) && strlen(key) > behind_stack && starts_with(key + behind_stack, EVENTS))
		return app->events;
	return app->objects;
}

struct naming {
	object_each *each;
	void *context;
	bool journal, pack;
};

static int name_row(void *context, const void *row, struct err *e)
{
	const struct backup_row *r = row;
	const struct naming *n = context;
	char key[CHECKPOINT_KEY > PACK_KEY ? CHECKPOINT_KEY : PACK_KEY];

	if (r->sha256.length != SHA256_BYTES)
		return err_internal(e, "a row of %s names an object by a digest of %zu bytes", r->id, r->sha256.length);
	if (n->pack)
		pack_archive_key(r->id, (const unsigned char *)r->sha256.data, key);
	else if (r->stack_id)
		event_object_key(r->stack_id, r->id, (const unsigned char *)r->sha256.data, key);
	else if (n->journal)
		journal_object_key(r->id, (const unsigned char *)r->sha256.data, key);
	else
		checkpoint_key(r->id, (const unsigned char *)r->sha256.data, key);
	return n->each(n->context, key, e);
}

int objects_named(struct db *db, object_each *each, void *context, struct err *e)
{
	struct naming n = { each, context, false, false };
	struct backup_row row;

	if (db_each(db, &BACKUP_CHECKPOINTS, DB_NONE, backup_object_columns, &row, sizeof(row), name_row, &n, e) < 0 ||
	    db_each(db, &BACKUP_RUNNING_CHECKPOINTS, DB_NONE, backup_object_columns, &row, sizeof(row), name_row, &n, e) < 0)
		return -1;
	n.journal = true;
	if (db_each(db, &BACKUP_JOURNAL_OBJECTS, DB_NONE, backup_object_columns, &row, sizeof(row), name_row, &n, e) < 0)
		return -1;
	if (db_each(db, &BACKUP_EVENT_OBJECTS, DB_NONE, backup_event_columns, &row, sizeof(row), name_row, &n, e) < 0)
		return -1;
	n.pack = true;
	return db_each(db, &BACKUP_POLICY_PACKS, DB_NONE, backup_object_columns, &row, sizeof(row), name_row, &n, e);
}

static const struct field object_fields[] = {
	FIELD(object_line, key, "key", FIELD_TEXT, .flags = FIELD_REQUIRED),
	FIELD(object_line, sha256, "sha256", FIELD_TEXT, .flags = FIELD_REQUIRED),
	FIELD(object_line, bytes, "bytes", FIELD_INT, .flags = FIELD_REQUIRED),
	{ 0 },
};

void object_line_write(const struct object_line *o, struct buffer *out)
{
	fields_write(object_fields, o, out);
}

/* The key becomes a path: nothing that could leave the folder is one. */
static bool is_key(const char *key)
{
	return key[0] != '/' && !strstr(key, "..") && !strstr(key, "//") &&
	       (starts_with(key, STACKS) || starts_with(key, "updates/") || starts_with(key, PACK_STORE "/"));
}

int object_line_read(struct span line, struct arena *arena, struct object_line *ret_line, struct err *e)
{
	struct object_line o = { 0 };
	struct err why = { 0 };

	if (fields_read(object_fields, line, arena, &o, &why) < 0 || !is_key(o.key))
		return err_internal(e, "the backup is damaged: its list of objects has a wrong line");
	*ret_line = o;
	return 1;
}

int object_read(const struct backup *b, const struct object_line *o, struct buffer *ret_data, struct err *e)
{
	_cleanup_(buffer_done) struct buffer path = BUFFER_INIT;
	char hex[2 * SHA256_BYTES + 1];

	buffer_printf(&path, "objects/%s", o->key);
	if (file_read(b->folder, path.data, ret_data, e) < 0)
		return -1;
	digest_hex(buffer_span(ret_data), hex);
	if ((int64_t)ret_data->length != o->bytes || strcmp(hex, o->sha256))
		return err_internal(e, "the backup is damaged: %s/objects/%s is not what its list says (SHA-256)", b->folder, o->key);
	return 1;
}
