/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_REQUIRED_SQL_H
#define POLICY_REQUIRED_SQL_H

#include "db/db.h"
#include "policy/required.h"

extern const struct stmt REQUIRED_PACKS;
extern const struct db_column required_pack_columns[];

#endif
