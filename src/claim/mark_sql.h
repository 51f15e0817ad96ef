/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLAIM_MARK_SQL_H
#define CLAIM_MARK_SQL_H

#include "claim/mark.h"

/*
 * For the WHERE of a statement that changes rows: such a statement reads what is committed, not a snapshot. Takes the
 * owner and the digest.
 */
#define MARK_NONE "NOT EXISTS (SELECT 1 FROM swept_objects m WHERE m.owner_id = ? AND m.sha256 = ?)"

struct mark_row {
	char *owner_id;
};

extern const struct stmt MARK_ANNOUNCE, MARK_ANNOUNCE_AGAIN, MARK_BEGIN, MARK_END, MARK_REMOVE, MARK_TAKE_AWAY, MARK_FIND, MARK_FORGET_OLD;
extern const struct db_column mark_columns[];

#endif
