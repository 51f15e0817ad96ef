/* SPDX-License-Identifier: Apache-2.0 */
#include "api/route.h"
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

static void finish_infos(struct update_info *list, size_t count)
{
	for (size_t i = 0; i < count; i++)
		list[i].result = result_of(list[i].result);
}

/* GetStackUpdates */
int api_get_stack_updates(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct update_list_reply reply;
	struct update_info *list;
	int64_t page, size;
	size_t count;

	if (http_parameter_int(&rq->http, "page", 1, 1, INT32_MAX, &page, e) < 0 ||
	    http_parameter_int(&rq->http, "pageSize", 0, 0, 10000, &size, e) < 0 ||
	    update_history(rq->db, &rq->caller, &rq->path, -1, page, size, rq->arena, &list, &count, e) < 0)
		return -1;

	finish_infos(list, count);
	reply.updates = (struct object_list){ list, count, sizeof(*list) };
	return reply_json(rp, update_list_reply_fields, &reply);
}

struct latest_update_reply {
	const struct update_info *info;
};

const struct field latest_update_reply_fields[] = {
	FIELD(latest_update_reply, info, "info", FIELD_OBJECT_POINTER, .fields = update_info_fields),
	{ 0 },
};

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

	finish_infos(list, 1);
	return reply_json(rp, latest_update_reply_fields, &(struct latest_update_reply){ list });
}
