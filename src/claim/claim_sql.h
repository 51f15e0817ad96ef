/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CLAIM_CLAIM_SQL_H
#define CLAIM_CLAIM_SQL_H

#include "claim/claim.h"

struct claim_row {
	char *holder, *description;
};

extern const struct stmt CLAIM_CREATE, CLAIM_TAKE_OVER, CLAIM_RENEW, CLAIM_RELEASE, CLAIM_HOLDER;
extern const struct db_column claim_columns[];

#endif
