/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/mark.h"

#include <time.h>

#include "claim/mark_sql.h"

#define WAIT_MILLISECONDS 50
#define WAITS 100

static int run(struct db *db, const struct stmt *s, const struct mark *m, int64_t *ret_changed, struct err *e)
{
	return db_exec(db, s, DB_VALUES(db_text(m->owner_id), db_bytes(m->sha256), db_text(m->sweep_id)), ret_changed, e);
}

static int take_away(struct db *db, const struct mark *m, int64_t *ret_changed, struct err *e)
{
	return db_exec(db, &MARK_TAKE_AWAY, DB_VALUES(db_text(m->owner_id), db_bytes(m->sha256), db_int(MARK_SECONDS)), ret_changed, e);
}

/* What an earlier sweep left becomes the new mark. */
static int announce(struct db *db, const struct mark *m, struct err *e)
{
	int64_t changed;
	int rc = run(db, &MARK_ANNOUNCE, m, NULL, e);

	if (rc != 0)
		return rc;
	if (db_exec(db, &MARK_ANNOUNCE_AGAIN,
		    DB_VALUES(db_text(m->sweep_id), db_text(m->owner_id), db_bytes(m->sha256), db_int(MARK_SECONDS)), &changed, e) < 0)
		return -1;
	return changed == 1;
}

int mark_announce(struct db *db, const struct mark *m, struct err *e)
{
	struct err why = { 0 };
	int rc = announce(db, m, &why);

	/* Writers hold the place until they commit; one after the other can do so for long. */
	if (rc < 0 && why.kind == ERR_RETRY)
		return 0;
	if (rc < 0)
		*e = why;
	return rc;
}

int mark_begin(struct db *db, const struct mark *m, struct err *e)
{
	int64_t changed;

	return run(db, &MARK_BEGIN, m, &changed, e) < 0 ? -1 : changed == 1;
}

int mark_end(struct db *db, const struct mark *m, bool deleted, struct err *e)
{
	return run(db, deleted ? &MARK_END : &MARK_REMOVE, m, NULL, e);
}

int mark_forget_old(struct db *db, struct err *e)
{
	int64_t changed;

	do
		if (db_exec(db, &MARK_FORGET_OLD, DB_NONE, &changed, e) < 0)
			return -1;
	while (changed);
	return 1;
}

static int is_marked(struct db *db, const struct mark *m, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct mark_row row;

	return db_one(db, &MARK_FIND, DB_VALUES(db_text(m->owner_id), db_bytes(m->sha256)), mark_columns, &row, &arena, e);
}

static void pause_a_little(void)
{
	struct timespec t = { .tv_nsec = WAIT_MILLISECONDS * 1000000L };

	nanosleep(&t, NULL);
}

int mark_settle(struct db *db, const struct mark *m, struct err *e)
{
	for (int i = 0; i < WAITS; i++) {
		int64_t changed;
		int rc;

		if (take_away(db, m, &changed, e) < 0)
			return -1;
		if (changed)
			return 1;
		rc = is_marked(db, m, e);
		/* A mark that was there when this began, and is not any more, was ended by the sweep. */
		if (rc <= 0)
			return rc < 0 ? -1 : i > 0;
		pause_a_little();
	}
	return err_unavailable(e, "object %s: a sweep is deleting an old one of the same name; try again", m->owner_id);
}

int mark_retry(struct db *db, const struct mark *m, struct err *e)
{
	db_rollback(db);
	if (mark_settle(db, m, e) < 0)
		return -1;
	return err_set(e, ERR_RETRY, "%s", "");
}
