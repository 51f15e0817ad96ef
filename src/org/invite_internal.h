/* SPDX-License-Identifier: Apache-2.0 */
/* What invitations that are sent one by one, and many at once, have in common. */
#ifndef ORG_INVITE_INTERNAL_H
#define ORG_INVITE_INTERNAL_H

#include "org/invite.h"

#define DAY_US (86400 * INT64_C(1000000))

/* 400 when so many more would be too many that are pending. */
int invite_check_count(struct db *db, const struct caller *c, size_t more, int64_t now_us, struct err *e) WARN_UNUSED;
/* 429 when the caller causes too many mails with these. */
int invite_check_sender(struct db *db, const struct caller *c, size_t mails, int64_t now_us, struct err *e) WARN_UNUSED;
/* What is counted of mails to an address, however it is spelt. */
char *invite_limit(const char *email, struct arena *arena);
/* The address of a page for whoever has the secret. */
char *invite_link(const struct caller *c, const char *secret, struct arena *arena);
/* The mail with the link; its texts live in the arena. */
struct mail invite_mail(const struct caller *c, const char *email, const char *link, int64_t now_us, struct arena *arena);

#endif
