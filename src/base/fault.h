/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Points at which the fault tests end the process, as a crash or a power failure would. Nothing in an
 * ordinary build; with --enable-fault-points PULUMI_FAULT_POINT says where:
 *   name:count        SIGKILL to oneself at the count-th pass of the point in this process
 *   /path/of/a/file   the same words in a file that all processes share: they count together, the file
 *                     is gone when it has happened, and nothing happens while there is none
 * `*` is any point; `name:count:stop` stops the process there instead, so that a test can kill others;
 * `trace` in the file appends the name of every point passed to FILE.trace.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include "config.h"

#ifdef FAULT_POINTS
void fault_point(const char *name);
#else
#define fault_point(name) ((void)0)
#endif

#endif
