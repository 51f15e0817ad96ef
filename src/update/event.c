/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Engine events: a row a request, read back in order of their sequence. A batch that is too large for a row goes to a
 * store of its own, where there is one.
 */
#include "base/limits.h"
#include "http/gzip.h"
#include "json/scan.h"
#include "json/write.h"
#include "update/internal.h"
#include "object/object.h"
#include "update/update_sql.h"

#define EVENT_GRACE_US (600 * 1000000LL)	/* a batch may arrive this late after the end */

struct batch {
	int64_t first, last;
	struct span changes;	/* of the summary event; data NULL without one */
};

static int read_event(struct span event, struct batch *b, struct err *e)
{
	struct span value, summary;
	int64_t sequence;

	if (event.data[0] != '{' || !scan_find(event, "sequence", &value) || !scan_int(value, &sequence) || sequence < 0)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: each event must be an object with a whole 'sequence' from 0");
	b->first = sequence < b->first ? sequence : b->first;
	b->last = sequence > b->last ? sequence : b->last;
	if (scan_find(event, "summaryEvent", &summary) && summary.data[0] == '{' &&
	    scan_find(summary, "resourceChanges", &value) && value.data[0] == '{')
		b->changes = value;
	return 1;
}

static int read_batch(struct span text, struct batch *b, struct err *e)
{
	struct span document, list, event;
	struct scan s;
	size_t n = 0;

	if (scan_document(text, &document, e) < 0 || scan_unique(document, e) < 0)
		return -1;
	if (document.data[0] != '{')
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: the body must be a JSON object with 'events'");
	if (!scan_find(document, "events", &list))
		return 0;
	if (list.data[0] != '[')
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'events' must be a list");
	scan_open(&s, list);
	while (scan_element(&s, &event)) {
		if (++n > LIMIT_EVENTS)
			return err_set(e, ERR_BAD_REQUEST, "Bad Request: more than %d events at once", LIMIT_EVENTS);
		if (read_event(event, b, e) < 0)
			return -1;
	}
	return n > 0;
}

/* An object for whoever holds the lease only, durable before the row that names it. */
static int put_object(struct app *app, const char *id, struct span token, const unsigned char *digest, struct span stored,
		      struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct update u = { 0 };
	int rc = db_one(app->db, &UPDATE_BY_TOKEN, DB_VALUES(db_text(id), db_bytes(token)), update_columns, &u, &arena, e);

	if (rc <= 0)
		return rc < 0 ? -1 : lease_lost(e);
	return row_object_put(app, ROW_OBJECT_EVENTS, u.stack_id, id, digest, stored, e);
}

int update_append_events(struct app *app, const char *id, struct span token, struct span text, struct span stored,
			 bool gzip_body, struct err *e)
{
	struct batch b = { .first = INT64_MAX, .last = -1 };
	unsigned char digest[SHA256_BYTES];
	bool in_object = row_object_store(app, ROW_OBJECT_EVENTS) && stored.length > LIMIT_EVENT_ROW;
	int64_t changed;
	int rc = read_batch(text, &b, e);

	if (rc <= 0)
		return rc;
	sha256(text, digest);
	if (in_object && put_object(app, id, token, digest, stored, e) < 0)
		return -1;
	rc = db_exec(app->db, &EVENT_BATCH_APPEND,
		     DB_VALUES(db_int(b.first), db_int(b.last), db_bytes((struct span){ (char *)digest, sizeof(digest) }),
			       db_bytes(in_object ? SPAN("") : stored), db_int(gzip_body), db_int(in_object), db_text(id), db_bytes(token),
			       db_time(app->now_us() - EVENT_GRACE_US)),
		     &changed, e);
	if (rc < 0)
		return -1;
	if (rc == 1 && changed == 0)
		return lease_lost(e);
	if (!b.changes.data)
		return 1;
	return db_exec(app->db, &UPDATE_SET_CHANGES, DB_VALUES(db_bytes(b.changes), db_text(id), db_bytes(token)), NULL, e);
}

struct page {
	struct app *app;
	const struct update *update;
	struct buffer *out;
	int64_t next;
	bool any, dense;	/* dense: stop before an event that is missing, it may still come */
};

static int emit_batch(void *context, const void *row, struct err *e)
{
	_cleanup_(buffer_done) struct buffer object = BUFFER_INIT, plain = BUFFER_INIT;
	const struct event_batch_row *r = row;
	struct page *p = context;
	struct span text = r->body, list, event, value;
	int64_t sequence;
	struct scan s;

	if (r->in_object) {
		if (row_object_load(p->app, ROW_OBJECT_EVENTS, p->update->stack_id, p->update->id, r->digest, &object, e) < 0)
			return -1;
		text = buffer_span(&object);
	}
	if (r->gzip && gunzip(text, LIMIT_BODY_DEFAULT, &plain, e) < 0)
		return -1;
	if (r->gzip)
		text = buffer_span(&plain);
	if (scan_document(text, &text, e) < 0 || !scan_find(text, "events", &list))
		return 1;
	for (scan_open(&s, list); scan_element(&s, &event);) {
		if (!scan_find(event, "sequence", &value) || !scan_int(value, &sequence) || sequence < p->next)
			continue;
		if (p->dense && sequence > p->next)
			return 0;
		json_write_separator(p->out);
		buffer_append(p->out, event.data, event.length);
		p->next = sequence + 1;
		p->any = true;
	}
	return 1;
}

int update_events(struct app *app, const struct update *u, int64_t from, struct buffer *out, int64_t *ret_next,
		  struct err *e)
{
	struct page p = { .app = app, .update = u, .out = out, .next = from, .dense = !strcmp(u->status, "running") };
	struct event_batch_row row;

	if (db_each(app->db, &EVENT_BATCHES, DB_VALUES(db_text(u->id), db_int(from)), event_batch_columns, &row, sizeof(row),
		    emit_batch, &p, e) < 0)
		return -1;
	*ret_next = p.any ? p.next : -1;
	return 1;
}
