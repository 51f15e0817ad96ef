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

#define JOB_LATER 2	/* the turn goes back: the next start tries again */
#define JOB_ENOUGH 3	/* nothing will be due here: with --for it ends, too */

struct job {
	const char *name;	/* without pulumi-job- */
	const char *help;	/* for --help: what it does */
	unsigned parts;		/* of start/start.h */
	const char *settings;	/* groups of settings for --help; NULL: the usual ones */
	bool lasting;		/* it is meant to run all the time: how long it did is not counted */
	int every_seconds;	/* once in this time on all hosts together; 0: whenever it is started */
	/*
	 * Does what is due now: 1, 0 when nothing was, JOB_LATER when it had to give way, -1. Appends " name=value" pairs about it to `said`, also when
	 * it fails. Asks job_going between pieces.
	 */
	int (*work)(struct app *app, struct buffer *said, struct err *e);
};

#define DAY_US (24 * 3600 * 1000000LL)
#define HOUR_US (3600 * 1000000LL)

/* False once the job should end: a signal came, or the time of --for is over. */
bool job_going(void);
/* Whether work is called again and again (--for). */
bool job_lasting(void);
/* A line about one thing that went wrong, for a job that goes on with the next; the exit code will be 1. */
void job_failed(const char *what, const struct err *e);

/* What main returns. */
int job_main(const struct job *job, int argc, char **argv);

#endif
