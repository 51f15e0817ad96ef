/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "backup/internal.h"
#include "http/gzip.h"

#define PART_BYTES (32 << 20)	/* of text: then another file begins */

static int flush(struct part_writer *w, struct err *e)
{
	_cleanup_(buffer_done) struct buffer packed = BUFFER_INIT;
	struct part p = w->template;
	char hex[2 * SHA256_BYTES + 1];

	p.file = arena_printf(w->arena, "%s-%04d.gz", w->stem, ++w->number);
	p.lines = w->lines;
	if (gzip(buffer_span(&w->text), &packed, e) < 0)
		return -1;
	digest_hex(buffer_span(&packed), hex);
	p.sha256 = arena_strdup(w->arena, hex);
	p.bytes = (int64_t)packed.length;
	if (file_write(w->backup->folder, p.file, buffer_span(&packed), e) < 0)
		return -1;
	buffer_append(w->parts, &p, sizeof(p));
	buffer_clear(&w->text);
	w->lines = 0;
	return 1;
}

int part_line(struct part_writer *w, struct span line, struct err *e)
{
	buffer_append(&w->text, line.data, line.length);
	buffer_putc(&w->text, '\n');
	w->lines++;
	return w->text.length >= PART_BYTES ? flush(w, e) : 1;
}

int part_finish(struct part_writer *w, struct err *e)
{
	return w->lines ? flush(w, e) : 1;
}

void part_writer_done(struct part_writer *w)
{
	buffer_done(&w->text);
}

static int wrong(const struct backup *b, const struct part *p, const char *what, struct err *e)
{
	return err_internal(e, "the backup is damaged: %s/%s %s", b->folder, p->file, what);
}

static int count_line(void *context, struct span line, struct err *e)
{
	(void)line;
	(void)e;
	++*(int64_t *)context;
	return 1;
}

int part_read(const struct backup *b, const struct part *p, struct buffer *ret_text, struct err *e)
{
	_cleanup_(buffer_done) struct buffer packed = BUFFER_INIT;
	char hex[2 * SHA256_BYTES + 1];
	struct err why = { 0 };
	int64_t lines = 0;

	if (file_read(b->folder, p->file, &packed, e) < 0)
		return -1;
	digest_hex(buffer_span(&packed), hex);
	if ((int64_t)packed.length != p->bytes || strcmp(hex, p->sha256))
		return wrong(b, p, "is not what the manifest says (SHA-256)", e);
	if (gunzip(buffer_span(&packed), SIZE_MAX, ret_text, &why) < 0)
		return wrong(b, p, "cannot be decompressed", e);
	if (part_lines(buffer_span(ret_text), count_line, &lines, e) < 0)
		return -1;
	return lines == p->lines ? 1 : wrong(b, p, "has another number of lines than the manifest says", e);
}

int part_lines(struct span text, part_each *each, void *context, struct err *e)
{
	const char *end = text.data + text.length;

	for (const char *at = text.data; at < end;) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));

		if (!stop)
			return err_internal(e, "the backup is damaged: a part ends within a line");
		if (each(context, (struct span){ at, (size_t)(stop - at) }, e) < 0)
			return -1;
		at = stop + 1;
	}
	return 1;
}
