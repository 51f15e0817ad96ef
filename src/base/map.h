/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash map from bytes to pointers. Keys are not copied: they live as long as the map. Seeded, so
 * that who chooses the keys cannot choose the collisions.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stdint.h>

#include "base/buffer.h"

struct map_slot {
	struct span key;	/* data NULL: empty */
	uint64_t hash;
	void *value;
};

struct map {
	struct map_slot *slots;
	size_t count, capacity;
};

#define MAP_INIT { 0 }

/* Where the key's value is kept: NULL in it when the key is new. Valid until the next put. */
void **map_put(struct map *m, struct span key);
/* NULL when the key is absent (or its value is NULL). */
void *map_get(const struct map *m, struct span key);
/* Forgets everything; accepts a zeroed map. Usable as _cleanup_(map_done). */
void map_done(struct map *m);

#endif
