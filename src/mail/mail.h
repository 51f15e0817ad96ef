/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mail: a row that is written in the transaction of its cause, and sent by a job. What is queued is sent at least once, with
 * the same Message-ID each time; what no server takes within MAIL_GIVE_UP_HOURS, or what a server refuses for good, stays as
 * failed until an administrator retries or drops it. The text of a mail is forgotten when it was sent.
 */
#ifndef MAIL_MAIL_H
#define MAIL_MAIL_H

#include <stdint.h>

#include "base/arena.h"
#include "db/db.h"
#include "mail/address.h"

#define MAIL_GIVE_UP_HOURS 72
#define MAIL_KEEP_DAYS 30	/* rows of mails that were sent or failed */

/* What SMTP_SERVER and its neighbours say. */
struct mail_config {
	const char *url;			/* smtp:// or smtps:// with host and port */
	const char *username, *password;	/* NULL: the server is not signed in to */
	bool plain;				/* no TLS: a relay on this host */
	struct mailbox sender;
};

/* Reads the settings: 1, 0 when SMTP_SERVER is not set, -1 with a sentence that names a wrong one. Lives in the arena. */
int mail_configure(struct arena *arena, struct mail_config *ret_config, struct err *e) WARN_UNUSED;
/* 1, or -1 with 403 when `config` is NULL: whoever runs the server has to set up mail for this. */
int mail_needed(const struct mail_config *config, struct err *e) WARN_UNUSED;
/* The address of a page of the console (PULUMI_CONSOLE_DOMAIN): https, or http on this machine. `path` begins with '/'. */
char *mail_link(struct arena *arena, const char *path);

struct mail {
	const char *kind;	/* what it is about, for administrators: at most 32 letters and '-' */
	const char *to;
	const char *subject;	/* at most LIMIT_MAIL_SUBJECT characters */
	const char *text;	/* lines that end with \n, at most LIMIT_MAIL_TEXT bytes */
};

/* Queues a mail. 400 when `to` is no address that mail can be sent to. In the transaction of its cause. */
int mail_queue(struct db *db, const struct mail_config *config, const struct mail *mail, int64_t now_us, struct err *e)
	WARN_UNUSED;
/* Queues several in the same way, all or none. */
int mail_queue_all(struct db *db, const struct mail_config *config, const struct mail *list, size_t count, int64_t now_us, struct err *e)
	WARN_UNUSED;
/* Sends a mail at once, without a row: 1, or -1 with what went wrong in e->detail; *ret_answer: the server's last words. */
int mail_send(const struct mail_config *config, const struct mail *mail, int64_t now_us, struct arena *arena, char **ret_answer,
	      struct err *e) WARN_UNUSED;

struct mail_sent {
	int64_t sent, later, failed;	/* how many so far: taken, to be tried again, given up */
};

/*
 * Sends the mail that is due next: 1 there was one, whatever became of it, 0 there is none. -1 when the server cannot be
 * used (the mail stays, and others would fare alike), or the database. Every process that calls it sends others.
 */
int mail_send_next(struct db *db, const struct mail_config *config, struct mail_sent *sent, struct err *e) WARN_UNUSED;
/* Deletes old rows, some at a time: 1 there may be more, 0 done. */
int mail_purge(struct db *db, int64_t now_us, struct err *e) WARN_UNUSED;

#endif
