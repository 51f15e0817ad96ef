/* SPDX-License-Identifier: Apache-2.0 */
#include "oidc/claims.h"

#include "base/limits.h"
#include "json/fields.h"
#include "json/scan.h"

int claims_check(struct span json, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct span value;

	/* The reader of bodies refuses names that are there twice, at every depth; this table wants none of them. */
	if (scan_document(json, &value, e) < 0)
		return -1;
	return fields_read(NONE_fields, json, &arena, NULL, e);
}

bool claim_find(struct span object, struct span name, struct arena *arena, struct span *ret_value)
{
	struct span raw, value, text;
	struct scan s;

	if (object.length < 2 || object.data[0] != '{')
		return false;
	scan_open(&s, object);
	while (scan_member(&s, &raw, &value))
		/* The raw name lies between its quotes. */
		if (scan_text((struct span){ raw.data - 1, raw.length + 2 }, arena, &text) && span_equal(text, name)) {
			*ret_value = value;
			return true;
		}
	return false;
}

const char *claim_text(struct span object, const char *name, struct arena *arena)
{
	struct span value, text;

	if (!claim_find(object, span_of(name), arena, &value) || !scan_text(value, arena, &text))
		return NULL;
	return arena_strndup(arena, text.data, text.length);
}

/* A quoted name, from behind its opening quote; where it goes on, NULL when it has no end. */
static const char *read_quoted(const char *at, struct arena *arena, struct span *ret_name)
{
	char *to = arena_alloc(arena, strlen(at) + 1);

	*ret_name = (struct span){ to, 0 };
	for (; *at && *at != '"'; at++) {
		if (*at == '\\' && !*++at)
			return NULL;
		to[ret_name->length++] = *at;
	}
	return *at == '"' ? at + 1 : NULL;
}

static const char *read_name(const char *at, struct arena *arena, struct span *ret_name)
{
	if (*at == '"')
		return read_quoted(at + 1, arena, ret_name);
	*ret_name = (struct span){ at, strcspn(at, ".\"") };
	return at + ret_name->length;
}

int claim_path_read(const char *text, struct arena *arena, struct claim_path *ret_path, struct err *e)
{
	const char *at = arena_strdup(arena, text);
	struct claim_path path = { .names = arena_alloc(arena, LIMIT_CLAIM_NAMES * sizeof(*path.names)) };

	do {
		struct span *name = &path.names[path.count];

		at = path.count++ < LIMIT_CLAIM_NAMES ? read_name(at, arena, name) : NULL;
		if (!at || !name->length || (*at && *at != '.'))
			return err_set(e, ERR_BAD_REQUEST,
				       "Bad Request: '%.100s' is no path to a claim: write names separated by dots, "
				       "and "
				       "a name that has dots itself in double quotes; at most %d names",
				       text, LIMIT_CLAIM_NAMES);
	} while (*at++ == '.');
	*ret_path = path;
	return 1;
}

bool claim_at(struct span claims, const struct claim_path *path, struct arena *arena, struct span *ret_value)
{
	struct span value = claims;

	for (size_t i = 0; i < path->count; i++)
		if (!claim_find(value, path->names[i], arena, &value))
			return false;
	*ret_value = value;
	return true;
}

/* Bytes of the UTF-8 character that begins here. */
static size_t character(const char *at, const char *end)
{
	size_t n = 1;

	while (at + n < end && (at[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* From place i of the pattern a run of `*` and `?` leads on without a character. */
static void spread(const char *pattern, size_t length, bool *reached)
{
	for (size_t i = 0; i < length; i++)
		if (reached[i] && (pattern[i] == '*' || pattern[i] == '?'))
			reached[i + 1] = true;
}

/* All places of the pattern at once, character by character: no pattern makes this slow. */
static void step(const char *pattern, size_t length, struct span one, const bool *from, bool *to)
{
	memset(to, 0, length + 1);
	for (size_t i = 0; i < length; i++) {
		if (!from[i])
			continue;
		if (pattern[i] == '*')
			to[i] = true;
		else if (pattern[i] == '?' || pattern[i] == '.')
			to[i + 1] = true;
		else if (length - i >= one.length && !memcmp(pattern + i, one.data, one.length))
			to[i + one.length] = true;
	}
	spread(pattern, length, to);
}

bool pattern_matches(const char *pattern, struct span text)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	const char *end = text.data + text.length;
	size_t length = strlen(pattern);
	bool *from = arena_alloc(&arena, length + 1), *to = arena_alloc(&arena, length + 1), *other;

	from[0] = true;
	spread(pattern, length, from);
	for (const char *at = text.data; at < end;) {
		size_t n = character(at, end);

		step(pattern, length, (struct span){ at, n }, from, to);
		other = from, from = to, to = other;
		at += n;
	}
	return from[length];
}

static bool scalar_matches(struct span value, const char *pattern, struct arena *arena)
{
	struct span text;

	if (scan_text(value, arena, &text))
		return pattern_matches(pattern, text);
	return value.length && !strchr("{[n", value.data[0]) && pattern_matches(pattern, value);
}

bool claim_matches(struct span value, const char *pattern, struct arena *arena)
{
	struct span each;
	struct scan s;

	if (!value.length || value.data[0] != '[')
		return scalar_matches(value, pattern, arena);
	scan_open(&s, value);
	while (scan_element(&s, &each))
		if (scalar_matches(each, pattern, arena))
			return true;
	return false;
}
