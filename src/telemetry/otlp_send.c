/* SPDX-License-Identifier: Apache-2.0 */
#include <ctype.h>
#include <stdlib.h>

#include "net/web.h"
#include "telemetry/otlp.h"
#include "telemetry/wire.h"

#define ANSWER_MOST (1 << 20)
#define FRAME 5			/* of gRPC: a byte that says whether it is compressed, and the length of the message */
#define WORDS_MOST 200		/* of what a collector says */

struct otlp_client {
	const struct otlp *o;
	struct web *web;
	bool (*going)(void);
	struct buffer framed;	/* kept from call to call */
};

/* By signal: the method of gRPC, and the path over HTTP. */
static const char *const methods[OTLP_SIGNAL_COUNT] = {
	[OTLP_TRACES] = "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
	[OTLP_METRICS] = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
};
static const char *const paths[OTLP_SIGNAL_COUNT] = { [OTLP_TRACES] = "/v1/traces", [OTLP_METRICS] = "/v1/metrics" };

struct otlp_client *otlp_open(const struct otlp *o, bool (*going)(void))
{
	struct otlp_client *c = xcalloc(1, sizeof(*c));

	c->o = o;
	c->web = web_open();
	c->going = going;
	return c;
}

void otlp_close(struct otlp_client *c)
{
	if (!c)
		return;
	web_close(c->web);
	buffer_done(&c->framed);
	free(c);
}

static void put_frame(struct span message, struct buffer *out)
{
	uint32_t n = (uint32_t)message.length;
	const char head[FRAME] = { 0, (char)(n >> 24), (char)(n >> 16), (char)(n >> 8), (char)n };

	buffer_append(out, head, sizeof(head));
	buffer_append(out, message.data, message.length);
}

/* Printable and short: it goes into a log. */
static const char *words(struct arena *arena, const char *text, size_t n)
{
	char *copy = arena_strndup(arena, text, n < WORDS_MOST ? n : WORDS_MOST);

	for (char *c = copy; *c; c++)
		if (iscntrl((unsigned char)*c) || *c == '"')
			*c = ' ';
	return copy;
}

/* Of Export…PartialSuccess: how many were not taken, and why. */
static void note_partial(struct span message, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct wire_field outer, inner;
	uint64_t rejected = 0;
	const char *why = "";

	while (wire_next(&message, &outer) == 1 && outer.field == 1)
		while (wire_next(&outer.bytes, &inner) == 1) {
			if (inner.field == 1)
				rejected = inner.number;
			if (inner.field == 2 && inner.bytes.data)
				why = words(&arena, inner.bytes.data, inner.bytes.length);
		}
	if (rejected || *why)
		err_internal(e, "the collector did not take %llu: %s", (unsigned long long)rejected, why);
}

/* Statuses after which the same may be sent again (OTLP, "Failures"). RESOURCE_EXHAUSTED: we send less often then, too. */
static bool grpc_passing(long status)
{
	static const char passing[] = { 1, 4, 8, 10, 11, 14, 15 };

	return status > 0 && memchr(passing, (char)status, sizeof(passing)) && status < 17;
}

static int grpc_answer(const struct web_answer *answer, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	const char *status = web_header(answer, "grpc-status", &arena), *said = web_header(answer, "grpc-message", &arena);
	long number = status ? strtol(status, NULL, 10) : -1;

	if (!status)
		return err_unavailable(e, "the collector answered without grpc-status: is this its port for gRPC?");
	if (number) {
		err_internal(e, "the collector answered grpc-status %ld: %s", number, words(&arena, said ? said : "", said ? strlen(said) : 0));
		return grpc_passing(number) ? -1 : 0;
	}
	if (answer->body.length > FRAME)
		note_partial((struct span){ answer->body.data + FRAME, answer->body.length - FRAME }, e);
	return 1;
}

static int http_answer(const struct web_answer *answer, bool grpc, struct err *e)
{
	int s = answer->status;

	if (s == 200 && grpc)
		return grpc_answer(answer, e);
	if (s >= 200 && s < 300) {
		note_partial(buffer_span(&answer->body), e);
		return 1;
	}
	err_internal(e, "the collector answered HTTP status %d", s);
	return s == 429 || (s >= 502 && s <= 504) ? -1 : 0;
}

int otlp_send(struct otlp_client *c, enum otlp_signal signal, struct span message, struct err *e)
{
	_cleanup_(buffer_done) struct buffer url = BUFFER_INIT, headers = BUFFER_INIT;
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	struct web_request rq = { .method = "POST", .headers = &headers, .body = message, .limit = ANSWER_MOST };
	const struct web_options options = { c->o->timeout_ms, c->o->grpc, c->o->ca_file, c->going };

	buffer_printf(&url, "%s%s", c->o->endpoint, c->o->grpc ? methods[signal] : paths[signal]);
	rq.url = url.data;
	buffer_printf(&headers, "Content-Type: application/%s\n%s%s", c->o->grpc ? "grpc" : "x-protobuf", c->o->grpc ? "TE: trailers\n" : "",
		      c->o->headers);
	if (c->o->grpc) {
		buffer_clear(&c->framed);
		put_frame(message, &c->framed);
		rq.body = buffer_span(&c->framed);
	}
	if (web_call_with(c->web, &rq, &options, &answer, e) < 0)
		return -1;
	return http_answer(&answer, c->o->grpc, e);
}
