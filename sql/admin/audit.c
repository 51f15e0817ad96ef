/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log on its way back from a table elsewhere into the database. */
#include <stdio.h>

#include "admin.h"
#include "audit/ship.h"
#include "base/settings.h"

struct report {
	int64_t records, fetched, strange;
};

static const struct field report_fields[] = {
	FIELD(report, records, "records", FIELD_INT),
	FIELD(report, fetched, "fetched", FIELD_INT),
	FIELD(report, strange, "leftOut", FIELD_INT),
	{ 0 },
};

int admin_audit_fetch(struct admin *a, struct err *e)
{
	struct audit_fetched done = { .dry_run = a->dry_run };
	struct report r;

	if (!audit_ships(a->app.audit))
		return err_set(e, ERR_BAD_REQUEST, "PULUMI_AUDIT_LOGS_DYNAMO_TABLE is not set: there is no table to fetch from");
	if (audit_fetch(a->app.audit, a->app.db, &done, e) < 0)
		return -1;
	r = (struct report){ done.records, done.fetched, done.strange };
	if (a->json)
		admin_show(a, report_fields, &r);
	admin_say(a, "%lld records in the table, %lld of them were not in the database%s", (long long)r.records, (long long)r.fetched,
		  a->dry_run ? "" : " and are now");
	if (r.strange)
		admin_say(a, "%lld items of other programs were left out", (long long)r.strange);
	return 1;
}
