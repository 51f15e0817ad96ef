/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects of engine events that no row names: see sweep.c, which does the same for checkpoints and journals. Marks are not
 * needed here: an object is deleted only when its update takes no more events, so that nobody writes its name again.
 */
#include <string.h>

#include "retention/retention_sql.h"
#include "retention/sweep_store.h"
#include "update/checkpoint.h"

#define UUID_CHARACTERS (UUID_TEXT - 1)

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

static int is_named(struct app *app, const char *key, int64_t before_us, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	unsigned char digest[SHA256_BYTES];
	struct span span = { (const char *)digest, sizeof(digest) };
	char stack[UUID_TEXT], update[UUID_TEXT];
	struct retained row;

	if (!parse(key, stack, update, digest))
		return 1;
	return db_one(app->db, &OBJECT_OF_EVENTS,
		      DB_VALUES(db_bytes(span), db_text(update), db_text(stack), db_time(before_us)), retained_id_columns, &row, &arena,
		      e);
}

int retention_sweep_events(struct app *app, int64_t before_us, bool (*going)(void *context), void *context,
			   struct swept *ret_swept, struct err *e)
{
	struct store_sweep s = { app, app->events, before_us, going, context, ret_swept, is_named };

	if (!app->events)
		return 1;
	return sweep_store(&s, "stacks/", e);
}
