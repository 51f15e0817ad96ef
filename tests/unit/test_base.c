/* SPDX-License-Identifier: Apache-2.0 */
/* Errors, arenas, buffers, maps, settings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/map.h"
#include "base/settings.h"

static void the_first_failure_wins(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(err_set(&e, ERR_NOT_FOUND, "Not Found: %s", "x"), -1);
	assert_int_equal(err_set(&e, ERR_CONFLICT, "other"), -1);
	assert_int_equal(err_internal(&e, "third"), -1);
	assert_int_equal(e.kind, ERR_NOT_FOUND);
	assert_string_equal(e.message, "Not Found: x");
	err_clear(&e);
	assert_int_equal(e.kind, ERR_NONE);
	assert_int_equal(err_unavailable(&e, "host %s is away", "db-1.internal"), -1);
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
	assert_null(strstr(e.message, "db-1"));
	assert_string_equal(e.detail, "host db-1.internal is away");
}

static void long_messages_are_cut(void **state)
{
	struct err e = { 0 };
	char text[4096];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&e, ERR_BAD_REQUEST, "%s", text);
	assert_int_equal(strlen(e.message), sizeof(e.message) - 1);
	err_clear(&e);
	err_internal(&e, "%s", text);
	assert_int_equal(strlen(e.detail), sizeof(e.detail) - 1);
}

static void count_release(void *to)
{
	++*(int *)to;
}

static void arenas_align_zero_and_release(void **state)
{
	struct arena a = ARENA_INIT;
	int released = 0;

	(void)state;
	for (size_t size = 1; size < 200000; size = size * 3 + 1) {
		char *p = arena_alloc(&a, size);

		assert_int_equal((uintptr_t)p % _Alignof(max_align_t), 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, size);
	}
	assert_string_equal(arena_printf(&a, "%s-%d", "x", 7), "x-7");
	assert_string_equal(arena_strndup(&a, "abcdef", 3), "abc");
	arena_defer(&a, count_release, &released);
	arena_defer(&a, count_release, &released);
	arena_clear(&a);
	assert_int_equal(released, 2);
	assert_string_equal(arena_strdup(&a, "again"), "again");
	arena_clear(&a);
	assert_int_equal(released, 2);
}

static void put_one(void *to)
{
	buffer_putc(to, '1');
}

static void put_two(void *to)
{
	buffer_putc(to, '2');
}

static void deferred_releases_run_last_first(void **state)
{
	struct arena a = ARENA_INIT;
	struct buffer order = BUFFER_INIT;

	(void)state;
	arena_defer(&a, put_one, &order);
	arena_defer(&a, put_two, &order);
	arena_clear(&a);
	assert_string_equal(order.data, "21");
	buffer_done(&order);
}

static void buffers_end_in_nul(void **state)
{
	struct buffer b = BUFFER_INIT;

	(void)state;
	buffer_puts(&b, "a");
	buffer_putc(&b, 'b');
	buffer_append(&b, "cd\0e", 4);
	buffer_printf(&b, "%05d", 42);
	assert_int_equal(b.length, 11);
	assert_memory_equal(b.data, "abcd\0e00042", 12);
	for (int i = 0; i < 100000; i++) {
		buffer_putc(&b, 'x');
		assert_int_equal(b.data[b.length], '\0');
	}
	buffer_clear(&b);
	assert_int_equal(b.length, 0);
	buffer_append(&b, NULL, 0);
	assert_int_equal(b.length, 0);
	buffer_done(&b);
	buffer_done(&b);
}

static void sinks_keep_their_limit(void **state)
{
	struct buffer b = BUFFER_INIT;
	struct buffer_sink s;
	struct err e = { 0 };

	(void)state;
	buffer_sink_init(&s, &b, 5);
	assert_int_equal(sink_write(&s.sink, "abc", 3, &e), 1);
	assert_int_equal(sink_write(&s.sink, "de", 2, &e), 1);
	assert_int_equal(sink_write(&s.sink, "f", 1, &e), -1);
	assert_int_equal(e.kind, ERR_TOO_LARGE);
	assert_string_equal(b.data, "abcde");
	buffer_done(&b);
}

#define KEYS 20000

static void maps_find_every_key(void **state)
{
	struct map m = MAP_INIT;
	struct arena a = ARENA_INIT;
	static int values[KEYS];

	(void)state;
	assert_null(map_get(&m, SPAN("nothing")));
	for (int i = 0; i < KEYS; i++) {
		void **slot = map_put(&m, span_of(arena_printf(&a, "key-%d", i)));

		assert_null(*slot);
		*slot = &values[i];
	}
	for (int i = 0; i < KEYS; i++) {
		struct span key = span_of(arena_printf(&a, "key-%d", i));

		assert_ptr_equal(map_get(&m, key), &values[i]);
		assert_ptr_equal(*map_put(&m, key), &values[i]);
	}
	assert_int_equal(m.count, KEYS);
	assert_null(map_get(&m, SPAN("key-x")));
	*map_put(&m, SPAN("")) = &values[0];
	assert_ptr_equal(map_get(&m, SPAN("")), &values[0]);
	map_done(&m);
	map_done(&m);
	arena_clear(&a);
}

static void settings_have_types(void **state)
{
	int64_t number;
	const char *text;
	bool truth;
	struct err e = { 0 };

	(void)state;
	unsetenv("PORT");
	assert_int_equal(setting_int("PORT", 1, 65535, &number, &e), 1);
	assert_int_equal(number, 8080);
	setenv("PORT", "", 1);
	assert_string_equal(setting("PORT"), "8080");
	setenv("PORT", "99999", 1);
	assert_int_equal(setting_int("PORT", 1, 65535, &number, &e), -1);
	assert_non_null(strstr(e.detail[0] ? e.detail : e.message, "PORT"));
	err_clear(&e);
	setenv("PORT", "80x", 1);
	assert_int_equal(setting_int("PORT", 1, 65535, &number, &e), -1);
	err_clear(&e);
	setenv("PULUMI_SENDFILE", "1", 1);
	assert_int_equal(setting_bool("PULUMI_SENDFILE", &truth, &e), 1);
	assert_true(truth);
	setenv("PULUMI_SENDFILE", "maybe", 1);
	assert_int_equal(setting_bool("PULUMI_SENDFILE", &truth, &e), -1);
	err_clear(&e);
	unsetenv("PULUMI_LOCAL_OBJECTS");
	assert_int_equal(setting_required("PULUMI_LOCAL_OBJECTS", &text, &e), -1);
	assert_non_null(strstr(e.detail[0] ? e.detail : e.message, "PULUMI_LOCAL_OBJECTS"));
}

/* What the file adds is in the environment afterwards; what was there stays. */
static void settings_come_from_a_file_too(void **state)
{
	char path[] = "settings-XXXXXX";
	struct err e = { 0 };
	int fd = mkstemp(path);
	FILE *f = fdopen(fd, "w");

	(void)state;
	fputs("pulumi_api_domain = \"api.example.com\"\nport = \"81\"\n", f);
	fclose(f);
	setenv("PULUMI_API_CONFIG", path, 1);
	setenv("PORT", "82", 1);
	unsetenv("PULUMI_API_DOMAIN");
	assert_int_equal(settings_load(&e), 1);
	assert_string_equal(setting("PULUMI_API_DOMAIN"), "api.example.com");
	assert_string_equal(setting("PORT"), "82");
	f = fopen(path, "w");
	fputs("no_such_setting = \"x\"\n", f);
	fclose(f);
	assert_int_equal(settings_load(&e), -1);
	assert_non_null(strstr(e.detail, path));
	remove(path);
	err_clear(&e);
	assert_int_equal(settings_load(&e), -1);
	assert_non_null(strstr(e.detail, path));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_failure_wins),
		cmocka_unit_test(long_messages_are_cut),
		cmocka_unit_test(arenas_align_zero_and_release),
		cmocka_unit_test(deferred_releases_run_last_first),
		cmocka_unit_test(buffers_end_in_nul),
		cmocka_unit_test(sinks_keep_their_limit),
		cmocka_unit_test(maps_find_every_key),
		cmocka_unit_test(settings_have_types),
		cmocka_unit_test(settings_come_from_a_file_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
