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
