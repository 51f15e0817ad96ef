/* SPDX-License-Identifier: Apache-2.0 */
/* The names behind the ids of records that a store outside the database has: those of now, as the database's own log has. */
#ifndef AUDIT_NAMES_H
#define AUDIT_NAMES_H

#include "audit/audit.h"

/* Fills login, name and token_name; each person and each token is asked for once. Texts live in the arena. */
int audit_names(struct db *db, struct audit_entry *list, size_t count, struct arena *arena, struct err *e) WARN_UNUSED;

#endif
