/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log: who did what to which thing, written in the transaction of the change itself; never changed. Records are
 * always written into the database. The store is where the log is kept and read: the database itself, or a table in
 * DynamoDB to which audit/ship.h brings what the database holds; readers see both, each record once.
 */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include "base/observer.h"
#include "crypto/crypto.h"
#include "db/db.h"

struct audit_event {
	const char *organization_id;	/* NULL: concerns the installation */
	const char *user_id, *token_id;	/* NULL: nobody signed in */
	const char *event;		/* the operation, e.g. delete_stack; stored as audit/event.def calls it */
	const char *description, *source_ip;
	int64_t created_at;		/* microseconds since 1970, UTC */
};

int audit_record(struct db *db, const struct audit_event *event, struct err *e) WARN_UNUSED;

/* --- the store --- */

struct audit_store;

/*
 * `table` NULL: the database itself. `name` is the setting that said `table`, and starts the sentence in e->detail when the
 * table cannot be used. A service that is merely away does not stop this: it is looked at again before the first use.
 */
int audit_open(const char *name, const char *table, struct audit_store **ret_store, struct err *e) WARN_UNUSED;
void audit_close(struct audit_store *store);
/* Is told of each call of the service. */
void audit_observe(struct audit_store *store, const struct observer *observer);
/* What keeps the log, as the API says it: "mysql", "dynamodb". */
const char *audit_kind_of_store(const struct audit_store *store);
/* Whether the table is there and as it must be, now: 1, 0 when there is none to ask about. */
int audit_try(struct audit_store *store, struct err *e) WARN_UNUSED;

/* --- read --- */
struct audit_entry {
	char *id, *event, *description, *source_ip;
	char *organization_id;				/* NULL: the installation's, or a list of one organization */
	char *user_id, *login, *name;			/* NULL: nobody signed in */
	char *token_id, *token_name;			/* the name is NULL when the token is gone */
	int64_t created_at;
};

struct audit_filter {
	const char *organization_id;
	const char *event, *user_id;	/* NULL: any */
	int64_t from_us, until_us;	/* [from, until), to the millisecond; -1: open */
	const char *before;		/* goes on behind this id; NULL: from the newest */
};

/* The user with that login, for the filter. 404 when there is none. */
int audit_find_user(struct db *db, const char *login, struct arena *arena, const char **ret_id,
		    struct err *e) WARN_UNUSED;
/* What matches, newest first, at most `limit`. */
int audit_list(struct audit_store *store, struct db *db, const struct audit_filter *f, int64_t limit, struct arena *arena,
	       struct audit_entry **ret_list, size_t *ret_count, struct err *e) WARN_UNUSED;
/* The same, one by one: `row` is a struct audit_entry. */
int audit_each(struct audit_store *store, struct db *db, const struct audit_filter *f, int64_t limit, db_row_function *each,
	       void *context, struct err *e) WARN_UNUSED;

/*
 * Everything in a store that is not the database, in no order: `entry` has no names. NULL for it: an item that this server
 * did not write; `key` tells which. Does nothing for the database.
 */
typedef int audit_scan_function(void *context, const char *key, const struct audit_entry *entry, struct err *e);
int audit_scan(struct audit_store *store, audit_scan_function *each, void *context, struct err *e) WARN_UNUSED;

#endif
