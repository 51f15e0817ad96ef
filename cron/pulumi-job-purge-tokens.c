/* SPDX-License-Identifier: Apache-2.0 */
/* Deletes what has been dead for a month: access tokens that expired, stacks that were deleted; and keys that sign no more. */
#include "job.h"
#include "link/key.h"
#include "objects.h"
#include "retention/retention.h"
#include "start/start.h"

#define MONTH_US (30 * DAY_US)

static int purge_tokens(struct app *app, int64_t before_us, int64_t *tokens, struct err *e)
{
	int rc;

	do
		rc = retention_purge_tokens(app->db, before_us, tokens, e);
	while (rc == 1 && job_going());
	while (rc == 0 && job_going() && (rc = link_keys_purge(app, e)) == 1)
		rc = 0;
	return rc;
}

static int purge_stacks(struct app *app, int64_t before_us, int64_t *stacks, struct err *e)
{
	struct objects_claim claim;
	int rc = objects_claim(app->db, "pulumi-job-purge-tokens", &claim, e);

	if (rc <= 0)
		return rc < 0 ? -1 : JOB_LATER;
	do
		rc = retention_purge_stack(app, before_us, stacks, e);
	while (rc == 1 && objects_going(&claim));
	objects_release(&claim);
	return rc;
}

static int work(struct app *app, struct buffer *said, struct err *e)
{
	int64_t before_us = app->now_us() - MONTH_US, tokens = 0, stacks = 0;
	int rc = purge_tokens(app, before_us, &tokens, e);

	if (rc >= 0)
		rc = purge_stacks(app, before_us, &stacks, e);
	if (tokens || stacks)
		buffer_printf(said, " tokens=%lld stacks=%lld", (long long)tokens, (long long)stacks);
	return rc < 0 || rc == JOB_LATER ? rc : tokens || stacks;
}

int main(int argc, char **argv)
{
	static const struct job job = {
		.name = "purge-tokens",
		.help = "Deletes access tokens that expired, and stacks that were deleted, more than 30 days ago; the stacks with\n"
			"their history and their objects. Keys that signed addresses for clients, two days ago. Every hour; stacks not while\n"
			"a backup runs.",
		.parts = START_DATABASE | START_OBJECTS,
		.every_seconds = 3600,
		.work = work,
	};

	return job_main(&job, argc, argv);
}
