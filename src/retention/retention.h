/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an installation no longer needs: journals of updates that ended, objects that no row names, tokens
 * that ran out, stacks deleted long ago. Each call does a bounded piece and is made again until it answers 0;
 * two hosts may do the same piece at once. Refuses to touch anything that a row still names.
 */
#ifndef RETENTION_RETENTION_H
#define RETENTION_RETENTION_H

#include "base/app.h"
#include "crypto/crypto.h"
#include "db/db.h"

struct compacted {
	int64_t updates, rows;
};
/*
 * Deletes the journals of some updates that ended before `before_us`: their states are objects by now. Adds
 * to *ret_done. 1 when there was one, 0 when none is left.
 */
int retention_compact_journals(struct db *db, int64_t before_us, struct compacted *ret_done, struct err *e) WARN_UNUSED;

/* Deletes some access and refresh tokens that expired before `before_us`, and adds to *ret_tokens: 1, or 0 when none is left. */
int retention_purge_tokens(struct db *db, int64_t before_us, int64_t *ret_tokens, struct err *e) WARN_UNUSED;

/*
 * A step in the end of a stack that was deleted before `before_us`. The first takes it from its organization,
 * and its key, so that nobody restores half of it; the next ones its history; the last one its objects and
 * its row. 1 when there was a step, 0 when no stack is left. The last step of a stack adds to *ret_stacks.
 */
int retention_purge_stack(struct app *app, int64_t before_us, int64_t *ret_stacks, struct err *e) WARN_UNUSED;

struct swept {
	int64_t objects, bytes;	/* deleted */
	int64_t kept;		/* named by a row, or young */
};
/*
 * Deletes objects that were written before `before_us` and that no row names. An object is written before the
 * row that names it: `before_us` must lie further back than any transaction or sweep lasts. `going` is asked
 * before each object whether to go on. Adds to *ret_swept. An object that is written anew and named at any moment
 * of this stays, whatever the store (claim/mark.h); killed at any point it leaves marks that hold up nobody but a
 * writer of the very object that was being deleted, and that for MARK_SECONDS at most.
 */
int retention_sweep(struct app *app, int64_t before_us, bool (*going)(void *context), void *context,
		    struct swept *ret_swept, struct err *e) WARN_UNUSED;

/*
 * The same in the stores of engine events and of service metadata, where there are such: batches, configurations and auth policies
 * that no row names, and what dead processes were writing. They may be the store of the checkpoints; nothing else in it is touched.
 */
int retention_sweep_row_objects(struct app *app, int64_t before_us, bool (*going)(void *context), void *context,
			    struct swept *ret_swept, struct err *e) WARN_UNUSED;

/*
 * The same in the store of policy packs, where there is one. Versions whose publication was begun before `before_us` and never
 * completed are forgotten first.
 */
int retention_sweep_packs(struct app *app, int64_t before_us, bool (*going)(void *context), void *context, struct swept *ret_swept,
			  struct err *e) WARN_UNUSED;

#endif
