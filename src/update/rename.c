/* SPDX-License-Identifier: Apache-2.0 */
#include "update/rename.h"

#include "stack/tag.h"
#include "update/internal.h"
#include "update/update_sql.h"

static int load_state(struct app *app, const struct stack *stack, struct arena *arena, struct buffer *ret_text, struct err *e)
{
	struct checkpoint_row row = { 0 };
	int rc;

	if (stack->checkpoint_version < 0)
		return 0;
	rc = db_one(app->db, &CHECKPOINT_BY_VERSION, DB_VALUES(db_text(stack->id), db_int(stack->checkpoint_version)),
		    checkpoint_columns, &row, arena, e);
	return rc <= 0 ? rc : checkpoint_load(app, stack->id, row.sha256, ret_text, e);
}

/* The state under the new names becomes the state that this update leaves; without a state there is nothing to do. */
static int rewrite_state(struct app *app, const struct stack *stack, const struct stack_path *from,
			 const struct stack_path *to, struct arena *arena, struct update *u, struct err *e)
{
	_cleanup_(buffer_done) struct buffer before = BUFFER_INIT, after = BUFFER_INIT;
	struct stored_checkpoint *stored = arena_alloc(arena, sizeof(*stored));
	struct checkpoint_text checkpoint;
	int rc = load_state(app, stack, arena, &before, e);

	if (rc <= 0)
		return rc;
	rename_document(buffer_span(&before), from, to, &after);
	if (checkpoint_check(buffer_span(&after), &checkpoint, e) < 0 ||
	    checkpoint_store(app, stack->id, &checkpoint, stored, e) < 0)
		return -1;
	u->checkpoint_sha256 = digest_span(stored->sha256);
	u->checkpoint_bytes = stored->bytes;
	u->checkpoint_resources = stored->resources;
	return 1;
}

static int write_project_tag(struct app *app, const struct stack *stack, const struct stack_move *move, struct arena *arena,
			     struct err *e)
{
	struct text_map tags = { 0 };

	if (fields_read_text_map(stack->tags, arena, &tags, e) < 0)
		return -1;
	for (size_t i = 0; i < tags.count; i++)
		if (!strcmp(tags.items[i].name, "pulumi:project"))
			tags.items[i].value = move->to.project;
	return stack_write_tags(app->db, move->organization_id, stack, &tags, e);
}

static int move_stack(struct app *app, const struct caller *c, const struct stack *stack, const struct stack_move *move,
		      struct arena *arena, struct err *e)
{
	if (stack_move(app->db, stack, move->organization_id, &move->to, e) < 0 ||
	    write_project_tag(app, stack, move, arena, e) < 0)
		return -1;
	if (!strcmp(c->organization_id, move->organization_id))
		return 1;
	return db_exec(app->db, &UPDATES_MOVE, DB_VALUES(db_text(move->organization_id), db_text(stack->id)), NULL, e);
}

static bool is_same(const struct caller *c, const struct stack_path *path, const struct stack_move *move)
{
	return !strcmp(c->organization_id, move->organization_id) && !strcmp(path->project, move->to.project) &&
	       !strcmp(path->name, move->to.name);
}

/* An update of its own, so that it takes the lock, makes a lapsed one end, and is in the history. */
static int begin(struct app *app, const struct caller *c, const struct stack_path *path, const char *client,
		 int64_t now_us, char id[UUID_TEXT], struct err *e)
{
	struct update_program program = { .message = "", .client = client, .environment = SPAN("{}"), .config = SPAN("{}"),
					  .program = SPAN("{}") };
	struct update_started started = { 0 };

	if (update_create(app, c, path, "rename", &program, now_us, id, e) < 0)
		return -1;
	return update_start(app, c, path, id, NULL, 0, now_us, &started, e);
}

int update_rename(struct app *app, const struct caller *c, const struct stack_path *path, const struct stack_move *move,
		  const char *client, char ret_id[UUID_TEXT], struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	int64_t now_us = app->now_us();
	struct stack stack = { 0 };
	struct update u = { 0 };

	if (stack_check_name("project", move->to.project, e) < 0 || stack_check_name("stack", move->to.name, e) < 0)
		return -1;
	if (is_same(c, path, move))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: the stack is there already; give it another name");
	if (begin(app, c, path, client, now_us, ret_id, e) < 0 || stack_lock(app->db, c, path, &arena, &stack, e) < 0 ||
	    update_find(app->db, c, stack.id, ret_id, &arena, &u, e) < 0 ||
	    rewrite_state(app, &stack, path, &move->to, &arena, &u, e) < 0 ||
	    update_end(app, &u, "succeeded", now_us, e) < 0)
		return -1;
	return move_stack(app, c, &stack, move, &arena, e);
}
