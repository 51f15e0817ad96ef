/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "db/internal.h"

/* Where the columns of one row arrive before they become members. */
struct reader {
	const struct stmt *stmt;
	const struct db_column *columns;
	size_t count;
	MYSQL_STMT *handle;
	MYSQL_BIND binds[DB_MAX_COLUMNS];
	unsigned long lengths[DB_MAX_COLUMNS];
	db_flag nulls[DB_MAX_COLUMNS];
	int64_t integers[DB_MAX_COLUMNS];
	MYSQL_TIME times[DB_MAX_COLUMNS];
};

static int check_names(const struct reader *r, struct err *e)
{
	MYSQL_RES *meta = mysql_stmt_result_metadata(r->handle);
	int rc = 1;

	if (!meta || mysql_num_fields(meta) != r->count)
		rc = err_internal(e, "%s: the statement does not return %zu columns", r->stmt->name,
				  r->count);
	for (size_t i = 0; rc == 1 && i < r->count; i++) {
		const char *name = mysql_fetch_field_direct(meta, (unsigned)i)->name;

		if (strcmp(name, r->columns[i].name))
			rc = err_internal(e, "%s: column %zu is %s, not %s", r->stmt->name, i, name,
					  r->columns[i].name);
	}
	if (meta)
		mysql_free_result(meta);
	return rc;
}

static void bind_column(struct reader *r, size_t i)
{
	MYSQL_BIND *b = &r->binds[i];

	b->length = &r->lengths[i];
	b->is_null = &r->nulls[i];
	switch (r->columns[i].kind) {
	case COLUMN_INT:
	case COLUMN_BOOL:
		b->buffer_type = MYSQL_TYPE_LONGLONG;
		b->buffer = &r->integers[i];
		break;
	case COLUMN_TIME:
		b->buffer_type = MYSQL_TYPE_DATETIME;
		b->buffer = &r->times[i];
		b->buffer_length = sizeof(r->times[i]);
		break;
	case COLUMN_TEXT:
	case COLUMN_BYTES:
		b->buffer_type = r->columns[i].kind == COLUMN_TEXT ? MYSQL_TYPE_STRING : MYSQL_TYPE_BLOB;
		break;
	}
}

static int reader_start(struct reader *r, struct err *e)
{
	for (r->count = 0; r->columns[r->count].name; r->count++)
		if (r->count == DB_MAX_COLUMNS - 1)
			return err_internal(e, "%s: too many columns", r->stmt->name);
	if (check_names(r, e) < 0)
		return -1;
	for (size_t i = 0; i < r->count; i++)
		bind_column(r, i);
	if (mysql_stmt_bind_result(r->handle, r->binds))
		return err_internal(e, "%s: %s", r->stmt->name, mysql_stmt_error(r->handle));
	return 1;
}

static int64_t time_to_us(const MYSQL_TIME *t)
{
	struct tm tm = { .tm_year = (int)t->year - 1900, .tm_mon = (int)t->month - 1, .tm_mday = (int)t->day,
			 .tm_hour = (int)t->hour, .tm_min = (int)t->minute, .tm_sec = (int)t->second };

	return (int64_t)timegm(&tm) * 1000000 + (int64_t)t->second_part;
}

/* The length came with the row; now the bytes go straight to where they stay. */
static int fetch_bytes(struct reader *r, size_t i, struct arena *arena, struct span *ret,
		       struct err *e)
{
	char *to = arena_alloc(arena, r->lengths[i] + 1);
	unsigned long length = r->lengths[i];
	MYSQL_BIND bind = { .buffer_type = r->binds[i].buffer_type, .buffer = to,
			    .buffer_length = length, .length = &length };

	if (length && mysql_stmt_fetch_column(r->handle, &bind, (unsigned)i, 0))
		return err_internal(e, "%s: %s", r->stmt->name, mysql_stmt_error(r->handle));
	*ret = (struct span){ to, r->lengths[i] };
	return 1;
}

static int store_column(struct reader *r, size_t i, void *row, struct arena *arena, struct err *e)
{
	void *to = (char *)row + r->columns[i].offset;
	struct span bytes = { NULL, 0 };

	switch (r->columns[i].kind) {
	case COLUMN_INT:
		*(int64_t *)to = r->nulls[i] ? 0 : r->integers[i];
		return 1;
	case COLUMN_BOOL:
		*(bool *)to = !r->nulls[i] && r->integers[i];
		return 1;
	case COLUMN_TIME:
		*(int64_t *)to = r->nulls[i] ? -1 : time_to_us(&r->times[i]);
		return 1;
	case COLUMN_TEXT:
	case COLUMN_BYTES:
		break;
	}
	if (!r->nulls[i] && fetch_bytes(r, i, arena, &bytes, e) < 0)
		return -1;
	if (r->columns[i].kind == COLUMN_TEXT)
		*(const char **)to = bytes.data;
	else
		*(struct span *)to = bytes;
	return 1;
}

/* What came in the place of a row: libmariadb says it of the connection, libmysqlclient of the statement. */
static int reader_fail(struct db *db, const struct reader *r, struct err *e)
{
	if (mysql_stmt_errno(r->handle))
		return db_fail(db, r->stmt->name, mysql_stmt_errno(r->handle), mysql_stmt_error(r->handle), e);
	return db_fail(db, r->stmt->name, mysql_errno(db->mysql), mysql_error(db->mysql), e);
}

/* 1 a row, 0 the end. */
static int reader_next(struct db *db, struct reader *r, void *row, struct arena *arena,
		       struct err *e)
{
	int rc = mysql_stmt_fetch(r->handle);

	if (rc == MYSQL_NO_DATA)
		return 0;
	if (rc != 0 && rc != MYSQL_DATA_TRUNCATED)
		return reader_fail(db, r, e);
	for (size_t i = 0; i < r->count; i++)
		if (store_column(r, i, row, arena, e) < 0)
			return -1;
	return 1;
}

static int reader_open(struct db *db, struct reader *r, const struct db_value *values, size_t count,
		       struct err *e)
{
	if (db_execute(db, r->stmt, values, count, &r->handle, e) < 0)
		return -1;
	if (reader_start(r, e) == 1)
		return 1;
	mysql_stmt_free_result(r->handle);
	return -1;
}

int db_one(struct db *db, const struct stmt *s, const struct db_value *values, size_t count,
	   const struct db_column *columns, void *ret_row, struct arena *arena, struct err *e)
{
	struct reader r = { .stmt = s, .columns = columns };
	int rc;

	if (reader_open(db, &r, values, count, e) < 0)
		return -1;
	rc = reader_next(db, &r, ret_row, arena, e);
	mysql_stmt_free_result(r.handle);
	return rc;
}

int db_each(struct db *db, const struct stmt *s, const struct db_value *values, size_t count,
	    const struct db_column *columns, void *row, size_t row_size, db_row_function *each,
	    void *context, struct err *e)
{
	struct reader r = { .stmt = s, .columns = columns };
	struct arena scratch = ARENA_INIT;
	int rc, more = 1;

	if (reader_open(db, &r, values, count, e) < 0)
		return -1;
	do {
		memset(row, 0, row_size);
		rc = reader_next(db, &r, row, &scratch, e);
		if (rc == 1)
			more = each(context, row, e);
		arena_clear(&scratch);
	} while (rc == 1 && more == 1);
	mysql_stmt_free_result(r.handle);
	return rc < 0 || more < 0 ? -1 : 1;
}

int db_all(struct db *db, const struct stmt *s, const struct db_value *values, size_t count,
	   const struct db_column *columns, size_t row_size, struct arena *arena, void **ret_rows,
	   size_t *ret_count, struct err *e)
{
	struct reader r = { .stmt = s, .columns = columns };
	struct buffer rows = BUFFER_INIT;
	size_t n = 0;
	int rc;

	if (reader_open(db, &r, values, count, e) < 0)
		return -1;
	do {
		void *row = memset(buffer_reserve(&rows, row_size), 0, row_size);

		rc = reader_next(db, &r, row, arena, e);
		if (rc == 1) {
			rows.length += row_size;
			n++;
		}
	} while (rc == 1);
	mysql_stmt_free_result(r.handle);
	if (rc == 0) {
		*ret_rows = arena_alloc(arena, rows.length);
		if (rows.length)
			memcpy(*ret_rows, rows.data, rows.length);
		*ret_count = n;
	}
	buffer_done(&rows);
	return rc < 0 ? -1 : 1;
}
