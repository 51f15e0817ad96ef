/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one request did and when, as the spans of OpenTelemetry: one of the server for the request (or one for the run of a job), below
 * it one for each thing that an observer was told of. They are kept in memory while the request runs, and become records of the host's ring
 * (telemetry/ring.h) once its answer has gone; pulumi-job-export-telemetry sends them. A process that finds no ring traces
 * nothing. The trace of the caller goes on (https://www.w3.org/TR/trace-context/): its ids, its state, and whether it is
 * recorded at all. No text of a statement, no value of a query, no address of an outgoing call gets into a span.
 */
#ifndef TELEMETRY_TRACE_H
#define TELEMETRY_TRACE_H

#include "base/arena.h"
#include "base/observer.h"
#include "telemetry/meter.h"

struct tracer;

enum trace_kind { TRACE_STATEMENT, TRACE_OBJECT, TRACE_KEY, TRACE_WEB, TRACE_KIND_COUNT };

/* Which requests are recorded. */
struct trace_sampler {
	bool parent_decides;	/* a request that continues a trace does what its caller says */
	double ratio;		/* of the others: 0 none, 1 all */
};

/* The file in the run folder. */
const char *trace_path(struct arena *arena, const char *run_dir);
/* NULL when there is no such file. Counts what it cannot keep in `meter`, which may be NULL. */
struct tracer *tracer_open(const char *path, struct meter *meter, struct trace_sampler sampler);
void tracer_close(struct tracer *t);

/* All below accept a NULL tracer. */

struct trace_caller {
	const char *id;				/* of the request, a UUID: the id of a trace that begins here */
	const char *traceparent, *tracestate;	/* headers; NULL: none */
	const char *user_agent;			/* NULL: it did not say */
	bool secure;				/* it came over HTTPS */
	int64_t now_us, began_ns;		/* the same moment on both clocks */
};
/* A request begins; one that was under way is forgotten. What `caller` names is copied. */
void trace_begin(struct tracer *t, const struct trace_caller *caller);
/* Something was done for it. Repetitions of a statement become one span. Nothing happens between requests. */
void trace_add(struct tracer *t, enum trace_kind kind, const struct observation *what);

struct trace_request {
	const char *operation, *route;	/* name of the operation and template of its path; NULL: the address is none of the API */
	const char *method, *id;
	const char *organization, *project, *stack, *update;	/* from the path; NULL: none */
	int status;
};
/* Its answer has gone: leaves the spans in the ring. */
void trace_end(struct tracer *t, const struct trace_request *request);

/* A run of a job begins, with a trace of its own. */
void trace_begin_job(struct tracer *t, int64_t now_us);
/* It did something, or failed: leaves the spans. A run that found nothing to do is not ended: the next one forgets it. */
void trace_end_job(struct tracer *t, const char *name, bool failed);

#endif
