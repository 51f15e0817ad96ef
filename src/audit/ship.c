/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/ship.h"

#include <stdio.h>
#include <stdlib.h>

#include "audit/audit_sql.h"
#include "audit/provider.h"
#include "base/fault.h"

#define REMOVED_AT_ONCE 200

bool audit_ships(const struct audit_store *store)
{
	return store->provider->put != NULL;
}

struct marking {
	struct db *db;
	const char *table;
	const struct audit_entry *list;
	size_t count;
	bool put[AUDIT_PUT];
};

/* The ids of what was not put are NULL, which is no record's. A race with another host's marks runs again. */
static int mark(void *context, struct err *e)
{
	const struct marking *m = context;
	struct db_value values[AUDIT_PUT + 2] = { db_text(m->table) };
	int rc;

	for (size_t i = 0; i < m->count; i++)
		values[i + 1] = db_text(m->put[i] ? m->list[i].id : NULL);
	values[AUDIT_PUT + 1] = db_text(m->table);
	rc = db_exec(m->db, &AUDIT_MARK, values, AUDIT_PUT + 2, NULL, e);
	return rc == 0 ? err_set(e, ERR_RETRY, "%s", "") : rc;
}

static int64_t count_put(const struct marking *m)
{
	int64_t n = 0;

	for (size_t i = 0; i < m->count; i++)
		n += m->put[i];
	return n;
}

/* What was acknowledged is marked, also when the rest was not: a table that takes little is asked for little again. */
static int put_and_mark(struct audit_store *store, struct marking *m, int64_t *shipped, struct err *e)
{
	int rc = store->provider->put(store, m->list, m->count, m->put, e);

	fault_point("audit.put");
	if (count_put(m) && db_run(m->db, mark, m, e) < 0)
		return -1;
	fault_point("audit.marked");
	*shipped += count_put(m);
	if (rc == 0)
		return err_unavailable(e, "dynamodb BatchWriteItem: the table is busy, %lld of %zu records wait", (long long)m->count - (long long)count_put(m),
				       m->count);
	return rc;
}

int audit_ship(struct audit_store *store, struct db *db, struct audit_shipping *s, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct audit_entry *list;
	size_t count;

	if (!audit_ships(store))
		return 0;
	if (db_all(db, &AUDIT_WAITING, DB_VALUES(db_text(store->table), db_text(s->after), db_int(AUDIT_PUT)), audit_waiting_columns, sizeof(*list), &arena,
		   (void **)&list, &count, e) < 0)
		return -1;
	if (count == 0)
		return 0;
	if (put_and_mark(store, &(struct marking){ .db = db, .table = store->table, .list = list, .count = count }, &s->shipped, e) < 0)
		return -1;
	snprintf(s->after, sizeof(s->after), "%s", list[count - 1].id);
	return 1;
}

int audit_waits_since(struct audit_store *store, struct db *db, int64_t *ret_us, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct audit_entry oldest = { 0 };
	int rc;

	if (!audit_ships(store))
		return 0;
	rc = db_one(db, &AUDIT_WAITING, DB_VALUES(db_text(store->table), db_text(""), db_int(1)), audit_waiting_columns, &oldest, &arena, e);
	if (rc == 1)
		*ret_us = oldest.created_at;
	return rc;
}

struct removing {
	struct db *db;
	const char *table;
	int64_t until_us, removed;
};

static int remove_rows(void *context, struct err *e)
{
	struct removing *r = context;

	if (db_exec(r->db, &AUDIT_REMOVE, DB_VALUES(db_text(r->table), db_time(r->until_us)), &r->removed, e) < 0)
		return -1;
	return db_exec(r->db, &AUDIT_UNMARK, DB_VALUES(db_text(r->table), db_time(r->until_us)), NULL, e) < 0 ? -1 : 1;
}

int audit_remove_shipped(struct audit_store *store, struct db *db, struct audit_shipping *s, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct removing r = { .db = db, .table = store->table };
	struct audit_entry due = { .created_at = -1 };

	if (!audit_ships(store))
		return 0;
	if (db_one(db, &AUDIT_SHIPPED_UNTIL, DB_VALUES(db_text(store->table), db_int(AUDIT_STAYS_SECONDS), db_int(REMOVED_AT_ONCE)), audit_shipped_columns,
		   &due, &arena, e) < 0)
		return -1;
	if (due.created_at < 0)
		return 0;
	r.until_us = due.created_at;
	if (db_run(db, remove_rows, &r, e) < 0)
		return -1;
	s->removed += r.removed;
	return 1;
}

/* --- the way back --- */

#define FETCHED_AT_ONCE 200

struct fetching {
	struct db *db;
	struct audit_fetched *done;
	struct arena arena;		/* of the texts */
	struct audit_entry list[FETCHED_AT_ONCE];
	size_t count;
	int64_t added;			/* by the transaction */
};

static int is_there(const struct fetching *f, const struct audit_entry *a, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct audit_entry row;

	return db_one(f->db, &AUDIT_EXISTS, DB_VALUES(db_text(a->id)), audit_id_columns, &row, &arena, e);
}

static int add(const struct fetching *f, const struct audit_entry *a, struct err *e)
{
	return db_exec(f->db, &AUDIT_RECORD,
		       DB_VALUES(db_text(a->id), db_text(a->organization_id), db_text(a->user_id), db_text(a->token_id), db_text(a->event),
				 db_text(a->description), db_text(a->source_ip), db_time(a->created_at)),
		       NULL, e);
}

static int add_all(void *context, struct err *e)
{
	struct fetching *f = context;

	f->added = 0;
	for (size_t i = 0; i < f->count; i++) {
		int rc = is_there(f, &f->list[i], e);

		if (rc == 0 && !f->done->dry_run)
			rc = add(f, &f->list[i], e) < 0 ? -1 : 0;
		if (rc < 0)
			return -1;
		f->added += rc == 0;
	}
	return 1;
}

static int flush(struct fetching *f, struct err *e)
{
	if (f->count && db_run(f->db, add_all, f, e) < 0)
		return -1;
	f->done->fetched += f->count ? f->added : 0;
	f->count = 0;
	arena_clear(&f->arena);
	return 1;
}

static char *copy(struct fetching *f, const char *text)
{
	return text ? arena_strdup(&f->arena, text) : NULL;
}

static int fetch_one(void *context, const char *key, const struct audit_entry *a, struct err *e)
{
	struct fetching *f = context;

	(void)key;
	if (!a) {
		f->done->strange++;
		return 1;
	}
	f->done->records++;
	f->list[f->count++] = (struct audit_entry){ .id = copy(f, a->id), .organization_id = copy(f, a->organization_id),
						    .user_id = copy(f, a->user_id), .token_id = copy(f, a->token_id),
						    .event = copy(f, a->event), .description = copy(f, a->description),
						    .source_ip = copy(f, a->source_ip), .created_at = a->created_at };
	return f->count == FETCHED_AT_ONCE ? flush(f, e) : 1;
}

int audit_fetch(struct audit_store *store, struct db *db, struct audit_fetched *ret_done, struct err *e)
{
	struct fetching *f = xcalloc(1, sizeof(*f));
	int rc;

	f->db = db;
	f->done = ret_done;
	rc = audit_scan(store, fetch_one, f, e);
	if (rc == 1)
		rc = flush(f, e);
	arena_clear(&f->arena);
	free(f);
	return rc;
}
