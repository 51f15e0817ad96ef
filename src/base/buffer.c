/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/arena.h"

char *buffer_reserve(struct buffer *b, size_t more)
{
	size_t need = b->length + more + 1;

	if (need > b->capacity) {
		size_t grown = b->capacity + b->capacity / 2;

		b->capacity = need > grown ? need : grown;
		b->data = xrealloc(b->data, b->capacity);
	}
	return b->data + b->length;
}

void buffer_append(struct buffer *b, const void *data, size_t length)
{
	char *to = buffer_reserve(b, length);

	if (length)
		memcpy(to, data, length);
	b->length += length;
	b->data[b->length] = '\0';
}

void buffer_puts(struct buffer *b, const char *text)
{
	buffer_append(b, text, strlen(text));
}

void buffer_putc(struct buffer *b, char c)
{
	buffer_append(b, &c, 1);
}

void buffer_printf(struct buffer *b, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	buffer_reserve(b, (size_t)n);
	va_start(args, format);
	vsnprintf(b->data + b->length, (size_t)n + 1, format, args);
	va_end(args);
	b->length += (size_t)n;
}

void buffer_clear(struct buffer *b)
{
	b->length = 0;
	if (b->data)
		b->data[0] = '\0';
}

void buffer_done(struct buffer *b)
{
	free(b->data);
	*b = (struct buffer)BUFFER_INIT;
}

static int buffer_sink_write(struct sink *self, const void *data, size_t length, struct err *e)
{
	struct buffer_sink *s = (struct buffer_sink *)self;

	if (length > s->limit - s->buffer->length || s->buffer->length > s->limit)
		return err_set(e, ERR_TOO_LARGE,
			       "Request Entity Too Large: more than %zu bytes; send less at a time",
			       s->limit);
	buffer_append(s->buffer, data, length);
	return 1;
}

void buffer_sink_init(struct buffer_sink *s, struct buffer *b, size_t limit)
{
	s->sink.write = buffer_sink_write;
	s->buffer = b;
	s->limit = limit;
}
