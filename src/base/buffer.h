/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes: `struct span` looks at them, `struct buffer` owns and grows them, `struct sink` is
 * whoever takes them piece by piece. A buffer's data is always followed by a NUL byte that does
 * not count, so text can be handed to C functions.
 */
#ifndef BASE_BUFFER_H
#define BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "base/err.h"

/* A view of somebody else's bytes. An absent value has data == NULL. */
struct span {
	const char *data;
	size_t length;
};

#define SPAN(literal) ((struct span){ (literal), sizeof(literal) - 1 })
static inline struct span span_of(const char *text)
{
	return (struct span){ text, strlen(text) };
}
static inline bool span_equal(struct span a, struct span b)
{
	return a.length == b.length && (a.length == 0 || memcmp(a.data, b.data, a.length) == 0);
}

/* Characters of UTF-8 text, as the database counts them. */
static inline size_t text_characters(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += (*text & 0xc0) != 0x80;
	return n;
}

struct buffer {
	char *data;
	size_t length, capacity;
};

#define BUFFER_INIT { 0 }

/* Makes room for `more` further bytes (and the NUL) and returns where they go. */
char *buffer_reserve(struct buffer *b, size_t more);
void buffer_append(struct buffer *b, const void *data, size_t length);
void buffer_puts(struct buffer *b, const char *text);
void buffer_putc(struct buffer *b, char c);
void buffer_printf(struct buffer *b, const char *format, ...) PRINTF_LIKE(2, 3);
static inline struct span buffer_span(const struct buffer *b)
{
	return (struct span){ b->data, b->length };
}
/* Empties it but keeps the memory. */
void buffer_clear(struct buffer *b);
/* Frees the memory; accepts a zeroed buffer. Usable as _cleanup_(buffer_done). */
void buffer_done(struct buffer *b);

/* Takes bytes in order. `write` returns 1, or -1 with *e set; after a failure nothing more is written. */
struct sink {
	int (*write)(struct sink *self, const void *data, size_t length, struct err *e);
};

static inline int sink_write(struct sink *s, const void *data, size_t length, struct err *e)
{
	return s->write(s, data, length, e);
}

/* The sink that appends to a buffer, refusing to grow it beyond `limit` bytes (413). */
struct buffer_sink {
	struct sink sink;
	struct buffer *buffer;
	size_t limit;
};
void buffer_sink_init(struct buffer_sink *s, struct buffer *b, size_t limit);

#endif
