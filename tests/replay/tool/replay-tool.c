/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replays journals that come as frames on standard input: a length of four bytes, big end first, and
 * that many bytes. A case is the base document (empty: none), batches in any order, and a frame of
 * length 0xffffffff. The answer is one frame: the new state, or '!' and a sentence.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "json/scan.h"
#include "update/journal_entry.h"
#include "update/replay.h"

#define END 0xffffffffU

struct batch {
	struct buffer text;
	int64_t first;
};

/* 1 a frame, 0 the end of the case, -1 the end of the input. */
static int read_frame(struct buffer *ret)
{
	unsigned char head[4];
	size_t n;

	if (fread(head, 1, 4, stdin) != 4)
		return -1;
	n = (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | head[3];
	if (n == END)
		return 0;
	if (fread(buffer_reserve(ret, n), 1, n, stdin) != n)
		return -1;
	ret->length = n;
	ret->data[n] = '\0';
	return 1;
}

static void write_frame(struct span text)
{
	unsigned char head[4] = { (unsigned char)(text.length >> 24), (unsigned char)(text.length >> 16),
				  (unsigned char)(text.length >> 8), (unsigned char)text.length };

	fwrite(head, 1, 4, stdout);
	fwrite(text.data, 1, text.length, stdout);
	fflush(stdout);
}

/* What the server does when a batch arrives: checks it and finds its smallest sequence. */
static int check_batch(struct batch *b, struct err *e)
{
	struct journal_entry entry;
	struct span document, list, text;
	struct scan s;

	b->first = INT64_MAX;
	if (scan_document(buffer_span(&b->text), &document, e) < 0 || !scan_find(document, "entries", &list))
		return e->kind ? -1 : 1;
	for (scan_open(&s, list); scan_element(&s, &text);) {
		if (journal_entry_read(text, &entry, e) < 0)
			return -1;
		b->first = entry.sequence < b->first ? entry.sequence : b->first;
	}
	return 1;
}

static int by_first(const void *a, const void *b)
{
	int64_t x = ((const struct batch *)a)->first, y = ((const struct batch *)b)->first;

	return x < y ? -1 : x > y;
}

static int replay(struct buffer *base, struct batch *batches, size_t count, struct buffer *out, struct err *e)
{
	/* Any time will do, also one whose fraction ends in zeros, or is none. */
	const struct replay_options options = { .client_version = "v3.0.0", .check_integrity = true,
						.now_us = 1794567890000000 + (int64_t)(base->length % 10 * 100000 + count * 10) };
	_cleanup_(replay_freep) struct replay *r = replay_new(&options);
	struct buffer_sink sink;
	int64_t resources;

	if (base->length && replay_base(r, base, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++)
		if (check_batch(&batches[i], e) < 0)
			return -1;
	qsort(batches, count, sizeof(*batches), by_first);
	for (size_t i = 0; i < count; i++)
		if (replay_batch(r, scan_trim(buffer_span(&batches[i].text)), e) < 0)
			return -1;
	buffer_sink_init(&sink, out, SIZE_MAX);
	return replay_finish(r, &sink.sink, &resources, e);
}

static int run_case(void)
{
	_cleanup_(buffer_done) struct buffer base = BUFFER_INIT, out = BUFFER_INIT;
	struct batch *batches = NULL;
	struct err e = { 0 };
	size_t count = 0;
	int rc = read_frame(&base);

	while (rc == 1) {
		batches = xrealloc(batches, (count + 1) * sizeof(*batches));
		batches[count] = (struct batch){ 0 };
		rc = read_frame(&batches[count].text);
		count += rc == 1;
	}
	if (rc == 0 && replay(&base, batches, count, &out, &e) < 0) {
		buffer_clear(&out);
		buffer_printf(&out, "!%s %s", e.message, e.detail);
	}
	if (rc == 0)
		write_frame(buffer_span(&out));
	for (size_t i = 0; i < count; i++)
		buffer_done(&batches[i].text);
	free(batches);
	return rc;
}

int main(void)
{
	while (run_case() == 0)
		;
	return 0;
}
