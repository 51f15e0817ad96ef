/* SPDX-License-Identifier: Apache-2.0 */
/* The first request: pulumi-serve says that it is ready when GET /api/status has answered once. */
#ifndef SERVE_PROBE_H
#define SERVE_PROBE_H

#include "options.h"

/* Runs in a process of its own: asks again and again, and exits with 0 at the first 200. */
_Noreturn void probe_until_served(const struct serve_options *o);

#endif
