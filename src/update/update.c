/* SPDX-License-Identifier: Apache-2.0 */
#include "update/update.h"

#include <stdio.h>

#include "base/clock.h"
#include "claim/mark.h"
#include "telemetry/meter.h"
#include "update/internal.h"
#include "update/update_sql.h"

bool update_is_open(const struct update *u)
{
	return !strcmp(u->status, "running") || !strcmp(u->status, "not started");
}

int lease_lost(struct err *e)
{
	return err_set(e, ERR_FORBIDDEN,
		       "Forbidden: this update no longer holds its lease: it has ended, was cancelled, or another update "
		       "took the stack");
}

int update_create(struct app *app, const struct caller *c, const struct stack_path *path, const char *kind,
		  const struct update_program *p, int64_t now_us, char ret_id[UUID_TEXT], struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct configuration config;
	struct stack stack = { 0 };

	if (configuration_check(app, p->config, e) < 0 || stack_find(app->db, c, path, &arena, &stack, e) < 0)
		return -1;
	uuid_new(now_us, ret_id);
	if (configuration_keep(app, stack.id, ret_id, p->config, &config, e) < 0)
		return -1;
	return db_exec(app->db, &UPDATE_CREATE,
		       DB_VALUES(db_text(ret_id), db_text(c->organization_id), db_text(stack.id), db_text(kind),
				 db_int(p->preview), db_text(p->message), db_bytes(p->environment),
				 db_bytes(config.row), config.in_object ? db_bytes(digest_span(config.digest)) : (struct db_value){ 0 },
				 db_int(config.bytes), db_bytes(p->program), db_text(identity_author(c)), db_text(p->client),
				 db_time(now_us)),
		       NULL, e);
}

int update_find_in(struct db *db, const struct stmt *s, const struct caller *c, const char *stack_id, const char *id,
		   struct arena *arena, struct update *ret_update, struct err *e)
{
	int rc = db_one(db, s, DB_VALUES(db_text(id), db_text(stack_id), db_text(c->organization_id)),
			update_columns, ret_update, arena, e);

	return rc == 0 ? err_set(e, ERR_NOT_FOUND, "Not Found: Update '%.36s' not found", id) : rc;
}

int update_find(struct db *db, const struct caller *c, const char *stack_id, const char *id, struct arena *arena,
		struct update *ret_update, struct err *e)
{
	return update_find_in(db, &UPDATE_BY_ID, c, stack_id, id, arena, ret_update, e);
}

/* What a journal amounts to becomes the update's checkpoint; the object is durable before a row names it. */
static int materialize(struct app *app, const struct update *u, struct stored_checkpoint *ret_stored, struct err *e)
{
	_cleanup_(checkpoint_writer_closep) struct checkpoint_writer *w = NULL;
	int64_t resources, began_ns = clock_ns();
	int rc;

	if (checkpoint_writer_open(app, &w, e) < 0)
		return -1;
	rc = journal_replay(app, u, checkpoint_writer_sink(w), &resources, e);
	meter_observe(app->meter, METRIC_REPLAY_DURATION, NO_LABELS, clock_ns() - began_ns);
	return rc == 1 ? checkpoint_writer_commit(w, u->stack_id, resources, ret_stored, e) : rc;
}

int checkpoint_record(struct app *app, const char *stack_id, int64_t version, const struct stored_checkpoint *stored,
		      int64_t now_us, struct err *e)
{
	struct db_value stack = db_text(stack_id), sha256 = db_bytes(digest_span(stored->sha256));
	int64_t created;

	if (db_exec(app->db, &CHECKPOINT_CREATE,
		    DB_VALUES(stack, db_int(version), sha256, db_int(stored->bytes), db_int(stored->resources), db_time(now_us), stack,
			      sha256),
		    &created, e) < 0)
		return -1;
	return created == 0 ? mark_retry(app->db, &(struct mark){ .owner_id = stack_id, .sha256 = digest_span(stored->sha256) }, e) : 1;
}

/* The state that the update leaves becomes the stack's; nothing saved leaves the state as it was. */
static int keep_state(struct app *app, const struct update *u, int64_t now_us, struct err *e)
{
	struct stored_checkpoint stored = { .bytes = u->checkpoint_bytes, .resources = u->checkpoint_resources };

	if (u->preview || !u->checkpoint_sha256.data)
		return 1;
	if (u->checkpoint_sha256.length != SHA256_BYTES)
		return err_internal(e, "update %s has a digest of %zu bytes", u->id, u->checkpoint_sha256.length);
	memcpy(stored.sha256, u->checkpoint_sha256.data, SHA256_BYTES);
	if (checkpoint_record(app, u->stack_id, u->version, &stored, now_us, e) < 0)
		return -1;
	return db_exec(app->db, &STACK_SET_STATE,
		       DB_VALUES(db_int(u->version), db_int(u->checkpoint_resources), db_text(u->stack_id)), NULL, e);
}

int update_end(struct app *app, struct update *u, const char *status, int64_t now_us, struct err *e)
{
	struct stored_checkpoint stored;
	int rc = u->journal_version && !u->preview ? materialize(app, u, &stored, e) : 0;

	if (rc < 0)
		return -1;
	if (rc == 1) {
		u->checkpoint_sha256 = digest_span(stored.sha256);
		u->checkpoint_bytes = stored.bytes;
		u->checkpoint_resources = stored.resources;
	}
	if (keep_state(app, u, now_us, e) < 0)
		return -1;
	if (db_exec(app->db, &UPDATE_END,
		    DB_VALUES(db_text(status), db_time(now_us),
			      u->checkpoint_sha256.data ? db_int(u->checkpoint_resources) : (struct db_value){ 0 },
			      db_text(u->id)),
		    NULL, e) < 0)
		return -1;
	u->checkpoint_sha256 = (struct span){ NULL, 0 };
	meter_add_on_commit(app->meter, METRIC_UPDATES_ENDED, LABELS(update_kind_label(u), status));
	return db_exec(app->db, &LOCK_RELEASE, DB_VALUES(db_text(u->stack_id), db_text(u->id)), NULL, e);
}

int update_renew(struct db *db, const char *id, struct span token, int64_t duration_s, int64_t now_us,
		 int64_t *ret_expires_at, struct err *e)
{
	int64_t expires = now_us + duration_s * 1000000, changed;

	if (db_exec(db, &UPDATE_RENEW, DB_VALUES(db_time(expires), db_time(now_us), db_text(id), db_bytes(token)),
		    &changed, e) < 0)
		return -1;
	if (changed == 0)
		return lease_lost(e);
	*ret_expires_at = expires;
	return 1;
}

int update_complete(struct app *app, const char *id, struct span token, const char *status, int64_t now_us,
		    struct arena *arena, struct update *ret_update, struct err *e)
{
	struct update update = { 0 };
	int rc = db_one(app->db, &UPDATE_LOCK_BY_TOKEN, DB_VALUES(db_text(id), db_bytes(token)), update_columns, &update,
			arena, e);

	if (rc < 0)
		return -1;
	if (rc == 0 || !strcmp(update.status, "not started"))
		return lease_lost(e);
	*ret_update = update;
	if (!strcmp(update.status, "running"))
		return update_end(app, &update, status, now_us, e);
	if (!strcmp(update.status, "cancelled"))
		return lease_lost(e);
	if (!strcmp(update.status, status))
		return 0;
	return err_set(e, ERR_CONFLICT, "Conflict: the update has already ended; it %s", update.status);
}

int update_cancel(struct app *app, const struct caller *c, const struct stack_path *path, const char *id,
		  int64_t now_us, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct update update = { 0 };
	struct stack stack = { 0 };

	if (stack_lock(app->db, c, path, &arena, &stack, e) < 0 ||
	    update_find_in(app->db, &UPDATE_LOCK_BY_ID, c, stack.id, id, &arena, &update, e) < 0)
		return -1;
	if (!strcmp(update.status, "cancelled"))
		return 0;
	if (!update_is_open(&update))
		return err_set(e, ERR_CONFLICT, "Conflict: the update has already completed; it %s", update.status);
	return update_end(app, &update, "cancelled", now_us, e);
}
