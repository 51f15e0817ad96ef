/* SPDX-License-Identifier: Apache-2.0 */
#include "base/map.h"

#include <stdlib.h>

#include "base/arena.h"

static uint64_t hash_of(const struct map *m, struct span key)
{
	uint64_t h = (uint64_t)(uintptr_t)m ^ key.length * 0x9e3779b97f4a7c15ULL, word;
	const char *p = key.data;
	size_t left = key.length;

	for (; left >= 8; left -= 8, p += 8) {
		memcpy(&word, p, 8);
		h = (h ^ word) * 0xff51afd7ed558ccdULL;
		h ^= h >> 32;
	}
	word = 0;
	if (left)
		memcpy(&word, p, left);
	h = (h ^ word) * 0xc4ceb9fe1a85ec53ULL;
	return h ^ h >> 29;
}

/* The key's slot, or the empty one where it belongs. */
static struct map_slot *slot_of(const struct map *m, struct span key, uint64_t hash)
{
	size_t at = hash & (m->capacity - 1);

	while (m->slots[at].key.data && (m->slots[at].hash != hash || !span_equal(m->slots[at].key, key)))
		at = (at + 1) & (m->capacity - 1);
	return &m->slots[at];
}

static void grow(struct map *m)
{
	struct map old = *m;

	m->capacity = old.capacity ? 2 * old.capacity : 64;
	m->slots = xcalloc(m->capacity, sizeof(*m->slots));
	for (size_t i = 0; i < old.capacity; i++)
		if (old.slots[i].key.data)
			*slot_of(m, old.slots[i].key, old.slots[i].hash) = old.slots[i];
	free(old.slots);
}

void **map_put(struct map *m, struct span key)
{
	uint64_t hash = hash_of(m, key);
	struct map_slot *slot;

	if (m->count >= m->capacity / 2)
		grow(m);
	slot = slot_of(m, key, hash);
	if (!slot->key.data) {
		*slot = (struct map_slot){ key.data ? key : SPAN(""), hash, NULL };
		m->count++;
	}
	return &slot->value;
}

void *map_get(const struct map *m, struct span key)
{
	return m->count ? slot_of(m, key, hash_of(m, key))->value : NULL;
}

void map_done(struct map *m)
{
	free(m->slots);
	*m = (struct map)MAP_INIT;
}
