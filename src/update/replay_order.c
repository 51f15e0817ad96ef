/* SPDX-License-Identifier: Apache-2.0 */
/* Brings the entries of a journal into the order of their sequence: a batch may interleave with the one after it. */
#include <stdlib.h>

#include "json/scan.h"
#include "update/replay_internal.h"

void replay_order_done(struct replay_order *o)
{
	for (size_t i = 0; i < o->waiting_count; i++)
		free(o->waiting[i].owned);
	free(o->waiting);
	free(o->incoming);
	*o = (struct replay_order){ 0 };
}

/* Before the texts go that open operations lie in. */
static void keep_begun(struct replay *r)
{
	for (size_t i = 0; i < r->borrowing_count; i++) {
		struct operation *o = r->borrowing[i];

		if (o->open && !o->owned)
			replay_own(&o->begun, &o->owned);
	}
	r->borrowing_count = 0;
}

static int add_waiting(struct replay *r, struct waiting *w, struct err *e)
{
	_cleanup_(freep) char *owned = TAKE(w->owned);
	int rc;

	if (w->entry.sequence <= r->last_sequence)
		return 1;
	r->last_sequence = w->entry.sequence;
	rc = replay_add(r, &w->entry, e);
	if (owned)
		keep_begun(r);
	return rc;
}

/* Adds those that nothing can precede any more. */
static int settle(struct replay *r, int64_t below, struct err *e)
{
	struct replay_order *o = &r->order;
	size_t done = 0;
	int rc = 1;

	while (rc == 1 && done < o->waiting_count && o->waiting[done].entry.sequence < below)
		rc = add_waiting(r, &o->waiting[done++], e);
	o->waiting_count -= done;
	if (done)
		memmove(o->waiting, o->waiting + done, o->waiting_count * sizeof(*o->waiting));
	return rc;
}

/* Entries that go on waiting get a text of their own: their batch goes. */
static void keep_waiting(struct replay_order *o)
{
	for (size_t i = 0; i < o->waiting_count; i++) {
		struct waiting *w = &o->waiting[i];
		const char *from = w->text.data;

		if (w->owned)
			continue;
		replay_own(&w->text, &w->owned);
		journal_entry_move(&w->entry, from, w->text.data);
	}
}

static void wait_in_order(struct replay_order *o, const struct waiting *w)
{
	size_t at = o->waiting_count;

	o->waiting = replay_room(o->waiting, o->waiting_count, &o->waiting_room, sizeof(*o->waiting));
	while (at && o->waiting[at - 1].entry.sequence > w->entry.sequence)
		at--;
	memmove(o->waiting + at + 1, o->waiting + at, (o->waiting_count++ - at) * sizeof(*o->waiting));
	o->waiting[at] = *w;
}

static int read_incoming(struct replay_order *o, struct span list, int64_t *ret_smallest, struct err *e)
{
	struct waiting w = { 0 };
	struct scan s;
	int rc;

	scan_open(&s, list);
	while ((rc = journal_entry_next(&s, &w.text, &w.entry, e)) == 1) {
		if (!o->incoming_count || w.entry.sequence < *ret_smallest)
			*ret_smallest = w.entry.sequence;
		o->incoming = replay_room(o->incoming, o->incoming_count, &o->incoming_room, sizeof(w));
		o->incoming[o->incoming_count++] = w;
	}
	return rc < 0 ? -1 : 1;
}

int replay_batch(struct replay *r, struct span batch, struct err *e)
{
	struct replay_order *o = &r->order;
	int64_t smallest = 0;
	struct span list;

	o->incoming_count = 0;
	if (scan_find(batch, "entries", &list)) {
		if (list.data[0] != '[')
			return err_internal(e, "replay: the entries of a batch are no list");
		if (read_incoming(o, list, &smallest, e) < 0 || settle(r, smallest, e) < 0)
			return -1;
	}
	keep_begun(r);
	keep_waiting(o);
	for (size_t i = 0; i < o->incoming_count; i++)
		wait_in_order(o, &o->incoming[i]);
	return 1;
}

int replay_finish(struct replay *r, struct sink *out, int64_t *ret_resources, struct err *e)
{
	if (settle(r, INT64_MAX, e) < 0)
		return -1;
	return replay_write(r, out, true, ret_resources, e);
}
