/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict, bounded JSON scanner (RFC 8259) that yields spans of its input and builds nothing:
 * what a client stored can be moved without being rewritten. Depth is bounded by LIMIT_JSON_DEPTH
 * without recursion; text must be UTF-8.
 */
#ifndef JSON_SCAN_H
#define JSON_SCAN_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"

/* Checks that `text` is one JSON value with nothing but white space around it; yields the value. */
int scan_document(struct span text, struct span *ret_value, struct err *e) WARN_UNUSED;

/* The value in a text that scan_document accepted before. */
struct span scan_trim(struct span text);

/* Walks a value that scan_document has accepted. Names are raw, without their quotes. */
struct scan {
	const char *at, *end;
};
void scan_open(struct scan *s, struct span object_or_array);
bool scan_member(struct scan *s, struct span *ret_name, struct span *ret_value);
bool scan_element(struct scan *s, struct span *ret_value);

/* 400 when a member of the object is there twice: nobody can know which was meant. Looks at the first 64 members. */
int scan_unique(struct span object, struct err *e) WARN_UNUSED;

/* Whether a raw name is `name`: differing in case or escapes does not matter, as in the command line's own reader. */
bool scan_name_is(struct span raw, const char *name);
/* A member by name (exact or differing in case only; the last one wins); false when absent or null. */
bool scan_find(struct span object, const char *name, struct span *ret_value);
/* One pass for several names: ret_values[i] is the member names[i], data NULL when absent or null. */
void scan_pick(struct span object, const char *const *names, size_t count, struct span *ret_values);
/*
 * Walks like scan_element, and picks the members of the element on its way. An element that is no object has none.
 */
bool scan_pick_next(struct scan *list, const char *const *names, size_t count, struct span *ret_element,
		    struct span *ret_values);
/* The text of a string value, escapes decoded (into the arena only when there are any); false for anything else. */
bool scan_text(struct span value, struct arena *arena, struct span *ret_text);
/* A whole number; false for anything else. */
bool scan_int(struct span value, int64_t *ret_value);

#endif
