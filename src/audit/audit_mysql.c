/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log in the database, where its records are written anyway. */
#include <stdlib.h>

#include "audit/audit_sql.h"
#include "audit/provider.h"

#define FILTER_VALUES 6

static int mysql_keep(const char *name, const char *table, struct audit_store **ret_store, struct err *e)
{
	(void)name;
	(void)table;
	(void)e;
	*ret_store = xcalloc(1, sizeof(**ret_store));
	(*ret_store)->table = "";
	return 1;
}

static void mysql_drop(struct audit_store *store)
{
	free(store);
}

/* The database is tried by itself. */
static int mysql_try(struct audit_store *store, struct err *e)
{
	(void)store;
	(void)e;
	return 0;
}

/* Each combination of filters has a statement of its own, so that each is served by its index. */
static const struct stmt *choose(const struct audit_filter *f, const struct audit_bounds *b, int64_t limit,
				 struct db_value values[FILTER_VALUES], size_t *ret_count)
{
	size_t n = 0;

	values[n++] = db_text(f->organization_id);
	values[n++] = db_text(b->from);
	values[n++] = db_text(b->until);
	if (f->user_id)
		values[n++] = db_text(f->user_id);
	if (f->event)
		values[n++] = db_text(f->event);
	values[n++] = db_int(limit);
	*ret_count = n;
	if (f->user_id)
		return f->event ? &AUDIT_LIST_USER_EVENT : &AUDIT_LIST_USER;
	return f->event ? &AUDIT_LIST_EVENT : &AUDIT_LIST;
}

static int mysql_list(struct audit_store *store, struct db *db, const struct audit_filter *f, const struct audit_bounds *b,
		      int64_t limit, struct arena *arena, struct audit_entry **ret_list, size_t *ret_count, struct err *e)
{
	struct db_value values[FILTER_VALUES];
	const struct stmt *s;
	size_t n;

	(void)store;
	s = choose(f, b, limit, values, &n);
	return db_all(db, s, values, n, audit_columns, sizeof(struct audit_entry), arena, (void **)ret_list, ret_count, e);
}

static int mysql_each(struct db *db, const struct audit_filter *f, const struct audit_bounds *b, int64_t limit,
		      db_row_function *each, void *context, struct err *e)
{
	struct db_value values[FILTER_VALUES];
	struct audit_entry row;
	const struct stmt *s;
	size_t n;

	s = choose(f, b, limit, values, &n);
	return db_each(db, s, values, n, audit_columns, &row, sizeof(row), each, context, e);
}

const struct audit_provider audit_mysql = {
	.kind = "mysql",
	.open = mysql_keep,
	.close = mysql_drop,
	.try = mysql_try,
	.list = mysql_list,
	.each = mysql_each,
};
