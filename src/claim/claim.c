/* SPDX-License-Identifier: Apache-2.0 */
#include "claim/claim.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "claim/claim_sql.h"

#define RENEW_SECONDS 5
#define REPORT_SECONDS 10

static const char *describe(struct arena *arena, const char *what)
{
	char host[65] = "";

	gethostname(host, sizeof(host) - 1);
	return arena_printf(arena, "%s, process %d on %s", what, (int)getpid(), host);
}

static void new_holder(char ret_holder[UUID_TEXT])
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	uuid_new((int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000, ret_holder);
}

/* The first to insert the row has it; later ones change a row that ran out. */
static int take(struct db *db, const struct claim *c, const char *description, struct err *e)
{
	int64_t changed;
	int rc = db_exec(db, &CLAIM_CREATE,
			 DB_VALUES(db_text(c->name), db_text(c->holder), db_text(description), db_int(CLAIM_SECONDS)), NULL, e);

	if (rc != 0)
		return rc;
	if (db_exec(db, &CLAIM_TAKE_OVER,
		    DB_VALUES(db_text(c->holder), db_text(description), db_int(CLAIM_SECONDS), db_text(c->name)), &changed,
		    e) < 0)
		return -1;
	return changed == 1;
}

int claim_take(struct db *db, const char *name, const char *what, struct arena *arena, struct claim *ret_claim,
	       const char **ret_holder, struct err *e)
{
	struct claim c = { .name = name };
	struct claim_row row = { 0 };
	int rc;

	new_holder(c.holder);
	rc = take(db, &c, describe(arena, what), e);
	if (rc == 1)
		*ret_claim = c;
	if (rc != 0)
		return rc;
	if (db_one(db, &CLAIM_HOLDER, DB_VALUES(db_text(name)), claim_columns, &row, arena, e) < 0)
		return -1;
	*ret_holder = row.description ? row.description : "somebody who has just ended";
	return 0;
}

int claim_wait(struct db *db, const char *name, const char *what, struct claim *ret_claim, struct err *e)
{
	for (int seconds = 0;; seconds++) {
		_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
		struct err last = { 0 };
		const char *holder = "";
		int rc = claim_take(db, name, what, &arena, ret_claim, &holder, &last);

		if (rc < 0 && last.kind != ERR_RETRY)
			*e = last;
		if (rc == 1 || (rc < 0 && last.kind != ERR_RETRY))
			return rc;
		if (seconds % REPORT_SECONDS == 2)
			fprintf(stderr, "%s: waiting for %s, which has the claim '%s'\n", what, holder, name);
		sleep(1);
	}
}

int claim_renew(struct db *db, const struct claim *claim, struct err *e)
{
	int64_t changed;

	if (db_exec(db, &CLAIM_RENEW, DB_VALUES(db_int(CLAIM_SECONDS), db_text(claim->name), db_text(claim->holder)),
		    &changed, e) < 0)
		return -1;
	return changed == 1;
}

/* Lives as long as its parent; a database that is away for a moment is asked again. */
static void keep(const struct db_config *config, const struct claim *claim, pid_t parent)
{
	_cleanup_(db_closep) struct db *db = NULL;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (getppid() == parent) {
		struct err e = { 0 };

		if ((db || db_open(config, &db, &e) == 1) && claim_renew(db, claim, &e) == 0)
			break;
		sleep(RENEW_SECONDS);
	}
	_exit(0);
}

int claim_keep(const struct db_config *config, struct claim *claim, struct err *e)
{
	pid_t parent = getpid(), pid = fork();

	if (pid < 0)
		return err_internal(e, "cannot start a process: %s", strerror(errno));
	if (pid == 0)
		keep(config, claim, parent);
	claim->keeper = pid;
	return 1;
}

void claim_release(struct db *db, struct claim *claim)
{
	struct err ignored = { 0 };

	if (claim->keeper > 0) {
		kill(claim->keeper, SIGKILL);
		waitpid(claim->keeper, NULL, 0);
		claim->keeper = 0;
	}
	/* When the row cannot be deleted it runs out. */
	if (claim->name && db)
		(void)!db_exec(db, &CLAIM_RELEASE, DB_VALUES(db_text(claim->name), db_text(claim->holder)), NULL, &ignored);
	claim->name = NULL;
}
