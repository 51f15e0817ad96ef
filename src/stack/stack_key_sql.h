/* SPDX-License-Identifier: Apache-2.0 */
#ifndef STACK_STACK_KEY_SQL_H
#define STACK_STACK_KEY_SQL_H

#include "stack/stack_key.h"

struct stack_key_row {
	char *stack_id;
	struct span sealed;
	char *master, *lost_master;	/* lost_master: of the data key before this one; NULL: none was lost */
	int64_t forgotten_at;		/* of `master`; -1: not */
};

struct master_key_row {
	char *id;
	int64_t retired_at, forgotten_at;	/* -1: not */
};

struct key_count {
	int64_t keys;
};

extern const struct stmt STACK_KEY_BY_STACK, STACK_KEY_CREATE, STACK_KEY_RESEAL, STACK_KEY_REPLACE, STACK_KEYS_OF_MASTER, STACK_KEYS_COUNT,
	STACK_KEYS_COUNT_OTHERS, MASTER_KEYS, MASTER_KEYS_IN_USE, MASTER_KEY_CREATE, MASTER_KEYS_RETIRE,
	MASTER_KEY_FORGET, STACK_KEY_LOSSES;
extern const struct db_column stack_key_columns[], stack_key_found_columns[], stack_key_loss_columns[], master_key_columns[], master_key_in_use_columns[], key_count_columns[];

#endif
