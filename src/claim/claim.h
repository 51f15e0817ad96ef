/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work that one process of the whole installation may do at a time: a migration, a backup, the sweep.
 * A claim is a row that is taken by compare-and-swap and runs out by itself, on the clock of the
 * database, when its holder dies. No GET_LOCK: clusters do not have it.
 */
#ifndef CLAIM_CLAIM_H
#define CLAIM_CLAIM_H

#include <sys/types.h>

#include "crypto/crypto.h"
#include "db/db.h"

#define CLAIM_SECONDS 30	/* a claim lives this long without renewal */
#define CLAIM_SCHEMA "schema"	/* changing the schema */
#define CLAIM_OBJECTS "objects"	/* deleting objects, or relying on that nobody does */

struct claim {
	const char *name;
	char holder[UUID_TEXT];
	pid_t keeper;		/* the process that renews it; 0: none */
};

/*
 * 1 taken, 0 somebody else has it: *ret_holder then says who (program, host, process). `what` is the program.
 * The claim must not live in a transaction.
 */
int claim_take(struct db *db, const char *name, const char *what, struct arena *arena, struct claim *ret_claim,
	       const char **ret_holder, struct err *e) WARN_UNUSED;
/* The same, but waits until it is free, and says on standard error what it waits for. */
int claim_wait(struct db *db, const char *name, const char *what, struct claim *ret_claim, struct err *e) WARN_UNUSED;
/* Another CLAIM_SECONDS: 1, or 0 when it was lost to somebody else. */
int claim_renew(struct db *db, const struct claim *claim, struct err *e) WARN_UNUSED;
/* Renews it from a process with a connection of its own, for work that cannot stop to do so. */
int claim_keep(const struct db_config *config, struct claim *claim, struct err *e) WARN_UNUSED;
/* Gives it back; for a claim that was lost, or never taken, this does nothing. */
void claim_release(struct db *db, struct claim *claim);

#endif
