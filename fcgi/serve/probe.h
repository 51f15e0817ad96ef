/* SPDX-License-Identifier: Apache-2.0 */
/* The first request: pulumi-serve says that it is ready when GET /api/status has answered once; `--status` asks it too. */
#ifndef SERVE_PROBE_H
#define SERVE_PROBE_H

#include "options.h"

/* Whether GET /api/status is answered with 200 now, within five seconds. */
bool probe_once(const struct serve_options *o);
/* Runs in a process of its own: asks again and again, and exits with 0 at the first 200. */
_Noreturn void probe_until_served(const struct serve_options *o);

#endif
