/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "telemetry/gauge.h"

#include "telemetry/gauge_sql.h"

static struct gauge known(int64_t value)
{
	return (struct gauge){ .known = true, .value = value };
}

void gauges_read(struct db *db, int64_t now_us, struct gauge ret_gauges[METRIC_COUNT])
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct gauge_row row = { 0 };
	struct err e = { 0 };
	int rc = !db ? -1 : db_one(db, &GAUGES, DB_VALUES(db_time(now_us)), gauge_columns, &row, &arena, &e);

	memset(ret_gauges, 0, sizeof(*ret_gauges) * METRIC_COUNT);
	ret_gauges[METRIC_BUILD_INFO] = (struct gauge){ .known = true, .label = PACKAGE_VERSION, .value = 1 };
	ret_gauges[METRIC_DATABASE_UP] = known(rc == 1);
	if (rc != 1)
		return;
	ret_gauges[METRIC_STACKS] = known(row.stacks);
	ret_gauges[METRIC_RESOURCES] = known(row.resources);
	ret_gauges[METRIC_UPDATES_RUNNING] = known(row.updates_running);
	ret_gauges[METRIC_LEASES_ACTIVE] = known(row.leases_active);
	ret_gauges[METRIC_MAILS_WAITING] = known(row.mails_waiting);
	ret_gauges[METRIC_MAILS_FAILED] = known(row.mails_failed);
}
