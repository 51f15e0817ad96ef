/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry.h"

#include <unistd.h>

#include "log.h"
#include "telemetry/meter.h"
#include "telemetry/otlp.h"
#include "telemetry/ring.h"
#include "telemetry/trace.h"

void serve_telemetry(const struct serve_options *o, struct arena *arena)
{
	const char *traces = trace_path(arena, o->run_dir);
	struct err e = { 0 };

	if (meter_make(meter_path(arena, o->run_dir), &e) < 0)
		serve_log("warning", "event=no_metrics detail=\"%s\"", e.detail);
	err_clear(&e);
	if (!o->traced)
		unlink(traces);
	else if (ring_make(traces, &e) < 0)
		serve_log("warning", "event=no_traces detail=\"%s\"", e.detail);
}
