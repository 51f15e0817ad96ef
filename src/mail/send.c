/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fault.h"
#include "crypto/crypto.h"
#include "mail/mail.h"
#include "mail/mail_sql.h"
#include "mail/smtp.h"

#define CLAIM_SECONDS (5 * SMTP_SECONDS)	/* after that, whoever claimed it has died */
#define FIRST_PAUSE_SECONDS 60
#define LONGEST_PAUSE_SECONDS (4 * 3600)
#define HOUR_US INT64_C(3600000000)

/* Twice as long after each attempt, and somewhere between half and all of that: not all come back at once. */
static int64_t pause_after(int64_t attempts)
{
	int64_t seconds = FIRST_PAUSE_SECONDS;
	unsigned char random;

	for (int64_t i = 0; i < attempts && seconds < LONGEST_PAUSE_SECONDS; i++)
		seconds *= 2;
	if (seconds > LONGEST_PAUSE_SECONDS)
		seconds = LONGEST_PAUSE_SECONDS;
	random_bytes(&random, 1);
	return seconds / 2 + seconds / 2 * random / 255;
}

static int note_sent(struct db *db, const struct mail_due *m, struct mail_sent *sent, struct err *e)
{
	sent->sent++;
	return db_exec(db, &MAIL_SENT, DB_VALUES(db_text(m->id)), NULL, e);
}

static int note_failed(struct db *db, const struct mail_due *m, const char *problem, struct mail_sent *sent, struct err *e)
{
	sent->failed++;
	return db_exec(db, &MAIL_FAILED, DB_VALUES(db_text(problem), db_text(m->id), db_int(m->attempts + 1)), NULL, e);
}

static int note_later(struct db *db, const struct mail_due *m, const char *problem, struct mail_sent *sent, struct err *e)
{
	sent->later++;
	return db_exec(db, &MAIL_LATER,
		       DB_VALUES(db_int(pause_after(m->attempts)), db_text(problem), db_text(m->id), db_int(m->attempts + 1)), NULL,
		       e);
}

static int send_claimed(struct db *db, const struct mail_config *config, const struct mail_due *m, struct mail_sent *sent,
			struct err *e)
{
	char words[SMTP_WORDS];
	enum smtp_outcome outcome = smtp_send(config, m->recipient, m->message, words);
	int rc;

	fault_point("mail.sent");
	if (outcome == SMTP_TAKEN)
		return note_sent(db, m, sent, e);
	rc = outcome == SMTP_NEVER || m->last ? note_failed(db, m, words, sent, e) : note_later(db, m, words, sent, e);
	if (rc < 0)
		return -1;
	return outcome == SMTP_UNUSABLE ? err_unavailable(e, "%s: %s", config->url, words) : 1;
}

int mail_send_next(struct db *db, const struct mail_config *config, struct mail_sent *sent, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct mail_due m = { 0 };
	int64_t changed = 0;
	int rc = db_one(db, &MAIL_DUE, DB_NONE, mail_due_columns, &m, &arena, e);

	if (rc <= 0)
		return rc;
	fault_point("mail.found");
	if (db_exec(db, &MAIL_CLAIM, DB_VALUES(db_int(CLAIM_SECONDS), db_text(m.id), db_int(m.attempts)), &changed, e) < 0)
		return -1;
	fault_point("mail.claimed");
	/* Somebody else has it: look for another. */
	return changed == 1 ? send_claimed(db, config, &m, sent, e) : 1;
}

int mail_purge(struct db *db, int64_t now_us, struct err *e)
{
	int64_t sent = 0, failed = 0, limits = 0;

	if (db_exec(db, &MAIL_PURGE, DB_VALUES(db_text("sent"), db_int(MAIL_KEEP_DAYS)), &sent, e) < 0 ||
	    db_exec(db, &MAIL_PURGE, DB_VALUES(db_text("failed"), db_int(MAIL_KEEP_DAYS)), &failed, e) < 0 ||
	    db_exec(db, &LIMIT_PURGE, DB_VALUES(db_int(now_us / HOUR_US - 1)), &limits, e) < 0)
		return -1;
	return sent > 0 || failed > 0 || limits > 0;
}
