/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP answer while it is put together: nothing leaves before the transaction has committed.
 * The body is bytes, or a local file that the web server or the sending loop streams.
 */
#ifndef HTTP_REPLY_H
#define HTTP_REPLY_H

#include "base/arena.h"
#include "base/buffer.h"

struct http_reply {
	int status;			/* 0: nobody answered yet */
	const char *content_type;	/* NULL: application/json */
	struct buffer body;
	bool body_gzip;			/* the body, or the file, is gzip already */
	bool secret;			/* the body is wiped after it was sent */
	const char *file;		/* send this file instead of the body */
	size_t file_size;		/* bytes of the file */
	bool outside;			/* the file lies outside of the folder out of which the web server sends: we send it */
	struct buffer headers;		/* further lines, each ending in CRLF */
	void (*after)(void *context);	/* runs after the answer was sent; may be NULL */
	void *after_context;
};

/* Adds a header line; line breaks in the value become spaces. */
void http_reply_header(struct http_reply *rp, const char *name, const char *value);
/* Empties it for another attempt at the request. */
void http_reply_clear(struct http_reply *rp);
void http_reply_done(struct http_reply *rp);

/* "200 OK" and the like. */
const char *http_status_text(int status);

#endif
