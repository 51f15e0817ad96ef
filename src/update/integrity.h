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

/* The JSON of one resource; the text must live until integrity_done. */
void integrity_add(struct integrity *i, struct span resource);
/* The sentence, owned by the checker; NULL when every rule holds. */
const char *integrity_finish(struct integrity *i);
void integrity_done(struct integrity *i);

#endif
