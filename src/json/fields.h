/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Field tables: one array of `struct field` per API type reads a JSON object into a C struct,
 * checks it, writes it and documents it. Names match without case and unknown members are ignored,
 * as the command lines rely on; null counts as absent. Lists and maps of texts live in the arena.
 */
#ifndef JSON_FIELDS_H
#define JSON_FIELDS_H

#include <stdint.h>

#include "base/arena.h"
#include "base/buffer.h"

enum field_kind {
	FIELD_TEXT,	/* const char *; absent: NULL */
	FIELD_INT,	/* int64_t; a JSON number without fraction */
	FIELD_BOOL,	/* bool */
	FIELD_RAW,	/* struct span: any JSON, written compactly; absent: data NULL */
	FIELD_RAW_OBJECT,	/* the same, but it must be an object */
	FIELD_TEXT_LIST,	/* struct text_list */
	FIELD_TEXT_MAP,	/* struct text_map */
	FIELD_OBJECT,	/* a nested struct, in place, with its own table */
	FIELD_OBJECT_POINTER,	/* const void * to a struct with its own table, NULL: none (write only) */
	FIELD_LIST,	/* struct object_list of structs with a table of their own (write only) */
	FIELD_TIME,	/* int64_t microseconds, written as whole seconds; negative: none (write only) */
	FIELD_DATE	/* the same, written as text (RFC 3339, UTC, milliseconds) */
};

enum field_flag {
	FIELD_REQUIRED = 1,	/* reading: absence is an error */
	FIELD_OMIT_EMPTY = 2,	/* writing: left out when NULL, 0, false or empty */
	FIELD_SECRET = 4	/* never shown in messages */
};

struct text_list {
	const char **items;
	size_t count;
	bool present;		/* the member was there and not null */
};

struct text_pair {
	const char *name, *value;
};

struct text_map {
	struct text_pair *items;
	size_t count;
	bool present;
};

struct object_list {
	const void *items;
	size_t count, size;	/* of one struct */
};

struct field {
	const char *name;	/* as the API spells it */
	enum field_kind kind;
	size_t offset;
	unsigned flags;
	size_t limit;		/* longest text in bytes, most items, or largest raw value; 0: none of its own */
	const struct field *fields;	/* of the objects and lists; ends with a zeroed field */
	const char *help;	/* one sentence for the API description */
};

/* The tables of operations without a body, and of those whose body is opaque JSON or other bytes. */
extern const struct field NONE_fields[], RAW_fields[], TEXT_MAP_fields[];

#define FIELD(structure, member, json_name, field_kind, ...)                                       \
	{ .name = (json_name), .kind = (field_kind), .offset = offsetof(struct structure, member),     \
	  ##__VA_ARGS__ }

/* Reads an object. 400 with the member's name and what it must be. An empty text counts as {}. */
int fields_read(const struct field *fields, struct span json, struct arena *arena, void *ret_struct,
		struct err *e) WARN_UNUSED;
/* Reads a bare map of texts; null clears. */
int fields_read_text_map(struct span json, struct arena *arena, struct text_map *ret_map,
			 struct err *e) WARN_UNUSED;

/* Appends the object, braces included. */
void fields_write(const struct field *fields, const void *structure, struct buffer *out);
/* Appends the JSON schema of the object that the table describes. */
void fields_schema(const struct field *fields, struct buffer *out);
void json_write_text_map(struct buffer *out, const struct text_map *map);

#endif
