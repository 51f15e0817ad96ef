/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sweep of the job, for the tests, over objects older than a time of theirs: sweep-tool MICROSECONDS. No store lets
 * a test write an object of yesterday.
 */
#include <stdio.h>
#include <stdlib.h>

#include "retention/retention.h"
#include "start/start.h"

static bool going(void *context)
{
	(void)context;
	return true;
}

int main(int argc, char **argv)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct swept swept = { 0 };
	struct app app = { 0 };
	struct err e = { 0 };
	int rc;

	if (argc != 2) {
		fprintf(stderr, "usage: sweep-tool MICROSECONDS\n");
		return 2;
	}
	rc = start_open(&app, START_DATABASE | START_OBJECTS, &arena, &e);
	if (rc == 1)
		rc = retention_sweep(&app, strtoll(argv[1], NULL, 10), going, NULL, &swept, &e);
	if (rc < 0)
		fprintf(stderr, "%s\n", e.detail[0] ? e.detail : e.message);
	else
		printf("%lld\n", (long long)swept.objects);
	start_close(&app);
	return rc < 0;
}
