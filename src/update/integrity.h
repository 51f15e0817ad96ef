/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules that the command line checks before it works with a state: it refuses one that breaks them.
 * Resources are added in their order; the first rule broken is remembered as a sentence.
 */
#ifndef UPDATE_INTEGRITY_H
#define UPDATE_INTEGRITY_H

#include "base/arena.h"
#include "base/map.h"

/* Starts zeroed. */
struct integrity {
	struct arena arena;
	struct map urns, providers;
	size_t count;
	struct span missing;	/* the reference that was not there yet; data NULL: none */
	char *problem;		/* NULL: none so far */
	const char *later;	/* what to say when the missing one comes after all */
};

/* What resource_pick found in the next resource; its text must live until integrity_done. */
void integrity_add(struct integrity *i, const struct span *values);
/* The sentence, owned by the checker; NULL when every rule holds. */
const char *integrity_finish(struct integrity *i);
/* It can be used anew. */
void integrity_done(struct integrity *i);

#endif
