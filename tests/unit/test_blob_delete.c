/* SPDX-License-Identifier: Apache-2.0 */
/* Deleting an object by its age, while somebody writes it anew: what was written now must be there afterwards. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "blob/blob.h"

#define KEY "stacks/s/checkpoints/d.json.gz"
#define LONG_AGO 1000000LL		/* 1970, in microseconds */
#define BETWEEN (1000000000LL * 1000000)	/* 2001: later than LONG_AGO, earlier than now */
#define ROUNDS 300

static char folder[] = "/tmp/test_blob_delete.XXXXXX";
static struct blob_store *store;

static int open_store(void **state)
{
	struct err e = { 0 };

	(void)state;
	return mkdtemp(folder) && blob_open("TEST", folder, true, &store, &e) == 1 ? 0 : -1;
}

static int close_store(void **state)
{
	char command[128];

	(void)state;
	blob_close(store);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	return system(command);
}

static void put(void)
{
	struct err e = { 0 };

	assert_int_equal(blob_put(store, KEY, SPAN("text"), &e), 1);
}

static void make_old(void)
{
	struct timespec times[2] = { { LONG_AGO / 1000000, 0 }, { LONG_AGO / 1000000, 0 } };
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, KEY);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static bool is_there(void)
{
	struct buffer data = BUFFER_INIT;
	struct err e = { 0 };
	int rc = blob_get(store, KEY, &data, &e);

	assert_true(rc >= 0);
	buffer_done(&data);
	return rc;
}

static void by_age(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_int_equal(blob_delete_older(store, KEY, BETWEEN, &e), 0);
	put();
	assert_int_equal(blob_delete_older(store, KEY, BETWEEN, &e), 0);
	assert_true(is_there());
	make_old();
	assert_int_equal(blob_delete_older(store, KEY, BETWEEN, &e), 1);
	assert_false(is_there());
	assert_int_equal(blob_delete_older(store, "../x", BETWEEN, &e), -1);
}

/* Whichever of the two comes first: the object is there when both are done. */
static void beside_a_writer(void **state)
{
	struct err e = { 0 };
	int status;

	(void)state;
	for (int i = 0; i < ROUNDS; i++) {
		pid_t pid;

		put();
		make_old();
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			_exit(blob_put(store, KEY, SPAN("text"), &e) != 1);
		usleep((useconds_t)(i % 40) * 10);
		assert_true(blob_delete_older(store, KEY, BETWEEN, &e) >= 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(status, 0);
		assert_true(is_there());
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(by_age), cmocka_unit_test(beside_a_writer) };

	return cmocka_run_group_tests(tests, open_store, close_store);
}
