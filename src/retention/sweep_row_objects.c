/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects of rows (object/object.h) that no row names: see sweep.c, which does the same for checkpoints and journals. Marks are not
 * needed here: an object is deleted only when nobody writes its name again. An update that ended takes no more events; the
 * configuration comes once, with the update's new id, just before its row; and each text of a policy has a new id.
 */
#include "retention/retention_sql.h"
#include "retention/sweep_store.h"
#include "object/object.h"

static int is_named(struct app *app, const char *key, int64_t before_us, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct db_value digest, id, owner;
	struct row_object o;
	struct retained row;

	if (!row_object_parse(key, &o))
		return 1;
	digest = db_bytes((struct span){ (const char *)o.digest, SHA256_BYTES });
	id = db_text(o.id);
	owner = db_text(o.owner_id);
	if (o.kind == ROW_OBJECT_EVENTS)
		return db_one(app->db, &OBJECT_OF_EVENTS, DB_VALUES(digest, id, owner, db_time(before_us)), retained_id_columns, &row,
			      &arena, e);
	return db_one(app->db, o.kind == ROW_OBJECT_POLICY ? &OBJECT_OF_POLICY : &OBJECT_OF_CONFIGURATION, DB_VALUES(id, owner, digest),
		      retained_id_columns, &row, &arena, e);
}

int retention_sweep_row_objects(struct app *app, int64_t before_us, bool (*going)(void *context), void *context,
			    struct swept *ret_swept, struct err *e)
{
	for (enum row_object_kind kind = 0; kind < ROW_OBJECT_KINDS; kind++) {
		struct store_sweep s = { app, row_object_store(app, kind), before_us, going, context, ret_swept, is_named };

		if (s.store && sweep_store(&s, row_object_root(kind), e) < 0)
			return -1;
	}
	return 1;
}
