/* SPDX-License-Identifier: Apache-2.0 */
/* State documents as objects: named by stack and content, gzip. */
#ifndef UPDATE_CHECKPOINT_H
#define UPDATE_CHECKPOINT_H

#include "update/update.h"

struct stored_checkpoint {
	unsigned char sha256[SHA256_BYTES];
	int64_t bytes, resources;
};

/* Stores the text durably; a repetition writes the same object again. */
int checkpoint_store(struct app *app, const char *stack_id, const struct checkpoint_text *checkpoint,
		     struct stored_checkpoint *ret_stored, struct err *e) WARN_UNUSED;
/* Appends the gzip object; its absence is an internal error, since a row names it. */
int checkpoint_load(struct app *app, const char *stack_id, struct span digest, struct buffer *ret_gzip,
		    struct err *e) WARN_UNUSED;

#endif
