/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OIDC_GRANT_SQL_H
#define OIDC_GRANT_SQL_H

#include "oidc/grant.h"

struct grant_row {
	struct grant grant;	/* first: its columns are the grant's */
	char *access_token_id, *member_id;
	struct span successor;
	int64_t used_at;
};

extern const struct stmt GRANT_ACCESS_TOKEN, GRANT_REFRESH_TOKEN, GRANT_LOCK, GRANT_USED, GRANT_DELETE,
	GRANT_DELETE_FAMILY, GRANT_DELETE_ACCESS_TOKEN, GRANT_DELETE_FAMILY_ACCESS;
extern const struct db_column grant_columns[];

#endif
