/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of src/verify share. */
#ifndef VERIFY_INTERNAL_H
#define VERIFY_INTERNAL_H

#include "base/buffer.h"
#include "verify/verify.h"
#include "verify/verify_sql.h"

/* Counts and reports a problem. */
void verify_problem(struct verify *v, const char *where, const char *format, ...) PRINTF_LIKE(3, 4);
/* An error about one thing becomes its problem: 1; -1 with *e set when it says that nothing can be looked at. */
int verify_blame(struct verify *v, const char *where, const struct err *why, struct err *e) WARN_UNUSED;

/* Calls `each` for the rows of a statement that takes the last id and pages by it. */
typedef int verify_each(struct verify *v, const struct verify_row *row, struct err *e);
int verify_pages(struct verify *v, const struct stmt *s, const struct db_column *columns, verify_each *each, struct err *e) WARN_UNUSED;

int verify_rows(struct verify *v, struct err *e) WARN_UNUSED;
int verify_stacks(struct verify *v, struct err *e) WARN_UNUSED;
int verify_batches(struct verify *v, struct err *e) WARN_UNUSED;
int verify_running(struct verify *v, struct err *e) WARN_UNUSED;
int verify_configurations(struct verify *v, struct err *e) WARN_UNUSED;
int verify_policies(struct verify *v, struct err *e) WARN_UNUSED;
int verify_packs(struct verify *v, struct err *e) WARN_UNUSED;
int verify_audit(struct verify *v, struct err *e) WARN_UNUSED;
int verify_keys(struct verify *v, struct err *e) WARN_UNUSED;

#endif
