/* SPDX-License-Identifier: Apache-2.0 */
#include "api/required.h"
#include "api/route.h"

const struct field required_policy_fields[] = {
	FIELD(required_pack, name, "name", FIELD_TEXT),
	FIELD(required_pack, version, "version", FIELD_INT),
	FIELD(required_pack, version_tag, "versionTag", FIELD_TEXT),
	FIELD(required_pack, display_name, "displayName", FIELD_TEXT),
	FIELD(required_pack, location, "packLocation", FIELD_TEXT, .help = "Where the archive can be fetched for some hours, without credentials."),
	FIELD(required_pack, config, "config", FIELD_RAW_OBJECT, .flags = FIELD_OMIT_EMPTY),
	FIELD(required_pack, environments, "environments", FIELD_RAW, .flags = FIELD_OMIT_EMPTY),
	{ 0 },
};

struct required_reply {
	struct object_list policies;
};

const struct field required_policy_list_fields[] = {
	FIELD(required_reply, policies, "requiredPolicies", FIELD_LIST, .flags = FIELD_OMIT_EMPTY, .fields = required_policy_fields),
	{ 0 },
};

int request_required_policies(struct request *rq, const char *mode, struct object_list *ret_list, struct err *e)
{
	struct required_pack *list;
	size_t count;

	if (required_packs(rq->app, &rq->caller, &rq->path, mode, request_base(rq), rq->arena, &list, &count, e) < 0)
		return -1;
	*ret_list = (struct object_list){ list, count, sizeof(*list) };
	return 1;
}

/* GetStackPolicyPacks */
int api_get_stack_policy_packs(struct request *rq, struct http_reply *rp, struct err *e)
{
	const char *mode = http_parameter(&rq->http, "mode");
	struct required_reply reply = { 0 };

	if (mode && strcmp(mode, "preventative") && strcmp(mode, "audit"))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: mode is '%.40s', it must be preventative or audit", mode);
	if (request_required_policies(rq, mode, &reply.policies, e) < 0)
		return -1;

	return reply_json(rp, required_policy_list_fields, &reply);
}
