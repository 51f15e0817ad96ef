/* SPDX-License-Identifier: Apache-2.0 */
/* Each stack: its tags, and the object of each checkpoint with what is in it. */
#include <stdio.h>

#include "base/map.h"
#include "json/fields.h"
#include "update/checkpoint.h"
#include "verify/internal.h"

struct tags {
	struct arena arena;
	struct span json;
	size_t rows;
	struct map values;
};

static int take_tag(void *context, const void *row, struct err *e)
{
	const struct verify_row *r = row;
	struct tags *t = context;

	(void)e;
	if (!t->json.data)
		t->json = span_of(arena_strndup(&t->arena, r->tags.data, r->tags.length));
	if (!r->name)
		return 1;
	*map_put(&t->values, span_of(arena_strdup(&t->arena, r->name))) = arena_strdup(&t->arena, r->value);
	t->rows++;
	return 1;
}

static bool tags_agree(const struct tags *t, const struct text_map *said)
{
	for (size_t i = 0; i < said->count; i++) {
		const char *value = map_get(&t->values, span_of(said->items[i].name));

		if (!value || strcmp(value, said->items[i].value))
			return false;
	}
	return said->count == t->rows;
}

/* Lists are filtered by the rows, one stack is shown from its JSON: both in one statement, so that both are of one time. */
static int check_tags(struct verify *v, const char *stack_id, const char *where, struct err *e)
{
	struct tags t = { 0 };
	struct text_map said = { 0 };
	struct err why = { 0 };
	struct verify_row row;
	int rc = db_each(v->app->db, &VERIFY_TAGS, DB_VALUES(db_text(stack_id)), verify_tag_columns, &row, sizeof(row), take_tag, &t, e);

	if (rc == 1 && t.json.data && fields_read_text_map(t.json, &t.arena, &said, &why) < 0)
		rc = verify_blame(v, where, &why, e);
	else if (rc == 1 && t.json.data && !tags_agree(&t, &said))
		verify_problem(v, where, "its tags are not those that lists are filtered by");
	map_done(&t.values);
	arena_clear(&t.arena);
	return rc;
}

/* The stack that is looked at; texts that several versions share are read once. */
struct states {
	struct verify *verify;
	const char *id, *name;
	struct arena arena;
	struct map seen;	/* digest -> struct stored_checkpoint; bytes -1: it was a problem */
};

static int read_state(struct states *s, const char *where, struct span digest, struct stored_checkpoint *stored, struct err *e)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	struct checkpoint_text checkpoint = { 0 };
	struct err why = { 0 };

	if (checkpoint_load(s->verify->app, s->id, digest, &text, &why) < 0 || checkpoint_check(buffer_span(&text), &checkpoint, &why) < 0) {
		stored->bytes = -1;
		return verify_blame(s->verify, where, &why, e);
	}
	stored->bytes = (int64_t)text.length;
	stored->resources = checkpoint.resources;
	s->verify->counts.bytes += stored->bytes;
	return 1;
}

static int check_state(struct states *s, const struct verify_row *row, struct err *e)
{
	char *where = arena_printf(&s->arena, "checkpoint %lld of stack %s", (long long)row->version, s->name);
	void **slot = map_put(&s->seen, row->sha256);
	struct stored_checkpoint *stored = *slot;

	s->verify->counts.checkpoints++;
	s->verify->seen(s->verify->context, "checkpoints", 1);
	if (!stored) {
		*slot = stored = arena_alloc(&s->arena, sizeof(*stored));
		if (read_state(s, where, row->sha256, stored, e) < 0)
			return -1;
	}
	if (stored->bytes >= 0 && stored->bytes != row->bytes)
		verify_problem(s->verify, where, "has %lld bytes, its row says %lld", (long long)stored->bytes, (long long)row->bytes);
	if (stored->bytes >= 0 && stored->resources != row->resources)
		verify_problem(s->verify, where, "has %lld resources, its row says %lld", (long long)stored->resources,
			       (long long)row->resources);
	return 1;
}

static int check_states(struct states *s, struct err *e)
{
	int64_t after = -1;
	size_t count;

	do {
		struct verify_row *rows;

		if (db_all(s->verify->app->db, &VERIFY_CHECKPOINTS, DB_VALUES(db_text(s->id), db_int(after)), verify_checkpoint_columns,
			   sizeof(*rows), &s->arena, (void **)&rows, &count, e) < 0)
			return -1;
		for (size_t i = 0; i < count; i++) {
			after = rows[i].version;
			if (check_state(s, &rows[i], e) < 0)
				return -1;
		}
	} while (count);
	return 1;
}

static int check_stack(struct verify *v, const struct verify_row *row, struct err *e)
{
	struct states s = { .verify = v, .id = row->id };
	int rc;

	s.name = arena_printf(&s.arena, "%s/%s/%s", row->organization, row->project, row->name);
	v->counts.stacks++;
	rc = check_tags(v, row->id, arena_printf(&s.arena, "stack %s", s.name), e);
	if (rc >= 0)
		rc = check_states(&s, e);
	map_done(&s.seen);
	arena_clear(&s.arena);
	return rc;
}

int verify_stacks(struct verify *v, struct err *e)
{
	return verify_pages(v, &VERIFY_STACKS, verify_stack_columns, check_stack, e);
}
