/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/stack.h"

#include <stdio.h>

#include "base/limits.h"
#include "json/write.h"
#include "stack/stack_sql.h"

static int check_name(const char *what, const char *name, struct err *e)
{
	size_t n = strlen(name);

	if (n == 0 || n > LIMIT_NAME ||
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") != n)
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: the %s name '%.100s' must have 1 to %d letters, digits, '_', '.' or '-'", what,
			       name, LIMIT_NAME);
	return 1;
}

int stack_check_tags(const struct text_map *tags, struct err *e)
{
	if (tags->count > LIMIT_TAGS)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: %zu tags, at most %d are allowed", tags->count, LIMIT_TAGS);
	for (size_t i = 0; i < tags->count; i++) {
		const char *name = tags->items[i].name;
		size_t n = strlen(name);

		if (n == 0 || n > LIMIT_TAG_NAME ||
		    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-") != n)
			return err_set(e, ERR_BAD_REQUEST,
				       "Bad Request: the tag name '%.60s' must have 1 to %d letters, digits, '-', '_', '.' or ':'",
				       name, LIMIT_TAG_NAME);
		if (strlen(tags->items[i].value) > LIMIT_TAG_VALUE * 4)
			return err_set(e, ERR_BAD_REQUEST, "Bad Request: the value of tag '%s' is longer than %d characters",
				       name, LIMIT_TAG_VALUE);
	}
	return 1;
}

int stack_not_found(const struct stack_path *p, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "Not Found: Stack '%.40s/%.100s/%.100s' not found", p->organization,
		       p->project, p->name);
}

int stack_find(struct db *db, const struct caller *c, const struct stack_path *path, int64_t now_us,
	       struct arena *arena, struct stack *ret_stack, struct err *e)
{
	int rc = db_one(db, &STACK_BY_PATH,
			DB_VALUES(db_time(now_us), db_text(c->organization_id), db_text(path->project),
				  db_text(path->name)),
			stack_columns, ret_stack, arena, e);

	return rc == 0 ? stack_not_found(path, e) : rc;
}

int stack_lock(struct db *db, const struct caller *c, const struct stack_path *path, struct arena *arena,
	       struct stack *ret_stack, struct err *e)
{
	int rc = db_one(db, &STACK_LOCK_BY_PATH,
			DB_VALUES(db_text(c->organization_id), db_text(path->project), db_text(path->name)),
			stack_row_columns, ret_stack, arena, e);

	return rc == 0 ? stack_not_found(path, e) : rc;
}

int stack_project_exists(struct db *db, const struct caller *c, const char *project, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct stack row = { 0 };

	return db_one(db, &STACK_PROJECT_EXISTS, DB_VALUES(db_text(c->organization_id), db_text(project)),
		      stack_id_columns, &row, &arena, e);
}

int stack_create(struct db *db, const struct caller *c, const struct stack_path *path, const char *tags,
		 int64_t now_us, char ret_id[UUID_TEXT], struct err *e)
{
	char unique[2 * LIMIT_NAME + 2];
	int rc;

	if (check_name("project", path->project, e) < 0 || check_name("stack", path->name, e) < 0)
		return -1;
	uuid_new(now_us, ret_id);
	snprintf(unique, sizeof(unique), "%s/%s", path->project, path->name);
	rc = db_exec(db, &STACK_CREATE,
		     DB_VALUES(db_text(ret_id), db_text(c->organization_id), db_text(path->project), db_text(path->name),
			       db_text(unique), db_text(tags), db_text(c->user_id), db_time(now_us)),
		     NULL, e);
	if (rc == 0)
		return err_set(e, ERR_CONFLICT, "Conflict: Stack '%s/%s/%s' already exists", path->organization,
			       path->project, path->name);
	return rc;
}

int stack_delete(struct db *db, const struct caller *c, const struct stack_path *path, bool force,
		 int64_t now_us, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct stack locked = { 0 }, s = { 0 };

	if (stack_lock(db, c, path, &arena, &locked, e) < 0 ||
	    stack_find(db, c, path, now_us, &arena, &s, e) < 0)
		return -1;
	if (s.operation_kind)
		return err_set(e, ERR_CONFLICT, "Conflict: Another update is currently in progress.");
	if (locked.resource_count > 0 && !force)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: Stack still contains resources.");
	return db_exec(db, &STACK_DELETE,
		       DB_VALUES(db_time(now_us), db_text(locked.id), db_text(c->organization_id)), NULL, e);
}

int stack_set_tags(struct db *db, const struct caller *c, const struct stack_path *path, const char *tags,
		   struct err *e)
{
	int64_t changed;

	if (db_exec(db, &STACK_SET_TAGS,
		    DB_VALUES(db_text(tags), db_text(c->organization_id), db_text(path->project),
			      db_text(path->name)), &changed, e) < 0)
		return -1;
	return changed ? 1 : stack_not_found(path, e);
}

/* The text that a tag has inside tags_json; quotes inside values are escaped, so nothing else has it. */
static const char *tag_needle(const struct stack_filter *f, struct buffer *needle)
{
	if (!f->tag_name)
		return NULL;
	json_write_text(needle, f->tag_name);
	buffer_putc(needle, ':');
	if (f->tag_value)
		json_write_text(needle, f->tag_value);
	return needle->data;
}

int stack_list(struct db *db, const struct caller *c, const struct stack_filter *f, int64_t limit,
	       struct arena *arena, struct stack_listed **ret_list, size_t *ret_count, struct err *e)
{
	_cleanup_(buffer_done) struct buffer needle = BUFFER_INIT;
	const char *tag = tag_needle(f, &needle);

	return db_all(db, &STACK_LIST,
		      DB_VALUES(db_text(c->user_id), db_text(f->after ? f->after : ""), db_text(f->organization),
				db_text(f->organization), db_text(f->project), db_text(f->project), db_text(tag),
				db_text(tag), db_int(limit)),
		      stack_listed_columns, sizeof(struct stack_listed), arena, (void **)ret_list, ret_count, e);
}
