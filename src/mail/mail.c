/* SPDX-License-Identifier: Apache-2.0 */
#include "mail/mail.h"

#include "base/limits.h"
#include "crypto/crypto.h"
#include "mail/mail_sql.h"
#include "mail/message.h"
#include "mail/smtp.h"

static int check(const struct mail *mail, struct err *e)
{
	if (!address_valid(mail->to))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: '%.100s' is not an e-mail address that mail can be sent to",
			       mail->to);
	if (text_characters(mail->subject) > LIMIT_MAIL_SUBJECT || strlen(mail->text) > LIMIT_MAIL_TEXT)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: a mail may have %d characters of subject and %llu bytes of text",
			       LIMIT_MAIL_SUBJECT, LIMIT_MAIL_TEXT);
	return 1;
}

static void write_message(const struct mail_config *config, const struct mail *mail, const char *id, int64_t now_us,
			  struct buffer *out)
{
	message_write(&(struct message){ .id = id, .from = config->sender, .to = mail->to, .subject = mail->subject,
					 .text = mail->text, .date_us = now_us },
		      out);
}

int mail_queue(struct db *db, const struct mail_config *config, const struct mail *mail, int64_t now_us, struct err *e)
{
	_cleanup_(buffer_done) struct buffer message = BUFFER_INIT;
	char id[UUID_TEXT];

	if (check(mail, e) < 0)
		return -1;
	uuid_new(now_us, id);
	write_message(config, mail, id, now_us, &message);
	return db_exec(db, &MAIL_QUEUE,
		       DB_VALUES(db_text(id), db_text(mail->kind), db_text(mail->to), db_text(mail->subject),
				 db_bytes(buffer_span(&message)), db_int(MAIL_GIVE_UP_HOURS)),
		       NULL, e);
}

/* Of MAILS_AT_ONCE places those that are left over are NULL and make no mail. */
static int queue_some(struct db *db, const struct mail_config *config, const struct mail *list, size_t count, int64_t now_us,
		      struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct db_value values[1 + 5 * MAILS_AT_ONCE] = { db_int(MAIL_GIVE_UP_HOURS) };

	for (size_t i = 0; i < count; i++) {
		_cleanup_(buffer_done) struct buffer message = BUFFER_INIT;
		char *id = arena_alloc(&arena, UUID_TEXT);
		struct db_value *row = values + 1 + 5 * i;

		if (check(&list[i], e) < 0)
			return -1;
		uuid_new(now_us, id);
		write_message(config, &list[i], id, now_us, &message);
		row[0] = db_text(id);
		row[1] = db_text(list[i].kind);
		row[2] = db_text(list[i].to);
		row[3] = db_text(list[i].subject);
		row[4] = db_bytes((struct span){ arena_strndup(&arena, message.data, message.length), message.length });
	}
	return db_exec(db, &MAIL_QUEUE_ALL, values, sizeof(values) / sizeof(values[0]), NULL, e);
}

int mail_queue_all(struct db *db, const struct mail_config *config, const struct mail *list, size_t count, int64_t now_us, struct err *e)
{
	for (size_t from = 0; from < count; from += MAILS_AT_ONCE)
		if (queue_some(db, config, list + from, count - from < MAILS_AT_ONCE ? count - from : MAILS_AT_ONCE, now_us, e) < 0)
			return -1;
	return 1;
}

int mail_send(const struct mail_config *config, const struct mail *mail, int64_t now_us, struct arena *arena, char **ret_answer,
	      struct err *e)
{
	_cleanup_(buffer_done) struct buffer message = BUFFER_INIT;
	char id[UUID_TEXT], words[SMTP_WORDS];

	if (check(mail, e) < 0)
		return -1;
	uuid_new(now_us, id);
	write_message(config, mail, id, now_us, &message);
	if (smtp_send(config, mail->to, buffer_span(&message), words) != SMTP_TAKEN)
		return err_unavailable(e, "%s: %s", config->url, words);
	*ret_answer = arena_strdup(arena, words);
	return 1;
}
