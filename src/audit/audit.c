/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/audit.h"

#include <stdio.h>

#include "audit/audit_sql.h"
#include "audit/event.h"

#define FILTER_VALUES 6

int audit_record(struct db *db, const struct audit_event *a, struct err *e)
{
	char id[UUID_TEXT];

	uuid_new(a->created_at, id);
	return db_exec(db, &AUDIT_RECORD,
		       DB_VALUES(db_text(id), db_text(a->organization_id), db_text(a->user_id), db_text(a->token_id),
				 db_text(audit_event_of(a->event)), db_text(a->description), db_text(a->source_ip),
				 db_time(a->created_at)),
		       NULL, e);
}

int audit_find_user(struct db *db, const char *login, struct arena *arena, const char **ret_id, struct err *e)
{
	struct audit_entry row = { 0 };
	int rc = 0;

	/* A login is ASCII: others need no question. */
	if (strspn(login, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(login))
		rc = db_one(db, &AUDIT_USER, DB_VALUES(db_text(login)), audit_user_columns, &row, arena, e);
	if (rc == 0)
		return err_set(e, ERR_NOT_FOUND, "Not Found: User '%.100s' not found", login);
	*ret_id = row.user_id;
	return rc;
}

/* The id that an event at this time is not before: a UUIDv7 begins with its milliseconds. */
static void id_at(int64_t us, char ret_id[UUID_TEXT])
{
	uint64_t ms = (uint64_t)us / 1000;

	snprintf(ret_id, UUID_TEXT, "%08x-%04x", (unsigned)(ms >> 16 & 0xffffffff), (unsigned)(ms & 0xffff));
}

struct bounds {
	char from[UUID_TEXT], until[UUID_TEXT];
};

static void find_bounds(const struct audit_filter *f, struct bounds *b)
{
	*b = (struct bounds){ "", "~" };
	if (f->from_us >= 0)
		id_at(f->from_us, b->from);
	if (f->until_us >= 0)
		id_at(f->until_us, b->until);
	if (f->before && strcmp(f->before, b->until) < 0)
		snprintf(b->until, sizeof(b->until), "%s", f->before);
}

/* Each combination of filters has a statement of its own, so that each is served by its index. */
static const struct stmt *choose(const struct audit_filter *f, const struct bounds *b, int64_t limit,
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

int audit_list(struct db *db, const struct audit_filter *f, int64_t limit, struct arena *arena,
	       struct audit_entry **ret_list, size_t *ret_count, struct err *e)
{
	struct db_value values[FILTER_VALUES];
	const struct stmt *s;
	struct bounds b;
	size_t n;

	find_bounds(f, &b);
	s = choose(f, &b, limit, values, &n);
	return db_all(db, s, values, n, audit_columns, sizeof(struct audit_entry), arena, (void **)ret_list, ret_count, e);
}

int audit_each(struct db *db, const struct audit_filter *f, int64_t limit, db_row_function *each, void *context,
	       struct err *e)
{
	struct db_value values[FILTER_VALUES];
	struct audit_entry row;
	const struct stmt *s;
	struct bounds b;
	size_t n;

	find_bounds(f, &b);
	s = choose(f, &b, limit, values, &n);
	return db_each(db, s, values, n, audit_columns, &row, sizeof(row), each, context, e);
}
