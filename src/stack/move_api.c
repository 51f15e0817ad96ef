/* SPDX-License-Identifier: Apache-2.0 */
/* A stack's ways to another place: rename, transfer, and back from deletion. */
#include <strings.h>

#include "api/route.h"
#include "update/rename.h"

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

struct rename_reply {
	const char *id;
};

const struct field rename_stack_reply_fields[] = {
	FIELD(rename_reply, id, "updateId", FIELD_TEXT),
	{ 0 },
};

/* RenameStack */
int api_rename_stack(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct rename_body body = { 0 };
	struct stack_move move = { rq->caller.organization_id, { rq->caller.organization_login, NULL, NULL } };
	char id[UUID_TEXT];

	if (request_body(rq, rename_stack_body_fields, &body, e) < 0)
		return -1;
	move.to.project = or_same(body.project, rq->path.project);
	move.to.name = or_same(body.name, rq->path.name);

	if (update_rename(rq->app, &rq->caller, &rq->path, &move, request_client(rq), id, e) < 0)
		return -1;

	return reply_json(rp, rename_stack_reply_fields, &(struct rename_reply){ id });
}

struct transfer_body {
	const char *to, *organization, *project, *name;
};

const struct field transfer_stack_body_fields[] = {
	FIELD(transfer_body, to, "toOrg", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = 40),
	FIELD(transfer_body, organization, "fromOrg", FIELD_TEXT, .help = "Where it is; as in the path."),
	FIELD(transfer_body, project, "projectName", FIELD_TEXT, .help = "As in the path."),
	FIELD(transfer_body, name, "stackName", FIELD_TEXT, .help = "As in the path."),
	{ 0 },
};

/* A body that names another stack than the path is a mistake that must not move anything. */
static int check_transferred(const struct transfer_body *b, const struct stack_path *path, struct err *e)
{
	if (!strcasecmp(or_same(b->organization, path->organization), path->organization) &&
	    !strcmp(or_same(b->project, path->project), path->project) && !strcmp(or_same(b->name, path->name), path->name))
		return 1;
	return err_set(e, ERR_BAD_REQUEST, "Bad Request: the body names another stack than the path, %s/%s/%s",
		       path->organization, path->project, path->name);
}

/* TransferStack: the caller must be allowed to make stacks where it goes. */
int api_transfer_stack(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct transfer_body body = { 0 };
	struct caller there = { 0 };
	struct stack stack = { 0 };
	struct stack_move move;
	char id[UUID_TEXT];

	if (request_body(rq, transfer_stack_body_fields, &body, e) < 0 ||
	    stack_find(rq->db, &rq->caller, &rq->path, rq->arena, &stack, e) < 0 ||
	    check_transferred(&body, &rq->path, e) < 0 ||
	    identity_membership(rq->db, &rq->caller, body.to, rq->arena, &there, e) < 0 ||
	    access_check(&there, STACK_CREATE, body.to, e) < 0)
		return -1;

	move = (struct stack_move){ there.organization_id, { there.organization_login, rq->path.project, rq->path.name } };
	if (update_rename(rq->app, &rq->caller, &rq->path, &move, request_client(rq), id, e) < 0)
		return -1;

	return reply_nothing(rp);
}

#define DELETED_SHOWN 25

static const struct field last_update_fields[] = {
	FIELD(stack_last_update, status, "result", FIELD_TEXT),
	FIELD(stack_last_update, started_at, "startTime", FIELD_TIME),
	FIELD(stack_last_update, ended_at, "endTime", FIELD_TIME),
	FIELD(stack_last_update, resource_count, "resourceCount", FIELD_INT),
	{ 0 },
};

static const struct field deleted_stack_fields[] = {
	FIELD(stack_deleted, id, "id", FIELD_TEXT),
	FIELD(stack_deleted, id, "programId", FIELD_TEXT),
	FIELD(stack_deleted, project, "projectName", FIELD_TEXT),
	FIELD(stack_deleted, name, "stackName", FIELD_TEXT),
	FIELD(stack_deleted, deleted_at, "deletedAt", FIELD_TIME),
	FIELD(stack_deleted, version, "version", FIELD_INT),
	FIELD(stack_deleted, last, "lastUpdate", FIELD_OBJECT, .fields = last_update_fields),
	{ 0 },
};

struct deleted_list {
	struct object_list stacks;
};

const struct field deleted_stacks_reply_fields[] = {
	FIELD(deleted_list, stacks, "deletedStacks", FIELD_LIST, .fields = deleted_stack_fields),
	{ 0 },
};

static void finish_last(struct stack_last_update *u)
{
	u->status = !u->status ? "not-started" : !strcmp(u->status, "succeeded") ? "succeeded" : "failed";
	if (u->started_at < 0)
		u->started_at = 0;
	if (u->ended_at < 0)
		u->ended_at = 0;
}

/* ListDeletedStacks */
int api_list_deleted_stacks(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct deleted_list reply = { 0 };
	struct stack_deleted *list;

	if (stack_list_deleted(rq->db, &rq->caller, DELETED_SHOWN, rq->arena, &list, &reply.stacks.count, e) < 0)
		return -1;

	for (size_t i = 0; i < reply.stacks.count; i++)
		finish_last(&list[i].last);
	reply.stacks.items = list;
	reply.stacks.size = sizeof(*list);
	return reply_json(rp, deleted_stacks_reply_fields, &reply);
}

struct restore_body {
	const char *name;
};

const struct field restore_stack_body_fields[] = {
	FIELD(restore_body, name, "stackName", FIELD_TEXT, .help = "The name that it had; absent: whatever it was."),
	{ 0 },
};

/* RestoreDeletedStack */
int api_restore_deleted_stack(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct restore_body body = { 0 };

	if (request_body(rq, restore_stack_body_fields, &body, e) < 0)
		return -1;
	if (!uuid_valid(rq->program))
		return err_set(e, ERR_NOT_FOUND, "Not Found: there is no deleted stack %.36s", rq->program);

	if (stack_restore(rq->db, &rq->caller, rq->program, body.name && *body.name ? body.name : NULL, e) < 0)
		return -1;

	return reply_nothing(rp);
}
