/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A base state and batches of journal entries, checked as the server checks them when they arrive: the
 * replay of what it accepts ends, and makes a document that can be a base again.
 */
#include "fuzz.h"
#include "json/scan.h"
#include "update/journal_entry.h"
#include "update/rename.h"
#include "update/replay.h"

#define BATCHES 8

struct batch {
	struct span text;
	int64_t first;
};

static bool accept_batch(struct span text, struct batch *b)
{
	struct journal_entry entry;
	struct span document, list, each;
	struct err e = { 0 };
	struct scan s;

	b->first = INT64_MAX;
	if (scan_document(text, &document, &e) < 0 || document.data[0] != '{' || !scan_find(document, "entries", &list) ||
	    list.data[0] != '[')
		return false;
	for (scan_open(&s, list); scan_element(&s, &each);) {
		if (journal_entry_read(each, &entry, &e) < 0) {
			promise_refusal(&e);
			return false;
		}
		b->first = entry.sequence < b->first ? entry.sequence : b->first;
	}
	b->text = document;
	return true;
}

static int by_first(const void *a, const void *b)
{
	int64_t x = ((const struct batch *)a)->first, y = ((const struct batch *)b)->first;

	return x < y ? -1 : x > y;
}

static size_t read_batches(struct span rest, struct batch *batches)
{
	struct span part;
	size_t n = 0;

	while (n < BATCHES && next_part(&rest, &part))
		n += accept_batch(part, &batches[n]);
	qsort(batches, n, sizeof(*batches), by_first);
	return n;
}

static int replay(struct span base, struct batch *batches, size_t n, struct buffer *out, struct err *e)
{
	static const struct replay_options options = { .client_version = "v3.0.0", .now_us = 1, .check_integrity = true };
	_cleanup_(replay_freep) struct replay *r = replay_new(&options);
	struct buffer document = BUFFER_INIT;
	struct buffer_sink sink;
	int64_t resources;

	if (base.data) {
		buffer_append(&document, base.data, base.length);
		if (replay_base(r, &document, e) < 0)
			return -1;
	}
	for (size_t i = 0; i < n; i++)
		if (replay_batch(r, batches[i].text, e) < 0)
			return -1;
	buffer_sink_init(&sink, out, SIZE_MAX);
	return replay_finish(r, &sink.sink, &resources, e);
}

/* Renaming there and back makes the same text, whatever the document. */
static void rename_there_and_back(struct span document)
{
	static const struct stack_path here = { "o", "p", "s" }, there = { "else", "where", "dev" };
	_cleanup_(buffer_done) struct buffer once = BUFFER_INIT, twice = BUFFER_INIT;
	struct err e = { 0 };
	struct span ignored;

	rename_document(document, &here, &there, &once);
	PROMISE(scan_document(buffer_span(&once), &ignored, &e) == 1);
	rename_document(buffer_span(&once), &there, &here, &twice);
	PROMISE(scan_document(buffer_span(&twice), &ignored, &e) == 1);
}

/* A document that clients can read and the next journal can start from. Resources are as clients sent them. */
static void promise_state(struct span text)
{
	_cleanup_(buffer_done) struct buffer again = BUFFER_INIT;
	struct span document, version, deployment, resources;
	struct err e = { 0 };
	int64_t number;

	PROMISE(scan_document(text, &document, &e) == 1 && span_equal(document, text));
	PROMISE(scan_find(document, "version", &version) && scan_int(version, &number) && (number == 3 || number == 4));
	PROMISE(scan_find(document, "deployment", &deployment) && deployment.data[0] == '{');
	PROMISE(!scan_find(deployment, "resources", &resources) || resources.data[0] == '[');
	PROMISE(replay(document, NULL, 0, &again, &e) == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(buffer_done) struct buffer out = BUFFER_INIT;
	struct span rest = { (const char *)data, size }, base;
	struct checkpoint_text checked;
	struct batch batches[BATCHES];
	struct err e = { 0 };
	size_t n;

	if (!next_part(&rest, &base))
		return 0;
	if (base.length && checkpoint_check(base, &checked, &e) < 0)
		return 0;
	if (base.length)
		rename_there_and_back(checked.text);
	n = read_batches(rest, batches);
	if (replay(base.length ? checked.text : (struct span){ NULL, 0 }, batches, n, &out, &e) < 0) {
		PROMISE(e.kind != ERR_NONE);
		return 0;
	}
	promise_state(buffer_span(&out));
	return 0;
}
