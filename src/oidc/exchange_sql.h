/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OIDC_EXCHANGE_SQL_H
#define OIDC_EXCHANGE_SQL_H

#include "db/db.h"

struct exchange_user {
	char *user_id;
};

extern const struct stmt EXCHANGE_USER;
extern const struct db_column exchange_user_columns[];

#endif
