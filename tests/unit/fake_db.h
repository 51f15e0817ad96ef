/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A database that is a list of expectations: each call must be the next one expected, by the statement's
 * name and its arguments, and gets the rows that were prepared for it. Link its object before the
 * archives; it takes the place of src/db.
 *
 *	fake_expect("stack.lock_by_path", "'org' 'project/stack' 'project' 'stack'");
 *	fake_row("id=s1", "version=4", NULL);
 *	fake_expect("update.end", "'failed' * 3 'u1'");
 *	fake_changed(1);
 *	…
 *	fake_done();
 *
 * Arguments read: 'text', a whole number, @microseconds for a time, #length for bytes, NULL; * is any.
 */
#ifndef TESTS_UNIT_FAKE_DB_H
#define TESTS_UNIT_FAKE_DB_H

#include "db/db.h"

/* The handle that modules are given. */
struct db *fake_db(void);
/* The next call. Its answer, unless told otherwise: no row, or one row changed. */
void fake_expect(const char *statement, const char *arguments);
/* A row of the last expectation: "column=value" texts, NULL at the end; columns left out are NULL. */
void fake_row(const char *first, ...) __attribute__((sentinel));
void fake_changed(int64_t rows);
/* The last expectation violates a unique key. */
void fake_duplicate(void);
void fake_fails(enum err_kind kind);
/* Everything expected has happened; forgets it. */
void fake_done(void);
/* Transactions that were begun, committed and rolled back since the last fake_done. */
struct fake_transactions {
	int begun, committed, rolled_back;
};
struct fake_transactions fake_transactions(void);

#endif
