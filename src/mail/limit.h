/* SPDX-License-Identifier: Apache-2.0 */
/* How often something may happen in an hour, counted in the database: for all processes and hosts together. */
#ifndef MAIL_LIMIT_H
#define MAIL_LIMIT_H

#include "db/db.h"

/* Counts one more of `what`, at most `most` in this hour: 1, or 0 when there were as many already. Fits into a transaction. */
int limit_take(struct db *db, const char *what, int64_t most, int64_t now_us, struct err *e) WARN_UNUSED;
/* The same, with 429 in a sentence. */
int limit_check(struct db *db, const char *what, int64_t most, int64_t now_us, struct err *e) WARN_UNUSED;

#endif
