/* SPDX-License-Identifier: Apache-2.0 */
#include "json/write.h"

#include <inttypes.h>

/* Length of the valid UTF-8 sequence at p, 0 when it is none. */
static size_t utf8_length(const unsigned char *p, size_t left)
{
	unsigned char c = p[0];
	size_t n = c < 0x80 ? 1 : c >= 0xc2 && c <= 0xdf ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;

	if (n == 0 || n > left)
		return 0;
	for (size_t i = 1; i < n; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if (n == 3 && ((c == 0xe0 && p[1] < 0xa0) || (c == 0xed && p[1] > 0x9f)))
		return 0;
	if (n == 4 && ((c == 0xf0 && p[1] < 0x90) || (c == 0xf4 && p[1] > 0x8f)))
		return 0;
	return n;
}

bool json_is_utf8(struct span text)
{
	const unsigned char *p = (const unsigned char *)text.data;

	for (size_t i = 0, n; i < text.length; i += n) {
		n = utf8_length(p + i, text.length - i);
		if (n == 0)
			return false;
	}
	return true;
}

static void write_escape(struct buffer *b, unsigned char c)
{
	switch (c) {
	case '"':
		buffer_puts(b, "\\\"");
		break;
	case '\\':
		buffer_puts(b, "\\\\");
		break;
	case '\n':
		buffer_puts(b, "\\n");
		break;
	case '\r':
		buffer_puts(b, "\\r");
		break;
	case '\t':
		buffer_puts(b, "\\t");
		break;
	default:
		buffer_printf(b, "\\u%04x", c);
	}
}

void json_write_span(struct buffer *b, struct span text)
{
	const unsigned char *p = (const unsigned char *)text.data;
	size_t from = 0, i = 0;

	buffer_putc(b, '"');
	while (i < text.length) {
		size_t n = utf8_length(p + i, text.length - i);

		if (n == 1 && (p[i] < 0x20 || p[i] == '"' || p[i] == '\\')) {
			buffer_append(b, p + from, i - from);
			write_escape(b, p[i]);
			from = ++i;
		} else if (n == 0) {
			buffer_append(b, p + from, i - from);
			buffer_puts(b, "\xef\xbf\xbd");
			from = ++i;
		} else {
			i += n;
		}
	}
	buffer_append(b, p + from, i - from);
	buffer_putc(b, '"');
}

void json_write_text(struct buffer *b, const char *text)
{
	json_write_span(b, span_of(text ? text : ""));
}

void json_write_separator(struct buffer *b)
{
	char last = b->length ? b->data[b->length - 1] : '{';

	if (last != '{' && last != '[' && last != ':' && last != ',')
		buffer_putc(b, ',');
}

void json_write_name(struct buffer *b, const char *name)
{
	json_write_separator(b);
	json_write_text(b, name);
	buffer_putc(b, ':');
}

void json_put_open(struct buffer *b, const char *name)
{
	buffer_putc(b, '{');
	json_write_name(b, name);
}

void json_put_text(struct buffer *b, const char *name, const char *text)
{
	json_write_name(b, name);
	json_write_text(b, text);
}

void json_put_int(struct buffer *b, const char *name, int64_t value)
{
	json_write_name(b, name);
	buffer_printf(b, "%" PRId64, value);
}

void json_put_bool(struct buffer *b, const char *name, bool value)
{
	json_write_name(b, name);
	buffer_puts(b, value ? "true" : "false");
}

void json_put_raw(struct buffer *b, const char *name, struct span json)
{
	json_write_name(b, name);
	buffer_append(b, json.data, json.length);
}
