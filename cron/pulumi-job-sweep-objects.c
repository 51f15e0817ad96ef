/* SPDX-License-Identifier: Apache-2.0 */
/* Deletes objects that no row names: what was written and never committed, or belonged to a compacted journal. */
#include "job.h"
#include "objects.h"
#include "retention/retention.h"
#include "start/start.h"

#define YOUNG_US DAY_US

static int work(struct app *app, struct buffer *said, struct err *e)
{
	struct objects_claim claim;
	struct swept swept = { 0 };
	int rc = objects_claim(app->db, "pulumi-job-sweep-objects", &claim, e);

	if (rc <= 0)
		return rc < 0 ? -1 : JOB_LATER;
	rc = retention_sweep(app, app->now_us() - YOUNG_US, objects_going, &claim, &swept, e);
	if (rc == 1)
		rc = retention_sweep_row_objects(app, app->now_us() - YOUNG_US, objects_going, &claim, &swept, e);
	if (rc == 1)
		rc = retention_sweep_packs(app, app->now_us() - YOUNG_US, objects_going, &claim, &swept, e);
	objects_release(&claim);
	if (swept.objects)
		buffer_printf(said, " objects=%lld bytes=%lld kept=%lld", (long long)swept.objects, (long long)swept.bytes,
			      (long long)swept.kept);
	return rc < 0 ? -1 : swept.objects > 0;
}

int main(int argc, char **argv)
{
	static const struct job job = {
		.name = "sweep-objects",
		.help = "Deletes objects that are older than a day and that no row of the database names. Every six hours; not\n"
			"while a backup runs.",
		.parts = START_DATABASE | START_OBJECTS,
		.every_seconds = 6 * 3600,
		.work = work,
	};

	return job_main(&job, argc, argv);
}
