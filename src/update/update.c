/* SPDX-License-Identifier: Apache-2.0 */
#include "update/update.h"

#include <stdio.h>
#include <time.h>

#include "base/limits.h"
#include "update/checkpoint.h"
#include "update/update_sql.h"

static struct span digest_span(const unsigned char *digest)
{
	return (struct span){ (const char *)digest, SHA256_BYTES };
}

int update_create(struct db *db, const struct caller *c, const struct stack_path *path, const char *kind,
		  const struct update_program *p, int64_t now_us, char ret_id[UUID_TEXT], struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct stack stack = { 0 };

	if (stack_find(db, c, path, now_us, &arena, &stack, e) < 0)
		return -1;
	uuid_new(now_us, ret_id);
	return db_exec(db, &UPDATE_CREATE,
		       DB_VALUES(db_text(ret_id), db_text(c->organization_id), db_text(stack.id), db_text(kind),
				 db_int(p->preview), db_text(p->message), db_bytes(p->environment),
				 db_bytes(p->config), db_bytes(p->program), db_text(c->user_id), db_text(p->client),
				 db_time(now_us)),
		       NULL, e);
}

bool update_is_open(const struct update *u)
{
	return !strcmp(u->status, "running") || !strcmp(u->status, "not started");
}

static int update_not_found(const char *id, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "Not Found: Update '%.36s' not found", id);
}

static int find_in(struct db *db, const struct stmt *s, const struct caller *c, const char *stack_id,
		   const char *id, struct arena *arena, struct update *ret_update, struct err *e)
{
	int rc = db_one(db, s, DB_VALUES(db_text(id), db_text(stack_id), db_text(c->organization_id)),
			update_columns, ret_update, arena, e);

	return rc == 0 ? update_not_found(id, e) : rc;
}

int update_find(struct db *db, const struct caller *c, const struct stack_path *path, const char *id,
		struct arena *arena, struct update *ret_update, struct err *e)
{
	struct stack stack = { 0 };

	if (stack_find(db, c, path, 0, arena, &stack, e) < 0)
		return -1;
	return find_in(db, &UPDATE_BY_ID, c, stack.id, id, arena, ret_update, e);
}

/* The state that the update leaves becomes the stack's; nothing saved leaves the state as it was. */
static int keep_state(struct db *db, const struct update *u, int64_t now_us, struct err *e)
{
	if (u->preview || !u->checkpoint_sha256.data)
		return 1;
	if (db_exec(db, &CHECKPOINT_CREATE,
		    DB_VALUES(db_text(u->stack_id), db_int(u->version), db_bytes(u->checkpoint_sha256),
			      db_int(u->checkpoint_bytes), db_int(u->checkpoint_resources), db_time(now_us)),
		    NULL, e) < 0)
		return -1;
	return db_exec(db, &STACK_SET_STATE,
		       DB_VALUES(db_int(u->version), db_int(u->checkpoint_resources), db_text(u->stack_id)), NULL, e);
}

/* Ends a locked, running update: its state is kept whatever the status, and the stack is free. */
static int end(struct db *db, const struct update *u, const char *status, int64_t now_us, struct err *e)
{
	struct db_value count = u->checkpoint_sha256.data ? db_int(u->checkpoint_resources) : (struct db_value){ 0 };

	if (keep_state(db, u, now_us, e) < 0)
		return -1;
	if (db_exec(db, &UPDATE_END, DB_VALUES(db_text(status), db_time(now_us), count, db_text(u->id)), NULL, e) < 0)
		return -1;
	return db_exec(db, &LOCK_RELEASE, DB_VALUES(db_text(u->stack_id), db_text(u->id)), NULL, e);
}

static void clock_text(int64_t us, char text[32])
{
	time_t seconds = (time_t)(us / 1000000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(text, 32, "%Y-%m-%d %H:%M:%S UTC", &tm);
}

static int busy(const struct update *u, const struct stack_path *p, struct err *e)
{
	char started[32], heard[32];

	clock_text(u->started_at, started);
	clock_text(u->heard_at, heard);
	return err_set(e, ERR_CONFLICT,
		       "Conflict: Another update is currently in progress. %s has been running '%s' since %s and was "
		       "last heard from at %s; to stop it, run: pulumi cancel %s/%s/%s",
		       u->requested_by ? u->requested_by : "Somebody", u->kind, started, heard, p->organization,
		       p->project, p->name);
}

/* Ends an update whose lease has lapsed; refuses while the holder is alive. */
static int make_way(struct db *db, const struct stack *stack, const struct stack_path *path, int64_t now_us,
		    struct arena *arena, struct err *e)
{
	struct update holder = { 0 };
	int rc = db_one(db, &UPDATE_HOLDER, DB_VALUES(db_text(stack->id)), update_columns, &holder, arena, e);

	if (rc <= 0)
		return rc;
	if (holder.lease_expires_at > now_us)
		return busy(&holder, path, e);
	return end(db, &holder, "failed", now_us, e);
}

static int take_stack(struct db *db, const struct caller *c, const struct stack_path *path,
		      struct stack *stack, const char *update_id, const char *tags, int64_t now_us,
		      struct arena *arena, struct err *e)
{
	int rc;

	if (make_way(db, stack, path, now_us, arena, e) < 0)
		return -1;
	/* Making way may have left a new state behind: this is the base that export shows from now on. */
	if (stack_lock(db, c, path, arena, stack, e) < 0)
		return -1;
	rc = db_exec(db, &LOCK_TAKE, DB_VALUES(db_text(stack->id), db_text(update_id)), NULL, e);
	if (rc == 0)
		return err_set(e, ERR_RETRY, "%s", "");
	if (rc < 0)
		return -1;
	stack->version++;
	return db_exec(db, &STACK_SET_UPDATE,
		       DB_VALUES(db_text(update_id), db_int(stack->version), db_time(now_us), db_text(tags),
				 db_text(stack->id), db_text(c->organization_id)),
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
			      db_bytes(digest_span(digest)), db_time(now_us + LEASE_US), db_time(now_us),
			      db_time(now_us), db_text(u->id)),
		    &changed, e) < 0)
		return -1;
	return changed == 1 ? 1 : err_set(e, ERR_RETRY, "%s", "");
}

int update_start(struct db *db, const struct caller *c, const struct stack_path *path, const char *id,
		 const char *tags, int64_t journal_version, int64_t now_us, struct update_started *ret_started, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct update update = { 0 };
	struct stack stack = { 0 };

	if (stack_lock(db, c, path, &arena, &stack, e) < 0 ||
	    find_in(db, &UPDATE_LOCK_BY_ID, c, stack.id, id, &arena, &update, e) < 0)
		return -1;
	(void)journal_version;
	if (strcmp(update.status, "not started"))
		return err_set(e, ERR_CONFLICT, "Conflict: the update was started before; it is %s", update.status);
	if (!update.preview && take_stack(db, c, path, &stack, id, tags, now_us, &arena, e) < 0)
		return -1;
	return run(db, &update, &stack, now_us, ret_started, e);
}

static int lease_lost(struct err *e)
{
	return err_set(e, ERR_FORBIDDEN,
		       "Forbidden: this update no longer holds its lease: it has ended, was cancelled, or another update "
		       "took the stack");
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

int update_save_checkpoint(struct app *app, const char *id, struct span token,
			   const struct checkpoint_text *checkpoint, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct stored_checkpoint stored;
	struct update update = { 0 };
	int64_t changed;
	int rc = db_one(app->db, &UPDATE_BY_TOKEN, DB_VALUES(db_text(id), db_bytes(token)), update_columns, &update,
			&arena, e);

	if (rc < 0)
		return -1;
	if (rc == 0 || strcmp(update.status, "running") || update.preview)
		return lease_lost(e);
	if (checkpoint_store(app, update.stack_id, checkpoint, &stored, e) < 0)
		return -1;
	if (db_exec(app->db, &UPDATE_SAVE_CHECKPOINT,
		    DB_VALUES(db_bytes(digest_span(stored.sha256)), db_int(stored.bytes), db_int(stored.resources),
			      db_text(id), db_bytes(token)),
		    &changed, e) < 0)
		return -1;
	return changed ? 1 : lease_lost(e);
}

int update_complete(struct db *db, const char *id, struct span token, const char *status, int64_t now_us,
		    struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct update update = { 0 };
	int rc = db_one(db, &UPDATE_LOCK_BY_TOKEN, DB_VALUES(db_text(id), db_bytes(token)), update_columns, &update,
			&arena, e);

	if (rc < 0)
		return -1;
	if (rc == 0 || !strcmp(update.status, "not started"))
		return lease_lost(e);
	if (!strcmp(update.status, "running"))
		return end(db, &update, status, now_us, e);
	if (!strcmp(update.status, status))
		return 1;
	if (!strcmp(update.status, "cancelled"))
		return lease_lost(e);
	return err_set(e, ERR_CONFLICT, "Conflict: the update has already ended; it %s", update.status);
}

int update_cancel(struct db *db, const struct caller *c, const struct stack_path *path, const char *id,
		  int64_t now_us, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct update update = { 0 };
	struct stack stack = { 0 };

	if (stack_lock(db, c, path, &arena, &stack, e) < 0 ||
	    find_in(db, &UPDATE_LOCK_BY_ID, c, stack.id, id, &arena, &update, e) < 0)
		return -1;
	if (!strcmp(update.status, "cancelled"))
		return 1;
	if (strcmp(update.status, "running") && strcmp(update.status, "not started"))
		return err_set(e, ERR_CONFLICT, "Conflict: the update has already completed; it %s", update.status);
	return end(db, &update, "cancelled", now_us, e);
}

int update_history(struct db *db, const struct caller *c, const struct stack_path *path, int64_t version,
		   int64_t page, int64_t size, struct arena *arena, struct update_info **ret_list, size_t *ret_count,
		   struct err *e)
{
	struct stack stack = { 0 };
	int64_t high, low;

	if (stack_find(db, c, path, 0, arena, &stack, e) < 0)
		return -1;
	high = version >= 0 ? version : stack.version - (page - 1) * size;
	low = version >= 0 ? version : size ? high - size + 1 : 1;
	return db_all(db, &UPDATE_HISTORY,
		      DB_VALUES(db_text(stack.id), db_text(c->organization_id), db_int(low), db_int(high)),
		      update_info_columns, sizeof(struct update_info), arena, (void **)ret_list, ret_count, e);
}

/* A running update may have saved more than the stack's last state: that is what an export shows. */
int update_export(struct app *app, const struct caller *c, const struct stack_path *path, int64_t version,
		  struct buffer *ret_gzip, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct checkpoint_row row = { 0 };
	struct stack stack = { 0 };
	int rc;

	if (stack_find(app->db, c, path, 0, &arena, &stack, e) < 0)
		return -1;
	if (version > stack.version || version == 0)
		return err_set(e, ERR_NOT_FOUND, "Not Found: Stack '%s/%s/%s' has no version %lld", path->organization,
			       path->project, path->name, (long long)version);
	rc = db_one(app->db, &CHECKPOINT_BY_VERSION,
		    DB_VALUES(db_text(stack.id), db_int(version < 0 ? stack.checkpoint_version : version)),
		    checkpoint_columns, &row, &arena, e);
	if (rc <= 0)
		return rc;
	return checkpoint_load(app, stack.id, row.sha256, ret_gzip, e);
}

struct import {
	struct app *app;
	const struct caller *caller;
	const struct stack_path *path;
	const struct stored_checkpoint *stored;
	const char *client, *id;
};

static int import_once(void *context, struct err *e)
{
	struct import *im = context;
	struct update_program program = { .message = "", .client = im->client, .environment = SPAN("{}"),
					  .config = SPAN("{}"), .program = SPAN("{}") };
	int64_t now_us = im->app->now_us();
	struct update_started started = { 0 };
	struct update u = { 0 };
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;

	if (update_create(im->app->db, im->caller, im->path, "import", &program, now_us, (char *)(uintptr_t)im->id, e) < 0 ||
	    update_start(im->app->db, im->caller, im->path, im->id, NULL, 0, now_us, &started, e) < 0 ||
	    update_find(im->app->db, im->caller, im->path, im->id, &arena, &u, e) < 0)
		return -1;
	u.checkpoint_sha256 = digest_span(im->stored->sha256);
	u.checkpoint_bytes = im->stored->bytes;
	u.checkpoint_resources = im->stored->resources;
	return end(im->app->db, &u, "succeeded", now_us, e);
}

int update_import(struct app *app, const struct caller *c, const struct stack_path *path,
		  const struct checkpoint_text *checkpoint, const char *client, char ret_id[UUID_TEXT], struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct import im = { app, c, path, NULL, client, ret_id };
	struct stored_checkpoint stored;
	struct stack stack = { 0 };

	if (stack_find(app->db, c, path, 0, &arena, &stack, e) < 0 ||
	    checkpoint_store(app, stack.id, checkpoint, &stored, e) < 0)
		return -1;
	im.stored = &stored;
	return db_run(app->db, import_once, &im, e);
}
