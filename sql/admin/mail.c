/* SPDX-License-Identifier: Apache-2.0 */
/* Mails that wait, were sent, or failed. Their text is not shown: it may hold a link that signs somebody in. */
#include "mail/mail.h"

#include "admin.h"
#include "admin_sql.h"

static const struct field mails_fields[] = {
	FIELD(mail_row, id, "id", FIELD_TEXT),
	FIELD(mail_row, state, "state", FIELD_TEXT),
	FIELD(mail_row, kind, "kind", FIELD_TEXT),
	FIELD(mail_row, recipient, "recipient", FIELD_TEXT),
	FIELD(mail_row, attempts, "attempts", FIELD_INT),
	FIELD(mail_row, created_at, "createdAt", FIELD_TIME),
	FIELD(mail_row, next_attempt_at, "nextAttemptAt", FIELD_TIME),
	FIELD(mail_row, problem, "problem", FIELD_TEXT),
	{ 0 },
};

static const struct field mail_fields[] = {
	FIELD(mail_row, id, "id", FIELD_TEXT),
	FIELD(mail_row, state, "state", FIELD_TEXT),
	FIELD(mail_row, kind, "kind", FIELD_TEXT),
	FIELD(mail_row, recipient, "recipient", FIELD_TEXT),
	FIELD(mail_row, subject, "subject", FIELD_TEXT),
	FIELD(mail_row, attempts, "attempts", FIELD_INT),
	FIELD(mail_row, created_at, "createdAt", FIELD_TIME),
	FIELD(mail_row, next_attempt_at, "nextAttemptAt", FIELD_TIME),
	FIELD(mail_row, give_up_at, "giveUpAt", FIELD_TIME),
	FIELD(mail_row, sent_at, "sentAt", FIELD_TIME),
	FIELD(mail_row, problem, "problem", FIELD_TEXT),
	{ 0 },
};

struct tried {
	const char *server, *answer;
};

static const struct field tried_fields[] = {
	FIELD(tried, server, "server", FIELD_TEXT),
	FIELD(tried, answer, "answer", FIELD_TEXT),
	{ 0 },
};

struct change {
	struct admin *a;
	const char *id, *event;
	const struct stmt *one, *all;
	int64_t count;
};

static int check_state(const char *state, struct err *e)
{
	if (!state || !strcmp(state, "waiting") || !strcmp(state, "sent") || !strcmp(state, "failed"))
		return 1;
	return err_set(e, ERR_BAD_REQUEST, "--state: '%.40s' must be waiting, sent or failed", state);
}

int admin_mail_list(struct admin *a, struct err *e)
{
	const char *state = admin_option(a, "--state");
	struct mail_row *rows;
	size_t count;

	if (check_state(state, e) < 0 ||
	    db_all(a->app.db, &ADMIN_MAILS, DB_VALUES(db_text(state), db_text(state)), admin_mail_columns, sizeof(*rows), &a->arena,
		   (void **)&rows, &count, e) < 0)
		return -1;
	admin_list(a, mails_fields, rows, count, sizeof(*rows));
	return 1;
}

static int no_mail(const char *id, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "there is no mail with the id '%.40s' for that; see pulumi-admin mail list", id);
}

int admin_mail_show(struct admin *a, struct err *e)
{
	const char *id = admin_option(a, "--id");
	struct mail_row row = { 0 };
	int rc = db_one(a->app.db, &ADMIN_MAIL, DB_VALUES(db_text(id)), admin_mail_columns, &row, &a->arena, e);

	if (rc <= 0)
		return rc < 0 ? -1 : no_mail(id, e);
	admin_show(a, mail_fields, &row);
	return 1;
}

static int change(void *context, struct err *e)
{
	struct change *c = context;
	int rc = c->id ? db_exec(c->a->app.db, c->one, DB_VALUES(db_text(c->id)), &c->count, e) :
			 db_exec(c->a->app.db, c->all, DB_NONE, &c->count, e);

	if (rc < 0)
		return -1;
	if (c->id && c->count == 0)
		return no_mail(c->id, e);
	return admin_audit(c->a, c->event, NULL, c->id ? c->id : "all that failed", e);
}

static int change_some(struct change *c, const char *done, struct err *e)
{
	c->id = admin_option(c->a, "--id");
	if (!c->id == !admin_option(c->a, "--all-failed"))
		return err_set(e, ERR_BAD_REQUEST, "give either --id or --all-failed");
	if (admin_change(c->a, change, c, e) < 0)
		return -1;
	admin_say(c->a, "%s %lld mail%s", done, (long long)c->count, c->count == 1 ? "" : "s");
	return 1;
}

int admin_mail_retry(struct admin *a, struct err *e)
{
	struct change c = { .a = a, .event = "admin_retry_mail", .one = &ADMIN_MAIL_RETRY, .all = &ADMIN_MAIL_RETRY_FAILED };

	return change_some(&c, "will try again to send", e);
}

int admin_mail_drop(struct admin *a, struct err *e)
{
	struct change c = { .a = a, .event = "admin_drop_mail", .one = &ADMIN_MAIL_DROP, .all = &ADMIN_MAIL_DROP_FAILED };

	return change_some(&c, "dropped", e);
}

int admin_mail_test(struct admin *a, struct err *e)
{
	struct mail mail = { .kind = "test", .to = admin_option(a, "--to"), .subject = "Test of mail from the Pulumi API",
			     .text = "This mail was sent by pulumi-admin mail test. If you read it, mail works.\n" };
	char *answer;

	if (!a->app.mail)
		return err_set(e, ERR_BAD_REQUEST, "SMTP_SERVER is not set: this installation sends no mail");
	if (mail_send(a->app.mail, &mail, a->app.now_us(), &a->arena, &answer, e) < 0)
		return -1;
	if (a->json)
		admin_show(a, tried_fields, &(struct tried){ a->app.mail->url, answer });
	admin_say(a, "%s took it: %s", a->app.mail->url, answer);
	return 1;
}
