/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory with one owner and one end. An arena hands out pieces and frees them all at once;
 * foreign resources are deferred onto it and released, last first, when it is cleared.
 * Allocation never returns NULL: without memory the process says so and ends (the web server
 * starts another). Not for buffers of a client-controlled size that grow: see base/buffer.h.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include <stddef.h>

struct arena_block;
struct arena_deferred;

struct arena {
	struct arena_block *blocks;
	struct arena_deferred *deferred;
};

#define ARENA_INIT { 0 }

/* Zeroed memory, aligned for any type, alive until arena_clear. */
void *arena_alloc(struct arena *a, size_t size);
char *arena_strdup(struct arena *a, const char *text);
char *arena_strndup(struct arena *a, const char *text, size_t length);
char *arena_printf(struct arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Calls `release(resource)` when the arena is cleared. */
void arena_defer(struct arena *a, void (*release)(void *), void *resource);

/* Runs the deferred releases and frees everything. The arena can be used again. */
void arena_clear(struct arena *a);

/* The process-ending allocators for memory that is not an arena's. */
void *xmalloc(size_t size);
void *xcalloc(size_t count, size_t size);
void *xrealloc(void *old, size_t size);
char *xstrdup(const char *text);

/* For owned locals: `_cleanup_(freep) char *text = …;` */
void freep(void *pointer_to_pointer);
#define _cleanup_(f) __attribute__((cleanup(f)))

/* Moves ownership out of a cleaned-up local. */
#define TAKE(p)                                                                                    \
	({                                                                                         \
		__typeof__(p) taken_ = (p);                                                        \
		(p) = NULL;                                                                        \
		taken_;                                                                            \
	})

#endif
