/* SPDX-License-Identifier: Apache-2.0 */
/* gzip (RFC 1952) both ways, bounded; ISA-L does the work. */
#ifndef HTTP_GZIP_H
#define HTTP_GZIP_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"

/* Appends the decompressed bytes. 400: broken, truncated or followed by garbage; 413: more than `limit`. */
int gunzip(struct span data, size_t limit, struct buffer *ret_data, struct err *e) WARN_UNUSED;
/* Appends the data as one gzip member. */
int gzip(struct span data, struct buffer *ret_data, struct err *e) WARN_UNUSED;

/* Compresses what is written to it into `next`, as one gzip member. */
struct gzip_sink;
struct gzip_sink *gzip_sink_new(struct sink *next);
struct sink *gzip_sink_of(struct gzip_sink *s);
/* Writes what is left and the trailer. */
int gzip_sink_finish(struct gzip_sink *s, struct err *e) WARN_UNUSED;
void gzip_sink_free(struct gzip_sink *s);
void gzip_sink_freep(struct gzip_sink **s);

#endif
