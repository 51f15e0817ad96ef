/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that refer to each other. */
#include "verify/internal.h"

static const struct {
	const struct stmt *stmt;
	const char *problem;
} checks[] = {
	{ &VERIFY_MEMBER_USER, "the user is not there" },
	{ &VERIFY_MEMBER_ORGANIZATION, "the organization is not there" },
	{ &VERIFY_ORGANIZATION_ADMIN, "no member administers it" },
	{ &VERIFY_ORGANIZATION_OWNER, "the user that owns it is not there" },
	{ &VERIFY_TOKEN_USER, "its user or its organization is not there" },
	{ &VERIFY_ISSUER_POLICY, "has no auth policy" },
	{ &VERIFY_POLICY_ISSUER, "its OIDC issuer is not there" },
	{ &VERIFY_DEFAULT_ORGANIZATION, "does not belong to its default organization" },
	{ &VERIFY_STACK_ORGANIZATION, "its organization is not there" },
	{ &VERIFY_STACK_NAME, "the name that it reserves is not its own" },
	{ &VERIFY_STACK_VERSION, "its version is not that of its last update" },
	{ &VERIFY_STACK_STATE, "has no checkpoint of the version that is its state" },
	{ &VERIFY_STACK_STATE_NEWEST, "its state is not the newest checkpoint" },
	{ &VERIFY_STACK_RESOURCES, "counts other resources than its checkpoint" },
	{ &VERIFY_STACK_ACTIVE, "its last update is not there" },
	{ &VERIFY_LOCK, "no running update of the stack holds it" },
	{ &VERIFY_RUNNING_LOCK, "runs without the lock of its stack" },
	{ &VERIFY_UPDATE_STACK, "its stack is not there" },
	{ &VERIFY_UPDATE_ORGANIZATION, "belongs to another organization than its stack" },
	{ &VERIFY_UPDATE_BASE, "the checkpoint that its journal refers to is not there" },
	{ &VERIFY_CHECKPOINT_STACK, "the stack is not there" },
	{ &VERIFY_KEY_STACK, "the stack is not there" },
	{ &VERIFY_PACK_ORGANIZATION, "its organization is not there" },
	{ &VERIFY_GROUP_ORGANIZATION, "its organization is not there" },
	{ &VERIFY_GROUP_PACK, "applies a version of a policy pack that is not published, or belongs to another organization" },
	{ &VERIFY_TAG_STACK, "the stack is not there, or in another organization" },
};

struct check {
	struct verify *verify;
	const char *problem;
};

static int report(void *context, const void *row, struct err *e)
{
	const struct verify_row *r = row;
	struct check *c = context;

	(void)e;
	verify_problem(c->verify, r->place, "%s", c->problem);
	return 1;
}

int verify_rows(struct verify *v, struct err *e)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct check c = { v, checks[i].problem };
		struct verify_row row;

		if (db_each(v->app->db, checks[i].stmt, DB_NONE, verify_place_columns, &row, sizeof(row), report, &c, e) < 0)
			return -1;
		v->seen(v->context, "relations between tables", 1);
	}
	return 1;
}
