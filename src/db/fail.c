/* SPDX-License-Identifier: Apache-2.0 */
/* What the numbers of errors mean: of a server's file operations (below 1000), the client library (2000 to 2099), MySQL and MariaDB, Galera (1047), and TiDB (8000 and above). */
#include "db/internal.h"

enum trouble {
	TROUBLE_OTHER,		/* a defect, of ours or of the installation */
	TROUBLE_LOST,		/* the connection is no more */
	TROUBLE_RACE,		/* the transaction has changed nothing and may run again */
	TROUBLE_WRONG_NODE,	/* another connection may reach a better one */
	TROUBLE_BUSY,		/* it, or a server behind it, takes nothing now; nobody knows what became of a commit */
	TROUBLE_FOREIGN_TEXT,	/* a name column is ASCII: text that is not cannot be compared with it, nor be in it */
	TROUBLE_TOO_LARGE
};

static const struct {
	unsigned number;
	enum trouble trouble;
} troubles[] = {
	{ 3, TROUBLE_BUSY },		/* a write failed: its disk is full */
	{ 20, TROUBLE_BUSY },		/* its disk is full */
	{ 1020, TROUBLE_RACE },		/* changed since it was read */
	{ 1021, TROUBLE_BUSY },		/* its disk is full */
	{ 1026, TROUBLE_BUSY },		/* a write failed */
	{ 1040, TROUBLE_BUSY },		/* no connection left */
	{ 1047, TROUBLE_WRONG_NODE },	/* a node without its cluster */
	{ 1053, TROUBLE_LOST },		/* shutting down */
	{ 1114, TROUBLE_BUSY },		/* no room for the row */
	{ 1203, TROUBLE_BUSY },		/* no connection left for this account */
	{ 1205, TROUBLE_RACE },		/* waited too long for a lock */
	{ 1213, TROUBLE_RACE },		/* deadlock, or failed certification */
	{ 1226, TROUBLE_BUSY },		/* the account has used up what it may in an hour */
	{ 1267, TROUBLE_FOREIGN_TEXT },
	{ 1290, TROUBLE_WRONG_NODE },	/* read-only */
	{ 1317, TROUBLE_LOST },		/* killed */
	{ 1792, TROUBLE_WRONG_NODE },	/* read-only */
	{ 1836, TROUBLE_WRONG_NODE },	/* read-only */
	{ 1878, TROUBLE_BUSY },		/* no room for a temporary file */
	{ 1927, TROUBLE_LOST },		/* connection killed */
	{ 2006, TROUBLE_LOST },		/* gone away */
	{ 2013, TROUBLE_LOST },		/* lost during a statement */
	{ 2026, TROUBLE_LOST },		/* within TLS */
	{ 2055, TROUBLE_LOST },
	{ 3988, TROUBLE_FOREIGN_TEXT },
	{ 4031, TROUBLE_LOST },		/* idle for too long */
	{ 8002, TROUBLE_RACE },		/* a locking read cannot be repeated by TiDB itself */
	{ 8004, TROUBLE_TOO_LARGE },	/* transaction: txn-total-size-limit */
	{ 8005, TROUBLE_RACE },		/* write conflict */
	{ 8022, TROUBLE_RACE },		/* commit failed, and cannot be repeated by TiDB itself */
	{ 8025, TROUBLE_TOO_LARGE },	/* row: tidb_txn_entry_size_limit */
	{ 8028, TROUBLE_RACE },		/* the schema changed meanwhile */
	{ 8229, TROUBLE_RACE },		/* the transaction was idle for too long, and is no more */
	{ 8501, TROUBLE_BUSY },		/* TiDB does not know what became of a commit */
	{ 9001, TROUBLE_BUSY },		/* PD does not answer */
	{ 9002, TROUBLE_BUSY },		/* TiKV does not answer */
	{ 9003, TROUBLE_BUSY },		/* TiKV is busy */
	{ 9004, TROUBLE_RACE },		/* too many waited for a lock */
	{ 9005, TROUBLE_BUSY },		/* a region has no leader */
	{ 9007, TROUBLE_RACE },		/* write conflict */
};

static enum trouble trouble_of(unsigned number)
{
	for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++)
		if (troubles[i].number == number)
			return troubles[i].trouble;
	/* No connection yet. */
	return number >= 2000 && number < 2013 ? TROUBLE_BUSY : TROUBLE_OTHER;
}

bool db_is_lost(unsigned number)
{
	return trouble_of(number) == TROUBLE_LOST;
}

/* What the client library says, and what passes by itself; another answer to a login is final. */
bool db_is_transient(unsigned number)
{
	return (number >= 2000 && number < 3000) || number >= 5000 || trouble_of(number) != TROUBLE_OTHER;
}

int db_fail(struct db *db, const char *what, unsigned number, const char *text, struct err *e)
{
	enum trouble trouble = trouble_of(number);

	if (trouble == TROUBLE_LOST || trouble == TROUBLE_WRONG_NODE)
		db->broken = true;
	if (trouble == TROUBLE_FOREIGN_TEXT)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: a name has characters that no name here can have");
	if (trouble == TROUBLE_TOO_LARGE)
		return err_set(e, ERR_TOO_LARGE,
			       "Request Entity Too Large: the database takes no row or transaction of that size (TiDB's "
			       "txn-entry-size-limit, txn-total-size-limit); send less at a time");
	if (trouble == TROUBLE_RACE || (trouble == TROUBLE_LOST && db->in_transaction))
		return err_set(e, ERR_RETRY, "%s", "");
	if (trouble != TROUBLE_OTHER)
		return err_unavailable(e, "%s: %u %s", what, number, text);
	return err_internal(e, "%s: %u %s", what, number, text);
}
