/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STACK_STACK_SQL_H
#define STACK_STACK_SQL_H

#include "stack/stack.h"

extern const struct stmt STACK_BY_PATH, STACK_LOCK_BY_PATH, STACK_PROJECT_EXISTS, STACK_CREATE, STACK_DELETE,
	STACK_SET_TAGS, STACK_LIST;
extern const struct db_column stack_columns[], stack_row_columns[], stack_listed_columns[], stack_id_columns[];

#endif
