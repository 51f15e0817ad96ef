/* SPDX-License-Identifier: Apache-2.0 */
/* How often something may happen in an hour, counted in the database: for all processes and hosts together. */
#ifndef MAIL_LIMIT_H
#define MAIL_LIMIT_H

#include "db/db.h"

/* Counts one more of `what`, at most `most` in this hour: 1, or 0 when there were as many already. Fits into a transaction. */
int limit_take(struct db *db, const char *what, int64_t most, int64_t now_us, struct err *e) WARN_UNUSED;
/* The same for `times` more, all or none, with 429 in a sentence. */
int limit_check(struct db *db, const char *what, int64_t times, int64_t most, int64_t now_us, struct err *e) WARN_UNUSED;
/*
 * Counts one more of each of `count` different texts: ret_taken[i] says whether whats[i] has no more than `most` with it. What is
 * refused counts as well, which refuses nothing else. In a transaction.
 */
int limit_take_each(struct db *db, const char *const *whats, size_t count, int64_t most, int64_t now_us, bool *ret_taken,
		    struct err *e) WARN_UNUSED;

#endif
