/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OIDC issuers: identity providers whose tokens an organization takes in exchange for its own. Each has exactly one
 * auth policy, made with it, which at first denies everything. The keys of an issuer are registered with it, or
 * fetched from it and kept; keys.h has them ready.
 */
#ifndef OIDC_ISSUER_H
#define OIDC_ISSUER_H

#include "identity/identity.h"
#include "json/fields.h"

#define ISSUER_DEFAULT_SECONDS (25 * 3600)	/* longest life of a token when the issuer does not say */

struct issuer {
	char *id, *organization_id, *name, *url, *issuer, *policy_id;
	struct span thumbprints;	/* JSON: a list of texts */
	struct span jwks;		/* as registered; data NULL: they are fetched */
	int64_t max_expiration;		/* seconds; 0: ISSUER_DEFAULT_SECONDS */
	struct span keys;		/* fetched last; data NULL: none */
	int64_t keys_fetched_at, created_at, modified_at, used_at;	/* -1: never */
};

/* What a client says about an issuer; NULL, data NULL or 0: nothing. */
struct issuer_wish {
	const char *name, *url;
	struct text_list thumbprints;
	int64_t max_expiration;
	struct span jwks;
};

/*
 * Registers it: 400 when something is not as it must be, or the issuer does not answer as one; 409 when the organization has
 * the name or the issuer already; 503 while the store for its policy is away. In a transaction; both are called before it locks anything.
 */
int issuer_register(struct app *app, const struct caller *c, const struct issuer_wish *wish, int64_t now_us,
		    struct arena *arena, struct issuer *ret_issuer, struct err *e) WARN_UNUSED;
/* 1, or -1 with 404. */
int issuer_find(struct db *db, const char *organization_id, const char *id, struct arena *arena,
		struct issuer *ret_issuer, struct err *e) WARN_UNUSED;
/* The issuer of a token for the organization with that login; 0 when there is none. */
int issuer_of_token(struct db *db, const char *organization, const char *issuer, struct arena *arena,
		    struct issuer *ret_issuer, struct err *e) WARN_UNUSED;
/* All of them, by name. */
int issuer_list(struct db *db, const char *organization_id, struct arena *arena, struct issuer **ret_list,
		size_t *ret_count, struct err *e) WARN_UNUSED;
/* Changes what the wish names; the address stays. 400, 404, 409 as above. In a transaction. */
int issuer_change(struct db *db, const struct caller *c, const char *id, const struct issuer_wish *wish, int64_t now_us,
		  struct arena *arena, struct issuer *ret_issuer, struct err *e) WARN_UNUSED;
/* Trusts the certificate that it shows now. 400 when its keys were registered, or it does not answer. In a transaction. */
int issuer_renew_thumbprints(struct app *app, const struct caller *c, const char *id, int64_t now_us, struct arena *arena,
			     struct issuer *ret_issuer, struct err *e) WARN_UNUSED;
/* With its policy and with the tokens that were given for its own. 404 when there is none. In a transaction. */
int issuer_delete(struct db *db, const struct caller *c, const char *id, struct err *e) WARN_UNUSED;

#endif
