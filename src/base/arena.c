/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_BYTES 8192

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	_Alignas(max_align_t) unsigned char data[];
};

struct arena_deferred {
	struct arena_deferred *next;
	void (*release)(void *);
	void *resource;
};

static void out_of_memory(size_t size)
{
	fprintf(stderr, "level=fatal msg=\"out of memory\" bytes=%zu\n", size);
	abort();
}

void *xmalloc(size_t size)
{
	void *p = malloc(size ? size : 1);

	if (!p)
		out_of_memory(size);
	return p;
}

void *xcalloc(size_t count, size_t size)
{
	void *p = calloc(count ? count : 1, size ? size : 1);

	if (!p)
		out_of_memory(size);
	return p;
}

void *xrealloc(void *old, size_t size)
{
	void *p = realloc(old, size ? size : 1);

	if (!p)
		out_of_memory(size);
	return p;
}

char *xstrdup(const char *text)
{
	size_t n = strlen(text) + 1;

	return memcpy(xmalloc(n), text, n);
}

void freep(void *pointer_to_pointer)
{
	free(*(void **)pointer_to_pointer);
}

static struct arena_block *block_new(size_t size)
{
	struct arena_block *b = xmalloc(sizeof(*b) + size);

	b->used = 0;
	b->size = size;
	return b;
}

/* A piece larger than a block gets a block of its own behind the current one. */
static struct arena_block *block_for(struct arena *a, size_t size)
{
	struct arena_block *b = a->blocks;

	if (b && b->size - b->used >= size)
		return b;

	b = block_new(size > BLOCK_BYTES ? size : BLOCK_BYTES);
	if (size > BLOCK_BYTES && a->blocks) {
		b->next = a->blocks->next;
		a->blocks->next = b;
	} else {
		b->next = a->blocks;
		a->blocks = b;
	}
	return b;
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t align = _Alignof(max_align_t);
	struct arena_block *b;
	void *p;

	if (size > SIZE_MAX - 2 * BLOCK_BYTES)
		out_of_memory(size);
	size = (size + align - 1) / align * align;
	b = block_for(a, size);
	p = b->data + b->used;
	b->used += size;
	return memset(p, 0, size);
}

char *arena_strndup(struct arena *a, const char *text, size_t length)
{
	char *p = arena_alloc(a, length + 1);

	if (length)
		memcpy(p, text, length);
	return p;
}

char *arena_strdup(struct arena *a, const char *text)
{
	return arena_strndup(a, text, strlen(text));
}

char *arena_printf(struct arena *a, const char *format, ...)
{
	va_list args;
	int n;
	char *p;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	p = arena_alloc(a, (size_t)n + 1);
	va_start(args, format);
	vsnprintf(p, (size_t)n + 1, format, args);
	va_end(args);
	return p;
}

void arena_defer(struct arena *a, void (*release)(void *), void *resource)
{
	struct arena_deferred *d = arena_alloc(a, sizeof(*d));

	d->release = release;
	d->resource = resource;
	d->next = a->deferred;
	a->deferred = d;
}

void arena_clear(struct arena *a)
{
	struct arena_deferred *d = a->deferred;
	struct arena_block *b, *next;

	a->deferred = NULL;
	for (; d; d = d->next)
		d->release(d->resource);
	for (b = a->blocks; b; b = next) {
		next = b->next;
		free(b);
	}
	a->blocks = NULL;
}
