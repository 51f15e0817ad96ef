/* SPDX-License-Identifier: Apache-2.0 */
#include <time.h>

#include "base/fault.h"
#include "db/internal.h"

void db_pause(int attempt)
{
	struct timespec t = { .tv_nsec = 1000000L << attempt };

	nanosleep(&t, NULL);
}

static int commit(struct db *db, struct err *e)
{
	int64_t began_ns = observe_begin(&db->observer);
	int rc;

	fault_point("commit.before");
	rc = db_commit(db, e);
	fault_point("commit.after");
	observe_end(&db->observer, "transaction.commit", began_ns, rc < 0);
	if (rc == 1)
		observe_transaction(&db->observer, true);
	return rc;
}

int db_run(struct db *db, int (*work)(void *context, struct err *e), void *context, struct err *e)
{
	for (int attempt = 0;; attempt++) {
		struct err last = { 0 };

		if (db_begin(db, &last) == 1 && work(context, &last) >= 0 && commit(db, &last) == 1)
			return 1;
		db_rollback(db);
		observe_transaction(&db->observer, false);
		if (last.kind != ERR_RETRY || attempt == DB_ATTEMPTS) {
			*e = last;
			return -1;
		}
		db_pause(attempt);
	}
}
