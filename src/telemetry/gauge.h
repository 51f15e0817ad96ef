/* SPDX-License-Identifier: Apache-2.0 */
/* Gauges: what the database knows better than any counter. One query. */
#ifndef TELEMETRY_GAUGE_H
#define TELEMETRY_GAUGE_H

#include "db/db.h"
#include "telemetry/exposition.h"

/* Never fails: without the database, whose `db` may be NULL, it is a gauge that says so. */
void gauges_read(struct db *db, int64_t now_us, struct gauge ret_gauges[METRIC_COUNT]);

#endif
