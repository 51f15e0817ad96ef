/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/stack.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/limits.h"
#include "stack/stack_sql.h"

int stack_check_name(const char *what, const char *name, struct err *e)
{
	size_t n = strlen(name);

	if (n == 0 || n > LIMIT_NAME || !strcmp(name, ".") || !strcmp(name, "..") ||
	    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-") != n)
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: the %s name '%.100s' must have 1 to %d letters, digits, '_', '.' or '-' and "
			       "not be '.' or '..'", what, name, LIMIT_NAME);
	return 1;
}

int stack_not_found(const struct stack_path *p, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "Not Found: Stack '%.40s/%.100s/%.100s' not found", p->organization,
		       p->project, p->name);
}

int stack_exists_already(const struct stack_path *p, struct err *e)
{
	return err_set(e, ERR_CONFLICT, "Conflict: Stack '%.40s/%.100s/%.100s' already exists", p->organization, p->project,
		       p->name);
}

/* Lookup is exact, uniqueness is without case: "Dev" and "dev" cannot both be there. */
static const char *unique_name(const struct stack_path *path, struct arena *arena)
{
	char *name = arena_printf(arena, "%s/%s", path->project, path->name);

	for (char *p = name; *p; p++)
		if (*p >= 'A' && *p <= 'Z')
			*p += 'a' - 'A';
	return name;
}

int stack_find(struct db *db, const struct caller *c, const struct stack_path *path, struct arena *arena, struct stack *ret_stack,
	       struct err *e)
{
	int rc = db_one(db, &STACK_BY_PATH,
			DB_VALUES(db_text(c->organization_id), db_text(unique_name(path, arena)), db_text(path->project), db_text(path->name)),
			stack_columns, ret_stack, arena, e);

	return rc == 0 ? stack_not_found(path, e) : rc;
}

int stack_by_token(struct db *db, struct span bearer, const struct stack_path *path, int64_t now_us, struct arena *arena,
		   struct caller *ret_caller, struct stack *ret_stack, struct err *e)
{
	unsigned char digest[SHA256_BYTES];
	struct stack_and_caller row = { 0 };
	int rc;

	sha256(bearer, digest);
	rc = db_one(db, &STACK_BY_TOKEN,
		    DB_VALUES(db_text(path->organization), db_text(unique_name(path, arena)), db_text(path->project), db_text(path->name),
			      db_bytes((struct span){ (char *)digest, sizeof(digest) }), db_time(now_us)),
		    stack_and_caller_columns, &row, arena, e);
	*ret_caller = row.caller;
	*ret_stack = row.stack;
	return rc;
}

int stack_operation(struct db *db, const struct stack *stack, int64_t now_us, struct arena *arena, struct stack_operation *ret_operation,
		    struct err *e)
{
	return db_one(db, &STACK_OPERATION, DB_VALUES(db_text(stack->id), db_time(now_us)), stack_operation_columns, ret_operation, arena, e);
}

int stack_lock(struct db *db, const struct caller *c, const struct stack_path *path, struct arena *arena,
	       struct stack *ret_stack, struct err *e)
{
	int rc = db_one(db, &STACK_LOCK_BY_PATH,
			DB_VALUES(db_text(c->organization_id), db_text(unique_name(path, arena)), db_text(path->project), db_text(path->name)),
			stack_row_columns, ret_stack, arena, e);

	return rc == 0 ? stack_not_found(path, e) : rc;
}

int stack_lock_all(struct db *db, const struct caller *c, const struct stack_path *list, size_t count, struct arena *arena,
		   const char **ret_ids, struct err *e)
{
	struct db_value values[1 + 2 * STACKS_AT_ONCE] = { db_text(c->organization_id) };
	struct stack *rows;
	size_t found;

	for (size_t i = 0; i < count; i++) {
		values[1 + 2 * i] = db_text(list[i].project);
		values[2 + 2 * i] = db_text(list[i].name);
	}
	if (db_all(db, &STACK_LOCK_ALL, values, sizeof(values) / sizeof(values[0]), stack_path_columns, sizeof(*rows), arena, (void **)&rows,
		   &found, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		size_t at = 0;

		while (at < found && (strcmp(rows[at].project, list[i].project) || strcmp(rows[at].name, list[i].name)))
			at++;
		if (at == found)
			return stack_not_found(&list[i], e);
		ret_ids[i] = rows[at].id;
	}
	return 1;
}

int stack_project_exists(struct db *db, const struct caller *c, const char *project, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct stack row = { 0 };

	return db_one(db, &STACK_PROJECT_EXISTS, DB_VALUES(db_text(c->organization_id), db_text(project)),
		      stack_id_columns, &row, &arena, e);
}

int stack_create(struct db *db, const struct caller *c, const struct stack_path *path, struct span config, int64_t now_us,
		 char ret_id[UUID_TEXT], struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	int rc;

	if (stack_check_name("project", path->project, e) < 0 || stack_check_name("stack", path->name, e) < 0)
		return -1;
	uuid_new(now_us, ret_id);
	rc = db_exec(db, &STACK_CREATE,
		     DB_VALUES(db_text(ret_id), db_text(c->organization_id), db_text(path->project), db_text(path->name),
			       db_text(unique_name(path, &arena)), db_bytes(config), db_text(c->user_id), db_time(now_us)),
		     NULL, e);
	return rc == 0 ? stack_exists_already(path, e) : rc;
}

int stack_set_config(struct db *db, const struct caller *c, const struct stack_path *path, struct span config, struct err *e)
{
	int64_t changed;

	if (db_exec(db, &STACK_SET_CONFIG,
		    DB_VALUES(db_bytes(config), db_text(c->organization_id), db_text(path->project), db_text(path->name)),
		    &changed, e) < 0)
		return -1;
	return changed ? 1 : stack_not_found(path, e);
}

int stack_move(struct db *db, const struct stack *stack, const char *organization_id, const struct stack_path *to,
	       struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	int rc = db_exec(db, &STACK_MOVE,
			 DB_VALUES(db_text(organization_id), db_text(to->project), db_text(to->name), db_text(unique_name(to, &arena)),
				   db_text(stack->id)),
			 NULL, e);

	if (rc <= 0)
		return rc < 0 ? -1 : stack_exists_already(to, e);
	return db_exec(db, &STACK_TAGS_MOVE, DB_VALUES(db_text(organization_id), db_text(stack->id)), NULL, e);
}

static const struct stmt *list_statement(const struct stack_filter *f)
{
	if (f->project)
		return !f->tag_name ? &STACK_LIST_PROJECT :
		       f->tag_value ? &STACK_LIST_PROJECT_TAG_VALUE : &STACK_LIST_PROJECT_TAG;
	return !f->tag_name ? &STACK_LIST : f->tag_value ? &STACK_LIST_TAG_VALUE : &STACK_LIST_TAG;
}

int stack_list(struct db *db, const char *organization_id, const struct stack_filter *f, const char *after,
	       int64_t limit, int64_t now_us, struct arena *arena, struct stack_listed **ret_list, size_t *ret_count,
	       struct err *e)
{
	struct db_value v[7];
	size_t n = 0;

	v[n++] = db_text(organization_id);
	if (f->project)
		v[n++] = db_text(f->project);
	if (f->tag_name)
		v[n++] = db_text(f->tag_name);
	if (f->tag_name && f->tag_value)
		v[n++] = db_text(f->tag_value);
	v[n++] = db_text(after);
	v[n++] = db_int(limit);
	v[n++] = db_time(now_us);
	return db_all(db, list_statement(f), v, n, stack_listed_columns, sizeof(struct stack_listed), arena, (void **)ret_list,
		      ret_count, e);
}

/* The first sentence is what the Automation API looks for. */
static int busy(const struct stack_operation *o, const struct stack_path *p, struct err *e)
{
	char started[TIME_TEXT];

	time_words(o->started, started);
	return err_set(e, ERR_CONFLICT,
		       "Conflict: Another update is currently in progress. %s has been running '%s' since %s; to stop it, "
		       "run: pulumi cancel %s/%s/%s", o->author ? o->author : "Somebody", o->kind, started,
		       p->organization, p->project, p->name);
}

int stack_delete(struct db *db, const struct caller *c, const struct stack_path *path, bool force,
		 int64_t now_us, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct stack_operation running = { 0 };
	struct stack locked = { 0 };

	if (stack_lock(db, c, path, &arena, &locked, e) < 0 || stack_operation(db, &locked, now_us, &arena, &running, e) < 0)
		return -1;
	if (running.kind)
		return busy(&running, path, e);
	if (locked.resource_count > 0 && !force)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: Stack still contains resources.");
	return db_exec(db, &STACK_DELETE,
		       DB_VALUES(db_time(now_us), db_text(locked.id), db_text(c->organization_id)), NULL, e);
}

int stack_list_deleted(struct db *db, const struct caller *c, int64_t limit, struct arena *arena,
		       struct stack_deleted **ret_list, size_t *ret_count, struct err *e)
{
	return db_all(db, &STACK_LIST_DELETED, DB_VALUES(db_text(c->organization_id), db_int(limit)), stack_deleted_columns,
		      sizeof(struct stack_deleted), arena, (void **)ret_list, ret_count, e);
}

int stack_restore(struct db *db, const struct caller *c, const char *id, const char *name, struct err *e)
{
	int64_t changed;
	int rc = db_exec(db, &STACK_RESTORE, DB_VALUES(db_text(id), db_text(c->organization_id), db_text(name), db_text(name)),
			 &changed, e);

	if (rc == 0)
		return err_set(e, ERR_CONFLICT,
			       "Conflict: a stack with this name already exists; rename or delete it first");
	if (rc == 1 && changed == 0)
		return err_set(e, ERR_NOT_FOUND, "Not Found: there is no deleted stack %.36s%s%.100s", id,
			       name ? " with the name " : "", name ? name : "");
	return rc;
}
