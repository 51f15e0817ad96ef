/* SPDX-License-Identifier: Apache-2.0 */
/* What Prometheus reads: the text format 0.0.4, or OpenMetrics 1.0.0, which differs in names of counters and the end. */
#ifndef TELEMETRY_EXPOSITION_H
#define TELEMETRY_EXPOSITION_H

#include "base/buffer.h"
#include "telemetry/meter.h"

#define EXPOSITION_TEXT "text/plain; version=0.0.4; charset=utf-8"
#define EXPOSITION_OPEN "application/openmetrics-text; version=1.0.0; charset=utf-8"

/* The value of a gauge; one that is not given is left out. */
struct gauge {
	bool known;
	const char *label;	/* value of its one label; NULL: it has none */
	int64_t value;
};

/* Appends everything. `m` may be NULL: then there are only gauges, of which there is one for each metric. */
void exposition_write(const struct meter *m, const struct gauge gauges[METRIC_COUNT], bool open, struct buffer *out);

#endif
