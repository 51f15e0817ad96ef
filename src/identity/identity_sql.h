/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IDENTITY_IDENTITY_SQL_H
#define IDENTITY_IDENTITY_SQL_H

#include "identity/identity.h"

extern const struct stmt CALLER_BY_TOKEN, ORGANIZATIONS_OF_USER, ORGANIZATIONS_OF_USER_BY_ID, MEMBERSHIP, MEMBERSHIP_OF_TOKEN, ORGANIZATION_OF_TOKEN,
	DEFAULT_ORGANIZATION, USER_COUNT, USER_FIRST, USER_CREATE,
	USER_SET_DEFAULT_ORGANIZATION, ORGANIZATION_CREATE, MEMBER_CREATE;
extern const struct db_column caller_columns[], organization_columns[], user_any_columns[];

#endif
