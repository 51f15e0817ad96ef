/* SPDX-License-Identifier: Apache-2.0 */
#include "http/gzip.h"

#include <limits.h>
#include <zlib.h>

#define GZIP_WINDOW (15 + 16)
#define CHUNK 65536

static void inflate_done(z_stream *z)
{
	inflateEnd(z);
}

static int inflate_all(z_stream *z, size_t limit, struct buffer *out, struct err *e)
{
	size_t start = out->length;

	for (;;) {
		int rc;

		z->next_out = (unsigned char *)buffer_reserve(out, CHUNK);
		z->avail_out = CHUNK;
		rc = inflate(z, Z_NO_FLUSH);
		out->length += CHUNK - z->avail_out;
		out->data[out->length] = '\0';
		if (out->length - start > limit)
			return err_set(e, ERR_TOO_LARGE,
				       "Request Entity Too Large: more than %zu bytes after decompression; "
				       "send less at a time", limit);
		if (rc == Z_STREAM_END && z->avail_in == 0)
			return 1;
		if (rc == Z_STREAM_END && inflateReset(z) == Z_OK)
			continue;
		if (rc != Z_OK)
			return err_set(e, ERR_BAD_REQUEST, "Bad Request: the body is not whole, valid gzip");
	}
}

int gunzip(struct span data, size_t limit, struct buffer *ret_data, struct err *e)
{
	_cleanup_(inflate_done) z_stream z = { 0 };

	if (data.length > UINT_MAX)
		return err_set(e, ERR_TOO_LARGE, "Request Entity Too Large: more than 4 GiB compressed");
	if (inflateInit2(&z, GZIP_WINDOW) != Z_OK)
		return err_internal(e, "inflateInit2 failed");
	z.next_in = (unsigned char *)(uintptr_t)data.data;
	z.avail_in = (unsigned)data.length;
	return inflate_all(&z, limit, ret_data, e);
}

int gzip(struct span data, struct buffer *ret_data, struct err *e)
{
	z_stream z = { 0 };
	size_t bound;
	int rc;

	if (data.length > UINT_MAX || deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return err_internal(e, "cannot compress %zu bytes", data.length);
	bound = deflateBound(&z, data.length);
	z.next_in = (unsigned char *)(uintptr_t)data.data;
	z.avail_in = (unsigned)data.length;
	z.next_out = (unsigned char *)buffer_reserve(ret_data, bound);
	z.avail_out = (unsigned)bound;
	rc = deflate(&z, Z_FINISH);
	ret_data->length += bound - z.avail_out;
	deflateEnd(&z);
	return rc == Z_STREAM_END ? 1 : err_internal(e, "deflate answered %d", rc);
}
