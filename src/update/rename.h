/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Giving a stack another name, project or organization. Its state says its name in every URN: those are
 * rewritten, and every other byte stays as it was.
 */
#ifndef UPDATE_RENAME_H
#define UPDATE_RENAME_H

#include "update/update.h"

struct stack_move {
	const char *organization_id;	/* where it goes */
	struct stack_path to;
};

/*
 * Takes a version and leaves an update of kind "rename" in the history, whose id goes to ret_id. 409 while an
 * update runs or when the name is taken. Ciphertexts stay readable: they are bound to the stack's id. In a transaction.
 */
int update_rename(struct app *app, const struct caller *c, const struct stack_path *path, const struct stack_move *move,
		  const char *client, char ret_id[UUID_TEXT], struct err *e) WARN_UNUSED;

/* Appends a state document (scanned JSON) with the names of `from` replaced by those of `to`. */
void rename_document(struct span document, const struct stack_path *from, const struct stack_path *to, struct buffer *out);

#endif
