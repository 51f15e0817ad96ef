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
 * Jobs that need not look every minute (they work less often still, when it is their turn among all hosts), and those that
 * somebody waits for.
 */
static const struct {
	const char *name;
	int seconds;
	const char *setting;	/* only when it is set; NULL: always */
} periods[] = {
	{ "purge-tokens", 300, NULL },
	{ "send-mail", 10, "SMTP_SERVER" },
	{ "sweep-objects", 300, NULL },
};

static int64_t period_us(const char *name)
{
	for (size_t i = 0; i < sizeof(periods) / sizeof(periods[0]); i++)
		if (!strcmp(periods[i].name, name) && (!periods[i].setting || setting(periods[i].setting)))
			return periods[i].seconds * SECOND;
	return USUAL_SECONDS * SECOND;
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
		struct child job = { .kind = CHILD_JOB, .due_us = now_us + FIRST_AFTER_US,
				     .period_us = period_us(files[i]->d_name + sizeof(PREFIX) - 1),
				     .program = arena_printf(arena, "%s/%s", o->libexec, files[i]->d_name) };

		if (access(job.program, X_OK) == 0)
			found(context, &job);
		free(files[i]);
	}
	if (n >= 0)
		free(files);
}
