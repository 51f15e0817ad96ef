/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The encoding of protocol buffers (https://protobuf.dev/programming-guides/encoding/), as much of it as OTLP needs: a
 * message is the fields appended to a buffer, a message in a message is opened and closed. Written by hand since Debian has
 * no package of OTLP's descriptions, and since a tree of structs for each message, which generated code wants, would be
 * built only to be flattened: here a span is a few appended bytes. Field numbers come from opentelemetry-proto 1.5.
 */
#ifndef TELEMETRY_WIRE_H
#define TELEMETRY_WIRE_H

#include <stdint.h>

#include "base/buffer.h"

/* Fields of each type of the wire. Unlike a proto3 library these write zeros too: a member of a oneof needs them. */
void wire_varint(struct buffer *b, unsigned field, uint64_t value);
void wire_fixed64(struct buffer *b, unsigned field, uint64_t value);
void wire_fixed32(struct buffer *b, unsigned field, uint32_t value);
void wire_double(struct buffer *b, unsigned field, double value);
void wire_bytes(struct buffer *b, unsigned field, struct span bytes);

/* What is appended between the two is one message, or the packed values of one field. Returns what close wants. */
size_t wire_open(struct buffer *b, unsigned field);
void wire_close(struct buffer *b, size_t opened);
/* One of the packed values of a field that was opened. */
void wire_packed64(struct buffer *b, uint64_t value);
void wire_packed_double(struct buffer *b, double value);

/* One field of a message that somebody else wrote: `number` for varint, fixed32 and fixed64, `bytes` for the others. */
struct wire_field {
	unsigned field;
	uint64_t number;
	struct span bytes;
};
/* Takes the next field off `rest`: 1, 0 at the end, -1 when the bytes are no message. */
int wire_next(struct span *rest, struct wire_field *ret_field);

#endif
