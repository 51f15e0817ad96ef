/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "fake_db.h"

#define MOST 64
#define ROWS 8
#define COLUMNS 32

struct expectation {
	const char *statement, *arguments;
	const char *rows[ROWS][COLUMNS];
	size_t row_count;
	int64_t changed;
	bool duplicate;
	enum err_kind failure;
};

static struct expectation list[MOST];
static size_t count, at;
static struct fake_transactions transactions;
static char handle;

struct db *fake_db(void)
{
	return (struct db *)&handle;
}

static struct expectation *last(void)
{
	assert_true(count > 0);
	return &list[count - 1];
}

void fake_expect(const char *statement, const char *arguments)
{
	assert_true(count < MOST);
	list[count++] = (struct expectation){ .statement = statement, .arguments = arguments, .changed = 1 };
}

void fake_row(const char *first, ...)
{
	struct expectation *x = last();
	size_t n = 0;
	va_list args;

	va_start(args, first);
	for (const char *each = first; each; each = va_arg(args, const char *)) {
		assert_true(n < COLUMNS - 1 && x->row_count < ROWS);
		x->rows[x->row_count][n++] = each;
	}
	va_end(args);
	x->row_count++;
}

void fake_changed(int64_t rows)
{
	last()->changed = rows;
}

void fake_duplicate(void)
{
	last()->duplicate = true;
}

void fake_fails(enum err_kind kind)
{
	last()->failure = kind;
}

void fake_done(void)
{
	if (at < count)
		fail_msg("expected %s, which nobody asked", list[at].statement);
	count = at = 0;
	transactions = (struct fake_transactions){ 0 };
}

struct fake_transactions fake_transactions(void)
{
	return transactions;
}

static void put_value(struct buffer *out, const struct db_value *v)
{
	switch (v->type) {
	case DB_NULL:
		buffer_puts(out, "NULL");
		break;
	case DB_INT:
		buffer_printf(out, "%lld", (long long)v->integer);
		break;
	case DB_TIME:
		buffer_printf(out, "@%lld", (long long)v->integer);
		break;
	case DB_TEXT:
		buffer_printf(out, "'%.*s'", (int)v->bytes.length, v->bytes.data);
		break;
	case DB_BYTES:
		buffer_printf(out, "#%zu", v->bytes.length);
		break;
	}
}

/* The words of the arguments must be the same, one by one; a text has no spaces but inside its quotes. */
static bool matches(const char *wanted, const struct db_value *values, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		_cleanup_(buffer_done) struct buffer value = BUFFER_INIT;

		put_value(&value, &values[i]);
		wanted += strspn(wanted, " ");
		if (*wanted == '*' && (wanted[1] == ' ' || !wanted[1])) {
			wanted++;
			continue;
		}
		if (strncmp(wanted, value.data, value.length))
			return false;
		wanted += value.length;
	}
	return !wanted[strspn(wanted, " ")];
}

static const struct expectation *next(const struct stmt *s, const struct db_value *values, size_t n)
{
	_cleanup_(buffer_done) struct buffer got = BUFFER_INIT;
	const struct expectation *x;

	for (size_t i = 0; i < n; i++) {
		buffer_puts(&got, i ? " " : "");
		put_value(&got, &values[i]);
	}
	if (at == count)
		fail_msg("%s (%s) was not expected", s->name, got.data ? got.data : "");
	x = &list[at++];
	if (strcmp(x->statement, s->name))
		fail_msg("expected %s, got %s (%s)", x->statement, s->name, got.data ? got.data : "");
	if (x->arguments && !matches(x->arguments, values, n))
		fail_msg("%s: expected (%s), got (%s)", s->name, x->arguments, got.data ? got.data : "");
	return x;
}

static const char *value_of(const char *const *row, const char *column)
{
	size_t n = strlen(column);

	for (; *row; row++)
		if (!strncmp(*row, column, n) && (*row)[n] == '=')
			return *row + n + 1;
	return NULL;
}

static void fill(const struct db_column *c, const char *value, struct arena *arena, char *to)
{
	switch (c->kind) {
	case COLUMN_INT:
		*(int64_t *)to = value ? strtoll(value, NULL, 10) : 0;
		break;
	case COLUMN_BOOL:
		*(bool *)to = value && (!strcmp(value, "1") || !strcmp(value, "true"));
		break;
	case COLUMN_TEXT:
		*(char **)to = value ? arena_strdup(arena, value) : NULL;
		break;
	case COLUMN_BYTES:
		*(struct span *)to = value ? span_of(arena_strdup(arena, value)) : (struct span){ NULL, 0 };
		break;
	case COLUMN_TIME:
		*(int64_t *)to = value ? strtoll(value, NULL, 10) : -1;
		break;
	}
}

/* Every column that the test gives must be one that the statement's table knows. */
static void check_columns(const struct expectation *x, const struct db_column *columns)
{
	for (size_t r = 0; r < x->row_count; r++)
		for (const char *const *each = x->rows[r]; *each; each++) {
			const struct db_column *c = columns;

			while (c->name && (strncmp(*each, c->name, strlen(c->name)) || (*each)[strlen(c->name)] != '='))
				c++;
			if (!c->name)
				fail_msg("%s has no column for '%s'", x->statement, *each);
		}
}

static void fill_row(const struct expectation *x, size_t r, const struct db_column *columns, struct arena *arena, void *row)
{
	for (const struct db_column *c = columns; c->name; c++)
		fill(c, value_of(x->rows[r], c->name), arena, (char *)row + c->offset);
}

static int refuse(const struct expectation *x, struct err *e)
{
	return x->failure ? err_set(e, x->failure, "%s failed as the test wanted", x->statement) : 1;
}

int db_one(struct db *db, const struct stmt *s, const struct db_value *values, size_t n, const struct db_column *columns,
	   void *ret_row, struct arena *arena, struct err *e)
{
	const struct expectation *x = next(s, values, n);

	(void)db;
	check_columns(x, columns);
	if (refuse(x, e) < 0)
		return -1;
	if (x->row_count)
		fill_row(x, 0, columns, arena, ret_row);
	return x->row_count > 0;
}

int db_each(struct db *db, const struct stmt *s, const struct db_value *values, size_t n, const struct db_column *columns,
	    void *row, size_t row_size, db_row_function *each, void *context, struct err *e)
{
	const struct expectation *x = next(s, values, n);
	int rc = refuse(x, e);

	(void)db, (void)row_size;
	check_columns(x, columns);
	for (size_t r = 0; rc > 0 && r < x->row_count; r++) {
		_cleanup_(arena_clear) struct arena arena = ARENA_INIT;

		fill_row(x, r, columns, &arena, row);
		rc = each(context, row, e);
	}
	return rc < 0 ? -1 : 1;
}

int db_all(struct db *db, const struct stmt *s, const struct db_value *values, size_t n, const struct db_column *columns,
	   size_t row_size, struct arena *arena, void **ret_rows, size_t *ret_count, struct err *e)
{
	const struct expectation *x = next(s, values, n);

	(void)db;
	check_columns(x, columns);
	if (refuse(x, e) < 0)
		return -1;
	*ret_rows = arena_alloc(arena, row_size * (x->row_count + 1));
	*ret_count = x->row_count;
	for (size_t r = 0; r < x->row_count; r++)
		fill_row(x, r, columns, arena, (char *)*ret_rows + r * row_size);
	return 1;
}

int db_exec(struct db *db, const struct stmt *s, const struct db_value *values, size_t n, int64_t *ret_changed, struct err *e)
{
	const struct expectation *x = next(s, values, n);

	(void)db;
	if (refuse(x, e) < 0)
		return -1;
	if (ret_changed)
		*ret_changed = x->duplicate ? -1 : x->changed;
	return !x->duplicate;
}

int db_begin(struct db *db, struct err *e)
{
	(void)db, (void)e;
	transactions.begun++;
	return 1;
}

int db_commit(struct db *db, struct err *e)
{
	(void)db, (void)e;
	transactions.committed++;
	return 1;
}

void db_rollback(struct db *db)
{
	(void)db;
	transactions.rolled_back++;
}

int db_run(struct db *db, int (*work)(void *context, struct err *e), void *context, struct err *e)
{
	int rc = db_begin(db, e) < 0 ? -1 : work(context, e);

	if (rc >= 0)
		return db_commit(db, e);
	db_rollback(db);
	return -1;
}

int64_t db_max_packet(const struct db *db)
{
	(void)db;
	return 64 << 20;
}
