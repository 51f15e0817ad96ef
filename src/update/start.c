/* SPDX-License-Identifier: Apache-2.0 */
/* Starting an update: the stack's lock, the version, the lease, the base state. */
#include "base/clock.h"
#include "stack/tag.h"
#include "telemetry/meter.h"
#include "update/internal.h"
#include "update/update_sql.h"

/* The first sentence is what the Automation API looks for. */
static int busy(struct db *db, const struct update *u, const struct stack_path *p, struct err *e)
{
	char started[TIME_TEXT], heard[TIME_TEXT];
	int64_t heard_at;

	if (update_heard_at(db, u, &heard_at, e) < 0)
		return -1;
	time_words(u->started_at, started);
	time_words(heard_at, heard);
	return err_set(e, ERR_CONFLICT,
		       "Conflict: Another update is currently in progress. %s has been running '%s' since %s and was "
		       "last heard from at %s; to stop it, run: pulumi cancel %s/%s/%s",
		       u->requested_by ? u->requested_by : "Somebody", u->kind, started, heard, p->organization,
		       p->project, p->name);
}

/* Ends an update whose lease has lapsed; refuses while the holder is alive. Its token is worth nothing from then on. */
static int make_way(struct app *app, const struct stack *stack, const struct stack_path *path, int64_t now_us,
		    struct arena *arena, struct err *e)
{
	struct update holder = { 0 };
	int rc = db_one(app->db, &UPDATE_HOLDER, DB_VALUES(db_text(stack->id)), update_columns, &holder, arena, e);

	if (rc <= 0)
		return rc;
	if (holder.lease_expires_at > now_us)
		return busy(app->db, &holder, path, e);
	if (update_lapse(app, &holder, now_us, e) < 0)
		return -1;
	return db_exec(app->db, &UPDATE_REVOKE, DB_VALUES(db_text(holder.id)), NULL, e);
}

static int take_stack(struct app *app, const struct caller *c, const struct stack_path *path, struct stack *stack,
		      const char *update_id, const struct text_map *tags, int64_t now_us, struct arena *arena, struct err *e)
{
	int rc;

	if (make_way(app, stack, path, now_us, arena, e) < 0)
		return -1;
	/* Making way may have left a new state behind: this is the base that export shows from now on. */
	if (stack_lock(app->db, c, path, arena, stack, e) < 0)
		return -1;
	rc = db_exec(app->db, &LOCK_TAKE, DB_VALUES(db_text(stack->id), db_text(update_id)), NULL, e);
	if (rc == 0)
		return err_set(e, ERR_RETRY, "%s", "");
	if (rc < 0)
		return -1;
	if (tags && stack_write_tags(app->db, c->organization_id, stack, tags, e) < 0)
		return -1;
	stack->version++;
	return db_exec(app->db, &STACK_SET_UPDATE,
		       DB_VALUES(db_text(update_id), db_int(stack->version), db_time(now_us), db_text(stack->id), db_text(c->organization_id)),
		       NULL, e);
}

static int run(struct db *db, const struct update *u, const struct stack *stack, int64_t now_us,
	       struct update_started *started, struct err *e)
{
	unsigned char digest[SHA256_BYTES];
	int64_t changed;

	bearer_new("", started->token, digest);
	started->version = stack->version;
	started->token_expires_at = now_us + LEASE_US;
	if (db_exec(db, &UPDATE_RUN,
		    DB_VALUES(u->preview ? (struct db_value){ 0 } : db_int(stack->version),
			      stack->checkpoint_version < 0 ? (struct db_value){ 0 } : db_int(stack->checkpoint_version),
			      db_int(started->journal_version), db_bytes(digest_span(digest)), db_time(now_us + LEASE_US),
			      db_time(now_us), db_time(now_us), db_text(u->id)),
		    &changed, e) < 0)
		return -1;
	return changed == 1 ? 1 : err_set(e, ERR_RETRY, "%s", "");
}

int update_settle(struct app *app, const struct caller *c, const struct stack_path *path, int64_t now_us, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct stack stack = { 0 };

	if (stack_lock(app->db, c, path, &arena, &stack, e) < 0)
		return -1;
	return make_way(app, &stack, path, now_us, &arena, e);
}

int update_start(struct app *app, const struct caller *c, const struct stack_path *path, const char *id,
		 const struct text_map *tags, int64_t journal_version, int64_t now_us, struct update_started *ret_started,
		 struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct update update = { 0 };
	struct stack stack = { 0 };

	if (stack_lock(app->db, c, path, &arena, &stack, e) < 0 ||
	    update_find_in(app->db, &UPDATE_LOCK_BY_ID, c, stack.id, id, &arena, &update, e) < 0)
		return -1;
	if (strcmp(update.status, "not started"))
		return err_set(e, ERR_CONFLICT, "Conflict: the update was started before; it is %s", update.status);
	if (!update.preview && take_stack(app, c, path, &stack, id, tags, now_us, &arena, e) < 0)
		return -1;
	meter_add_on_commit(app->meter, METRIC_UPDATES_STARTED, LABELS(update_kind_label(&update)));
	/* Only a client that asks for the journal gets it, and only where state is written. */
	ret_started->journal_version = journal_version >= 1 && !update.preview;
	return run(app->db, &update, &stack, now_us, ret_started, e);
}
