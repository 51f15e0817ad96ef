/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One connection to a MySQL-compatible database: named statements, prepared on the server and
 * cached, typed binds and typed columns. Owns the connection and reopens it when it is lost
 * between transactions. Knows no table. Refuses text protocol, interpolation and SQL built at
 * run time.
 *
 * A transaction that loses a race (deadlock, lock wait timeout, failed certification, lost
 * connection before commit) fails with ERR_RETRY; whoever began it runs it again from the start.
 */
#ifndef DB_DB_H
#define DB_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/err.h"
#include "base/observer.h"

struct db;

struct db_config {
	const char *host, *unix_socket;	/* the socket wins when both are given */
	unsigned port;
	const char *user, *password, *database;	/* database may be NULL (migrations, before it exists) */
	const char *ca_certificate_pem;		/* NULL: no TLS asked for */
	const char *min_tls_version;		/* NULL, "1.2" or "1.3" */
	unsigned answer_seconds;		/* how long a statement may take; 0: a minute */
};

/* A statement has a name (shown in errors and in the slow log as a comment) and a whole text. */
struct stmt {
	const char *name;
	const char *sql;
};
#define STMT(statement_name, text) { (statement_name), "/* " statement_name " */ " text }

#define DB_MAX_VALUES 128	/* of one statement */
/*
 * A list in a statement is so many places, whatever it holds: a loop over rows is a loop over lists. Places behind the last
 * value are NULL, which IN finds nowhere.
 */
#define DB_PLACES 50
#define DB_TEN_PLACES "?, ?, ?, ?, ?, ?, ?, ?, ?, ?"
#define DB_PLACES_TEXT                                                                             \
	DB_TEN_PLACES ", " DB_TEN_PLACES ", " DB_TEN_PLACES ", " DB_TEN_PLACES ", " DB_TEN_PLACES

enum db_type { DB_NULL, DB_INT, DB_TEXT, DB_BYTES, DB_TIME };

/* One bound value. Texts and bytes are not copied; they live until the call returns. */
struct db_value {
	enum db_type type;
	int64_t integer;	/* DB_INT; DB_TIME: microseconds since 1970, UTC */
	struct span bytes;	/* DB_TEXT, DB_BYTES */
};

static inline struct db_value db_int(int64_t v)
{
	return (struct db_value){ .type = DB_INT, .integer = v };
}
/* NULL text binds SQL NULL. */
static inline struct db_value db_text(const char *v)
{
	return v ? (struct db_value){ .type = DB_TEXT, .bytes = span_of(v) } : (struct db_value){ 0 };
}
/* A span whose data is NULL binds SQL NULL. */
static inline struct db_value db_bytes(struct span v)
{
	return v.data ? (struct db_value){ .type = DB_BYTES, .bytes = v } : (struct db_value){ 0 };
}
/* DATETIME(6). A negative time binds SQL NULL. */
static inline struct db_value db_time(int64_t us)
{
	return us < 0 ? (struct db_value){ 0 } : (struct db_value){ .type = DB_TIME, .integer = us };
}

enum db_column_kind {
	COLUMN_INT,	/* int64_t; NULL reads as 0 */
	COLUMN_BOOL,	/* bool; NULL reads as false */
	COLUMN_TEXT,	/* char *, NUL-terminated, in the arena; NULL reads as NULL */
	COLUMN_BYTES,	/* struct span in the arena; NULL reads as { NULL, 0 } */
	COLUMN_TIME	/* int64_t microseconds since 1970, UTC; NULL reads as -1 */
};

/* Maps a result column to a member. The list ends with a zeroed column; names are checked at prepare. */
struct db_column {
	const char *name;
	enum db_column_kind kind;
	size_t offset;
};
#define DB_COLUMN(structure, member, column_kind) DB_COLUMN_IN(structure, , member, column_kind)
/* Of a structure inside it: `at` is its name and a dot. */
#define DB_COLUMN_IN(structure, at, member, column_kind)                                           \
	{ #member, column_kind, offsetof(struct structure, at member) }

#define DB_VALUES(...)                                                                             \
	(const struct db_value[]){ __VA_ARGS__ },                                                  \
		sizeof((const struct db_value[]){ __VA_ARGS__ }) / sizeof(struct db_value)
#define DB_NONE NULL, 0

/* Connects. ERR_UNAVAILABLE when the server is away, ERR_INTERNAL when it refuses the login. */
int db_open(const struct db_config *config, struct db **ret_db, struct err *e) WARN_UNUSED;
void db_close(struct db *db);
void db_closep(struct db **db);

/*
 * Transactions: REPEATABLE READ; READ COMMITTED on TiDB. What a transaction reads after it has locked a row is at least as new as
 * the lock: so lock first. Nobody may count on two readings of a row being equal, nor on a row that is not there being
 * locked. begin reconnects when the connection was lost while idle.
 */
int db_begin(struct db *db, struct err *e) WARN_UNUSED;
/* After a failed commit whose outcome is unknown the error is ERR_UNAVAILABLE, not ERR_RETRY. */
int db_commit(struct db *db, struct err *e) WARN_UNUSED;
/* Never fails; without a transaction it does nothing. */
void db_rollback(struct db *db);

/*
 * Runs `work` in a transaction and commits; runs it again from the start when it lost a race.
 * `work` answers >= 0 to commit. -1 with the last error when it gave up; nothing is changed then.
 */
int db_run(struct db *db, int (*work)(void *context, struct err *e), void *context,
	   struct err *e) WARN_UNUSED;

/* First row into *ret_row: 1 read, 0 no row. Texts live in `arena`. */
int db_one(struct db *db, const struct stmt *s, const struct db_value *values, size_t count,
	   const struct db_column *columns, void *ret_row, struct arena *arena,
	   struct err *e) WARN_UNUSED;

/*
 * Calls `each` for every row, streaming: one row is in memory at a time and its texts live in a
 * scratch arena emptied after each call. `each` returns 1 to go on, 0 to stop, -1 with *e set.
 * `row` has room for row_size bytes. The callback may not use the same connection.
 */
typedef int db_row_function(void *context, const void *row, struct err *e);
int db_each(struct db *db, const struct stmt *s, const struct db_value *values, size_t count,
	    const struct db_column *columns, void *row, size_t row_size, db_row_function *each,
	    void *context, struct err *e) WARN_UNUSED;

/* All rows as an array in `arena`; use with a LIMIT in the statement. */
int db_all(struct db *db, const struct stmt *s, const struct db_value *values, size_t count,
	   const struct db_column *columns, size_t row_size, struct arena *arena, void **ret_rows,
	   size_t *ret_count, struct err *e) WARN_UNUSED;

/*
 * Runs a statement that returns no rows. *ret_changed (may be NULL) receives the rows that it
 * inserted, deleted or MATCHED (the connection is opened with CLIENT_FOUND_ROWS).
 * A violated unique key answers 0 with *ret_changed = -1 instead of an error; everything else
 * that succeeds answers 1.
 */
int db_exec(struct db *db, const struct stmt *s, const struct db_value *values, size_t count,
	    int64_t *ret_changed, struct err *e) WARN_UNUSED;

/* Prepares without running: the test that walks every statement. */
int db_prepare(struct db *db, const struct stmt *s, struct err *e) WARN_UNUSED;

/* For the migration tool only: runs one statement given as text. */
int db_run_text(struct db *db, const char *sql, struct err *e) WARN_UNUSED;

/* Is told the name of each statement that ran, "transaction.commit", and how transactions ended. */
void db_observe(struct db *db, const struct observer *observer);

/*
 * Whether it is a TiDB, which is found out by a session variable of its own: what it calls its version is a setting. For tools that
 * change the schema; no request may ask.
 */
bool db_is_tidb(const struct db *db);
/* max_allowed_packet of the server, bytes; read once at connect. */
int64_t db_max_packet(const struct db *db);
/* What it was opened with: for a further connection. */
const struct db_config *db_config_of(const struct db *db);

#endif
