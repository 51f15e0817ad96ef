/* SPDX-License-Identifier: Apache-2.0 */
/* Journal and event batches: their texts are those that arrived, and the replay can read them. */
#include <stdio.h>

#include "blob/blob.h"
#include "http/gzip.h"
#include "json/scan.h"
#include "update/checkpoint.h"
#include "update/journal_entry.h"
#include "object/object.h"
#include "verify/internal.h"

struct batches {
	struct verify *verify;
	const char *update_id, *member;	/* "entries" of a journal, "events" */
	const char *what;
	const char *where;
};

/* Too large for a row: an object holds it. */
static int load_object(struct batches *b, const struct verify_row *row, struct buffer *ret_text, struct err *e)
{
	char key[CHECKPOINT_KEY];
	int rc;

	if (row->stack_id)
		return row_object_load(b->verify->app, ROW_OBJECT_EVENTS, row->stack_id, b->update_id, row->sha256, ret_text, e);
	journal_object_key(b->update_id, (const unsigned char *)row->sha256.data, key);
	rc = blob_get(b->verify->app->objects, key, ret_text, e);
	return rc == 0 ? err_internal(e, "object %s is missing", key) : rc;
}

static int read_text(struct batches *b, const struct verify_row *row, struct buffer *packed, struct buffer *plain, struct span *ret_text,
		     struct err *e)
{
	struct span text = row->body;

	if (!text.data && load_object(b, row, packed, e) < 0)
		return -1;
	text = text.data ? text : buffer_span(packed);
	if (row->gzip && gunzip(text, SIZE_MAX, plain, e) < 0)
		return -1;
	*ret_text = row->gzip ? buffer_span(plain) : text;
	return 1;
}

static int check_entries(const struct verify_row *row, struct span list, struct err *e)
{
	struct journal_entry entry;
	struct span each;
	struct scan s;

	for (scan_open(&s, list); scan_element(&s, &each);) {
		if (journal_entry_read(each, &entry, e) < 0)
			return -1;
		if (entry.sequence < row->first_sequence || entry.sequence > row->last_sequence)
			return err_internal(e, "has entry %lld, its row says %lld to %lld", (long long)entry.sequence,
					    (long long)row->first_sequence, (long long)row->last_sequence);
	}
	return 1;
}

static int check_text(struct batches *b, const struct verify_row *row, struct span text, struct err *e)
{
	unsigned char digest[SHA256_BYTES];
	struct span document, list;

	sha256(text, digest);
	if (!span_equal(row->sha256, (struct span){ (char *)digest, sizeof(digest) }))
		return err_internal(e, "its text has another digest than its row");
	if (row->bytes >= 0 && row->bytes != (int64_t)text.length)
		return err_internal(e, "has %zu bytes, its row says %lld", text.length, (long long)row->bytes);
	if (scan_document(text, &document, e) < 0)
		return -1;
	if (document.data[0] != '{' || !scan_find(document, b->member, &list) || list.data[0] != '[')
		return err_internal(e, "has no list of %s", b->member);
	return b->member[1] == 'n' ? check_entries(row, list, e) : 1;
}

static int check_batch(void *context, const void *one, struct err *e)
{
	_cleanup_(buffer_done) struct buffer packed = BUFFER_INIT, plain = BUFFER_INIT;
	const struct verify_row *row = one;
	struct batches *b = context;
	struct err why = { 0 };
	struct span text;
	char where[128];

	b->verify->counts.batches++;
	b->verify->seen(b->verify->context, b->what, 1);
	if (read_text(b, row, &packed, &plain, &text, &why) == 1 && check_text(b, row, text, &why) == 1)
		return 1;
	snprintf(where, sizeof(where), "%s %lld of update %s", b->where, (long long)row->first_sequence, b->update_id);
	return verify_blame(b->verify, where, &why, e);
}

static int check_journal(struct verify *v, const struct verify_row *row, struct err *e)
{
	struct batches b = { v, row->id, "entries", "journal batches", "journal batch" };
	struct verify_row batch;

	v->counts.journals++;
	return db_each(v->app->db, &VERIFY_JOURNAL, DB_VALUES(db_text(row->id)), verify_batch_columns, &batch, sizeof(batch), check_batch,
		       &b, e);
}

static int check_events(struct verify *v, const struct verify_row *row, struct err *e)
{
	struct batches b = { v, row->id, "events", "event batches", "event batch" };
	struct verify_row batch;

	return db_each(v->app->db, &VERIFY_EVENT, DB_VALUES(db_text(row->id)), verify_event_columns, &batch, sizeof(batch), check_batch,
		       &b, e);
}

int verify_batches(struct verify *v, struct err *e)
{
	if (verify_pages(v, &VERIFY_JOURNALS, verify_id_columns, check_journal, e) < 0)
		return -1;
	return verify_pages(v, &VERIFY_EVENTS, verify_id_columns, check_events, e);
}
