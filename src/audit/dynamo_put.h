/* SPDX-License-Identifier: Apache-2.0 */
/* The body of BatchWriteItem and its answer. */
#ifndef AUDIT_DYNAMO_PUT_H
#define AUDIT_DYNAMO_PUT_H

#include "audit/audit.h"

/* Appends the request that puts those records whose `done` is false. */
void dynamo_put_body(const char *table, const struct audit_entry *list, size_t count, const bool *done, struct buffer *out);
/*
 * Marks as done what was asked for and the answer does not give back as unprocessed: 1 nothing came back, 0 something did,
 * -1 it is no answer of BatchWriteItem, and nothing is marked.
 */
int dynamo_put_answer(struct span answer, const char *table, const struct audit_entry *list, size_t count, bool *done,
		      struct err *e) WARN_UNUSED;

#endif
