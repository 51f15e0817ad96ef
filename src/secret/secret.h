/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Master keys. They seal data keys and nothing else; only their provider can use them. A sealed data key
 * names the master key that sealed it, so that several can be in use while they are changed. Of opened data
 * keys the last 512 are remembered for a while, so that a key service is not asked for every request and its outage is
 * not felt for what was in use.
 */
#ifndef SECRET_SECRET_H
#define SECRET_SECRET_H

#include <stdint.h>

#include "base/observer.h"
#include "crypto/aead.h"

#define MASTER_KEY_ID 17	/* 16 hex digits and NUL */

struct keys;

/*
 * `name` is the setting that said `where`. `try`: they must seal and open something now; false when they did so before, so that a
 * key service that is away does not matter yet (a Key Vault is asked all the same). -1 with a sentence in e->detail.
 */
int keys_open(const char *name, const char *where, bool try, struct keys **ret_keys, struct err *e) WARN_UNUSED;
/* A further place whose keys open but do not seal: between which and the first the data keys are moved. */
int keys_add(struct keys *keys, const char *name, const char *where, struct err *e) WARN_UNUSED;
void keys_close(struct keys *keys);
/*
 * A data key that was opened serves again for `fresh_us` without its provider, and until it is `outage_us` old while the
 * provider is away. 5 minutes and an hour unless somebody says. A provider that refuses is obeyed at once.
 */
void keys_remember(struct keys *keys, int64_t fresh_us, int64_t outage_us);
/* Is told of each seal and unseal that the provider was asked for. */
void keys_observe(struct keys *keys, const struct observer *observer);
/* Is told of each call over HTTP that these make. */
void keys_observe_calls(struct keys *keys, const struct observer *observer);
/* Seals a key and opens it again: whether the provider can be used now. */
int keys_try(struct keys *keys, struct err *e) WARN_UNUSED;

/* Appends the data key, sealed by the active master key and bound to `bound`: its purpose and whom it belongs to. */
int keys_seal(struct keys *keys, struct span bound, const unsigned char key[AEAD_KEY_BYTES], struct buffer *ret_sealed,
	      struct err *e) WARN_UNUSED;
/* `now_us` ages what is remembered. A master key that is not there is an internal error that names it. */
int keys_unseal(struct keys *keys, struct span bound, struct span sealed, int64_t now_us,
		unsigned char ret_key[AEAD_KEY_BYTES], struct err *e) WARN_UNUSED;

/* The id of the master key that seals now; valid until a call that may look again (unseal, has, refresh). */
const char *keys_active(const struct keys *keys);
/* Whether a master key can be used; looks again when it is not known. */
bool keys_has(struct keys *keys, const char *id);
/* Looks which master keys there are now: a new one may seal from here on. */
void keys_refresh(struct keys *keys);
/* The settings that say where the keys come from, and where that is: for messages. */
const char *keys_setting(const struct keys *keys);
const char *keys_origin(const struct keys *keys);

#endif
