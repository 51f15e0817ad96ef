/* SPDX-License-Identifier: Apache-2.0 */
/* An organization at a glance: what it is, and how much it has. */
#ifndef ORG_METADATA_H
#define ORG_METADATA_H

#include "identity/identity.h"

struct organization_metadata {
	char *id;
	int64_t created_at;
	bool individual;	/* of one user, who stays its only member */
	int64_t member_count, stack_count;	/* of those that can be seen: no deleted stacks */
};

/* Of the organization that the caller belongs to: 1; -1 with 404 when it is gone by now. */
int metadata_read(struct db *db, const struct caller *c, struct arena *arena, struct organization_metadata *ret_metadata,
		  struct err *e) WARN_UNUSED;

#endif
