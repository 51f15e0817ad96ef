/* SPDX-License-Identifier: Apache-2.0 */
#include "retention/retention.h"

#include <stdio.h>

#include "audit/audit.h"
#include "blob/blob.h"
#include "retention/retention_sql.h"
#include "object/object.h"

#define STACKS "stacks/"

/* One short transaction for each slice of up to DB_PLACES updates: nobody waits for long, and nothing is lost when the job is killed. */
static int delete_journals(struct db *db, const struct retained *list, size_t count, struct compacted *done, struct err *e)
{
	struct db_value values[DB_PLACES] = { 0 };
	int64_t rows;

	for (size_t i = 0; i < count; i++)
		values[i] = db_text(list[i].id);
	do {
		if (db_exec(db, &JOURNALS_DELETE, values, DB_PLACES, &rows, e) < 0)
			return -1;
		done->rows += rows;
	} while (rows > 0);
	done->updates += (int64_t)count;
	return 1;
}

int retention_compact_journals(struct db *db, int64_t before_us, struct compacted *ret_done, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct retained *list;
	size_t count;

	if (db_all(db, &JOURNALS_ENDED, DB_VALUES(db_time(before_us)), retained_id_columns, sizeof(*list), &arena,
		   (void **)&list, &count, e) < 0)
		return -1;
	for (size_t from = 0; from < count; from += DB_PLACES)
		if (delete_journals(db, list + from, count - from < DB_PLACES ? count - from : DB_PLACES, ret_done, e) < 0)
			return -1;
	return count > 0;
}

int retention_purge_tokens(struct db *db, int64_t before_us, int64_t *ret_tokens, struct err *e)
{
	int64_t deleted, refresh;

	if (db_exec(db, &TOKENS_DELETE_EXPIRED, DB_VALUES(db_time(before_us)), &deleted, e) < 0 ||
	    db_exec(db, &REFRESH_TOKENS_DELETE_EXPIRED, DB_VALUES(db_time(before_us)), &refresh, e) < 0)
		return -1;
	*ret_tokens += deleted + refresh;
	return deleted + refresh > 0;
}

struct purge {
	struct app *app;
	const char *id;
	int64_t before_us;
	bool last;
};

static int delete_rows(struct purge *p, const struct stmt *s, int64_t *ret_rows, struct err *e)
{
	return db_exec(p->app->db, s, DB_VALUES(db_text(p->id)), ret_rows, e);
}

static int record(struct purge *p, const struct retained *stack, struct arena *arena, struct err *e)
{
	struct audit_event event = { .organization_id = stack->organization_id, .event = "purge_stack", .source_ip = "",
				     .description = arena_printf(arena, "%s/%s, deleted long ago", stack->project, stack->name),
				     .created_at = p->app->now_us() };

	return audit_record(p->app->db, &event, e);
}

static int take_stack(struct purge *p, const struct retained *stack, struct arena *arena, struct err *e)
{
	if (record(p, stack, arena, e) < 0 || delete_rows(p, &STACK_PURGE_TAGS, NULL, e) < 0 ||
	    delete_rows(p, &STACK_PURGE_KEY, NULL, e) < 0 || delete_rows(p, &STACK_PURGE_UPDATE_LOCK, NULL, e) < 0)
		return -1;
	return delete_rows(p, &STACK_PURGE_TAKE, NULL, e);
}

/* The first of its steps that still finds something to do. */
static int purge_step(void *context, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct purge *p = context;
	struct retained stack = { 0 };
	int64_t rows = 0;
	int rc = db_one(p->app->db, &STACK_PURGE_LOCK, DB_VALUES(db_text(p->id), db_time(p->before_us)), retained_stack_columns,
			&stack, &arena, e);

	p->last = false;
	if (rc <= 0)
		return rc;
	if (*stack.organization_id)
		return take_stack(p, &stack, &arena, e);
	if (delete_rows(p, &STACK_PURGE_UPDATES, &rows, e) < 0)
		return -1;
	if (rows == 0 && delete_rows(p, &STACK_PURGE_CHECKPOINTS, &rows, e) < 0)
		return -1;
	p->last = rows == 0;
	return 1;
}

static int delete_object(void *context, const struct blob_object *object, struct err *e)
{
	return blob_delete(context, object->key, e) < 0 ? -1 : 1;
}

static int delete_update_objects(const struct app *app, const char *prefix, struct err *e)
{
	for (enum row_object_kind kind = 0; kind < ROW_OBJECT_KINDS; kind++) {
		struct blob_store *store = row_object_store(app, kind);

		if (store && !strcmp(row_object_root(kind), STACKS) && blob_list(store, prefix, delete_object, store, e) < 0)
			return -1;
	}
	return 1;
}

/* No row names them any more. The stack's row goes last, so that a job that was killed comes back for the rest. */
static int purge_objects(struct purge *p, int64_t *stacks, struct err *e)
{
	char prefix[64];
	int64_t rows;

	snprintf(prefix, sizeof(prefix), STACKS "%s/", p->id);
	if (blob_list(p->app->objects, prefix, delete_object, p->app->objects, e) < 0 ||
	    delete_update_objects(p->app, prefix, e) < 0 || delete_rows(p, &STACK_PURGE_ROW, &rows, e) < 0)
		return -1;
	*stacks += rows;
	return 1;
}

int retention_purge_stack(struct app *app, int64_t before_us, int64_t *ret_stacks, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct purge p = { .app = app, .before_us = before_us };
	struct retained next = { 0 };
	int rc = db_one(app->db, &STACK_PURGE_NEXT, DB_VALUES(db_time(before_us)), retained_id_columns, &next, &arena, e);

	if (rc <= 0)
		return rc;
	p.id = next.id;
	if (db_run(app->db, purge_step, &p, e) < 0)
		return -1;
	return p.last ? purge_objects(&p, ret_stacks, e) : 1;
}
