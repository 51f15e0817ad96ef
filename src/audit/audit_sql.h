/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_AUDIT_SQL_H
#define AUDIT_AUDIT_SQL_H

#include "audit/audit.h"

extern const struct stmt AUDIT_RECORD, AUDIT_USER;
extern const struct stmt AUDIT_LIST, AUDIT_LIST_EVENT, AUDIT_LIST_USER, AUDIT_LIST_USER_EVENT;
extern const struct db_column audit_columns[], audit_user_columns[];

#endif
