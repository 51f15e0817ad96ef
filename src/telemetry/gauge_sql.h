/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TELEMETRY_GAUGE_SQL_H
#define TELEMETRY_GAUGE_SQL_H

#include "db/db.h"

struct gauge_row {
	int64_t stacks, resources, updates_running, leases_active, mails_waiting, mails_failed;
};
extern const struct db_column gauge_columns[];
extern const struct stmt GAUGES;

#endif
