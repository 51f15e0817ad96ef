/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OIDC_ISSUER_SQL_H
#define OIDC_ISSUER_SQL_H

#include "oidc/issuer.h"

struct issuer_count {
	int64_t count;
};

extern const struct stmt ISSUER_CREATE, ISSUER_COUNT, ISSUER_BY_ID, ISSUER_OF_TOKEN, ISSUER_LIST, ISSUER_CHANGE,
	ISSUER_SET_THUMBPRINTS, ISSUER_DELETE, ISSUER_DELETE_POLICY, ISSUER_DELETE_TOKENS, ISSUER_DELETE_REFRESH_TOKENS,
	ISSUER_CLAIM_KEYS, ISSUER_SET_KEYS, ISSUER_USED, ISSUER_REFUSED;
extern const struct db_column issuer_columns[], issuer_count_columns[];

#endif
