/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of an issuer, ready to verify with: those registered with it, or those fetched from it, which are kept for an
 * hour. A token that names a key which is not among them makes the server look again, but not more than once a minute
 * for an issuer, whoever asks and on whichever host.
 */
#ifndef OIDC_KEYS_H
#define OIDC_KEYS_H

#include "oidc/issuer.h"
#include "oidc/jwt.h"

/*
 * 1 when the issuer signed the token. -1 with 400 when it did not, or its keys cannot be had. Calls out perhaps:
 * outside of transactions only.
 */
int keys_verify(struct app *app, const struct issuer *issuer, const struct jwt *jwt, int64_t now_us, struct arena *arena,
		struct err *e) WARN_UNUSED;

#endif
