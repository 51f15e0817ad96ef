/* SPDX-License-Identifier: Apache-2.0 */
#include "api/route.h"
#include "base/limits.h"
#include "json/scan.h"
#include "update/update.h"

static const char *result_of(const char *status)
{
	return !strcmp(status, "running") ? "in-progress" : !strcmp(status, "succeeded") ? "succeeded" : "failed";
}

const struct field update_info_fields[] = {
	FIELD(update_info, id, "updateID", FIELD_TEXT),
	FIELD(update_info, kind, "kind", FIELD_TEXT),
	FIELD(update_info, started_at, "startTime", FIELD_TIME),
	FIELD(update_info, message, "message", FIELD_TEXT),
	FIELD(update_info, environment, "environment", FIELD_RAW_OBJECT),
	FIELD(update_info, config, "config", FIELD_RAW_OBJECT),
	FIELD(update_info, result, "result", FIELD_TEXT),
	FIELD(update_info, ended_at, "endTime", FIELD_TIME),
	FIELD(update_info, version, "version", FIELD_INT),
	FIELD(update_info, changes, "resourceChanges", FIELD_RAW_OBJECT, .flags = FIELD_OMIT_EMPTY),
	FIELD(update_info, resource_count, "resourceCount", FIELD_INT, .flags = FIELD_OMIT_EMPTY),
	{ 0 },
};

struct update_list_reply {
	struct object_list updates;
};

const struct field update_list_reply_fields[] = {
	FIELD(update_list_reply, updates, "updates", FIELD_LIST, .fields = update_info_fields),
	{ 0 },
};

static void set_results(struct update_info *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		list[i].result = result_of(list[i].result);
}

/* For answers that have the configuration. */
static int finish_infos(struct request *rq, struct update_info *list, size_t count, struct err *e)
{
	set_results(list, count);
	return update_load_configurations(rq->app, list, count, rq->arena, e);
}

/* How the service's own views show an update: with who asked for it. */
struct user_info {
	const char *name, *login, *avatar;
};

static const struct field user_info_fields[] = {
	FIELD(user_info, name, "name", FIELD_TEXT),
	FIELD(user_info, login, "githubLogin", FIELD_TEXT),
	FIELD(user_info, avatar, "avatarUrl", FIELD_TEXT),
	{ 0 },
};

struct service_update {
	const struct update_info *info;
	struct user_info requested_by;
	const char *id;
	int64_t version, latest_version;
};

const struct field service_update_fields[] = {
	FIELD(service_update, info, "info", FIELD_OBJECT_POINTER, .fields = update_info_fields),
	FIELD(service_update, requested_by, "requestedBy", FIELD_OBJECT, .fields = user_info_fields),
	FIELD(service_update, id, "updateID", FIELD_TEXT),
	FIELD(service_update, version, "version", FIELD_INT),
	FIELD(service_update, latest_version, "latestVersion", FIELD_INT),
	{ 0 },
};

struct service_list {
	struct object_list updates;
	int64_t items_per_page, total;
};

const struct field service_list_fields[] = {
	FIELD(service_list, updates, "updates", FIELD_LIST, .fields = service_update_fields),
	FIELD(service_list, items_per_page, "itemsPerPage", FIELD_INT),
	FIELD(service_list, total, "total", FIELD_INT),
	{ 0 },
};

static struct service_update service_of(const struct update_info *u, int64_t latest)
{
	const char *login = u->requested_by ? u->requested_by : "";

	return (struct service_update){ u, { login, login, "" }, u->id, u->version, latest };
}

static int reply_service_list(struct request *rq, struct http_reply *rp, const struct update_info *list, size_t count,
			      int64_t size, int64_t total)
{
	struct service_update *rows = arena_alloc(rq->arena, count * sizeof(*rows));
	struct service_list reply = { { rows, count, sizeof(*rows) }, size, total };

	for (size_t i = 0; i < count; i++)
		rows[i] = service_of(&list[i], total);
	return reply_json(rp, service_list_fields, &reply);
}

/* Page 0, or none, is everything. */
static int read_page(struct request *rq, int64_t *ret_page, int64_t *ret_size, struct err *e)
{
	if (http_parameter_int(&rq->http, "page", 0, 0, INT32_MAX, ret_page, e) < 0 ||
	    http_parameter_int(&rq->http, "pageSize", *ret_page ? 10 : 0, 0, 10000, ret_size, e) < 0)
		return -1;
	if (*ret_page == 0) {
		*ret_page = 1;
		*ret_size = http_parameter(&rq->http, "page") ? 0 : *ret_size;
	}
	return 1;
}

/* GetStackUpdates: `output-type` asks for the service's own view. */
int api_get_stack_updates(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct update_list_reply reply;
	struct update_info *list;
	int64_t page, size;
	size_t count;

	if (read_page(rq, &page, &size, e) < 0 ||
	    update_history(rq->db, &rq->caller, &rq->stack, -1, page, size, rq->arena, &list, &count, e) < 0 ||
	    finish_infos(rq, list, count, e) < 0)
		return -1;

	if (http_parameter(&rq->http, "output-type"))
		return reply_service_list(rq, rp, list, count, size,
					  count ? list[0].version + (page - 1) * size : 0);
	reply.updates = (struct object_list){ list, count, sizeof(*list) };
	return reply_json(rp, update_list_reply_fields, &reply);
}

static int no_update(struct request *rq, const char *which, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "Not Found: Stack '%s/%s/%s' has no %s", rq->path.organization, rq->path.project,
		       rq->path.name, which);
}

/* GetLatestStackUpdate */
int api_get_latest_stack_update(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct service_update reply;
	struct update_info *list;
	size_t count;

	if (update_history(rq->db, &rq->caller, &rq->stack, -1, 1, 1, rq->arena, &list, &count, e) < 0)
		return -1;
	if (count == 0)
		return no_update(rq, "updates", e);
	if (finish_infos(rq, list, 1, e) < 0)
		return -1;

	reply = service_of(list, list->version);
	return reply_json(rp, service_update_fields, &reply);
}

/* The update with the version in the path, or 404. */
static int find_version(struct request *rq, struct update_info **ret_info, struct err *e)
{
	int64_t version;
	size_t count = 0;

	if (!scan_int(span_of(rq->version), &version) || version < 1)
		return no_update(rq, "such version", e);
	if (update_history(rq->db, &rq->caller, &rq->stack, version, 1, 1, rq->arena, ret_info, &count, e) < 0)
		return -1;
	if (count == 0)
		return no_update(rq, "such version", e);
	set_results(*ret_info, 1);
	return 1;
}

/* GetStackUpdate */
int api_get_stack_update(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct service_update reply;
	struct update_info *info;

	if (find_version(rq, &info, e) < 0 || update_load_configurations(rq->app, info, 1, rq->arena, e) < 0)
		return -1;

	reply = service_of(info, rq->stack.version);
	return reply_json(rp, service_update_fields, &reply);
}

const struct field update_summary_fields[] = {
	FIELD(update_info, result, "result", FIELD_TEXT),
	FIELD(update_info, started_at, "startTime", FIELD_TIME),
	FIELD(update_info, ended_at, "endTime", FIELD_TIME),
	FIELD(update_info, resource_count, "resourceCount", FIELD_INT),
	{ 0 },
};

/* GetStackUpdateSummary */
int api_get_stack_update_summary(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct update_info *info;

	if (find_version(rq, &info, e) < 0)
		return -1;

	return reply_json(rp, update_summary_fields, info);
}

/* GetLatestStackPreviews */
int api_get_latest_stack_previews(struct request *rq, struct http_reply *rp, struct err *e)
{
	const char *ascending = http_parameter(&rq->http, "asc");
	struct update_info *list;
	int64_t page, size;
	size_t count;

	if (read_page(rq, &page, &size, e) < 0 ||
	    update_previews(rq->db, &rq->caller, &rq->stack, ascending && !strcmp(ascending, "true"), page,
			    size ? size : LIMIT_PAGE, rq->arena, &list, &count, e) < 0 ||
	    finish_infos(rq, list, count, e) < 0)
		return -1;

	return reply_service_list(rq, rp, list, count, size, (int64_t)count);
}

static int find_preview(struct request *rq, struct update_info *ret_info, struct err *e)
{
	if (update_preview_find(rq->db, &rq->caller, &rq->stack, rq->update_id, rq->arena, ret_info, e) < 0)
		return -1;
	set_results(ret_info, 1);
	return 1;
}

/* GetStackPreview */
int api_get_stack_preview(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct update_info info = { 0 };
	struct service_update reply;

	if (find_preview(rq, &info, e) < 0 || update_load_configurations(rq->app, &info, 1, rq->arena, e) < 0)
		return -1;

	reply = service_of(&info, info.version);
	return reply_json(rp, service_update_fields, &reply);
}

/* GetStackPreviewSummary */
int api_get_stack_preview_summary(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct update_info info = { 0 };

	if (find_preview(rq, &info, e) < 0)
		return -1;

	return reply_json(rp, update_summary_fields, &info);
}
