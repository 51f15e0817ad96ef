/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects that no row names. They come from transactions that were not committed, from journals that were
 * compacted, and from processes that died. Candidates are marked (claim/mark.h) before the second look at rows
 * and age: a writer that writes one anew either is seen, or sees the mark.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "base/map.h"
#include "blob/blob.h"
#include "claim/mark.h"
#include "retention/retention.h"
#include "retention/retention_sql.h"

#define DIGEST_HEX (2 * SHA256_BYTES)
#define UUID_CHARACTERS (UUID_TEXT - 1)
#define OBJECT_KEY 160
#define BATCH 100		/* marked together, so that the wait between mark and deletion is short for each */

/* An object that no row names. */
struct doomed {
	char key[OBJECT_KEY], owner[UUID_TEXT];
	unsigned char digest[SHA256_BYTES];
	bool journal, marked;
	int64_t bytes;
};

struct sweep {
	struct app *app;
	char id[UUID_TEXT];
	int64_t before_us;
	bool (*going)(void *context);
	void *context;
	struct swept *swept;
	char stack_id[UUID_TEXT];	/* whose digests `named` has; "": nobody's */
	struct arena arena;		/* of the digests */
	struct map named;
	struct doomed batch[BATCH];
	size_t count;
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

/* Whose object it is; false when it is none that rows name. */
static bool read_key(const char *key, struct doomed *ret)
{
	size_t length = strlen(key);

	if (length >= OBJECT_KEY)
		return false;
	memcpy(ret->key, key, length + 1);
	ret->journal = parse(key, "updates/", "/journal/", "", ret->owner, ret->digest);
	return ret->journal || parse(key, "stacks/", "/checkpoints/", ".json.gz", ret->owner, ret->digest);
}

static struct span digest_of(const struct doomed *d)
{
	return (struct span){ (const char *)d->digest, SHA256_BYTES };
}

/* 1 when a row names it; 0 when it is garbage. */
static int is_named(struct sweep *s, const struct doomed *d, struct err *e)
{
	if (d->journal)
		return journal_named(s, d->owner, digest_of(d), e);
	return load_stack(s, d->owner, e) < 0 ? -1 : map_get(&s->named, digest_of(d)) != NULL;
}

static int delete_old(struct sweep *s, const char *key, int64_t bytes, struct err *e)
{
	int rc = blob_delete_older(s->app->objects, key, s->before_us, e);

	s->swept->objects += rc == 1;
	s->swept->bytes += rc == 1 ? bytes : 0;
	s->swept->kept += rc == 0;
	return rc;
}

/* A process that was stopped for long in between must not delete what it looked at then. */
static bool in_time(const struct sweep *s, int64_t began_us)
{
	int64_t passed = s->app->now_us() - began_us;

	return passed >= 0 && passed < MARK_SECONDS / 2 * 1000000LL;
}

/* Whether it went, nobody knows when this fails: then the mark stays until it is void. */
static int delete_marked(struct sweep *s, const struct doomed *d, const struct mark *mark, struct err *e)
{
	int64_t began_us = s->app->now_us();
	int rc = mark_begin(s->app->db, mark, e);

	fault_point("sweep.begun");
	if (rc == 1) {
		rc = is_named(s, d, e);
		rc = rc < 0 ? -1 : rc == 0 && in_time(s, began_us);
		if (rc == 1)
			rc = delete_old(s, d->key, d->bytes, e);
		else
			s->swept->kept++;
		fault_point("sweep.deleted");
		if (rc >= 0)
			rc = mark_end(s->app->db, mark, rc == 1, e);
		fault_point("sweep.ended");
	} else if (rc == 0) {
		s->swept->kept++;
	}
	return rc < 0 ? -1 : 1;
}

static int mark_all(struct sweep *s, struct err *e)
{
	struct timespec grace = { .tv_sec = MARK_GRACE_SECONDS };
	size_t marked = 0;

	for (size_t i = 0; i < s->count; i++) {
		struct doomed *d = &s->batch[i];
		int rc = mark_announce(s->app->db, &(struct mark){ d->owner, digest_of(d), s->id }, e);

		if (rc < 0)
			return -1;
		d->marked = rc == 1;
		marked += d->marked;
		s->swept->kept += !d->marked;
	}
	fault_point("sweep.marked");
	if (marked)
		nanosleep(&grace, NULL);
	return 1;
}

static int delete_batch(struct sweep *s, struct err *e)
{
	int rc = s->count ? mark_all(s, e) : 1;

	/* What was read of rows before the marks does not count. */
	forget_stack(s);
	for (size_t i = 0; i < s->count; i++) {
		const struct doomed *d = &s->batch[i];
		struct mark mark = { d->owner, digest_of(d), s->id };

		if (!d->marked)
			continue;
		if (rc == 1 && s->going(s->context))
			rc = delete_marked(s, d, &mark, e);
		else if (rc >= 0)
			rc = mark_end(s->app->db, &mark, false, e) < 0 ? -1 : 0;
	}
	s->count = 0;
	return rc;
}

/* What no row names goes into the batch. */
static int consider(struct sweep *s, const struct blob_object *object, struct err *e)
{
	struct doomed *d = &s->batch[s->count];
	int rc;

	if (object->modified_at >= s->before_us || !read_key(object->key, d)) {
		s->swept->kept++;
		return 1;
	}
	rc = is_named(s, d, e);
	s->swept->kept += rc == 1;
	if (rc != 0)
		return rc;
	d->bytes = object->bytes;
	return ++s->count == BATCH ? delete_batch(s, e) : 1;
}

static int sweep_object(void *context, const struct blob_object *object, struct err *e)
{
	struct sweep *s = context;

	if (!s->going(s->context))
		return 0;
	if (strncmp(object->key, "scratch/", 8))
		return consider(s, object, e);
	/* What nobody ever names needs no mark. */
	if (object->modified_at >= s->before_us)
		s->swept->kept++;
	else if (delete_old(s, object->key, object->bytes, e) < 0)
		return -1;
	return 1;
}

static int sweep_all(struct sweep *s, struct err *e)
{
	static const char *const prefixes[] = { "stacks/", "updates/", "scratch/" };
	int rc = mark_forget_old(s->app->db, e);

	for (size_t i = 0; rc == 1 && i < sizeof(prefixes) / sizeof(prefixes[0]); i++)
		rc = blob_list(s->app->objects, prefixes[i], sweep_object, s, e);
	return rc < 0 ? -1 : delete_batch(s, e);
}

int retention_sweep(struct app *app, int64_t before_us, bool (*going)(void *context), void *context,
		    struct swept *ret_swept, struct err *e)
{
	struct sweep *s = xcalloc(1, sizeof(*s));
	int rc;

	*s = (struct sweep){ .app = app, .before_us = before_us, .going = going, .context = context, .swept = ret_swept };
	uuid_new(app->now_us(), s->id);
	rc = sweep_all(s, e);
	forget_stack(s);
	free(s);
	return rc < 0 ? -1 : 1;
}
