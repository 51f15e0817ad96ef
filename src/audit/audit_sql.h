/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AUDIT_AUDIT_SQL_H
#define AUDIT_AUDIT_SQL_H

#include "audit/audit.h"

extern const struct stmt AUDIT_RECORD, AUDIT_USER;
extern const struct stmt AUDIT_LIST, AUDIT_LIST_EVENT, AUDIT_LIST_USER, AUDIT_LIST_USER_EVENT;
extern const struct stmt AUDIT_USER_NAMES, AUDIT_TOKEN_NAME;
extern const struct stmt AUDIT_WAITING, AUDIT_MARK, AUDIT_SHIPPED_UNTIL, AUDIT_REMOVE, AUDIT_UNMARK, AUDIT_EXISTS;
extern const struct db_column audit_columns[], audit_user_columns[], audit_user_name_columns[], audit_token_name_columns[],
	audit_waiting_columns[], audit_shipped_columns[], audit_id_columns[];

#endif
