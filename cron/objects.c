/* SPDX-License-Identifier: Apache-2.0 */
#include "objects.h"

#include <stdio.h>
#include <time.h>

#include "job.h"

#define RENEW_SECONDS (CLAIM_SECONDS / 6)

int objects_claim(struct db *db, const char *what, struct objects_claim *ret_claim, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct objects_claim c = { .db = db, .renewed = time(NULL) };
	const char *holder;
	int rc = claim_take(db, CLAIM_OBJECTS, what, &arena, &c.claim, &holder, e);

	if (rc == 0)
		fprintf(stderr, "level=info msg=\"objects stay for now\" job=\"%s\" holder=\"%s\"\n", what, holder);
	if (rc == 1)
		*ret_claim = c;
	return rc;
}

bool objects_going(void *context)
{
	struct objects_claim *c = context;
	struct err e = { 0 };
	time_t now = time(NULL);

	if (!job_going())
		return false;
	if (now - c->renewed < RENEW_SECONDS)
		return true;
	c->renewed = now;
	return claim_renew(c->db, &c->claim, &e) == 1;
}

void objects_release(struct objects_claim *c)
{
	claim_release(c->db, &c->claim);
}
