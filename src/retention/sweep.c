/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects that no row names. They come from transactions that were not committed, from journals that were
 * compacted, and from processes that died. An object's row is looked for first; then the object is deleted
 * only if it is still the old one: one that was written anew meanwhile may get its row any moment.
 */
#include <string.h>

#include "base/map.h"
#include "blob/blob.h"
#include "retention/retention.h"
#include "retention/retention_sql.h"

#define DIGEST_HEX (2 * SHA256_BYTES)
#define UUID_CHARACTERS (UUID_TEXT - 1)

struct sweep {
	struct app *app;
	int64_t before_us;
	bool (*going)(void *context);
	void *context;
	struct swept *swept;
	char stack_id[UUID_TEXT];	/* whose digests `named` has; "": nobody's */
	struct arena arena;		/* of the digests */
	struct map named;
};

/* An object's owner and digest out of `prefix OWNER middle DIGEST suffix`; false for any other key. */
static bool parse(const char *key, const char *prefix, const char *middle, const char *suffix, char ret_owner[UUID_TEXT],
		  unsigned char ret_digest[SHA256_BYTES])
{
	const char *owner = key + strlen(prefix), *hex = owner + UUID_CHARACTERS + strlen(middle);

	if (strlen(key) != strlen(prefix) + UUID_CHARACTERS + strlen(middle) + DIGEST_HEX + strlen(suffix) ||
	    strncmp(key, prefix, strlen(prefix)) || strncmp(owner + UUID_CHARACTERS, middle, strlen(middle)) ||
	    strcmp(hex + DIGEST_HEX, suffix) || strspn(hex, "0123456789abcdef") < DIGEST_HEX)
		return false;
	memcpy(ret_owner, owner, UUID_CHARACTERS);
	ret_owner[UUID_CHARACTERS] = '\0';
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		static const char digits[] = "0123456789abcdef";

		ret_digest[i] = (unsigned char)((strchr(digits, hex[2 * i]) - digits) * 16 + (strchr(digits, hex[2 * i + 1]) - digits));
	}
	return uuid_valid(ret_owner);
}

static void forget_stack(struct sweep *s)
{
	map_done(&s->named);
	arena_clear(&s->arena);
	s->stack_id[0] = '\0';
}

/* Objects of a stack follow each other, mostly: its digests are read once. */
static int load_stack(struct sweep *s, const char *stack_id, struct err *e)
{
	struct retained *list;
	size_t count;

	if (!strcmp(s->stack_id, stack_id))
		return 1;
	forget_stack(s);
	if (db_all(s->app->db, &OBJECTS_OF_STACK, DB_VALUES(db_text(stack_id), db_text(stack_id)), retained_sha256_columns,
		   sizeof(*list), &s->arena, (void **)&list, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		*map_put(&s->named, list[i].sha256) = list;
	memcpy(s->stack_id, stack_id, UUID_TEXT);
	return 1;
}

static int journal_named(struct sweep *s, const char *update_id, struct span digest, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct retained row;

	return db_one(s->app->db, &OBJECT_OF_JOURNAL, DB_VALUES(db_text(update_id), db_bytes(digest)), retained_sha256_columns,
		      &row, &arena, e);
}

/* 1 when a row names it, or it is none of ours; 0 when it is garbage. */
static int is_named(struct sweep *s, const char *key, struct err *e)
{
	unsigned char digest[SHA256_BYTES];
	struct span span = { (const char *)digest, sizeof(digest) };
	char owner[UUID_TEXT];

	if (!strncmp(key, "scratch/", 8))
		return 0;
	if (parse(key, "updates/", "/journal/", "", owner, digest))
		return journal_named(s, owner, span, e);
	if (!parse(key, "stacks/", "/checkpoints/", ".json.gz", owner, digest))
		return 1;
	return load_stack(s, owner, e) < 0 ? -1 : map_get(&s->named, span) != NULL;
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
		rc = blob_delete_older(s->app->objects, object->key, s->before_us, e);
		s->swept->objects += rc == 1;
		s->swept->bytes += rc == 1 ? object->bytes : 0;
	} else if (rc == 1) {
		s->swept->kept++;
	}
	return rc < 0 ? -1 : 1;
}

int retention_sweep(struct app *app, int64_t before_us, bool (*going)(void *context), void *context,
		    struct swept *ret_swept, struct err *e)
{
	static const char *const prefixes[] = { "stacks/", "updates/", "scratch/" };
	struct sweep s = { .app = app, .before_us = before_us, .going = going, .context = context, .swept = ret_swept };
	int rc = 1;

	for (size_t i = 0; rc == 1 && i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		rc = blob_list(app->objects, prefixes[i], sweep_object, &s, e);
	forget_stack(&s);
	return rc;
}
