/* SPDX-License-Identifier: Apache-2.0 */
/* JSON schema out of field tables: what the served API description says. */
#include "json/fields.h"
#include "json/write.h"

static void put_type(struct buffer *out, const char *type, const char *format)
{
	json_put_text(out, "type", type);
	if (format)
		json_put_text(out, "format", format);
}

static void put_kind(const struct field *f, struct buffer *out)
{
	switch (f->kind) {
	case FIELD_TEXT:
		put_type(out, "string", NULL);
		break;
	case FIELD_INT:
	case FIELD_TIME:
		put_type(out, "integer", "int64");
		break;
	case FIELD_DATE:
		put_type(out, "string", "date-time");
		break;
	case FIELD_BOOL:
		put_type(out, "boolean", NULL);
		break;
	case FIELD_RAW_OBJECT:
		put_type(out, "object", NULL);
		break;
	case FIELD_TEXT_LIST:
		put_type(out, "array", NULL);
		json_put_raw(out, "items", SPAN("{\"type\":\"string\"}"));
		break;
	case FIELD_TEXT_MAP:
		put_type(out, "object", NULL);
		json_put_raw(out, "additionalProperties", SPAN("{\"type\":\"string\"}"));
		break;
	case FIELD_LIST:
		put_type(out, "array", NULL);
		json_write_name(out, "items");
		fields_schema(f->fields, out);
		break;
	case FIELD_RAW:
	case FIELD_OBJECT:
	case FIELD_OBJECT_POINTER:
		break;
	}
}

static void put_property(const struct field *f, struct buffer *out)
{
	json_write_name(out, f->name);
	if (f->kind == FIELD_OBJECT || f->kind == FIELD_OBJECT_POINTER) {
		fields_schema(f->fields, out);
		return;
	}
	buffer_putc(out, '{');
	put_kind(f, out);
	if (f->limit && f->kind == FIELD_TEXT)
		json_put_int(out, "maxLength", (int64_t)f->limit);
	if (f->help)
		json_put_text(out, "description", f->help);
	buffer_putc(out, '}');
}

static void put_required(const struct field *fields, struct buffer *out)
{
	bool any = false;

	for (const struct field *f = fields; f->name; f++) {
		if (!(f->flags & FIELD_REQUIRED))
			continue;
		if (!any)
			json_write_name(out, "required");
		buffer_putc(out, any ? ',' : '[');
		json_write_text(out, f->name);
		any = true;
	}
	if (any)
		buffer_putc(out, ']');
}

void fields_schema(const struct field *fields, struct buffer *out)
{
	buffer_putc(out, '{');
	json_put_text(out, "type", "object");
	if (fields == TEXT_MAP_fields)
		json_put_raw(out, "additionalProperties", SPAN("{\"type\":\"string\"}"));
	if (fields->name) {
		json_write_name(out, "properties");
		buffer_putc(out, '{');
		for (const struct field *f = fields; f->name; f++)
			put_property(f, out);
		buffer_putc(out, '}');
		put_required(fields, out);
	}
	buffer_putc(out, '}');
}
