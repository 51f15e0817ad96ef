/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ORG_MEMBER_SQL_H
#define ORG_MEMBER_SQL_H

#include "org/member.h"

extern const struct stmt MEMBER_LIST, MEMBER_BY_LOGIN, MEMBER_OTHER_ADMIN, MEMBERS_CHANGE, MEMBER_ADD, MEMBER_SET_ROLE,
	MEMBER_REMOVE, MEMBER_FORGET_DEFAULT;
extern const struct db_column member_columns[];

#endif
