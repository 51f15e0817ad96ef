/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One process that pulumi-serve keeps: how it is started, asked to end, and what its end means for the
 * next start. Each has its own process group, so that Ctrl-C reaches only pulumi-serve, and is ended by
 * the kernel when pulumi-serve itself is killed.
 */
#ifndef SERVE_CHILD_H
#define SERVE_CHILD_H

#include <stdint.h>
#include <sys/types.h>

#include "options.h"
#include "telemetry/watch.h"

enum child_kind { CHILD_RESPONDER, CHILD_WEB, CHILD_PROBE, CHILD_JOB, CHILD_KIND_COUNT };

struct child {
	enum child_kind kind;
	const char *program;	/* absolute path */
	int64_t period_us;	/* of a job; 0 otherwise */
	bool lasting;		/* a job that is to run all the time, on every host */
	pid_t pid;		/* 0: not running */
	int64_t started_us;
	int64_t due_us;		/* not running: start it then */
	int64_t kill_us;	/* it was asked to end: SIGKILL then; 0 when it was not */
	int64_t nudge_us;	/* ask again then: a signal just before accept() goes unnoticed */
	int failures;		/* ends at once, in a row */
	bool old;		/* of the generation that a reload replaces */
	bool finished;		/* not to be started again */
};

/* What a responder is given. */
struct child_place {
	int listen_fd;
	int starting_fd;	/* -1: none */
	struct watch *watch;
	size_t slot;
};

/* "responder", "web", "probe" or "job". */
const char *child_kind_name(enum child_kind kind);

/*
 * Starts it; `listen_fd` becomes descriptor 0 of a responder, and `starting_fd` its standard output, which it
 * gives up when it can serve. `watch` is told that the slot is the child's.
 */
int child_start(struct child *c, const struct serve_options *o, const struct child_place *place, int64_t now_us, struct err *e) WARN_UNUSED;
/* Kills a responder that has worked on one request for longer than the web server waits for it; it is started again as any that dies. */
void child_check(const struct child *c, const struct serve_options *o, const struct child_place *place);
/* Asks it to end after its work, and kills it `limit_us` later. It will not be started again. */
void child_stop(struct child *c, const struct serve_options *o, int64_t now_us, int64_t limit_us);
/* Asks it to end and start again. */
void child_restart(const struct child *c);
/* Repeats the question, or kills, when it is time. */
void child_press(struct child *c, int64_t now_us);
/* Takes note of its end: logs it, and sets when it is started again. */
void child_ended(struct child *c, int status, int64_t now_us);
/* When it next needs attention; INT64_MAX for never. */
int64_t child_next_us(const struct child *c);

#endif
