/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sweep of a store in which nobody writes a name again once it is garbage, so that no marks (claim/mark.h) are needed: a look at
 * the rows, and a deletion of what is still old.
 */
#ifndef RETENTION_SWEEP_STORE_H
#define RETENTION_SWEEP_STORE_H

#include "retention/retention.h"

struct store_sweep {
	struct app *app;
	struct blob_store *store;
	int64_t before_us;
	bool (*going)(void *context);
	void *context;
	struct swept *swept;
	/* 1 when a row names it, or still may, or it is none of ours; 0 when it is garbage. */
	int (*is_named)(struct app *app, const char *key, int64_t before_us, struct err *e);
};

/* Below `prefix`, and what dead processes were writing. */
int sweep_store(struct store_sweep *s, const char *prefix, struct err *e) WARN_UNUSED;

#endif
