/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shape that the table of the audit log must have: hash key org_id, range key timestamp_id, and an index org_user of
 * org_user_id and timestamp_id with all attributes; every key a text.
 */
#ifndef AUDIT_DYNAMO_TABLE_H
#define AUDIT_DYNAMO_TABLE_H

#include "audit/audit.h"
#include "base/arena.h"

#define DYNAMO_INDEX "org_user"

/* The answer of DescribeTable: 1, or -1 with a sentence in e->detail that starts with `setting` and says what differs. */
int dynamo_table_check(struct span answer, const char *setting, const char *table, struct err *e) WARN_UNUSED;

#endif
