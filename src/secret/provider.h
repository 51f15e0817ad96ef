/* SPDX-License-Identifier: Apache-2.0 */
/* What a provider of master keys implements. */
#ifndef SECRET_PROVIDER_H
#define SECRET_PROVIDER_H

#include "secret/secret.h"

struct key_provider {
	const char *scheme;	/* how the value of its setting starts; "": an absolute path */
	/*
	 * `name`: the setting that said `where`. `seals` false: its keys need only open. `try` false: they did so before, and a service that
	 * is away is no reason to fail, as far as its keys are known without it.
	 */
	int (*open)(const char *name, const char *where, bool seals, bool try, void **ret_state, struct err *e);
	void (*close)(void *state);
	/* NULL: it calls nobody. */
	void (*observe_calls)(void *state, const struct observer *observer);
	const char *(*active)(const void *state);
	bool (*has)(const void *state, const char *id);
	/* Looks which master keys there are now. */
	void (*refresh)(void *state);
	/*
	 * Both work on a key of AEAD_KEY_BYTES; unseal answers 0 when the bytes are not a key sealed by `id`, which the source
	 * has. ERR_UNAVAILABLE means that the service is away; a refusal is ERR_INTERNAL.
	 */
	int (*seal)(void *state, struct span bound, const unsigned char *key, struct buffer *ret_sealed, struct err *e);
	int (*unseal)(void *state, const char *id, struct span bound, struct span sealed, unsigned char *ret_key,
		      struct err *e);
};

extern const struct key_provider key_local, key_kms, key_vault;

#endif
