/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/trace.h"

#include <stdio.h>
#include <stdlib.h>

#include "crypto/crypto.h"
#include "telemetry/attribute.h"
#include "telemetry/ring.h"
#include "telemetry/wire.h"

#define SPANS_MOST 64		/* below one request; the number of the others is told */
#define NAME_ROOM 64
#define SERVER_ROOM 128
#define STATE_MOST 512		/* bytes of tracestate that the standard asks to pass on */
#define TEXT_MOST 160		/* bytes of an attribute */
#define TRACE_ID 16
#define SPAN_ID 8

#define RANDOM_BYTES 7		/* at the end of a trace's id: its random part */
#define RANDOM_END (1ULL << 56)
#define SAMPLED 0x01u		/* of the flags of the standard */
#define HAS_REMOTE 0x100u	/* of OTLP: whether the parent is elsewhere is known */
#define IS_REMOTE 0x200u

enum span_kind { INTERNAL = 1, SERVER = 2, CLIENT = 3 };
#define STATUS_ERROR 2

struct child {
	enum trace_kind kind;
	char name[NAME_ROOM], server[SERVER_ROOM];
	int64_t began_ns, ended_ns;
	bool failed;
	int port, status;
	unsigned calls;
	int parent;	/* its place, -1: the request itself */
};

struct tracer {
	struct ring *ring;
	struct meter *meter;
	bool parent_decides;
	uint64_t below;			/* trace ids whose random part is are recorded */
	bool recording, remote, secure;
	unsigned char trace_id[TRACE_ID], parent_id[SPAN_ID];
	uint64_t seed;			/* of the ids of its spans */
	char state[STATE_MOST + 1], user_agent[TEXT_MOST + 1];
	int64_t wall_ns, began_ns;
	unsigned count, left_out;
	struct child children[SPANS_MOST];
	struct buffer span, record;	/* kept, so that a request needs no memory */
};

const char *trace_path(struct arena *arena, const char *run_dir)
{
	return arena_printf(arena, "%s/traces", run_dir);
}

struct tracer *tracer_open(const char *path, struct meter *meter, struct trace_sampler sampler)
{
	struct ring *ring = ring_open(path);
	struct tracer *t;

	if (!ring)
		return NULL;
	t = xcalloc(1, sizeof(*t));
	t->ring = ring;
	t->meter = meter;
	t->parent_decides = sampler.parent_decides;
	t->below = (uint64_t)(sampler.ratio * (double)RANDOM_END);
	return t;
}

void tracer_close(struct tracer *t)
{
	if (!t)
		return;
	ring_close(t->ring);
	buffer_done(&t->span);
	buffer_done(&t->record);
	free(t);
}

/* --- the caller's trace --- */

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Lower-case digits only, as the standard says; false also when all of them are 0. */
static bool read_id(const char *text, size_t bytes, unsigned char *ret_id)
{
	unsigned char any = 0;

	for (size_t i = 0; i < bytes; i++) {
		int high = digit(text[2 * i]), low = high < 0 ? -1 : digit(text[2 * i + 1]);

		if (low < 0)
			return false;
		ret_id[i] = (unsigned char)(high << 4 | low);
		any |= ret_id[i];
	}
	return any;
}

/* 00-<trace>-<parent>-<flags>; a later version may say more behind another dash. */
static bool read_parent(struct tracer *t, const char *text, unsigned *ret_flags)
{
	size_t n = text ? strlen(text) : 0;
	unsigned char version[1] = { 0 }, flags[1] = { 0 };
	bool zero;

	if (n < 55 || text[2] != '-' || text[35] != '-' || text[52] != '-')
		return false;
	zero = !strncmp(text, "00", 2);
	if ((!zero && !read_id(text, 1, version)) || version[0] == 0xff || (zero && n != 55) || (n > 55 && text[55] != '-'))
		return false;
	if (!read_id(text + 3, TRACE_ID, t->trace_id) || !read_id(text + 36, SPAN_ID, t->parent_id))
		return false;
	if (strncmp(text + 53, "00", 2) && !read_id(text + 53, 1, flags))
		return false;
	*ret_flags = flags[0];
	return true;
}

/* Left out when it is longer than what must be passed on, or no header's text. */
static void read_state(struct tracer *t, const char *text)
{
	size_t n = text ? strlen(text) : 0;

	t->state[0] = '\0';
	if (n > STATE_MOST)
		return;
	for (size_t i = 0; i < n; i++)
		if (text[i] < ' ' || text[i] > '~')
			return;
	memcpy(t->state, text ? text : "", n + 1);
}

/* The id of the request has what a trace's needs: 16 bytes, the last seven of them random. */
static void id_of_request(struct tracer *t, const char *id)
{
	char digits[2 * TRACE_ID + 1] = { 0 };

	for (size_t i = 0, n = 0; id[i] && n < 2 * TRACE_ID; i++)
		if (id[i] != '-')
			digits[n++] = id[i];
	read_id(digits, TRACE_ID, t->trace_id);
	memcpy(&t->seed, t->trace_id + TRACE_ID - sizeof(t->seed), sizeof(t->seed));
	t->seed ^= (uint64_t)t->trace_id[5] << 48 | (uint64_t)t->trace_id[6] << 40 | (uint64_t)t->trace_id[7] << 32;
}

static void copy(char *to, size_t room, const char *text)
{
	size_t n = text ? strnlen(text, room - 1) : 0;

	memcpy(to, text ? text : "", n);
	to[n] = '\0';
}

/* Everybody who sees the trace and has the same ratio decides alike. */
static bool in_sample(const struct tracer *t)
{
	uint64_t number = 0;

	for (int i = TRACE_ID - RANDOM_BYTES; i < TRACE_ID; i++)
		number = number << 8 | t->trace_id[i];
	return number < t->below;
}

void trace_begin(struct tracer *t, const struct trace_caller *c)
{
	unsigned flags = 0;

	if (!t)
		return;
	id_of_request(t, c->id);
	t->remote = read_parent(t, c->traceparent, &flags);
	if (!t->remote)
		id_of_request(t, c->id);
	read_state(t, t->remote ? c->tracestate : NULL);
	copy(t->user_agent, sizeof(t->user_agent), c->user_agent);
	t->secure = c->secure;
	t->recording = t->remote && t->parent_decides ? flags & SAMPLED : in_sample(t);
	t->wall_ns = c->now_us * 1000;
	t->began_ns = c->began_ns;
	t->count = t->left_out = 0;
}

/* --- what was done --- */

static bool repeats(const struct child *last, enum trace_kind kind, const struct observation *what)
{
	return kind == TRACE_STATEMENT && last->kind == kind && last->failed == what->failed && !strncmp(last->name, what->name, NAME_ROOM - 1);
}

void trace_add(struct tracer *t, enum trace_kind kind, const struct observation *what)
{
	struct child *c;

	if (!t || !t->recording)
		return;
	c = t->count ? &t->children[t->count - 1] : NULL;
	if (c && repeats(c, kind, what)) {
		c->ended_ns = what->ended_ns;
		c->calls++;
		return;
	}
	if (t->count == SPANS_MOST) {
		t->left_out++;
		return;
	}
	c = &t->children[t->count++];
	*c = (struct child){ .kind = kind, .began_ns = what->began_ns, .ended_ns = what->ended_ns, .failed = what->failed,
			     .port = what->port, .status = what->status, .calls = 1 };
	copy(c->name, sizeof(c->name), what->name);
	copy(c->server, sizeof(c->server), what->server);
}

/*
 * Things are told of when they end, and one that was done within another ends before it: it is a child of the next one
 * that began before it.
 */
static void find_parents(struct tracer *t)
{
	unsigned open[SPANS_MOST], n = 0;

	for (unsigned i = 0; i < t->count; i++) {
		while (n && t->children[open[n - 1]].began_ns >= t->children[i].began_ns)
			t->children[open[--n]].parent = (int)i;
		open[n++] = i;
	}
	while (n)
		t->children[open[--n]].parent = -1;
}

/* --- encoding: message Span of opentelemetry/proto/trace/v1/trace.proto --- */

/* The nth of the request, 0 its own: a number that looks random (SplitMix64), and is not 0. */
static void put_id(struct tracer *t, unsigned field, unsigned n)
{
	uint64_t x = t->seed + (n + 1) * 0x9e3779b97f4a7c15ULL;

	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
	x ^= x >> 31;
	x |= !x;
	wire_bytes(&t->span, field, (struct span){ (const char *)&x, SPAN_ID });
}

static uint64_t wall(const struct tracer *t, int64_t ns)
{
	return (uint64_t)(t->wall_ns + (ns - t->began_ns));
}

static void put_head(struct tracer *t, unsigned n, const char *name, enum span_kind kind, int64_t began_ns, int64_t ended_ns)
{
	buffer_clear(&t->span);
	wire_bytes(&t->span, 1, (struct span){ (const char *)t->trace_id, TRACE_ID });
	put_id(t, 2, n);
	if (t->state[0])
		wire_bytes(&t->span, 3, span_of(t->state));
	wire_bytes(&t->span, 5, span_of(name));
	wire_varint(&t->span, 6, kind);
	wire_fixed64(&t->span, 7, wall(t, began_ns));
	wire_fixed64(&t->span, 8, wall(t, ended_ns));
}

static void put_text(struct tracer *t, const char *key, const char *value)
{
	size_t n = value ? strlen(value) : 0;

	if (n)
		attribute_text(&t->span, 9, key, (struct span){ value, n < TEXT_MOST ? n : TEXT_MOST });
}

static void put_number(struct tracer *t, const char *key, int64_t value)
{
	attribute_int(&t->span, 9, key, value);
}

/* `status`: of HTTP, 0 when there was none to tell what went wrong. */
static void put_failure(struct tracer *t, int status)
{
	char text[16];
	size_t at;

	snprintf(text, sizeof(text), "%d", status);
	put_text(t, "error.type", status ? text : "error");
	at = wire_open(&t->span, 15);
	wire_varint(&t->span, 3, STATUS_ERROR);
	wire_close(&t->span, at);
}

static void put_web(struct tracer *t, const struct child *c)
{
	put_text(t, "http.request.method", c->name);
	put_text(t, "server.address", c->server);
	if (c->port)
		put_number(t, "server.port", c->port);
	if (c->status)
		put_number(t, "http.response.status_code", c->status);
}

static void put_child(struct tracer *t, unsigned i)
{
	static const struct {
		enum span_kind kind;
		const char *prefix;
	} shapes[] = {
		[TRACE_STATEMENT] = { CLIENT, "" },
		[TRACE_OBJECT] = { INTERNAL, "object store " },
		[TRACE_KEY] = { INTERNAL, "key service " },
		[TRACE_WEB] = { CLIENT, "" },
	};
	const struct child *c = &t->children[i];
	char name[2 * NAME_ROOM];

	_Static_assert(sizeof(shapes) / sizeof(shapes[0]) == TRACE_KIND_COUNT, "one shape for each kind");
	snprintf(name, sizeof(name), "%s%s", shapes[c->kind].prefix, c->name);
	put_head(t, i + 1, name, shapes[c->kind].kind, c->began_ns, c->ended_ns);
	put_id(t, 4, (unsigned)(c->parent + 1));
	if (c->kind == TRACE_STATEMENT) {
		put_text(t, "db.system.name", "mysql");
		put_text(t, "db.query.summary", c->name);
	} else if (c->kind == TRACE_WEB) {
		put_web(t, c);
	} else {
		put_text(t, "pulumi.operation", c->name);
	}
	if (c->calls > 1)
		put_number(t, "pulumi.calls", c->calls);
	wire_fixed32(&t->span, 16, SAMPLED | HAS_REMOTE);
	if (c->failed)
		put_failure(t, c->status);
}

static void put_request(struct tracer *t, const struct trace_request *rq)
{
	put_head(t, 0, rq->operation ? rq->operation : rq->method, SERVER, t->began_ns, clock_ns());
	if (t->remote)
		wire_bytes(&t->span, 4, (struct span){ (const char *)t->parent_id, SPAN_ID });
	put_text(t, "http.request.method", rq->method);
	put_text(t, "http.route", rq->route);
	put_text(t, "url.scheme", t->secure ? "https" : "http");
	put_number(t, "http.response.status_code", rq->status);
	put_text(t, "user_agent.original", t->user_agent);
	put_text(t, "pulumi.request.id", rq->id);
	put_text(t, "pulumi.organization", rq->organization);
	put_text(t, "pulumi.project", rq->project);
	put_text(t, "pulumi.stack", rq->stack);
	put_text(t, "pulumi.update.id", rq->update);
	if (t->left_out)
		put_number(t, "pulumi.spans.left_out", t->left_out);
	wire_fixed32(&t->span, 16, SAMPLED | HAS_REMOTE | (t->remote ? IS_REMOTE : 0));
	if (rq->status >= 500)
		put_failure(t, rq->status);
}

static void put_job(struct tracer *t, const char *job, bool failed)
{
	char name[NAME_ROOM];

	snprintf(name, sizeof(name), "job %s", job);
	put_head(t, 0, name, INTERNAL, t->began_ns, clock_ns());
	put_text(t, "pulumi.job.name", job);
	if (t->left_out)
		put_number(t, "pulumi.spans.left_out", t->left_out);
	wire_fixed32(&t->span, 16, SAMPLED | HAS_REMOTE);
	if (failed)
		put_failure(t, 0);
}

/* --- to the ring --- */

static void leave(struct tracer *t)
{
	if (t->record.length && !ring_put(t->ring, buffer_span(&t->record)))
		meter_add(t->meter, METRIC_TRACES, LABELS("too large"), 1);
	buffer_clear(&t->record);
}

/* A record is the field `spans` of ScopeSpans again and again, so that records put together are one message. */
static void collect(struct tracer *t)
{
	if (t->record.length && t->record.length + t->span.length + 4 > RING_RECORD_MOST)
		leave(t);
	wire_bytes(&t->record, 2, buffer_span(&t->span));
}

/* The span of the whole is there already. */
static void end(struct tracer *t)
{
	t->recording = false;
	collect(t);
	find_parents(t);
	for (unsigned i = 0; i < t->count; i++) {
		put_child(t, i);
		collect(t);
	}
	leave(t);
}

void trace_end(struct tracer *t, const struct trace_request *rq)
{
	if (!t || !t->recording)
		return;
	put_request(t, rq);
	end(t);
}

void trace_begin_job(struct tracer *t, int64_t now_us)
{
	char id[UUID_TEXT];

	if (!t)
		return;
	uuid_new(now_us, id);
	trace_begin(t, &(struct trace_caller){ .id = id, .now_us = now_us, .began_ns = clock_ns() });
}

void trace_end_job(struct tracer *t, const char *name, bool failed)
{
	if (!t || !t->recording)
		return;
	put_job(t, name, failed);
	end(t);
}
