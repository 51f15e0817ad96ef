/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record of the audit log as an item of the table. Its keys say nothing but what the record's id and organization say, so
 * that putting it again puts the same item in the same place:
 *   org_id        the organization's id, or AUDIT_INSTALLATION
 *   timestamp_id  TIME_ID: the milliseconds of the id (RFC 3339, UTC) and the id; sorts as ids do
 *   org_user_id   ORGANIZATION_USER; not there when nobody had signed in
 */
#ifndef AUDIT_DYNAMO_ITEM_H
#define AUDIT_DYNAMO_ITEM_H

#include "audit/audit.h"
#include "base/arena.h"
#include "base/clock.h"

#define AUDIT_INSTALLATION "installation"
#define DYNAMO_KEY (TIME_TEXT + UUID_TEXT)

/* timestamp_id of a record. */
void dynamo_key(const char *id, char ret_key[DYNAMO_KEY]);
/*
 * What timestamp_id is not below and not above when the id is in [from, until): ids, or the starts of some, or "" and "~"
 * for no bound. A little wide: who reads compares the ids.
 */
void dynamo_range(const char *from, const char *until, char ret_from[DYNAMO_KEY], char ret_until[DYNAMO_KEY]);

/* Appends {"org_id": {"S": …}, …}. */
void dynamo_item_write(const struct audit_entry *entry, struct buffer *out);
/* The texts live in the arena; no names. 1, or 0 when it is none of ours: members are missing, or the keys say otherwise. */
int dynamo_item_read(struct span item, struct arena *arena, struct audit_entry *ret_entry);
/* The text of an attribute of type S or N, in the arena; NULL when there is none. */
const char *dynamo_text(struct span item, const char *name, struct arena *arena);
/* Appends "name": {"S": "text"}. */
void dynamo_put_text(struct buffer *out, const char *name, const char *text);

#endif
