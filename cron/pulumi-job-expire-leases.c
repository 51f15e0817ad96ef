/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ends updates that nobody has been heard from for a week; whoever wants their stack sooner ends them by starting. Until then a
 * client that slept, over a weekend say, may go on.
 */
#include <stdio.h>

#include "job.h"
#include "start/start.h"
#include "update/update.h"

#define ABANDONED_US (7 * DAY_US)

struct expiry {
	struct app *app;
	int64_t after_us;	/* those that lapsed earlier were tried */
	struct update_expired found;
	bool ended;
};

static int expire_next(void *context, struct err *e)
{
	struct expiry *x = context;
	int rc;

	x->found = (struct update_expired){ .lapsed_at = -1 };
	rc = update_expire_next(x->app, x->after_us, x->app->now_us() - ABANDONED_US, &x->found, e);
	x->ended = rc == 1;
	return rc;
}

/* One that cannot be ended (its object is lost, say) does not keep the others alive. */
static int work(struct app *app, struct buffer *said, struct err *e)
{
	struct expiry x = { .app = app };
	int64_t ended = 0;
	int rc = 0;

	while (job_going()) {
		struct err last = { 0 };

		rc = db_run(app->db, expire_next, &x, &last);
		if (x.found.lapsed_at < 0) {
			*e = last;
			break;
		}
		x.after_us = x.found.lapsed_at;
		if (rc < 0)
			job_failed("expire-leases", &last);
		else if (x.ended)
			printf("level=info job=expire-leases update=%s msg=\"ended as failed, with what it saved\"\n", x.found.id);
		ended += rc == 1 && x.ended;
		rc = 0;
	}
	if (ended)
		buffer_printf(said, " updates=%lld", (long long)ended);
	return rc < 0 ? -1 : ended > 0;
}

int main(int argc, char **argv)
{
	static const struct job job = {
		.name = "expire-leases",
		.help = "Ends updates whose lease lapsed more than a week ago: as failed, with the state that they saved.",
		.parts = START_DATABASE | START_OBJECTS,
		.work = work,
	};

	return job_main(&job, argc, argv);
}
