/* SPDX-License-Identifier: Apache-2.0 */
#include "api/route.h"
#include "base/limits.h"

/* The JSON that is stored, in the arena. */
static const char *tags_text(struct request *rq, const struct text_map *tags)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;

	json_write_text_map(&text, tags);
	return arena_strdup(rq->arena, text.data);
}

/* ProjectExists: answers with headers only. */
int api_project_exists(struct request *rq, struct http_reply *rp, struct err *e)
{
	int found = stack_project_exists(rq->db, &rq->caller, rq->path.project, e);

	if (found < 0)
		return -1;

	if (found == 0)
		return err_set(e, ERR_NOT_FOUND, "Not Found: Project '%.100s' not found", rq->path.project);

	rp->status = 200;
	return 1;
}

struct create_stack_body {
	const char *name;
	struct text_map tags;
	struct text_list teams;
	struct span state, config;
};

const struct field create_stack_body_fields[] = {
	FIELD(create_stack_body, name, "stackName", FIELD_TEXT, .flags = FIELD_REQUIRED),
	FIELD(create_stack_body, tags, "tags", FIELD_TEXT_MAP),
	FIELD(create_stack_body, teams, "teams", FIELD_TEXT_LIST, .limit = 100),
	FIELD(create_stack_body, state, "state", FIELD_RAW_OBJECT),
	FIELD(create_stack_body, config, "config", FIELD_RAW_OBJECT),
	{ 0 },
};

/* CreateStack */
int api_create_stack(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct create_stack_body body = { 0 };
	char id[UUID_TEXT];

	if (request_body(rq, create_stack_body_fields, &body, e) < 0 || stack_check_tags(&body.tags, e) < 0)
		return -1;
	if (body.teams.count || body.state.data || body.config.data)
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: this server cannot yet create a stack with teams, an initial state or remote "
			       "configuration; leave '%s' out",
			       body.teams.count ? "teams" : body.state.data ? "state" : "config");
	rq->path.name = body.name;

	if (stack_create(rq->db, &rq->caller, &rq->path, tags_text(rq, &body.tags), rq->now_us, id, e) < 0)
		return -1;

	return reply_empty(rp);
}

static const struct field operation_fields[] = {
	FIELD(stack, operation_kind, "kind", FIELD_TEXT),
	FIELD(stack, operation_author, "author", FIELD_TEXT),
	FIELD(stack, operation_started, "started", FIELD_TIME),
	{ 0 },
};

struct stack_reply {
	const char *id, *organization, *project, *name, *active_update;
	const struct stack *operation;
	struct span tags, config;
	int64_t version;
};

const struct field stack_reply_fields[] = {
	FIELD(stack_reply, id, "id", FIELD_TEXT),
	FIELD(stack_reply, organization, "orgName", FIELD_TEXT),
	FIELD(stack_reply, project, "projectName", FIELD_TEXT),
	FIELD(stack_reply, name, "stackName", FIELD_TEXT),
	FIELD(stack_reply, operation, "currentOperation", FIELD_OBJECT_POINTER, .flags = FIELD_OMIT_EMPTY,
	      .fields = operation_fields),
	FIELD(stack_reply, active_update, "activeUpdate", FIELD_TEXT),
	FIELD(stack_reply, tags, "tags", FIELD_RAW_OBJECT, .help = "Texts by name."),
	FIELD(stack_reply, config, "config", FIELD_RAW_OBJECT, .flags = FIELD_OMIT_EMPTY,
	      .help = "Present only when the configuration is remote."),
	FIELD(stack_reply, version, "version", FIELD_INT),
	{ 0 },
};

/* GetStack */
int api_get_stack(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct stack s = { 0 };
	struct stack_reply reply;

	if (stack_find(rq->db, &rq->caller, &rq->path, rq->now_us, rq->arena, &s, e) < 0)
		return -1;

	reply = (struct stack_reply){ s.id, rq->caller.organization_login, s.project, s.name, s.active_update_id,
				      s.operation_kind ? &s : NULL, s.tags, s.config, s.version };
	return reply_json(rp, stack_reply_fields, &reply);
}

/* DeleteStack */
int api_delete_stack(struct request *rq, struct http_reply *rp, struct err *e)
{
	const char *force = http_parameter(&rq->http, "force");

	if (force && strcmp(force, "true") && strcmp(force, "false"))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: force must be true or false");

	if (stack_delete(rq->db, &rq->caller, &rq->path, force && !strcmp(force, "true"), rq->now_us, e) < 0)
		return -1;

	return reply_empty(rp);
}

/* UpdateStackTags: the bare map replaces all tags. */
int api_update_stack_tags(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct text_map tags = { 0 };
	struct span body;

	if (http_body(&rq->http, LIMIT_PLAIN_BODY, &body, e) < 0 ||
	    fields_read_text_map(body, rq->arena, &tags, e) < 0 || stack_check_tags(&tags, e) < 0)
		return -1;

	if (stack_set_tags(rq->db, &rq->caller, &rq->path, tags_text(rq, &tags), e) < 0)
		return -1;

	return reply_empty(rp);
}

static const struct field links_fields[] = {
	FIELD(stack_listed, self, "self", FIELD_TEXT),
	{ 0 },
};

static const struct field stack_listed_fields[] = {
	FIELD(stack_listed, id, "id", FIELD_TEXT),
	FIELD(stack_listed, organization, "orgName", FIELD_TEXT),
	FIELD(stack_listed, project, "projectName", FIELD_TEXT),
	FIELD(stack_listed, name, "stackName", FIELD_TEXT),
	FIELD(stack_listed, last_update_at, "lastUpdate", FIELD_TIME, .flags = FIELD_OMIT_EMPTY,
	      .help = "0 while an update runs."),
	FIELD(stack_listed, resource_count, "resourceCount", FIELD_INT),
	FIELD(stack_listed, links, "links", FIELD_OBJECT_POINTER, .fields = links_fields),
	{ 0 },
};

struct stack_list_reply {
	struct object_list stacks;
	const char *continuation_token;
};

const struct field stack_list_reply_fields[] = {
	FIELD(stack_list_reply, stacks, "stacks", FIELD_LIST, .fields = stack_listed_fields),
	FIELD(stack_list_reply, continuation_token, "continuationToken", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY),
	{ 0 },
};

static void finish_listed(struct request *rq, struct stack_listed *s)
{
	s->self = arena_printf(rq->arena, "/api/stacks/%s/%s/%s", s->organization, s->project, s->name);
	s->links = s;
	if (s->running)
		s->last_update_at = 0;
}

/* ListUserStacks: the token of the next page is the last id; a last page carries none. */
int api_list_user_stacks(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct stack_filter f = { .organization = http_parameter(&rq->http, "organization"),
				  .project = http_parameter(&rq->http, "project"),
				  .tag_name = http_parameter(&rq->http, "tagName"),
				  .tag_value = http_parameter(&rq->http, "tagValue"),
				  .after = http_parameter(&rq->http, "continuationToken") };
	struct stack_list_reply reply = { 0 };
	struct stack_listed *list;
	size_t count;

	if (f.after && !uuid_valid(f.after))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: continuationToken was not given out by this server");

	if (stack_list(rq->db, &rq->caller, &f, LIMIT_PAGE_DEFAULT + 1, rq->arena, &list, &count, e) < 0)
		return -1;

	reply.stacks = (struct object_list){ list, count < LIMIT_PAGE_DEFAULT ? count : LIMIT_PAGE_DEFAULT, sizeof(*list) };
	for (size_t i = 0; i < reply.stacks.count; i++)
		finish_listed(rq, &list[i]);
	if (count > LIMIT_PAGE_DEFAULT)
		reply.continuation_token = list[LIMIT_PAGE_DEFAULT - 1].id;
	return reply_json(rp, stack_list_reply_fields, &reply);
}
