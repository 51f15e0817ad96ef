/* SPDX-License-Identifier: Apache-2.0 */
#include "oidc/policy.h"

#include "api/route.h"
#include "base/limits.h"

const struct field auth_policy_fields[] = {
	FIELD(policy, id, "id", FIELD_TEXT),
	FIELD(policy, version, "version", FIELD_INT),
	FIELD(policy, created_at, "created", FIELD_DATE),
	FIELD(policy, modified_at, "modified", FIELD_DATE),
	FIELD(policy, definitions, "policies", FIELD_RAW),
	{ 0 },
};

struct policy_body {
	struct span definitions;
};

const struct field update_auth_policy_body_fields[] = {
	FIELD(policy_body, definitions, "policies", FIELD_RAW, .flags = FIELD_REQUIRED, .limit = LIMIT_POLICIES_BYTES),
	{ 0 },
};

/* GetAuthPolicy */
int api_get_auth_policy(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct policy policy = { 0 };

	if (policy_of_issuer(rq->app, rq->caller.organization_id, rq->issuer, rq->arena, &policy, e) < 0)
		return -1;

	return reply_json(rp, auth_policy_fields, &policy);
}

/* UpdateAuthPolicy */
int api_update_auth_policy(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct policy_body body = { 0 };
	struct policy policy = { 0 };

	if (request_body(rq, update_auth_policy_body_fields, &body, e) < 0)
		return -1;

	if (policy_change(rq->app, &rq->caller, rq->policy, body.definitions, rq->now_us, rq->arena, &policy, e) < 0)
		return -1;

	rq->audit_detail = arena_printf(rq->arena, "version %lld", (long long)policy.version);
	return reply_json(rp, auth_policy_fields, &policy);
}
