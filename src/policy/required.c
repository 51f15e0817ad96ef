/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/required.h"

#include "link/link.h"
#include "policy/required_sql.h"

/* The first of each name stays. */
static size_t keep_one_of_each(struct required_pack *list, size_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++)
		if (!kept || strcmp(list[kept - 1].name, list[i].name))
			list[kept++] = list[i];
	return kept;
}

static int locate(struct app *app, const char *base, struct required_pack *pack, struct arena *arena, struct err *e)
{
	char key[PACK_KEY];
	const char *lines;

	if (pack->sha256.length != SHA256_BYTES)
		return err_internal(e, "policy pack '%s' version %lld is applied and has no archive", pack->name, (long long)pack->version);
	if (!app->packs)
		return err_internal(e, "policy pack '%s' is required, and no place for policy packs is configured any more; set "
				    "PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS or PULUMI_POLICY_PACK_BLOB_STORAGE_ENDPOINT again", pack->name);
	pack_archive_key(pack->id, (const unsigned char *)pack->sha256.data, key);
	return link_make(app, base, "GET", PACK_STORE, key, LINK_GET_SECONDS, arena, &pack->location, &lines, e);
}

int required_packs(struct app *app, const struct caller *c, const struct stack_path *path, const char *mode, const char *base,
		   struct arena *arena, struct required_pack **ret_list, size_t *ret_count, struct err *e)
{
	struct required_pack *list;
	size_t count;

	if (db_all(app->db, &REQUIRED_PACKS,
		   DB_VALUES(db_text(c->organization_id), db_text(path->project), db_text(path->name), db_text(mode), db_text(mode)),
		   required_pack_columns, sizeof(*list), arena, (void **)&list, &count, e) < 0)
		return -1;
	count = keep_one_of_each(list, count);
	for (size_t i = 0; i < count; i++)
		if (locate(app, base, &list[i], arena, e) < 0)
			return -1;
	*ret_list = list;
	*ret_count = count;
	return 1;
}
