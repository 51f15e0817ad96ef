/* SPDX-License-Identifier: Apache-2.0 */
/* The files of the run folder in which responders and jobs leave what they counted and did. */
#ifndef SERVE_TELEMETRY_H
#define SERVE_TELEMETRY_H

#include "options.h"

/* Makes them, that of the traces only when traces are wanted. What cannot be counted is no reason not to serve: it logs. */
void serve_telemetry(const struct serve_options *o, struct arena *arena);

#endif
