/* SPDX-License-Identifier: Apache-2.0 */
/* A token of an identity provider, a key set, and the path and pattern of a rule: whatever they are, nothing is verified by chance. */
#include "base/limits.h"
#include "fuzz.h"
#include "json/scan.h"
#include "oidc/claims.h"
#include "oidc/jwt.h"
#include "oidc/policy.h"

static void look_at_keys(struct span text, struct arena *arena, struct jwk **ret_keys, size_t *ret_count)
{
	struct err e = { 0 };

	if (jwks_read(text, arena, ret_keys, ret_count, &e) < 0) {
		promise_refusal(&e);
		*ret_count = 0;
	}
	PROMISE(*ret_count <= LIMIT_JWKS_KEYS);
	err_clear(&e);
	if (jwks_check(text, &e) < 0)
		promise_refusal(&e);
	else
		PROMISE(*ret_count > 0);
}

static void look_at_rule(const struct jwt *jwt, struct span path, struct span pattern, struct arena *arena)
{
	struct claim_path names;
	struct err e = { 0 };
	struct span value;

	if (claim_path_read(arena_strndup(arena, path.data, path.length), arena, &names, &e) < 0) {
		promise_refusal(&e);
		return;
	}
	PROMISE(names.count >= 1 && names.count <= LIMIT_CLAIM_NAMES);
	if (jwt->claims.data && claim_at(jwt->claims, &names, arena, &value)) {
		PROMISE(value.data >= jwt->claims.data && value.data + value.length <= jwt->claims.data + jwt->claims.length);
		(void)claim_matches(value, arena_strndup(arena, pattern.data, pattern.length < LIMIT_RULE ? pattern.length : LIMIT_RULE), arena);
	}
}

/* A list that was taken is taken again as it was written, and decides. */
static void look_at_policies(struct span text, const struct jwt *jwt)
{
	_cleanup_(buffer_done) struct buffer once = BUFFER_INIT, twice = BUFFER_INIT;
	struct policy_question q = { "organization", NULL, false, jwt->claims.data ? jwt->claims : SPAN("{}") };
	struct err e = { 0 };
	struct span list;

	if (scan_document(text, &list, &e) < 0 || policy_write_definitions(list, &once, &e) < 0) {
		promise_refusal(&e);
		return;
	}
	PROMISE(policy_write_definitions(buffer_span(&once), &twice, &e) == 1 && span_equal(buffer_span(&once), buffer_span(&twice)));
	PROMISE(policy_decide(buffer_span(&once), &q, &e) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct span rest = { (const char *)data, size }, part = SPAN(""), set = SPAN(""), path = SPAN(""), pattern = SPAN(""), policies = SPAN("");
	struct jwt jwt = { 0 };
	struct err e = { 0 };
	struct jwk *keys = NULL;
	size_t count = 0;

	if (!next_part(&rest, &part))
		return 0;
	(void)(next_part(&rest, &set) && next_part(&rest, &path) && next_part(&rest, &pattern) && next_part(&rest, &policies));
	look_at_keys(set, &arena, &keys, &count);
	if (jwt_read(part, &arena, &jwt, &e) < 0) {
		promise_refusal(&e);
	} else {
		PROMISE(jwt.algorithm && jwt.issuer && jwt.signed_part.length < part.length);
		/* Nobody here knows a private key. */
		PROMISE(jwt_verify(&jwt, keys, count, &e) <= 0);
		err_clear(&e);
		if (jwt_check(&jwt, "urn:pulumi:org:acme", INT64_C(1790000000000000), &arena, &e) < 0)
			promise_refusal(&e);
	}
	look_at_rule(&jwt, path, pattern, &arena);
	look_at_policies(policies, &jwt);
	return 0;
}
