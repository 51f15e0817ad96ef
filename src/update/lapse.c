/* SPDX-License-Identifier: Apache-2.0 */
/* Ends updates whose lease has lapsed. Nobody asked for that: the audit log says why it happened. */
#include <stdio.h>

#include "audit/audit.h"
#include "base/clock.h"
#include "update/internal.h"
#include "update/update_sql.h"

static int record(struct db *db, const struct update *u, int64_t heard_at, int64_t now_us, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct audit_event event = { .organization_id = u->organization_id, .event = "expire_update", .source_ip = "", .created_at = now_us };
	struct update_place place = { 0 };
	char heard[TIME_TEXT];

	if (db_one(db, &UPDATE_PLACE, DB_VALUES(db_text(u->id)), update_place_columns, &place, &arena, e) < 0)
		return -1;
	time_words(heard_at, heard);
	event.description = arena_printf(&arena, "/api/stacks/%s/%s/%s/%s/%s: failed: the client of %s was last heard from at %s",
					 place.organization, place.project, place.stack, u->kind, u->id,
					 u->requested_by ? u->requested_by : "somebody", heard);
	return audit_record(db, &event, e);
}

int update_lapse(struct app *app, struct update *u, int64_t now_us, struct err *e)
{
	int64_t heard_at;

	if (update_heard_at(app->db, u, &heard_at, e) < 0 || update_end(app, u, "failed", now_us, e) < 0)
		return -1;
	return record(app->db, u, heard_at, now_us, e);
}

/* Found without a lock, since a lock on a range of leases would hold up those that are renewed. */
int update_expire_next(struct app *app, int64_t after_us, int64_t before_us, struct update_expired *ret_found, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct update found = { 0 }, update = { 0 };
	int rc = db_one(app->db, &UPDATE_LAPSED, DB_VALUES(db_time(after_us), db_time(before_us)), update_lapsed_columns, &found,
			&arena, e);

	if (rc <= 0)
		return rc;
	snprintf(ret_found->id, UUID_TEXT, "%s", found.id);
	ret_found->lapsed_at = found.lease_expires_at;
	rc = db_one(app->db, &UPDATE_LOCK_LAPSED, DB_VALUES(db_text(found.id), db_time(before_us)), update_columns, &update, &arena,
		    e);
	return rc == 1 ? update_lapse(app, &update, app->now_us(), e) : rc;
}
