/* SPDX-License-Identifier: Apache-2.0 */
#include "api/route.h"
#include <strings.h>

#include "base/limits.h"
#include "json/scan.h"
#include "json/write.h"
#include "stack/config.h"
#include "stack/tag.h"
#include "update/update.h"

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
	struct span state, config;	/* JSON */
};

/* The state can be as large as any: the body is scanned, not read into a tree. */
const struct field create_stack_body_fields[] = {
	FIELD(create_stack_body, name, "stackName", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = LIMIT_NAME),
	FIELD(create_stack_body, tags, "tags", FIELD_TEXT_MAP, .limit = LIMIT_TAGS),
	FIELD(create_stack_body, teams, "teams", FIELD_TEXT_LIST, .limit = 100),
	FIELD(create_stack_body, state, "state", FIELD_RAW_OBJECT, .help = "A state document to begin with."),
	FIELD(create_stack_body, config, "config", FIELD_RAW_OBJECT, .help = "Makes the configuration remote."),
	{ 0 },
};

/* Everything but the state goes through the field table. */
static int read_small(struct request *rq, struct span document, struct create_stack_body *body, struct err *e)
{
	static const char *const names[] = { "stackName", "tags", "teams", "config" };
	_cleanup_(buffer_done) struct buffer small = BUFFER_INIT;
	struct span v[4];

	scan_pick(document, names, 4, v);
	buffer_putc(&small, '{');
	for (size_t i = 0; i < 4; i++)
		if (v[i].data)
			json_put_raw(&small, names[i], v[i]);
	buffer_putc(&small, '}');
	return fields_read(create_stack_body_fields, buffer_span(&small), rq->arena, body, e);
}

static int read_create(struct request *rq, struct create_stack_body *body, struct err *e)
{
	struct span document;

	if (request_document(rq, &document, e) < 0 || read_small(rq, document, body, e) < 0 ||
	    stack_check_tags(&body->tags, e) < 0)
		return -1;
	if (body->teams.count)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: there is no team '%.100s' in %s", body->teams.items[0],
			       rq->path.organization);
	if (scan_find(document, "state", &body->state) && body->state.data[0] != '{')
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'state' must be an object");
	return body->config.data ? stack_check_config(&body->config, rq->arena, e) : 1;
}

struct message {
	const char *severity, *text;
};

static const struct field message_fields[] = {
	FIELD(message, severity, "severity", FIELD_TEXT),
	FIELD(message, text, "message", FIELD_TEXT),
	{ 0 },
};

struct create_stack_reply {
	struct object_list messages;
};

const struct field create_stack_reply_fields[] = {
	FIELD(create_stack_reply, messages, "messages", FIELD_LIST, .flags = FIELD_OMIT_EMPTY, .fields = message_fields),
	{ 0 },
};

/* CreateStack */
int api_create_stack(struct request *rq, struct http_reply *rp, struct err *e)
{
	static const struct message remote = { "warning", "The configuration of this stack is remote, and this server does "
					       "not serve environments yet: operations on the stack fail until it does." };
	struct create_stack_body body = { 0 };
	struct create_stack_reply reply = { 0 };
	struct stack stack = { .tags = SPAN("{}") };
	char id[UUID_TEXT];

	if (read_create(rq, &body, e) < 0)
		return -1;
	rq->path.name = body.name;

	if (stack_create(rq->db, &rq->caller, &rq->path, body.config, rq->now_us, id, e) < 0)
		return -1;
	stack.id = id;
	if (stack_write_tags(rq->db, rq->caller.organization_id, &stack, &body.tags, e) < 0 ||
	    (body.state.data && update_set_first_state(rq->app, id, body.state, e) < 0))
		return -1;

	if (body.config.data)
		reply.messages = (struct object_list){ &remote, 1, sizeof(remote) };
	return reply_json(rp, create_stack_reply_fields, &reply);
}

static const struct field operation_fields[] = {
	FIELD(stack_operation, kind, "kind", FIELD_TEXT),
	FIELD(stack_operation, author, "author", FIELD_TEXT),
	FIELD(stack_operation, started, "started", FIELD_TIME),
	{ 0 },
};

struct stack_reply {
	const char *id, *organization, *project, *name, *active_update;
	const struct stack_operation *operation;
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
	const struct stack *s = &rq->stack;
	struct stack_operation running = { 0 };
	struct stack_reply reply;

	if (s->locked && stack_operation(rq->db, s, rq->now_us, rq->arena, &running, e) < 0)
		return -1;

	reply = (struct stack_reply){ s->id, rq->caller.organization_login, s->project, s->name, s->active_update_id,
				      running.kind ? &running : NULL, s->tags, s->config, s->version };
	return reply_json(rp, stack_reply_fields, &reply);
}

/* DeleteStack */
int api_delete_stack(struct request *rq, struct http_reply *rp, struct err *e)
{
	const char *text = http_parameter(&rq->http, "force");
	bool force = text && !strcmp(text, "true");

	if (text && !force && strcmp(text, "false"))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: force must be true or false");

	/* Resources that an abandoned update left count as well. */
	if ((!force && update_settle(rq->app, &rq->caller, &rq->path, rq->now_us, e) < 0) ||
	    stack_delete(rq->db, &rq->caller, &rq->path, force, rq->now_us, e) < 0)
		return -1;

	return reply_nothing(rp);
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

static void finish_listed(struct request *rq, const char *organization, struct stack_listed *s)
{
	s->organization = organization;
	s->self = arena_printf(rq->arena, "/api/stacks/%s/%s/%s", s->organization, s->project, s->name);
	s->links = s;
	if (s->running)
		s->last_update_at = 0;
}

/*
 * A page goes on where the last one ended: organization and stack, both UUIDs; no stack when the organization is
 * still to begin.
 */
static int read_token(struct request *rq, const char **ret_organization, const char **ret_stack, struct err *e)
{
	const char *token = http_parameter(&rq->http, "continuationToken");
	char *organization, *stack;

	*ret_organization = *ret_stack = "";
	if (!token)
		return 1;
	organization = arena_strndup(rq->arena, token, strcspn(token, "_"));
	stack = arena_strdup(rq->arena, token + strcspn(token, "_") + (strchr(token, '_') != NULL));
	if (!uuid_valid(organization) || (*stack && !uuid_valid(stack)))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: continuationToken was not given out by this server");
	*ret_organization = organization;
	*ret_stack = stack;
	return 1;
}

struct listing {
	struct stack_filter filter;
	const char *organization;	/* login; NULL: any */
	const char *from_organization, *from_stack, *continuation_token;
	struct stack_listed *rows;
	size_t count, limit;
};

/* One organization after the other, in order of their ids, until the page is full: each is a range of an index. */
static int fill(struct request *rq, struct listing *l, const struct organization *o, struct err *e)
{
	const char *after = strcmp(o->id, l->from_organization) ? "" : l->from_stack;
	size_t room = l->limit - l->count, count;
	struct stack_listed *rows;

	if (strcmp(o->id, l->from_organization) < 0 || l->continuation_token ||
	    (l->organization && strcasecmp(o->login, l->organization)))
		return 1;
	if (stack_list(rq->db, o->id, &l->filter, after, (int64_t)room + 1, rq->now_us, rq->arena, &rows, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < count && i < room; i++) {
		l->rows[l->count++] = rows[i];
		finish_listed(rq, o->login, &l->rows[l->count - 1]);
	}
	if (count > room)
		l->continuation_token = arena_printf(rq->arena, "%s_%s", o->id, room ? rows[room - 1].id : after);
	return 1;
}

static int read_listing(struct request *rq, struct listing *l, struct err *e)
{
	int64_t limit;

	*l = (struct listing){ .filter = { .project = http_parameter(&rq->http, "project"),
					   .tag_name = http_parameter(&rq->http, "tagName"),
					   .tag_value = http_parameter(&rq->http, "tagValue") },
			       .organization = http_parameter(&rq->http, "organization") };
	if (http_parameter_int(&rq->http, "maxResults", LIMIT_PAGE_DEFAULT, 1, LIMIT_PAGE, &limit, e) < 0 ||
	    read_token(rq, &l->from_organization, &l->from_stack, e) < 0)
		return -1;
	l->limit = (size_t)limit;
	l->rows = arena_alloc(rq->arena, l->limit * sizeof(*l->rows));
	return 1;
}

/* ListUserStacks: a last page carries no token. There are no custom roles, so no stack has the one asked for. */
int api_list_user_stacks(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct stack_list_reply reply = { 0 };
	struct organization *organizations;
	struct listing l;
	size_t count;

	if (read_listing(rq, &l, e) < 0 ||
	    identity_organizations_by_id(rq->db, &rq->caller, rq->arena, &organizations, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < count && !http_parameter(&rq->http, "roleID"); i++)
		if (fill(rq, &l, &organizations[i], e) < 0)
			return -1;

	reply.stacks = (struct object_list){ l.rows, l.count, sizeof(*l.rows) };
	reply.continuation_token = l.continuation_token;
	return reply_json(rp, stack_list_reply_fields, &reply);
}
