/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP request as the web server hands it over, without a product word: method, raw path,
 * query, headers, body. The body is read once, checked against a limit before and after
 * decompression, and stays available both as it arrived and decompressed.
 */
#ifndef HTTP_REQUEST_H
#define HTTP_REQUEST_H

#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/buffer.h"

struct http_parameter {
	const char *name, *value;
};

struct http_request {
	struct arena *arena;
	void *source;
	/* A CGI variable (REQUEST_METHOD, HTTP_AUTHORIZATION, …) or NULL. */
	const char *(*variable)(void *source, const char *name);
	/* Up to `size` bytes of the body; 0 at its end, -1 when the client went away. */
	ssize_t (*read)(void *source, void *to, size_t size);

	const char *method;
	const char *path;			/* raw, starts with '/', no query */
	struct http_parameter *parameters;	/* query, decoded, in order */
	size_t parameter_count;

	struct buffer raw;			/* body as it arrived */
	bool raw_loaded, gzip;			/* gzip: the raw body is compressed */
	struct buffer inflated;
	bool inflated_loaded;
};

/* Reads method, path and query out of the variables; 400 when they break the rules or limits. */
int http_request_init(struct http_request *rq, struct err *e) WARN_UNUSED;
void http_request_done(struct http_request *rq);

/* A variable of the web server, "" when it is absent. */
const char *http_variable(struct http_request *rq, const char *name);
/* A header by its CGI name without HTTP_, e.g. "USER_AGENT"; NULL when absent or empty. */
const char *http_header(struct http_request *rq, const char *name);
/* A query parameter; NULL when absent or empty. */
const char *http_parameter(const struct http_request *rq, const char *name);
/* A decimal query parameter between low and high; `fallback` when absent; 400 otherwise. */
int http_parameter_int(const struct http_request *rq, const char *name, int64_t fallback,
		       int64_t low, int64_t high, int64_t *ret_value, struct err *e) WARN_UNUSED;
/* The bytes as they arrived, at most `limit`; sets rq->gzip. 415 for other encodings. */
int http_body_raw(struct http_request *rq, size_t limit, struct span *ret_body,
		  struct err *e) WARN_UNUSED;
/*
 * The bytes as they arrive, at most `limit`, into a sink, without being kept: only when nothing has read the body. 400 when
 * it ended too early, 413, 415.
 */
int http_body_stream(struct http_request *rq, size_t limit, struct sink *to, size_t *ret_length, struct err *e) WARN_UNUSED;
/* The decompressed bytes, at most `limit`. */
int http_body(struct http_request *rq, size_t limit, struct span *ret_body,
	      struct err *e) WARN_UNUSED;
/* The parameters of a form (application/x-www-form-urlencoded), decoded, in order; 400 when it is none. */
int http_form(struct http_request *rq, struct span body, struct http_parameter **ret_list, size_t *ret_count,
	      struct err *e) WARN_UNUSED;
/* True when the client takes a gzip answer. */
bool http_accepts_gzip(struct http_request *rq);

/* Percent-decodes into the arena; -1 on a broken escape, a NUL byte, or what is no UTF-8 then. `plus`: '+' is a space. */
int http_unescape(struct arena *arena, struct span text, bool plus, char **ret_text);

#endif
