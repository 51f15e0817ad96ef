/* SPDX-License-Identifier: Apache-2.0 */
#include "api/required.h"
#include "api/route.h"
#include "base/limits.h"
#include "stack/tag.h"
#include "update/update.h"

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

const struct field create_update_body_fields[] = {
	FIELD(create_update_body, name, "name", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY, .limit = LIMIT_NAME * 4),
	FIELD(create_update_body, runtime, "runtime", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY, .limit = LIMIT_NAME * 4),
	FIELD(create_update_body, main, "main", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY, .limit = LIMIT_MESSAGE),
	FIELD(create_update_body, description, "description", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY, .limit = LIMIT_MESSAGE * 4),
	FIELD(create_update_body, options, "options", FIELD_OBJECT, .fields = options_fields),
	FIELD(create_update_body, config, "config", FIELD_RAW_OBJECT),
	FIELD(create_update_body, metadata, "metadata", FIELD_OBJECT, .fields = metadata_fields),
	{ 0 },
};

static struct span or_empty(struct span object)
{
	return object.data ? object : SPAN("{}");
}

struct create_update_reply {
	const char *id;
	struct object_list policies;
};

const struct field create_update_reply_fields[] = {
	FIELD(create_update_reply, id, "updateID", FIELD_TEXT),
	FIELD(create_update_reply, policies, "requiredPolicies", FIELD_LIST, .flags = FIELD_OMIT_EMPTY, .fields = required_policy_fields,
	      .help = "Policy packs that the client has to enforce."),
	{ 0 },
};

/* CreateUpdate…: takes no lock; several may wait to be started. */
int api_create_update(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct create_update_body body = { 0 };
	struct create_update_reply reply = { 0 };
	struct update_program program;
	char id[UUID_TEXT];

	if (request_body(rq, create_update_body_fields, &body, e) < 0)
		return -1;
	program = (struct update_program){
		.message = body.metadata.message ? body.metadata.message : "",
		.client = request_client(rq),
		.environment = or_empty(body.metadata.environment),
		.config = or_empty(body.config),
		.program = SPAN("{}"),
		.preview = body.options.dry_run || !strcmp(rq->kind, "preview"),
	};

	if (update_create(rq->app, &rq->caller, &rq->path, rq->kind, &program, rq->now_us, id, e) < 0 ||
	    request_required_policies(rq, "preventative", &reply.policies, e) < 0)
		return -1;

	reply.id = id;
	return reply_json(rp, create_update_reply_fields, &reply);
}

struct start_update_body {
	struct text_map tags;
	int64_t journal_version;
};

const struct field start_update_body_fields[] = {
	FIELD(start_update_body, tags, "tags", FIELD_TEXT_MAP, .limit = LIMIT_TAGS),
	FIELD(start_update_body, journal_version, "journalVersion", FIELD_INT),
	{ 0 },
};

const struct field start_update_reply_fields[] = {
	FIELD(update_started, version, "version", FIELD_INT),
	FIELD(update_started, bearer, "token", FIELD_TEXT, .flags = FIELD_SECRET),
	FIELD(update_started, token_expires_at, "tokenExpiration", FIELD_TIME),
	FIELD(update_started, journal_version, "journalVersion", FIELD_INT, .flags = FIELD_OMIT_EMPTY,
	      .help = "1 when the client is to send journal entries instead of checkpoints."),
	{ 0 },
};

/* StartUpdate… */
int api_start_update(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct start_update_body body = { 0 };
	struct update_started started = { 0 };

	if (request_body(rq, start_update_body_fields, &body, e) < 0 ||
	    (body.tags.present && stack_check_tags(&body.tags, e) < 0))
		return -1;

	if (update_start(rq->app, &rq->caller, &rq->path, rq->update_id, body.tags.present ? &body.tags : NULL,
			 body.journal_version, rq->now_us, &started,
			 e) < 0)
		return -1;

	started.bearer = started.token;
	return reply_json(rp, start_update_reply_fields, &started);
}

static const struct field log_entry_fields[] = {
	FIELD(update_log_entry, id, "index", FIELD_TEXT),
	FIELD(update_log_entry, kind, "kind", FIELD_TEXT),
	FIELD(update_log_entry, fields, "fields", FIELD_RAW_OBJECT),
	{ 0 },
};

struct update_status_reply {
	const char *status, *continuation_token;
	struct object_list events;
};

const struct field update_status_reply_fields[] = {
	FIELD(update_status_reply, status, "status", FIELD_TEXT),
	FIELD(update_status_reply, events, "events", FIELD_LIST, .fields = log_entry_fields),
	FIELD(update_status_reply, continuation_token, "continuationToken", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY),
	{ 0 },
};

/* GetUpdateStatus…: there is a further page while the update is open, or lines are left. */
int api_get_update_status(struct request *rq, struct http_reply *rp, struct err *e)
{
	const char *after = http_parameter(&rq->http, "continuationToken");
	struct update_status_reply reply = { 0 };
	struct update_log_entry *lines;
	struct update u = { 0 };
	size_t count;

	if (after && strcmp(after, "0") && !uuid_valid(after))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: continuationToken was not given out by this server");
	if (update_find(rq->db, &rq->caller, rq->stack.id, rq->update_id, rq->arena, &u, e) < 0 ||
	    update_log(rq->db, &u, after ? after : "", rq->arena, &lines, &count, e) < 0)
		return -1;

	reply.status = u.status;
	reply.events = (struct object_list){ lines, count, sizeof(*lines) };
	if (update_is_open(&u) || count == LIMIT_PAGE)
		reply.continuation_token = count ? lines[count - 1].id : after ? after : "0";
	return reply_json(rp, update_status_reply_fields, &reply);
}

struct log_body {
	const char *kind;
	struct span fields;
};

const struct field append_update_log_body_fields[] = {
	FIELD(log_body, kind, "kind", FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "stdout or stderr"),
	FIELD(log_body, fields, "fields", FIELD_RAW_OBJECT, .flags = FIELD_REQUIRED, .limit = LIMIT_LOG_ENTRY),
	{ 0 },
};

/* AppendUpdateLogEntry… */
int api_append_update_log_entry(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct log_body body = { 0 };

	if (request_body(rq, append_update_log_body_fields, &body, e) < 0)
		return -1;
	if (strcmp(body.kind, "stdout") && strcmp(body.kind, "stderr"))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: kind must be stdout or stderr, not '%.40s'", body.kind);

	if (update_append_log(rq->app, rq->update_id, rq->update_token, body.kind, body.fields, e) < 0)
		return -1;

	return reply_empty(rp);
}

struct renew_body {
	int64_t duration;
};

const struct field renew_lease_body_fields[] = {
	FIELD(renew_body, duration, "duration", FIELD_INT, .help = "Seconds from now, 1 to 3600."),
	{ 0 },
};

const struct field renew_lease_reply_fields[] = {
	FIELD(update_started, bearer, "token", FIELD_TEXT, .flags = FIELD_SECRET),
	FIELD(update_started, token_expires_at, "tokenExpiration", FIELD_TIME),
	{ 0 },
};

/* RenewUpdateLease…: the token stays the same. */
int api_renew_update_lease(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct renew_body body = { .duration = LEASE_US / 1000000 };
	struct update_started reply = { .bearer = http_header(&rq->http, "AUTHORIZATION") + strlen("update-token ") };

	if (request_body(rq, renew_lease_body_fields, &body, e) < 0)
		return -1;
	if (body.duration < 1 || body.duration > 3600)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: duration must be from 1 to 3600 seconds, not %lld",
			       (long long)body.duration);

	if (update_renew(rq->db, rq->update_id, rq->update_token, body.duration, rq->now_us, &reply.token_expires_at, e) < 0)
		return -1;

	return reply_json(rp, renew_lease_reply_fields, &reply);
}

struct complete_body {
	const char *status;
};

const struct field complete_update_body_fields[] = {
	FIELD(complete_body, status, "status", FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "succeeded, failed or cancelled"),
	{ 0 },
};

/* CompleteUpdate… */
int api_complete_update(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct complete_body body = { 0 };
	struct update ended = { 0 };
	int rc;

	if (request_body(rq, complete_update_body_fields, &body, e) < 0)
		return -1;
	if (strcmp(body.status, "succeeded") && strcmp(body.status, "failed") && strcmp(body.status, "cancelled"))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: status must be succeeded, failed or cancelled, not '%.40s'",
			       body.status);

	rc = update_complete(rq->app, rq->update_id, rq->update_token, body.status, rq->now_us, rq->arena, &ended, e);
	if (rc < 0)
		return -1;

	/* The lease token names nobody: the audit log has who started the update. */
	rq->caller = (struct caller){ .organization_id = ended.organization_id, .user_id = ended.requested_by_id };
	rq->audit_detail = arena_strdup(rq->arena, body.status);
	rq->unchanged = rc == 0;
	return reply_empty(rp);
}

/* CancelUpdate… */
int api_cancel_update(struct request *rq, struct http_reply *rp, struct err *e)
{
	int rc = update_cancel(rq->app, &rq->caller, &rq->path, rq->update_id, rq->now_us, e);

	if (rc < 0)
		return -1;

	rq->unchanged = rc == 0;
	return reply_empty(rp);
}
