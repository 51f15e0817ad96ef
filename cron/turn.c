/* SPDX-License-Identifier: Apache-2.0 */
#include "turn.h"

#include <time.h>

#include "turn_sql.h"

int turn_take(struct db *db, const char *job, int seconds, struct arena *arena, struct claim *ret_turn, struct err *e)
{
	struct claim c = { .name = arena_printf(arena, "turn of %s", job) };
	int64_t changed;
	int rc;

	uuid_new((int64_t)time(NULL) * 1000000, c.holder);
	rc = db_exec(db, &TURN_CREATE, DB_VALUES(db_text(c.name), db_text(c.holder), db_text("its last turn"), db_int(seconds)),
		     NULL, e);
	if (rc == 0) {
		rc = db_exec(db, &TURN_TAKE_OVER, DB_VALUES(db_text(c.holder), db_int(seconds), db_text(c.name)), &changed, e);
		rc = rc < 0 ? -1 : changed == 1;
	}
	if (rc == 1)
		*ret_turn = c;
	return rc;
}
