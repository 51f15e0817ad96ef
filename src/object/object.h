/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What belongs to a row and is not in it: objects that a row names by its ids and the digest of the text, each kind in the
 * store that its setting names. Where no such store is set, rows have all. An object is durable before the row that names
 * it; nobody writes its name again once its row is there, or takes no more of the kind, so that no marks (claim/mark.h) are needed.
 */
#ifndef OBJECT_OBJECT_H
#define OBJECT_OBJECT_H

#include "base/app.h"
#include "base/buffer.h"
#include "base/err.h"
#include "crypto/crypto.h"

#define ROW_OBJECT_KEY 176	/* bytes of an object's key */

enum row_object_kind {
	ROW_OBJECT_EVENTS,		/* a batch of engine events, as it arrived: a stack's, an update's */
	ROW_OBJECT_CONFIGURATION,	/* JSON, not compressed: a stack's, an update's */
	ROW_OBJECT_POLICY,		/* definitions of an auth policy, JSON: an organization's; each text that is written has its own id */
	ROW_OBJECT_KINDS
};

/* NULL: rows have all of the kind. */
struct blob_store *row_object_store(const struct app *app, enum row_object_kind kind);
/* The setting that names the store, and what is in it, as people say it. */
const char *row_object_setting(enum row_object_kind kind);
const char *row_object_words(enum row_object_kind kind);
/* What all keys of the kind begin with; the id of the owner follows. */
const char *row_object_root(enum row_object_kind kind);

/* `owner_id` is that of the stack or organization; `digest` has SHA256_BYTES. */
void row_object_key(enum row_object_kind kind, const char *owner_id, const char *id, const unsigned char *digest,
		    char ret_key[ROW_OBJECT_KEY]);
struct row_object {
	enum row_object_kind kind;
	char owner_id[UUID_TEXT], id[UUID_TEXT];
	unsigned char digest[SHA256_BYTES];
};
/* Takes a key apart; false for one that is none of these. */
bool row_object_parse(const char *key, struct row_object *ret_object);

/* Durable when it returns 1. For callers that know that there is a store. */
int row_object_put(struct app *app, enum row_object_kind kind, const char *owner_id, const char *id, const unsigned char *digest,
		   struct span data, struct err *e) WARN_UNUSED;
/* Appends one that a row names, as it was put; one that is missing, or that nobody can read here, is an internal error. */
int row_object_load(struct app *app, enum row_object_kind kind, const char *owner_id, const char *id, struct span digest,
		    struct buffer *ret_data, struct err *e) WARN_UNUSED;
/* The same, and its text has the digest: else it is an internal error that names the object. Not for what may be compressed. */
int row_object_load_text(struct app *app, enum row_object_kind kind, const char *owner_id, const char *id, struct span digest,
			 struct buffer *ret_text, struct err *e) WARN_UNUSED;

#endif
