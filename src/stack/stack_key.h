/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data key of a stack: what its secrets are encrypted with. Made when the first secret is, sealed by a
 * master key, bound to the stack's id, so that a rename or a transfer changes nothing and no other
 * stack can read the secrets.
 */
#ifndef STACK_STACK_KEY_H
#define STACK_STACK_KEY_H

#include "crypto/aead.h"
#include "stack/stack.h"

struct stack_key {
	char stack_id[UUID_TEXT];
	unsigned char key[AEAD_KEY_BYTES];
};

/* The stack's key: 1; 0 when it has none and `make` is false. Wipe it with stack_key_done. */
int stack_key_open(struct app *app, const struct caller *c, const struct stack_path *path, bool make,
		   struct stack_key *ret_key, struct err *e) WARN_UNUSED;
void stack_key_done(struct stack_key *key);

/* Appends the ciphertext of the plain bytes as base64. */
int stack_encrypt(const struct stack_key *key, struct span plain, struct buffer *ret_text, struct err *e) WARN_UNUSED;
/* Appends the plain bytes of a ciphertext in base64; 400 when this stack did not make it. */
int stack_decrypt(const struct stack_key *key, struct span text, struct buffer *ret_plain, struct err *e) WARN_UNUSED;

/*
 * At start: records the active master key, and refuses, with a sentence in e->detail, when the keys are not
 * those of this installation or one is missing that some stack needs.
 */
int stack_keys_check(struct app *app, struct err *e) WARN_UNUSED;
/*
 * Seals up to `limit` stack keys again that another than the active master key seals. 1 when there may be more,
 * 0 when there are none left; *ret_done counts. Safe while the server runs, and twice at once.
 */
int stack_keys_reseal(struct app *app, int64_t limit, int64_t *ret_done, struct err *e) WARN_UNUSED;

#endif
