/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The jobs: every pulumi-job-NAME in the libexec folder, run again and again, never twice at a time. What a host must do for
 * itself runs all the time, in every mode.
 */
#ifndef SERVE_JOBS_H
#define SERVE_JOBS_H

#include "child.h"

/* Calls `found` with a child for each job, due a moment after `now_us`. No folder means no jobs. */
void jobs_each(const struct serve_options *o, struct arena *arena, int64_t now_us,
	       void (*found)(void *context, const struct child *job), void *context);

#endif
