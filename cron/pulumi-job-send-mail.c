/* SPDX-License-Identifier: Apache-2.0 */
/* Sends the mails that wait, and forgets what concerned mails long ago. */
#include "identity/email.h"
#include "job.h"
#include "mail/mail.h"
#include "start/start.h"

static int forget(struct app *app, struct err *e)
{
	int mails, tokens;

	do {
		mails = mail_purge(app->db, app->now_us(), e);
		tokens = mails < 0 ? -1 : email_purge_tokens(app->db, app->now_us(), e);
	} while (tokens >= 0 && (mails == 1 || tokens == 1) && job_going());
	return tokens < 0 ? -1 : 1;
}

static int work(struct app *app, struct buffer *said, struct err *e)
{
	struct mail_sent sent = { 0 };
	int rc = 0;

	while (app->mail && job_going() && (rc = mail_send_next(app->db, app->mail, &sent, e)) == 1)
		;
	if (sent.sent || sent.later || sent.failed)
		buffer_printf(said, " sent=%lld later=%lld failed=%lld", (long long)sent.sent, (long long)sent.later,
			      (long long)sent.failed);
	return rc < 0 || forget(app, e) < 0 ? -1 : sent.sent || sent.later || sent.failed;
}

int main(int argc, char **argv)
{
	static const struct job job = {
		.name = "send-mail",
		.help = "Sends the mails that wait to SMTP_SERVER. What it does not take now is tried again after a minute, two, four, and\n"
			"so on up to four hours, for three days; what it refuses stays as failed: see pulumi-admin mail list. Without\n"
			"SMTP_SERVER there is nothing to send.",
		.parts = START_DATABASE,
		.work = work,
	};

	return job_main(&job, argc, argv);
}
