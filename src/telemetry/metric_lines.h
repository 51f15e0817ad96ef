/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Metrics as lines of a log, for whoever watches logs only (PULUMI_ENABLE_DEPRECATED_METRICS): one line for each metric that
 * changed since the last time, over all its labels.
 */
#ifndef TELEMETRY_METRIC_LINES_H
#define TELEMETRY_METRIC_LINES_H

#include "telemetry/exposition.h"

/* What the lines of the last time said. */
struct metric_totals {
	bool known;
	uint64_t count, failures, sum, buckets[METER_BUCKETS];
	int64_t gauge;
};

/*
 * Appends the lines and remembers the values in `last`, METRIC_COUNT of them, zeroed before the first time: that one tells gauges only, since
 * it cannot know what increased.
 */
void metric_lines(struct metric_totals last[METRIC_COUNT], const struct meter *m, const struct gauge gauges[METRIC_COUNT],
		  struct buffer *out);

#endif
