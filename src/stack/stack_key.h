/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The data key of a stack: what its secrets are encrypted with. Made when the first secret is, sealed by a
 * master key, bound to the stack's id, so that a rename or a transfer changes nothing and no other
 * stack can read the secrets.
 */
#ifndef STACK_STACK_KEY_H
#define STACK_STACK_KEY_H

#include "crypto/aead.h"
#include "secret/secret.h"
#include "stack/stack.h"

#define STACK_KEY_BOUND (10 + UUID_TEXT)

struct stack_key {
	char stack_id[UUID_TEXT];
	unsigned char key[AEAD_KEY_BYTES];
	char lost_master[MASTER_KEY_ID];	/* "": no data key of the stack was lost */
};

/*
 * The stack's key: 1; 0 when it has none and `make` is false. Wipe it with stack_key_done. When the stack's data key was
 * sealed by a master key that was forgotten and is not there: 409, or, with `make`, a new data key, which is in the audit log.
 */
int stack_key_open(struct app *app, const struct caller *c, const struct stack_path *path, bool make,
		   struct stack_key *ret_key, struct err *e) WARN_UNUSED;
void stack_key_done(struct stack_key *key);

/* Appends the ciphertext of the plain bytes as base64. */
int stack_encrypt(const struct stack_key *key, struct span plain, struct buffer *ret_text, struct err *e) WARN_UNUSED;
/* Appends the plain bytes of a ciphertext in base64; 400 when this stack did not make it, or made it with a lost key. */
int stack_decrypt(const struct stack_key *key, struct span text, struct buffer *ret_plain, struct err *e) WARN_UNUSED;

/* What a sealed data key is bound to: its purpose and its stack. A ciphertext is bound to the stack's id alone. */
void stack_key_bound(const char *stack_id, char ret_bound[STACK_KEY_BOUND]);

/* --- the master keys behind them: stack_keys.c --- */

/*
 * At start: records the active master key, and refuses, with a sentence in e->detail, when the keys are not
 * those of this installation, one is missing that some stack needs, or the active one is retired.
 */
int stack_keys_check(struct app *app, struct err *e) WARN_UNUSED;
/* An internal error that says that the active master key is retired and what to do. */
int stack_keys_retired(const struct app *app, struct err *e);

/* Called after each batch: keys sealed again so far, and how many there were when it began. */
typedef void stack_keys_progress(void *context, int64_t done, int64_t total);
/*
 * Retires all master keys but the active one and seals again, in batches, every data key that another seals.
 * Each host must have the active key's file before. Safe while the server runs, when it was interrupted, and twice
 * at once. *ret_done counts. Keys that do not open are left alone: -1 when all is done, with their number and the
 * first in e->detail.
 */
int stack_keys_rotate(struct app *app, stack_keys_progress *progress, void *context, int64_t *ret_done,
		      struct err *e) WARN_UNUSED;

/* Data keys that a master key seals, in one organization. */
struct stack_key_loss {
	char *organization_id, *organization;
	int64_t stacks;
};
/* What would be lost with a master key, by organization. */
int stack_key_losses(struct db *db, const char *master, struct arena *arena, struct stack_key_loss **ret_list, size_t *ret_count,
		     struct err *e) WARN_UNUSED;
/*
 * In a transaction: nothing waits for a master key any more. Its data keys stay until the stack gets a new one, so that
 * a file that turns up after all opens them again; but it never seals. 1, or 0 when it was forgotten before or is unknown.
 */
int stack_key_forget(struct db *db, const char *master, int64_t now_us, struct err *e) WARN_UNUSED;

#endif
