/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives out access tokens for tokens of OIDC issuers (RFC 8693), where the issuer's policy allows it. A new token reaches
 * the one organization and nothing else, also when it speaks for one of its members: an organization decides about
 * itself. With it comes a refresh token (grant.h), good until the longest time that the issuer allows has passed, unless the
 * client asked for less time than it is given unasked.
 */
#ifndef OIDC_EXCHANGE_H
#define OIDC_EXCHANGE_H

#include "oidc/grant.h"
#include "oidc/issuer.h"

#define EXCHANGE_DEFAULT_SECONDS (2 * 3600)

/* Parameters as sent; NULL: absent. */
struct exchange_request {
	const char *grant_type, *audience, *subject_token, *subject_token_type, *requested_token_type, *scope,
		*refresh_token;
	int64_t expiration;	/* seconds; 0: EXCHANGE_DEFAULT_SECONDS */
	const char *source_ip;
};

struct exchange_answer {
	struct granted tokens;
	const char *issued_token_type, *scope;
};

/*
 * Either grant. -1 with *e set; *ret_code is then an error code of RFC 6749 §5.2 or RFC 8693 §2.2.2. Calls out and
 * makes its own transaction: not in one.
 */
int exchange(struct app *app, const struct exchange_request *rq, int64_t now_us, struct arena *arena,
	     struct exchange_answer *ret_answer, const char **ret_code, struct err *e) WARN_UNUSED;

#endif
