/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects of engine events that no row names: see sweep.c, which does the same for checkpoints and journals. Marks are not
 * needed here: an object is deleted only when its update takes no more events, so that nobody writes its name again.
 */
#include <string.h>

#include "blob/blob.h"
#include "retention/retention.h"
#include "retention/retention_sql.h"
#include "update/checkpoint.h"

#define UUID_CHARACTERS (UUID_TEXT - 1)

struct sweep {
	struct app *app;
	int64_t before_us;
	bool (*going)(void *context);
	void *context;
	struct swept *swept;
};

static bool take_uuid(const char **at, char ret_uuid[UUID_TEXT])
{
	if (strlen(*at) < UUID_CHARACTERS)
		return false;
	memcpy(ret_uuid, *at, UUID_CHARACTERS);
	ret_uuid[UUID_CHARACTERS] = '\0';
	*at += UUID_CHARACTERS;
	return uuid_valid(ret_uuid);
}

static bool take_digest(const char *at, unsigned char ret_digest[SHA256_BYTES])
{
	static const char digits[] = "0123456789abcdef";

	if (strlen(at) != 2 * SHA256_BYTES || strspn(at, digits) != 2 * SHA256_BYTES)
		return false;
	for (size_t i = 0; i < SHA256_BYTES; i++)
		ret_digest[i] = (unsigned char)((strchr(digits, at[2 * i]) - digits) * 16 + (strchr(digits, at[2 * i + 1]) - digits));
	return true;
}

/* Takes the key apart and puts it together again: only what gives the same key is one of ours. */
static bool parse(const char *key, char ret_stack[UUID_TEXT], char ret_update[UUID_TEXT], unsigned char ret_digest[SHA256_BYTES])
{
	const char *at = strncmp(key, "stacks/", 7) ? "" : key + 7;
	char same[CHECKPOINT_KEY];

	if (!take_uuid(&at, ret_stack) || strncmp(at, "/events/", 8))
		return false;
	at += 8;
	if (!take_uuid(&at, ret_update) || *at != '/' || !take_digest(at + 1, ret_digest))
		return false;
	event_object_key(ret_stack, ret_update, ret_digest, same);
	return !strcmp(key, same);
}

/* 1 when a row names it, or still may, or it is none of ours; 0 when it is garbage. */
static int is_named(struct sweep *s, const char *key, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	unsigned char digest[SHA256_BYTES];
	struct span span = { (const char *)digest, sizeof(digest) };
	char stack[UUID_TEXT], update[UUID_TEXT];
	struct retained row;

	if (!strncmp(key, "scratch/", 8))
		return 0;
	if (!parse(key, stack, update, digest))
		return 1;
	return db_one(s->app->db, &OBJECT_OF_EVENTS,
		      DB_VALUES(db_bytes(span), db_text(update), db_text(stack), db_time(s->before_us)), retained_id_columns, &row, &arena,
		      e);
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
		rc = blob_delete_older(s->app->events, object->key, s->before_us, e);
		s->swept->objects += rc == 1;
		s->swept->bytes += rc == 1 ? object->bytes : 0;
	} else if (rc == 1) {
		s->swept->kept++;
	}
	return rc < 0 ? -1 : 1;
}

int retention_sweep_events(struct app *app, int64_t before_us, bool (*going)(void *context), void *context,
			   struct swept *ret_swept, struct err *e)
{
	struct sweep s = { .app = app, .before_us = before_us, .going = going, .context = context, .swept = ret_swept };

	if (!app->events)
		return 1;
	if (blob_list(app->events, "stacks/", sweep_object, &s, e) < 0)
		return -1;
	return blob_list(app->events, "scratch/", sweep_object, &s, e);
}
