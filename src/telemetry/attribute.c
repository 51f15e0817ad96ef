/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/attribute.h"

/* Bytes of the character at the start of the text, 0 when it is none (RFC 3629 §4). */
static size_t character(const unsigned char *s, size_t length)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] < 0xc2 ? 0 : s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : s[0] < 0xf5 ? 4 : 0;
	unsigned char low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : 0x80, high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : 0xbf;

	if (n > length || (n > 1 && (s[1] < low || s[1] > high)))
		return 0;
	for (size_t i = 2; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return n;
}

static void put_text(struct buffer *b, unsigned field, struct span text)
{
	size_t at = wire_open(b, field), start = b->length;

	buffer_append(b, text.data, text.length);
	for (size_t i = start; i < b->length;) {
		size_t n = character((const unsigned char *)b->data + i, b->length - i);

		if (!n)
			b->data[i] = '?';
		i += n ? n : 1;
	}
	wire_close(b, at);
}

void attribute_text(struct buffer *b, unsigned field, const char *key, struct span value)
{
	size_t pair = wire_open(b, field), any;

	wire_bytes(b, 1, span_of(key));
	any = wire_open(b, 2);
	put_text(b, 1, value);
	wire_close(b, any);
	wire_close(b, pair);
}

void attribute_int(struct buffer *b, unsigned field, const char *key, int64_t value)
{
	size_t pair = wire_open(b, field), any;

	wire_bytes(b, 1, span_of(key));
	any = wire_open(b, 2);
	wire_varint(b, 3, (uint64_t)value);
	wire_close(b, any);
	wire_close(b, pair);
}
