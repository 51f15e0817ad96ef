/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log where it is not in the database: every item of its table, and whether records still arrive there. */
#include <inttypes.h>

#include "audit/ship.h"
#include "base/clock.h"
#include "verify/internal.h"

#define LATE_US (24 * 3600 * 1000000LL)

static int look_at(void *context, const char *key, const struct audit_entry *entry, struct err *e)
{
	struct verify *v = context;

	(void)e;
	if (!entry)
		verify_problem(v, "audit log", "the item %.120s of the table is no record of this server; readers leave it out", key);
	v->counts.audit_records += entry != NULL;
	v->seen(v->context, "audit records", 1);
	return 1;
}

static int look_at_waiting(struct verify *v, struct err *e)
{
	char text[TIME_TEXT];
	int64_t since_us;
	int rc = audit_waits_since(v->app->audit, v->app->db, &since_us, e);

	if (rc == 1 && since_us < v->app->now_us() - LATE_US) {
		time_words(since_us, text);
		verify_problem(v, "audit log", "records wait since %s for the table; pulumi-job-ship-audit --once says why", text);
	}
	return rc < 0 ? -1 : 1;
}

int verify_audit(struct verify *v, struct err *e)
{
	if (audit_scan(v->app->audit, look_at, v, e) < 0)
		return -1;
	return look_at_waiting(v, e);
}
