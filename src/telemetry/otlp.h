/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OTLP 1.x, the protocol of OpenTelemetry collectors (https://opentelemetry.io/docs/specs/otlp/): what the OTEL_… settings
 * say, the messages, and how they are sent over gRPC or HTTP. Only pulumi-job-export-telemetry sends; nobody else waits.
 */
#ifndef TELEMETRY_OTLP_H
#define TELEMETRY_OTLP_H

#include "base/arena.h"
#include "telemetry/exposition.h"
#include "telemetry/trace.h"

struct otlp {
	bool grpc;
	const char *endpoint;		/* http://… or https://… without a slash at its end */
	const char *headers;		/* of each request, lines that end in '\n'; secret */
	const char *ca_file;		/* NULL: the system's authorities */
	int timeout_ms, interval_ms;	/* of one request; between two exports of the metrics */
	struct trace_sampler sampler;
	struct span resource;		/* message Resource: what all telemetry of this host is about */
};

/* 0 when OTEL_EXPORTER_OTLP_ENDPOINT is not set: then there is no telemetry to send. -1 with a sentence that names the setting. */
int otlp_settings(struct arena *arena, struct otlp *ret_otlp, struct err *e) WARN_UNUSED;

/* --- messages; appended --- */
/* ExportTraceServiceRequest of records of the ring. */
void otlp_traces(const struct otlp *o, struct span records, struct buffer *out);
/* ExportMetricsServiceRequest of the host's counts, which may be NULL, and the gauges. Counts are cumulative. */
void otlp_metrics(const struct otlp *o, const struct meter *m, const struct gauge gauges[METRIC_COUNT], int64_t now_us,
		  struct buffer *out);

/* --- sending --- */
enum otlp_signal { OTLP_TRACES, OTLP_METRICS, OTLP_SIGNAL_COUNT };

struct otlp_client;
/* `o` must outlive it. A call ends early once `going` is false. */
struct otlp_client *otlp_open(const struct otlp *o, bool (*going)(void));
void otlp_close(struct otlp_client *c);
/*
 * 1 when it was taken; `*e` may have a sentence all the same: what of it was not. 0 when it was refused and always would be, -1
 * when it may be sent again later; `*e` has the sentence.
 */
int otlp_send(struct otlp_client *c, enum otlp_signal signal, struct span message, struct err *e) WARN_UNUSED;

#endif
