/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks an identity provider about itself (OpenID Connect Discovery 1.0 §4): its issuer name, its keys, its certificate.
 * HTTPS only, no redirects, bounded in size and time, and only where the guard allows. The certificate is verified by
 * the authorities of the system; one that they do not know counts when its thumbprint is registered.
 */
#ifndef OIDC_DISCOVERY_H
#define OIDC_DISCOVERY_H

#include "json/fields.h"
#include "net/guard.h"

#define THUMBPRINT_TEXT 65	/* SHA-256 as hexadecimal, with its NUL */

struct discovery_question {
	const struct guard *guard;
	const char *url;		/* of the issuer */
	struct text_list thumbprints;	/* trusted besides the authorities */
	bool any_certificate;		/* believes whatever it shows: only on an administrator's word */
};

/* In the arena. */
struct discovery {
	const char *issuer;
	struct span keys;			/* a key set that passed jwks_check */
	char thumbprint[THUMBPRINT_TEXT];	/* of the certificate at `url` */
};

/* 400 for an address that cannot be an issuer's. */
int discovery_check_url(const char *url, struct err *e) WARN_UNUSED;
/* 400 with what the provider answered or why it could not be asked; the detail is for the log. */
int discover(const struct discovery_question *q, struct arena *arena, struct discovery *ret_discovery,
	     struct err *e) WARN_UNUSED;
/* 64 or 40 hexadecimal digits, colons between them allowed; in lower case without colons. */
bool thumbprint_read(const char *text, char ret_thumbprint[THUMBPRINT_TEXT]);

#endif
