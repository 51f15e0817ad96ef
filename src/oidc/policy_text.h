/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts of auth policies: in the row, or, where there is a store for service metadata, an object that the row names. A text
 * that is written gets a new name each time, also when it is an old one that comes back, so nobody writes the name of garbage. A
 * process remembers the texts that it has read: objects never change, and it is the row, read each time, that says which one holds.
 */
#ifndef OIDC_POLICY_TEXT_H
#define OIDC_POLICY_TEXT_H

#include "oidc/policy.h"

/* What a row gets of a text. */
struct policy_kept {
	struct span row;		/* the text, or an empty list, by which a version that knows no objects denies */
	bool in_object;
	char object_id[UUID_TEXT];
	unsigned char digest[SHA256_BYTES];
};
/* Puts it there, durable when it returns 1, if there is such a store. Calls out: before a transaction locks anything. */
int policy_text_keep(struct app *app, const char *organization_id, struct span text, int64_t now_us, struct policy_kept *ret_kept,
		     struct err *e) WARN_UNUSED;
/*
 * The definitions of a policy whose row was read, out of the object if that has them. 503 while the store is away, unless they
 * are remembered; an internal error when the object is missing or has another text.
 */
int policy_text_load(struct app *app, const char *organization_id, struct policy *policy, struct arena *arena, struct err *e) WARN_UNUSED;

/* What a process remembers: LIMIT_POLICY_TEXTS at most, of LIMIT_POLICY_TEXT_BYTES together; the one used last goes last. */
struct policy_texts *policy_texts_new(void);
void policy_texts_free(struct policy_texts *texts);

#endif
