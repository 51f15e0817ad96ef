/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends what the processes of this host left in its run folder: traces as they come, metrics in their interval, to an
 * OpenTelemetry collector; and tells the metrics as lines of the log. One works on a host at a time. pulumi-serve keeps it
 * running. A collector that is away costs traces at most, the oldest first, and never a request.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/settings.h"
#include "crypto/crypto.h"
#include "job.h"
#include "start/start.h"
#include "telemetry/gauge.h"
#include "telemetry/metric_lines.h"
#include "telemetry/otlp.h"
#include "telemetry/ring.h"
#include "telemetry/trace.h"

#define SECOND_NS 1000000000LL
#define LINES_NS (60 * SECOND_NS)
#define BATCH_BYTES (512 << 10)		/* of one request; collectors take 4 MB */
#define PAUSE_MOST_NS (30 * SECOND_NS)

/* What the rounds of a process share; zero at its start. */
static struct exporter {
	struct arena arena;
	bool open, sends, lines;
	struct otlp otlp;
	struct otlp_client *client;
	struct ring *ring;		/* NULL: nobody on this host traces */
	struct gauge gauges[METRIC_COUNT];
	struct metric_totals totals[METRIC_COUNT];
	int64_t metrics_due_ns, lines_due_ns;
	int64_t again_ns, pause_ns;	/* the collector was away: not before then, and twice as long the next time */
	struct err away;		/* why; kind 0: it is not */
	bool complained;		/* of what it refuses */
	uint64_t exported, lost;
	struct buffer records, message;	/* kept from round to round */
} x;

/* One exporter a host: 0 when there is one. The lock ends with the process. */
static int lock(struct err *e)
{
	const char *path = arena_printf(&x.arena, "%s/export-telemetry.lock", setting("PULUMI_RUN_DIR"));
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_internal(e, "PULUMI_RUN_DIR: cannot make %s: %s", path, strerror(errno));
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return 1;
	close(fd);
	return 0;
}

static int open_exporter(struct err *e)
{
	int sends = otlp_settings(&x.arena, &x.otlp, e), locked;

	if (sends < 0 || setting_bool("PULUMI_ENABLE_DEPRECATED_METRICS", &x.lines, e) < 0)
		return -1;
	x.sends = sends;
	x.lines = x.lines && job_lasting();
	if (!x.sends && !x.lines)
		return JOB_ENOUGH;
	locked = lock(e);
	if (locked <= 0)
		return locked < 0 ? -1 : JOB_ENOUGH;
	x.open = true;
	if (x.sends) {
		x.ring = ring_open(trace_path(&x.arena, setting("PULUMI_RUN_DIR")));
		x.client = otlp_open(&x.otlp, job_going);
	}
	x.lines_due_ns = clock_ns();
	x.metrics_due_ns = clock_ns();
	return 1;
}

/* --- how it goes with the collector --- */

static void count(struct app *app, const char *result, uint64_t records)
{
	if (records)
		meter_add(app->meter, METRIC_TRACES, LABELS(result), records);
	if (strcmp(result, "exported"))
		x.lost += records;
	else
		x.exported += records;
}

static void count_send(struct app *app, const char *of, int rc)
{
	meter_add(app->meter, METRIC_TELEMETRY_SENDS, LABELS(of, rc < 0 ? "failed" : rc ? "accepted" : "refused"), 1);
}

/* A series that begins with its first loss would show no increase. */
static void begin_counting(struct app *app)
{
	static const char *const lost[] = { "overwritten", "refused", "broken" }, *const signals[] = { "traces", "metrics" };

	for (size_t i = 0; i < sizeof(lost) / sizeof(lost[0]); i++)
		meter_add(app->meter, METRIC_TRACES, LABELS(lost[i]), 0);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		meter_add(app->meter, METRIC_TELEMETRY_SENDS, LABELS(signals[i], "failed"), 0);
		meter_add(app->meter, METRIC_TELEMETRY_SENDS, LABELS(signals[i], "refused"), 0);
	}
}

/* Somewhere between half and all of the pause, so that many hosts do not come back at once. */
static void wait_longer(void)
{
	unsigned char random;

	x.pause_ns = x.pause_ns ? 2 * x.pause_ns : SECOND_NS;
	if (x.pause_ns > PAUSE_MOST_NS)
		x.pause_ns = PAUSE_MOST_NS;
	random_bytes(&random, 1);
	x.again_ns = clock_ns() + x.pause_ns / 2 + x.pause_ns / 2 / 255 * random;
}

/* A line when it begins to be away and one when it is back, not one a second. */
static void note_answer(int rc, const struct err *e)
{
	if (rc < 0) {
		if (!job_going())
			return;
		if (!x.away.kind)
			fprintf(stderr, "level=warning job=export-telemetry event=collector_away detail=\"%s\"\n", e->detail);
		x.away = *e;
		wait_longer();
		return;
	}
	if (x.away.kind)
		fprintf(stderr, "level=info job=export-telemetry event=collector_back\n");
	x.away = (struct err){ 0 };
	x.pause_ns = x.again_ns = 0;
	if (e->kind && !x.complained)
		fprintf(stderr, "level=warning job=export-telemetry event=collector_refuses detail=\"%s\"\n", e->detail);
	x.complained = e->kind != ERR_NONE;
}

static bool away(void)
{
	return x.away.kind && clock_ns() < x.again_ns;
}

/* --- what is sent --- */

/* 1 when more may be waiting, 0 when not, -1 when the collector is away. */
static int send_traces(struct app *app)
{
	struct err e = { 0 };
	size_t overwritten, found;
	int rc = 1;

	if (!x.ring)
		return 0;
	buffer_clear(&x.records);
	found = ring_read(x.ring, BATCH_BYTES, clock_ns(), &x.records, &overwritten);
	count(app, "overwritten", overwritten);
	if (found) {
		buffer_clear(&x.message);
		otlp_traces(&x.otlp, buffer_span(&x.records), &x.message);
		rc = otlp_send(x.client, OTLP_TRACES, buffer_span(&x.message), &e);
		count_send(app, "traces", rc);
		note_answer(rc, &e);
		if (rc < 0)
			return -1;
	}
	count(app, "broken", ring_taken(x.ring));
	count(app, rc ? "exported" : "refused", found);
	return x.records.length >= BATCH_BYTES;
}

/* The database may be away when we start, and when we ask: its gauge says so. */
static void read_gauges(struct app *app)
{
	struct err ignored = { 0 };

	if (!app->db)
		(void)!start_more(app, START_DATABASE, &x.arena, &ignored);
	gauges_read(app->db, app->now_us(), x.gauges);
}

/* What could not be sent is in the next, since counts are cumulative. */
static int send_metrics(struct app *app)
{
	struct err e = { 0 };
	int rc;

	if (clock_ns() < x.metrics_due_ns)
		return 0;
	read_gauges(app);
	buffer_clear(&x.message);
	otlp_metrics(&x.otlp, app->meter, x.gauges, app->now_us(), &x.message);
	rc = otlp_send(x.client, OTLP_METRICS, buffer_span(&x.message), &e);
	count_send(app, "metrics", rc);
	note_answer(rc, &e);
	if (rc >= 0)
		x.metrics_due_ns = clock_ns() + x.otlp.interval_ms * 1000000LL;
	return rc < 0 ? -1 : 0;
}

static void write_lines(struct app *app)
{
	_cleanup_(buffer_done) struct buffer lines = BUFFER_INIT;

	if (clock_ns() < x.lines_due_ns)
		return;
	x.lines_due_ns += LINES_NS;
	read_gauges(app);
	metric_lines(x.totals, app->meter, x.gauges, &lines);
	fwrite(lines.data, 1, lines.length, stdout);
	fflush(stdout);
}

/* One round; the frame pauses a second after each. */
static int work(struct app *app, struct buffer *said, struct err *e)
{
	bool opened = x.open;
	int rc = opened ? 1 : open_exporter(e), more = 0;

	if (rc != 1)
		return rc;
	if (!opened && x.sends)
		begin_counting(app);
	if (x.lines)
		write_lines(app);
	if (x.sends && !away()) {
		do
			more = send_traces(app);
		while (more > 0 && job_going());
		if (more >= 0 && send_metrics(app) < 0)
			more = -1;
	}
	buffer_clear(said);
	if (x.exported || x.lost)
		buffer_printf(said, " traces=%llu lost=%llu", (unsigned long long)x.exported, (unsigned long long)x.lost);
	if (more < 0 && !job_lasting()) {
		*e = x.away;
		return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct job job = {
		.name = "export-telemetry",
		.help = "Sends the traces and the metrics of this host to the OpenTelemetry collector of OTEL_EXPORTER_OTLP_ENDPOINT, and\n"
			"with --for also writes a line each minute for every metric that changed (PULUMI_ENABLE_DEPRECATED_METRICS).\n"
			"pulumi-serve keeps it running on every host.",
		.settings = "telemetry,serving,database",
		.lasting = true,
		.work = work,
	};
	int code = job_main(&job, argc, argv);

	otlp_close(x.client);
	ring_close(x.ring);
	buffer_done(&x.records);
	buffer_done(&x.message);
	arena_clear(&x.arena);
	return code;
}
