/* SPDX-License-Identifier: Apache-2.0 */
#include "http/gzip.h"

#include <isa-l/igzip_lib.h>
#include <limits.h>
#include <stdlib.h>

#define CHUNK (256 << 10)

/* The uncompressed size that the trailer claims, as far as it can be true. */
static size_t expected_size(struct span data, size_t limit)
{
	const unsigned char *end = (const unsigned char *)data.data + data.length;
	size_t size = data.length < 18 ? 0 : end[-4] | end[-3] << 8 | end[-2] << 16 | (size_t)end[-1] << 24;

	return size > limit || size / 1032 > data.length ? CHUNK : size;
}

static void next_member(struct inflate_state *z)
{
	isal_inflate_reset(z);
	z->crc_flag = ISAL_GZIP;
}

static int inflate_all(struct inflate_state *z, size_t limit, size_t room, struct buffer *out, struct err *e)
{
	size_t start = out->length;

	for (;; room = CHUNK) {
		int rc;

		z->next_out = (unsigned char *)buffer_reserve(out, room + 1);
		z->avail_out = (unsigned)(room + 1 < UINT_MAX ? room + 1 : UINT_MAX);
		room = z->avail_out;
		rc = isal_inflate(z);
		out->length += room - z->avail_out;
		out->data[out->length] = '\0';
		if (out->length - start > limit)
			return err_set(e, ERR_TOO_LARGE,
				       "Request Entity Too Large: more than %zu bytes after decompression; "
				       "send less at a time", limit);
		if (rc != ISAL_DECOMP_OK || (z->block_state != ISAL_BLOCK_FINISH && z->avail_in == 0 && z->avail_out))
			return err_set(e, ERR_BAD_REQUEST, "Bad Request: the body is not whole, valid gzip");
		if (z->block_state == ISAL_BLOCK_FINISH && z->avail_in == 0)
			return 1;
		if (z->block_state == ISAL_BLOCK_FINISH)
			next_member(z);
	}
}

int gunzip(struct span data, size_t limit, struct buffer *ret_data, struct err *e)
{
	_cleanup_(freep) struct inflate_state *z = xmalloc(sizeof(*z));

	if (data.length > UINT_MAX)
		return err_set(e, ERR_TOO_LARGE, "Request Entity Too Large: more than 4 GiB compressed");
	isal_inflate_init(z);
	z->crc_flag = ISAL_GZIP;
	z->next_in = (unsigned char *)(uintptr_t)data.data;
	z->avail_in = (unsigned)data.length;
	return inflate_all(z, limit, expected_size(data, limit), ret_data, e);
}

struct gzip_sink {
	struct sink sink, *next;
	struct isal_zstream z;
	unsigned char level[ISAL_DEF_LVL1_DEFAULT], out[CHUNK];
};

static int deflate_some(struct gzip_sink *s, struct err *e)
{
	do {
		s->z.next_out = s->out;
		s->z.avail_out = sizeof(s->out);
		if (isal_deflate(&s->z) != COMP_OK)
			return err_internal(e, "isal_deflate failed");
		if (sink_write(s->next, s->out, sizeof(s->out) - s->z.avail_out, e) < 0)
			return -1;
	} while (s->z.avail_out == 0 || s->z.avail_in);
	return 1;
}

static int gzip_sink_write(struct sink *self, const void *data, size_t length, struct err *e)
{
	struct gzip_sink *s = (struct gzip_sink *)self;
	const unsigned char *from = data;

	while (length) {
		unsigned n = length < (1U << 30) ? (unsigned)length : 1U << 30;

		s->z.next_in = (unsigned char *)(uintptr_t)from;
		s->z.avail_in = n;
		if (deflate_some(s, e) < 0)
			return -1;
		from += n;
		length -= n;
	}
	return 1;
}

struct gzip_sink *gzip_sink_new(struct sink *next)
{
	struct gzip_sink *s = xmalloc(sizeof(*s));

	isal_deflate_init(&s->z);
	s->z.gzip_flag = IGZIP_GZIP;
	s->z.level = 1;
	s->z.level_buf = s->level;
	s->z.level_buf_size = sizeof(s->level);
	s->sink.write = gzip_sink_write;
	s->next = next;
	return s;
}

struct sink *gzip_sink_of(struct gzip_sink *s)
{
	return &s->sink;
}

int gzip_sink_finish(struct gzip_sink *s, struct err *e)
{
	s->z.end_of_stream = 1;
	s->z.next_in = NULL;
	s->z.avail_in = 0;
	do {
		if (deflate_some(s, e) < 0)
			return -1;
	} while (s->z.internal_state.state != ZSTATE_END);
	return 1;
}

void gzip_sink_free(struct gzip_sink *s)
{
	free(s);
}

void gzip_sink_freep(struct gzip_sink **s)
{
	free(*s);
}

int gzip(struct span data, struct buffer *ret_data, struct err *e)
{
	struct buffer_sink out;
	_cleanup_(gzip_sink_freep) struct gzip_sink *s = NULL;

	buffer_sink_init(&out, ret_data, SIZE_MAX);
	s = gzip_sink_new(&out.sink);
	if (sink_write(gzip_sink_of(s), data.data, data.length, e) < 0)
		return -1;
	return gzip_sink_finish(s, e);
}
