/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OIDC_POLICY_SQL_H
#define OIDC_POLICY_SQL_H

#include "oidc/policy.h"

extern const struct stmt POLICY_CREATE, POLICY_OF_ISSUER, POLICY_BY_ID, POLICY_CHANGE;
extern const struct db_column policy_columns[];

#endif
