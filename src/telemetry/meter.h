/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counters and histograms of one host, in a file that its responders and jobs map into their memory: a count is
 * an atomic addition, and a process that ends takes nothing with it. pulumi-serve makes the file; a process that
 * finds none counts nothing. Never fails and never waits, except that the first count of a new combination of
 * labels takes a lock.
 */
#ifndef TELEMETRY_METER_H
#define TELEMETRY_METER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

#define METER_LABELS 3		/* of one metric, most */
#define METER_BUCKETS 20	/* of a histogram, with the one without a bound */

enum metric_kind { COUNTER, HISTOGRAM, GAUGE };

enum metric {
#define METRIC(id, kind, name, labels, help) METRIC_##id,
#include "telemetry/metric.def"
#undef METRIC
	METRIC_COUNT
};

struct metric_row {
	enum metric_kind kind;
	const char *name, *labels, *help;
};
extern const struct metric_row metric_table[METRIC_COUNT];

/* Bounds of the buckets in nanoseconds; the last bucket has none. */
extern const int64_t meter_bounds[METER_BUCKETS - 1];

struct meter;

/* The file in the run folder. */
const char *meter_path(struct arena *arena, const char *run_dir);
/* Makes the file, of a fixed size on disk, unless a good one is there: counts survive a restart. */
int meter_make(const char *path, struct err *e) WARN_UNUSED;
/* NULL when there is no file, or one of another version. */
struct meter *meter_open(const char *path);
void meter_close(struct meter *m);
/* When counting began, microseconds since 1970, UTC; 0: not known, or there is no meter. */
int64_t meter_made_us(const struct meter *m);

/* Values of the metric's labels in order, NULL behind the last; they are copied, and cut when they are very long. */
#define LABELS(...) ((const char *const[METER_LABELS + 1]){ __VA_ARGS__ })
#define NO_LABELS LABELS(NULL)

/* All accept a NULL meter. */
void meter_add(struct meter *m, enum metric id, const char *const labels[], uint64_t by);
void meter_observe(struct meter *m, enum metric id, const char *const labels[], int64_t nanoseconds);
/* The same as adding 1, once the transaction that is under way has committed. */
void meter_add_on_commit(struct meter *m, enum metric id, const char *const labels[]);
void meter_transaction_ended(struct meter *m, bool committed);

struct meter_values {
	const char *labels[METER_LABELS];
	uint64_t sum;				/* nanoseconds of a histogram, the value of a counter */
	uint64_t buckets[METER_BUCKETS];	/* not cumulative */
};
/* Calls `each` for every combination of labels of the metric that was ever counted. */
void meter_each(const struct meter *m, enum metric id, void (*each)(void *context, const struct meter_values *values),
		void *context);

#endif
