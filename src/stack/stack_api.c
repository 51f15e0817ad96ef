/* SPDX-License-Identifier: Apache-2.0 */
#include "api/dispatch.h"
#include "base/limits.h"
#include "json/write.h"

/* Names and values as the command line checks them; longer ones would not come back from it. */
static int check_tags(const struct text_map *tags, struct err *e)
{
	if (tags->count > LIMIT_TAGS)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: %zu tags, at most %d are allowed", tags->count, LIMIT_TAGS);
	for (size_t i = 0; i < tags->count; i++) {
		const char *name = tags->items[i].name;
		size_t n = strlen(name);

		if (n == 0 || n > LIMIT_TAG_NAME ||
		    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-") != n)
			return err_set(e, ERR_BAD_REQUEST,
				       "Bad Request: the tag name '%.60s' must have 1 to %d letters, digits, '-', '_', '.' or ':'",
				       name, LIMIT_TAG_NAME);
		if (strlen(tags->items[i].value) > LIMIT_TAG_VALUE * 4)
			return err_set(e, ERR_BAD_REQUEST, "Bad Request: the value of tag '%s' is longer than %d characters",
				       name, LIMIT_TAG_VALUE);
	}
	return 1;
}

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

/* CreateStack */
int api_create_stack(struct request *rq, struct http_reply *rp, struct err *e)
{
	static const struct field body_fields[] = {
		FIELD(create_stack_body, name, "stackName", FIELD_TEXT, .flags = FIELD_REQUIRED),
		FIELD(create_stack_body, tags, "tags", FIELD_TEXT_MAP),
		FIELD(create_stack_body, teams, "teams", FIELD_TEXT_LIST, .limit = 100),
		FIELD(create_stack_body, state, "state", FIELD_RAW_OBJECT),
		FIELD(create_stack_body, config, "config", FIELD_RAW_OBJECT),
		{ 0 },
	};
	struct create_stack_body body = { 0 };
	char id[UUID_TEXT];

	if (request_body(rq, body_fields, &body, e) < 0 || check_tags(&body.tags, e) < 0)
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

static void write_operation(struct buffer *b, const struct stack *s)
{
	json_write_name(b, "currentOperation");
	buffer_putc(b, '{');
	json_put_text(b, "kind", s->operation_kind);
	json_put_text(b, "author", s->operation_author);
	json_put_int(b, "started", s->operation_started / 1000000);
	buffer_putc(b, '}');
}

/* GetStack */
int api_get_stack(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct buffer *b = &rp->body;
	struct stack s = { 0 };

	if (stack_find(rq->db, &rq->caller, &rq->path, rq->now_us, rq->arena, &s, e) < 0)
		return -1;

	rp->status = 200;
	buffer_putc(b, '{');
	json_put_text(b, "id", s.id);
	json_put_text(b, "orgName", rq->caller.organization_login);
	json_put_text(b, "projectName", s.project);
	json_put_text(b, "stackName", s.name);
	if (s.operation_kind)
		write_operation(b, &s);
	json_put_text(b, "activeUpdate", s.active_update_id);
	json_put_raw(b, "tags", span_of(s.tags));
	json_put_int(b, "version", s.version);
	buffer_putc(b, '}');
	return 1;
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
	    fields_read_text_map(body, rq->arena, &tags, e) < 0 || check_tags(&tags, e) < 0)
		return -1;

	if (stack_set_tags(rq->db, &rq->caller, &rq->path, tags_text(rq, &tags), e) < 0)
		return -1;

	return reply_empty(rp);
}

static void write_listed(struct buffer *b, const struct stack_listed *s)
{
	json_write_separator(b);
	buffer_putc(b, '{');
	json_put_text(b, "id", s->id);
	json_put_text(b, "orgName", s->organization);
	json_put_text(b, "projectName", s->project);
	json_put_text(b, "stackName", s->name);
	if (s->last_update_at >= 0) {
		json_put_int(b, "lastUpdate", s->running ? 0 : s->last_update_at / 1000000);
		json_put_int(b, "resourceCount", s->resource_count);
	}
	buffer_puts(b, ",\"links\":{\"self\":\"\"}}");
}

/* ListUserStacks: the token of the next page is the last id; a last page carries none. */
int api_list_user_stacks(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct stack_filter f = { .organization = http_parameter(&rq->http, "organization"),
				  .project = http_parameter(&rq->http, "project"),
				  .tag_name = http_parameter(&rq->http, "tagName"),
				  .tag_value = http_parameter(&rq->http, "tagValue"),
				  .after = http_parameter(&rq->http, "continuationToken") };
	struct stack_listed *list;
	size_t count;

	if (f.after && !uuid_valid(f.after))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: continuationToken was not given out by this server");

	if (stack_list(rq->db, &rq->caller, &f, LIMIT_PAGE_DEFAULT + 1, rq->arena, &list, &count, e) < 0)
		return -1;

	rp->status = 200;
	buffer_puts(&rp->body, "{\"stacks\":[");
	for (size_t i = 0; i < count && i < LIMIT_PAGE_DEFAULT; i++)
		write_listed(&rp->body, &list[i]);
	buffer_putc(&rp->body, ']');
	if (count > LIMIT_PAGE_DEFAULT)
		json_put_text(&rp->body, "continuationToken", list[LIMIT_PAGE_DEFAULT - 1].id);
	buffer_putc(&rp->body, '}');
	return 1;
}
