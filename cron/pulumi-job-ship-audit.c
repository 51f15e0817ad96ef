/* SPDX-License-Identifier: Apache-2.0 */
/* Brings the records of the audit log to the table that keeps it; rows go when every reader sees them there. */
#include <time.h>

#include "audit/ship.h"
#include "claim/claim.h"
#include "job.h"
#include "start/start.h"

#define RENEW_SECONDS (CLAIM_SECONDS / 6)

/* One host ships at a time: two would do no harm, and everything twice. */
struct turn {
	struct db *db;
	struct claim claim;
	time_t renewed;
};

static bool going(struct turn *t)
{
	struct err ignored = { 0 };
	time_t now = time(NULL);

	if (!job_going())
		return false;
	if (now - t->renewed < RENEW_SECONDS)
		return true;
	t->renewed = now;
	return claim_renew(t->db, &t->claim, &ignored) == 1;
}

static int ship_all(struct app *app, struct turn *turn, struct audit_shipping *s, struct err *e)
{
	int rc;

	do
		rc = audit_ship(app->audit, app->db, s, e);
	while (rc == 1 && going(turn));
	while (rc >= 0 && going(turn)) {
		rc = audit_remove_shipped(app->audit, app->db, s, e);
		if (rc == 0)
			break;
	}
	return rc;
}

static int work(struct app *app, struct buffer *said, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct turn turn = { .db = app->db, .renewed = time(NULL) };
	struct audit_shipping s = { 0 };
	const char *holder;
	int rc;

	if (!audit_ships(app->audit))
		return 0;
	rc = claim_take(app->db, "audit", "pulumi-job-ship-audit", &arena, &turn.claim, &holder, e);
	if (rc <= 0)
		return rc;
	rc = ship_all(app, &turn, &s, e);
	claim_release(app->db, &turn.claim);
	if (s.shipped || s.removed)
		buffer_printf(said, " records=%lld removed=%lld", (long long)s.shipped, (long long)s.removed);
	return rc < 0 ? -1 : s.shipped > 0 || s.removed > 0;
}

int main(int argc, char **argv)
{
	static const struct job job = {
		.name = "ship-audit",
		.help = "Puts new records of the audit log into the DynamoDB table that PULUMI_AUDIT_LOGS_DYNAMO_TABLE names, and removes\n"
			"their rows from the database ten minutes later. Does nothing when the setting is not set.",
		.parts = START_DATABASE | START_AUDIT,
		.work = work,
	};

	return job_main(&job, argc, argv);
}
