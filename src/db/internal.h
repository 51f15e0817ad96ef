/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of src/db share. */
#ifndef DB_INTERNAL_H
#define DB_INTERNAL_H

#include <mysql.h>

#include "db/db.h"

#ifdef LIBMARIADB
typedef my_bool db_flag;
#else
typedef bool db_flag;
#endif

#define DB_MAX_COLUMNS 48

struct prepared {
	const struct stmt *stmt;
	MYSQL_STMT *handle;
	struct prepared *next;
};

struct db {
	struct db_config config;
	MYSQL *mysql;			/* NULL: not connected */
	struct prepared *prepared;
	bool tidb;			/* see server_setup in connection.c */
	bool in_transaction, broken;	/* broken: drop the connection before the next use */
	int64_t max_packet;
	struct observer observer;
};

int db_connect(struct db *db, struct err *e) WARN_UNUSED;
void db_disconnect(struct db *db);
/* A live connection: reopens a broken one, unless a transaction was on it (ERR_RETRY). */
int db_ready(struct db *db, struct err *e) WARN_UNUSED;
#define DB_ATTEMPTS 8	/* repetitions of what lost a race */
/* A little longer each time, so that two rivals do not meet again at once. */
void db_pause(int attempt);
/* Turns a server or client error into our kind; marks the connection broken when it is lost. */
int db_fail(struct db *db, const char *what, unsigned number, const char *text, struct err *e);
/* Whether an error means that the connection is no more. */
bool db_is_lost(unsigned number);
/* Whether a connection that was not made may be made later by itself. */
bool db_is_transient(unsigned number);
/* How the sentence about a connection that was not made begins; the number follows. */
#define DB_CANNOT_CONNECT "connecting to the database: "
/* The cached prepared statement, prepared when it is new. */
int db_statement(struct db *db, const struct stmt *s, MYSQL_STMT **ret_handle,
		 struct err *e) WARN_UNUSED;
/*
 * Binds and executes. 1, or 0 for a violated unique key. Reconnects once when nothing was sent; outside of a transaction
 * it is repeated when it lost a race.
 */
int db_execute(struct db *db, const struct stmt *s, const struct db_value *values, size_t count,
	       MYSQL_STMT **ret_handle, struct err *e) WARN_UNUSED;

#endif
