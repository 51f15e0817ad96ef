/* SPDX-License-Identifier: Apache-2.0 */
/* The journal of an update: a row a request, replayed when the state is asked for. */
#include <stdio.h>

#include "base/limits.h"
#include "blob/blob.h"
#include "claim/mark.h"
#include "http/gzip.h"
#include "json/scan.h"
#include "telemetry/meter.h"
#include "update/internal.h"
#include "update/replay.h"
#include "update/journal_entry.h"
#include "update/update_sql.h"

struct batch {
	int64_t first, last;
	size_t count;
};

static int read_batch(struct span text, struct batch *b, struct err *e)
{
	struct journal_entry entry;
	struct span document, list, each;
	struct scan s;
	int rc;

	if (scan_document(text, &document, e) < 0)
		return -1;
	if (document.data[0] != '{')
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: the body must be a JSON object with 'entries'");
	if (scan_unique(document, e) < 0)
		return -1;
	if (!scan_find(document, "entries", &list))
		return 1;
	if (list.data[0] != '[')
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'entries' must be a list");
	scan_open(&s, list);
	for (; (rc = journal_entry_next(&s, &each, &entry, e)) == 1; b->count++) {
		if (b->count == LIMIT_JOURNAL_ENTRIES)
			return err_set(e, ERR_TOO_LARGE, "Request Entity Too Large: more than %d entries at once",
				       LIMIT_JOURNAL_ENTRIES);
		b->first = entry.sequence < b->first ? entry.sequence : b->first;
		b->last = entry.sequence > b->last ? entry.sequence : b->last;
	}
	return rc < 0 ? -1 : 1;
}

void journal_object_key(const char *id, const unsigned char *digest, char ret_key[CHECKPOINT_KEY])
{
	char hex[2 * SHA256_BYTES + 1];

	hex_encode(digest, SHA256_BYTES, hex);
	snprintf(ret_key, CHECKPOINT_KEY, "updates/%s/journal/%s", id, hex);
}

/* A batch too large for a row is an object, durable before the row that names it. */
static int put_object(struct app *app, const char *id, const unsigned char *digest, struct span stored, struct err *e)
{
	char key[CHECKPOINT_KEY];

	journal_object_key(id, digest, key);
	return blob_put(app->objects, key, stored, e);
}

/* A batch that arrives again, perhaps after the update's end, was kept: that is success. */
static int was_appended(struct db *db, const char *id, struct span token, int64_t first, struct span digest,
			struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct journal_batch_row row;
	int rc = db_one(db, &JOURNAL_BATCH_FIND, DB_VALUES(db_text(id), db_bytes(token), db_int(first), db_bytes(digest)),
			journal_sequence_columns, &row, &arena, e);

	return rc == 0 ? lease_lost(e) : rc;
}

static int check_running(struct db *db, const char *id, struct span token, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct update u = { 0 };
	int rc = db_one(db, &UPDATE_BY_TOKEN, DB_VALUES(db_text(id), db_bytes(token)), update_columns, &u, &arena, e);

	if (rc < 0)
		return -1;
	return rc == 1 && !strcmp(u.status, "running") ? 1 : lease_lost(e);
}

static void count_batch(struct meter *m, const struct batch *b, size_t stored)
{
	meter_add(m, METRIC_JOURNAL_BATCHES, NO_LABELS, 1);
	meter_add(m, METRIC_JOURNAL_ENTRIES, NO_LABELS, b->count);
	meter_add(m, METRIC_JOURNAL_BYTES, NO_LABELS, stored);
}

/* A request that appends. */
struct appending {
	struct app *app;
	const char *id;
	struct span token, digest, stored;	/* stored: as it arrived */
	struct batch batch;
	int64_t bytes;				/* of the text */
	bool gzip;
};

/* *ret_changed: 0 the update does not run, -1 the batch is there. */
static int append_row(const struct appending *a, int64_t *ret_changed, struct err *e)
{
	return db_exec(a->app->db, &JOURNAL_BATCH_APPEND,
		       DB_VALUES(db_int(a->batch.first), db_int(a->batch.last), db_bytes(a->digest), db_int(a->bytes), db_bytes(a->stored),
				 db_int(a->gzip), db_time(a->app->now_us()), db_text(a->id), db_bytes(a->token)),
		       ret_changed, e);
}

/* The object again when a sweep was at an old one of that name: then no row appeared. */
static int append_object(const struct appending *a, int64_t *ret_changed, struct err *e)
{
	struct mark mark = { .owner_id = a->id, .sha256 = a->digest };

	for (int attempt = 0;; attempt++) {
		int rc;

		if (put_object(a->app, a->id, (const unsigned char *)a->digest.data, a->stored, e) < 0)
			return -1;
		rc = db_exec(a->app->db, &JOURNAL_BATCH_APPEND_OBJECT,
			     DB_VALUES(db_int(a->batch.first), db_int(a->batch.last), db_bytes(a->digest), db_int(a->bytes),
				       db_int(a->gzip), db_time(a->app->now_us()), db_text(a->id), db_bytes(a->token),
				       db_text(mark.owner_id), db_bytes(mark.sha256)),
			     ret_changed, e);
		if (rc != 1 || *ret_changed)
			return rc;
		rc = mark_settle(a->app->db, &mark, e);
		/* A mark may have gone between the two looks: once more is certain. */
		if (rc < 0 || (rc == 0 && attempt))
			return rc < 0 ? -1 : 1;
	}
}

int update_append_journal(struct app *app, const char *id, struct span token, struct span text, struct span stored,
			  bool gzip_body, struct err *e)
{
	unsigned char digest[SHA256_BYTES];
	struct appending a = { .app = app, .id = id, .token = token, .digest = digest_span(digest), .stored = stored,
			       .batch = { .first = INT64_MAX }, .bytes = (int64_t)text.length, .gzip = gzip_body };
	bool in_row = stored.length <= LIMIT_JOURNAL_ROW;
	struct err ended = { 0 };
	int64_t changed;
	int rc;

	if (read_batch(text, &a.batch, e) < 0)
		return -1;
	if (a.batch.count == 0)
		return check_running(app->db, id, token, e);
	sha256(text, digest);
	if (!in_row && check_running(app->db, id, token, &ended) < 0)
		return ended.kind == ERR_FORBIDDEN ? was_appended(app->db, id, token, a.batch.first, a.digest, e) : (*e = ended, -1);
	rc = in_row ? append_row(&a, &changed, e) : append_object(&a, &changed, e);
	if (rc < 0)
		return -1;
	if (rc == 1 && changed == 0)
		return was_appended(app->db, id, token, a.batch.first, a.digest, e);
	if (rc == 1)
		count_batch(app->meter, &a.batch, stored.length);
	return 1;
}

struct replaying {
	struct app *app;
	const struct update *update;
	struct replay *replay;
	int64_t batches;
	struct buffer object, texts[2];	/* of this batch; of this one and the one before */
};

static int load_object(struct app *app, const char *id, struct span digest, struct buffer *out, struct err *e)
{
	char key[CHECKPOINT_KEY];
	int rc;

	journal_object_key(id, (const unsigned char *)digest.data, key);
	rc = blob_get(app->objects, key, out, e);
	return rc == 0 ? err_internal(e, "object %s is missing", key) : rc;
}

static int replay_row(void *context, const void *row, struct err *e)
{
	const struct journal_batch_row *r = row;
	struct replaying *rp = context;
	struct buffer *plain = &rp->texts[rp->batches++ % 2];
	struct span text = r->body;

	buffer_clear(&rp->object);
	buffer_clear(plain);
	if (!text.data) {
		if (load_object(rp->app, rp->update->id, r->digest, &rp->object, e) < 0)
			return -1;
		text = buffer_span(&rp->object);
	}
	if (!r->gzip)
		buffer_append(plain, text.data, text.length);
	else if (gunzip(text, SIZE_MAX, plain, e) < 0)
		return -1;
	return replay_batch(rp->replay, scan_trim(buffer_span(plain)), e);
}

static void replaying_done(struct replaying *rp)
{
	replay_free(rp->replay);
	buffer_done(&rp->object);
	buffer_done(&rp->texts[0]);
	buffer_done(&rp->texts[1]);
}

static int load_base(struct app *app, const struct update *u, struct replay *r, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	struct checkpoint_row row = { 0 };
	int rc;

	if (u->base_checkpoint_version < 0)
		return 1;
	rc = db_one(app->db, &CHECKPOINT_BY_VERSION, DB_VALUES(db_text(u->stack_id), db_int(u->base_checkpoint_version)),
		    checkpoint_columns, &row, &arena, e);
	if (rc <= 0)
		return rc < 0 ? -1 : err_internal(e, "checkpoint %lld of stack %s is missing",
						  (long long)u->base_checkpoint_version, u->stack_id);
	if (checkpoint_load(app, u->stack_id, row.sha256, &text, e) < 0)
		return -1;
	return replay_base(r, &text, e);
}

int journal_replay(struct app *app, const struct update *u, struct sink *out, int64_t *ret_resources, struct err *e)
{
	struct replay_options options = { .client_version = u->client, .now_us = app->now_us(), .check_integrity = true };
	_cleanup_(replaying_done) struct replaying rp = { .app = app, .update = u, .replay = replay_new(&options) };
	struct journal_batch_row row;

	if (load_base(app, u, rp.replay, e) < 0 ||
	    db_each(app->db, &JOURNAL_BATCHES, DB_VALUES(db_text(u->id)), journal_batch_columns, &row, sizeof(row),
		    replay_row, &rp, e) < 0)
		return -1;
	return rp.batches ? replay_finish(rp.replay, out, ret_resources, e) : 0;
}

int update_heard_at(struct db *db, const struct update *u, int64_t *ret_heard_at, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct journal_batch_row row = { .received_at = -1 };

	if (db_one(db, &JOURNAL_BATCH_LAST, DB_VALUES(db_text(u->id)), journal_received_columns, &row, &arena, e) < 0)
		return -1;
	*ret_heard_at = row.received_at > u->heard_at ? row.received_at : u->heard_at;
	return 1;
}
