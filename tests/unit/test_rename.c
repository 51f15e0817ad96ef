/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "json/scan.h"
#include "update/rename.h"

static const struct stack_path from = { "acme", "shop", "dev" }, to = { "acme", "store", "prod" };

static void expect(const char *before, const char *after)
{
	struct buffer out = BUFFER_INIT;
	struct err e = { 0 };
	struct span value;

	assert_int_equal(scan_document(span_of(before), &value, &e), 1);
	rename_document(span_of(before), &from, &to, &out);
	assert_string_equal(out.data, after);
	buffer_done(&out);
}

#define RESOURCE(members) " {\"version\":3, \"deployment\" : {\"resources\":[{" members "}]} }\n"
#define OLD(type, name) "\"urn:pulumi:dev::shop::" type "::" name "\""
#define NEW(type, name) "\"urn:pulumi:prod::store::" type "::" name "\""

static void renames_every_reference(void **state)
{
	(void)state;
	expect(RESOURCE("\"urn\":" OLD("a:b:C", "x") ",\"parent\" :\t" OLD("pulumi:pulumi:Stack", "shop-dev")
			",\"dependencies\":[" OLD("a:b:C", "y") ", " OLD("a:b:C", "z") "],\"deletedWith\":" OLD("a:b:C", "w")
			",\"replaceWith\":[" OLD("a:b:C", "r") "],\"viewOf\":" OLD("a:b:C", "v") ",\"aliases\":[" OLD("a:b:C", "q")
			"],\"propertyDependencies\":{\"p\":[" OLD("a:b:C", "y") "],\"e\":[]}"),
	       RESOURCE("\"urn\":" NEW("a:b:C", "x") ",\"parent\" :\t" NEW("pulumi:pulumi:Stack", "store-prod")
			",\"dependencies\":[" NEW("a:b:C", "y") ", " NEW("a:b:C", "z") "],\"deletedWith\":" NEW("a:b:C", "w")
			",\"replaceWith\":[" NEW("a:b:C", "r") "],\"viewOf\":" NEW("a:b:C", "v") ",\"aliases\":[" NEW("a:b:C", "q")
			"],\"propertyDependencies\":{\"p\":[" NEW("a:b:C", "y") "],\"e\":[]}"));
	expect(RESOURCE("\"provider\":\"urn:pulumi:dev::shop::pulumi:providers:aws::default::04da6b54-80e4\""),
	       RESOURCE("\"provider\":\"urn:pulumi:prod::store::pulumi:providers:aws::default::04da6b54-80e4\""));
}

static void renames_references_inside_values(void **state)
{
	(void)state;
	expect(RESOURCE("\"outputs\":{\"r\":{\"4dabf18193072939515e22adb298388d\":\"5cf8f73096256a8f31e491e813e4eb8e\",\"urn\":"
			OLD("a:b:C", "x") ",\"id\":\"1\"},\"o\":[{\"4dabf18193072939515e22adb298388d\":"
			"\"d0e6a833031e9bbcd3f4e8bde6ca49a4\",\"value\":1.50,\"dependencies\":[" OLD("a:b:C", "y") "]}]}"),
	       RESOURCE("\"outputs\":{\"r\":{\"4dabf18193072939515e22adb298388d\":\"5cf8f73096256a8f31e491e813e4eb8e\",\"urn\":"
			NEW("a:b:C", "x") ",\"id\":\"1\"},\"o\":[{\"4dabf18193072939515e22adb298388d\":"
			"\"d0e6a833031e9bbcd3f4e8bde6ca49a4\",\"value\":1.50,\"dependencies\":[" NEW("a:b:C", "y") "]}]}"));
}

/* A value that happens to look like a URN belongs to the user; another stack's resources keep their names. */
static void leaves_everything_else(void **state)
{
	static const char same[] = RESOURCE(
		"\"urn\":\"urn:pulumi:dev::other::a:b:C::x\",\"parent\":\"urn:pulumi:dev2::shop::a:b:C::y\","
		"\"inputs\":{\"text\":" OLD("a:b:C", "x") ",\"n\":1e400,\"s\":\"\\u003c\\/\"},\"x\":[" OLD("a:b:C", "z") "]");

	(void)state;
	expect(same, same);
	expect("{\"version\":3,\"deployment\":{}}", "{\"version\":3,\"deployment\":{}}");
	expect("{\"deployment\":{\"secrets_providers\":{\"type\":\"passphrase\",\"state\":{\"stack\":\"dev\"}}}}",
	       "{\"deployment\":{\"secrets_providers\":{\"type\":\"passphrase\",\"state\":{\"stack\":\"dev\"}}}}");
}

static void renames_the_rest_of_the_document(void **state)
{
	(void)state;
	expect("{\"deployment\":{\"secrets_providers\":{\"type\":\"service\",\"state\":{\"url\":\"u\",\"owner\":\"acme\","
	       "\"project\":\"shop\",\"stack\":\"dev\"}},\"pending_operations\":[{\"resource\":{\"urn\":" OLD("a:b:C", "x")
	       "},\"type\":\"creating\"}],\"snippets\":[{\"uuid\":\"1\",\"references\":{\"a\":" OLD("a:b:C", "x") "}}]}}",
	       "{\"deployment\":{\"secrets_providers\":{\"type\":\"service\",\"state\":{\"url\":\"u\",\"owner\":\"acme\","
	       "\"project\":\"store\",\"stack\":\"prod\"}},\"pending_operations\":[{\"resource\":{\"urn\":" NEW("a:b:C", "x")
	       "},\"type\":\"creating\"}],\"snippets\":[{\"uuid\":\"1\",\"references\":{\"a\":" NEW("a:b:C", "x") "}}]}}");
}

static struct buffer renamed_to(const char *before, const struct stack_path *there)
{
	struct buffer out = BUFFER_INIT;

	rename_document(span_of(before), &from, there, &out);
	return out;
}

/* Another organization: names without regard to case, and no URN changes, however it is spelt. */
static void moves_to_another_organization(void **state)
{
	static const struct stack_path there = { "other", "shop", "dev" };
	struct buffer out = renamed_to(
		"{\"deployment\":{\"secrets_providers\":{\"type\":\"service\",\"state\":{\"owner\":\"Acme\",\"project\":\"\\u0073hop\"}},"
		"\"resources\":[{\"urn\":\"urn\\u003apulumi:dev::shop::a:b:C::x\",\"provider\":\"urn\\u003apulumi:dev::shop::p:q:r::d::1\"}]}}",
		&there);

	(void)state;
	assert_string_equal(
		out.data,
		"{\"deployment\":{\"secrets_providers\":{\"type\":\"service\",\"state\":{\"owner\":\"other\",\"project\":\"\\u0073hop\"}},"
		"\"resources\":[{\"urn\":\"urn\\u003apulumi:dev::shop::a:b:C::x\",\"provider\":\"urn\\u003apulumi:dev::shop::p:q:r::d::1\"}]}}");
	buffer_done(&out);
}

/* A name may have the separator in it, and the types of parents stay in the URN of a child. */
static void takes_urns_apart(void **state)
{
	(void)state;
	expect(RESOURCE("\"urn\":" OLD("pulumi:pulumi:Stack$a:b:C", "x::y::shop-dev")), RESOURCE("\"urn\":" NEW("pulumi:pulumi:Stack$a:b:C", "x::y::shop-dev")));
	expect(RESOURCE("\"urn\":" OLD("pulumi:pulumi:Stack", "shop-dev2")), RESOURCE("\"urn\":" NEW("pulumi:pulumi:Stack", "shop-dev2")));
	expect(RESOURCE("\"urn\":\"urn:pulumi:dev::shop\",\"provider\":\"\",\"parent\":null,\"aliases\":null,\"inputs\":7"),
	       RESOURCE("\"urn\":\"urn:pulumi:dev::shop\",\"provider\":\"\",\"parent\":null,\"aliases\":null,\"inputs\":7"));
	expect(RESOURCE("\"provider\":\"urn:pulumi:dev::shop::pulumi:providers:p::a::b::id\""),
	       RESOURCE("\"provider\":\"urn:pulumi:prod::store::pulumi:providers:p::a::b::id\""));
}

static void reads_escapes(void **state)
{
	(void)state;
	expect(RESOURCE("\"\\u0075rn\":\"urn\\u003apulumi:dev::shop::a:b:C::\\u003cx\\u003e\""),
	       RESOURCE("\"\\u0075rn\":\"urn:pulumi:prod::store::a:b:C::<x>\""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(renames_every_reference),	cmocka_unit_test(renames_references_inside_values),
		cmocka_unit_test(leaves_everything_else),	cmocka_unit_test(renames_the_rest_of_the_document),
		cmocka_unit_test(reads_escapes),		cmocka_unit_test(moves_to_another_organization),
		cmocka_unit_test(takes_urns_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
