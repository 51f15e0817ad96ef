/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json/fields.h"
#include "json/write.h"

struct thing {
	const char *name;
	int64_t version;
	bool force;
	struct text_map tags;
	struct span extra;
};

static const struct field thing_fields[] = {
	FIELD(thing, name, "stackName", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = 10),
	FIELD(thing, version, "version", FIELD_INT, .flags = FIELD_OMIT_EMPTY),
	FIELD(thing, force, "force", FIELD_BOOL),
	FIELD(thing, tags, "tags", FIELD_TEXT_MAP, .flags = FIELD_OMIT_EMPTY, .limit = 2),
	FIELD(thing, extra, "extra", FIELD_RAW_OBJECT, .flags = FIELD_OMIT_EMPTY),
	{ 0 },
};

static int read_thing(const char *json, struct arena *a, struct thing *t, struct err *e)
{
	return fields_read(thing_fields, span_of(json), a, t, e);
}

static void writes_what_it_read(void **state)
{
	struct arena a = ARENA_INIT;
	struct buffer out = BUFFER_INIT;
	struct thing t = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(read_thing("{\"STACKNAME\":\"d\\u00e9v\",\"unknown\":[1],\"version\":7,"
				    "\"tags\":{\"a\":\"1\"},\"extra\":{\"z\":1,\"a\":[2]}}", &a, &t, &e), 1);
	fields_write(thing_fields, &t, &out);
	assert_string_equal(out.data, "{\"stackName\":\"d\xc3\xa9v\",\"version\":7,\"force\":false,"
				      "\"tags\":{\"a\":\"1\"},\"extra\":{\"z\":1,\"a\":[2]}}");
	buffer_done(&out);
	arena_clear(&a);
}

static void refuses_bad_input(void **state)
{
	static const char *bodies[] = {
		"", "[]", "{", "{\"stackName\":1}", "{\"stackName\":null}", "{\"stackName\":\"12345678901\"}",
		"{\"stackName\":\"a\",\"version\":1.5}", "{\"stackName\":\"a\",\"force\":\"yes\"}",
		"{\"stackName\":\"a\",\"tags\":[]}", "{\"stackName\":\"a\",\"tags\":{\"a\":1}}",
		"{\"stackName\":\"a\",\"tags\":{\"a\":\"\",\"b\":\"\",\"c\":\"\"}}",
		"{\"stackName\":\"a\",\"extra\":1}", "{\"stackName\":\"\xff\"}", "{\"stackName\":\"a\\u0000\"}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct arena a = ARENA_INIT;
		struct thing t = { 0 };
		struct err e = { 0 };

		assert_int_equal(read_thing(bodies[i], &a, &t, &e), -1);
		assert_int_equal(e.kind, ERR_BAD_REQUEST);
		assert_true(e.message[0]);
		arena_clear(&a);
	}
}

static void quotes_any_bytes(void **state)
{
	struct buffer out = BUFFER_INIT;

	(void)state;
	json_write_span(&out, SPAN("a\"\\\n\x01\xff\xed\xa0\x80z"));
	assert_string_equal(out.data, "\"a\\\"\\\\\\n\\u0001\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\"");
	buffer_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(writes_what_it_read),
		cmocka_unit_test(refuses_bad_input),
		cmocka_unit_test(quotes_any_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
