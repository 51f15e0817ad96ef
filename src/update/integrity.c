/* SPDX-License-Identifier: Apache-2.0 */
#include "update/integrity.h"

#include "json/scan.h"
#include "update/resource.h"

/* How often a URN is there, and how often as a resource to be deleted. */
struct uses {
	size_t all, deleted;
	struct span urn;
	struct uses *next;
};

#define PRINT_SPAN(s) (int)((s).length < 400 ? (s).length : 400), (s).data

static struct span text_of(struct integrity *i, struct span value)
{
	struct span text = SPAN("");

	if (value.data && scan_text(value, &i->arena, &text))
		return text;
	return SPAN("");
}

static bool is_true(struct span value)
{
	return value.data && value.data[0] == 't';
}

static void missing(struct integrity *i, struct span what, const char *after, const char *problem)
{
	if (i->problem)
		return;
	i->missing = what;
	i->later = after;
	i->problem = arena_strdup(&i->arena, problem);
}

static void check_reference(struct integrity *i, struct span urn, struct span to, const char *relation)
{
	if (to.length == 0 || i->problem || map_get(&i->urns, to))
		return;
	missing(i, to,
		arena_printf(&i->arena, "resource %.*s's %s %.*s comes after it", PRINT_SPAN(urn), relation, PRINT_SPAN(to)),
		arena_printf(&i->arena, "resource %.*s refers to missing %s %.*s", PRINT_SPAN(urn), relation, PRINT_SPAN(to)));
}

static void check_list(struct integrity *i, struct span urn, struct span list, const char *relation)
{
	struct span value;
	struct scan s;

	if (!list.data || list.data[0] != '[')
		return;
	for (scan_open(&s, list); scan_element(&s, &value);)
		check_reference(i, urn, text_of(i, value), relation);
}

static void check_properties(struct integrity *i, struct span urn, struct span object)
{
	struct span name, list;
	struct scan s;

	if (!object.data || object.data[0] != '{')
		return;
	for (scan_open(&s, object); scan_member(&s, &name, &list);)
		check_list(i, urn, list, "property dependency");
}

static bool starts_with(struct span text, const char *prefix)
{
	size_t n = strlen(prefix);

	return text.length >= n && !memcmp(text.data, prefix, n);
}

static struct span reference_of(struct integrity *i, struct span urn, struct span id)
{
	char *text = arena_printf(&i->arena, "%.*s::%.*s", (int)urn.length, urn.data, (int)id.length, id.data);

	return span_of(text);
}

static void check_provider(struct integrity *i, const struct span *v, struct span urn)
{
	struct span type = text_of(i, v[RESOURCE_TYPE]), id = text_of(i, v[RESOURCE_ID]), provider = text_of(i, v[RESOURCE_PROVIDER]);

	if (starts_with(type, "pulumi:providers:")) {
		if (id.length == 0 && !i->problem)
			i->problem = arena_printf(&i->arena, "provider %.*s is not referenceable: it has no id", PRINT_SPAN(urn));
		*map_put(&i->providers, reference_of(i, urn, id)) = i;
	}
	if (provider.length && !map_get(&i->providers, provider) && !is_true(v[RESOURCE_PENDING_REPLACEMENT]) && !i->problem)
		i->problem = arena_printf(&i->arena, "resource %.*s refers to unknown provider %.*s", PRINT_SPAN(urn),
					  PRINT_SPAN(provider));
}

static void check_shape(struct integrity *i, const struct span *v, struct span urn)
{
	if (i->problem)
		return;
	if (urn.length == 0)
		i->problem = arena_printf(&i->arena, "resource at index %zu missing required 'urn' field", i->count);
	else if (text_of(i, v[RESOURCE_TYPE]).length == 0)
		i->problem = arena_printf(&i->arena, "resource '%.*s' missing required 'type' field", PRINT_SPAN(urn));
	else if (!is_true(v[RESOURCE_CUSTOM]) && text_of(i, v[RESOURCE_ID]).length)
		i->problem = arena_printf(&i->arena, "resource '%.*s' has an id although it is not custom", PRINT_SPAN(urn));
}

static void remember(struct integrity *i, struct span urn, bool deleted)
{
	void **slot = map_put(&i->urns, urn);
	struct uses *uses = *slot;

	if (!uses) {
		uses = arena_alloc(&i->arena, sizeof(*uses));
		uses->urn = urn;
		*slot = uses;
	}
	uses->all++;
	uses->deleted += deleted;
}

void integrity_add(struct integrity *i, const struct span *v)
{
	struct span urn = text_of(i, v[RESOURCE_URN]);

	check_shape(i, v, urn);
	check_provider(i, v, urn);
	check_reference(i, urn, text_of(i, v[RESOURCE_PARENT]), "parent");
	check_list(i, urn, v[RESOURCE_DEPENDENCIES], "dependency");
	check_properties(i, urn, v[RESOURCE_PROPERTY_DEPENDENCIES]);
	check_reference(i, urn, text_of(i, v[RESOURCE_DELETED_WITH]), "deletion partner");
	remember(i, urn, is_true(v[RESOURCE_DELETE]));
	i->count++;
}

static void check_duplicates(struct integrity *i)
{
	for (size_t at = 0; at < i->urns.capacity && !i->problem; at++) {
		const struct uses *u = i->urns.slots[at].value;

		if (u && u->all > 1 && u->deleted + 1 < u->all)
			i->problem = arena_printf(&i->arena, "duplicate resource %.*s (not marked for deletion)",
						  PRINT_SPAN(u->urn));
	}
}

const char *integrity_finish(struct integrity *i)
{
	check_duplicates(i);
	if (i->problem && i->missing.data && map_get(&i->urns, i->missing))
		return i->later;
	return i->problem;
}

void integrity_done(struct integrity *i)
{
	map_done(&i->urns);
	map_done(&i->providers);
	arena_clear(&i->arena);
	*i = (struct integrity){ 0 };
}
