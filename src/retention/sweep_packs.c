/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects of policy packs that no row names: uploads that were never completed, or were put once more after it, and archives of
 * versions that were deleted. Marks (claim/mark.h) are not needed: a name has the id of its version, so that nobody writes
 * it again when the version is published, or gone. One that is still being published is left alone for a day.
 */
#include <string.h>

#include "blob/blob.h"
#include "policy/pack.h"
#include "retention/retention.h"
#include "retention/retention_sql.h"

#define UUID_CHARACTERS (UUID_TEXT - 1)

struct sweep {
	struct app *app;
	int64_t before_us;
	bool (*going)(void *context);
	void *context;
	struct swept *swept;
};

/* policypacks/VERSION/…; false for any other key. */
static bool parse(const char *key, char ret_version[UUID_TEXT])
{
	size_t n = strlen(PACK_STORE "/");

	if (strncmp(key, PACK_STORE "/", n) || strlen(key) <= n + UUID_CHARACTERS || key[n + UUID_CHARACTERS] != '/')
		return false;
	memcpy(ret_version, key + n, UUID_CHARACTERS);
	ret_version[UUID_CHARACTERS] = '\0';
	return uuid_valid(ret_version);
}

/* 1 when a row names it, or still may, or it is none of ours; 0 when it is garbage. */
static int is_named(struct sweep *s, const char *key, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct retained row = { 0 };
	char version[UUID_TEXT], named[PACK_KEY];
	int rc;

	if (!strncmp(key, "scratch/", 8))
		return 0;
	if (!parse(key, version))
		return 1;
	rc = db_one(s->app->db, &OBJECT_OF_PACK, DB_VALUES(db_text(version)), retained_pack_columns, &row, &arena, e);
	if (rc <= 0)
		return rc;
	if (row.sha256.length != SHA256_BYTES)
		return row.uploading;
	pack_archive_key(version, (const unsigned char *)row.sha256.data, named);
	return !strcmp(key, named);
}

static int sweep_object(void *context, const struct blob_object *object, struct err *e)
{
	struct sweep *s = context;
	int rc = 1;

	if (!s->going(s->context))
		return 0;
	if (object->modified_at < s->before_us)
		rc = is_named(s, object->key, e);
	if (rc == 0) {
		rc = blob_delete_older(s->app->packs, object->key, s->before_us, e);
		s->swept->objects += rc == 1;
		s->swept->bytes += rc == 1 ? object->bytes : 0;
	} else if (rc == 1) {
		s->swept->kept++;
	}
	return rc < 0 ? -1 : 1;
}

int retention_sweep_packs(struct app *app, int64_t before_us, bool (*going)(void *context), void *context, struct swept *ret_swept,
			  struct err *e)
{
	struct sweep s = { .app = app, .before_us = before_us, .going = going, .context = context, .swept = ret_swept };

	if (db_exec(app->db, &PACK_UPLOADS_ABANDON, DB_VALUES(db_time(before_us)), NULL, e) < 0)
		return -1;
	if (!app->packs)
		return 1;
	if (blob_list(app->packs, PACK_STORE "/", sweep_object, &s, e) < 0)
		return -1;
	return blob_list(app->packs, "scratch/", sweep_object, &s, e);
}
