/* SPDX-License-Identifier: Apache-2.0 */
/*
 * References between the resources of a new state. After a refresh some point at what is gone: they are
 * dropped, and orphans lose their parent. Aliases are resolved last, and left out.
 */
#include "json/scan.h"
#include "json/write.h"
#include "update/replay_internal.h"

#define ROOT_STACK_TYPE "pulumi:pulumi:Stack"

static struct span text_of(struct span value, struct arena *arena)
{
	struct span text;

	return value.data && scan_text(value, arena, &text) ? text : SPAN("");
}

/* The parts of urn:pulumi:<stack>::<project>::<qualified type>::<name>; the name may hold anything. */
static bool split_urn(struct span urn, struct span ret_parts[4])
{
	const char *at = urn.data, *end = urn.data + urn.length;

	for (int i = 0; i < 3; i++) {
		const char *colons = memmem(at, (size_t)(end - at), "::", 2);

		if (!colons)
			return false;
		ret_parts[i] = (struct span){ at, (size_t)(colons - at) };
		at = colons + 2;
	}
	ret_parts[3] = (struct span){ at, (size_t)(end - at) };
	return true;
}

static struct span own_type(struct span qualified)
{
	const char *dollar = memrchr(qualified.data, '$', qualified.length);

	return dollar ? (struct span){ dollar + 1, (size_t)(qualified.data + qualified.length - dollar - 1) } : qualified;
}

/* The URN of a resource under a parent that has another URN now; data NULL when it stays. */
static struct span under_parent(struct span urn, struct span parent, struct arena *arena)
{
	struct span own[4], above[4], type;

	if (!split_urn(urn, own) || !split_urn(parent, above) || span_equal(above[2], SPAN(ROOT_STACK_TYPE)))
		return (struct span){ NULL, 0 };
	type = own_type(own[2]);
	return span_of(arena_printf(arena, "%.*s::%.*s::%.*s$%.*s::%.*s", (int)own[0].length, own[0].data,
				    (int)own[1].length, own[1].data, (int)above[2].length, above[2].data, (int)type.length,
				    type.data, (int)own[3].length, own[3].data));
}

struct span references_resolve(const struct survivors *s, struct span urn)
{
	const struct span *now = map_get(&s->aliases, urn);

	return now ? *now : urn;
}

static void alias(struct survivors *s, struct span from, struct span to, struct arena *arena)
{
	struct span *kept = arena_alloc(arena, sizeof(*kept));

	*kept = to;
	*map_put(&s->aliases, from) = kept;
}

/* Two resources that claim one alias: nothing is resolved then, and the state says why. */
static void conflict(struct survivors *s, struct span from, struct arena *arena)
{
	if (!s->problem)
		s->problem = arena_printf(arena, "two resources have the alias %.*s",
					  (int)(from.length < 300 ? from.length : 300), from.data);
}

static void add_aliases(struct survivors *s, const struct survivor *each, struct arena *arena)
{
	struct span list, value, from;
	const struct span *other;
	struct scan scan;

	if (!scan_find(each->text, "aliases", &list) || list.data[0] != '[')
		return;
	for (scan_open(&scan, list); scan_element(&scan, &value);) {
		from = text_of(value, arena);
		other = map_get(&s->aliases, from);
		if (other && !span_equal(*other, each->urn))
			conflict(s, from, arena);
		alias(s, from, each->urn, arena);
	}
}

static void collect_aliases(struct survivors *s, struct arena *arena)
{
	for (size_t i = 0; i < s->count; i++) {
		const struct survivor *each = &s->items[i];
		const struct span *parent;
		struct span moved;

		if (each->has_aliases)
			add_aliases(s, each, arena);
		parent = each->parent.length ? map_get(&s->aliases, each->parent) : NULL;
		if (!parent)
			continue;
		moved = under_parent(each->urn, *parent, arena);
		if (moved.data)
			alias(s, each->urn, moved, arena);
	}
	if (s->problem)
		map_done(&s->aliases);
}

/* A parent that is gone took its place in the chain along: its children have none. */
static void adopt_orphans(struct survivors *s)
{
	_cleanup_(map_done) struct map there = MAP_INIT;

	for (size_t i = 0; i < s->count; i++)
		*map_put(&there, s->items[i].urn) = s;
	for (size_t i = 0; i < s->count; i++)
		if (!map_get(&there, s->items[i].parent))
			s->items[i].parent = SPAN("");
}

void references_prepare(struct replay *r, struct survivors *s)
{
	bool any = false;

	if (r->has_refresh)
		adopt_orphans(s);
	for (size_t i = 0; i < s->count && !any; i++)
		any = s->items[i].has_aliases;
	if (any)
		collect_aliases(s, &r->arena);
}

/* One resource on its way into the new state. */
struct edit {
	const struct replay *replay;
	const struct survivors *survivors;
	const struct survivor *each;
	const struct map *seen;		/* URNs before this one */
	struct arena *arena;
	struct buffer *out;
	bool changed;
};

/* What a member becomes; data NULL: it is left out. */
typedef struct span edit_function(struct edit *ed, struct span value);

static struct span quoted(struct edit *ed, struct span text)
{
	struct buffer b = BUFFER_INIT;
	char *kept;

	json_write_span(&b, text);
	kept = arena_strndup(ed->arena, b.data, b.length);
	text = (struct span){ kept, b.length };
	buffer_done(&b);
	return text;
}

static struct span absent(struct edit *ed)
{
	ed->changed = true;
	return (struct span){ NULL, 0 };
}

/* The JSON of a URN that may have moved; the bytes that were there when it has not. */
static struct span moved(struct edit *ed, struct span value, struct span now)
{
	if (span_equal(text_of(value, ed->arena), now))
		return value;
	ed->changed = true;
	return quoted(ed, now);
}

static struct span edit_urn(struct edit *ed, struct span value)
{
	return moved(ed, value, references_resolve(ed->survivors, text_of(value, ed->arena)));
}

static struct span edit_parent(struct edit *ed, struct span value)
{
	struct span now = references_resolve(ed->survivors, ed->each->parent);

	return now.length || !text_of(value, ed->arena).length ? moved(ed, value, now) : absent(ed);
}

static struct span edit_deleted_with(struct edit *ed, struct span value)
{
	struct span urn = text_of(value, ed->arena);

	if (ed->replay->has_refresh && urn.length && !map_get(ed->seen, urn))
		return absent(ed);
	return edit_urn(ed, value);
}

/* A provider reference is the provider's URN, two colons and its id. */
static struct span edit_provider(struct edit *ed, struct span value)
{
	struct span text = text_of(value, ed->arena), urn = text, now;
	size_t n = text.length;

	while (n > 2 && memcmp(text.data + n - 2, "::", 2))
		n--;
	if (n <= 2)
		return value;
	urn.length = n - 2;
	now = references_resolve(ed->survivors, urn);
	if (span_equal(now, urn))
		return value;
	return moved(ed, value,
		     span_of(arena_printf(ed->arena, "%.*s%.*s", (int)now.length, now.data, (int)(text.length - urn.length),
					  text.data + urn.length)));
}

static void append_element(struct buffer *list, struct span value)
{
	buffer_putc(list, list->length ? ',' : '[');
	buffer_append(list, value.data, value.length);
}

/* A list of URNs without those that are gone; data NULL when nothing is left of it. */
static struct span filtered(struct edit *ed, struct span list, bool resolve)
{
	struct buffer kept = BUFFER_INIT;
	bool changed = false, had = false;
	struct span value, now;
	struct scan s;
	char *text;

	for (scan_open(&s, list); scan_element(&s, &value); had = true) {
		struct span urn = text_of(value, ed->arena);

		if (ed->replay->has_refresh && !map_get(ed->seen, urn)) {
			changed = true;
			continue;
		}
		now = resolve ? references_resolve(ed->survivors, urn) : urn;
		changed |= !span_equal(now, urn);
		append_element(&kept, span_equal(now, urn) ? value : quoted(ed, now));
	}
	if (kept.length)
		buffer_putc(&kept, ']');
	text = arena_strndup(ed->arena, kept.data ? kept.data : "", kept.length);
	now = changed && !kept.length ? (struct span){ NULL, 0 } : changed ? (struct span){ text, kept.length } : list;
	ed->changed |= changed;
	buffer_done(&kept);
	return had ? now : list;
}

static struct span edit_list(struct edit *ed, struct span value)
{
	return value.data[0] == '[' ? filtered(ed, value, true) : value;
}

static struct span edit_replace_with(struct edit *ed, struct span value)
{
	return value.data[0] == '[' ? filtered(ed, value, false) : value;
}

static bool is_empty(struct span list)
{
	struct span value;
	struct scan s;

	scan_open(&s, list);
	return !scan_element(&s, &value);
}

static struct span edit_properties(struct edit *ed, struct span value)
{
	struct buffer kept = BUFFER_INIT;
	struct span name, list, now;
	bool any = false;
	struct scan s;
	char *text;

	if (value.data[0] != '{')
		return value;
	buffer_putc(&kept, '{');
	for (scan_open(&s, value); scan_member(&s, &name, &list);) {
		now = list.data[0] == '[' ? filtered(ed, list, true) : list;
		if (!now.data || (ed->replay->has_refresh && is_empty(now))) {
			ed->changed = true;
			continue;
		}
		json_write_separator(&kept);
		buffer_append(&kept, name.data - 1, name.length + 2);
		buffer_putc(&kept, ':');
		buffer_append(&kept, now.data, now.length);
		any = true;
	}
	buffer_putc(&kept, '}');
	text = arena_strndup(ed->arena, kept.data, kept.length);
	now = (struct span){ text, kept.length };
	buffer_done(&kept);
	return any || !ed->changed ? now : (struct span){ NULL, 0 };
}

static struct span edit_aliases(struct edit *ed, struct span value)
{
	return value.data[0] == '[' && value.length > 2 && !ed->survivors->problem ? absent(ed) : value;
}

static edit_function *edit_of(struct span name)
{
	static const struct {
		const char *name;
		edit_function *edit;
	} table[] = {
		{ "urn", edit_urn },	       { "parent", edit_parent },
		{ "provider", edit_provider }, { "dependencies", edit_list },
		{ "viewOf", edit_urn },	       { "propertyDependencies", edit_properties },
		{ "aliases", edit_aliases },   { "deletedWith", edit_deleted_with },
		{ "replaceWith", edit_replace_with },
	};

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (scan_name_is(name, table[i].name))
			return table[i].edit;
	return NULL;
}

static void put_member(struct edit *ed, struct span name, struct span value)
{
	json_write_separator(ed->out);
	buffer_append(ed->out, name.data - 1, name.length + 2);
	buffer_putc(ed->out, ':');
	buffer_append(ed->out, value.data, value.length);
}

static void put_marks(struct edit *ed)
{
	if (ed->each->delete)
		json_put_bool(ed->out, "delete", true);
	if (ed->each->pending_replacement)
		json_put_bool(ed->out, "pendingReplacement", true);
	ed->changed |= ed->each->delete || ed->each->pending_replacement;
}

/* A mark that the journal sets replaces the one that was there; the others stay. */
static bool overridden(const struct edit *ed, struct span name)
{
	return (ed->each->delete && scan_name_is(name, "delete")) ||
	       (ed->each->pending_replacement && scan_name_is(name, "pendingReplacement"));
}

int references_apply(struct replay *r, const struct survivors *s, const struct survivor *each, const struct map *seen,
		     struct buffer *out, struct arena *scratch)
{
	struct edit ed = { r, s, each, seen, scratch, out, false };
	struct span name, value;
	struct scan scan;

	if (!r->has_refresh && !s->aliases.count && !each->delete && !each->pending_replacement && !each->has_aliases)
		return 0;
	buffer_putc(out, '{');
	for (scan_open(&scan, each->text); scan_member(&scan, &name, &value);) {
		edit_function *edit = value.data[0] == 'n' ? NULL : edit_of(name);

		if (overridden(&ed, name))
			continue;
		if (edit)
			value = edit(&ed, value);
		if (value.data)
			put_member(&ed, name, value);
	}
	put_marks(&ed);
	buffer_putc(out, '}');
	return ed.changed;
}
