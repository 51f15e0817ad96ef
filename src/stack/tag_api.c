/* SPDX-License-Identifier: Apache-2.0 */
/* Tags and remote configuration of a stack, and its moves: rename, transfer, restore. */
#include "api/route.h"
#include "base/limits.h"
#include "stack/config.h"
#include "stack/tag.h"
#include "update/rename.h"

/* UpdateStackTags: the bare map replaces all tags. */
int api_update_stack_tags(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct text_map tags = { 0 };
	struct span body;

	if (http_body(&rq->http, LIMIT_PLAIN_BODY, &body, e) < 0 ||
	    fields_read_text_map(body, rq->arena, &tags, e) < 0 || stack_check_tags(&tags, e) < 0)
		return -1;

	if (stack_set_tags(rq->db, &rq->caller, &rq->path, &tags, e) < 0)
		return -1;

	return reply_empty(rp);
}

const struct field stack_tag_body_fields[] = {
	FIELD(text_pair, name, "name", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = LIMIT_TAG_NAME),
	FIELD(text_pair, value, "value", FIELD_TEXT, .flags = FIELD_REQUIRED),
	{ 0 },
};

/* AddStackTag */
int api_add_stack_tag(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct text_pair tag = { 0 };

	if (request_body(rq, stack_tag_body_fields, &tag, e) < 0)
		return -1;

	if (stack_add_tag(rq->db, &rq->caller, &rq->path, &tag, e) < 0)
		return -1;

	return reply_nothing(rp);
}

/* UpdateStackTag */
int api_update_stack_tag(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct text_pair tag = { 0 };

	if (request_body(rq, stack_tag_body_fields, &tag, e) < 0)
		return -1;

	if (stack_change_tag(rq->db, &rq->caller, &rq->path, rq->tag, &tag, e) < 0)
		return -1;

	return reply_nothing(rp);
}

/* DeleteStackTag */
int api_delete_stack_tag(struct request *rq, struct http_reply *rp, struct err *e)
{
	if (stack_remove_tag(rq->db, &rq->caller, &rq->path, rq->tag, e) < 0)
		return -1;

	return reply_nothing(rp);
}

/* GetStackConfig: 404 while the configuration is local. */
int api_get_stack_config(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct stack stack = { 0 };

	if (stack_find(rq->db, &rq->caller, &rq->path, rq->now_us, rq->arena, &stack, e) < 0)
		return -1;
	if (!stack.config.data)
		return err_set(e, ERR_NOT_FOUND, "Not Found: the configuration of Stack '%s/%s/%s' is not remote",
			       rq->path.organization, rq->path.project, rq->path.name);

	rp->status = 200;
	buffer_append(&rp->body, stack.config.data, stack.config.length);
	return 1;
}

/* UpdateStackConfig */
int api_update_stack_config(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct span config;

	if (http_body(&rq->http, LIMIT_PLAIN_BODY, &config, e) < 0 || stack_check_config(&config, rq->arena, e) < 0)
		return -1;

	if (stack_set_config(rq->db, &rq->caller, &rq->path, config, e) < 0)
		return -1;

	rp->status = 200;
	buffer_append(&rp->body, config.data, config.length);
	return 1;
}

/* DeleteStackConfig */
int api_delete_stack_config(struct request *rq, struct http_reply *rp, struct err *e)
{
	if (stack_set_config(rq->db, &rq->caller, &rq->path, (struct span){ NULL, 0 }, e) < 0)
		return -1;

	return reply_nothing(rp);
}

struct rename_body {
	const char *name, *project;
};

const struct field rename_stack_body_fields[] = {
	FIELD(rename_body, name, "newName", FIELD_TEXT, .help = "Empty: the name stays."),
	FIELD(rename_body, project, "newProject", FIELD_TEXT, .help = "Empty: the project stays."),
	{ 0 },
};

static const char *or_same(const char *new, const char *old)
{
	return new && *new ? new : old;
}

/* RenameStack */
int api_rename_stack(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct rename_body body = { 0 };
	struct stack_move move = { rq->caller.organization_id, { rq->caller.organization_login, NULL, NULL } };

	if (request_body(rq, rename_stack_body_fields, &body, e) < 0)
		return -1;
	move.to.project = or_same(body.project, rq->path.project);
	move.to.name = or_same(body.name, rq->path.name);

	if (update_rename(rq->app, &rq->caller, &rq->path, &move, request_client(rq), e) < 0)
		return -1;

	return reply_empty(rp);
}

struct transfer_body {
	const char *to;
};

const struct field transfer_stack_body_fields[] = {
	FIELD(transfer_body, to, "toOrg", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = 40),
	{ 0 },
};

/* TransferStack: the caller must be allowed to make stacks where it goes. */
int api_transfer_stack(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct transfer_body body = { 0 };
	struct caller there = { 0 };
	struct stack_move move;

	if (request_body(rq, transfer_stack_body_fields, &body, e) < 0)
		return -1;
	if (identity_membership(rq->db, &rq->caller, body.to, rq->arena, &there, e) < 0 ||
	    access_check(&there, STACK_CREATE, body.to, e) < 0)
		return -1;

	move = (struct stack_move){ there.organization_id, { there.organization_login, rq->path.project, rq->path.name } };
	if (update_rename(rq->app, &rq->caller, &rq->path, &move, request_client(rq), e) < 0)
		return -1;

	return reply_nothing(rp);
}

#define DELETED_SHOWN 25

static const struct field deleted_stack_fields[] = {
	FIELD(stack_deleted, id, "id", FIELD_TEXT),
	FIELD(stack_deleted, id, "programId", FIELD_TEXT),
	FIELD(stack_deleted, project, "projectName", FIELD_TEXT),
	FIELD(stack_deleted, name, "stackName", FIELD_TEXT),
	FIELD(stack_deleted, deleted_at, "deletedAt", FIELD_TIME),
	FIELD(stack_deleted, last_update_at, "lastUpdatedAt", FIELD_TIME, .flags = FIELD_OMIT_EMPTY),
	FIELD(stack_deleted, version, "version", FIELD_INT),
	FIELD(stack_deleted, resource_count, "resourceCount", FIELD_INT),
	{ 0 },
};

struct deleted_list {
	struct object_list stacks;
};

const struct field deleted_stacks_reply_fields[] = {
	FIELD(deleted_list, stacks, "deletedStacks", FIELD_LIST, .fields = deleted_stack_fields),
	{ 0 },
};

/* ListDeletedStacks */
int api_list_deleted_stacks(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct deleted_list reply = { 0 };
	struct stack_deleted *list;

	if (stack_list_deleted(rq->db, &rq->caller, DELETED_SHOWN, rq->arena, &list, &reply.stacks.count, e) < 0)
		return -1;

	reply.stacks.items = list;
	reply.stacks.size = sizeof(*list);
	return reply_json(rp, deleted_stacks_reply_fields, &reply);
}

/* RestoreDeletedStack */
int api_restore_deleted_stack(struct request *rq, struct http_reply *rp, struct err *e)
{
	if (!uuid_valid(rq->program))
		return err_set(e, ERR_NOT_FOUND, "Not Found: there is no deleted stack %.36s", rq->program);

	if (stack_restore(rq->db, &rq->caller, rq->program, e) < 0)
		return -1;

	return reply_nothing(rp);
}
