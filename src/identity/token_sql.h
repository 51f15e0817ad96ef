/* SPDX-License-Identifier: Apache-2.0 */
#ifndef IDENTITY_TOKEN_SQL_H
#define IDENTITY_TOKEN_SQL_H

#include "identity/token.h"

struct token_count {
	int64_t count;
};

extern const struct stmt TOKEN_CREATE, TOKEN_COUNT, TOKEN_USED, TOKEN_DELETE;
extern const struct stmt TOKEN_LIST_ACTIVE, TOKEN_LIST_EXPIRED, TOKEN_LIST_ALL;
extern const struct db_column token_columns[], token_count_columns[];

#endif
