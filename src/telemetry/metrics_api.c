/* SPDX-License-Identifier: Apache-2.0 */
/* GET /metrics: behind a secret of its own, so that a scraper needs no user. */
#include "api/route.h"
#include "base/settings.h"
#include "crypto/crypto.h"
#include "telemetry/gauge.h"

#define SCHEME "webhook-token "

/* Digests are compared, whose bytes say nothing about the secret, and in constant time all the same. */
static bool same_secret(const char *a, const char *b)
{
	unsigned char x[SHA256_BYTES], y[SHA256_BYTES];
	volatile unsigned char different = 0;

	sha256(span_of(a), x);
	sha256(span_of(b), y);
	for (int i = 0; i < SHA256_BYTES; i++)
		different |= x[i] ^ y[i];
	return !different;
}

static int check_secret(struct request *rq, struct err *e)
{
	const char *secret = setting("METRICS_WEBHOOK_SECRET"), *header = http_header(&rq->http, "AUTHORIZATION");

	if (!secret)
		return err_set(e, ERR_NOT_FOUND, "Not Found: GET /metrics is not served here: METRICS_WEBHOOK_SECRET is not set");
	if (!header || strncmp(header, SCHEME, strlen(SCHEME)) || !same_secret(header + strlen(SCHEME), secret))
		return err_set(e, ERR_UNAUTHORIZED, "Unauthorized: send 'Authorization: webhook-token' and METRICS_WEBHOOK_SECRET");
	return 1;
}

/* GetMetrics: of this host; OpenMetrics for whoever mentions it in Accept. */
int api_get_metrics(struct request *rq, struct http_reply *rp, struct err *e)
{
	const char *accept = http_header(&rq->http, "ACCEPT");
	bool open = accept && strstr(accept, "application/openmetrics-text");
	struct gauge gauges[METRIC_COUNT];

	if (check_secret(rq, e) < 0)
		return -1;

	gauges_read(rq->db, rq->now_us, gauges);

	exposition_write(rq->app->meter, gauges, open, &rp->body);
	rp->content_type = open ? EXPOSITION_OPEN : EXPOSITION_TEXT;
	rp->status = 200;
	return 1;
}
