/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an installation no longer needs: journals of updates that ended, objects that no row names, tokens
 * that ran out, stacks deleted long ago. Each call does one bounded piece and is made again until it answers
 * 0; two hosts may do the same piece at once. Refuses to touch anything that a row still names.
 */
#ifndef RETENTION_RETENTION_H
#define RETENTION_RETENTION_H

#include "base/app.h"
#include "crypto/crypto.h"
#include "db/db.h"

/*
 * Deletes up to `limit` journal rows of one update that ended before `before_us`: its state is an object by
 * now. 1 with the rows in *ret_rows, 0 when no such update has any.
 */
int retention_compact_journal(struct app *app, int64_t before_us, int64_t limit, int64_t *ret_rows,
			      struct err *e) WARN_UNUSED;

/* Deletes up to `limit` access tokens that expired before `before_us`: 1, or 0 when there are none. */
int retention_purge_tokens(struct db *db, int64_t before_us, int64_t limit, int64_t *ret_tokens,
			   struct err *e) WARN_UNUSED;

/*
 * A step in the end of a stack that was deleted before `before_us`. The first takes its row and its key, so that
 * it cannot be restored half; the next ones its history, the last one its objects. 1 when there was a step;
 * *ret_id names the stack when that step was its last, and is empty otherwise.
 */
int retention_purge_stack(struct app *app, int64_t before_us, char ret_id[UUID_TEXT], struct err *e) WARN_UNUSED;

struct swept {
	int64_t objects, bytes;	/* deleted */
	int64_t kept;		/* looked at and named by a row, or young */
};
/*
 * Deletes objects that are older than `before_us` and that no row names. An object is written before the row
 * that names it: `before_us` must lie further back than any transaction lasts. `going` is asked between
 * objects whether to go on. Adds to *ret_swept.
 */
int retention_sweep(struct app *app, int64_t before_us, bool (*going)(void *context), void *context,
		    struct swept *ret_swept, struct err *e) WARN_UNUSED;

#endif
