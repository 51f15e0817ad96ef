/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <stdio.h>

#include "backup/backup_sql.h"
#include "backup/internal.h"
#include "json/fields.h"
#include "json/scan.h"
#include "policy/pack.h"
#include "update/checkpoint.h"
#include "update/object.h"

#define STACKS "stacks/"
#define UPDATES "updates/"

static bool starts_with(const char *key, const char *prefix)
{
	return !strncmp(key, prefix, strlen(prefix));
}

struct object_place object_place(const struct app *app, const char *key)
{
	struct update_object o;

	if (starts_with(key, PACK_STORE "/"))
		return (struct object_place){ app->packs, "PULUMI_POLICY_PACK_BLOB_STORAGE_ENDPOINT or PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS",
					      "policy packs" };
	if (update_object_parse(key, &o))
		return (struct object_place){ update_object_store(app, o.kind), update_object_setting(o.kind), update_object_words(o.kind) };
	return (struct object_place){ app->objects, "PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT or PULUMI_LOCAL_OBJECTS", "states" };
}

int objects_stored(const struct app *app, blob_each *each, void *context, struct err *e)
{
	const struct {
		struct blob_store *store;
		const char *prefix;
	} places[] = {
		{ app->objects, STACKS },  { app->objects, UPDATES },  { app->events, STACKS },
		{ app->metadata, STACKS }, { app->packs, PACK_STORE "/" },
	};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
		if (places[i].store && blob_list(places[i].store, places[i].prefix, each, context, e) < 0)
			return -1;
	return 1;
}

enum naming_kind { CHECKPOINTS, JOURNALS, EVENTS, CONFIGURATIONS, PACKS };

struct naming {
	object_each *each;
	void *context;
	enum naming_kind kind;
};

static void name_key(enum naming_kind kind, const struct backup_row *r, char ret_key[UPDATE_OBJECT_KEY])
{
	const unsigned char *digest = (const unsigned char *)r->sha256.data;

	if (kind == PACKS)
		pack_archive_key(r->id, digest, ret_key);
	else if (kind == EVENTS)
		update_object_key(UPDATE_OBJECT_EVENTS, r->stack_id, r->id, digest, ret_key);
	else if (kind == CONFIGURATIONS)
		update_object_key(UPDATE_OBJECT_CONFIGURATION, r->stack_id, r->id, digest, ret_key);
	else if (kind == JOURNALS)
		journal_object_key(r->id, digest, ret_key);
	else
		checkpoint_key(r->id, digest, ret_key);
}
static_assert(UPDATE_OBJECT_KEY >= CHECKPOINT_KEY && UPDATE_OBJECT_KEY >= PACK_KEY, "keys of every kind fit");

static int name_row(void *context, const void *row, struct err *e)
{
	const struct backup_row *r = row;
	const struct naming *n = context;
	char key[UPDATE_OBJECT_KEY];

	if (r->sha256.length != SHA256_BYTES)
		return err_internal(e, "a row of %s names an object by a digest of %zu bytes", r->id, r->sha256.length);
	name_key(n->kind, r, key);
	return n->each(n->context, key, e);
}

int objects_named(struct db *db, object_each *each, void *context, struct err *e)
{
	static const struct {
		const struct stmt *stmt;
		const struct db_column *columns;
		enum naming_kind kind;
	} lists[] = {
		{ &BACKUP_CHECKPOINTS, backup_object_columns, CHECKPOINTS },
		{ &BACKUP_RUNNING_CHECKPOINTS, backup_object_columns, CHECKPOINTS },
		{ &BACKUP_JOURNAL_OBJECTS, backup_object_columns, JOURNALS },
		{ &BACKUP_EVENT_OBJECTS, backup_update_columns, EVENTS },
		{ &BACKUP_CONFIGURATIONS, backup_update_columns, CONFIGURATIONS },
		{ &BACKUP_POLICY_PACKS, backup_object_columns, PACKS },
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		struct naming n = { each, context, lists[i].kind };
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
	       (starts_with(key, STACKS) || starts_with(key, UPDATES) || starts_with(key, PACK_STORE "/"));
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
