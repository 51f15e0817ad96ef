/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects of updates that no row names, engine events and configurations: see sweep.c, which does the same for checkpoints and
 * journals. Marks are not needed here: an object is deleted only when nobody writes its name again. An update that ended takes
 * no more events, and the configuration comes once, with the update's new id, just before its row.
 */
#include "retention/retention_sql.h"
#include "retention/sweep_store.h"
#include "update/object.h"

static int is_named(struct app *app, const char *key, int64_t before_us, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct db_value digest, update, stack;
	struct update_object o;
	struct retained row;

	if (!update_object_parse(key, &o))
		return 1;
	digest = db_bytes((struct span){ (const char *)o.digest, SHA256_BYTES });
	update = db_text(o.update_id);
	stack = db_text(o.stack_id);
	if (o.kind == UPDATE_OBJECT_EVENTS)
		return db_one(app->db, &OBJECT_OF_EVENTS, DB_VALUES(digest, update, stack, db_time(before_us)), retained_id_columns, &row,
			      &arena, e);
	return db_one(app->db, &OBJECT_OF_CONFIGURATION, DB_VALUES(update, stack, digest), retained_id_columns, &row, &arena, e);
}

int retention_sweep_updates(struct app *app, int64_t before_us, bool (*going)(void *context), void *context,
			    struct swept *ret_swept, struct err *e)
{
	for (enum update_object_kind kind = 0; kind < UPDATE_OBJECT_KINDS; kind++) {
		struct store_sweep s = { app, update_object_store(app, kind), before_us, going, context, ret_swept, is_named };

		if (s.store && sweep_store(&s, "stacks/", e) < 0)
			return -1;
	}
	return 1;
}
