/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of src/policy/group_*.c share. */
#ifndef POLICY_GROUP_INTERNAL_H
#define POLICY_GROUP_INTERNAL_H

#include "policy/group.h"

/* A request that changes a group. Stacks that one after the other are added, or taken out, wait and are changed together. */
struct change {
	struct db *db;
	const struct caller *caller;
	struct policy_group group;
	int64_t now_us;
	const char *source_ip;
	struct arena *arena;
	struct stack_path stacks[STACKS_AT_ONCE];
	size_t count;
	bool adding;
};

/* `json` is the object that a client names a stack with. 404 may come with a later call. */
int change_add_stack(struct change *ch, struct span json, struct err *e) WARN_UNUSED;
int change_remove_stack(struct change *ch, struct span json, struct err *e) WARN_UNUSED;
int change_clear_stacks(struct change *ch, struct err *e) WARN_UNUSED;
/* What waits is done. */
int change_settle_stacks(struct change *ch, struct err *e) WARN_UNUSED;

#endif
