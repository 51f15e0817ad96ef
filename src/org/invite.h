/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Invitations to join an organization: a link, sent by mail or handed over. Whoever has the link and an account here can
 * accept it, once; a mailed one expires, and its addressee can also accept it by id once the address is verified. The
 * secret in a link is stored as its digest: a link is shown when it is made, and never again.
 */
#ifndef ORG_INVITE_H
#define ORG_INVITE_H

#include "identity/email.h"
#include "org/role.h"

#define INVITE_DAYS 7	/* a mailed one; others do not expire */

struct invite {
	char *id, *email, *role, *state;	/* email NULL: a link that is handed over */
	char *organization_id, *organization_login, *organization_name;
	char *sender_login, *sender_name;
	int64_t sent_at;
	bool expired;
};

struct invite_wanted {
	const char *email;	/* one that mail can be sent to */
	const struct role *role;
};

struct invite_made {
	char *id, *link;	/* in the arena */
};

/* Those of an organization that can still be accepted, oldest first. */
int invite_list(struct db *db, const struct caller *c, int64_t now_us, struct arena *arena, struct invite **ret_list,
		size_t *ret_count, struct err *e) WARN_UNUSED;
/* The same, of all organizations, for an address; its owner must have verified it. */
int invite_list_for(struct db *db, const char *email, int64_t now_us, struct arena *arena, struct invite **ret_list,
		    size_t *ret_count, struct err *e) WARN_UNUSED;

/*
 * Excludes other changes of members and invitations; 400 for the individual organization of a user. In a transaction, before
 * the calls below.
 */
int invite_begin(struct db *db, const struct caller *c, struct err *e) WARN_UNUSED;
/* A link to hand over. 400 when too many invitations are pending. */
int invite_make_link(struct db *db, const struct caller *c, const struct role *role, int64_t now_us, struct arena *arena,
		     struct invite_made *ret_made, struct err *e) WARN_UNUSED;
/*
 * Mails links, at most LIMIT_INVITES, as if one after the other: an earlier link to the same address ends, also one of this list.
 * The id in ret_list[i] is NULL when a member has the address of list[i], or too many mails went there. 400 when too many
 * invitations are pending, 429 when the caller sent too many.
 */
int invite_send_all(struct db *db, const struct mail_config *config, const struct caller *c, const struct invite_wanted *list,
		    size_t count, int64_t now_us, struct arena *arena, struct invite_made *ret_list, struct err *e) WARN_UNUSED;
/* Mails a new link; the one before it ends. 404 when it is not pending; 400 when it was never mailed. */
int invite_resend(struct db *db, const struct mail_config *config, const struct caller *c, const char *id, int64_t now_us,
		  struct err *e) WARN_UNUSED;
/* 404 when it is not pending. */
int invite_cancel(struct db *db, const struct caller *c, const char *id, struct err *e) WARN_UNUSED;

/*
 * The invitation behind what a link has at its end, or, for its addressee, behind its id; whatever has become of it. 404 when
 * there is none.
 */
int invite_find(struct db *db, const struct caller *c, const char *organization, const char *secret, int64_t now_us,
		struct arena *arena, struct invite *ret_invite, struct err *e) WARN_UNUSED;
/* Makes the caller a member: 409 when it was accepted, canceled or has expired, or the caller is a member. In a transaction. */
int invite_accept(struct db *db, const struct caller *c, const struct invite *i, int64_t now_us, struct err *e) WARN_UNUSED;

#endif
