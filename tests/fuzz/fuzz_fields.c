/* SPDX-License-Identifier: Apache-2.0 */
/* The field reader: what it reads and writes again reads the same. */
#include "fuzz.h"
#include "json/fields.h"
#include "json/scan.h"

struct inner {
	const char *text;
	bool flag;
};

struct outer {
	const char *name;
	int64_t number;
	bool truth;
	struct span raw, object;
	struct text_list list;
	struct text_map map;
	struct inner inner;
};

static const struct field inner_fields[] = {
	FIELD(inner, text, "text", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = 20),
	FIELD(inner, flag, "flag", FIELD_BOOL),
	{ 0 },
};

static const struct field outer_fields[] = {
	FIELD(outer, name, "name", FIELD_TEXT, .limit = 40),
	FIELD(outer, number, "number", FIELD_INT),
	FIELD(outer, truth, "truth", FIELD_BOOL),
	FIELD(outer, raw, "raw", FIELD_RAW, .limit = 1000),
	FIELD(outer, object, "object", FIELD_RAW_OBJECT),
	FIELD(outer, list, "list", FIELD_TEXT_LIST, .limit = 8),
	FIELD(outer, map, "map", FIELD_TEXT_MAP, .limit = 8),
	FIELD(outer, inner, "inner", FIELD_OBJECT, .fields = inner_fields),
	{ 0 },
};

static bool write_and_scan(const struct outer *o, struct buffer *out)
{
	struct err e = { 0 };
	struct span document;

	fields_write(outer_fields, o, out);
	return scan_document(buffer_span(out), &document, &e) == 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	_cleanup_(buffer_done) struct buffer once = BUFFER_INIT, twice = BUFFER_INIT;
	struct span text = { (const char *)data, size };
	struct outer first = { 0 }, second = { 0 };
	struct text_map map = { 0 };
	struct err e = { 0 };

	if (fields_read_text_map(text, &arena, &map, &e) < 0)
		promise_refusal(&e);
	err_clear(&e);
	if (fields_read(outer_fields, text, &arena, &first, &e) < 0) {
		promise_refusal(&e);
		return 0;
	}
	PROMISE(first.list.count <= 8 && first.map.count <= 8);
	PROMISE(!first.name || strlen(first.name) <= 40);
	PROMISE(write_and_scan(&first, &once));
	/* What was absent is written as null, and null counts as absent; a required member may be missing then. */
	if (fields_read(outer_fields, buffer_span(&once), &arena, &second, &e) < 0) {
		PROMISE(!first.inner.text);
		return 0;
	}
	PROMISE(write_and_scan(&second, &twice) && span_equal(buffer_span(&once), buffer_span(&twice)));
	return 0;
}
