/* SPDX-License-Identifier: Apache-2.0 */
/* Writes JSON into a buffer, straight from values: no tree. Knows how to quote and separate. */
#ifndef JSON_WRITE_H
#define JSON_WRITE_H

#include <stdint.h>

#include "base/buffer.h"

/* Whether it is UTF-8 throughout (RFC 3629). */
bool json_is_utf8(struct span text);
/* A quoted string. Bytes that are not UTF-8 become U+FFFD. */
void json_write_text(struct buffer *b, const char *text);
void json_write_span(struct buffer *b, struct span text);

/* `"name":`, preceded by a comma unless it opens its object. */
void json_write_name(struct buffer *b, const char *name);
/* The comma between elements: nothing after '[' , '{' or ':'. */
void json_write_separator(struct buffer *b);

void json_put_text(struct buffer *b, const char *name, const char *text);
void json_put_int(struct buffer *b, const char *name, int64_t value);
void json_put_bool(struct buffer *b, const char *name, bool value);
/* `{"name":`, the start of an object with one member whose value is written next. */
void json_put_open(struct buffer *b, const char *name);
/* `json` is JSON already. */
void json_put_raw(struct buffer *b, const char *name, struct span json);

#endif
