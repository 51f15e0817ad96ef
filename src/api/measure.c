/* SPDX-License-Identifier: Apache-2.0 */
#include "api/measure.h"

#include "api/route.h"
#include "base/clock.h"
#include "telemetry/meter.h"

/* A client may send any word: only those of HTTP become labels. */
static const char *method_of(const struct request *rq)
{
	static const char *const known[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT" };

	for (size_t i = 0; rq->http.method && i < sizeof(known) / sizeof(known[0]); i++)
		if (!strcmp(known[i], rq->http.method))
			return known[i];
	return "_OTHER";
}

void api_measure(const struct request *rq, const struct http_reply *rp)
{
	char status[4] = { (char)('0' + rp->status / 100 % 10), (char)('0' + rp->status / 10 % 10), (char)('0' + rp->status % 10) };

	meter_observe(rq->app->meter, METRIC_HTTP_SERVER_DURATION,
		      LABELS(method_of(rq), status, rq->route ? rq->route->name : NULL), clock_ns() - rq->began_ns);
}
