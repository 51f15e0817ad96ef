/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Calls to other services over HTTP: one connection pool a process, bounded answers, bounded time, no
 * redirects. Certificates are verified. Where a user named the target, the guard is asked. Knows no service.
 */
#ifndef NET_WEB_H
#define NET_WEB_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/observer.h"

struct guard;
struct web;

struct web *web_open(void);
void web_close(struct web *web);
/* Is told of each call, also of each repetition. An answer of 400 and above has failed, except 404: absence is an answer. */
void web_observe(struct web *web, const struct observer *observer);

struct web_request {
	const char *method, *url;
	const struct buffer *headers;	/* lines "Name: value", each ending in a line break; NULL: none */
	struct span body;		/* data NULL: none */
	size_t limit;			/* bytes of the answer's body, more is a failure */
	int timeout_s;			/* for the whole call; 0: 60 */
	int total_s;			/* web_call_again: no further attempt begins later than this; 0: whatever it takes */
};

enum web_failure { WEB_ANSWERED, WEB_FAILED, WEB_REFUSED /* by the guard */, WEB_UNTRUSTED /* its certificate */ };

struct web_answer {
	int status;
	struct buffer body, headers;	/* headers: as they arrived */
	struct buffer certificate;	/* of the server, PEM; guarded calls only */
	enum web_failure failure;
};

/* 1 when there was an answer, whatever its status; -1 with ERR_UNAVAILABLE when there was none. */
int web_call(struct web *web, const struct web_request *request, struct web_answer *ret_answer,
	     struct err *e) WARN_UNUSED;
/* What few calls want; zero is what the others have. */
struct web_options {
	int timeout_ms;			/* instead of timeout_s; 0: that */
	bool http2;			/* without TLS too, as gRPC wants it; trailers become headers of the answer */
	const char *ca_file;		/* authorities of this call; NULL: the usual ones */
	bool (*going)(void);		/* asked all the time, false ends the call; NULL: nobody is asked */
};
int web_call_with(struct web *web, const struct web_request *request, const struct web_options *options,
		  struct web_answer *ret_answer, struct err *e) WARN_UNUSED;
/*
 * A call whose target a user named: refused when the address that it would connect to is not allowed. HTTPS only, and
 * always a connection of its own. A proxy of the environment is the administrator's word, and then decides itself what
 * names may lead to. With `any_certificate` the certificate is not verified: the caller must look at answer->certificate
 * before it believes anything.
 */
int web_call_guarded(struct web *web, const struct guard *guard, bool any_certificate, const struct web_request *request,
		     struct web_answer *ret_answer, struct err *e) WARN_UNUSED;
/*
 * The same as web_call, up to five times when the connection failed or the status is 429 or from 500 on, with growing, jittered
 * pauses, or those that the answer asks for (Retry-After, at most 10 seconds). Only for calls that may be repeated.
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
