/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log: who did what to which thing, written in the transaction of the change itself; never changed. */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

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

/* --- read --- */
struct audit_entry {
	char *id, *event, *description, *source_ip;
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
int audit_list(struct db *db, const struct audit_filter *f, int64_t limit, struct arena *arena,
	       struct audit_entry **ret_list, size_t *ret_count, struct err *e) WARN_UNUSED;
/* The same, one by one: `row` is a struct audit_entry. */
int audit_each(struct db *db, const struct audit_filter *f, int64_t limit, db_row_function *each, void *context,
	       struct err *e) WARN_UNUSED;

#endif
