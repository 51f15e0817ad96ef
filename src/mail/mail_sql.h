/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_MAIL_SQL_H
#define MAIL_MAIL_SQL_H

#include "mail/mail.h"

struct mail_due {
	char *id, *recipient;
	struct span message;
	int64_t attempts;	/* before this one */
	bool last;		/* it is too old to be tried again */
};

#define MAILS_AT_ONCE 20	/* rows of MAIL_QUEUE_ALL */

struct limit_row {
	struct span subject;
};

extern const struct stmt MAIL_QUEUE, MAIL_QUEUE_ALL, MAIL_DUE, MAIL_CLAIM, MAIL_SENT, MAIL_LATER, MAIL_FAILED, MAIL_PURGE;
extern const struct stmt LIMIT_COUNT, LIMIT_BEGIN, LIMIT_PURGE, LIMITS_BEGIN, LIMITS_COUNT, LIMITS_KEPT;
extern const struct db_column mail_due_columns[], limit_columns[];

#endif
