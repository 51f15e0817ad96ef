/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "db/internal.h"

#define ER_DUPLICATE 1062
#define PACKET_OVERHEAD 65536

static int fail(struct db *db, const struct stmt *s, MYSQL_STMT *handle, struct err *e)
{
	return db_fail(db, s->name, mysql_stmt_errno(handle), mysql_stmt_error(handle), e);
}

int db_statement(struct db *db, const struct stmt *s, MYSQL_STMT **ret_handle, struct err *e)
{
	struct prepared *p;
	MYSQL_STMT *handle;

	for (p = db->prepared; p; p = p->next)
		if (p->stmt == s) {
			*ret_handle = p->handle;
			return 1;
		}
	handle = mysql_stmt_init(db->mysql);
	if (!handle)
		return err_internal(e, "%s: no memory for a statement", s->name);
	if (mysql_stmt_prepare(handle, s->sql, strlen(s->sql))) {
		fail(db, s, handle, e);
		mysql_stmt_close(handle);
		return -1;
	}
	p = xcalloc(1, sizeof(*p));
	p->stmt = s;
	p->handle = handle;
	p->next = db->prepared;
	db->prepared = p;
	*ret_handle = handle;
	return 1;
}

int db_prepare(struct db *db, const struct stmt *s, struct err *e)
{
	MYSQL_STMT *handle;

	if (db_ready(db, e) < 0)
		return -1;
	return db_statement(db, s, &handle, e);
}

static void time_from_us(int64_t us, MYSQL_TIME *to)
{
	time_t seconds = (time_t)(us / 1000000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	*to = (MYSQL_TIME){ .year = (unsigned)tm.tm_year + 1900,
			    .month = (unsigned)tm.tm_mon + 1,
			    .day = (unsigned)tm.tm_mday,
			    .hour = (unsigned)tm.tm_hour,
			    .minute = (unsigned)tm.tm_min,
			    .second = (unsigned)tm.tm_sec,
			    .second_part = (unsigned long)(us % 1000000),
			    .time_type = MYSQL_TIMESTAMP_DATETIME };
}

static void bind_value(const struct db_value *v, MYSQL_BIND *bind, MYSQL_TIME *time)
{
	switch (v->type) {
	case DB_NULL:
		bind->buffer_type = MYSQL_TYPE_NULL;
		break;
	case DB_INT:
		bind->buffer_type = MYSQL_TYPE_LONGLONG;
		bind->buffer = (void *)(uintptr_t)&v->integer;
		break;
	case DB_TIME:
		time_from_us(v->integer, time);
		bind->buffer_type = MYSQL_TYPE_DATETIME;
		bind->buffer = time;
		break;
	case DB_TEXT:
	case DB_BYTES:
		bind->buffer_type = v->type == DB_TEXT ? MYSQL_TYPE_STRING : MYSQL_TYPE_BLOB;
		bind->buffer = (void *)(uintptr_t)v->bytes.data;
		bind->buffer_length = v->bytes.length;
		break;
	}
}

static int check_size(struct db *db, const struct stmt *s, const struct db_value *values,
		      size_t count, struct err *e)
{
	size_t total = PACKET_OVERHEAD;

	if (count > DB_MAX_VALUES)
		return err_internal(e, "%s: %zu values, %d at most", s->name, count, DB_MAX_VALUES);
	for (size_t i = 0; i < count; i++)
		total += values[i].bytes.length;
	if ((int64_t)total > db->max_packet)
		return err_set(e, ERR_TOO_LARGE,
			       "Request Entity Too Large: the database takes at most %lld bytes at once "
			       "(max_allowed_packet); send less at a time",
			       (long long)db->max_packet);
	return 1;
}

static int execute_once(struct db *db, const struct stmt *s, const struct db_value *values,
			size_t count, MYSQL_STMT **ret_handle, struct err *e)
{
	MYSQL_BIND binds[DB_MAX_VALUES];	/* many: those in use are cleared below */
	MYSQL_TIME times[DB_MAX_VALUES];

	if (db_ready(db, e) < 0 || check_size(db, s, values, count, e) < 0 ||
	    db_statement(db, s, ret_handle, e) < 0)
		return -1;
	if (mysql_stmt_param_count(*ret_handle) != count)
		return err_internal(e, "%s: takes %lu values, got %zu", s->name,
				    mysql_stmt_param_count(*ret_handle), count);
	memset(binds, 0, count * sizeof(binds[0]));
	for (size_t i = 0; i < count; i++)
		bind_value(&values[i], &binds[i], &times[i]);
	if (count && mysql_stmt_bind_param(*ret_handle, binds))
		return fail(db, s, *ret_handle, e);
	fault_point("statement.before");
	if (!mysql_stmt_execute(*ret_handle)) {
		fault_point("statement.after");
		return 1;
	}
	if (mysql_stmt_errno(*ret_handle) == ER_DUPLICATE)
		return 0;
	return fail(db, s, *ret_handle, e);
}

/* A statement that reads, or one that never left this process, may run again on a new connection. */
static bool may_repeat(const struct stmt *s)
{
	return strstr(s->sql, "*/ SELECT") && !strstr(s->sql, "FOR UPDATE");
}

static int execute(struct db *db, const struct stmt *s, const struct db_value *values, size_t count,
		   MYSQL_STMT **ret_handle, struct err *e)
{
	bool had_connection = db->mysql && !db->broken;
	struct err first = { 0 };
	int rc = execute_once(db, s, values, count, ret_handle, &first);

	if (rc < 0 && db->broken && had_connection && !db->in_transaction &&
	    first.kind == ERR_UNAVAILABLE && (may_repeat(s) || strstr(first.detail, ": 2006 ")))
		return execute_once(db, s, values, count, ret_handle, e);
	if (rc < 0)
		*e = e->kind == ERR_NONE ? first : *e;
	return rc;
}

int db_execute(struct db *db, const struct stmt *s, const struct db_value *values, size_t count,
	       MYSQL_STMT **ret_handle, struct err *e)
{
	int64_t began_ns = observe_begin(&db->observer);
	struct err last = { 0 };
	int rc = execute(db, s, values, count, ret_handle, &last);

	/* A statement by itself that lost a race had no effect: it is repeated here, since no transaction is. */
	for (int attempt = 0; rc < 0 && last.kind == ERR_RETRY && !db->in_transaction && attempt < DB_ATTEMPTS; attempt++) {
		db_pause(attempt);
		err_clear(&last);
		rc = execute(db, s, values, count, ret_handle, &last);
	}
	if (rc < 0 && e->kind == ERR_NONE)
		*e = last;
	observe_end(&db->observer, s->name, began_ns, rc < 0);
	return rc;
}

int db_exec(struct db *db, const struct stmt *s, const struct db_value *values, size_t count,
	    int64_t *ret_changed, struct err *e)
{
	MYSQL_STMT *handle;
	int rc = db_execute(db, s, values, count, &handle, e);

	if (rc >= 0 && ret_changed)
		*ret_changed = rc ? (int64_t)mysql_stmt_affected_rows(handle) : -1;
	return rc;
}
