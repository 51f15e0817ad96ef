/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks every row and every object of an installation and says what does not fit. Changes nothing and may run
 * beside a server: what must agree is read in one statement. Whoever calls it holds the claim on objects, so
 * that none is deleted between its row and itself.
 */
#ifndef VERIFY_VERIFY_H
#define VERIFY_VERIFY_H

#include "base/app.h"
#include "base/err.h"

struct verify_counts {
	int64_t stacks, checkpoints, bytes, journals, batches, keys, policy_packs, problems;
	int64_t configurations, policies;	/* that are objects */
	int64_t audit_records;	/* in a table outside the database */
};

struct verify {
	struct app *app;
	/* One thing that does not fit: which ("stack acme/web/prod"), and a sentence. */
	void (*found)(void *context, const char *where, const char *problem);
	/* Called often: what it looks at, and how many more of them it has seen. */
	void (*seen)(void *context, const char *what, int64_t more);
	void *context;
	struct verify_counts counts;
};

/* 1, with the problems counted; -1 when it could not look at all: the database or the object store is away. */
int verify_installation(struct verify *v, struct err *e) WARN_UNUSED;

#endif
