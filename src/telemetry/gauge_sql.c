/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/gauge_sql.h"

const struct db_column gauge_columns[] = {
	DB_COLUMN(gauge_row, stacks, COLUMN_INT),
	DB_COLUMN(gauge_row, resources, COLUMN_INT),
	DB_COLUMN(gauge_row, updates_running, COLUMN_INT),
	DB_COLUMN(gauge_row, leases_active, COLUMN_INT),
	DB_COLUMN(gauge_row, mails_waiting, COLUMN_INT),
	DB_COLUMN(gauge_row, mails_failed, COLUMN_INT),
	{ 0 },
};

/* all tenants: counts for whoever watches the installation */
const struct stmt GAUGES = STMT("gauge.all",
	"SELECT COUNT(*) AS stacks, CAST(COALESCE(SUM(resource_count), 0) AS SIGNED) AS resources, "
	"(SELECT COUNT(*) FROM updates WHERE status = 'running') AS updates_running, "
	"(SELECT COUNT(*) FROM updates WHERE status = 'running' AND lease_expires_at > ?) AS leases_active, "
	"(SELECT COUNT(*) FROM mail_messages WHERE state = 'waiting') AS mails_waiting, "
	"(SELECT COUNT(*) FROM mail_messages WHERE state = 'failed') AS mails_failed "
	"FROM stacks WHERE deleted_at IS NULL");
