/* SPDX-License-Identifier: Apache-2.0 */
#include "jobs.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/settings.h"

#define PREFIX "pulumi-job-"
#define SECOND 1000000LL
#define USUAL_SECONDS 60
#define FIRST_AFTER_US (2 * SECOND)	/* the first requests are not slowed by housekeeping */

/*
 * Jobs that need not look every minute (they work less often still, when it is their turn among all hosts), those that
 * somebody waits for, and those that run all the time.
 */
static const struct job_row {
	const char *name;
	int seconds;
	const char *setting;	/* only when it is set; NULL: always */
	bool lasting;
} rows[] = {
	{ "purge-tokens", 300, NULL, false },
	{ "send-mail", 10, "SMTP_SERVER", false },
	{ "sweep-objects", 300, NULL, false },
	{ "export-telemetry", USUAL_SECONDS, NULL, true },
};

static struct job_row row_of(const char *name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i].name, name) && (!rows[i].setting || setting(rows[i].setting)))
			return rows[i];
	return (struct job_row){ name, USUAL_SECONDS, NULL, false };
}

static int is_job(const struct dirent *d)
{
	return !strncmp(d->d_name, PREFIX, sizeof(PREFIX) - 1) && d->d_name[sizeof(PREFIX) - 1];
}

void jobs_each(const struct serve_options *o, struct arena *arena, int64_t now_us,
	       void (*found)(void *context, const struct child *job), void *context)
{
	struct dirent **files;
	int n = scandir(o->libexec, &files, is_job, alphasort);

	for (int i = 0; i < n; i++) {
		struct job_row row = row_of(files[i]->d_name + sizeof(PREFIX) - 1);
		struct child job = { .kind = CHILD_JOB, .due_us = now_us + FIRST_AFTER_US, .period_us = row.seconds * SECOND, .lasting = row.lasting,
				     .program = arena_printf(arena, "%s/%s", o->libexec, files[i]->d_name) };

		if ((row.lasting || o->mode != MODE_API) && access(job.program, X_OK) == 0)
			found(context, &job);
		free(files[i]);
	}
	if (n >= 0)
		free(files);
}
