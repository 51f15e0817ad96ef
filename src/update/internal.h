/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of src/update share. */
#ifndef UPDATE_INTERNAL_H
#define UPDATE_INTERNAL_H

#include "update/checkpoint.h"
#include "update/update.h"

static inline struct span digest_span(const unsigned char *digest)
{
	return (struct span){ (const char *)digest, SHA256_BYTES };
}

/* The label of what is counted. */
static inline const char *update_kind_label(const struct update *u)
{
	return u->preview ? "preview" : u->kind;
}

/* Where a configuration is: what its row has, and of the object that holds it instead the digest and size of its text. */
struct configuration {
	struct span row;		/* JSON */
	bool in_object;
	unsigned char digest[SHA256_BYTES];
	int64_t bytes;			/* 0: the row has it */
};
/* 413 when the text is larger than LIMIT_CONFIG_BYTES, or, where there is a store for large ones, LIMIT_CONFIG_OBJECT. */
int configuration_check(const struct app *app, struct span text, struct err *e) WARN_UNUSED;
/* Puts one above LIMIT_CONFIG_ROW there. For an update whose id is new, in a stack that the caller may change. */
int configuration_keep(struct app *app, const char *stack_id, const char *update_id, struct span text,
		       struct configuration *ret_kept, struct err *e) WARN_UNUSED;

/* 403: the one answer that tells a client that it has lost its lease. */
int lease_lost(struct err *e);
int update_find_in(struct db *db, const struct stmt *s, const struct caller *c, const char *stack_id, const char *id,
		   struct arena *arena, struct update *ret_update, struct err *e) WARN_UNUSED;
/* Ends a locked, running update: its state is kept whatever the status, and the stack is free. */
int update_end(struct app *app, struct update *u, const char *status, int64_t now_us, struct err *e) WARN_UNUSED;
/* Ends one whose lease has lapsed as failed, with a record in the audit log. The caller has locked it and looked at its lease. */
int update_lapse(struct app *app, struct update *u, int64_t now_us, struct err *e) WARN_UNUSED;
/* Names a stored state as the one of a version of its stack. ERR_RETRY when a sweep was at the object: store it again. */
int checkpoint_record(struct app *app, const char *stack_id, int64_t version, const struct stored_checkpoint *stored,
		      int64_t now_us, struct err *e) WARN_UNUSED;
/* Replays the journal over its base: 0 when it has no entries. */
int journal_replay(struct app *app, const struct update *u, struct sink *out, int64_t *ret_resources,
		   struct err *e) WARN_UNUSED;
/* When the last journal batch arrived, or the lease was renewed. */
int update_heard_at(struct db *db, const struct update *u, int64_t *ret_heard_at, struct err *e) WARN_UNUSED;
/* Appends the previous text with the edits applied; 400 when they are no edits of it, 413 beyond `limit`. */
int delta_apply(struct span previous, struct span edits, size_t limit, struct buffer *out, struct err *e) WARN_UNUSED;

#endif
