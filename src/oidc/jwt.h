/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signed tokens of identity providers (RFC 7519 in the compact form of RFC 7515), verified on GnuTLS. The algorithm is
 * one of a closed list, each bound to one kind of key: what the token says about its algorithm never decides how a key
 * is used. Refuses `none`, MACs, encrypted tokens, critical extensions, keys and addresses in the header.
 */
#ifndef OIDC_JWT_H
#define OIDC_JWT_H

#include "oidc/jwk.h"

struct jwt {
	struct span signed_part, signature;	/* header and claims as they arrived; the signature's bytes */
	const char *algorithm, *key_id;		/* key_id NULL: the header names none */
	struct span claims; /* JSON object that passed claims_check; not to be believed before jwt_verify */
	const char *issuer;			/* the claim iss */
};

/* Takes a token apart, into the arena. 400 with a sentence that never repeats the token. */
int jwt_read(struct span token, struct arena *arena, struct jwt *ret_jwt, struct err *e) WARN_UNUSED;
/* 1 when one of the keys made the signature, 0 when no key has the id and kind that the header asks for, -1 with 400. */
int jwt_verify(const struct jwt *jwt, const struct jwk *keys, size_t count, struct err *e) WARN_UNUSED;
/* Times, with a minute of tolerance, and that the token was made for `audience`. 400 with what does not fit. */
int jwt_check(const struct jwt *jwt, const char *audience, int64_t now_us, struct arena *arena,
	      struct err *e) WARN_UNUSED;

#endif
