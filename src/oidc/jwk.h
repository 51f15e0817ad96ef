/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys as identity providers publish them (RFC 7517, RFC 7518 §6). Refuses private and symmetric ones. */
#ifndef OIDC_JWK_H
#define OIDC_JWK_H

#include <gnutls/abstract.h>

#include "json/fields.h"

enum jwk_kind { JWK_OTHER, JWK_RSA, JWK_P256, JWK_P384 };

/* Texts as the key says them, NULL when it does not. */
struct jwk {
	enum jwk_kind kind;	/* JWK_OTHER: of no use here */
	const char *type, *id, *algorithm, *use, *curve, *n, *e, *x, *y;
	struct text_list operations;
	struct span private_part, symmetric;
};

/* The keys of a set, in the arena. 400 when it is none, has too many, or one that must not leave its owner. */
int jwks_read(struct span json, struct arena *arena, struct jwk **ret_keys, size_t *ret_count, struct err *e) WARN_UNUSED;
/* 400 as well when none of them can verify anything; others may be of no use here. */
int jwks_check(struct span json, struct err *e) WARN_UNUSED;
/* The key itself, owned by the caller. 400 when its numbers are none, or too small to be safe. */
int jwk_import(const struct jwk *key, gnutls_pubkey_t *ret_key, struct err *e) WARN_UNUSED;
/* Usable as __attribute__((cleanup(jwk_release))). */
void jwk_release(gnutls_pubkey_t *key);

#endif
