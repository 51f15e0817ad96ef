/* SPDX-License-Identifier: Apache-2.0 */
/* What every program does first: read the settings and open what they name. */
#ifndef START_START_H
#define START_START_H

#include "base/app.h"
#include "base/arena.h"
#include "base/err.h"

enum start_part {
	START_DATABASE = 1,
	START_OBJECTS = 2,
	START_KEYS = 4,
	START_UNFINISHED = 8,	/* also a database into which a restore was not finished: for the restore */
	START_TRY = 16,		/* every object store is written to and read, also those that nothing uses yet: for a server */
	START_AUDIT = 32,
	START_AGAIN = 64,	/* unless a responder tried it all with the same settings before: start/proven.h. For a server too */
	START_ALL = START_DATABASE | START_OBJECTS | START_KEYS | START_AUDIT
};

/*
 * Fills `app` with the clock, the limits and the parts asked for. -1 with a sentence in e->detail that
 * names the setting; app->untried says that START_AGAIN left trying out. What it opened is closed by start_close, whatever the answer.
 */
int start_open(struct app *app, unsigned parts, struct arena *arena, struct err *e) WARN_UNUSED;
/* The same for further parts, after start_open. */
int start_more(struct app *app, unsigned parts, struct arena *arena, struct err *e) WARN_UNUSED;
void start_close(struct app *app);

#endif
