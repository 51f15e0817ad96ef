/* SPDX-License-Identifier: Apache-2.0 */
/* What a keeper of the audit log implements, and what the keepers share. */
#ifndef AUDIT_PROVIDER_H
#define AUDIT_PROVIDER_H

#include "audit/audit.h"

/* Ids sort by time: a range of time is a range of ids, [from, until). */
struct audit_bounds {
	char from[UUID_TEXT], until[UUID_TEXT];
};

struct audit_provider {
	const char *kind;
	/* 1; -1 with a sentence in e->detail that starts with `name`. The store starts with struct audit_store. */
	int (*open)(const char *name, const char *table, struct audit_store **ret_store, struct err *e);
	void (*close)(struct audit_store *store);
	int (*try)(struct audit_store *store, struct err *e);
	/* What is inside the bounds, newest first, at most `limit`; with names. */
	int (*list)(struct audit_store *store, struct db *db, const struct audit_filter *f, const struct audit_bounds *b,
		    int64_t limit, struct arena *arena, struct audit_entry **ret_list, size_t *ret_count, struct err *e);
	/* The same, one by one. NULL: it is listed in pages. */
	int (*each)(struct db *db, const struct audit_filter *f, const struct audit_bounds *b, int64_t limit, db_row_function *each,
		    void *context, struct err *e);
	/*
	 * Keeps up to AUDIT_PUT records for good; putting one again changes nothing. ret_put says which were acknowledged, also
	 * when it fails: 1 all of them, 0 the store took only some. NULL: records stay where they were written.
	 */
	int (*put)(struct audit_store *store, const struct audit_entry *list, size_t count, bool *ret_put, struct err *e);
	int (*scan)(struct audit_store *store, audit_scan_function *each, void *context, struct err *e);
};

#define AUDIT_PUT 25	/* the most that BatchWriteItem takes */

struct audit_store {
	const struct audit_provider *provider;
	const char *table;	/* its name; the provider's, "" for the database */
	struct observer observer;
};

extern const struct audit_provider audit_mysql, audit_dynamo;

#endif
