/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "api/route.h"
#include "audit/audit_export.h"
#include "audit/event.h"
#include "base/limits.h"
#include "base/settings.h"
#include "http/gzip.h"
#include "json/write.h"

#define LAST_SECOND 253402300799	/* of the year 9999 */

struct audit_reply {
	struct audit_entry entry;	/* first: the fields of an entry are its own */
	const char *avatar;
	bool by_organization_admin, by_stack_admin;
};

static const struct field user_fields[] = {
	FIELD(audit_entry, name, "name", FIELD_TEXT),
	FIELD(audit_entry, login, "githubLogin", FIELD_TEXT),
	FIELD(audit_reply, avatar, "avatarUrl", FIELD_TEXT),
	{ 0 },
};

/* The user is made of the same struct. */
static const struct field entry_fields[] = {
	FIELD(audit_entry, created_at, "timestamp", FIELD_TIME),
	FIELD(audit_entry, source_ip, "sourceIP", FIELD_TEXT),
	FIELD(audit_entry, event, "event", FIELD_TEXT),
	FIELD(audit_entry, description, "description", FIELD_TEXT),
	FIELD(audit_reply, entry, "user", FIELD_OBJECT, .fields = user_fields, .help = "Empty names: nobody had signed in."),
	FIELD(audit_entry, token_id, "tokenID", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY),
	FIELD(audit_entry, token_name, "tokenName", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY),
	FIELD(audit_reply, by_organization_admin, "reqOrgAdmin", FIELD_BOOL, .flags = FIELD_OMIT_EMPTY),
	FIELD(audit_reply, by_stack_admin, "reqStackAdmin", FIELD_BOOL, .flags = FIELD_OMIT_EMPTY),
	{ 0 },
};

struct audit_list_reply {
	struct object_list events;
	const char *continuation_token;
};

const struct field audit_list_reply_fields[] = {
	FIELD(audit_list_reply, events, "auditLogEvents", FIELD_LIST, .fields = entry_fields),
	FIELD(audit_list_reply, continuation_token, "continuationToken", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY),
	{ 0 },
};

/* The command line and the description of the API have different names for the filters. */
static const char *either(struct request *rq, const char *one, const char *other)
{
	const char *value = http_parameter(&rq->http, one);

	return value ? value : http_parameter(&rq->http, other);
}

static int read_second(struct request *rq, const char *name, int64_t *ret_us, struct err *e)
{
	int64_t seconds;

	if (http_parameter_int(&rq->http, name, -1, 0, LAST_SECOND, &seconds, e) < 0)
		return -1;
	*ret_us = seconds < 0 ? -1 : seconds * 1000000;
	return 1;
}

/* startTime once meant the newest and now means the oldest; endTime is a second that still belongs. */
static int read_times(struct request *rq, bool from_start, struct audit_filter *f, struct err *e)
{
	int64_t start, end;

	if (read_second(rq, "startTime", &start, e) < 0 || read_second(rq, "endTime", &end, e) < 0)
		return -1;
	f->from_us = from_start ? start : -1;
	f->until_us = end < 0 ? -1 : end + 1000000;
	if (!from_start && start >= 0 && (end < 0 || start < f->until_us))
		f->until_us = start;
	return 1;
}

static int read_filter(struct request *rq, bool from_start, struct audit_filter *ret_filter, struct err *e)
{
	const char *user = either(rq, "userFilter", "user");

	*ret_filter = (struct audit_filter){ .organization_id = rq->caller.organization_id,
					     .event = either(rq, "eventFilter", "eventType") };
	if (read_times(rq, from_start, ret_filter, e) < 0 || request_page(rq, &ret_filter->before, e) < 0)
		return -1;
	return user ? audit_find_user(rq->db, user, rq->arena, &ret_filter->user_id, e) : 1;
}

static int check_format(struct request *rq, const char *one, const char *other, const char **ret_format, struct err *e)
{
	const char *format = http_parameter(&rq->http, "format");

	if (format && strcmp(format, one) && strcmp(format, other))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: format is '%.40s', it must be %s%s%s", format, one,
			       strcmp(one, other) ? " or " : "", strcmp(one, other) ? other : "");
	*ret_format = format ? format : one;
	return 1;
}

static void put_page(struct request *rq, const struct audit_entry *list, size_t count, struct audit_list_reply *reply)
{
	size_t shown = count < LIMIT_PAGE_DEFAULT ? count : LIMIT_PAGE_DEFAULT;
	struct audit_reply *entries = arena_alloc(rq->arena, sizeof(*entries) * shown);

	for (size_t i = 0; i < shown; i++) {
		enum audit_by by = audit_kind_of(list[i].event).by;

		entries[i] = (struct audit_reply){ list[i], NULL, by == BY_ORG_ADMIN, by == BY_STACK_ADMIN };
	}
	reply->events = (struct object_list){ entries, shown, sizeof(*entries) };
	reply->continuation_token = count > shown ? list[shown - 1].id : NULL;
}

static int list(struct request *rq, bool from_start, struct http_reply *rp, struct err *e)
{
	struct audit_list_reply reply = { 0 };
	struct audit_entry *entries;
	struct audit_filter filter;
	const char *format;
	size_t count;

	if (check_format(rq, "json", "json", &format, e) < 0 || read_filter(rq, from_start, &filter, e) < 0)
		return -1;

	if (audit_list(rq->app->audit, rq->db, &filter, LIMIT_PAGE_DEFAULT + 1, rq->arena, &entries, &count, e) < 0)
		return -1;

	put_page(rq, entries, count, &reply);
	return reply_json(rp, audit_list_reply_fields, &reply);
}

/* ListAuditLogEventsHandlerV1: what is older than startTime. */
int api_list_audit_log_events_handler_v1(struct request *rq, struct http_reply *rp, struct err *e)
{
	return list(rq, false, rp, e);
}

/* ListAuditLogEventsHandlerV2: what is not older than startTime. */
int api_list_audit_log_events_handler_v2(struct request *rq, struct http_reply *rp, struct err *e)
{
	return list(rq, true, rp, e);
}

struct export {
	const char *organization_id, *host;
	bool cef;
	int64_t count;
	struct buffer line;
	struct sink *out;
};

static int export_entry(void *context, const void *row, struct err *e)
{
	struct export *x = context;

	if (++x->count > LIMIT_AUDIT_EXPORT)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: more than %d events match; ask for fewer with startTime, endTime, "
			       "eventType or user", LIMIT_AUDIT_EXPORT);
	buffer_clear(&x->line);
	if (x->cef)
		audit_cef_line(row, x->organization_id, x->host, PACKAGE_VERSION, &x->line);
	else
		audit_csv_line(row, &x->line);
	return sink_write(x->out, x->line.data, x->line.length, e);
}

static int export_all(struct request *rq, const struct audit_filter *filter, struct export *x, struct err *e)
{
	if (!x->cef) {
		audit_csv_head(&x->line);
		if (sink_write(x->out, x->line.data, x->line.length, e) < 0)
			return -1;
	}
	return audit_each(rq->app->audit, rq->db, filter, LIMIT_AUDIT_EXPORT + 1, export_entry, x, e);
}

/* Compressed line by line for who takes that: the text of a long log is never whole in memory. */
static int export_text(struct request *rq, const struct audit_filter *filter, struct export *x, struct http_reply *rp,
		       struct err *e)
{
	_cleanup_(gzip_sink_freep) struct gzip_sink *packed = NULL;
	struct buffer_sink plain;

	buffer_sink_init(&plain, &rp->body, SIZE_MAX);
	x->out = &plain.sink;
	rp->body_gzip = http_accepts_gzip(&rq->http);
	if (rp->body_gzip) {
		packed = gzip_sink_new(&plain.sink);
		x->out = gzip_sink_of(packed);
	}
	if (export_all(rq, filter, x, e) < 0)
		return -1;
	return packed ? gzip_sink_finish(packed, e) : 1;
}

/* Without the scheme that may stand before it. */
static const char *host_of(const char *domain)
{
	const char *scheme = strstr(domain, "://");

	return scheme ? scheme + 3 : domain;
}

static int export(struct request *rq, bool from_start, struct http_reply *rp, struct err *e)
{
	struct export x = { .organization_id = rq->caller.organization_id, .host = host_of(setting("PULUMI_API_DOMAIN")) };
	struct audit_filter filter;
	const char *format;
	int rc;

	if (check_format(rq, "csv", "cef", &format, e) < 0 || read_filter(rq, from_start, &filter, e) < 0)
		return -1;
	x.cef = !strcmp(format, "cef");

	rc = export_text(rq, &filter, &x, rp, e);
	buffer_done(&x.line);
	if (rc < 0)
		return -1;

	rp->status = 200;
	rp->content_type = "text/plain; charset=utf-8";
	return 1;
}

/* ExportAuditLogEventsHandlerV1 */
int api_export_audit_log_events_handler_v1(struct request *rq, struct http_reply *rp, struct err *e)
{
	return export(rq, false, rp, e);
}

/* ExportAuditLogEventsHandlerV2 */
int api_export_audit_log_events_handler_v2(struct request *rq, struct http_reply *rp, struct err *e)
{
	return export(rq, true, rp, e);
}

/* GetAuditLogsReaderKind */
int api_get_audit_logs_reader_kind(struct request *rq, struct http_reply *rp, struct err *e)
{
	(void)e;
	rp->status = 200;
	json_write_text(&rp->body, audit_kind_of_store(rq->app->audit));
	return 1;
}
