/* SPDX-License-Identifier: Apache-2.0 */
#include "org/role.h"

#include "api/route.h"
#include "org/member.h"

#define ROLE_COUNT 2

struct role_reply {
	struct role role;	/* first: the fields of a role are its own */
	const char *organization_id, *resource_type, *purpose;
	int64_t version, created_at;
};

static const struct field role_fields[] = {
	FIELD(role, id, "id", FIELD_TEXT),
	FIELD(role_reply, organization_id, "orgId", FIELD_TEXT),
	FIELD(role, name, "name", FIELD_TEXT),
	FIELD(role, description, "description", FIELD_TEXT),
	FIELD(role, id, "defaultIdentifier", FIELD_TEXT, .help = "What a role is that is built in."),
	FIELD(role_reply, resource_type, "resourceType", FIELD_TEXT),
	FIELD(role_reply, purpose, "uxPurpose", FIELD_TEXT),
	FIELD(role, by_default, "isOrgDefault", FIELD_BOOL),
	FIELD(role_reply, version, "version", FIELD_INT),
	FIELD(role_reply, created_at, "created", FIELD_DATE),
	FIELD(role_reply, created_at, "modified", FIELD_DATE),
	{ 0 },
};

struct role_list_reply {
	struct object_list roles;
};

const struct field role_list_reply_fields[] = {
	FIELD(role_list_reply, roles, "roles", FIELD_LIST, .fields = role_fields),
	{ 0 },
};

/* 1 for roles that members can have, 0 for purposes that no role has. */
static int check_purpose(const char *purpose, struct err *e)
{
	static const char *const others[] = { "role_private", "role_temporary", "policy", "set" };

	if (!purpose || !strcmp(purpose, "role"))
		return 1;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(purpose, others[i]))
			return 0;
	return err_set(e, ERR_BAD_REQUEST, "Bad Request: uxPurpose is '%.40s', it must be role, role_private, role_temporary, "
		       "policy or set", purpose);
}

/* ListRolesByOrgIDAndUXPurpose: the built-in ones; the provider and the command line find ids here. */
int api_list_roles_by_org_id_and_ux_purpose(struct request *rq, struct http_reply *rp, struct err *e)
{
	int wanted = check_purpose(http_parameter(&rq->http, "uxPurpose"), e);
	struct role_reply list[ROLE_COUNT];
	struct role_list_reply reply = { { list, 0, sizeof(list[0]) } };
	struct member self = { 0 };

	if (wanted < 0 || member_find(rq->db, rq->caller.organization_id, rq->caller.login, rq->arena, &self, e) < 0)
		return -1;

	for (const struct role *r = roles; wanted && r->id; r++)
		list[reply.roles.count++] = (struct role_reply){ *r, rq->caller.organization_id, "global", "role", 1,
								 self.role_modified_at };
	return reply_json(rp, role_list_reply_fields, &reply);
}
