/* SPDX-License-Identifier: Apache-2.0 */
/* The claim that a job needs to delete objects: a backup has the same one while it copies them. */
#ifndef CRON_OBJECTS_H
#define CRON_OBJECTS_H

#include "claim/claim.h"

struct objects_claim {
	struct claim claim;
	struct db *db;
	time_t renewed;
};

/* 1; 0 when somebody else has it, who is then named on standard error. */
int objects_claim(struct db *db, const char *what, struct objects_claim *ret_claim, struct err *e) WARN_UNUSED;
/* Whether to go on deleting: renews the claim from time to time. `context` is the claim. */
bool objects_going(void *context);
void objects_release(struct objects_claim *c);

#endif
