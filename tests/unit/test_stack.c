/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/limits.h"
#include "stack/config.h"
#include "stack/tag.h"

static bool is_name(const char *name)
{
	struct err e = { 0 };

	return stack_check_name("stack", name, &e) == 1;
}

static void names(void **state)
{
	static char long_name[102];

	(void)state;
	memset(long_name, 'x', 101);
	assert_true(is_name("dev") && is_name("A.b-c_9") && is_name("...") && is_name(long_name + 1));
	assert_false(is_name("") || is_name(long_name) || is_name(".") || is_name(".."));
	assert_false(is_name("a b") || is_name("a/b") || is_name("\xc3\xa9") || is_name("a\n"));
}

static bool is_tag(const char *name, const char *value)
{
	struct text_pair pair = { name, value };
	struct text_map tags = { &pair, 1, true };
	struct err e = { 0 };

	return stack_check_tags(&tags, &e) == 1;
}

/* Lengths count characters: 256 of two bytes each are as many as the command line allows. */
static void tags(void **state)
{
	char value[2 * 257 + 1] = { 0 }, name[42] = { 0 };

	(void)state;
	for (int i = 0; i < 256; i++)
		memcpy(value + 2 * i, "\xc3\xa9", 2);
	memset(name, 'n', 40);
	assert_true(is_tag("a", "") && is_tag("vcs:owner", "x") && is_tag("a-b_c.d:E", value) && is_tag(name, "x"));
	memcpy(value + 512, "\xc3\xa9", 2);
	name[40] = 'n';
	assert_false(is_tag("", "x") || is_tag("a b", "x") || is_tag("\xc3\xa9", "x") || is_tag("a/b", "x"));
	assert_false(is_tag("a", value) || is_tag(name, "x"));
}

static bool is_config(const char *text, const char *stored)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct span config = span_of(text);
	struct err e = { 0 };

	return stack_check_config(&config, &arena, &e) == 1 && span_equal(config, span_of(stored));
}

static void configurations(void **state)
{
	(void)state;
	assert_true(is_config("{\"environment\" : \"p/e\", \"x\":1}", "{\"environment\":\"p/e\"}"));
	assert_true(is_config("{\"environment\":\"p/e@3\",\"encryptionSalt\":\"v1\"}", "{\"environment\":\"p/e@3\",\"encryptionSalt\":\"v1\"}"));
	assert_false(is_config("{}", "{}"));
	assert_false(is_config("{\"environment\":\"e\"}", "{\"environment\":\"e\"}"));
	assert_false(is_config("{\"environment\":\"p/e@\"}", "{\"environment\":\"p/e@\"}"));
	assert_false(is_config("{\"environment\":\"p/e/f\"}", "{\"environment\":\"p/e/f\"}"));
}

/* How a configuration of `size` bytes as stored is taken: ERR_NONE, or why it is refused. */
static enum err_kind taken(size_t size)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	struct span config;
	struct err e = { 0 };

	buffer_puts(&text, "{\"environment\":\"p/e\",\"encryptedKey\":\"");
	while (text.length < size - 2)
		buffer_puts(&text, "k");
	buffer_puts(&text, "\"}");
	config = (struct span){ text.data, text.length };
	if (stack_check_config(&config, &arena, &e) == 1)
		assert_int_equal(config.length, size);
	return e.kind;
}

static void large_configurations(void **state)
{
	(void)state;
	assert_int_equal(taken(20000), ERR_NONE);
	assert_int_equal(taken(LIMIT_STACK_CONFIG), ERR_NONE);
	assert_int_equal(taken(LIMIT_STACK_CONFIG + 1), ERR_TOO_LARGE);
}

int main(void)
{
	const struct CMUnitTest tests_of_stack[] = {
		cmocka_unit_test(names), cmocka_unit_test(tags), cmocka_unit_test(configurations), cmocka_unit_test(large_configurations),
	};

	return cmocka_run_group_tests(tests_of_stack, NULL, NULL);
}
