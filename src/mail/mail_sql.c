/* SPDX-License-Identifier: Apache-2.0 */
/* Times are the database's: hosts whose clocks differ agree on what is due. */
#include "mail/mail_sql.h"

const struct db_column mail_due_columns[] = {
	DB_COLUMN(mail_due, id, COLUMN_TEXT),
	DB_COLUMN(mail_due, recipient, COLUMN_TEXT),
	DB_COLUMN(mail_due, message, COLUMN_BYTES),
	DB_COLUMN(mail_due, attempts, COLUMN_INT),
	DB_COLUMN(mail_due, last, COLUMN_BOOL),
	{ 0 },
};

const struct stmt MAIL_QUEUE = STMT("mail.queue",
	"INSERT INTO mail_messages (id, kind, recipient, subject, message, state, next_attempt_at, give_up_at, created_at) "
	"VALUES (?, ?, ?, ?, ?, 'waiting', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL ? HOUR, UTC_TIMESTAMP(6))");

#define FOUR_MAILS                                                                                 \
	"UNION ALL SELECT ?, ?, ?, ?, CAST(? AS BINARY) UNION ALL SELECT ?, ?, ?, ?, CAST(? AS BINARY) " \
	"UNION ALL SELECT ?, ?, ?, ?, CAST(? AS BINARY) UNION ALL SELECT ?, ?, ?, ?, CAST(? AS BINARY) "

/* MAILS_AT_ONCE rows; those without an id make none. */
const struct stmt MAIL_QUEUE_ALL = STMT("mail.queue_all",
	"INSERT INTO mail_messages (id, kind, recipient, subject, message, state, next_attempt_at, give_up_at, created_at) "
	"SELECT t.id, t.kind, t.recipient, t.subject, t.message, 'waiting', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) + INTERVAL ? HOUR, "
	"UTC_TIMESTAMP(6) FROM (SELECT ? AS id, ? AS kind, ? AS recipient, ? AS subject, CAST(? AS BINARY) AS message "
	"UNION ALL SELECT ?, ?, ?, ?, CAST(? AS BINARY) UNION ALL SELECT ?, ?, ?, ?, CAST(? AS BINARY) "
	"UNION ALL SELECT ?, ?, ?, ?, CAST(? AS BINARY) " FOUR_MAILS FOUR_MAILS FOUR_MAILS FOUR_MAILS ") t WHERE t.id IS NOT NULL");

const struct stmt MAIL_DUE = STMT("mail.due",
	"SELECT id, recipient, message, attempts, give_up_at < UTC_TIMESTAMP(6) AS last FROM mail_messages "
	"WHERE state = 'waiting' AND next_attempt_at <= UTC_TIMESTAMP(6) ORDER BY next_attempt_at LIMIT 1");

/* Of many that found it the one that changes the row may send. */
const struct stmt MAIL_CLAIM = STMT("mail.claim",
	"UPDATE mail_messages SET attempts = attempts + 1, next_attempt_at = UTC_TIMESTAMP(6) + INTERVAL ? SECOND "
	"WHERE id = ? AND attempts = ? AND state = 'waiting' AND next_attempt_at <= UTC_TIMESTAMP(6)");

const struct stmt MAIL_SENT = STMT("mail.sent",
	"UPDATE mail_messages SET state = 'sent', sent_at = UTC_TIMESTAMP(6), message = NULL, problem = '' "
	"WHERE id = ? AND state = 'waiting'");

const struct stmt MAIL_LATER = STMT("mail.later",
	"UPDATE mail_messages SET next_attempt_at = UTC_TIMESTAMP(6) + INTERVAL ? SECOND, problem = ? "
	"WHERE id = ? AND attempts = ? AND state = 'waiting'");

const struct stmt MAIL_FAILED = STMT("mail.failed",
	"UPDATE mail_messages SET state = 'failed', problem = ? WHERE id = ? AND attempts = ? AND state = 'waiting'");

const struct stmt MAIL_PURGE = STMT("mail.purge",
	"DELETE FROM mail_messages WHERE state = ? AND created_at < UTC_TIMESTAMP(6) - INTERVAL ? DAY LIMIT 500");

const struct stmt LIMIT_COUNT = STMT("limit.count",
	"UPDATE mail_limits SET uses = uses + ? WHERE subject = ? AND period = ? AND uses <= ?");

const struct stmt LIMIT_BEGIN = STMT("limit.begin",
	"INSERT INTO mail_limits (subject, period, uses) VALUES (?, ?, ?)");

#define TEN_SUBJECTS                                                                               \
	"UNION ALL SELECT CAST(? AS BINARY) UNION ALL SELECT CAST(? AS BINARY) UNION ALL SELECT CAST(? AS BINARY) " \
	"UNION ALL SELECT CAST(? AS BINARY) UNION ALL SELECT CAST(? AS BINARY) UNION ALL SELECT CAST(? AS BINARY) " \
	"UNION ALL SELECT CAST(? AS BINARY) UNION ALL SELECT CAST(? AS BINARY) UNION ALL SELECT CAST(? AS BINARY) " \
	"UNION ALL SELECT CAST(? AS BINARY) "

/* DB_PLACES subjects (a first one that is NULL has the name of the column): those without a row get one. */
const struct stmt LIMITS_BEGIN = STMT("limits.begin",
	"INSERT INTO mail_limits (subject, period, uses) SELECT t.subject, ?, 0 FROM (SELECT CAST(NULL AS BINARY) AS subject "
	TEN_SUBJECTS TEN_SUBJECTS TEN_SUBJECTS TEN_SUBJECTS TEN_SUBJECTS ") t "
	"LEFT JOIN mail_limits l ON l.subject = t.subject AND l.period = ? WHERE t.subject IS NOT NULL AND l.subject IS NULL");

/* Also beyond what is allowed: who may is read afterwards, when the rows are this transaction's. */
const struct stmt LIMITS_COUNT = STMT("limits.count",
	"UPDATE mail_limits SET uses = uses + 1 WHERE period = ? AND subject IN (" DB_PLACES_TEXT ")");

const struct db_column limit_columns[] = { DB_COLUMN(limit_row, subject, COLUMN_BYTES), { 0 } };

const struct stmt LIMITS_KEPT = STMT("limits.kept",
	"SELECT subject FROM mail_limits WHERE period = ? AND uses <= ? AND subject IN (" DB_PLACES_TEXT ")");

const struct stmt LIMIT_PURGE = STMT("limit.purge",
	"DELETE FROM mail_limits WHERE period < ? LIMIT 500");
