/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IDENTITY_EMAIL_SQL_H
#define IDENTITY_EMAIL_SQL_H

#include "identity/email.h"

extern const struct stmt EMAIL_USER, EMAIL_USER_BY_LOGIN, EMAIL_USER_BY_ADDRESS, EMAIL_USER_BY_TOKEN, EMAIL_PENDING, EMAIL_TOKEN_CREATE,
	EMAIL_TOKENS_USE, EMAIL_TOKENS_PURGE, EMAIL_SET_VERIFIED, EMAIL_SET_PASSWORD;
extern const struct db_column email_user_columns[];

#endif
