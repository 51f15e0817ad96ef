/* SPDX-License-Identifier: Apache-2.0 */
/* The names of what the audit log records. */
#ifndef AUDIT_EVENT_H
#define AUDIT_EVENT_H

#include <stdbool.h>

enum audit_by { BY_ANYONE, BY_STACK_ADMIN, BY_ORG_ADMIN };

struct audit_kind {
	const char *operation, *event, *title;
	enum audit_by by;
};

/* The event of an operation; the operation itself when it has no other name. */
const char *audit_event_of(const char *operation);
/* What is known about an event; never NULL: an unknown one is its own title. */
struct audit_kind audit_kind_of(const char *event);

#endif
