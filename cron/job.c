/* SPDX-License-Identifier: Apache-2.0 */
#include "job.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/settings.h"
#include "start/start.h"
#include "telemetry/meter.h"
#include "telemetry/trace.h"
#include "turn.h"

struct options {
	bool once;
	int64_t for_seconds;	/* 0: until what is due is done */
};

/* What a signal handler and a clock must reach; a process has one job. */
static volatile sig_atomic_t stopped;
static int64_t deadline_ms;
static bool failures;

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void stop(int number)
{
	(void)number;
	stopped = 1;
}

bool job_going(void)
{
	return !stopped && (!deadline_ms || now_ms() < deadline_ms);
}

bool job_lasting(void)
{
	return deadline_ms > 0;
}

void job_failed(const char *what, const struct err *e)
{
	failures = true;
	fprintf(stderr, "level=error job=%s detail=\"%s\"\n", what, e->detail[0] ? e->detail : e->message);
}

static void help(const struct job *job)
{
	printf("usage: pulumi-job-%s [--once | --for TIME]\n%s\n\n"
	       "  --for TIME   keep looking for work, e.g. 55s or 10m; without it, do what is due and end\n"
	       "  --once       do it now, even if another host has just done it, and say so when nothing was due\n\n"
	       "It may run at the same time on several hosts. SIGTERM ends it after the piece of work in hand.\n"
	       "Exit codes: 0 done, or nothing was due; 1 something failed; 2 wrong usage.\n\n"
	       "Settings, from the environment or the configuration file (see pulumi-serve(8)):\n", job->name, job->help);
	settings_help(stdout, job->settings ? job->settings : "database,objects,keys,audit,AWS,mail");
}

/* Seconds of "55", "55s", "10m", "2h"; 0 when it is none of these. */
static int64_t duration(const char *text)
{
	char *end;
	long long n = strtoll(text, &end, 10);
	int64_t unit = !strcmp(end, "") || !strcmp(end, "s") ? 1 : !strcmp(end, "m") ? 60 : !strcmp(end, "h") ? 3600 : 0;

	return end == text || n < 1 || n > 86400 ? 0 : n * unit;
}

/* 1 go on, 0 help was given, -1 wrong usage. */
static int parse(const struct job *job, int argc, char **argv, struct options *o)
{
	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--help"))
			return help(job), 0;
		if (!strcmp(argv[i], "--once"))
			o->once = true;
		else if (!strcmp(argv[i], "--for") && i + 1 < argc && duration(argv[i + 1]))
			o->for_seconds = duration(argv[++i]);
		else
			return fprintf(stderr, "pulumi-job-%s: '%s' is not understood; see --help\n", job->name, argv[i]), -1;
	}
	return 1;
}

/* A turn that came to nothing is given back: the next start tries again. */
static int work_in_turn(const struct job *job, const struct options *o, struct app *app, struct buffer *said, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct claim turn = { 0 };
	int rc;

	if (!job->every_seconds || o->once)
		return job->work(app, said, e);
	rc = turn_take(app->db, job->name, job->every_seconds, &arena, &turn, e);
	if (rc <= 0)
		return rc;
	rc = job->work(app, said, e);
	if (rc < 0 || rc == JOB_LATER)
		claim_release(app->db, &turn);
	return rc;
}

/* What does nothing is no trace; the exporter would send its own for ever. */
static int traced_work(const struct job *job, const struct options *o, struct app *app, struct buffer *said, struct err *e)
{
	int rc;

	if (job->lasting)
		return work_in_turn(job, o, app, said, e);
	trace_begin_job(app->tracer, app->now_us());
	rc = work_in_turn(job, o, app, said, e);
	if (rc)
		trace_end_job(app->tracer, job->name, rc < 0 || failures);
	return rc;
}

static void pause_a_second(void)
{
	struct timespec second = { .tv_sec = 1 };

	nanosleep(&second, NULL);
}

/* A database that is away for a moment does not end a job that has time. */
static void loop(const struct job *job, const struct options *o, struct app *app, struct buffer *said)
{
	bool again = o->for_seconds > 0 && !job->every_seconds;
	int rc;

	do {
		struct err e = { 0 };

		rc = traced_work(job, o, app, said, &e);
		if (rc < 0)
			job_failed(job->name, &e);
		if (rc == JOB_ENOUGH)
			break;
		if (again && rc != 1 && job_going())
			pause_a_second();
	} while (again && job_going());
}

static void report(const struct job *job, const struct options *o, const struct buffer *said, int64_t began_ms)
{
	if (said->length)
		printf("level=info job=%s%s seconds=%.3f\n", job->name, said->data, (double)(now_ms() - began_ms) / 1000);
	else if (o->once && !failures)
		printf("level=info job=%s msg=\"nothing was due\"\n", job->name);
}

int job_main(const struct job *job, int argc, char **argv)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	_cleanup_(buffer_done) struct buffer said = BUFFER_INIT;
	struct sigaction end = { .sa_handler = stop };
	struct options o = { 0 };
	struct app app = { 0 };
	struct err e = { 0 };
	int64_t began_ms = now_ms();
	int rc = parse(job, argc, argv, &o);

	if (rc <= 0)
		return rc < 0 ? 2 : 0;
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGINT, &end, NULL);
	deadline_ms = o.for_seconds ? began_ms + o.for_seconds * 1000 : 0;
	if (start_open(&app, job->parts, &arena, &e) < 0)
		job_failed(job->name, &e);
	else
		loop(job, &o, &app, &said);
	if (!job->lasting)
		meter_observe(app.meter, METRIC_JOB_DURATION, LABELS(job->name, failures ? "failed" : "succeeded"),
			      (now_ms() - began_ms) * 1000000);
	start_close(&app);
	report(job, &o, &said, began_ms);
	return failures;
}
