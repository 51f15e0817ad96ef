/* SPDX-License-Identifier: Apache-2.0 */
#include "start/measure.h"

#include "audit/audit.h"
#include "base/settings.h"
#include "blob/blob.h"
#include "db/db.h"
#include "secret/secret.h"
#include "telemetry/otlp.h"
#include "telemetry/trace.h"

static const char *error_type(const struct observation *what)
{
	return what->failed ? "error" : NULL;
}

static void note(struct app *app, enum metric metric, enum trace_kind kind, const struct observation *what)
{
	meter_observe(app->meter, metric, LABELS(what->name, error_type(what)), what->ended_ns - what->began_ns);
	trace_add(app->tracer, kind, what);
}

static void on_statement(void *context, const struct observation *what)
{
	note(context, METRIC_DB_DURATION, TRACE_STATEMENT, what);
}

static void on_transaction(void *context, bool committed)
{
	meter_transaction_ended(((struct app *)context)->meter, committed);
}

static void on_object(void *context, const struct observation *what)
{
	note(context, METRIC_OBJECT_DURATION, TRACE_OBJECT, what);
}

static void on_key(void *context, const struct observation *what)
{
	note(context, METRIC_KEY_DURATION, TRACE_KEY, what);
}

static void on_audit(void *context, const struct observation *what)
{
	struct app *app = context;

	meter_observe(app->meter, METRIC_AUDIT_DURATION, LABELS(what->name, error_type(what)), what->ended_ns - what->began_ns);
}

/* The type of an error is the status, as OpenTelemetry has it, when there was one. */
static void on_call(void *context, const struct observation *what)
{
	struct app *app = context;
	char status[4] = { (char)('0' + what->status / 100 % 10), (char)('0' + what->status / 10 % 10), (char)('0' + what->status % 10) };

	meter_observe(app->meter, METRIC_HTTP_CLIENT_DURATION,
		      LABELS(what->name, what->server, what->failed && what->status ? status : error_type(what)), what->ended_ns - what->began_ns);
	trace_add(app->tracer, TRACE_WEB, what);
}

/* Parts may be opened one after the other. */
static int open_shared(struct app *app, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	const char *run_dir = setting("PULUMI_RUN_DIR");
	struct otlp otlp;
	int traced = otlp_settings(&arena, &otlp, e);

	if (traced < 0)
		return -1;
	if (!app->meter)
		app->meter = meter_open(meter_path(&arena, run_dir));
	if (!app->tracer && traced)
		app->tracer = tracer_open(trace_path(&arena, run_dir), app->meter, otlp.sampler);
	return app->meter || app->tracer;
}

int measure_start(struct app *app, struct err *e)
{
	struct blob_store *const stores[] = { app->objects, app->events, app->metadata, app->packs };
	const struct observer calls = { on_call, NULL, app };
	int rc = open_shared(app, e);

	if (rc <= 0)
		return rc;
	if (app->db)
		db_observe(app->db, &(struct observer){ on_statement, on_transaction, app });
	for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++) {
		if (!stores[i])
			continue;
		blob_observe(stores[i], &(struct observer){ on_object, NULL, app });
		blob_observe_calls(stores[i], &calls);
	}
	if (app->keys) {
		keys_observe(app->keys, &(struct observer){ on_key, NULL, app });
		keys_observe_calls(app->keys, &calls);
	}
	if (app->audit)
		audit_observe(app->audit, &(struct observer){ on_audit, NULL, app });
	return 1;
}
