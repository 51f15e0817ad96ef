/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STACK_STACK_SQL_H
#define STACK_STACK_SQL_H

#include "stack/stack.h"

#define STACK_TAGS_AT_ONCE 16	/* rows of STACK_TAGS_INSERT */

struct stack_and_caller {
	struct caller caller;
	struct stack stack;
};

extern const struct stmt STACK_BY_PATH, STACK_BY_TOKEN, STACK_OPERATION, STACK_LOCK_BY_PATH, STACK_LOCK_ALL, STACK_PROJECT_EXISTS, STACK_CREATE, STACK_SET_CONFIG,
	STACK_MOVE, STACK_LIST, STACK_LIST_PROJECT, STACK_LIST_TAG, STACK_LIST_TAG_VALUE, STACK_LIST_PROJECT_TAG, STACK_LIST_PROJECT_TAG_VALUE, STACK_DELETE, STACK_LIST_DELETED,
	STACK_RESTORE, STACK_SET_TAGS, STACK_TAGS_INSERT, STACK_TAGS_DELETE, STACK_TAGS_MOVE;
extern const struct db_column stack_columns[], stack_and_caller_columns[], stack_operation_columns[], stack_row_columns[], stack_listed_columns[], stack_id_columns[], stack_path_columns[],
	stack_deleted_columns[];

#endif
