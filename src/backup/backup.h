/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole installation in a folder, and back into an empty one. A backup is one moment: every row is read in
 * one snapshot while updates run, and the objects that those rows name are immutable. The folder has
 *   tables/NAME-NNNN.gz   rows, a JSON list of texts a line; bytes in base64
 *   objects/KEY           objects as they are stored, compressed
 *   objects-NNNN.gz       key, SHA-256 and length of each
 *   manifest.json         the SHA-256 of every part, the migrations, the master keys that are needed; written
 *                         last: a folder without it is no backup
 * The master keys are not in it. Whoever calls holds the claim on objects, so that none is deleted between
 * its row and itself.
 */
#ifndef BACKUP_BACKUP_H
#define BACKUP_BACKUP_H

#include "base/app.h"
#include "base/arena.h"
#include "base/err.h"

struct backup_counts {
	int64_t rows, objects, bytes;	/* bytes of objects */
	int64_t missing;		/* objects that a row names and that are not there */
};

struct backup {
	struct app *app;
	const char *folder;
	/* Called often: what it works on, and how many more of them are done. */
	void (*seen)(void *context, const char *what, int64_t more);
	/* An object that a row names is missing: the backup goes on without it. */
	void (*lost)(void *context, const char *key);
	void *context;
	struct backup_counts counts;
	char digest[65];		/* SHA-256 of the manifest, hex */
	bool resumed;			/* the restore went on where an interrupted one had stopped */
	/*
	 * The table outside the database that keeps the audit log, "" for none: the caller's when a backup is written, the
	 * backup's when it is read. What is in that table is not in the backup.
	 */
	char audit_table[256];
};

/* Into a folder that is new or empty. Durable when it returns 1. */
int backup_write(struct backup *b, struct err *e) WARN_UNUSED;
/* Reads all of it and compares the digests; changes nothing. */
int backup_check(struct backup *b, struct err *e) WARN_UNUSED;
/*
 * Into an installation that has the schema and nothing else, and the master keys; refuses any other. `check_only`:
 * everything but the writing. Users come last, and until the end every program but this refuses to start. Interrupted
 * anywhere, it goes on when it is called again with the same backup: how many lines of a part are rows is committed
 * with them; objects that are there are read and compared. Refuses when something else was changed meanwhile.
 */
int backup_restore(struct backup *b, bool check_only, struct err *e) WARN_UNUSED;

#endif
