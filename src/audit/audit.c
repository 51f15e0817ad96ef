/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/audit.h"

#include <stdio.h>

#include "audit/audit_sql.h"
#include "audit/event.h"
#include "audit/provider.h"

#define PAGE 1000	/* of a store that is read in pages */

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

static void find_bounds(const struct audit_filter *f, struct audit_bounds *b)
{
	*b = (struct audit_bounds){ "", "~" };
	if (f->from_us >= 0)
		id_at(f->from_us, b->from);
	if (f->until_us >= 0)
		id_at(f->until_us, b->until);
	if (f->before && strcmp(f->before, b->until) < 0)
		snprintf(b->until, sizeof(b->until), "%s", f->before);
}

/* --- the store --- */

int audit_open(const char *name, const char *table, struct audit_store **ret_store, struct err *e)
{
	const struct audit_provider *p = table ? &audit_dynamo : &audit_mysql;
	struct audit_store *store;

	if (p->open(name, table, &store, e) < 0)
		return -1;
	store->provider = p;
	*ret_store = store;
	return 1;
}

void audit_close(struct audit_store *store)
{
	if (store)
		store->provider->close(store);
}

void audit_observe(struct audit_store *store, const struct observer *observer)
{
	store->observer = *observer;
}

const char *audit_kind_of_store(const struct audit_store *store)
{
	return store->provider->kind;
}

int audit_try(struct audit_store *store, struct err *e)
{
	return store->provider->try(store, e);
}

int audit_scan(struct audit_store *store, audit_scan_function *each, void *context, struct err *e)
{
	return store->provider->scan ? store->provider->scan(store, each, context, e) : 1;
}

int audit_list(struct audit_store *store, struct db *db, const struct audit_filter *f, int64_t limit, struct arena *arena,
	       struct audit_entry **ret_list, size_t *ret_count, struct err *e)
{
	struct audit_bounds b;

	find_bounds(f, &b);
	return store->provider->list(store, db, f, &b, limit, arena, ret_list, ret_count, e);
}

/* One page: 1 when another may follow, 0 at the end. The bounds move to where it ended. */
static int each_of_page(struct audit_store *store, struct db *db, const struct audit_filter *f, struct audit_bounds *b,
			int64_t size, int64_t *left, db_row_function *each, void *context, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct audit_entry *list;
	size_t count;
	int rc;

	if (store->provider->list(store, db, f, b, size, &arena, &list, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		rc = each(context, &list[i], e);
		if (rc <= 0)
			return rc;
	}
	*left -= (int64_t)count;
	if ((int64_t)count < size)
		return 0;
	snprintf(b->until, sizeof(b->until), "%s", list[count - 1].id);
	return 1;
}

int audit_each(struct audit_store *store, struct db *db, const struct audit_filter *f, int64_t limit, db_row_function *each,
	       void *context, struct err *e)
{
	struct audit_bounds b;
	int rc = 1;

	find_bounds(f, &b);
	if (store->provider->each)
		return store->provider->each(db, f, &b, limit, each, context, e);
	while (rc == 1 && limit > 0)
		rc = each_of_page(store, db, f, &b, limit < PAGE ? limit : PAGE, &limit, each, context, e);
	return rc < 0 ? -1 : 1;
}
