/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/db against a real server: root of the database that PULUMI_TEST_ENDPOINT (an endpoint) and
 * PULUMI_TEST_ROOT_PASSWORD name, as tests/stack gives them. Skipped without one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "db/connect.h"

#define SCHEMA "test_db"

static struct arena connections = ARENA_INIT;
static struct db *db, *rival;

static struct db_config configuration(void)
{
	struct db_config c = { .user = "root", .password = getenv("PULUMI_TEST_ROOT_PASSWORD"), .database = SCHEMA };
	struct err e = { 0 };

	assert_int_equal(db_endpoint(getenv("PULUMI_TEST_ENDPOINT"), &connections, &c, &e), 1);
	return c;
}

static struct db *open_one(void)
{
	struct db_config c = configuration();
	struct db *opened = NULL;
	struct err e = { 0 };

	assert_int_equal(db_open(&c, &opened, &e), 1);
	return opened;
}

static void text(struct db *on, const char *sql)
{
	struct err e = { 0 };

	if (db_run_text(on, sql, &e) < 0)
		fail_msg("%s: %s", sql, e.detail);
}

static int set_up(void **state)
{
	struct db_config c = configuration();
	struct err e = { 0 };

	(void)state;
	c.database = NULL;
	assert_int_equal(db_open(&c, &db, &e), 1);
	text(db, "DROP DATABASE IF EXISTS " SCHEMA);
	text(db, "CREATE DATABASE " SCHEMA);
	db_close(db);
	db = open_one();
	rival = open_one();
	text(db, "CREATE TABLE things (id BIGINT NOT NULL, name VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL, "
		 "words LONGTEXT CHARACTER SET utf8mb4 NULL, data LONGBLOB NULL, flag BOOLEAN NULL, at DATETIME(6) NULL, "
		 "PRIMARY KEY (id), UNIQUE KEY things_name (name)) ENGINE=InnoDB");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	text(db, "DROP DATABASE " SCHEMA);
	db_close(rival);
	db_close(db);
	arena_clear(&connections);
	return 0;
}

static int empty(void **state)
{
	struct err e = { 0 };

	(void)state;
	db_rollback(db);
	db_rollback(rival);
	return db_run_text(db, "DELETE FROM things", &e) < 0 ? -1 : 0;
}

struct thing {
	int64_t id, at;
	char *name, *words;
	struct span data;
	bool flag;
};

static const struct db_column columns[] = {
	DB_COLUMN(thing, id, COLUMN_INT),     DB_COLUMN(thing, name, COLUMN_TEXT), DB_COLUMN(thing, words, COLUMN_TEXT),
	DB_COLUMN(thing, data, COLUMN_BYTES), DB_COLUMN(thing, flag, COLUMN_BOOL), DB_COLUMN(thing, at, COLUMN_TIME), { 0 },
};

static const struct stmt INSERT = STMT("thing.insert", "INSERT INTO things (id, name, words, data, flag, at) VALUES (?, ?, ?, ?, ?, ?)");
static const struct stmt BY_ID = STMT("thing.by_id", "SELECT id, name, words, data, flag, at FROM things WHERE id = ?");
static const struct stmt BY_NAME = STMT("thing.by_name", "SELECT id, name, words, data, flag, at FROM things WHERE name = ?");
static const struct stmt ALL = STMT("thing.all", "SELECT id, name, words, data, flag, at FROM things ORDER BY id LIMIT 1000");
static const struct stmt SET_FLAG = STMT("thing.set_flag", "UPDATE things SET flag = ? WHERE id >= ?");
static const struct stmt TOUCH = STMT("thing.touch", "UPDATE things SET flag = TRUE WHERE id = ?");

static int insert(struct db *on, int64_t id, const char *name, struct err *e)
{
	return db_exec(on, &INSERT, DB_VALUES(db_int(id), db_text(name), db_text(NULL), db_bytes((struct span){ NULL, 0 }), db_int(0), db_time(-1)),
		       NULL, e);
}

static void put(int64_t id)
{
	struct err e = { 0 };
	char name[24];

	snprintf(name, sizeof(name), "n%lld", (long long)id);
	assert_int_equal(insert(db, id, name, &e), 1);
}

static bool find(struct db *on, int64_t id, struct thing *t, struct arena *a)
{
	struct err e = { 0 };
	int rc = db_one(on, &BY_ID, DB_VALUES(db_int(id)), columns, t, a, &e);

	assert_true(rc >= 0);
	return rc;
}

static bool there(struct db *on, int64_t id)
{
	_cleanup_(arena_clear) struct arena a = ARENA_INIT;
	struct thing t;

	return find(on, id, &t, &a);
}

static void values_come_back_as_they_were(void **state)
{
	static const int64_t times[] = { 0, 1, 999999, 1000000, 1795561234567890, 253402300799999999 };
	static const int64_t numbers[] = { 0, 1, -1, INT64_MAX, INT64_MIN };
	_cleanup_(arena_clear) struct arena a = ARENA_INIT;
	struct span bytes = SPAN("a\0b\xff\n'\"\\");
	struct err e = { 0 };
	struct thing t;

	(void)state;
	for (int i = 0; i < 5; i++) {
		assert_int_equal(db_exec(db, &INSERT, DB_VALUES(db_int(numbers[i]), db_text(NULL), db_text("é€😀 '\\"), db_bytes(bytes),
								 db_int(1), db_time(times[i])), NULL, &e), 1);
		assert_true(find(db, numbers[i], &t, &a));
		assert_int_equal(t.id, numbers[i]);
		assert_string_equal(t.words, "é€😀 '\\");
		assert_true(span_equal(t.data, bytes) && t.flag && !t.name);
		assert_int_equal(t.at, times[i]);
	}
}

static void absent_values_have_a_meaning(void **state)
{
	_cleanup_(arena_clear) struct arena a = ARENA_INIT;
	struct err e = { 0 };
	struct thing t;

	(void)state;
	assert_int_equal(db_exec(db, &INSERT, DB_VALUES(db_int(1), db_text(NULL), db_text(""), db_bytes(SPAN("")), (struct db_value){ 0 },
							 db_time(-1)), NULL, &e), 1);
	assert_true(find(db, 1, &t, &a));
	assert_string_equal(t.words, "");
	assert_true(t.data.data && t.data.length == 0 && !t.flag && !t.name && t.at == -1);
	assert_false(find(db, 2, &t, &a));
}

static void large_values(void **state)
{
	_cleanup_(arena_clear) struct arena a = ARENA_INIT;
	_cleanup_(buffer_done) struct buffer b = BUFFER_INIT;
	struct err e = { 0 };
	struct thing t;

	(void)state;
	memset(buffer_reserve(&b, 5 << 20), 'x', 5 << 20);
	b.length = 5 << 20;
	b.data[b.length] = '\0';
	for (int i = 1; i < 4; i++) {
		assert_int_equal(db_exec(db, &INSERT, DB_VALUES(db_int(i), db_text(NULL), db_text(b.data), db_bytes(buffer_span(&b)), db_int(0),
								 db_time(0)), NULL, &e), 1);
		assert_true(find(db, i, &t, &a));
		assert_true(strlen(t.words) == b.length && span_equal(t.data, buffer_span(&b)));
	}
	memset(buffer_reserve(&b, (size_t)db_max_packet(db)), 'x', (size_t)db_max_packet(db));
	b.length = (size_t)db_max_packet(db);
	assert_int_equal(db_exec(db, &INSERT, DB_VALUES(db_int(9), db_text(NULL), db_text(NULL), db_bytes(buffer_span(&b)), db_int(0),
							 db_time(0)), NULL, &e), -1);
	assert_int_equal(e.kind, ERR_TOO_LARGE);
	assert_true(there(db, 1));
}

static void changed_rows_are_those_that_matched(void **state)
{
	struct err e = { 0 };
	int64_t changed = 0;

	(void)state;
	for (int i = 1; i <= 3; i++)
		put(i);
	assert_int_equal(db_exec(db, &SET_FLAG, DB_VALUES(db_int(1), db_int(2)), &changed, &e), 1);
	assert_int_equal(changed, 2);
	assert_int_equal(db_exec(db, &SET_FLAG, DB_VALUES(db_int(1), db_int(2)), &changed, &e), 1);
	assert_int_equal(changed, 2);
	assert_int_equal(db_exec(db, &SET_FLAG, DB_VALUES(db_int(1), db_int(9)), &changed, &e), 1);
	assert_int_equal(changed, 0);
}

static void a_taken_key_is_an_answer(void **state)
{
	struct err e = { 0 };
	int64_t changed = 7;

	(void)state;
	put(1);
	assert_int_equal(insert(db, 1, "other", &e), 0);
	assert_int_equal(insert(db, 2, "n1", &e), 0);
	assert_int_equal(db_exec(db, &INSERT, DB_VALUES(db_int(1), db_text(NULL), db_text(NULL), db_text(NULL), db_int(0), db_time(0)), &changed, &e), 0);
	assert_int_equal(changed, -1);
	assert_int_equal(e.kind, ERR_NONE);
}

static void foreign_text_is_refused(void **state)
{
	_cleanup_(arena_clear) struct arena a = ARENA_INIT;
	struct err e = { 0 };
	struct thing t;

	(void)state;
	assert_int_equal(db_one(db, &BY_NAME, DB_VALUES(db_text("é")), columns, &t, &a, &e), -1);
	assert_int_equal(e.kind, ERR_BAD_REQUEST);
}

static void mistakes_of_ours_are_internal(void **state)
{
	static const struct stmt broken = STMT("thing.broken", "SELECT nothing FROM things");
	static const struct stmt renamed = STMT("thing.renamed", "SELECT id AS number, name, words, data, flag, at FROM things");
	static const struct stmt fewer = STMT("thing.fewer", "SELECT id FROM things");
	const struct stmt *const all[] = { &broken, &renamed, &fewer };
	_cleanup_(arena_clear) struct arena a = ARENA_INIT;
	struct thing t;

	(void)state;
	put(1);
	for (int i = 0; i < 3; i++) {
		struct err e = { 0 };

		assert_int_equal(db_one(db, all[i], DB_NONE, columns, &t, &a, &e), -1);
		assert_int_equal(e.kind, ERR_INTERNAL);
		assert_non_null(strstr(e.detail, all[i]->name));
		assert_null(strstr(e.message, "thing"));
	}
	{
		struct err e = { 0 };

		assert_int_equal(db_one(db, &BY_ID, DB_NONE, columns, &t, &a, &e), -1);
		assert_int_equal(e.kind, ERR_INTERNAL);
	}
	assert_true(there(db, 1));
}

struct seen {
	int64_t ids[10], stop_at;
	size_t count;
	bool fail;
};

static int see(void *context, const void *row, struct err *e)
{
	const struct thing *t = row;
	struct seen *s = context;

	s->ids[s->count++] = t->id;
	if (t->id == s->stop_at)
		return s->fail ? err_set(e, ERR_CONFLICT, "Conflict: enough now") : 0;
	return 1;
}

static int each(struct seen *s, struct err *e)
{
	struct thing t;

	return db_each(db, &ALL, DB_NONE, columns, &t, sizeof(t), see, s, e);
}

static void rows_stream_until_told_to_stop(void **state)
{
	_cleanup_(arena_clear) struct arena a = ARENA_INIT;
	struct seen all = { 0 }, some = { .stop_at = 2 }, failing = { .stop_at = 2, .fail = true };
	struct err e = { 0 };
	void *rows;
	size_t n;

	(void)state;
	for (int i = 1; i <= 4; i++)
		put(i);
	assert_int_equal(each(&all, &e), 1);
	assert_int_equal(all.count, 4);
	assert_int_equal(each(&some, &e), 1);
	assert_int_equal(some.count, 2);
	assert_int_equal(each(&failing, &e), -1);
	assert_int_equal(e.kind, ERR_CONFLICT);
	err_clear(&e);
	assert_int_equal(db_all(db, &ALL, DB_NONE, columns, sizeof(struct thing), &a, &rows, &n, &e), 1);
	assert_int_equal(n, 4);
	assert_string_equal(((struct thing *)rows)[3].name, "n4");
}

static void transactions_commit_or_not(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(db_begin(db, &e), 1);
	put(1);
	assert_false(there(rival, 1));
	db_rollback(db);
	assert_false(there(db, 1));
	assert_int_equal(db_begin(db, &e), 1);
	put(2);
	assert_int_equal(db_commit(db, &e), 1);
	assert_true(there(rival, 2));
	db_rollback(db);
	assert_true(there(db, 2));
}

struct work {
	int runs, fail_until;
	enum err_kind kind;
};

static int work(void *context, struct err *e)
{
	struct work *w = context;

	if (insert(db, ++w->runs, NULL, e) < 0)
		return -1;
	return w->runs < w->fail_until ? err_set(e, w->kind, "again") : 1;
}

static void a_lost_race_is_run_again_from_the_start(void **state)
{
	struct work races = { .fail_until = 3, .kind = ERR_RETRY }, fails = { .fail_until = 3, .kind = ERR_CONFLICT },
		    always = { .fail_until = 1000, .kind = ERR_RETRY };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(db_run(db, work, &races, &e), 1);
	assert_int_equal(races.runs, 3);
	assert_true(there(db, 3) && !there(db, 1) && !there(db, 2));
	assert_int_equal(db_run(db, work, &fails, &e), -1);
	assert_int_equal(fails.runs, 1);
	assert_int_equal(e.kind, ERR_CONFLICT);
	assert_false(there(db, 1));
	err_clear(&e);
	assert_int_equal(db_run(db, work, &always, &e), -1);
	assert_int_equal(e.kind, ERR_RETRY);
	assert_in_range(always.runs, 5, 20);
}

static int64_t connection_id(struct db *on)
{
	static const struct stmt ask = STMT("connection.id", "SELECT CONNECTION_ID() AS id");
	static const struct db_column id[] = { DB_COLUMN(thing, id, COLUMN_INT), { 0 } };
	_cleanup_(arena_clear) struct arena a = ARENA_INIT;
	struct err e = { 0 };
	struct thing t = { 0 };

	assert_int_equal(db_one(on, &ask, DB_NONE, id, &t, &a, &e), 1);
	return t.id;
}

static void cut(struct db *victim)
{
	char sql[64];

	snprintf(sql, sizeof(sql), "KILL CONNECTION %lld", (long long)connection_id(victim));
	text(rival, sql);
}

static void a_connection_lost_while_idle_is_not_noticed(void **state)
{
	struct err e = { 0 };

	(void)state;
	put(1);
	cut(db);
	assert_true(there(db, 1));
	cut(db);
	assert_int_equal(insert(db, 2, NULL, &e), 1);
	cut(db);
	assert_int_equal(db_begin(db, &e), 1);
	put(3);
	assert_int_equal(db_commit(db, &e), 1);
	assert_true(there(rival, 1) && there(rival, 2) && there(rival, 3));
}

static int cut_once(void *context, struct err *e)
{
	int *runs = context;

	if (insert(db, 1, NULL, e) < 0)
		return -1;
	if (++*runs == 1)
		cut(db);
	return insert(db, 2, NULL, e);
}

static void a_connection_lost_in_a_transaction_runs_it_again(void **state)
{
	struct err e = { 0 };
	int runs = 0;

	(void)state;
	assert_int_equal(db_run(db, cut_once, &runs, &e), 1);
	assert_int_equal(runs, 2);
	assert_true(there(rival, 1) && there(rival, 2));
}

static void an_unknown_commit_is_not_repeated(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(db_begin(db, &e), 1);
	put(1);
	cut(db);
	assert_int_equal(db_commit(db, &e), -1);
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
	db_rollback(db);
	assert_false(there(db, 1));
}

static int touch(struct db *on, int64_t id, struct err *e)
{
	return db_exec(on, &TOUCH, DB_VALUES(db_int(id)), NULL, e);
}

static void *touch_second(void *result)
{
	struct err e = { 0 };

	*(int *)result = touch(rival, 1, &e) < 0 ? (int)e.kind : 0;
	db_rollback(rival);
	return NULL;
}

/* Each holds what the other wants: the database ends one of them, and that one may run again. */
static void a_deadlock_is_a_lost_race(void **state)
{
	struct err e = { 0 };
	pthread_t thread;
	int theirs = -1, ours;

	(void)state;
	put(1);
	put(2);
	assert_int_equal(db_begin(db, &e) + db_begin(rival, &e), 2);
	assert_int_equal(touch(db, 1, &e) + touch(rival, 2, &e), 2);
	assert_int_equal(pthread_create(&thread, NULL, touch_second, &theirs), 0);
	ours = touch(db, 2, &e) < 0 ? (int)e.kind : 0;
	db_rollback(db);
	pthread_join(thread, NULL);
	assert_true((ours == ERR_RETRY && theirs == 0) || (ours == 0 && theirs == ERR_RETRY));
}

/* The database waits where it reads the first row: the statement had begun to answer when it gave up. */
static void a_wait_that_ends_within_the_rows_is_a_lost_race(void **state)
{
	static const struct stmt lock = STMT("thing.lock", "SELECT id FROM things WHERE id >= ? FOR UPDATE");
	static const struct db_column id[] = { DB_COLUMN(thing, id, COLUMN_INT), { 0 } };
	_cleanup_(arena_clear) struct arena a = ARENA_INIT;
	struct err e = { 0 };
	struct thing t = { 0 };

	(void)state;
	put(1);
	text(rival, "SET SESSION innodb_lock_wait_timeout = 1");
	assert_int_equal(db_begin(db, &e) + db_begin(rival, &e), 2);
	assert_int_equal(touch(db, 1, &e), 1);
	assert_int_equal(db_one(rival, &lock, DB_VALUES(db_int(1)), id, &t, &a, &e), -1);
	assert_int_equal(e.kind, ERR_RETRY);
	db_rollback(rival);
	db_rollback(db);
	err_clear(&e);
	assert_int_equal(db_one(rival, &lock, DB_VALUES(db_int(1)), id, &t, &a, &e), 1);
}

static void servers_that_refuse_or_are_away(void **state)
{
	struct db_config wrong = configuration(), away = { .unix_socket = "/nowhere/x.sock", .user = "u", .password = "p", .database = "d" };
	struct db *opened = NULL;
	struct err e = { 0 };

	(void)state;
	wrong.password = "wrong";
	assert_int_equal(db_open(&wrong, &opened, &e), -1);
	assert_int_equal(e.kind, ERR_INTERNAL);
	assert_null(strstr(e.detail, "wrong"));
	err_clear(&e);
	assert_int_equal(db_open(&away, &opened, &e), -1);
	assert_int_equal(e.kind, ERR_UNAVAILABLE);
	assert_null(opened);
}

static void endpoints(void **state)
{
	static const char *const bad[] = { "host", ":3306", "host:", "host:0", "host:65536", "host:33x", "" };
	struct arena a = ARENA_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct db_config c = { 0 };
		struct err e = { 0 };

		if (db_endpoint(bad[i], &a, &c, &e) != -1)
			fail_msg("'%s' was taken", bad[i]);
		assert_non_null(strstr(e.detail, "PULUMI_DATABASE_ENDPOINT"));
	}
	arena_clear(&a);
}

int main(void)
{
#define WITH_TABLE(f) cmocka_unit_test_setup(f, empty)
	const struct CMUnitTest tests[] = {
		WITH_TABLE(values_come_back_as_they_were),
		WITH_TABLE(absent_values_have_a_meaning),
		WITH_TABLE(large_values),
		WITH_TABLE(changed_rows_are_those_that_matched),
		WITH_TABLE(a_taken_key_is_an_answer),
		WITH_TABLE(foreign_text_is_refused),
		WITH_TABLE(mistakes_of_ours_are_internal),
		WITH_TABLE(rows_stream_until_told_to_stop),
		WITH_TABLE(transactions_commit_or_not),
		WITH_TABLE(a_lost_race_is_run_again_from_the_start),
		WITH_TABLE(a_connection_lost_while_idle_is_not_noticed),
		WITH_TABLE(a_connection_lost_in_a_transaction_runs_it_again),
		WITH_TABLE(an_unknown_commit_is_not_repeated),
		WITH_TABLE(a_deadlock_is_a_lost_race),
		WITH_TABLE(a_wait_that_ends_within_the_rows_is_a_lost_race),
		WITH_TABLE(servers_that_refuse_or_are_away),
		WITH_TABLE(endpoints),
	};

	if (!getenv("PULUMI_TEST_ENDPOINT"))
		return 77;
	return cmocka_run_group_tests(tests, set_up, tear_down);
}
