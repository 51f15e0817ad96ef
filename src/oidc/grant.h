/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access tokens that an exchange gives out, and the refresh tokens beside them. A refresh token is good for one use, which
 * gives another pair; all that came out of one exchange is a family, with an end that no refreshing moves. One that is
 * used a second time was stolen, or its thief was first: the whole family is revoked. A client that asks again because
 * the answer was lost does so within a minute, and before it can have used what it did not get. Who revokes an access token
 * revokes the refresh token beside it.
 */
#ifndef OIDC_GRANT_H
#define OIDC_GRANT_H

#include "crypto/crypto.h"
#include "db/db.h"

/* What a family's tokens are alike in. */
struct grant {
	char *family_id, *organization_id, *issuer_id;
	char *user_id, *role;	/* one of them is NULL */
	char *name, *description, *scope;
	int64_t lifetime;	/* of an access token, seconds */
	int64_t expires_at;	/* of the family */
};

struct granted {
	char access_token[BEARER_TEXT], refresh_token[BEARER_TEXT];	/* refresh_token "": none */
	char access_token_id[UUID_TEXT];
	int64_t expires_in;	/* seconds */
};

enum grant_found { GRANT_NONE, GRANT_GOOD, GRANT_REUSED };

/* Gives out an access token, and with it a refresh token when `refreshable` and time is left for it. In a transaction. */
int grant_give(struct db *db, const struct grant *g, bool refreshable, int64_t now_us, struct granted *ret_granted,
	       struct err *e) WARN_UNUSED;
/*
 * Uses a refresh token: GRANT_GOOD and the next pair; GRANT_NONE when it is unknown or its family has ended; GRANT_REUSED when
 * it was used before, and then nothing of its family is left, which must be committed. In a transaction.
 */
int grant_refresh(struct db *db, const char *refresh_token, int64_t now_us, struct arena *arena,
		  enum grant_found *ret_found, struct grant *ret_grant, struct granted *ret_granted,
		  struct err *e) WARN_UNUSED;

#endif
