/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/limit.h"

#include "crypto/crypto.h"
#include "mail/mail_sql.h"

#define HOUR_US INT64_C(3600000000)

static int count_one(struct db *db, struct span subject, int64_t period, int64_t most, struct err *e)
{
	int64_t changed = 0;

	if (db_exec(db, &LIMIT_COUNT, DB_VALUES(db_bytes(subject), db_int(period), db_int(most)), &changed, e) < 0)
		return -1;
	return changed == 1;
}

int limit_take(struct db *db, const char *what, int64_t most, int64_t now_us, struct err *e)
{
	unsigned char digest[SHA256_BYTES];
	struct span subject = { (char *)digest, sizeof(digest) };
	int rc;

	sha256(span_of(what), digest);
	rc = count_one(db, subject, now_us / HOUR_US, most, e);
	if (rc == 0)
		rc = db_exec(db, &LIMIT_BEGIN, DB_VALUES(db_bytes(subject), db_int(now_us / HOUR_US)), NULL, e);
	else
		return rc;
	/* Somebody else began the hour, or it is used up. */
	return rc == 0 ? count_one(db, subject, now_us / HOUR_US, most, e) : rc;
}

int limit_check(struct db *db, const char *what, int64_t most, int64_t now_us, struct err *e)
{
	int rc = limit_take(db, what, most, now_us, e);

	if (rc == 0)
		return err_set(e, ERR_TOO_MANY, "Too Many Requests: at most %lld of these mails can be caused in an hour; try again later",
			       (long long)most);
	return rc;
}
