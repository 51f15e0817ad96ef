/* SPDX-License-Identifier: Apache-2.0 */
#include "json/fields.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"

const struct field NONE_fields[] = { { 0 } }, RAW_fields[] = { { 0 } }, TEXT_MAP_fields[] = { { 0 } };

static void json_release(json_t **json)
{
	json_decref(*json);
}

static json_t *member(const json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name), *found = NULL;
	const char *key;
	json_t *each;

	if (value)
		return value;
	json_object_foreach((json_t *)object, key, each)
		if (!strcasecmp(key, name))
			found = each;
	return found;
}

static int wrong(const struct field *f, const char *expected, struct err *e)
{
	return err_set(e, ERR_BAD_REQUEST, "Bad Request: '%s' must be %s", f->name, expected);
}

static int read_text(const struct field *f, const json_t *value, struct arena *arena,
		     const char **ret_text, struct err *e)
{
	size_t length = json_string_length(value);

	if (!json_is_string(value))
		return wrong(f, "a string", e);
	if (f->limit && f->kind == FIELD_TEXT && length > f->limit)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: '%s' has %zu bytes, at most %zu are allowed",
			       f->name, length, f->limit);
	if (strlen(json_string_value(value)) != length)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: '%s' contains a NUL character", f->name);
	*ret_text = arena_strndup(arena, json_string_value(value), length);
	return 1;
}

static int check_count(const struct field *f, size_t count, struct err *e)
{
	if (f->limit && count > f->limit)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: '%s' has %zu items, at most %zu are allowed",
			       f->name, count, f->limit);
	return 1;
}

static int read_text_list(const struct field *f, const json_t *value, struct arena *arena,
			  struct text_list *ret, struct err *e)
{
	struct text_list list = { .present = true };

	if (!json_is_array(value))
		return wrong(f, "a list of strings", e);
	if (check_count(f, json_array_size(value), e) < 0)
		return -1;
	list.items = arena_alloc(arena, sizeof(*list.items) * json_array_size(value));
	for (; list.count < json_array_size(value); list.count++) {
		const json_t *item = json_array_get(value, list.count);

		/* A nil byte slice of a Go client arrives as null: the empty value. */
		list.items[list.count] = "";
		if (!json_is_null(item) &&
		    read_text(f, item, arena, &list.items[list.count], e) < 0)
			return -1;
	}
	*ret = list;
	return 1;
}

static int read_text_map(const struct field *f, const json_t *value, struct arena *arena,
			 struct text_map *ret, struct err *e)
{
	struct text_map map = { .present = true };
	const char *key;
	json_t *item;

	if (!json_is_object(value))
		return wrong(f, "an object of strings", e);
	if (check_count(f, json_object_size(value), e) < 0)
		return -1;
	map.items = arena_alloc(arena, sizeof(*map.items) * json_object_size(value));
	json_object_foreach((json_t *)value, key, item) {
		struct text_pair *pair = &map.items[map.count++];

		pair->name = arena_strdup(arena, key);
		if (read_text(f, item, arena, &pair->value, e) < 0)
			return -1;
	}
	*ret = map;
	return 1;
}

static int read_raw(const struct field *f, const json_t *value, struct arena *arena,
		    struct span *ret, struct err *e)
{
	char *text;

	if (f->kind == FIELD_RAW_OBJECT && !json_is_object(value))
		return wrong(f, "an object", e);
	text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
	if (!text)
		return wrong(f, "JSON that can be written again", e);
	arena_defer(arena, free, text);
	if (f->limit && strlen(text) > f->limit)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: '%s' has %zu bytes, at most %zu are allowed",
			       f->name, strlen(text), f->limit);
	*ret = span_of(text);
	return 1;
}

static int read_object(const struct field *fields, const json_t *object, struct arena *arena,
		       void *to, struct err *e);

static int read_value(const struct field *f, const json_t *value, struct arena *arena, void *to,
		      struct err *e)
{
	switch (f->kind) {
	case FIELD_TEXT:
		return read_text(f, value, arena, to, e);
	case FIELD_INT:
		if (!json_is_integer(value))
			return wrong(f, "a whole number", e);
		*(int64_t *)to = json_integer_value(value);
		return 1;
	case FIELD_BOOL:
		if (!json_is_boolean(value))
			return wrong(f, "true or false", e);
		*(bool *)to = json_is_true(value);
		return 1;
	case FIELD_RAW:
	case FIELD_RAW_OBJECT:
		return read_raw(f, value, arena, to, e);
	case FIELD_TEXT_LIST:
		return read_text_list(f, value, arena, to, e);
	case FIELD_TEXT_MAP:
		return read_text_map(f, value, arena, to, e);
	case FIELD_OBJECT:
		if (!json_is_object(value))
			return wrong(f, "an object", e);
		return read_object(f->fields, value, arena, to, e);
	case FIELD_LIST:
	case FIELD_OBJECT_POINTER:
	case FIELD_TIME:
	case FIELD_DATE:
		break;
	}
	return err_internal(e, "field %s cannot be read", f->name);
}

static int read_object(const struct field *fields, const json_t *object, struct arena *arena,
		       void *to, struct err *e)
{
	for (const struct field *f = fields; f->name; f++) {
		const json_t *value = member(object, f->name);

		if (!value || json_is_null(value)) {
			if (f->flags & FIELD_REQUIRED)
				return err_set(e, ERR_BAD_REQUEST, "Bad Request: '%s' is missing", f->name);
			continue;
		}
		if (read_value(f, value, arena, (char *)to + f->offset, e) < 0)
			return -1;
	}
	return 1;
}

static int parse(struct span json, json_t **ret_json, struct err *e)
{
	json_error_t error;

	if (json.length > LIMIT_PLAIN_BODY)
		return err_set(e, ERR_TOO_LARGE, "Request Entity Too Large: more than %llu bytes of JSON here",
			       LIMIT_PLAIN_BODY);
	*ret_json = json_loadb(json.data, json.length, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
	if (!*ret_json)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: the body is not valid JSON (line %d, column %d: %.200s)",
			       error.line, error.column, error.text);
	return 1;
}

int fields_read(const struct field *fields, struct span json, struct arena *arena, void *ret_struct,
		struct err *e)
{
	_cleanup_(json_release) json_t *object = NULL;

	if (parse(json.length ? json : SPAN("{}"), &object, e) < 0)
		return -1;
	if (!json_is_object(object))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: the body must be a JSON object");
	return read_object(fields, object, arena, ret_struct, e);
}

int fields_read_text_map(struct span json, struct arena *arena, struct text_map *ret_map,
			 struct err *e)
{
	static const struct field f = { .name = "body", .kind = FIELD_TEXT_MAP };
	_cleanup_(json_release) json_t *object = NULL;

	if (parse(json.length ? json : SPAN("null"), &object, e) < 0)
		return -1;
	if (json_is_null(object)) {
		*ret_map = (struct text_map){ .present = true };
		return 1;
	}
	return read_text_map(&f, object, arena, ret_map, e);
}
