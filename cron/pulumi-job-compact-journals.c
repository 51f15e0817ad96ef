/* SPDX-License-Identifier: Apache-2.0 */
/* Deletes the journals of updates that ended: an hour later no command line repeats a batch any more. */
#include "job.h"
#include "retention/retention.h"
#include "start/start.h"

#define REPEATS_US HOUR_US

static int work(struct app *app, struct buffer *said, struct err *e)
{
	struct compacted done = { 0 };
	int rc;

	do
		rc = retention_compact_journals(app->db, app->now_us() - REPEATS_US, &done, e);
	while (rc == 1 && job_going());
	if (done.updates)
		buffer_printf(said, " updates=%lld rows=%lld", (long long)done.updates, (long long)done.rows);
	return rc < 0 ? -1 : done.updates > 0;
}

int main(int argc, char **argv)
{
	static const struct job job = {
		.name = "compact-journals",
		.help = "Deletes the journal of each update that ended more than an hour ago: its state is an object by then.",
		.parts = START_DATABASE,
		.work = work,
	};

	return job_main(&job, argc, argv);
}
