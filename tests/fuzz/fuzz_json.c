/* SPDX-License-Identifier: Apache-2.0 */
/* The scanner: what it accepts is JSON to Jansson too, and every walk over it stays inside and ends. */
#include <jansson.h>

#include "fuzz.h"
#include "json/scan.h"
#include "json/write.h"

static bool inside(struct span part, struct span whole)
{
	return part.data >= whole.data && part.data + part.length <= whole.data + whole.length;
}

/* Every value once; spans that touch without a gap but for punctuation. */
static void walk(struct span value, struct span whole, int depth)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct span name, each, text;
	struct scan s;
	int64_t number;

	PROMISE(value.length > 0 && inside(value, whole) && depth < 600);
	if (value.data[0] == '"')
		PROMISE(scan_text(value, &arena, &text) && text.length <= value.length - 2);
	else
		PROMISE(!scan_text(value, &arena, &text));
	(void)scan_int(value, &number);
	if (value.data[0] == '[')
		for (scan_open(&s, value); scan_element(&s, &each);)
			walk(each, value, depth + 1);
	if (value.data[0] != '{')
		return;
	for (scan_open(&s, value); scan_member(&s, &name, &each);) {
		PROMISE(inside(name, value) && name.data[-1] == '"' && name.data[name.length] == '"');
		walk(each, value, depth + 1);
	}
}

static void same_in_jansson(struct span document)
{
	json_error_t error;
	json_t *json = json_loadb(document.data, document.length, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
	enum json_error_code code = json ? json_error_unknown : json_error_code(&error);

	/* Jansson does not take lone surrogates in escapes, NUL in names, nor numbers that no C type holds. */
	PROMISE(json || code == json_error_invalid_syntax || code == json_error_numeric_overflow || code == json_error_null_byte_in_key);
	PROMISE(json || code != json_error_invalid_syntax || memmem(document.data, document.length, "\\u", 2));
	json_decref(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = { (const char *)data, size }, document, found;
	struct buffer quoted = BUFFER_INIT;
	struct err e = { 0 };
	static const char *const names[] = { "a", "version", "deployment", "Ä" };
	struct span picked[4];

	json_write_span(&quoted, text);
	PROMISE(scan_document(buffer_span(&quoted), &found, &e) == 1 && found.length == quoted.length);
	buffer_done(&quoted);
	if (scan_document(text, &document, &e) < 0) {
		promise_refusal(&e);
		return 0;
	}
	PROMISE(span_equal(document, scan_trim(text)));
	walk(document, text, 0);
	same_in_jansson(document);
	scan_pick(document, names, 4, picked);
	for (int i = 0; i < 4; i++)
		PROMISE(scan_find(document, names[i], &found) == (picked[i].data != NULL));
	if (scan_unique(document, &e) < 0)
		promise_refusal(&e);
	return 0;
}
