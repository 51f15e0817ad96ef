/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls to other services over HTTP: one connection pool a process, bounded answers, bounded time, no
 * redirects. Certificates are verified. Knows no service.
 */
#ifndef NET_WEB_H
#define NET_WEB_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"

struct web;

struct web *web_open(void);
void web_close(struct web *web);

struct web_request {
	const char *method, *url;
	const struct buffer *headers;	/* lines "Name: value", each ending in a line break; NULL: none */
	struct span body;		/* data NULL: none */
	size_t limit;			/* bytes of the answer's body, more is a failure */
	int timeout_s;			/* for the whole call; 0: 60 */
};

struct web_answer {
	int status;
	struct buffer body, headers;	/* headers: as they arrived */
};

/* 1 when there was an answer, whatever its status; -1 with ERR_UNAVAILABLE when there was none. */
int web_call(struct web *web, const struct web_request *request, struct web_answer *ret_answer, struct err *e) WARN_UNUSED;
/*
 * The same, up to five times when the connection failed or the status is 429 or from 500 on, with growing, jittered
 * pauses. Only for calls that may be repeated.
 */
int web_call_again(struct web *web, const struct web_request *request, struct web_answer *ret_answer, struct err *e)
	WARN_UNUSED;
/*
 * The pause behind the attempt of that number, from 0 on: twice as long each time, and somewhere between half and all of
 * that, so that many that failed at once do not meet again.
 */
void web_pause(int attempt);
/* A header of the answer, in the arena; NULL when absent. */
const char *web_header(const struct web_answer *answer, const char *name, struct arena *arena);
void web_answer_done(struct web_answer *answer);

/* Percent-encodes everything but A-Z a-z 0-9 - . _ ~, and '/' where `slash` says so (RFC 3986 §2.3). Appends. */
void web_escape(struct span text, bool slash, struct buffer *ret_text);

#endif
