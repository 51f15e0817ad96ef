/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/limit.h"

#include "crypto/crypto.h"
#include "mail/mail_sql.h"

#define HOUR_US INT64_C(3600000000)

static int count_more(struct db *db, struct span subject, int64_t period, int64_t times, int64_t most, struct err *e)
{
	int64_t changed = 0;

	if (db_exec(db, &LIMIT_COUNT, DB_VALUES(db_int(times), db_bytes(subject), db_int(period), db_int(most - times)), &changed, e) < 0)
		return -1;
	return changed == 1;
}

static int take(struct db *db, const char *what, int64_t times, int64_t most, int64_t now_us, struct err *e)
{
	unsigned char digest[SHA256_BYTES];
	struct span subject = { (char *)digest, sizeof(digest) };
	int rc;

	if (times > most)
		return 0;
	sha256(span_of(what), digest);
	rc = count_more(db, subject, now_us / HOUR_US, times, most, e);
	if (rc == 0)
		rc = db_exec(db, &LIMIT_BEGIN, DB_VALUES(db_bytes(subject), db_int(now_us / HOUR_US), db_int(times)), NULL, e);
	else
		return rc;
	/* Somebody else began the hour, or it is used up. */
	return rc == 0 ? count_more(db, subject, now_us / HOUR_US, times, most, e) : rc;
}

int limit_take(struct db *db, const char *what, int64_t most, int64_t now_us, struct err *e)
{
	return take(db, what, 1, most, now_us, e);
}

int limit_check(struct db *db, const char *what, int64_t times, int64_t most, int64_t now_us, struct err *e)
{
	int rc = take(db, what, times, most, now_us, e);

	if (rc == 0)
		return err_set(e, ERR_TOO_MANY, "Too Many Requests: at most %lld of these mails can be caused in an hour; try again later",
			       (long long)most);
	return rc;
}

/* A list of subjects, at most DB_PLACES, and what is known of it in this hour. */
struct subjects {
	unsigned char digests[DB_PLACES][SHA256_BYTES];
	size_t count;
	int64_t period;
};

static void put_places(const struct subjects *s, struct db_value *values)
{
	for (size_t i = 0; i < DB_PLACES; i++)
		values[i] = i < s->count ? db_bytes((struct span){ (const char *)s->digests[i], SHA256_BYTES }) : (struct db_value){ 0 };
}

/* A row for each. Whoever makes one at the same moment makes this run again. */
static int begin_all(struct db *db, const struct subjects *s, struct err *e)
{
	struct db_value values[DB_PLACES + 2] = { db_int(s->period) };
	int rc;

	put_places(s, values + 1);
	values[DB_PLACES + 1] = db_int(s->period);
	rc = db_exec(db, &LIMITS_BEGIN, values, DB_PLACES + 2, NULL, e);
	return rc == 0 ? err_set(e, ERR_RETRY, "%s", "") : rc;
}

static int count_all(struct db *db, const struct subjects *s, struct err *e)
{
	struct db_value values[DB_PLACES + 1] = { db_int(s->period) };

	put_places(s, values + 1);
	return db_exec(db, &LIMITS_COUNT, values, DB_PLACES + 1, NULL, e);
}

static int read_kept(struct db *db, const struct subjects *s, int64_t most, bool *ret_taken, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct db_value values[DB_PLACES + 2] = { db_int(s->period), db_int(most) };
	struct limit_row *rows;
	size_t count;

	put_places(s, values + 2);
	if (db_all(db, &LIMITS_KEPT, values, DB_PLACES + 2, limit_columns, sizeof(*rows), &arena, (void **)&rows, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < s->count; i++) {
		ret_taken[i] = false;
		for (size_t k = 0; k < count && !ret_taken[i]; k++)
			ret_taken[i] = span_equal(rows[k].subject, (struct span){ (const char *)s->digests[i], SHA256_BYTES });
	}
	return 1;
}

int limit_take_each(struct db *db, const char *const *whats, size_t count, int64_t most, int64_t now_us, bool *ret_taken,
		    struct err *e)
{
	for (size_t from = 0; from < count; from += DB_PLACES) {
		struct subjects s = { .period = now_us / HOUR_US };

		for (; s.count < DB_PLACES && from + s.count < count; s.count++)
			sha256(span_of(whats[from + s.count]), s.digests[s.count]);
		if (begin_all(db, &s, e) < 0 || count_all(db, &s, e) < 0 || read_kept(db, &s, most, ret_taken + from, e) < 0)
			return -1;
	}
	return 1;
}
