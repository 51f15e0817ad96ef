/* SPDX-License-Identifier: Apache-2.0 */
#include "link/key.h"

#include <stdio.h>
#include <stdlib.h>

#include "link/key_sql.h"
#include "secret/secret.h"

#define KEPT 8		/* opened ones of a process */
#define LIFE_US (LINK_KEY_SECONDS * 1000000LL)

struct link_keys {
	struct link_key kept[KEPT];
	size_t next;		/* the place of the next that is opened */
};

struct link_keys *link_keys_new(void)
{
	return xcalloc(1, sizeof(struct link_keys));
}

void link_keys_free(struct link_keys *keys)
{
	if (keys)
		wipe(keys, sizeof(*keys));
	free(keys);
}

static void put_bound(const char *id, struct buffer *ret_bound)
{
	buffer_printf(ret_bound, "link-key:%s", id);
}

static const struct link_key *keep(struct link_keys *keys, const char *id, const unsigned char *key, int64_t created_at)
{
	struct link_key *place = &keys->kept[keys->next];

	keys->next = (keys->next + 1) % KEPT;
	snprintf(place->id, sizeof(place->id), "%s", id);
	memcpy(place->key, key, sizeof(place->key));
	place->created_at = created_at;
	return place;
}

/* 0 when it does not open: its master key is gone, or it is none. A key service that is away is another matter. */
static int open_row(struct app *app, const struct link_key_row *row, const struct link_key **ret_key, struct err *e)
{
	_cleanup_(buffer_done) struct buffer bound = BUFFER_INIT;
	unsigned char key[AEAD_KEY_BYTES];
	struct err why = { 0 };
	int rc;

	put_bound(row->id, &bound);
	rc = keys_unseal(app->keys, buffer_span(&bound), row->sealed, app->now_us(), key, &why);
	if (rc < 0 && why.kind == ERR_UNAVAILABLE) {
		*e = why;
		return -1;
	}
	if (rc == 1)
		*ret_key = keep(app->link_keys, row->id, key, row->created_at);
	wipe(key, sizeof(key));
	return rc == 1;
}

/* Another host may make one at the same moment: both count. */
static int make(struct app *app, const struct link_key **ret_key, struct err *e)
{
	_cleanup_(buffer_done) struct buffer bound = BUFFER_INIT, sealed = BUFFER_INIT;
	unsigned char key[AEAD_KEY_BYTES];
	int64_t now_us = app->now_us(), made = 0;
	char id[UUID_TEXT];
	int rc;

	uuid_new(now_us, id);
	random_bytes(key, sizeof(key));
	put_bound(id, &bound);
	rc = keys_seal(app->keys, buffer_span(&bound), key, &sealed, e);
	if (rc == 1)
		rc = db_exec(app->db, &LINK_KEY_CREATE,
			     DB_VALUES(db_text(id), db_bytes(buffer_span(&sealed)), db_time(now_us), db_text(keys_active(app->keys))), &made, e);
	if (rc == 1 && made == 1)
		*ret_key = keep(app->link_keys, id, key, now_us);
	wipe(key, sizeof(key));
	return rc < 0 ? -1 : made == 1;
}

/* This process may not have met the new master key yet. */
static int make_with_the_active(struct app *app, const struct link_key **ret_key, struct err *e)
{
	int rc = make(app, ret_key, e);

	if (rc != 0)
		return rc;
	keys_refresh(app->keys);
	rc = make(app, ret_key, e);
	return rc ? rc : err_internal(e, "%s: the master key %s is retired and signs no links; put the newer key's file back",
				      keys_setting(app->keys), keys_active(app->keys));
}

int link_key_signing(struct app *app, const struct link_key **ret_key, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	int64_t now_us = app->now_us();
	struct link_key_row row = { 0 };
	int rc;

	for (size_t i = 0; i < KEPT; i++) {
		const struct link_key *key = &app->link_keys->kept[i];

		if (key->id[0] && key->created_at > now_us - LIFE_US && key->created_at <= now_us) {
			*ret_key = key;
			return 1;
		}
	}
	rc = db_one(app->db, &LINK_KEY_NEWEST, DB_VALUES(db_time(now_us - LIFE_US), db_time(now_us)), link_key_columns, &row, &arena, e);
	if (rc == 1)
		rc = open_row(app, &row, ret_key, e);
	return rc ? rc : make_with_the_active(app, ret_key, e);
}

int link_key_find(struct app *app, const char *id, const struct link_key **ret_key, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	int64_t from_us = app->now_us() - 2 * LIFE_US;
	struct link_key_row row = { 0 };
	int rc;

	for (size_t i = 0; i < KEPT; i++)
		if (!strcmp(app->link_keys->kept[i].id, id) && app->link_keys->kept[i].created_at > from_us) {
			*ret_key = &app->link_keys->kept[i];
			return 1;
		}
	rc = db_one(app->db, &LINK_KEY_BY_ID, DB_VALUES(db_text(id), db_time(from_us)), link_key_columns, &row, &arena, e);
	return rc == 1 ? open_row(app, &row, ret_key, e) : rc;
}

int link_keys_purge(struct app *app, struct err *e)
{
	int64_t deleted;

	if (db_exec(app->db, &LINK_KEYS_PURGE, DB_VALUES(db_time(app->now_us() - 2 * LIFE_US)), &deleted, e) < 0)
		return -1;
	return deleted > 0;
}
