/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>

#include "backup/backup_sql.h"
#include "backup/internal.h"
#include "json/fields.h"
#include "json/scan.h"
#include "policy/pack.h"
#include "update/checkpoint.h"
#include "object/object.h"

#define STACKS "stacks/"
#define UPDATES "updates/"
#define ORGANIZATIONS "organizations/"

static bool starts_with(const char *key, const char *prefix)
{
	return !strncmp(key, prefix, strlen(prefix));
}

struct object_place object_place(const struct app *app, const char *key)
{
	struct row_object o;

	if (starts_with(key, PACK_STORE "/"))
		return (struct object_place){ app->packs, "PULUMI_POLICY_PACK_BLOB_STORAGE_ENDPOINT or PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS",
					      "policy packs" };
	if (row_object_parse(key, &o))
		return (struct object_place){ row_object_store(app, o.kind), row_object_setting(o.kind), row_object_words(o.kind) };
	return (struct object_place){ app->objects, "PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT or PULUMI_LOCAL_OBJECTS", "states" };
}

int objects_stored(const struct app *app, blob_each *each, void *context, struct err *e)
{
	const struct {
		struct blob_store *store;
		const char *prefix;
	} places[] = {
		{ app->objects, STACKS },  { app->objects, UPDATES },  { app->events, STACKS },
		{ app->metadata, STACKS }, { app->metadata, ORGANIZATIONS }, { app->packs, PACK_STORE "/" },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (places[i].store && blob_list(places[i].store, places[i].prefix, each, context, e) < 0)
			return -1;
	return 1;
}

enum naming_kind { CHECKPOINTS, JOURNALS, ROW_OBJECTS, PACKS };

struct naming {
	object_each *each;
	void *context;
	enum naming_kind kind;
	enum row_object_kind row_object;	/* of ROW_OBJECTS */
};

static void name_key(const struct naming *n, const struct backup_row *r, char ret_key[ROW_OBJECT_KEY])
{
	const unsigned char *digest = (const unsigned char *)r->sha256.data;

	if (n->kind == PACKS)
		pack_archive_key(r->id, digest, ret_key);
	else if (n->kind == ROW_OBJECTS)
		row_object_key(n->row_object, r->owner_id, r->id, digest, ret_key);
	else if (n->kind == JOURNALS)
		journal_object_key(r->id, digest, ret_key);
	else
		checkpoint_key(r->id, digest, ret_key);
}
static_assert(ROW_OBJECT_KEY >= CHECKPOINT_KEY && ROW_OBJECT_KEY >= PACK_KEY, "keys of every kind fit");

static int name_row(void *context, const void *row, struct err *e)
{
	const struct backup_row *r = row;
	const struct naming *n = context;
	char key[ROW_OBJECT_KEY];

	if (r->sha256.length != SHA256_BYTES)
		return err_internal(e, "a row of %s names an object by a digest of %zu bytes", r->id, r->sha256.length);
	name_key(n, r, key);
	return n->each(n->context, key, e);
}

int objects_named(struct db *db, object_each *each, void *context, struct err *e)
{
	static const struct {
		const struct stmt *stmt;
		const struct db_column *columns;
		enum naming_kind kind;
		enum row_object_kind row_object;
	} lists[] = {
		{ &BACKUP_CHECKPOINTS, backup_object_columns, CHECKPOINTS, 0 },
		{ &BACKUP_RUNNING_CHECKPOINTS, backup_object_columns, CHECKPOINTS, 0 },
		{ &BACKUP_JOURNAL_OBJECTS, backup_object_columns, JOURNALS, 0 },
		{ &BACKUP_EVENT_OBJECTS, backup_row_object_columns, ROW_OBJECTS, ROW_OBJECT_EVENTS },
		{ &BACKUP_CONFIGURATIONS, backup_row_object_columns, ROW_OBJECTS, ROW_OBJECT_CONFIGURATION },
		{ &BACKUP_POLICIES, backup_row_object_columns, ROW_OBJECTS, ROW_OBJECT_POLICY },
		{ &BACKUP_POLICY_PACKS, backup_object_columns, PACKS, 0 },
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct naming n = { each, context, lists[i].kind, lists[i].row_object };
		struct backup_row row;

		if (db_each(db, lists[i].stmt, DB_NONE, lists[i].columns, &row, sizeof(row), name_row, &n, e) < 0)
			return -1;
	}
	return 1;
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
	       (starts_with(key, STACKS) || starts_with(key, UPDATES) || starts_with(key, ORGANIZATIONS) || starts_with(key, PACK_STORE "/"));
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
