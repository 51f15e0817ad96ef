/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STACK_STACK_KEY_SQL_H
#define STACK_STACK_KEY_SQL_H

#include "stack/stack_key.h"

struct stack_key_row {
	char *stack_id, *master_key_id;
	struct span sealed;
	int64_t stacks;
};

extern const struct stmt STACK_KEY_BY_STACK, STACK_KEY_CREATE, STACK_KEYS_OF_OTHERS, STACK_KEY_RESEAL, MASTER_KEYS,
	MASTER_KEY_CREATE;
extern const struct db_column stack_key_columns[], stack_key_other_columns[], master_key_columns[];

#endif
