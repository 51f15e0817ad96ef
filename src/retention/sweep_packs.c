/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects of policy packs that no row names: uploads that were never completed, or were put once more after it, and archives of
 * versions that were deleted. Marks (claim/mark.h) are not needed: a name has the id of its version, so that nobody writes
 * it again when the version is published, or gone. One that is still being published is left alone for a day.
 */
#include <string.h>

#include "policy/pack.h"
#include "retention/retention_sql.h"
#include "retention/sweep_store.h"

#define UUID_CHARACTERS (UUID_TEXT - 1)

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

static int is_named(struct app *app, const char *key, int64_t before_us, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct retained row = { 0 };
	char version[UUID_TEXT], named[PACK_KEY];
	int rc;

	(void)before_us;
	if (!parse(key, version))
		return 1;
	rc = db_one(app->db, &OBJECT_OF_PACK, DB_VALUES(db_text(version)), retained_pack_columns, &row, &arena, e);
	if (rc <= 0)
		return rc;
	if (row.sha256.length != SHA256_BYTES)
		return row.uploading;
	pack_archive_key(version, (const unsigned char *)row.sha256.data, named);
	return !strcmp(key, named);
}

int retention_sweep_packs(struct app *app, int64_t before_us, bool (*going)(void *context), void *context, struct swept *ret_swept,
			  struct err *e)
{
	struct store_sweep s = { app, app->packs, before_us, going, context, ret_swept, is_named };

	if (db_exec(app->db, &PACK_UPLOADS_ABANDON, DB_VALUES(db_time(before_us)), NULL, e) < 0)
		return -1;
	if (!app->packs)
		return 1;
	return sweep_store(&s, PACK_STORE "/", e);
}
