/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a link in a mail proves: that an address is a user's own (verify), or that whoever lost a password reads the
 * user's mail (reset). A token works once, for hours, and only while the user has that address; its digest is stored.
 * Nobody learns from an answer whether an address belongs to a user.
 */
#ifndef IDENTITY_EMAIL_H
#define IDENTITY_EMAIL_H

#include "identity/identity.h"
#include "mail/mail.h"

#define EMAIL_VERIFY_HOURS 24
#define EMAIL_RESET_HOURS 1

struct email_user {
	char *id, *login, *name, *email;
	int64_t verified_at;	/* -1: not yet */
};

/* 1, or 0 when there is no such user. */
int email_user(struct db *db, const char *user_id, struct arena *arena, struct email_user *ret_user, struct err *e) WARN_UNUSED;
/*
 * Queues a mail with a link that verifies the user's address: 1; 0 when it is verified, no mail can be sent to it, or too many
 * were sent in this hour. In a transaction.
 */
int email_ask_verification(struct db *db, const struct mail_config *config, const char *login, int64_t now_us, struct err *e)
	WARN_UNUSED;
/* Takes a token of such a link: 400 when it is not good (any more). *ret_user_id lives in the arena. In a transaction. */
int email_verify(struct db *db, const char *token, int64_t now_us, struct arena *arena, char **ret_user_id, struct err *e)
	WARN_UNUSED;
/* The user's address when a link to verify it is under way: 1, or 0. */
int email_pending(struct db *db, const char *user_id, int64_t now_us, struct arena *arena, char **ret_email, struct err *e)
	WARN_UNUSED;
/*
 * Queues a mail with a link to choose a new password, if a user with a password has that address. 429 when `caller`, a network address, asks
 * too often. In a transaction.
 */
int email_ask_reset(struct db *db, const struct mail_config *config, const char *email, const char *caller, int64_t now_us,
		    struct err *e) WARN_UNUSED;
/*
 * Takes a token of such a link and sets the password: 400 when one of them is not good. Makes an access token, as sign-up does;
 * the others stay good. In a transaction.
 */
int email_reset(struct db *db, const char *token, const char *password, int64_t now_us, struct arena *arena,
		char **ret_user_id, char ret_bearer[BEARER_TEXT], struct err *e) WARN_UNUSED;
/* Deletes expired tokens, some at a time: 1 there may be more, 0 done. */
int email_purge_tokens(struct db *db, int64_t now_us, struct err *e) WARN_UNUSED;

#endif
