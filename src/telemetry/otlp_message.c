/* SPDX-License-Identifier: Apache-2.0 */
/* The messages of opentelemetry/proto/{collector/,}{trace,metrics}/v1: each number of a field is from there. */
#include "config.h"

#include "telemetry/attribute.h"
#include "telemetry/otlp.h"

#define CUMULATIVE 2	/* AggregationTemporality */

/* Message InstrumentationScope. */
static void put_scope(struct buffer *out)
{
	size_t at = wire_open(out, 1);

	wire_bytes(out, 1, SPAN("pulumi-api"));
	wire_bytes(out, 2, SPAN(PACKAGE_VERSION));
	wire_close(out, at);
}

void otlp_traces(const struct otlp *o, struct span records, struct buffer *out)
{
	size_t resource_spans = wire_open(out, 1), scope_spans;

	wire_bytes(out, 1, o->resource);
	scope_spans = wire_open(out, 2);
	put_scope(out);
	buffer_append(out, records.data, records.length);
	wire_close(out, scope_spans);
	wire_close(out, resource_spans);
}

/* --- metrics --- */

/* What OpenTelemetry's conventions name; Prometheus' spelling of these is ours. */
static const struct {
	const char *ours, *theirs;
} names[] = {
	{ "http_server_request_duration_seconds", "http.server.request.duration" },
	{ "http_client_request_duration_seconds", "http.client.request.duration" },
	{ "db_client_operation_duration_seconds", "db.client.operation.duration" },
	{ "http_request_method", "http.request.method" },
	{ "http_response_status_code", "http.response.status_code" },
	{ "db_query_summary", "db.query.summary" },
	{ "server_address", "server.address" },
	{ "error_type", "error.type" },
};

static const char *convention(const char *ours)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcmp(names[i].ours, ours))
			return names[i].theirs;
	return NULL;
}

static bool cut_end(char *name, const char *end)
{
	size_t n = strlen(name), m = strlen(end);

	if (n <= m || strcmp(name + n - m, end))
		return false;
	name[n - m] = '\0';
	return true;
}

/* pulumi_journal_stored_bytes_total is pulumi.journal_stored in By: a collector that serves Prometheus makes the same of it again. */
static void put_name(struct buffer *out, const char *ours)
{
	const char *theirs = convention(ours), *unit = NULL;
	char name[128] = "";

	memcpy(name, ours, strnlen(ours, sizeof(name) - 1));
	cut_end(name, "_total");
	if (cut_end(name, "_seconds"))
		unit = "s";
	else if (cut_end(name, "_bytes"))
		unit = "By";
	if (!strncmp(name, "pulumi_", 7))
		name[6] = '.';
	wire_bytes(out, 1, span_of(theirs ? theirs : name));
	if (unit)
		wire_bytes(out, 3, span_of(unit));
}

struct writer {
	const struct metric_row *row;
	struct buffer *out;
	uint64_t start_ns, now_ns;
	bool begun;
	size_t metric, data;	/* opened */
};

/* Message Metric with one of gauge, sum or histogram; one without a data point is not mentioned. */
static void begin(struct writer *w)
{
	static const unsigned fields[] = { [GAUGE] = 5, [COUNTER] = 7, [HISTOGRAM] = 9 };

	if (w->begun)
		return;
	w->begun = true;
	w->metric = wire_open(w->out, 2);
	put_name(w->out, w->row->name);
	wire_bytes(w->out, 2, span_of(w->row->help));
	w->data = wire_open(w->out, fields[w->row->kind]);
}

static void end(struct writer *w)
{
	if (!w->begun)
		return;
	if (w->row->kind != GAUGE)
		wire_varint(w->out, 2, CUMULATIVE);
	if (w->row->kind == COUNTER)
		wire_varint(w->out, 3, true);
	wire_close(w->out, w->data);
	wire_close(w->out, w->metric);
}

static void put_labels(struct writer *w, unsigned field, const char *const values[METER_LABELS])
{
	const char *at = w->row->labels;

	for (int i = 0; i < METER_LABELS && *at; i++) {
		size_t n = strcspn(at, " ");
		char name[64] = "";

		memcpy(name, at, n < sizeof(name) ? n : sizeof(name) - 1);
		if (values[i] && *values[i])
			attribute_text(w->out, field, convention(name) ? convention(name) : name, span_of(values[i]));
		at += n;
		at += *at == ' ';
	}
}

static void put_times(struct writer *w)
{
	if (w->row->kind != GAUGE)
		wire_fixed64(w->out, 2, w->start_ns);
	wire_fixed64(w->out, 3, w->now_ns);
}

/* Message NumberDataPoint. */
static void put_number(struct writer *w, const char *const labels[METER_LABELS], int64_t value)
{
	size_t point;

	begin(w);
	point = wire_open(w->out, 1);
	put_labels(w, 7, labels);
	put_times(w);
	wire_fixed64(w->out, 6, (uint64_t)value);
	wire_close(w->out, point);
}

/* Message HistogramDataPoint. */
static void put_histogram(struct writer *w, const struct meter_values *v)
{
	size_t point, packed;
	uint64_t count = 0;

	begin(w);
	point = wire_open(w->out, 1);
	put_labels(w, 9, v->labels);
	put_times(w);
	packed = wire_open(w->out, 6);
	for (int i = 0; i < METER_BUCKETS; i++) {
		count += v->buckets[i];
		wire_packed64(w->out, v->buckets[i]);
	}
	wire_close(w->out, packed);
	packed = wire_open(w->out, 7);
	for (int i = 0; i < METER_BUCKETS - 1; i++)
		wire_packed_double(w->out, (double)meter_bounds[i] / 1e9);
	wire_close(w->out, packed);
	wire_fixed64(w->out, 4, count);
	wire_double(w->out, 5, (double)v->sum / 1e9);
	wire_close(w->out, point);
}

static void put_series(void *context, const struct meter_values *v)
{
	struct writer *w = context;

	if (w->row->kind == HISTOGRAM)
		put_histogram(w, v);
	else
		put_number(w, v->labels, (int64_t)v->sum);
}

static void put_metric(struct writer *w, enum metric id, const struct meter *m, const struct gauge *g)
{
	if (w->row->kind != GAUGE)
		meter_each(m, id, put_series, w);
	else if (g->known)
		put_number(w, (const char *const[METER_LABELS]){ g->label }, g->value);
	/* A counter that exists from the start shows its first increase. */
	if (m && w->row->kind == COUNTER && !*w->row->labels && !w->begun)
		put_number(w, (const char *const[METER_LABELS]){ NULL }, 0);
	end(w);
}

void otlp_metrics(const struct otlp *o, const struct meter *m, const struct gauge gauges[METRIC_COUNT], int64_t now_us,
		  struct buffer *out)
{
	size_t resource_metrics = wire_open(out, 1), scope_metrics;

	wire_bytes(out, 1, o->resource);
	scope_metrics = wire_open(out, 2);
	put_scope(out);
	for (int i = 0; i < METRIC_COUNT; i++) {
		struct writer w = { .row = &metric_table[i], .out = out, .start_ns = (uint64_t)meter_made_us(m) * 1000,
				    .now_ns = (uint64_t)now_us * 1000 };

		put_metric(&w, (enum metric)i, m, &gauges[i]);
	}
	wire_close(out, scope_metrics);
	wire_close(out, resource_metrics);
}
