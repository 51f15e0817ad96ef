/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/metric_lines.h"

struct adding {
	const struct metric_row *row;
	struct metric_totals totals;
};

/* Whether a label says that it went wrong. */
static bool is_failure(const struct metric_row *row, const char *const values[METER_LABELS])
{
	const char *at = row->labels;

	for (int i = 0; i < METER_LABELS && *at; i++) {
		size_t n = strcspn(at, " ");

		if (!strncmp(at, "error_type", n) && *values[i])
			return true;
		if (!strncmp(at, "http_response_status_code", n) && *values[i] == '5')
			return true;
		if (!strncmp(at, "result", n) && !strcmp(values[i], "failed"))
			return true;
		at += n;
		at += *at == ' ';
	}
	return false;
}

static void add(void *context, const struct meter_values *v)
{
	struct adding *a = context;
	uint64_t count = a->row->kind == COUNTER ? v->sum : 0;

	for (int i = 0; i < METER_BUCKETS; i++) {
		count += v->buckets[i];
		a->totals.buckets[i] += v->buckets[i];
	}
	a->totals.count += count;
	a->totals.sum += v->sum;
	if (is_failure(a->row, v->labels))
		a->totals.failures += count;
}

/* The bound below which `percent` of the hundred lie; ">60" when it is above the last. */
static void put_percentile(struct buffer *out, const struct metric_totals *was, const struct metric_totals *is, unsigned percent)
{
	uint64_t all = is->count - was->count, seen = 0;
	int i = 0;

	for (; i < METER_BUCKETS - 1; i++) {
		seen += is->buckets[i] - was->buckets[i];
		if (seen * 100 >= all * percent)
			break;
	}
	buffer_printf(out, " p%u=%s%g", percent, i == METER_BUCKETS - 1 ? ">" : "",
		      (double)meter_bounds[i == METER_BUCKETS - 1 ? i - 1 : i] / 1e9);
}

static void put_begin(struct buffer *out, const struct metric_row *row)
{
	buffer_printf(out, "level=info event=metric name=%s", row->name);
}

static void put_counts(struct buffer *out, const struct metric_row *row, const struct metric_totals *was, const struct metric_totals *is)
{
	uint64_t more = is->count - was->count;

	if (!more)
		return;
	put_begin(out, row);
	if (row->kind == COUNTER) {
		buffer_printf(out, " increase=%llu total=%llu", (unsigned long long)more, (unsigned long long)is->count);
	} else {
		buffer_printf(out, " count=%llu mean=%.6f", (unsigned long long)more, (double)(is->sum - was->sum) / 1e9 / (double)more);
		put_percentile(out, was, is, 50);
		put_percentile(out, was, is, 99);
	}
	buffer_printf(out, " failed=%llu\n", (unsigned long long)(is->failures - was->failures));
}

static void put_gauge(struct buffer *out, const struct metric_row *row, struct metric_totals *last, const struct gauge *g)
{
	if (!g->known || (last->known && last->gauge == g->value))
		return;
	put_begin(out, row);
	if (g->label)
		buffer_printf(out, " %s=%s", row->labels, g->label);
	buffer_printf(out, " value=%lld\n", (long long)g->value);
	*last = (struct metric_totals){ .known = true, .gauge = g->value };
}

void metric_lines(struct metric_totals last[METRIC_COUNT], const struct meter *m, const struct gauge gauges[METRIC_COUNT],
		  struct buffer *out)
{
	for (int i = 0; i < METRIC_COUNT; i++) {
		struct adding a = { .row = &metric_table[i], .totals = { .known = true } };

		if (a.row->kind == GAUGE) {
			put_gauge(out, a.row, &last[i], &gauges[i]);
			continue;
		}
		meter_each(m, (enum metric)i, add, &a);
		/* A file that was made anew begins at nothing again. */
		if (last[i].known && a.totals.count >= last[i].count)
			put_counts(out, a.row, &last[i], &a.totals);
		last[i] = a.totals;
	}
}
