/* SPDX-License-Identifier: Apache-2.0 */
#include "org/member.h"

#include "api/route.h"
#include "base/limits.h"

struct member_reply {
	struct member member;	/* first: the fields of a member are its own */
	const char *role_id, *role_name, *avatar;
	bool known, virtual_admin;
};

static const struct field user_fields[] = {
	FIELD(member, name, "name", FIELD_TEXT),
	FIELD(member, login, "githubLogin", FIELD_TEXT),
	FIELD(member_reply, avatar, "avatarUrl", FIELD_TEXT),
	{ 0 },
};

static const struct field fga_role_fields[] = {
	FIELD(member_reply, role_id, "id", FIELD_TEXT),
	FIELD(member_reply, role_name, "name", FIELD_TEXT),
	FIELD(member, role_modified_at, "modifiedAt", FIELD_DATE),
	{ 0 },
};

/* The objects in it are made of the same struct. */
const struct field member_reply_fields[] = {
	FIELD(member, role, "role", FIELD_TEXT),
	FIELD(member_reply, member, "user", FIELD_OBJECT, .fields = user_fields),
	FIELD(member, created_at, "created", FIELD_DATE, .help = "When it joined."),
	FIELD(member_reply, known, "knownToPulumi", FIELD_BOOL),
	FIELD(member_reply, virtual_admin, "virtualAdmin", FIELD_BOOL),
	FIELD(member_reply, member, "fgaRole", FIELD_OBJECT, .fields = fga_role_fields),
	{ 0 },
};

static struct member_reply reply_of(const struct member *m)
{
	const struct role *role = role_find(m->role);

	return (struct member_reply){ .member = *m, .role_id = m->role, .role_name = role ? role->name : m->role, .known = true };
}

struct member_list_reply {
	struct object_list members;
	const char *continuation_token;
};

const struct field member_list_reply_fields[] = {
	FIELD(member_list_reply, members, "members", FIELD_LIST, .fields = member_reply_fields),
	FIELD(member_list_reply, continuation_token, "continuationToken", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY),
	{ 0 },
};

static void put_page(struct request *rq, const struct member *list, size_t count, struct member_list_reply *reply)
{
	size_t shown = count < LIMIT_PAGE_DEFAULT ? count : LIMIT_PAGE_DEFAULT;
	struct member_reply *members = arena_alloc(rq->arena, sizeof(*members) * shown);

	for (size_t i = 0; i < shown; i++)
		members[i] = reply_of(&list[i]);
	reply->members = (struct object_list){ members, shown, sizeof(*members) };
	reply->continuation_token = count > shown ? list[shown - 1].user_id : NULL;
}

/* ListOrganizationMembers: the roster of the identity provider ("backend") is this server's own ("frontend"). */
int api_list_organization_members(struct request *rq, struct http_reply *rp, struct err *e)
{
	const char *type = http_parameter(&rq->http, "type"), *after = "";
	struct member_list_reply reply = { 0 };
	struct member *list;
	size_t count;

	if (type && strcmp(type, "frontend") && strcmp(type, "backend"))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: type is '%.40s', it must be frontend or backend", type);
	if (request_page(rq, &after, e) < 0)
		return -1;

	if (member_list(rq->db, rq->caller.organization_id, after, LIMIT_PAGE_DEFAULT + 1, rq->arena, &list, &count, e) < 0)
		return -1;

	put_page(rq, list, count, &reply);
	return reply_json(rp, member_list_reply_fields, &reply);
}

struct member_body {
	const char *role, *role_id;
};

const struct field add_member_body_fields[] = {
	FIELD(member_body, role, "role", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = 40, .help = "admin or member."),
	{ 0 },
};

/* AddOrganizationMember: a user that has signed up before. */
int api_add_organization_member(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct member_body body = { 0 };
	struct member_reply reply;
	struct member m = { 0 };
	const struct role *role;

	if (request_body(rq, add_member_body_fields, &body, e) < 0 || role_check(body.role, &role, e) < 0)
		return -1;

	if (member_add(rq->db, &rq->caller, rq->user, role, rq->now_us, e) < 0 ||
	    member_find(rq->db, rq->caller.organization_id, rq->user, rq->arena, &m, e) < 0)
		return -1;

	rq->audit_detail = role->id;
	reply = reply_of(&m);
	return reply_json(rp, member_reply_fields, &reply);
}

const struct field update_member_body_fields[] = {
	FIELD(member_body, role, "role", FIELD_TEXT, .limit = 40, .help = "admin or member."),
	FIELD(member_body, role_id, "fgaRoleId", FIELD_TEXT, .limit = 40, .help = "Id of a role; counts before role."),
	{ 0 },
};

/* UpdateOrganizationMember */
int api_update_organization_member(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct member_body body = { 0 };
	const struct role *role;

	if (request_body(rq, update_member_body_fields, &body, e) < 0)
		return -1;
	if (!body.role && !body.role_id)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'role' or 'fgaRoleId' is missing: nothing to change");
	if (role_check(body.role_id ? body.role_id : body.role, &role, e) < 0)
		return -1;

	if (member_set_role(rq->db, &rq->caller, rq->user, role, e) < 0)
		return -1;

	rq->audit_detail = role->id;
	return reply_nothing(rp);
}

/* DeleteOrganizationMember */
int api_delete_organization_member(struct request *rq, struct http_reply *rp, struct err *e)
{
	if (member_remove(rq->db, &rq->caller, rq->user, e) < 0)
		return -1;

	return reply_nothing(rp);
}
