/* SPDX-License-Identifier: Apache-2.0 */
/* Whether all rows and objects fit together: prints what does not. */
#include <stdio.h>
#include <string.h>

#include "admin.h"
#include "claim/claim.h"
#include "verify/verify.h"

struct finding {
	const char *where, *problem;
};

static const struct field finding_fields[] = {
	FIELD(finding, where, "where", FIELD_TEXT),
	FIELD(finding, problem, "problem", FIELD_TEXT),
	{ 0 },
};

struct report {
	bool good;
	int64_t stacks, checkpoints, bytes, journals, batches, configurations, policies, keys, policy_packs, audit_records;
	struct object_list problems;
};

static const struct field report_fields[] = {
	FIELD(report, good, "good", FIELD_BOOL),
	FIELD(report, stacks, "stacks", FIELD_INT),
	FIELD(report, checkpoints, "checkpoints", FIELD_INT),
	FIELD(report, bytes, "bytes", FIELD_INT),
	FIELD(report, journals, "journals", FIELD_INT),
	FIELD(report, batches, "batches", FIELD_INT),
	FIELD(report, configurations, "configurations", FIELD_INT, .flags = FIELD_OMIT_EMPTY),
	FIELD(report, policies, "authPolicies", FIELD_INT, .flags = FIELD_OMIT_EMPTY),
	FIELD(report, keys, "keys", FIELD_INT),
	FIELD(report, policy_packs, "policyPacks", FIELD_INT, .flags = FIELD_OMIT_EMPTY),
	FIELD(report, audit_records, "auditRecords", FIELD_INT, .flags = FIELD_OMIT_EMPTY),
	FIELD(report, problems, "problems", FIELD_LIST, .fields = finding_fields),
	{ 0 },
};

struct verifying {
	struct admin *admin;
	struct progress progress;
	struct buffer findings;		/* struct finding, for --json */
};

static void found(void *context, const char *where, const char *problem)
{
	struct verifying *v = context;
	struct finding f = { arena_strdup(&v->admin->arena, where), arena_strdup(&v->admin->arena, problem) };

	admin_say(v->admin, "%s: %s", where, problem);
	if (v->admin->json)
		buffer_append(&v->findings, &f, sizeof(f));
}

static void seen(void *context, const char *what, int64_t more)
{
	struct verifying *v = context;

	if (!v->progress.what || strcmp(v->progress.what, what))
		progress_begin(v->admin, &v->progress, what, 0);
	progress_add(v->admin, &v->progress, more);
}

static void tell(const struct admin *a, const struct verify *v, const struct buffer *findings)
{
	const struct verify_counts *c = &v->counts;
	struct report r = { c->problems == 0, c->stacks, c->checkpoints, c->bytes, c->journals, c->batches, c->configurations, c->policies,
			    c->keys, c->policy_packs, c->audit_records, { findings->data, findings->length / sizeof(struct finding), sizeof(struct finding) } };

	if (a->json)
		return admin_show(a, report_fields, &r);
	admin_say(a, "%lld stacks, %lld checkpoints (%lld bytes of text), %lld batches, %lld keys: %s", (long long)c->stacks,
		  (long long)c->checkpoints, (long long)c->bytes, (long long)c->batches, (long long)c->keys,
		  c->problems ? "something does not fit" : "everything fits");
	if (c->configurations)
		admin_say(a, "%lld configurations of updates that are objects", (long long)c->configurations);
	if (c->policies)
		admin_say(a, "%lld auth policies that are objects", (long long)c->policies);
	if (c->policy_packs)
		admin_say(a, "%lld versions of policy packs", (long long)c->policy_packs);
	if (c->audit_records)
		admin_say(a, "%lld records in the table of the audit log", (long long)c->audit_records);
	if (c->problems)
		admin_say(a, "%lld problems", (long long)c->problems);
}

int admin_verify(struct admin *a, struct err *e)
{
	struct verifying context = { .admin = a };
	struct verify v = { .app = &a->app, .found = found, .seen = seen, .context = &context };
	struct claim claim = { 0 };
	int rc = claim_wait(a->app.db, CLAIM_OBJECTS, "pulumi-admin verify", &claim, e);

	if (rc == 1)
		rc = claim_keep(db_config_of(a->app.db), &claim, e);
	if (rc == 1)
		rc = verify_installation(&v, e);
	claim_release(a->app.db, &claim);
	if (rc == 1)
		tell(a, &v, &context.findings);
	buffer_done(&context.findings);
	return rc == 1 ? v.counts.problems == 0 : -1;
}
