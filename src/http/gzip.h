/* SPDX-License-Identifier: Apache-2.0 */
/* gzip (RFC 1952) both ways, bounded. */
#ifndef HTTP_GZIP_H
#define HTTP_GZIP_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"

/* Appends the decompressed bytes. 400: broken, truncated or followed by garbage; 413: more than `limit`. */
int gunzip(struct span data, size_t limit, struct buffer *ret_data, struct err *e) WARN_UNUSED;
/* Appends the data as one gzip member, at the fastest level. */
int gzip(struct span data, struct buffer *ret_data, struct err *e) WARN_UNUSED;

#endif
