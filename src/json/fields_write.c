/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "json/fields.h"
#include "json/write.h"

void json_write_text_map(struct buffer *out, const struct text_map *map)
{
	buffer_putc(out, '{');
	for (size_t i = 0; i < map->count; i++)
		json_put_text(out, map->items[i].name, map->items[i].value);
	buffer_putc(out, '}');
}

static bool is_empty(const struct field *f, const void *value)
{
	switch (f->kind) {
	case FIELD_TEXT:
		return !*(const char *const *)value || !**(const char *const *)value;
	case FIELD_INT:
		return *(const int64_t *)value == 0;
	case FIELD_BOOL:
		return !*(const bool *)value;
	case FIELD_RAW:
	case FIELD_RAW_OBJECT:
		return !((const struct span *)value)->data;
	case FIELD_TEXT_LIST:
		return ((const struct text_list *)value)->count == 0;
	case FIELD_TEXT_MAP:
		return ((const struct text_map *)value)->count == 0;
	case FIELD_LIST:
		return ((const struct object_list *)value)->count == 0;
	case FIELD_OBJECT_POINTER:
		return !*(const void *const *)value;
	case FIELD_TIME:
	case FIELD_DATE:
		return *(const int64_t *)value < 0;
	case FIELD_OBJECT:
		break;
	}
	return false;
}

static void write_list(const struct field *f, const struct object_list *list, struct buffer *out)
{
	buffer_putc(out, '[');
	for (size_t i = 0; i < list->count; i++) {
		json_write_separator(out);
		fields_write(f->fields, (const char *)list->items + i * list->size, out);
	}
	buffer_putc(out, ']');
}

static void write_text_list(const struct text_list *list, struct buffer *out)
{
	buffer_putc(out, '[');
	for (size_t i = 0; i < list->count; i++) {
		json_write_separator(out);
		json_write_text(out, list->items[i]);
	}
	buffer_putc(out, ']');
}

static void write_date(int64_t us, struct buffer *out)
{
	char text[TIME_TEXT];

	time_text(us < 0 ? 0 : us, text);
	json_write_text(out, text);
}

static void write_value(const struct field *f, const void *value, struct buffer *out)
{
	struct span raw;

	switch (f->kind) {
	case FIELD_TEXT:
		json_write_text(out, *(const char *const *)value);
		break;
	case FIELD_INT:
		buffer_printf(out, "%lld", (long long)*(const int64_t *)value);
		break;
	case FIELD_BOOL:
		buffer_puts(out, *(const bool *)value ? "true" : "false");
		break;
	case FIELD_RAW:
	case FIELD_RAW_OBJECT:
		raw = *(const struct span *)value;
		buffer_append(out, raw.data ? raw.data : "null", raw.data ? raw.length : 4);
		break;
	case FIELD_TEXT_LIST:
		write_text_list(value, out);
		break;
	case FIELD_TEXT_MAP:
		json_write_text_map(out, value);
		break;
	case FIELD_OBJECT:
		fields_write(f->fields, value, out);
		break;
	case FIELD_OBJECT_POINTER:
		if (*(const void *const *)value)
			fields_write(f->fields, *(const void *const *)value, out);
		else
			buffer_puts(out, "null");
		break;
	case FIELD_LIST:
		write_list(f, value, out);
		break;
	case FIELD_TIME:
		buffer_printf(out, "%lld", *(const int64_t *)value < 0 ? 0LL : (long long)*(const int64_t *)value / 1000000);
		break;
	case FIELD_DATE:
		write_date(*(const int64_t *)value, out);
		break;
	}
}

void fields_write(const struct field *fields, const void *structure, struct buffer *out)
{
	buffer_putc(out, '{');
	for (const struct field *f = fields; f->name; f++) {
		const void *value = (const char *)structure + f->offset;

		if ((f->flags & FIELD_OMIT_EMPTY) && is_empty(f, value))
			continue;
		json_write_name(out, f->name);
		write_value(f, value, out);
	}
	buffer_putc(out, '}');
}
