/* SPDX-License-Identifier: Apache-2.0 */
#include "telemetry/wire.h"

#include <endian.h>

enum wire_type { VARINT = 0, FIXED64 = 1, LENGTH = 2, FIXED32 = 5 };

#define VARINT_MOST 10

/* Seven bits a byte, the lowest first; the top bit says that more follow. Returns how many bytes. */
static size_t varint(uint64_t value, char ret_bytes[VARINT_MOST])
{
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		ret_bytes[n++] = (char)(value | 0x80);
	ret_bytes[n++] = (char)value;
	return n;
}

static void put_varint(struct buffer *b, uint64_t value)
{
	char bytes[VARINT_MOST];

	buffer_append(b, bytes, varint(value, bytes));
}

static void put_tag(struct buffer *b, unsigned field, enum wire_type type)
{
	put_varint(b, (uint64_t)field << 3 | type);
}

void wire_varint(struct buffer *b, unsigned field, uint64_t value)
{
	put_tag(b, field, VARINT);
	put_varint(b, value);
}

void wire_packed64(struct buffer *b, uint64_t value)
{
	value = htole64(value);
	buffer_append(b, &value, sizeof(value));
}

void wire_packed_double(struct buffer *b, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	wire_packed64(b, bits);
}

void wire_fixed64(struct buffer *b, unsigned field, uint64_t value)
{
	put_tag(b, field, FIXED64);
	wire_packed64(b, value);
}

void wire_fixed32(struct buffer *b, unsigned field, uint32_t value)
{
	put_tag(b, field, FIXED32);
	value = htole32(value);
	buffer_append(b, &value, sizeof(value));
}

void wire_double(struct buffer *b, unsigned field, double value)
{
	put_tag(b, field, FIXED64);
	wire_packed_double(b, value);
}

void wire_bytes(struct buffer *b, unsigned field, struct span bytes)
{
	put_tag(b, field, LENGTH);
	put_varint(b, bytes.length);
	buffer_append(b, bytes.data, bytes.length);
}

size_t wire_open(struct buffer *b, unsigned field)
{
	put_tag(b, field, LENGTH);
	return b->length;
}

/* The length goes in front once it is known: what was written moves by the one to three bytes that it takes. */
void wire_close(struct buffer *b, size_t opened)
{
	char bytes[VARINT_MOST];
	size_t length = b->length - opened, width = varint(length, bytes);

	buffer_append(b, bytes, width);
	memmove(b->data + opened + width, b->data + opened, length);
	memcpy(b->data + opened, bytes, width);
}

static int take_varint(struct span *rest, uint64_t *ret_value)
{
	uint64_t value = 0;

	for (size_t i = 0; i < VARINT_MOST && i < rest->length; i++) {
		unsigned char byte = (unsigned char)rest->data[i];

		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte < 0x80) {
			*rest = (struct span){ rest->data + i + 1, rest->length - i - 1 };
			*ret_value = value;
			return 1;
		}
	}
	return -1;
}

static int take_bytes(struct span *rest, uint64_t length, struct span *ret_bytes)
{
	if (length > rest->length)
		return -1;
	*ret_bytes = (struct span){ rest->data, (size_t)length };
	*rest = (struct span){ rest->data + length, rest->length - (size_t)length };
	return 1;
}

static int take_fixed(struct span *rest, size_t width, uint64_t *ret_value)
{
	struct span bytes;
	uint64_t value = 0;

	if (take_bytes(rest, width, &bytes) < 0)
		return -1;
	memcpy(&value, bytes.data, width);
	*ret_value = le64toh(value);
	return 1;
}

int wire_next(struct span *rest, struct wire_field *ret_field)
{
	struct wire_field f = { 0 };
	uint64_t tag, length = 0;
	int rc;

	if (!rest->length)
		return 0;
	if (take_varint(rest, &tag) < 0)
		return -1;
	f.field = (unsigned)(tag >> 3);
	if ((tag & 7) == VARINT)
		rc = take_varint(rest, &f.number);
	else if ((tag & 7) == FIXED64 || (tag & 7) == FIXED32)
		rc = take_fixed(rest, (tag & 7) == FIXED64 ? 8 : 4, &f.number);
	else if ((tag & 7) == LENGTH)
		rc = take_varint(rest, &length) < 0 ? -1 : take_bytes(rest, length, &f.bytes);
	else
		rc = -1;
	if (rc == 1)
		*ret_field = f;
	return rc;
}
