/* SPDX-License-Identifier: Apache-2.0 */
#include "start/measure.h"

#include "audit/audit.h"
#include "base/settings.h"
#include "blob/blob.h"
#include "db/db.h"
#include "secret/secret.h"
#include "telemetry/meter.h"

static const char *error_type(bool failed)
{
	return failed ? "error" : NULL;
}

static void on_statement(void *context, const char *name, int64_t nanoseconds, bool failed)
{
	meter_observe(context, METRIC_DB_DURATION, LABELS(name, error_type(failed)), nanoseconds);
}

static void on_transaction(void *context, bool committed)
{
	meter_transaction_ended(context, committed);
}

static void on_object(void *context, const char *name, int64_t nanoseconds, bool failed)
{
	meter_observe(context, METRIC_OBJECT_DURATION, LABELS(name, error_type(failed)), nanoseconds);
}

static void on_key(void *context, const char *name, int64_t nanoseconds, bool failed)
{
	meter_observe(context, METRIC_KEY_DURATION, LABELS(name, error_type(failed)), nanoseconds);
}

static void on_audit(void *context, const char *name, int64_t nanoseconds, bool failed)
{
	meter_observe(context, METRIC_AUDIT_DURATION, LABELS(name, error_type(failed)), nanoseconds);
}

void measure_start(struct app *app)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;

	/* Parts may be opened one after the other. */
	if (!app->meter)
		app->meter = meter_open(meter_path(&arena, setting("PULUMI_RUN_DIR")));
	if (!app->meter)
		return;
	if (app->db)
		db_observe(app->db, &(struct observer){ on_statement, on_transaction, app->meter });
	if (app->objects)
		blob_observe(app->objects, &(struct observer){ on_object, NULL, app->meter });
	if (app->keys)
		keys_observe(app->keys, &(struct observer){ on_key, NULL, app->meter });
	if (app->audit)
		audit_observe(app->audit, &(struct observer){ on_audit, NULL, app->meter });
}
