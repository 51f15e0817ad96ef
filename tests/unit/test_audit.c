/* SPDX-License-Identifier: Apache-2.0 */
/* Records as items of DynamoDB: keys, attributes, answers, and the shape of the table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "audit/dynamo_item.h"
#include "audit/dynamo_put.h"
#include "audit/dynamo_table.h"
#include "json/scan.h"
#include "net/aws_json.h"

#define TEXT(literal) ((char[]){ literal })
#define ID "0199b3a7-c7fb-7abc-8def-0123456789ab"	/* 2025-10-05T09:15:41.435Z */
#define NEXT "0199b3a7-c7fc-7000-8000-000000000000"

static void expect_key(const char *id, const char *wanted)
{
	char key[DYNAMO_KEY];

	dynamo_key(id, key);
	assert_string_equal(key, wanted);
}

static void test_keys(void **state)
{
	(void)state;
	expect_key(ID, "2025-10-05T09:15:41.435Z_" ID);
	expect_key("00000000-0000-7000-8000-000000000000", "1970-01-01T00:00:00.000Z_00000000-0000-7000-8000-000000000000");
	expect_key("ffffffff-ffff-7fff-bfff-ffffffffffff", "~_ffffffff-ffff-7fff-bfff-ffffffffffff");
}

static void test_keys_sort_as_ids_do(void **state)
{
	char last_key[DYNAMO_KEY] = "", last_id[UUID_TEXT] = "", id[UUID_TEXT], key[DYNAMO_KEY];

	(void)state;
	for (int64_t us = 1; us < 253402300800000000; us = us * 3 + 1000) {
		uuid_new(us, id);
		dynamo_key(id, key);
		assert_true(strcmp(id, last_id) > 0);
		assert_true(strcmp(key, last_key) > 0);
		memcpy(last_id, id, sizeof(id));
		memcpy(last_key, key, sizeof(key));
	}
}

static void expect_range(const char *from, const char *until, const char *wanted_from, const char *wanted_until)
{
	char a[DYNAMO_KEY], b[DYNAMO_KEY];

	dynamo_range(from, until, a, b);
	assert_string_equal(a, wanted_from);
	assert_string_equal(b, wanted_until);
}

static void test_ranges(void **state)
{
	(void)state;
	expect_range("", "~", " ", "~");
	expect_range("0199b3a7-c7fb", "0199b3a7-c7fc", "2025-10-05T09:15:41.435Z", "2025-10-05T09:15:41.436Z");
	expect_range("", ID, " ", "2025-10-05T09:15:41.435Z_" ID);
	expect_range("", "e677d21f-dc00", " ", "~");	/* the year 10000 */
}

static const struct audit_entry full = { .id = (char *)ID, .organization_id = (char *)"o", .user_id = (char *)"u", .token_id = (char *)"t",
					 .event = (char *)"stack-created", .description = (char *)"a \"b\"\\\n\xc3\xa9", .source_ip = (char *)"",
					 .created_at = 1759657773691234 };

static struct span write_item(const struct audit_entry *a, struct buffer *out)
{
	dynamo_item_write(a, out);
	return buffer_span(out);
}

static void test_an_item_and_back(void **state)
{
	struct arena arena = ARENA_INIT;
	struct buffer out = BUFFER_INIT;
	struct audit_entry back;
	struct span value;
	struct err e = { 0 };

	(void)state;
	write_item(&full, &out);
	assert_string_equal(out.data, "{\"org_id\":{\"S\":\"o\"},\"timestamp_id\":{\"S\":\"2025-10-05T09:15:41.435Z_" ID "\"},"
				      "\"org_user_id\":{\"S\":\"o_u\"},\"id\":{\"S\":\"" ID "\"},\"event\":{\"S\":\"stack-created\"},"
				      "\"description\":{\"S\":\"a \\\"b\\\"\\\\\\n\xc3\xa9\"},\"source_ip\":{\"S\":\"\"},\"user_id\":{\"S\":\"u\"},"
				      "\"token_id\":{\"S\":\"t\"},\"created_at\":{\"N\":\"1759657773691234\"}}");
	assert_int_equal(scan_document(buffer_span(&out), &value, &e), 1);
	assert_int_equal(dynamo_item_read(value, &arena, &back), 1);
	assert_string_equal(back.description, full.description);
	assert_string_equal(back.token_id, "t");
	assert_string_equal(back.organization_id, "o");
	assert_int_equal(back.created_at, full.created_at);
	assert_null(back.login);
	arena_clear(&arena);
	buffer_done(&out);
}

static void test_an_item_of_nobody(void **state)
{
	struct audit_entry a = full, back;
	struct arena arena = ARENA_INIT;
	struct buffer out = BUFFER_INIT;

	(void)state;
	a.organization_id = a.user_id = a.token_id = NULL;
	assert_int_equal(dynamo_item_read(write_item(&a, &out), &arena, &back), 1);
	assert_null(strstr(out.data, "user_id"));
	assert_non_null(strstr(out.data, "\"org_id\":{\"S\":\"installation\"}"));
	assert_null(back.organization_id);
	assert_null(back.user_id);
	assert_null(back.token_id);
	arena_clear(&arena);
	buffer_done(&out);
}

/* The item with one text in it replaced. */
static int read_changed(const char *from, const char *to)
{
	struct arena arena = ARENA_INIT;
	struct buffer out = BUFFER_INIT, changed = BUFFER_INIT;
	struct audit_entry back;
	const char *at;
	int rc;

	write_item(&full, &out);
	at = strstr(out.data, from);
	assert_non_null(at);
	buffer_append(&changed, out.data, (size_t)(at - out.data));
	buffer_puts(&changed, to);
	buffer_puts(&changed, at + strlen(from));
	rc = dynamo_item_read(buffer_span(&changed), &arena, &back);
	arena_clear(&arena);
	buffer_done(&out);
	buffer_done(&changed);
	return rc;
}

static void test_items_that_are_not_ours(void **state)
{
	(void)state;
	assert_int_equal(read_changed("\"event\"", "\"event\""), 1);
	assert_int_equal(read_changed("\"event\"", "\"occasion\""), 0);
	assert_int_equal(read_changed("{\"S\":\"stack-created\"}", "\"stack-created\""), 0);
	assert_int_equal(read_changed("{\"S\":\"stack-created\"}", "{\"BOOL\":true}"), 0);
	assert_int_equal(read_changed("{\"S\":\"" ID, "{\"S\":\"x" ID), 0);
	assert_int_equal(read_changed("1759657773691234", "soon"), 0);
	assert_int_equal(read_changed("1759657773691234", "-1"), 0);
	assert_int_equal(read_changed("41.435Z", "41.436Z"), 0);
	assert_int_equal(read_changed("o_u", "o_v"), 0);
	assert_int_equal(read_changed("\"org_user_id\"", "\"org_user\""), 0);
}

/* --- BatchWriteItem --- */

static int answer(const char *text, bool *done)
{
	const struct audit_entry list[2] = { full, { .id = (char *)NEXT } };
	struct err e = { 0 };

	return dynamo_put_answer(span_of(text), "audit", list, 2, done, &e);
}

static void test_what_came_back(void **state)
{
	bool done[2] = { false, false };

	(void)state;
	assert_int_equal(answer("{\"UnprocessedItems\":{\"audit\":[{\"PutRequest\":{\"Item\":{\"timestamp_id\":{\"S\":\"2025-10-05T09:15:41.436Z_" NEXT
				"\"}}}}]}}", done), 0);
	assert_true(done[0]);
	assert_false(done[1]);
	assert_int_equal(answer("{\"UnprocessedItems\":{}}", done), 1);
	assert_true(done[1]);
}

static void test_what_is_no_answer(void **state)
{
	bool done[2] = { false, false };

	(void)state;
	assert_int_equal(answer("<html>", done), -1);
	assert_int_equal(answer("{}", done), -1);
	assert_int_equal(answer("{\"UnprocessedItems\":null}", done), -1);
	assert_int_equal(answer("{\"UnprocessedItems\":{\"audit\":7}}", done), -1);
	assert_false(done[0] || done[1]);
}

static void test_what_is_asked(void **state)
{
	const struct audit_entry list[3] = { full, full, full };
	const bool done[3] = { true, false, true };
	struct buffer body = BUFFER_INIT, item = BUFFER_INIT, wanted = BUFFER_INIT;

	(void)state;
	dynamo_put_body("audit", list, 3, done, &body);
	dynamo_item_write(&full, &item);
	buffer_printf(&wanted, "{\"RequestItems\":{\"audit\":[{\"PutRequest\":{\"Item\":%s}}]}}", item.data);
	assert_string_equal(body.data, wanted.data);
	buffer_done(&body);
	buffer_done(&item);
	buffer_done(&wanted);
}

/* --- errors, tables --- */

static void expect_error(const char *body, const char *wanted)
{
	struct web_answer a = { .status = 400 };
	struct arena arena = ARENA_INIT;

	buffer_puts(&a.body, body);
	assert_string_equal(aws_json_error(&a, &arena), wanted);
	web_answer_done(&a);
	arena_clear(&arena);
}

static void test_names_of_errors(void **state)
{
	(void)state;
	expect_error("{\"__type\":\"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException\",\"message\":\"x\"}", "ResourceNotFoundException");
	expect_error("{\"message\":\"x\", \"__type\" : \"ThrottlingException\"}", "ThrottlingException");
	expect_error("{\"__type\":7}", "");
	expect_error("{\"__type\":\"", "");
	expect_error("<Error>", "");
	expect_error("", "");
}

#define KEYS(hash, range) "[{\"AttributeName\":\"" hash "\",\"KeyType\":\"HASH\"},{\"AttributeName\":\"" range "\",\"KeyType\":\"RANGE\"}]"
#define TYPES                                                                                                                  \
	"[{\"AttributeName\":\"org_id\",\"AttributeType\":\"S\"},{\"AttributeName\":\"org_user_id\",\"AttributeType\":\"S\"},"  \
	"{\"AttributeName\":\"timestamp_id\",\"AttributeType\":\"S\"}]"

static void expect_table(const char *text, const char *wrong)
{
	struct err e = { 0 };
	int rc = dynamo_table_check(span_of(text), "SETTING", "audit", &e);

	assert_int_equal(rc, wrong ? -1 : 1);
	if (wrong)
		assert_string_equal(e.detail, wrong);
}

static void test_tables(void **state)
{
	(void)state;
	expect_table("{\"Table\":{\"TableStatus\":\"ACTIVE\",\"KeySchema\":" KEYS("org_id", "timestamp_id") ",\"AttributeDefinitions\":" TYPES
		     ",\"GlobalSecondaryIndexes\":[{\"IndexName\":\"other\"},{\"IndexName\":\"org_user\",\"KeySchema\":" KEYS("org_user_id", "timestamp_id")
		     ",\"Projection\":{\"ProjectionType\":\"ALL\"},\"IndexStatus\":\"ACTIVE\"}]}}", NULL);
	expect_table("{\"Table\":{\"TableStatus\":\"DELETING\",\"KeySchema\":" KEYS("org_id", "timestamp_id") ",\"AttributeDefinitions\":" TYPES "}}",
		     "SETTING: the status of the table audit is DELETING, it must be ACTIVE");
	expect_table("{\"Table\":{\"KeySchema\":[]}}", "SETTING: the table audit has no hash key, it must be org_id");
	expect_table("{\"Table\":{\"KeySchema\":" KEYS("org_id", "id") ",\"AttributeDefinitions\":" TYPES "}}",
		     "SETTING: the range key of the table audit is id, it must be timestamp_id");
	expect_table("hello", "SETTING: what AWS_ENDPOINT_URL_DYNAMODB names does not answer like DynamoDB: hello");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keys), cmocka_unit_test(test_keys_sort_as_ids_do), cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_an_item_and_back), cmocka_unit_test(test_an_item_of_nobody),
		cmocka_unit_test(test_items_that_are_not_ours), cmocka_unit_test(test_what_came_back), cmocka_unit_test(test_what_is_no_answer),
		cmocka_unit_test(test_what_is_asked), cmocka_unit_test(test_names_of_errors), cmocka_unit_test(test_tables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
