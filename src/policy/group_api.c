/* SPDX-License-Identifier: Apache-2.0 */
#include "policy/group.h"

#include "api/route.h"
#include "base/limits.h"
#include "json/scan.h"

static const struct field group_summary_fields[] = {
	FIELD(policy_group, name, "name", FIELD_TEXT),
	FIELD(policy_group, is_default, "isOrgDefault", FIELD_BOOL),
	FIELD(policy_group, stacks, "numStacks", FIELD_INT),
	FIELD(policy_group, entity_type, "entityType", FIELD_TEXT),
	FIELD(policy_group, mode, "mode", FIELD_TEXT),
	FIELD(policy_group, packs, "numEnabledPolicyPacks", FIELD_INT),
	{ 0 },
};

struct group_list_reply {
	struct object_list groups;
};

const struct field policy_group_list_fields[] = {
	FIELD(group_list_reply, groups, "policyGroups", FIELD_LIST, .fields = group_summary_fields),
	{ 0 },
};

static int reply_groups(struct http_reply *rp, const struct policy_group *list, size_t count)
{
	return reply_json(rp, policy_group_list_fields, &(struct group_list_reply){ { list, count, sizeof(*list) } });
}

/* ListPolicyGroups */
int api_list_policy_groups(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct policy_group *list;
	size_t count;

	if (group_list(rq->db, &rq->caller, rq->now_us, rq->arena, &list, &count, e) < 0)
		return -1;

	return reply_groups(rp, list, count);
}

/* GetStackPolicyGroups */
int api_get_stack_policy_groups(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct policy_group *list;
	size_t count;

	if (group_list_of_stack(rq->db, &rq->caller, rq->stack.id, rq->now_us, rq->arena, &list, &count, e) < 0)
		return -1;

	return reply_groups(rp, list, count);
}

const struct field new_policy_group_body_fields[] = {
	FIELD(group_wish, name, "name", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = LIMIT_NAME * 4),
	FIELD(group_wish, entity_type, "entityType", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = 40, .help = "stacks or accounts"),
	FIELD(group_wish, mode, "mode", FIELD_TEXT, .limit = 40, .help = "preventative, as stacks have it when absent, or audit."),
	FIELD(group_wish, agent_pool_id, "agentPoolId", FIELD_TEXT, .limit = LIMIT_NAME * 4, .help = "Is kept; nothing uses it here."),
	{ 0 },
};

/* NewPolicyGroup */
int api_new_policy_group(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct group_wish body = { 0 };

	if (request_body(rq, new_policy_group_body_fields, &body, e) < 0)
		return -1;

	if (group_create(rq->db, &rq->caller, &body, rq->now_us, rq->arena, e) < 0)
		return -1;

	rq->audit_detail = body.name;
	return reply_nothing(rp);
}

static const struct field group_stack_fields[] = {
	FIELD(group_stack, name, "name", FIELD_TEXT),
	FIELD(group_stack, project, "routingProject", FIELD_TEXT),
	{ 0 },
};

static const struct field group_pack_fields[] = {
	FIELD(group_pack, name, "name", FIELD_TEXT),
	FIELD(group_pack, display_name, "displayName", FIELD_TEXT),
	FIELD(group_pack, version, "version", FIELD_INT),
	FIELD(group_pack, version_tag, "versionTag", FIELD_TEXT),
	FIELD(group_pack, config, "config", FIELD_RAW_OBJECT, .flags = FIELD_OMIT_EMPTY),
	FIELD(group_pack, environments, "environments", FIELD_RAW, .flags = FIELD_OMIT_EMPTY),
	{ 0 },
};

struct group_reply {
	struct policy_group group;
	struct object_list stacks, packs;
	struct text_list accounts;
};

const struct field policy_group_fields[] = {
	FIELD(group_reply, group.name, "name", FIELD_TEXT),
	FIELD(group_reply, group.is_default, "isOrgDefault", FIELD_BOOL),
	FIELD(group_reply, group.entity_type, "entityType", FIELD_TEXT),
	FIELD(group_reply, group.mode, "mode", FIELD_TEXT),
	FIELD(group_reply, stacks, "stacks", FIELD_LIST, .fields = group_stack_fields),
	FIELD(group_reply, packs, "appliedPolicyPacks", FIELD_LIST, .fields = group_pack_fields),
	FIELD(group_reply, accounts, "accounts", FIELD_TEXT_LIST, .help = "Empty: there are no insights accounts here."),
	FIELD(group_reply, group.agent_pool_id, "agentPoolId", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY),
	{ 0 },
};

/* GetPolicyGroup */
int api_get_policy_group(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct group_reply reply = { .stacks.size = sizeof(struct group_stack), .packs.size = sizeof(struct group_pack) };
	struct group_stack *stacks = NULL;
	struct group_pack *packs;

	if (group_find(rq->db, &rq->caller, rq->group, rq->now_us, rq->arena, &reply.group, e) < 0 ||
	    group_packs(rq->db, &rq->caller, &reply.group, rq->arena, &packs, &reply.packs.count, e) < 0 ||
	    group_stacks(rq->db, &rq->caller, &reply.group, rq->arena, &stacks, &reply.stacks.count, e) < 0)
		return -1;

	reply.stacks.items = stacks;
	reply.packs.items = packs;
	return reply_json(rp, policy_group_fields, &reply);
}

/* The body as scanned JSON, small enough that its parts can be read by field tables. */
static int read_changes(struct request *rq, char opening, struct span *ret_json, struct err *e)
{
	struct span body;

	if (http_body(&rq->http, LIMIT_PLAIN_BODY, &body, e) < 0 || scan_document(body, ret_json, e) < 0)
		return -1;
	if (ret_json->data[0] == opening)
		return 1;
	return err_set(e, ERR_BAD_REQUEST, "Bad Request: the body must be %s", opening == '{' ? "a JSON object" : "a list of JSON objects");
}

/* UpdatePolicyGroup */
int api_update_policy_group(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct span json;

	if (read_changes(rq, '{', &json, e) < 0)
		return -1;

	if (group_change(rq->db, &rq->caller, rq->group, json, rq->now_us, http_variable(&rq->http, "REMOTE_ADDR"), rq->arena, e) < 0)
		return -1;

	return reply_nothing(rp);
}

/* BatchUpdatePolicyGroup: one after the other, in one transaction. */
int api_batch_update_policy_group(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct span list;

	if (read_changes(rq, '[', &list, e) < 0)
		return -1;

	if (group_change_all(rq->db, &rq->caller, rq->group, list, rq->now_us, http_variable(&rq->http, "REMOTE_ADDR"), rq->arena, e) < 0)
		return -1;

	return reply_nothing(rp);
}

/* DeletePolicyGroup */
int api_delete_policy_group(struct request *rq, struct http_reply *rp, struct err *e)
{
	if (group_delete(rq->db, &rq->caller, rq->group, rq->now_us, rq->arena, e) < 0)
		return -1;

	return reply_nothing(rp);
}
