/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "policy/check.h"

#define POLICY(name, level, more) "{\"name\":\"" name "\",\"enforcementLevel\":\"" level "\"" more "}"
#define SCHEMA                                                                                                         \
	",\"configSchema\":{\"type\":\"object\",\"required\":[\"owner\",\"most\"],\"properties\":{\"owner\":{\"type\":\"string\"}," \
	"\"most\":{\"type\":\"integer\",\"default\":3},\"any\":{\"type\":[\"null\",\"array\"]},\"size\":{\"enum\":[\"s\",1]}}}"
#define TWO "[" POLICY("tidy", "advisory", SCHEMA) "," POLICY("safe", "mandatory", "") "]"

static void refuses(struct span policies, const char *word)
{
	struct err e = { 0 };

	assert_int_equal(policies_check(policies, &e), -1);
	assert_int_equal(e.kind, ERR_BAD_REQUEST);
	assert_non_null(strstr(e.message, word));
}

static void test_policies(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(policies_check(SPAN(TWO), &e), 1);
	refuses(SPAN("[]"), "at least one");
	refuses(SPAN("{}"), "list");
	refuses(SPAN("[1]"), "name");
	refuses(SPAN("[" POLICY("a\\\"b", "advisory", "") "]"), "quotes");
	refuses(SPAN("[" POLICY("a", "strict", "") "]"), "enforcementLevel");
	refuses(SPAN("[" POLICY("a", "advisory", "") "," POLICY("a", "advisory", "") "]"), "twice");
	refuses(SPAN("[" POLICY("a", "advisory", ",\"severity\":\"huge\"") "]"), "severity");
	refuses(SPAN("[" POLICY("a", "advisory", ",\"configSchema\":5") "]"), "configSchema");
	refuses(SPAN("[" POLICY("a", "advisory", ",\"configSchema\":{\"required\":[5]}") "]"), "required");
	refuses(SPAN("[" POLICY("a", "advisory", ",\"message\":5") "]"), "message");
}

/* `wanted` NULL: it is taken; otherwise a word of the refusal. */
static void configured(const char *config, bool whole, const char *wanted)
{
	struct span given = config ? span_of(config) : (struct span){ 0 };
	struct err e = { 0 };

	assert_int_equal(policies_check_config(SPAN(TWO), given, whole, &e), wanted ? -1 : 1);
	if (wanted)
		assert_non_null(strstr(e.message, wanted));
}

static void test_configurations(void **state)
{
	(void)state;
	configured("{\"tidy\":{\"owner\":\"o\"}}", true, NULL);
	configured("{\"tidy\":{\"owner\":\"o\",\"any\":null,\"size\":1,\"more\":{}},\"all\":{\"enforcementLevel\":\"disabled\"},\"safe\":null}", true, NULL);
	configured("{\"tidy\":{\"owner\":\"o\",\"any\":[]}}", true, NULL);
	configured(NULL, true, "'owner' is required");
	configured(NULL, false, NULL);
	configured("{\"tidy\":{\"most\":4}}", false, NULL);
	configured("{\"tidy\":{\"most\":4.5}}", false, "most");
	configured("{\"tidy\":{\"owner\":4}}", false, "owner");
	configured("{\"tidy\":{\"any\":{}}}", false, "any");
	configured("{\"tidy\":{\"size\":\"m\"}}", false, "size");
	configured("{\"Tidy\":{}}", false, "no such policy");
	configured("{\"tidy\":\"mandatory\"}", false, "object");
	configured("{\"safe\":{\"enforcementLevel\":\"strict\"}}", false, "enforcementLevel");
}

static void test_what_is_told(void **state)
{
	_cleanup_(buffer_done) struct buffer levels = BUFFER_INIT, schema = BUFFER_INIT, none = BUFFER_INIT;

	(void)state;
	policies_write_levels(SPAN(TWO), &levels);
	assert_string_equal(levels.data, "[\"advisory\",\"mandatory\"]");
	policies_write_schema(SPAN(TWO), &schema);
	assert_ptr_equal(strstr(schema.data, "{\"configSchema\":{\"tidy\":{\"type\":\"object\","), schema.data);
	policies_write_schema(SPAN("[" POLICY("safe", "mandatory", "") "]"), &none);
	assert_string_equal(none.data, "{}");
}

static void test_names(void **state)
{
	(void)state;
	assert_true(policy_name_valid("a.b-c_9"));
	assert_false(policy_name_valid(""));
	assert_false(policy_name_valid(".."));
	assert_false(policy_name_valid("a/b"));
	assert_false(policy_name_valid("ä"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policies), cmocka_unit_test(test_configurations), cmocka_unit_test(test_what_is_told),
		cmocka_unit_test(test_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
