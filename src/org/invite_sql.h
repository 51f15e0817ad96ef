/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ORG_INVITE_SQL_H
#define ORG_INVITE_SQL_H

#include "org/invite.h"

#define INVITES_AT_ONCE 24	/* rows of INVITE_CREATE_ALL */

struct invite_count {
	int64_t count;
};

struct invite_address {
	char *email;
};

extern const struct stmt INVITE_LIST, INVITE_LIST_FOR, INVITE_BY_ID, INVITE_BY_SECRET, INVITE_FOR_ADDRESS, INVITE_COUNT, INVITE_MEMBERS,
	INVITE_CREATE, INVITE_CREATE_ALL, INVITE_RENEW, INVITE_CANCEL, INVITE_CANCEL_FOR, INVITE_ACCEPT;
extern const struct db_column invite_columns[], invite_count_columns[], invite_address_columns[];

#endif
