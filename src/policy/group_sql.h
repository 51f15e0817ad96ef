/* SPDX-License-Identifier: Apache-2.0 */
#ifndef POLICY_GROUP_SQL_H
#define POLICY_GROUP_SQL_H

#include "db/db.h"
#include "policy/group.h"

struct group_row {
	int64_t count;
	char *id;
};

extern const struct stmt GROUP_COUNT, GROUP_CREATE, GROUP_BY_NAME, GROUP_LIST, GROUP_LIST_OF_STACK, GROUP_STACKS_OF_DEFAULT, GROUP_STACKS,
	GROUP_PACKS, GROUP_PACK_COUNT, GROUP_RENAME, GROUP_SET_POOL, GROUP_DELETE, GROUP_STACKS_PUT, GROUP_STACKS_REMOVE, GROUP_STACKS_AMONG, GROUP_STACKS_CLEAR,
	GROUP_STACKS_LEAVE, GROUP_PACK_ADD, GROUP_PACK_REMOVE, GROUP_PACKS_CLEAR;
extern const struct db_column group_stack_id_columns[], group_count_columns[], group_columns[], group_listed_columns[], group_stack_columns[], group_pack_columns[];

#endif
