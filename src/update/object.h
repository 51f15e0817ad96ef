/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an update has besides its state and is too large for a row: objects below its stack, each kind in the store that
 * its setting names, named by update and digest of the text. Where no such store is set, rows have all. An object is
 * durable before the row that names it; nobody writes its name again once the update takes no more of the kind.
 */
#ifndef UPDATE_OBJECT_H
#define UPDATE_OBJECT_H

#include "update/update.h"

#define UPDATE_OBJECT_KEY 176	/* bytes of an object's key */

enum update_object_kind {
	UPDATE_OBJECT_EVENTS,		/* a batch of engine events, as it arrived */
	UPDATE_OBJECT_CONFIGURATION,	/* JSON, not compressed */
	UPDATE_OBJECT_KINDS
};

/* NULL: rows have all of the kind. */
struct blob_store *update_object_store(const struct app *app, enum update_object_kind kind);
/* The setting that names the store, and what is in it, as people say it. */
const char *update_object_setting(enum update_object_kind kind);
const char *update_object_words(enum update_object_kind kind);

/* `digest` has SHA256_BYTES. */
void update_object_key(enum update_object_kind kind, const char *stack_id, const char *update_id, const unsigned char *digest,
		       char ret_key[UPDATE_OBJECT_KEY]);
struct update_object {
	enum update_object_kind kind;
	char stack_id[UUID_TEXT], update_id[UUID_TEXT];
	unsigned char digest[SHA256_BYTES];
};
/* Takes a key apart; false for one that is none of these. */
bool update_object_parse(const char *key, struct update_object *ret_object);

/* Durable when it returns 1. For callers that know that there is a store. */
int update_object_put(struct app *app, enum update_object_kind kind, const char *stack_id, const char *update_id,
		      const unsigned char *digest, struct span data, struct err *e) WARN_UNUSED;
/* Appends one that a row names, as it was put; one that is missing, or that nobody can read here, is an internal error. */
int update_object_load(struct app *app, enum update_object_kind kind, const char *stack_id, const char *update_id,
		       struct span digest, struct buffer *ret_data, struct err *e) WARN_UNUSED;
/* The same, and its text has the digest: else it is an internal error that names the object. Not for what may be compressed. */
int update_object_load_text(struct app *app, enum update_object_kind kind, const char *stack_id, const char *update_id,
			    struct span digest, struct buffer *ret_text, struct err *e) WARN_UNUSED;

#endif
