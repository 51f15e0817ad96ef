/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "json/scan.h"

static bool accepts(struct span text)
{
	struct err e = { 0 };
	struct span value;

	return scan_document(text, &value, &e) == 1;
}

static void takes_what_rfc_8259_allows(void **state)
{
	static const char *const good[] = { "null", " true ", "-0", "0.5e-7", "1E+2", "\"\"", "\"\\u00e9\\ud83d\\ude00\\/\"", "[]",
					    "{}", "[1,[2,{\"a\":[]}]]", "{\"a\":{\"b\":null},\"a\":2}", "\"\xf0\x9f\x98\x80\"" };
	static const char *const bad[] = { "", " ", "nul", "01", "-", "1.", ".5", "1e", "+1", "\"", "\"\\x\"", "\"\\u12g4\"",
					   "\"\t\"", "[1,]", "[1 2]", "{\"a\"}", "{\"a\":}", "{a:1}", "{\"a\":1,}", "[}", "1 2",
					   "\"\xff\"", "\"\xc0\x80\"", "\"\xed\xa0\x80\"", "\"\xf4\x90\x80\x80\"", "[1]]", "'a'" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(accepts(span_of(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(accepts(span_of(bad[i])));
}

static void bounds_the_depth(void **state)
{
	struct buffer b = BUFFER_INIT;

	(void)state;
	for (int i = 0; i < 512; i++)
		buffer_putc(&b, '[');
	for (int i = 0; i < 512; i++)
		buffer_putc(&b, ']');
	assert_true(accepts(buffer_span(&b)));
	buffer_puts(&b, " ");
	b.data[b.length - 1] = ']';
	memmove(b.data + 1, b.data, b.length - 1);
	b.data[0] = '[';
	assert_false(accepts(buffer_span(&b)));
	buffer_done(&b);
}

static unsigned next(unsigned *seed)
{
	*seed = *seed * 1103515245 + 12345;
	return *seed >> 16;
}

static void put_space(struct buffer *b, unsigned *seed)
{
	for (unsigned n = next(seed) % 3; n; n--)
		buffer_putc(b, " \n\t\r"[next(seed) % 4]);
}

static void put_string(struct buffer *b, unsigned *seed)
{
	static const char *const pieces[] = { "\\\\", "\\\"", "{", "}", "[", "]", ":", ",", "a", "\\u0041", "\xc3\xa9", "long text here ",
					      "\\\\\\\"" };

	buffer_putc(b, '"');
	for (unsigned n = next(seed) % 9; n; n--)
		buffer_puts(b, pieces[next(seed) % (sizeof(pieces) / sizeof(pieces[0]))]);
	buffer_putc(b, '"');
}

static void put_value(struct buffer *b, unsigned *seed, int depth)
{
	static const char *const scalars[] = { "null", "true", "false", "0", "-12.5e+7", "123456789012345678901234567890" };
	unsigned kind = next(seed) % (depth ? 4 : 2), n = next(seed) % 5;

	put_space(b, seed);
	if (kind == 0)
		buffer_puts(b, scalars[next(seed) % 6]);
	else if (kind == 1)
		put_string(b, seed);
	else
		buffer_putc(b, kind == 2 ? '[' : '{');
	for (unsigned i = 0; kind > 1 && i < n; i++) {
		if (i)
			buffer_putc(b, ',');
		put_space(b, seed);
		if (kind == 3) {
			put_string(b, seed);
			put_space(b, seed);
			buffer_putc(b, ':');
		}
		put_value(b, seed, depth - 1);
	}
	put_space(b, seed);
	if (kind > 1)
		buffer_putc(b, kind == 2 ? ']' : '}');
	put_space(b, seed);
}

/* Picking on the way gives what picking afterwards does. */
static void picks_on_the_way(struct span list)
{
	static const char *const names[] = { "a", "A", "long text here ", "A\\" };
	struct span each, same, on_the_way[4], afterwards[4];
	struct scan s, other;

	scan_open(&s, list);
	scan_open(&other, list);
	while (scan_element(&s, &each)) {
		assert_true(scan_pick_next(&other, names, 4, &same, on_the_way));
		assert_ptr_equal(same.data, each.data);
		assert_int_equal(same.length, each.length);
		scan_pick(each, names, 4, afterwards);
		assert_memory_equal(on_the_way, afterwards, sizeof(afterwards));
	}
	assert_false(scan_pick_next(&other, names, 4, &same, on_the_way));
}

/* Every part that the quick walk yields is a whole value for the strict scanner. */
static size_t walk(struct span value)
{
	struct span name, each, same;
	struct err e = { 0 };
	size_t n = 1;
	struct scan s;

	assert_int_equal(scan_document(value, &same, &e), 1);
	assert_ptr_equal(same.data, value.data);
	assert_int_equal(same.length, value.length);
	if (value.data[0] == '[')
		picks_on_the_way(value);
	scan_open(&s, value);
	if (value.data[0] == '[')
		while (scan_element(&s, &each))
			n += walk(each);
	if (value.data[0] == '{')
		while (scan_member(&s, &name, &each)) {
			assert_true(name.data[-1] == '"' && name.data[name.length] == '"');
			n += walk(each);
		}
	return n;
}

static size_t count_values(struct span text)
{
	size_t n = 0;

	/* Independent of the walk: a value starts behind '[', ',' in a list, ':' or at the start. */
	for (size_t i = 0; i < text.length; i++) {
		if (text.data[i] == '"')
			for (i++; text.data[i] != '"'; i++)
				i += text.data[i] == '\\';
		n += text.data[i] == ':' || text.data[i] == ',' || text.data[i] == '[';
	}
	return n;
}

static void walks_what_it_accepted(void **state)
{
	unsigned seed = 1;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct buffer b = BUFFER_INIT;
		struct span value;
		struct err e = { 0 };

		put_value(&b, &seed, 4);
		assert_int_equal(scan_document(buffer_span(&b), &value, &e), 1);
		assert_true(walk(value) <= count_values(value) + 1);
		buffer_done(&b);
	}
}

static void finds_members_as_the_clients_do(void **state)
{
	struct arena a = ARENA_INIT;
	struct span value, text = SPAN("{\"Urn\":1,\"urn\":\"x\\u003c\\ud83d\\ude00\",\"n\\u0061me\":2,\"gone\":null}");
	int64_t number;

	(void)state;
	assert_true(scan_find(text, "URN", &value));
	assert_true(scan_text(value, &a, &value));
	assert_true(span_equal(value, SPAN("x<\xf0\x9f\x98\x80")));
	assert_true(scan_find(text, "name", &value) && scan_int(value, &number) && number == 2);
	assert_false(scan_find(text, "gone", &value));
	assert_false(scan_find(text, "other", &value));
	arena_clear(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_what_rfc_8259_allows), cmocka_unit_test(bounds_the_depth),
		cmocka_unit_test(walks_what_it_accepted), cmocka_unit_test(finds_members_as_the_clients_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
