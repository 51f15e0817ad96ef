/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frame of every background job: options, settings, the loop, the words at the end. A job does what is
 * due, says what it did, and exits; it may run twice at once on two hosts. SIGTERM ends it after the piece
 * of work in hand.
 */
#ifndef CRON_JOB_H
#define CRON_JOB_H

#include "base/app.h"
#include "base/buffer.h"

struct job_run {
	struct app *app;
	bool by_hand;		/* --once was given: somebody reads what it says */
	struct buffer said;	/* what was done, for the one line at the end: name=value pairs */
};

struct job {
	const char *name;	/* without pulumi-job- */
	const char *help;	/* one or two sentences for --help */
	unsigned parts;		/* of start/start.h */
	/* Everything that is due now: 1 did something, 0 nothing was due, -1. Asks job_going between pieces. */
	int (*work)(struct job_run *run, struct err *e);
};

/* False once it should end: SIGTERM came, or the time of --for is over. Fits retention_sweep. */
bool job_going(void *ignored);

/* What main returns. */
int job_main(const struct job *job, int argc, char **argv);

#endif
