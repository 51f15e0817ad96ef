/* SPDX-License-Identifier: Apache-2.0 */
#include "stack/tag.h"

#include "base/limits.h"
#include "stack/stack_sql.h"

/* Characters, not bytes: the database counts them in the same way. */
static size_t characters(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

static int check_tag(const struct text_pair *tag, struct err *e)
{
	size_t n = strlen(tag->name);

	if (n == 0 || n > LIMIT_TAG_NAME ||
	    strspn(tag->name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:-") != n)
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: the tag name '%.60s' must have 1 to %d letters, digits, '-', '_', '.' or ':'",
			       tag->name, LIMIT_TAG_NAME);
	if (characters(tag->value) > LIMIT_TAG_VALUE)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: the value of tag '%s' has %zu characters, at most %d are allowed",
			       tag->name, characters(tag->value), LIMIT_TAG_VALUE);
	return 1;
}

int stack_check_tags(const struct text_map *tags, struct err *e)
{
	if (tags->count > LIMIT_TAGS)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: %zu tags, at most %d are allowed", tags->count, LIMIT_TAGS);
	for (size_t i = 0; i < tags->count; i++)
		if (check_tag(&tags->items[i], e) < 0)
			return -1;
	return 1;
}

/* Up to STACK_TAGS_AT_ONCE rows in one statement; places that are left over are NULL and make no row. */
static int insert_rows(struct db *db, const char *organization_id, const char *stack_id, const struct text_map *tags,
		       size_t from, struct err *e)
{
	struct db_value values[2 + 2 * STACK_TAGS_AT_ONCE] = { db_text(organization_id), db_text(stack_id) };

	for (size_t i = 0; i < STACK_TAGS_AT_ONCE && from + i < tags->count; i++) {
		values[2 + 2 * i] = db_text(tags->items[from + i].name);
		values[3 + 2 * i] = db_text(tags->items[from + i].value);
	}
	return db_exec(db, &STACK_TAGS_INSERT, values, 2 + 2 * STACK_TAGS_AT_ONCE, NULL, e);
}

static int write_rows(struct db *db, const char *organization_id, const char *stack_id, const struct text_map *tags,
		      struct err *e)
{
	if (db_exec(db, &STACK_TAGS_DELETE, DB_VALUES(db_text(organization_id), db_text(stack_id)), NULL, e) < 0)
		return -1;
	for (size_t from = 0; from < tags->count; from += STACK_TAGS_AT_ONCE)
		if (insert_rows(db, organization_id, stack_id, tags, from, e) < 0)
			return -1;
	return 1;
}

int stack_write_tags(struct db *db, const char *organization_id, const struct stack *stack, const struct text_map *tags,
		     struct err *e)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;

	json_write_text_map(&text, tags);
	if (span_equal(buffer_span(&text), stack->tags))
		return 1;
	if (db_exec(db, &STACK_SET_TAGS, DB_VALUES(db_bytes(buffer_span(&text)), db_text(organization_id), db_text(stack->id)),
		    NULL, e) < 0)
		return -1;
	return write_rows(db, organization_id, stack->id, tags, e);
}

static const char *value_of(const struct text_map *tags, const char *name)
{
	for (size_t i = 0; i < tags->count; i++)
		if (!strcmp(tags->items[i].name, name))
			return tags->items[i].value;
	return NULL;
}

/* The tag of the project's name stays as it is, or says the project; a rename is what changes it. */
static int check_project(const struct stack *stack, const struct text_map *tags, struct arena *arena, struct err *e)
{
	const char *now = value_of(tags, "pulumi:project"), *before;
	struct text_map stored = { 0 };

	if (!now || !strcmp(now, stack->project))
		return 1;
	if (fields_read_text_map(stack->tags, arena, &stored, e) < 0)
		return -1;
	before = value_of(&stored, "pulumi:project");
	if (before && !strcmp(before, now))
		return 1;
	return err_set(e, ERR_BAD_REQUEST,
		       "Bad Request: the tag pulumi:project is the name of the project, '%s'; rename the stack to change it",
		       stack->project);
}

int stack_set_tags(struct db *db, const struct caller *c, const struct stack_path *path, const struct text_map *tags,
		   struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct stack stack = { 0 };

	if (stack_lock(db, c, path, &arena, &stack, e) < 0 || check_project(&stack, tags, &arena, e) < 0)
		return -1;
	return stack_write_tags(db, c->organization_id, &stack, tags, e);
}

/* The stack, locked, with its tags and room for one more. */
static int lock_tags(struct db *db, const struct caller *c, const struct stack_path *path, struct arena *arena,
		     struct stack *ret_stack, struct text_map *ret_tags, struct err *e)
{
	struct text_map stored = { 0 };
	struct text_pair *items;

	if (stack_lock(db, c, path, arena, ret_stack, e) < 0 ||
	    fields_read_text_map(ret_stack->tags, arena, &stored, e) < 0)
		return -1;
	items = arena_alloc(arena, (stored.count + 1) * sizeof(*items));
	if (stored.count)
		memcpy(items, stored.items, stored.count * sizeof(*items));
	*ret_tags = (struct text_map){ items, stored.count, true };
	return 1;
}

static size_t find_tag(const struct text_map *tags, const char *name)
{
	size_t i = 0;

	while (i < tags->count && strcmp(tags->items[i].name, name))
		i++;
	return i;
}

static int no_tag(const char *name, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "Not Found: the stack has no tag '%.60s'", name);
}

static int tag_exists(const char *name, struct err *e)
{
	return err_set(e, ERR_BAD_REQUEST, "Bad Request: the stack already has a tag '%.60s'; change its value instead", name);
}

/* What the command line keeps by itself. */
static int check_own(const char *name, struct err *e)
{
	static const char *const own[] = { "pulumi:project", "pulumi:runtime", "pulumi:description", "pulumi:template",
					   "vcs:owner", "vcs:repo", "vcs:kind", "vcs:root" };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (!strcmp(name, own[i]))
			return err_set(e, ERR_BAD_REQUEST, "Bad Request: the tag '%s' is kept by the command line", name);
	return 1;
}

int stack_add_tag(struct db *db, const struct caller *c, const struct stack_path *path, const struct text_pair *tag,
		  struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct stack stack = { 0 };
	struct text_map tags;

	if (lock_tags(db, c, path, &arena, &stack, &tags, e) < 0)
		return -1;
	if (find_tag(&tags, tag->name) < tags.count)
		return tag_exists(tag->name, e);
	tags.items[tags.count++] = *tag;
	if (stack_check_tags(&tags, e) < 0)
		return -1;
	return stack_write_tags(db, c->organization_id, &stack, &tags, e);
}

int stack_change_tag(struct db *db, const struct caller *c, const struct stack_path *path, const char *name,
		     const struct text_pair *tag, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct stack stack = { 0 };
	struct text_map tags;
	size_t at;

	if (check_own(name, e) < 0 || lock_tags(db, c, path, &arena, &stack, &tags, e) < 0)
		return -1;
	at = find_tag(&tags, name);
	if (at == tags.count)
		return no_tag(name, e);
	if (strcmp(name, tag->name) && find_tag(&tags, tag->name) < tags.count)
		return tag_exists(tag->name, e);
	tags.items[at] = *tag;
	if (stack_check_tags(&tags, e) < 0)
		return -1;
	return stack_write_tags(db, c->organization_id, &stack, &tags, e);
}

int stack_remove_tag(struct db *db, const struct caller *c, const struct stack_path *path, const char *name, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct stack stack = { 0 };
	struct text_map tags;
	size_t at;

	if (check_own(name, e) < 0 || lock_tags(db, c, path, &arena, &stack, &tags, e) < 0)
		return -1;
	at = find_tag(&tags, name);
	if (at == tags.count)
		return no_tag(name, e);
	memmove(&tags.items[at], &tags.items[at + 1], (--tags.count - at) * sizeof(*tags.items));
	return stack_write_tags(db, c->organization_id, &stack, &tags, e);
}
