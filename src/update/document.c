/* SPDX-License-Identifier: Apache-2.0 */
/* Writes the state that a replay leaves: what the update made first, then what the base still has. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/crypto.h"
#include "json/scan.h"
#include "json/write.h"
#include "update/replay_internal.h"
#include "update/resource.h"

#define FLUSH_FROM (64 << 10)

/* In the order in which the document lists them. */
enum feature {
	BYTE_STRING, EXTENSION_PARAMETERIZATION, HOOKS, REFRESH_BEFORE_UPDATE, REPLACE_WITH, SNIPPETS, TAINT, VIEWS,
	FEATURE_COUNT
};

static const char *const feature_names[FEATURE_COUNT] = {
	"byteString", "extensionParameterization", "hooks", "refreshBeforeUpdate", "replaceWith", "snippets-prototype",
	"taint", "views",
};

/* Says something: not absent, false, "", [] or {}. */
static bool says(struct span value)
{
	struct scan s;
	struct span name, each;

	if (!value.data)
		return false;
	scan_open(&s, value);
	switch (value.data[0]) {
	case 't':
		return true;
	case '"':
		return value.length > 2;
	case '[':
		return scan_element(&s, &each);
	case '{':
		return scan_member(&s, &name, &each);
	default:
		return false;
	}
}

static unsigned features_of(const struct replay *r, const struct span *v)
{
	static const struct {
		enum resource_member member;
		enum feature feature;
	} table[] = {
		{ RESOURCE_EXTENSION_REF, EXTENSION_PARAMETERIZATION }, { RESOURCE_HOOKS, HOOKS },
		{ RESOURCE_REFRESH_BEFORE_UPDATE, REFRESH_BEFORE_UPDATE }, { RESOURCE_REPLACE_WITH, REPLACE_WITH },
		{ RESOURCE_SNIPPET_ID, SNIPPETS }, { RESOURCE_TAINT, TAINT }, { RESOURCE_VIEW_OF, VIEWS },
	};
	unsigned features = r->byte_string ? 1U << BYTE_STRING : 0;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		if (says(v[table[i].member]))
			features |= 1U << table[i].feature;
	return features;
}

/* Checks each resource on the way while nothing suggests that one will be written otherwise than it is. */
static void survive(struct replay *r, struct survivors *s, struct span text, bool delete, bool pending)
{
	struct survivor *each = &s->items[s->count++];
	struct span v[RESOURCE_MEMBER_COUNT];

	resource_pick(text, v);
	*each = (struct survivor){ .text = text, .delete = delete, .pending_replacement = pending,
				   .has_aliases = says(v[RESOURCE_ALIASES]), .urn = SPAN(""), .parent = SPAN("") };
	if (v[RESOURCE_URN].data)
		(void)!scan_text(v[RESOURCE_URN], &r->arena, &each->urn);
	if (v[RESOURCE_PARENT].data)
		(void)!scan_text(v[RESOURCE_PARENT], &r->arena, &each->parent);
	s->features |= features_of(r, v);
	s->edited |= each->has_aliases || delete || pending;
	if (s->checked && !s->edited)
		integrity_add(&s->integrity, v);
}

static void collect(struct replay *r, struct survivors *s)
{
	s->items = xcalloc(r->fresh_count + r->base.count, sizeof(*s->items));
	for (size_t i = 0; i < r->fresh_count; i++)
		if (!r->fresh[i].removed)
			survive(r, s, r->fresh[i].text, r->fresh[i].delete, r->fresh[i].pending_replacement);
	for (size_t i = 0; i < r->base.count; i++) {
		const struct base_resource *b = &r->base.resources[i];

		if (b->removed)
			continue;
		if (b->replaced)
			survive(r, s, b->replacement.text, false, false);
		else
			survive(r, s, b->text, b->delete, b->pending_replacement);
	}
}

static void operation_features(struct replay *r, struct survivors *s, struct span operation)
{
	struct span resource, v[RESOURCE_MEMBER_COUNT];

	if (!scan_find(operation, "resource", &resource))
		return;
	resource_pick(resource, v);
	s->features |= features_of(r, v);
}

/* What is on its way into the sink; flushed in large pieces. */
struct page {
	struct buffer text;
	struct sink *out;
};

static int flush(struct page *p, size_t from, struct err *e)
{
	int rc = p->text.length < from ? 1 : sink_write(p->out, p->text.data, p->text.length, e);

	if (p->text.length >= from)
		buffer_clear(&p->text);
	return rc;
}

/* Operations that are open, then interrupted creations that the base still waits for. */
static void put_operations(struct replay *r, struct survivors *s, struct buffer *out)
{
	struct span operation, type;
	struct scan scan;

	for (size_t i = 0; i < r->operation_count; i++) {
		if (!r->operations[i]->open || !r->operations[i]->begun.data)
			continue;
		json_write_separator(out);
		buffer_append(out, r->operations[i]->begun.data, r->operations[i]->begun.length);
		operation_features(r, s, r->operations[i]->begun);
	}
	if (!r->base.pending_operations.data || r->base.pending_operations.data[0] != '[')
		return;
	for (scan_open(&scan, r->base.pending_operations); scan_element(&scan, &operation);) {
		if (!scan_find(operation, "type", &type) || !scan_text(type, &r->arena, &type) ||
		    !span_equal(type, SPAN("creating")))
			continue;
		json_write_separator(out);
		buffer_append(out, operation.data, operation.length);
		operation_features(r, s, operation);
	}
}

static void put_features(unsigned features, struct buffer *out)
{
	json_put_int(out, "version", features ? 4 : 3);
	if (!features)
		return;
	json_write_name(out, "features");
	buffer_putc(out, '[');
	for (int i = 0; i < FEATURE_COUNT; i++) {
		if (!(features & 1U << i))
			continue;
		json_write_separator(out);
		json_write_text(out, feature_names[i]);
	}
	buffer_putc(out, ']');
}

#define TIME_TEXT 40

/* As the command line writes times: no zeros at the end of the fraction, so that its import of an export changes nothing. */
static void time_text(int64_t time_us, char ret_text[TIME_TEXT])
{
	time_t seconds = (time_t)(time_us / 1000000);
	struct tm tm;
	size_t n;

	gmtime_r(&seconds, &tm);
	n = strftime(ret_text, TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	n += (size_t)snprintf(ret_text + n, TIME_TEXT - n, ".%06d", (int)(time_us % 1000000));
	while (ret_text[n - 1] == '0')
		n--;
	n -= ret_text[n - 1] == '.';
	snprintf(ret_text + n, TIME_TEXT - n, "Z");
}

/* The magic must be the digest of the version: the command line refuses the state otherwise. */
static void put_manifest(const struct replay *r, struct buffer *out)
{
	const char *version = r->options.client_version;
	unsigned char digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1] = "", time[TIME_TEXT];

	time_text(r->options.now_us, time);
	sha256(span_of(version), digest);
	if (*version)
		hex_encode(digest, SHA256_BYTES, hex);
	buffer_printf(out, "\"manifest\":{\"time\":\"%s\"", time);
	json_put_text(out, "magic", hex);
	json_put_text(out, "version", version);
	buffer_putc(out, '}');
}

static void check(struct integrity *i, struct span resource)
{
	struct span v[RESOURCE_MEMBER_COUNT];

	resource_pick(resource, v);
	integrity_add(i, v);
}

static int put_resource(struct replay *r, struct survivors *s, const struct survivor *each, struct map *seen, struct page *p,
			struct err *e)
{
	_cleanup_(arena_clear) struct arena scratch = ARENA_INIT;
	struct buffer edited = BUFFER_INIT;
	struct span text = each->text;

	if (references_apply(r, s, each, seen, &edited, &scratch))
		text = (struct span){ arena_strndup(&r->arena, edited.data, edited.length), edited.length };
	buffer_done(&edited);
	if (r->has_refresh)
		*map_put(seen, each->urn) = r;
	if (s->checked && s->edited)
		check(&s->integrity, text);
	if (each != s->items)
		buffer_putc(&p->text, ',');
	buffer_append(&p->text, text.data, text.length);
	return flush(p, FLUSH_FROM, e);
}

static int put_resources(struct replay *r, struct survivors *s, struct page *p, struct err *e)
{
	_cleanup_(map_done) struct map seen = MAP_INIT;

	json_write_name(&p->text, "resources");
	buffer_putc(&p->text, '[');
	for (size_t i = 0; i < s->count; i++)
		if (put_resource(r, s, &s->items[i], &seen, p, e) < 0)
			return -1;
	buffer_putc(&p->text, ']');
	return 1;
}

/* The base's metadata with what this check found in place of what an earlier one had. */
static void put_metadata(const struct replay *r, const char *problem, struct buffer *out)
{
	struct span name, value;
	struct scan s;

	json_write_name(out, "metadata");
	buffer_putc(out, '{');
	if (r->base.metadata.data && r->base.metadata.data[0] == '{')
		for (scan_open(&s, r->base.metadata); scan_member(&s, &name, &value);) {
			if (r->options.check_integrity && scan_name_is(name, "integrity_error"))
				continue;
			json_write_separator(out);
			buffer_append(out, name.data - 1, name.length + 2);
			buffer_putc(out, ':');
			buffer_append(out, value.data, value.length);
		}
	if (problem) {
		json_write_name(out, "integrity_error");
		buffer_puts(out, "{\"version\":\"3\",\"command\":\"pulumi-api: replay of the journal\",\"error\":");
		json_write_text(out, problem);
		buffer_putc(out, '}');
	}
	buffer_putc(out, '}');
}

/* The references of a snippet follow aliases like those of a resource. */
static void put_snippet(const struct survivors *s, struct span snippet, struct arena *arena, struct buffer *out)
{
	struct span name, value, key, urn, text;
	struct scan members, references;

	buffer_putc(out, '{');
	for (scan_open(&members, snippet); scan_member(&members, &name, &value);) {
		json_write_separator(out);
		buffer_append(out, name.data - 1, name.length + 2);
		buffer_putc(out, ':');
		if (!scan_name_is(name, "references") || value.data[0] != '{') {
			buffer_append(out, value.data, value.length);
			continue;
		}
		buffer_putc(out, '{');
		for (scan_open(&references, value); scan_member(&references, &key, &urn);) {
			json_write_separator(out);
			buffer_append(out, key.data - 1, key.length + 2);
			buffer_putc(out, ':');
			if (scan_text(urn, arena, &text))
				json_write_span(out, references_resolve(s, text));
			else
				buffer_append(out, urn.data, urn.length);
		}
		buffer_putc(out, '}');
	}
	buffer_putc(out, '}');
}

static void put_snippets(struct replay *r, const struct survivors *s, struct buffer *out)
{
	struct span each;
	struct scan scan;

	if (!says(r->base.snippets))
		return;
	if (!s->aliases.count) {
		json_put_raw(out, "snippets", r->base.snippets);
		return;
	}
	json_write_name(out, "snippets");
	buffer_putc(out, '[');
	for (scan_open(&scan, r->base.snippets); scan_element(&scan, &each);) {
		json_write_separator(out);
		put_snippet(s, each, &r->arena, out);
	}
	buffer_putc(out, ']');
}

/* Those of the base win over those of the journal. */
static void put_extensions(struct replay *r, struct buffer *out)
{
	_cleanup_(map_done) struct map there = MAP_INIT;
	struct span name, value;
	struct scan s;

	if (!says(r->base.extensions) && !r->extensions.count)
		return;
	json_write_name(out, "extensions");
	buffer_putc(out, '{');
	if (says(r->base.extensions))
		for (scan_open(&s, r->base.extensions); scan_member(&s, &name, &value);) {
			struct span raw = { name.data - 1, name.length + 2 }, reference;

			if (scan_text(raw, &r->arena, &reference))
				*map_put(&there, reference) = r;
			json_write_separator(out);
			buffer_append(out, raw.data, raw.length);
			buffer_putc(out, ':');
			buffer_append(out, value.data, value.length);
		}
	for (size_t i = 0; i < r->extensions.capacity; i++) {
		const struct map_slot *slot = &r->extensions.slots[i];
		const struct span *kept = slot->value;

		if (!kept || map_get(&there, slot->key))
			continue;
		json_write_separator(out);
		json_write_span(out, slot->key);
		buffer_putc(out, ':');
		buffer_append(out, kept->data, kept->length);
	}
	buffer_putc(out, '}');
}

static int put_document(struct replay *r, struct survivors *s, struct page *p, struct err *e)
{
	_cleanup_(buffer_done) struct buffer operations = BUFFER_INIT;
	struct buffer *out = &p->text;
	const char *problem;

	buffer_putc(&operations, '[');
	put_operations(r, s, &operations);
	buffer_putc(&operations, ']');
	if (says(r->base.snippets))
		s->features |= 1U << SNIPPETS;
	buffer_putc(out, '{');
	put_features(s->features, out);
	buffer_puts(out, ",\"deployment\":{");
	put_manifest(r, out);
	if (r->base.secrets_providers.data)
		json_put_raw(out, "secrets_providers", r->base.secrets_providers);
	if (s->count && put_resources(r, s, p, e) < 0)
		return -1;
	if (operations.length > 2)
		json_put_raw(out, "pending_operations", buffer_span(&operations));
	problem = s->problem ? s->problem : s->checked ? integrity_finish(&s->integrity) : NULL;
	put_metadata(r, problem, out);
	put_snippets(r, s, out);
	put_extensions(r, out);
	buffer_puts(out, "}}");
	return flush(p, 0, e);
}

int replay_write(struct replay *r, struct sink *out, bool final, int64_t *ret_resources, struct err *e)
{
	struct page p = { .out = out };
	struct survivors s = { .checked = final && r->options.check_integrity, .edited = r->has_refresh };
	int rc;

	collect(r, &s);
	references_prepare(r, &s);
	if (s.edited)
		integrity_done(&s.integrity);
	rc = put_document(r, &s, &p, e);
	if (rc == 1)
		*ret_resources = (int64_t)s.count;
	map_done(&s.aliases);
	free(s.items);
	buffer_done(&p.text);
	integrity_done(&s.integrity);
	return rc;
}
