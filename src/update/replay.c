/* SPDX-License-Identifier: Apache-2.0 */
#include "update/replay.h"

#include <malloc.h>
#include <stdlib.h>

#include "json/scan.h"
#include "update/replay_internal.h"

void *replay_room(void *items, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return items;
	*room = *room ? 2 * *room : 64;
	return xrealloc(items, *room * size);
}

void replay_own(struct span *text, char **ret_owned)
{
	if (!text->data)
		return;
	*ret_owned = memcpy(xmalloc(text->length), text->data, text->length);
	text->data = *ret_owned;
}

struct replay *replay_new(const struct replay_options *options)
{
	struct replay *r = xcalloc(1, sizeof(*r));

	r->options = *options;
	return r;
}

static void resource_clear(struct resource *resource)
{
	free(resource->owned);
	*resource = (struct resource){ 0 };
}

/* Forgets what the entries did, as after a rebuilt base. */
static void forget_entries(struct replay *r)
{
	for (size_t i = 0; i < r->fresh_count; i++)
		resource_clear(&r->fresh[i]);
	for (size_t i = 0; i < r->operation_count; i++)
		free(r->operations[i]->owned);
	r->fresh_count = r->operation_count = r->borrowing_count = 0;
	map_done(&r->by_operation);
	map_done(&r->extensions);
}

void replay_base_done(struct base *base)
{
	for (size_t i = 0; i < base->count; i++)
		resource_clear(&base->resources[i].replacement);
	free(base->resources);
	free(base->owned);
	buffer_done(&base->document);
	*base = (struct base){ 0 };
}

void replay_free(struct replay *r)
{
	if (!r)
		return;
	forget_entries(r);
	replay_base_done(&r->base);
	replay_order_done(&r->order);
	free(r->borrowing);
	free(r->fresh);
	free(r->operations);
	arena_clear(&r->arena);
	free(r);
	/* What a large state took goes back to the system: a responder lives long and is idle mostly. */
	malloc_trim(1 << 20);
}

void replay_freep(struct replay **r)
{
	replay_free(*r);
}

static int read_resources(struct base *base, struct span list, struct err *e)
{
	size_t room = 0;
	struct span text;
	struct scan s;

	if (list.data[0] != '[')
		return err_internal(e, "replay: 'resources' of the base is no list");
	for (scan_open(&s, list); scan_element(&s, &text); base->count++) {
		if (text.data[0] != '{')
			return err_internal(e, "replay: resource %zu of the base is no object", base->count);
		base->resources = replay_room(base->resources, base->count, &room, sizeof(*base->resources));
		base->resources[base->count] = (struct base_resource){ .text = text };
	}
	return 1;
}

int replay_read_base(struct base *base, struct span deployment, struct err *e)
{
	static const char *const names[] = { "resources", "secrets_providers", "metadata", "snippets", "extensions",
					     "pending_operations" };
	struct span v[6];

	scan_pick(deployment, names, 6, v);
	base->secrets_providers = v[1];
	base->metadata = v[2];
	base->snippets = v[3];
	base->extensions = v[4];
	base->pending_operations = v[5];
	return v[0].data ? read_resources(base, v[0], e) : 1;
}

int replay_base(struct replay *r, struct buffer *document, struct err *e)
{
	struct span deployment;

	replay_base_done(&r->base);
	r->base.document = *document;
	*document = (struct buffer)BUFFER_INIT;
	if (!scan_find(scan_trim(buffer_span(&r->base.document)), "deployment", &deployment) || deployment.data[0] != '{')
		return err_internal(e, "replay: the base has no deployment");
	return replay_read_base(&r->base, deployment, e);
}

static struct operation *operation_of(const struct replay *r, int64_t id)
{
	return map_get(&r->by_operation, (struct span){ (const char *)&id, sizeof(id) });
}

static struct operation *operation_add(struct replay *r, int64_t id)
{
	struct operation *o = operation_of(r, id);

	if (o)
		return o;
	o = arena_alloc(&r->arena, sizeof(*o));
	o->id = id;
	o->fresh = -1;
	*map_put(&r->by_operation, (struct span){ (const char *)&o->id, sizeof(o->id) }) = o;
	r->operations = replay_room(r->operations, r->operation_count, &r->operation_room, sizeof(struct operation *));
	r->operations[r->operation_count++] = o;
	return o;
}

/* The resource that an operation made. A reference to none is corruption: it has no effect. */
static struct resource *fresh_of(struct replay *r, int64_t operation)
{
	struct operation *o = operation < 0 ? NULL : operation_of(r, operation);

	return o && o->fresh >= 0 ? &r->fresh[o->fresh] : NULL;
}

static struct base_resource *base_of(struct replay *r, int64_t index)
{
	return index >= 0 && (size_t)index < r->base.count ? &r->base.resources[index] : NULL;
}

static struct resource own(struct span state)
{
	struct resource resource = { .text = state };

	replay_own(&resource.text, &resource.owned);
	return resource;
}

static void replace(struct resource *resource, struct span state)
{
	free(resource->owned);
	*resource = own(state);
}

/* Most operations end in the batch in which they began: what they say is copied only when that batch goes. */
static void begin(struct replay *r, const struct journal_entry *entry)
{
	struct operation *o = operation_add(r, entry->operation);

	free(o->owned);
	o->owned = NULL;
	o->open = true;
	o->begun = entry->begun;
	r->borrowing = replay_room(r->borrowing, r->borrowing_count, &r->borrowing_room, sizeof(struct operation *));
	r->borrowing[r->borrowing_count++] = o;
}

static void finish(struct replay *r, int64_t operation)
{
	struct operation *o = operation_of(r, operation);

	if (!o)
		return;
	free(o->owned);
	o->owned = NULL;
	o->open = false;
	o->begun = (struct span){ NULL, 0 };
}

static void add_fresh(struct replay *r, const struct journal_entry *entry)
{
	r->fresh = replay_room(r->fresh, r->fresh_count, &r->fresh_room, sizeof(*r->fresh));
	r->fresh[r->fresh_count] = own(entry->state);
	operation_add(r, entry->operation)->fresh = (int64_t)r->fresh_count++;
}

static void mark_old(struct replay *r, const struct journal_entry *entry)
{
	struct base_resource *old;

	if ((old = base_of(r, entry->remove_old)))
		old->removed = true;
	if ((old = base_of(r, entry->delete_old)))
		old->delete = true;
	if ((old = base_of(r, entry->pending_replacement_old)))
		old->pending_replacement = true;
}

static void mark_new(struct replay *r, const struct journal_entry *entry)
{
	struct resource *new;

	if ((new = fresh_of(r, entry->remove_new)))
		new->removed = true;
	if ((new = fresh_of(r, entry->delete_new)))
		new->delete = true;
	if ((new = fresh_of(r, entry->pending_replacement_new)))
		new->pending_replacement = true;
}

static void success(struct replay *r, const struct journal_entry *entry)
{
	finish(r, entry->operation);
	if (entry->state.data)
		add_fresh(r, entry);
	mark_old(r, entry);
	mark_new(r, entry);
	r->has_refresh |= entry->is_refresh;
}

static void set_state(struct replay *r, const struct journal_entry *entry)
{
	struct base_resource *old = base_of(r, entry->remove_old);
	struct resource *new = fresh_of(r, entry->remove_new);

	if (old) {
		old->replaced = true;
		replace(&old->replacement, entry->state);
	} else if (new) {
		bool removed = new->removed;

		replace(new, entry->state);
		new->removed = removed;
	}
}

static void refresh_success(struct replay *r, const struct journal_entry *entry)
{
	struct base_resource *old = base_of(r, entry->remove_old);
	struct resource *new = fresh_of(r, entry->remove_new);

	finish(r, entry->operation);
	r->has_refresh = true;
	if (entry->state.data) {
		set_state(r, entry);
		return;
	}
	if (old)
		old->removed = true;
	if (new)
		new->removed = true;
}

/* What the journal did to the resources before stays with their indexes. */
static int write_base(struct replay *r, const struct journal_entry *entry, struct err *e)
{
	struct base base = { 0 };
	struct span snapshot = entry->new_snapshot;

	replay_own(&snapshot, &base.owned);
	if (replay_read_base(&base, snapshot, e) < 0) {
		replay_base_done(&base);
		return -1;
	}
	for (size_t i = 0; i < base.count && i < r->base.count; i++) {
		struct span kept = base.resources[i].text;

		base.resources[i] = r->base.resources[i];
		base.resources[i].text = kept;
		r->base.resources[i].replacement = (struct resource){ 0 };
	}
	replay_base_done(&r->base);
	r->base = base;
	return 1;
}

static struct span keep(struct replay *r, struct span text)
{
	return (struct span){ arena_strndup(&r->arena, text.data, text.length), text.length };
}

static bool same_provider(struct span a, struct span b)
{
	static const char *const names[] = { "type", "state" };
	struct span x[2], y[2];

	if (!a.data)
		return false;
	scan_pick(a, names, 2, x);
	scan_pick(b, names, 2, y);
	return span_equal(x[0], y[0]) && span_equal(x[1], y[1]);
}

static int rebuild_base(struct replay *r, struct err *e)
{
	_cleanup_(buffer_done) struct buffer document = BUFFER_INIT;
	struct buffer_sink out;
	int64_t ignored;

	buffer_sink_init(&out, &document, SIZE_MAX);
	if (replay_write(r, &out.sink, false, &ignored, e) < 0)
		return -1;
	forget_entries(r);
	return replay_base(r, &document, e);
}

static void add_extension(struct replay *r, const struct journal_entry *entry)
{
	struct span *kept = arena_alloc(&r->arena, sizeof(*kept)), reference = keep(r, entry->extension_ref);

	if (!scan_text(reference, &r->arena, &reference))
		return;
	*kept = keep(r, entry->extension);
	*map_put(&r->extensions, reference) = kept;
}

int replay_add(struct replay *r, const struct journal_entry *entry, struct err *e)
{
	r->byte_string |= entry->requires_byte_string;
	switch (entry->kind) {
	case ENTRY_BEGIN:
		begin(r, entry);
		return 1;
	case ENTRY_SUCCESS:
		success(r, entry);
		return 1;
	case ENTRY_FAILURE:
		finish(r, entry->operation);
		return 1;
	case ENTRY_REFRESH_SUCCESS:
		refresh_success(r, entry);
		return 1;
	case ENTRY_OUTPUTS:
		if (entry->state.data)
			set_state(r, entry);
		return 1;
	case ENTRY_WRITE:
		return write_base(r, entry, e);
	case ENTRY_SECRETS_MANAGER:
		if (!same_provider(r->base.secrets_providers, entry->secrets_provider))
			r->base.secrets_providers = keep(r, entry->secrets_provider);
		return 1;
	case ENTRY_REBUILT_BASE_STATE:
		return rebuild_base(r, e);
	case ENTRY_EXTENSION_PARAMETERIZE:
		add_extension(r, entry);
		return 1;
	case ENTRY_SNIPPETS:
		r->base.snippets = entry->snippets.data ? keep(r, entry->snippets) : (struct span){ NULL, 0 };
		return 1;
	case ENTRY_KIND_COUNT:
		break;
	}
	return err_internal(e, "replay: entry of kind %d", entry->kind);
}
