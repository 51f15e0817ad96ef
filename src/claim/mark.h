/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Marks on objects that the sweep deletes. An object's name is its digest: while the sweep deletes an old one
 * that nobody names, a writer may write the same name again and name it. A store cannot always decide between
 * the two, so the database does. The sweep commits a mark, waits a moment, begins, looks once more, deletes,
 * ends. Each statement that names an object demands in its WHERE that there is no mark (MARK_NONE): that costs
 * a look at a primary key and no round trip. Either the writer's object was there before the mark, then the
 * sweep sees that it is young and leaves it; or the writer finds the mark, takes it away, and writes its
 * object again. A mark that was not begun can be taken away at once, since the sweep then finds none to begin;
 * one that was ended, too; one between the two is waited for, or void when its sweep has died long ago.
 */
#ifndef CLAIM_MARK_H
#define CLAIM_MARK_H

#include "crypto/crypto.h"
#include "db/db.h"

/* What a mark is on: the object's stack or update, and the digest in its name (SHA256_BYTES). */
struct mark {
	const char *owner_id;
	struct span sha256;
	const char *sweep_id;	/* of the sweep whose mark it is; writers leave it out */
};

#define MARK_SECONDS 600	/* no deletion that was begun takes longer; then its sweep is dead, and so is its request */
#define MARK_GRACE_SECONDS 1	/* between mark and beginning: until every host of a cluster sees the mark */

/* --- for the sweep; none of these in a transaction --- */
/* 1 marked, 0 another sweep is at it, or the place is too busy now. */
int mark_announce(struct db *db, const struct mark *m, struct err *e) WARN_UNUSED;
/* 1 it may be deleted within MARK_SECONDS / 2; 0 the mark was taken away: leave it. */
int mark_begin(struct db *db, const struct mark *m, struct err *e) WARN_UNUSED;
/* What became of it. When nobody knows the mark is left alone. */
int mark_end(struct db *db, const struct mark *m, bool deleted, struct err *e) WARN_UNUSED;
/* Deletes marks of a day ago: no transaction lasts that long. */
int mark_forget_old(struct db *db, struct err *e) WARN_UNUSED;

/* --- for writers, whose statement changed no row --- */
/*
 * Outside of a transaction: 1 there was a mark and it is gone, so the object must be written again; 0 there is none.
 * Waits for a deletion in hand, at most a few seconds: then ERR_UNAVAILABLE.
 */
int mark_settle(struct db *db, const struct mark *m, struct err *e) WARN_UNUSED;
/* In a transaction: takes it back, settles, and answers -1 with ERR_RETRY: all of it is done again, the object too. */
int mark_retry(struct db *db, const struct mark *m, struct err *e);

#endif
