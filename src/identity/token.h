/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Personal access tokens: a user makes, lists and revokes them, and they speak for that user and nobody else. Only
 * the digest of a value is stored; the value is shown once.
 */
#ifndef IDENTITY_TOKEN_H
#define IDENTITY_TOKEN_H

#include "identity/identity.h"

struct token {
	char *id, *name, *description;
	int64_t created_at, expires_at, used_at;	/* expires_at, used_at: -1 never */
};

enum token_filter { TOKENS_ACTIVE, TOKENS_EXPIRED, TOKENS_ALL, TOKEN_FILTER_COUNT };

#define TOKEN_NEWEST "~"	/* behind every id: where a list begins */

/* When a token ends whose maker said `seconds` since 1970, 0 for never. 400 for the past and beyond two years. */
int token_expiry(int64_t seconds, int64_t now_us, int64_t *ret_expires_at, struct err *e) WARN_UNUSED;
/* `expires_at` -1: never. 400 when the description is too long or the user has too many. In a transaction. */
int token_create(struct db *db, const char *user_id, const char *name, const char *description, int64_t expires_at,
		 int64_t now_us, char ret_id[UUID_TEXT], char ret_value[BEARER_TEXT], struct err *e) WARN_UNUSED;
/* The caller's token was used: remembered to the hour. Does nothing when that is known; a failure hurts nobody. */
void token_note_use(struct db *db, const struct caller *c, int64_t now_us);
/* Those older than the id `before` (TOKEN_NEWEST), newest first, at most `limit`. */
int token_list(struct db *db, const char *user_id, enum token_filter filter, const char *before, int64_t limit,
	       int64_t now_us, struct arena *arena, struct token **ret_list, size_t *ret_count,
	       struct err *e) WARN_UNUSED;
/* 404 when the user has no such token. From now on its value is unknown. */
int token_delete(struct db *db, const char *user_id, const char *id, struct err *e) WARN_UNUSED;

#endif
