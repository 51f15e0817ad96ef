/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor under journal batches: plain connections that commit rows of that size, one after the other each.
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
	size_t bytes;
	long done;
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
	double until = now() + c->seconds;

	for (size_t i = 0; i < c->bytes; i++)
		body[i] = (char)rand();
	mysql_stmt_bind_param(stmt, binds);
	for (; now() < until; c->done++, sequence++)
		if (mysql_stmt_execute(stmt))
			fail(mysql_stmt_error(stmt));
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

int main(int argc, char **argv)
{
	int count = argc == 8 ? atoi(argv[5]) : 0;
	struct connection *all = calloc((size_t)count, sizeof(*all));
	long done = 0;

	if (count < 1)
		fail("usage: floor SOCKET USER PASSWORD DATABASE CONNECTIONS SECONDS BYTES");
	query(argv, "CREATE OR REPLACE TABLE bench_floor (connection INT NOT NULL, sequence BIGINT NOT NULL, body LONGBLOB NOT NULL, "
		    "PRIMARY KEY (connection, sequence)) ENGINE=InnoDB");
	for (int i = 0; i < count; i++) {
		all[i] = (struct connection){ argv, 0, (unsigned)i, atof(argv[6]), (size_t)atol(argv[7]), 0 };
		pthread_create(&all[i].thread, NULL, run, &all[i]);
	}
	for (int i = 0; i < count; i++) {
		pthread_join(all[i].thread, NULL);
		done += all[i].done;
	}
	query(argv, "DROP TABLE bench_floor");
	printf("{\"connections\":%d,\"bytes\":%s,\"commits\":%ld,\"per_second\":%.0f}\n", count, argv[7], done, (double)done / atof(argv[6]));
	free(all);
	return 0;
}
