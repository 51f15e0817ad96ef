/* SPDX-License-Identifier: Apache-2.0 */
#include "api/measure.h"

#include "api/route.h"
#include "base/clock.h"
#include "telemetry/trace.h"

/* A client may send any word: only those of HTTP become labels. */
static const char *method_of(const struct request *rq)
{
	static const char *const known[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT" };

	for (size_t i = 0; rq->http.method && i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(known[i], rq->http.method))
			return known[i];
	return "_OTHER";
}

void api_measure_begin(struct request *rq)
{
	struct trace_caller caller = { .id = rq->id, .now_us = rq->now_us, .began_ns = rq->began_ns };

	if (!rq->app->tracer)
		return;
	caller.traceparent = http_header(&rq->http, "TRACEPARENT");
	caller.tracestate = http_header(&rq->http, "TRACESTATE");
	caller.user_agent = http_header(&rq->http, "USER_AGENT");
	caller.secure = *http_variable(&rq->http, "HTTPS") && strcmp(http_variable(&rq->http, "HTTPS"), "off");
	trace_begin(rq->app->tracer, &caller);
}

/* The template of the path, never the path itself: an address may hold what opens something. */
static void trace(struct request *rq, int status)
{
	struct trace_request t = { .method = method_of(rq), .status = status, .id = rq->id, .organization = rq->path.organization,
				   .project = rq->path.project, .stack = rq->path.name, .update = rq->update_id };

	if (rq->route) {
		t.operation = rq->route->name;
		t.route = rq->route->path;
	}
	trace_end(rq->app->tracer, &t);
}

void api_measure(struct request *rq, const struct http_reply *rp)
{
	char status[4] = { (char)('0' + rp->status / 100 % 10), (char)('0' + rp->status / 10 % 10), (char)('0' + rp->status % 10) };

	meter_observe(rq->app->meter, METRIC_HTTP_SERVER_DURATION,
		      LABELS(method_of(rq), status, rq->route ? rq->route->name : NULL), clock_ns() - rq->began_ns);
	if (rq->app->tracer)
		trace(rq, rp->status);
}
