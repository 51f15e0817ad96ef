/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Brings records from the database to the store that keeps the log. A record is put, then marked (audit_shipped), and its
 * row goes a while later; whoever dies between two of these steps has it put again, which changes nothing. Two hosts may
 * ship at once. For a store that is the database itself there is nothing to do.
 */
#ifndef AUDIT_SHIP_H
#define AUDIT_SHIP_H

#include "audit/audit.h"

/* How long a row stays behind its mark: the index of the table follows the table by less than that. */
#define AUDIT_STAYS_SECONDS 600

struct audit_shipping {
	char after[UUID_TEXT];		/* those up to this id were looked at; "" at first */
	int64_t shipped, removed;	/* so far */
};

/* Whether records go from the database to the store at all. */
bool audit_ships(const struct audit_store *store);
/* Puts and marks some records, oldest first: 1, or 0 when none waits behind `after`. Adds to *ret_shipping. */
int audit_ship(struct audit_store *store, struct db *db, struct audit_shipping *ret_shipping, struct err *e) WARN_UNUSED;
/* When the oldest record that is not in the store yet was written: 1, or 0 when none waits. */
int audit_waits_since(struct audit_store *store, struct db *db, int64_t *ret_us, struct err *e) WARN_UNUSED;
/* Removes some rows that were marked AUDIT_STAYS_SECONDS ago: 1, or 0 when none is left. */
int audit_remove_shipped(struct audit_store *store, struct db *db, struct audit_shipping *ret_shipping, struct err *e) WARN_UNUSED;

struct audit_fetched {
	bool dry_run;		/* counts, and changes nothing */
	int64_t records;	/* of the table */
	int64_t fetched;	/* that were not in the database */
	int64_t strange;	/* items that this server did not write */
};
/* Copies every record of the store into the database, for an installation that goes back; can be made again. */
int audit_fetch(struct audit_store *store, struct db *db, struct audit_fetched *ret_done, struct err *e) WARN_UNUSED;

#endif
