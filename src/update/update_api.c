/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch.h"
#include "base/limits.h"
#include "http/gzip.h"
#include "json/scan.h"
#include "json/write.h"
#include "update/update.h"

/* What an export of a stack without a state answers. */
#define EMPTY_DEPLOYMENT \
	"{\"version\":3,\"deployment\":{\"manifest\":{\"time\":\"0001-01-01T00:00:00Z\",\"magic\":\"\",\"version\":\"\"}}}"

struct options_body {
	bool dry_run;
};

struct metadata_body {
	const char *message;
	struct span environment;
};

struct create_update_body {
	const char *name, *runtime, *main, *description;
	struct options_body options;
	struct span config;
	struct metadata_body metadata;
};

static const struct field options_fields[] = {
	FIELD(options_body, dry_run, "dryRun", FIELD_BOOL),
	{ 0 },
};

static const struct field metadata_fields[] = {
	FIELD(metadata_body, message, "message", FIELD_TEXT, .limit = LIMIT_MESSAGE * 4),
	FIELD(metadata_body, environment, "environment", FIELD_RAW_OBJECT, .limit = LIMIT_ENVIRONMENT_BYTES),
	{ 0 },
};

static const struct field create_update_fields[] = {
	FIELD(create_update_body, name, "name", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY, .limit = LIMIT_NAME * 4),
	FIELD(create_update_body, runtime, "runtime", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY, .limit = LIMIT_NAME * 4),
	FIELD(create_update_body, main, "main", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY, .limit = LIMIT_MESSAGE),
	FIELD(create_update_body, description, "description", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY, .limit = LIMIT_MESSAGE * 4),
	FIELD(create_update_body, options, "options", FIELD_OBJECT, .fields = options_fields),
	FIELD(create_update_body, config, "config", FIELD_RAW_OBJECT, .limit = LIMIT_CONFIG_BYTES),
	FIELD(create_update_body, metadata, "metadata", FIELD_OBJECT, .fields = metadata_fields),
	{ 0 },
};

static struct span or_empty(struct span object)
{
	return object.data ? object : SPAN("{}");
}

/* CreateUpdate…: takes no lock; several may wait to be started. */
int api_create_update(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct create_update_body body = { 0 };
	struct update_program program;
	char id[UUID_TEXT];

	if (request_body(rq, create_update_fields, &body, e) < 0)
		return -1;
	program = (struct update_program){
		.message = body.metadata.message ? body.metadata.message : "",
		.client = request_client(rq),
		.environment = or_empty(body.metadata.environment),
		.config = or_empty(body.config),
		.program = SPAN("{}"),
		.preview = body.options.dry_run || !strcmp(rq->kind, "preview"),
	};

	if (update_create(rq->db, &rq->caller, &rq->path, rq->kind, &program, rq->now_us, id, e) < 0)
		return -1;

	rp->status = 200;
	buffer_putc(&rp->body, '{');
	json_put_text(&rp->body, "updateID", id);
	buffer_putc(&rp->body, '}');
	return 1;
}

struct start_update_body {
	struct text_map tags;
	int64_t journal_version;
};

/* StartUpdate…: leaves journalVersion out, so the client saves whole checkpoints. */
int api_start_update(struct request *rq, struct http_reply *rp, struct err *e)
{
	static const struct field body_fields[] = {
		FIELD(start_update_body, tags, "tags", FIELD_TEXT_MAP, .limit = LIMIT_TAGS),
		FIELD(start_update_body, journal_version, "journalVersion", FIELD_INT),
		{ 0 },
	};
	_cleanup_(buffer_done) struct buffer tags = BUFFER_INIT;
	struct start_update_body body = { 0 };
	struct update_started started;

	if (request_body(rq, body_fields, &body, e) < 0)
		return -1;
	if (body.tags.present)
		json_write_text_map(&tags, &body.tags);

	if (update_start(rq->db, &rq->caller, &rq->path, rq->update_id, tags.data, rq->now_us, &started, e) < 0)
		return -1;

	rp->status = 200;
	buffer_putc(&rp->body, '{');
	json_put_int(&rp->body, "version", started.version);
	json_put_text(&rp->body, "token", started.token);
	json_put_int(&rp->body, "tokenExpiration", started.token_expires_at);
	buffer_putc(&rp->body, '}');
	return 1;
}

/* GetUpdateStatus…: an ended update has no further page. */
int api_get_update_status(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct update u = { 0 };
	bool ended;

	if (update_find(rq->db, &rq->caller, &rq->path, rq->update_id, rq->arena, &u, e) < 0)
		return -1;

	ended = strcmp(u.status, "running") && strcmp(u.status, "not started");
	rp->status = 200;
	buffer_putc(&rp->body, '{');
	json_put_text(&rp->body, "status", u.status);
	json_put_raw(&rp->body, "events", SPAN("[]"));
	if (!ended)
		json_put_text(&rp->body, "continuationToken", "0");
	buffer_putc(&rp->body, '}');
	return 1;
}

struct renew_body {
	int64_t duration;
};

/* RenewUpdateLease…: the token stays the same. */
int api_renew_update_lease(struct request *rq, struct http_reply *rp, struct err *e)
{
	static const struct field body_fields[] = {
		FIELD(renew_body, duration, "duration", FIELD_INT),
		{ 0 },
	};
	struct renew_body body = { .duration = 300 };
	const char *token = http_header(&rq->http, "AUTHORIZATION") + strlen("update-token ");
	int64_t expires;

	if (request_body(rq, body_fields, &body, e) < 0)
		return -1;
	if (body.duration < 1 || body.duration > 3600)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: duration must be from 1 to 3600 seconds");

	if (update_renew(rq->db, rq->update_id, rq->update_token, body.duration, rq->now_us, &expires, e) < 0)
		return -1;

	rp->status = 200;
	buffer_putc(&rp->body, '{');
	json_put_text(&rp->body, "token", token);
	json_put_int(&rp->body, "tokenExpiration", expires);
	buffer_putc(&rp->body, '}');
	return 1;
}

/* {"version":…,"features":…,"deployment":…} with the members as they were sent. */
static int compose(struct span document, struct buffer *text, struct err *e)
{
	struct span version, features, deployment;

	if (!scan_find(document, "version", &version) || !scan_find(document, "deployment", &deployment))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: a checkpoint must have 'version' and 'deployment'");
	buffer_putc(text, '{');
	json_put_raw(text, "version", version);
	if (scan_find(document, "features", &features))
		json_put_raw(text, "features", features);
	json_put_raw(text, "deployment", deployment);
	buffer_putc(text, '}');
	return 1;
}

/* PatchUpdateCheckpoint… */
int api_patch_update_checkpoint(struct request *rq, struct http_reply *rp, struct err *e)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	struct checkpoint_text checkpoint;
	struct span body;

	if (http_body(&rq->http, rq->app->max_body, &body, e) < 0 || scan_document(body, &body, e) < 0 ||
	    compose(body, &text, e) < 0 || checkpoint_check(buffer_span(&text), &checkpoint, e) < 0)
		return -1;

	if (update_save_checkpoint(rq->app, rq->update_id, rq->update_token, &checkpoint, e) < 0)
		return -1;

	return reply_empty(rp);
}

/* RecordEngineEventBatch… */
int api_record_engine_event_batch(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct span stored, text;

	if (http_body_raw(&rq->http, LIMIT_EVENTS_BYTES, &stored, e) < 0 ||
	    http_body(&rq->http, 8 * LIMIT_EVENTS_BYTES, &text, e) < 0)
		return -1;

	if (update_append_events(rq->app, rq->update_id, rq->update_token, text, stored, rq->http.gzip, e) < 0)
		return -1;

	return reply_empty(rp);
}

/* GetEngineEvents…: while the update runs there is always a further page. */
int api_get_engine_events(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct update u = { 0 };
	int64_t from, next;

	if (http_parameter_int(&rq->http, "continuationToken", 0, 0, INT64_MAX, &from, e) < 0 ||
	    update_find(rq->db, &rq->caller, &rq->path, rq->update_id, rq->arena, &u, e) < 0)
		return -1;

	buffer_puts(&rp->body, "{\"events\":[");
	if (update_events(rq->db, u.id, from, &rp->body, &next, e) < 0)
		return -1;

	rp->status = 200;
	buffer_putc(&rp->body, ']');
	if (next >= 0 || !strcmp(u.status, "running"))
		buffer_printf(&rp->body, ",\"continuationToken\":\"%lld\"", (long long)(next >= 0 ? next : from));
	buffer_putc(&rp->body, '}');
	return 1;
}

struct complete_body {
	const char *status;
};

/* CompleteUpdate… */
int api_complete_update(struct request *rq, struct http_reply *rp, struct err *e)
{
	static const struct field body_fields[] = {
		FIELD(complete_body, status, "status", FIELD_TEXT, .flags = FIELD_REQUIRED),
		{ 0 },
	};
	struct complete_body body = { 0 };

	if (request_body(rq, body_fields, &body, e) < 0)
		return -1;
	if (strcmp(body.status, "succeeded") && strcmp(body.status, "failed") && strcmp(body.status, "cancelled"))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: status must be succeeded, failed or cancelled, not '%.40s'",
			       body.status);

	if (update_complete(rq->db, rq->update_id, rq->update_token, body.status, rq->now_us, e) < 0)
		return -1;

	return reply_empty(rp);
}

/* CancelUpdate… */
int api_cancel_update(struct request *rq, struct http_reply *rp, struct err *e)
{
	if (update_cancel(rq->db, &rq->caller, &rq->path, rq->update_id, rq->now_us, e) < 0)
		return -1;

	return reply_empty(rp);
}

/* To a client that accepts gzip the stored object goes as it lies there. */
static int export_version(struct request *rq, struct http_reply *rp, int64_t version, struct err *e)
{
	_cleanup_(buffer_done) struct buffer packed = BUFFER_INIT;
	int rc = update_export(rq->app, &rq->caller, &rq->path, version, &packed, e);

	if (rc < 0)
		return -1;

	rp->status = 200;
	if (rc == 0) {
		buffer_puts(&rp->body, EMPTY_DEPLOYMENT);
		return 1;
	}
	if (!http_accepts_gzip(&rq->http))
		return gunzip(buffer_span(&packed), SIZE_MAX, &rp->body, e);
	buffer_append(&rp->body, packed.data, packed.length);
	rp->body_gzip = true;
	return 1;
}

/* ExportStack */
int api_export_stack(struct request *rq, struct http_reply *rp, struct err *e)
{
	return export_version(rq, rp, -1, e);
}

/* ExportStackAtVersion */
int api_export_stack_at_version(struct request *rq, struct http_reply *rp, struct err *e)
{
	int64_t version;

	if (!scan_int(span_of(rq->version), &version) || version < 1)
		return err_set(e, ERR_NOT_FOUND, "Not Found: '%.40s' is not a version", rq->version);
	return export_version(rq, rp, version, e);
}

/* ImportStack: finished when it answers, so that the client's first poll sees the end. */
int api_import_stack(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct checkpoint_text checkpoint;
	struct span body;
	char id[UUID_TEXT];

	if (http_body(&rq->http, rq->app->max_body, &body, e) < 0 || checkpoint_check(body, &checkpoint, e) < 0)
		return -1;

	if (update_import(rq->app, &rq->caller, &rq->path, &checkpoint, request_client(rq), id, e) < 0)
		return -1;

	rp->status = 200;
	buffer_putc(&rp->body, '{');
	json_put_text(&rp->body, "updateId", id);
	buffer_putc(&rp->body, '}');
	return 1;
}

static const char *result_of(const char *status)
{
	return !strcmp(status, "running") ? "in-progress" : !strcmp(status, "succeeded") ? "succeeded" : "failed";
}

static void write_info(struct buffer *b, const struct update_info *u)
{
	json_write_separator(b);
	buffer_putc(b, '{');
	json_put_text(b, "kind", u->kind);
	json_put_int(b, "startTime", u->started_at / 1000000);
	json_put_text(b, "message", u->message);
	json_put_raw(b, "environment", span_of(u->environment));
	json_put_raw(b, "config", span_of(u->config));
	json_put_text(b, "result", result_of(u->result));
	json_put_int(b, "endTime", u->ended_at < 0 ? 0 : u->ended_at / 1000000);
	json_put_int(b, "version", u->version);
	if (u->changes)
		json_put_raw(b, "resourceChanges", span_of(u->changes));
	if (u->counted)
		json_put_int(b, "resourceCount", u->resource_count);
	buffer_putc(b, '}');
}

/* GetStackUpdates */
int api_get_stack_updates(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct update_info *list;
	int64_t page, size;
	size_t count;

	if (http_parameter_int(&rq->http, "page", 1, 1, INT32_MAX, &page, e) < 0 ||
	    http_parameter_int(&rq->http, "pageSize", 0, 0, 10000, &size, e) < 0 ||
	    update_history(rq->db, &rq->caller, &rq->path, -1, page, size, rq->arena, &list, &count, e) < 0)
		return -1;

	rp->status = 200;
	buffer_puts(&rp->body, "{\"updates\":[");
	for (size_t i = 0; i < count; i++)
		write_info(&rp->body, &list[i]);
	buffer_puts(&rp->body, "]}");
	return 1;
}

/* GetLatestStackUpdate */
int api_get_latest_stack_update(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct update_info *list;
	size_t count;

	if (update_history(rq->db, &rq->caller, &rq->path, -1, 1, 1, rq->arena, &list, &count, e) < 0)
		return -1;
	if (count == 0)
		return err_set(e, ERR_NOT_FOUND, "Not Found: Stack '%s/%s/%s' has no updates", rq->path.organization,
			       rq->path.project, rq->path.name);

	rp->status = 200;
	buffer_puts(&rp->body, "{\"info\":");
	write_info(&rp->body, list);
	buffer_putc(&rp->body, '}');
	return 1;
}
