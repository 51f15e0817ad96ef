/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/exposition.h"

struct writer {
	const struct metric_row *row;
	bool open, begun;
	struct buffer *out;
};

/* OpenMetrics names a family of counters without its _total. */
static int family_length(const struct writer *w)
{
	size_t n = strlen(w->row->name);

	return (int)(w->open && w->row->kind == COUNTER ? n - strlen("_total") : n);
}

/* A family without a sample is not mentioned. */
static void begin(struct writer *w)
{
	static const char *const kinds[] = { [COUNTER] = "counter", [HISTOGRAM] = "histogram", [GAUGE] = "gauge" };

	if (w->begun)
		return;
	w->begun = true;
	buffer_printf(w->out, "# HELP %.*s %s\n# TYPE %.*s %s\n", family_length(w), w->row->name, w->row->help,
		      family_length(w), w->row->name, kinds[w->row->kind]);
}

static void put_value(const char *text, struct buffer *out)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buffer_putc(out, '\\');
		if (*text == '\n')
			buffer_puts(out, "\\n");
		else
			buffer_putc(out, *text);
	}
}

/* `bound` is the value of the label le, NULL: none. */
static void put_labels(const struct writer *w, const char *const values[METER_LABELS], const char *bound)
{
	const char *at = w->row->labels, *comma = "{";

	for (int i = 0; i < METER_LABELS && *at; i++) {
		int n = (int)strcspn(at, " ");

		if (values[i] && *values[i]) {
			buffer_printf(w->out, "%s%.*s=\"", comma, n, at);
			put_value(values[i], w->out);
			buffer_putc(w->out, '"');
			comma = ",";
		}
		at += n;
		at += *at == ' ';
	}
	if (bound)
		buffer_printf(w->out, "%sle=\"%s\"", comma, bound);
	if (bound || *comma == ',')
		buffer_putc(w->out, '}');
}

static void put_seconds(uint64_t nanoseconds, struct buffer *out)
{
	buffer_printf(out, " %llu.%09llu\n", (unsigned long long)nanoseconds / 1000000000, (unsigned long long)nanoseconds % 1000000000);
}

/* "0.005", "10"; in OpenMetrics "10.0". Trailing zeros go. */
static void put_bound(const struct writer *w, int i, struct buffer *ret_text)
{
	buffer_clear(ret_text);
	if (i == METER_BUCKETS - 1) {
		buffer_puts(ret_text, "+Inf");
		return;
	}
	buffer_printf(ret_text, "%g", (double)meter_bounds[i] / 1e9);
	if (w->open && !strchr(ret_text->data, '.'))
		buffer_puts(ret_text, ".0");
}

static void write_histogram(struct writer *w, const struct meter_values *v)
{
	_cleanup_(buffer_done) struct buffer bound = BUFFER_INIT;
	unsigned long long count = 0;

	for (int i = 0; i < METER_BUCKETS; i++) {
		count += v->buckets[i];
		put_bound(w, i, &bound);
		buffer_printf(w->out, "%s_bucket", w->row->name);
		put_labels(w, v->labels, bound.data);
		buffer_printf(w->out, " %llu\n", count);
	}
	buffer_printf(w->out, "%s_sum", w->row->name);
	put_labels(w, v->labels, NULL);
	put_seconds(v->sum, w->out);
	buffer_printf(w->out, "%s_count", w->row->name);
	put_labels(w, v->labels, NULL);
	buffer_printf(w->out, " %llu\n", count);
}

static void write_series(void *context, const struct meter_values *v)
{
	struct writer *w = context;

	begin(w);
	if (w->row->kind == HISTOGRAM) {
		write_histogram(w, v);
		return;
	}
	buffer_puts(w->out, w->row->name);
	put_labels(w, v->labels, NULL);
	buffer_printf(w->out, " %llu\n", (unsigned long long)v->sum);
}

static void write_gauge(struct writer *w, const struct gauge *g)
{
	if (!g->known)
		return;
	begin(w);
	buffer_puts(w->out, w->row->name);
	put_labels(w, (const char *const[METER_LABELS]){ g->label }, NULL);
	buffer_printf(w->out, " %lld\n", (long long)g->value);
}

void exposition_write(const struct meter *m, const struct gauge gauges[METRIC_COUNT], bool open, struct buffer *out)
{
	for (int i = 0; i < METRIC_COUNT; i++) {
		struct writer w = { .row = &metric_table[i], .open = open, .out = out };

		if (w.row->kind == GAUGE)
			write_gauge(&w, &gauges[i]);
		else
			meter_each(m, (enum metric)i, write_series, &w);
		/* A counter that exists from the start shows its first increase. */
		if (m && w.row->kind == COUNTER && !*w.row->labels && !w.begun)
			write_series(&w, &(struct meter_values){ 0 });
	}
	if (open)
		buffer_puts(out, "# EOF\n");
}
