/* SPDX-License-Identifier: Apache-2.0 */
/* The audit log: who did what to which thing, written in the transaction of the change itself. */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include "crypto/crypto.h"
#include "db/db.h"

struct audit_event {
	const char *organization_id;	/* NULL: concerns the installation */
	const char *user_id, *token_id;	/* NULL: nobody signed in */
	const char *event;		/* the operation, e.g. delete_stack */
	const char *description, *source_ip;
	int64_t created_at;		/* microseconds since 1970, UTC */
};

int audit_record(struct db *db, const struct audit_event *event, struct err *e) WARN_UNUSED;

#endif
