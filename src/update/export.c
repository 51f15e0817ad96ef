/* SPDX-License-Identifier: Apache-2.0 */
/* State out of and into a stack as a whole document. */
#include "update/internal.h"
#include "update/update_sql.h"

/* A running update may have saved more than the stack's last state: 1 when it has. */
static int export_running(struct app *app, const char *stack_id, struct arena *arena, struct exported *ret,
			  struct err *e)
{
	struct update holder = { 0 };
	struct buffer_sink out;
	int64_t ignored;
	int rc = db_one(app->db, &UPDATE_RUNNING, DB_VALUES(db_text(stack_id)), update_columns, &holder, arena, e);

	if (rc <= 0)
		return rc;
	if (!holder.journal_version) {
		ret->sha256 = holder.checkpoint_sha256;
		return holder.checkpoint_sha256.data != NULL;
	}
	buffer_sink_init(&out, &ret->text, SIZE_MAX);
	return journal_replay(app, &holder, &out.sink, &ignored, e);
}

static int export_version(struct app *app, const char *stack_id, int64_t version, struct arena *arena,
			  struct exported *ret, struct err *e)
{
	struct checkpoint_row row = { 0 };
	int rc = db_one(app->db, &CHECKPOINT_BY_VERSION, DB_VALUES(db_text(stack_id), db_int(version)),
			checkpoint_columns, &row, arena, e);

	ret->sha256 = row.sha256;
	return rc;
}

static int export_newest(struct app *app, const struct caller *c, const struct stack_path *path, const struct stack *stack,
			 struct arena *arena, struct exported *ret, struct err *e)
{
	struct stack now = *stack;
	int rc = stack->locked ? export_running(app, stack->id, arena, ret, e) : 0;

	/* The update may have ended since the stack was read: what it saved is the stack's state now. */
	if (rc == 0 && stack->locked && stack_find(app->db, c, path, arena, &now, e) < 0)
		return -1;
	if (rc == 0)
		ret->sha256 = now.state_sha256;
	return rc ? rc : now.state_sha256.data != NULL;
}

int update_export(struct app *app, const struct caller *c, const struct stack_path *path, const struct stack *stack, int64_t version,
		  struct arena *arena, struct exported *ret, struct err *e)
{
	if (version > stack->version || version == 0)
		return err_set(e, ERR_NOT_FOUND, "Not Found: Stack '%s/%s/%s' has no version %lld", path->organization,
			       path->project, path->name, (long long)version);
	return version < 0 ? export_newest(app, c, path, stack, arena, ret, e) :
			     export_version(app, stack->id, version, arena, ret, e);
}

struct import {
	struct app *app;
	const struct caller *caller;
	const struct stack_path *path;
	const struct checkpoint_text *checkpoint;
	const char *stack_id, *client;
	char *id;
};

static int import_once(void *context, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct import *im = context;
	struct update_program program = { .message = "", .client = im->client, .environment = SPAN("{}"),
					  .config = SPAN("{}"), .program = SPAN("{}") };
	struct update_started started = { 0 };
	int64_t now_us = im->app->now_us();
	struct stored_checkpoint stored;
	struct update u = { 0 };

	/* Before anything is locked, and again when the transaction runs again: a sweep may have been at the object. */
	if (checkpoint_store(im->app, im->stack_id, im->checkpoint, &stored, e) < 0)
		return -1;
	if (update_create(im->app, im->caller, im->path, "import", &program, now_us, im->id, e) < 0 ||
	    update_start(im->app, im->caller, im->path, im->id, NULL, 0, now_us, &started, e) < 0 ||
	    update_find(im->app->db, im->caller, im->stack_id, im->id, &arena, &u, e) < 0)
		return -1;
	u.checkpoint_sha256 = digest_span(stored.sha256);
	u.checkpoint_bytes = stored.bytes;
	u.checkpoint_resources = stored.resources;
	return update_end(im->app, &u, "succeeded", now_us, e);
}

int update_import(struct app *app, const struct caller *c, const struct stack_path *path,
		  const struct checkpoint_text *checkpoint, const char *client, char ret_id[UUID_TEXT], struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct import im = { app, c, path, checkpoint, NULL, client, ret_id };
	struct stack stack = { 0 };

	if (stack_find(app->db, c, path, &arena, &stack, e) < 0)
		return -1;
	im.stack_id = stack.id;
	return db_run(app->db, import_once, &im, e);
}

int update_set_first_state(struct app *app, const char *stack_id, struct span text, struct err *e)
{
	struct stored_checkpoint stored;
	struct checkpoint_text checkpoint;

	if (checkpoint_check(text, &checkpoint, e) < 0 || checkpoint_store(app, stack_id, &checkpoint, &stored, e) < 0)
		return -1;
	if (checkpoint_record(app, stack_id, 0, &stored, app->now_us(), e) < 0)
		return -1;
	return db_exec(app->db, &STACK_SET_STATE, DB_VALUES(db_int(0), db_int(stored.resources), db_text(stack_id)), NULL, e);
}
