/* SPDX-License-Identifier: Apache-2.0 */
/* The shared counts: many processes at once, processes that die, a full table, files that are none of ours. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "telemetry/exposition.h"

#define PROCESSES 4
#define TIMES 20000

static char folder[64];
static const char *path;
static struct arena arena;

static int setup(void **state)
{
	struct err e = { 0 };

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test-meter-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	path = meter_path(&arena, folder);
	return meter_make(path, &e) == 1 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	arena_clear(&arena);
	return rmdir(folder);
}

struct sum {
	const char *label;
	uint64_t value, buckets;
	int found;
};

static void add_up(void *context, const struct meter_values *v)
{
	struct sum *s = context;

	if (s->label && strcmp(s->label, v->labels[0]))
		return;
	s->found++;
	s->value += v->sum;
	for (int i = 0; i < METER_BUCKETS; i++)
		s->buckets += v->buckets[i];
}

static struct sum sum_of(enum metric id, const char *label)
{
	struct meter *m = meter_open(path);
	struct sum s = { .label = label };

	assert_non_null(m);
	meter_each(m, id, add_up, &s);
	meter_close(m);
	return s;
}

/* Every process counts the same new labels first: one place each, whoever wins. */
static void child(void)
{
	struct meter *m = meter_open(path);

	for (int i = 0; i < TIMES; i++) {
		char label[32];

		snprintf(label, sizeof(label), "statement.%d", i % 100);
		meter_observe(m, METRIC_DB_DURATION, LABELS(label, NULL), 1000);
	}
	_exit(0);
}

static void test_processes_lose_nothing(void **state)
{
	struct sum all, one;

	(void)state;
	for (int i = 0; i < PROCESSES; i++)
		if (fork() == 0)
			child();
	while (wait(NULL) > 0)
		;
	all = sum_of(METRIC_DB_DURATION, NULL);
	one = sum_of(METRIC_DB_DURATION, "statement.7");
	assert_int_equal(all.found, 100);
	assert_int_equal(all.buckets, PROCESSES * TIMES);
	assert_int_equal(all.value, PROCESSES * TIMES * 1000ULL);
	assert_int_equal(one.found, 1);
	assert_int_equal(one.buckets, PROCESSES * TIMES / 100);
}

static void claim_for_ever(void)
{
	struct meter *m = meter_open(path);

	for (int i = 0;; i++) {
		char label[32];

		snprintf(label, sizeof(label), "%d.%d", (int)getpid(), i % 400);
		meter_add(m, METRIC_UPDATES_STARTED, LABELS(label), 1);
	}
}

/* Killed while it claims places: nobody waits for it, and what it left can be read. */
static void test_killed_processes_leave_no_lock(void **state)
{
	(void)state;
	for (int i = 0; i < 10; i++) {
		pid_t pid = fork();

		if (pid == 0)
			claim_for_ever();
		usleep(500 + 300 * (useconds_t)i);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		alarm(20);
		struct meter *m = meter_open(path);
		meter_add(m, METRIC_UPDATES_ENDED, LABELS("update", "succeeded"), 1);
		meter_close(m);
		alarm(0);
	}
	assert_int_equal(sum_of(METRIC_UPDATES_ENDED, "update").value, 10);
}

static void test_a_full_table_drops_and_says_so(void **state)
{
	struct meter *m = meter_open(path);

	(void)state;
	meter_add(m, METRIC_UPDATES_ENDED, LABELS("kept", "x"), 1);
	for (int i = 0; i < 10000; i++) {
		char label[32];

		snprintf(label, sizeof(label), "%d", i);
		meter_add(m, METRIC_UPDATES_STARTED, LABELS(label), 1);
	}
	meter_add(m, METRIC_UPDATES_ENDED, LABELS("kept", "x"), 1);
	meter_close(m);
	assert_int_equal(sum_of(METRIC_UPDATES_ENDED, "kept").value, 2);
	assert_true(sum_of(METRIC_COUNTS_DROPPED, NULL).value > 3000);
	assert_int_equal(sum_of(METRIC_COUNTS_DROPPED, NULL).value + sum_of(METRIC_UPDATES_STARTED, NULL).value, 10000);
}

static void test_a_transaction_counts_when_it_commits(void **state)
{
	struct meter *m = meter_open(path);

	(void)state;
	meter_add_on_commit(m, METRIC_UPDATES_STARTED, LABELS("update"));
	assert_int_equal(sum_of(METRIC_UPDATES_STARTED, NULL).value, 0);
	meter_transaction_ended(m, false);
	meter_transaction_ended(m, true);
	assert_int_equal(sum_of(METRIC_UPDATES_STARTED, NULL).value, 0);
	meter_add_on_commit(m, METRIC_UPDATES_STARTED, LABELS("update"));
	meter_transaction_ended(m, true);
	meter_transaction_ended(m, true);
	assert_int_equal(sum_of(METRIC_UPDATES_STARTED, NULL).value, 1);
	meter_close(m);
}

static void test_bounds(void **state)
{
	struct meter *m = meter_open(path);
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	struct gauge none[METRIC_COUNT] = { 0 };

	(void)state;
	meter_observe(m, METRIC_REPLAY_DURATION, NO_LABELS, 1000000);
	meter_observe(m, METRIC_REPLAY_DURATION, NO_LABELS, 1000001);
	meter_observe(m, METRIC_REPLAY_DURATION, NO_LABELS, -5);
	meter_observe(m, METRIC_REPLAY_DURATION, NO_LABELS, INT64_MAX / 2);
	exposition_write(m, none, false, &text);
	assert_non_null(strstr(text.data, "replay_duration_seconds_bucket{le=\"0.0005\"} 1\n"));
	assert_non_null(strstr(text.data, "replay_duration_seconds_bucket{le=\"0.001\"} 2\n"));
	assert_non_null(strstr(text.data, "replay_duration_seconds_bucket{le=\"0.0025\"} 3\n"));
	assert_non_null(strstr(text.data, "replay_duration_seconds_bucket{le=\"60\"} 3\n"));
	assert_non_null(strstr(text.data, "replay_duration_seconds_bucket{le=\"+Inf\"} 4\n"));
	assert_non_null(strstr(text.data, "\npulumi_journal_entries_total 0\n"));
	meter_close(m);
}

static void test_labels_are_quoted_and_cut(void **state)
{
	struct meter *m = meter_open(path);
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	struct gauge none[METRIC_COUNT] = { 0 };
	char longest[1000];

	(void)state;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	meter_add(m, METRIC_UPDATES_ENDED, LABELS("a\"b\\c\nd", "r"), 3);
	meter_add(m, METRIC_UPDATES_ENDED, LABELS(longest, "unseen"), 1);
	exposition_write(m, none, false, &text);
	assert_non_null(strstr(text.data, "{kind=\"a\\\"b\\\\c\\nd\",result=\"r\"} 3\n"));
	assert_non_null(strstr(text.data, "{kind=\"xxxxxxxx"));
	assert_null(strstr(text.data, "unseen"));
	meter_close(m);
}

static void test_files_that_are_no_meter(void **state)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	struct gauge none[METRIC_COUNT] = { 0 };
	struct err e = { 0 };
	struct stat st;

	(void)state;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(truncate(path, 100), 0);
	assert_null(meter_open(path));
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(truncate(path, st.st_size), 0);
	assert_null(meter_open(path));
	meter_add(NULL, METRIC_JOURNAL_BYTES, NO_LABELS, 1);
	exposition_write(NULL, none, false, &text);
	assert_int_equal(text.length, 0);
	assert_int_equal(meter_make(path, &e), 1);
	assert_int_equal(sum_of(METRIC_JOURNAL_BYTES, NULL).found, 0);
	assert_int_equal(meter_make("/no/such/folder/metrics", &e), -1);
}

/* Half of a page that a power cut lost: the place is not shown, everything else is. */
static void test_a_damaged_place_is_left_out(void **state)
{
	struct meter *m = meter_open(path);
	char bytes[4096 + 512];
	int fd = open(path, O_RDWR);
	off_t at = 0;

	(void)state;
	meter_add(m, METRIC_UPDATES_STARTED, LABELS("damaged"), 1);
	meter_add(m, METRIC_UPDATES_STARTED, LABELS("good"), 1);
	for (off_t each = 0; !at && pread(fd, bytes, sizeof(bytes), each) > 0; each += 4096) {
		char *found = memmem(bytes, sizeof(bytes), "total\0damaged", 13);

		at = found ? each + (found - bytes) : 0;
	}
	assert_true(at > 0);
	assert_int_equal(pwrite(fd, "total\0dXmaged", 13, at), 13);
	assert_int_equal(sum_of(METRIC_UPDATES_STARTED, NULL).found, 1);
	assert_int_equal(sum_of(METRIC_UPDATES_STARTED, "good").value, 1);
	close(fd);
	meter_close(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_processes_lose_nothing, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed_processes_leave_no_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_full_table_drops_and_says_so, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_transaction_counts_when_it_commits, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_labels_are_quoted_and_cut, setup, teardown),
		cmocka_unit_test_setup_teardown(test_files_that_are_no_meter, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_damaged_place_is_left_out, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
