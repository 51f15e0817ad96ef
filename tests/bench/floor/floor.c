/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor under journal batches: plain connections that commit rows of that size, one after the other each.
 * Prints how many a second, and how long one took, as JSON.
 * usage: floor SOCKET USER PASSWORD DATABASE CONNECTIONS SECONDS BYTES
 */
#include <mysql.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct connection {
	char **argv;
	pthread_t thread;
	unsigned number;
	double seconds;
	size_t bytes, done, room;
	double *taken;		/* seconds of each commit */
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *text)
{
	fprintf(stderr, "floor: %s\n", text);
	exit(1);
}

static void note(struct connection *c, double seconds)
{
	if (c->done == c->room) {
		c->room = c->room ? 2 * c->room : 4096;
		c->taken = realloc(c->taken, c->room * sizeof(*c->taken));
		if (!c->taken)
			fail("out of memory");
	}
	c->taken[c->done++] = seconds;
}

static void insert(MYSQL_STMT *stmt, struct connection *c)
{
	unsigned long length = c->bytes;
	char *body = malloc(c->bytes);
	long long sequence = 0;
	MYSQL_BIND binds[3] = {
		{ .buffer_type = MYSQL_TYPE_LONG, .buffer = &c->number },
		{ .buffer_type = MYSQL_TYPE_LONGLONG, .buffer = &sequence },
		{ .buffer_type = MYSQL_TYPE_BLOB, .buffer = body, .buffer_length = length, .length = &length },
	};
	double start = now(), until = start + c->seconds;

	for (size_t i = 0; i < c->bytes; i++)
		body[i] = (char)rand();
	mysql_stmt_bind_param(stmt, binds);
	for (; start < until; sequence++) {
		double from = start;

		if (mysql_stmt_execute(stmt))
			fail(mysql_stmt_error(stmt));
		start = now();
		note(c, start - from);
	}
	free(body);
}

static void *run(void *context)
{
	static const char sql[] = "INSERT INTO bench_floor (connection, sequence, body) VALUES (?, ?, ?)";
	struct connection *c = context;
	MYSQL *mysql = mysql_init(NULL);
	MYSQL_STMT *stmt;

	if (!mysql_real_connect(mysql, NULL, c->argv[2], c->argv[3], c->argv[4], 0, c->argv[1], 0))
		fail(mysql_error(mysql));
	stmt = mysql_stmt_init(mysql);
	if (mysql_stmt_prepare(stmt, sql, sizeof(sql) - 1))
		fail(mysql_stmt_error(stmt));
	insert(stmt, c);
	mysql_stmt_close(stmt);
	mysql_close(mysql);
	return NULL;
}

static void query(char **argv, const char *sql)
{
	MYSQL *mysql = mysql_init(NULL);

	if (!mysql_real_connect(mysql, NULL, argv[2], argv[3], argv[4], 0, argv[1], 0) || mysql_query(mysql, sql))
		fail(mysql_error(mysql));
	mysql_close(mysql);
}

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void report(struct connection *all, int count, double seconds, size_t bytes)
{
	struct connection sum = { 0 };

	for (int i = 0; i < count; i++)
		for (size_t j = 0; j < all[i].done; j++)
			note(&sum, all[i].taken[j]);
	if (sum.done == 0)
		fail("nothing was committed in time");
	qsort(sum.taken, sum.done, sizeof(*sum.taken), by_size);
	printf("{\"connections\":%d,\"bytes\":%zu,\"commits\":%zu,\"per_second\":%.1f,\"median_ms\":%.3f,\"p99_ms\":%.3f}\n",
	       count, bytes, sum.done, (double)sum.done / seconds, 1000 * sum.taken[sum.done / 2],
	       1000 * sum.taken[sum.done * 99 / 100]);
	free(sum.taken);
}

int main(int argc, char **argv)
{
	int count = argc == 8 ? atoi(argv[5]) : 0;
	struct connection *all;

	if (count < 1)
		fail("usage: floor SOCKET USER PASSWORD DATABASE CONNECTIONS SECONDS BYTES");
	all = calloc((size_t)count, sizeof(*all));
	query(argv, "CREATE OR REPLACE TABLE bench_floor (connection INT NOT NULL, sequence BIGINT NOT NULL, body LONGBLOB NOT NULL, "
		    "PRIMARY KEY (connection, sequence)) ENGINE=InnoDB");
	for (int i = 0; i < count; i++) {
		all[i] = (struct connection){ .argv = argv, .number = (unsigned)i, .seconds = atof(argv[6]),
					      .bytes = (size_t)atol(argv[7]) };
		pthread_create(&all[i].thread, NULL, run, &all[i]);
	}
	for (int i = 0; i < count; i++)
		pthread_join(all[i].thread, NULL);
	query(argv, "DROP TABLE bench_floor");
	report(all, count, atof(argv[6]), (size_t)atol(argv[7]));
	for (int i = 0; i < count; i++)
		free(all[i].taken);
	free(all);
	return 0;
}
