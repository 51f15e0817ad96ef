/* SPDX-License-Identifier: Apache-2.0 */
/* Texts of auth policies that are objects: written before their row, remembered once read, and which row counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/limits.h"
#include "blob/blob.h"
#include "fake_db.h"
#include "object/object.h"
#include "oidc/policy_sql.h"
#include "oidc/policy_text.h"

#define NOW INT64_C(1000000000000000)
#define ORGANIZATION "01890000-0000-7000-8000-000000000001"
#define ISSUER "01890000-0000-7000-8000-000000000002"
#define TEXTS (LIMIT_POLICY_TEXTS + 1)

static struct app app;
static char *folder;

static int open_store(void **state)
{
	char template[] = "objects-XXXXXX";
	struct err e = { 0 };

	(void)state;
	app.db = fake_db();
	app.policy_texts = policy_texts_new();
	folder = realpath(mkdtemp(template), NULL);
	return folder && blob_open("local", folder, true, &app.metadata, &e) == 1 ? 0 : -1;
}

static int close_store(void **state)
{
	struct buffer command = BUFFER_INIT;
	int rc;

	(void)state;
	blob_close(app.metadata);
	policy_texts_free(app.policy_texts);
	buffer_printf(&command, "rm -r '%s'", folder);
	rc = system(command.data);
	buffer_done(&command);
	free(folder);
	return rc;
}

/* A text that is different for each number, and as long as is said. */
static struct span text_of(struct arena *arena, int number, size_t length)
{
	char *text = arena_alloc(arena, length + 1);

	memset(text, ' ', length);
	text[snprintf(text, length, "[%d", number)] = ' ';
	text[length - 1] = ']';
	return (struct span){ text, length };
}

static void keep(struct span text, struct policy_kept *kept)
{
	struct err e = { 0 };

	assert_int_equal(policy_text_keep(&app, ORGANIZATION, text, NOW, kept, &e), 1);
	assert_true(kept->in_object && span_equal(kept->row, SPAN("[]")));
}

static void lose(const struct policy_kept *kept)
{
	char key[ROW_OBJECT_KEY];
	struct err e = { 0 };

	row_object_key(ROW_OBJECT_POLICY, ORGANIZATION, kept->object_id, kept->digest, key);
	assert_int_equal(blob_delete(app.metadata, key, &e), 1);
}

static int load(struct policy_kept *kept, struct arena *arena, struct span *ret_text, struct err *e)
{
	struct policy p = { .object_id = kept->object_id, .sha256 = { (const char *)kept->digest, SHA256_BYTES } };
	int rc = policy_text_load(&app, ORGANIZATION, &p, arena, e);

	*ret_text = p.definitions;
	return rc;
}

static bool remembered(struct policy_kept *kept, struct span text)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct err e = { 0 };
	struct span found;

	if (load(kept, &arena, &found, &e) == 1) {
		assert_true(span_equal(found, text));
		return true;
	}
	assert_int_equal(e.kind, ERR_INTERNAL);
	assert_non_null(strstr(e.detail, "object organizations/" ORGANIZATION "/policies/"));
	return false;
}

/* Reads texts of a length one after the other, the first one again before the last, and then loses all objects. */
static size_t read_and_lose(struct arena *arena, size_t count, size_t length, struct policy_kept *kept)
{
	size_t left = 0;

	for (size_t i = 0; i < count; i++)
		keep(text_of(arena, (int)i, length), &kept[i]);
	for (size_t i = 0; i < count; i++) {
		assert_true(i < count - 1 || remembered(&kept[0], text_of(arena, 0, length)));
		assert_true(remembered(&kept[i], text_of(arena, (int)i, length)));
	}
	for (size_t i = 0; i < count; i++)
		lose(&kept[i]);
	for (size_t i = 0; i < count; i++)
		left += remembered(&kept[i], text_of(arena, (int)i, length));
	return left;
}

static void so_many_are_remembered(void **state)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct policy_kept kept[TEXTS];

	(void)state;
	assert_int_equal(read_and_lose(&arena, TEXTS, 64, kept), LIMIT_POLICY_TEXTS);
	assert_true(remembered(&kept[0], text_of(&arena, 0, 64)));
	assert_false(remembered(&kept[1], text_of(&arena, 1, 64)));
}

static void so_many_bytes_are_remembered(void **state)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct policy_kept kept[LIMIT_POLICY_TEXT_BYTES / LIMIT_POLICIES_BYTES + 1];
	size_t count = sizeof(kept) / sizeof(kept[0]);

	(void)state;
	assert_int_equal(read_and_lose(&arena, count, LIMIT_POLICIES_BYTES, kept), count - 1);
	assert_false(remembered(&kept[1], text_of(&arena, 1, LIMIT_POLICIES_BYTES)));
}

static void each_text_has_a_name_of_its_own(void **state)
{
	struct policy_kept one, other;

	(void)state;
	keep(SPAN("[1]"), &one);
	keep(SPAN("[1]"), &other);
	assert_memory_equal(one.digest, other.digest, SHA256_BYTES);
	assert_string_not_equal(one.object_id, other.object_id);
}

static void without_a_store_the_row_has_it(void **state)
{
	struct app rows = { 0 };
	struct policy_kept kept;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(policy_text_keep(&rows, ORGANIZATION, SPAN("[1]"), NOW, &kept, &e), 1);
	assert_false(kept.in_object);
	assert_true(span_equal(kept.row, SPAN("[1]")));
}

static void expect_row(const char *object_id, const char *definitions)
{
	fake_expect("policy.of_issuer", "'" ORGANIZATION "' '" ISSUER "'");
	fake_row("id=p", definitions, "sha256=0123456789abcdef0123456789abcdef", object_id, NULL);
}

static int find(struct arena *arena, struct policy *ret_policy, struct err *e)
{
	return policy_of_issuer(&app, ORGANIZATION, ISSUER, arena, ret_policy, e);
}

/* The row is read, the policy is changed, the sweep takes the older object: what the row says now is what holds. */
static void an_object_that_went_while_it_was_looked_for(void **state)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct policy policy = { 0 };
	struct err e = { 0 };

	(void)state;
	expect_row("object_id=o1", "definitions=[]");
	expect_row(NULL, "definitions=[2]");
	assert_int_equal(find(&arena, &policy, &e), 1);
	assert_true(span_equal(policy.definitions, SPAN("[2]")));
	fake_done();

	expect_row("object_id=o1", "definitions=[]");
	expect_row("object_id=o1", "definitions=[]");
	assert_int_equal(find(&arena, &policy, &e), -1);
	assert_int_equal(e.kind, ERR_INTERNAL);
	assert_non_null(strstr(e.detail, "/o1/"));
	fake_done();
	err_clear(&e);

	expect_row("object_id=o1", "definitions=[]");
	expect_row("object_id=o2", "definitions=[]");
	assert_int_equal(find(&arena, &policy, &e), -1);
	assert_non_null(strstr(e.detail, "/o2/"));
	fake_done();
	err_clear(&e);

	expect_row("object_id=o1", "definitions=[]");
	fake_expect("policy.of_issuer", NULL);
	assert_int_equal(find(&arena, &policy, &e), -1);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	fake_done();
}

/* It was there when it was looked for, and is gone when it is to be changed: no answer of success. */
static void a_policy_that_went_before_it_was_changed(void **state)
{
	static const struct caller caller = { .organization_id = (char *)ORGANIZATION };
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct span definitions = SPAN("[{\"decision\":\"deny\",\"tokenType\":\"organization\"}]");
	struct policy policy = { 0 };
	struct err e = { 0 };

	(void)state;
	fake_expect("policy.by_id", "'" ORGANIZATION "' '" ISSUER "'");
	fake_row("id=p", NULL);
	fake_expect("policy.change", "#2 * #32 @1000000000000000 '" ORGANIZATION "' '" ISSUER "'");
	fake_changed(0);
	assert_int_equal(policy_change(&app, &caller, ISSUER, definitions, NOW, &arena, &policy, &e), -1);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	fake_done();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(so_many_are_remembered),
		cmocka_unit_test(so_many_bytes_are_remembered),
		cmocka_unit_test(each_text_has_a_name_of_its_own),
		cmocka_unit_test(without_a_store_the_row_has_it),
		cmocka_unit_test(an_object_that_went_while_it_was_looked_for),
		cmocka_unit_test(a_policy_that_went_before_it_was_changed),
	};

	return cmocka_run_group_tests(tests, open_store, close_store);
}
