/* SPDX-License-Identifier: Apache-2.0 */
/*
 * State documents as objects: gzip, immutable, named by stack and content, so that writing one again
 * is harmless. An object is durable before a row names it; one without a row is garbage for a job.
 */
#ifndef UPDATE_CHECKPOINT_H
#define UPDATE_CHECKPOINT_H

#include "update/update.h"

#define CHECKPOINT_KEY 160	/* bytes of an object's key */

struct stored_checkpoint {
	unsigned char sha256[SHA256_BYTES];	/* of the text */
	int64_t bytes, resources;
};

/* Takes a text piece by piece, and keeps it compressed: memory does not grow with the text. */
struct checkpoint_writer;
int checkpoint_writer_open(struct app *app, struct checkpoint_writer **ret_writer, struct err *e) WARN_UNUSED;
struct sink *checkpoint_writer_sink(struct checkpoint_writer *w);
/* Durable when it returns 1. */
int checkpoint_writer_commit(struct checkpoint_writer *w, const char *stack_id, int64_t resources,
			     struct stored_checkpoint *ret_stored, struct err *e) WARN_UNUSED;
void checkpoint_writer_close(struct checkpoint_writer *w);
void checkpoint_writer_closep(struct checkpoint_writer **w);

/* Stores a text that is in memory. */
int checkpoint_store(struct app *app, const char *stack_id, const struct checkpoint_text *checkpoint,
		     struct stored_checkpoint *ret_stored, struct err *e) WARN_UNUSED;
/* The object's key: `digest` has SHA256_BYTES. */
void checkpoint_key(const char *stack_id, const unsigned char *digest, char ret_key[CHECKPOINT_KEY]);
/* The key of a journal batch that was too large for its row. */
void journal_object_key(const char *update_id, const unsigned char *digest, char ret_key[CHECKPOINT_KEY]);
/* Appends the text and checks its digest; an object that is missing or damaged is an internal error. */
int checkpoint_load(struct app *app, const char *stack_id, struct span digest, struct buffer *ret_text,
		    struct err *e) WARN_UNUSED;

#endif
