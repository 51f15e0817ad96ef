/* SPDX-License-Identifier: Apache-2.0 */
#include "identity/email.h"

#include "api/route.h"
#include "base/settings.h"

struct email_body {
	const char *email, *token, *password;
};

const struct field verify_email_body_fields[] = {
	FIELD(email_body, token, "token", FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_SECRET, .limit = 100,
	      .help = "Out of the link in the mail."),
	{ 0 },
};

/* VerifyEmail */
int api_verify_email(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct email_body body = { 0 };

	if (request_body(rq, verify_email_body_fields, &body, e) < 0)
		return -1;

	if (email_verify(rq->db, body.token, rq->now_us, rq->arena, &rq->caller.user_id, e) < 0)
		return -1;

	return reply_nothing(rp);
}

/* SendEmailVerification: whoever has a verified address needs none. */
int api_send_email_verification(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct email_user u = { 0 };
	int rc;

	if (mail_needed(rq->app->mail, e) < 0 || email_user(rq->db, rq->caller.user_id, rq->arena, &u, e) < 0)
		return -1;
	if (u.verified_at >= 0)
		return err_set(e, ERR_CONFLICT, "Conflict: your address %.100s is verified already", u.email);
	if (!address_valid(u.email))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: no mail can be sent to your address '%.100s'", u.email);

	rc = email_ask_verification(rq->db, rq->app->mail, u.login, rq->now_us, e);
	if (rc == 0)
		return err_set(e, ERR_TOO_MANY, "Too Many Requests: several links were sent to %.100s; try again in an hour", u.email);

	return rc < 0 ? -1 : reply_nothing(rp);
}

/* GetUserHasVerifiedEmail: 404 says no. */
int api_get_user_has_verified_email(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct email_user u = { 0 };

	if (email_user(rq->db, rq->caller.user_id, rq->arena, &u, e) < 0)
		return -1;
	if (u.verified_at < 0)
		return err_set(e, ERR_NOT_FOUND, "Not Found: the address of %s is not verified", rq->caller.login);

	rp->status = 200;
	buffer_puts(&rp->body, "true");
	return 1;
}

const struct field pending_email_reply_fields[] = {
	FIELD(email_body, email, "email", FIELD_TEXT),
	{ 0 },
};

/* GetLatestPendingEmailChange: 204 when no link is under way. */
int api_get_latest_pending_email_change(struct request *rq, struct http_reply *rp, struct err *e)
{
	char *email;
	int rc = email_pending(rq->db, rq->caller.user_id, rq->now_us, rq->arena, &email, e);

	if (rc <= 0)
		return rc < 0 ? -1 : reply_nothing(rp);
	return reply_json(rp, pending_email_reply_fields, &(struct email_body){ .email = email });
}

/* DeletePendingEmailChange: a user has one address here, and the link that verifies it cannot be taken back. */
int api_delete_pending_email_change(struct request *rq, struct http_reply *rp, struct err *e)
{
	char *email;
	int rc = email_pending(rq->db, rq->caller.user_id, rq->now_us, rq->arena, &email, e);

	if (rc == 1)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: %.100s is your only address, and its verification cannot be deleted",
			       email);
	return rc < 0 ? -1 : reply_nothing(rp);
}

/* A link in a mail is a way in by e-mail. */
static int check_login_open(struct err *e)
{
	bool disabled;

	if (setting_bool("PULUMI_DISABLE_EMAIL_LOGIN", &disabled, e) < 0)
		return -1;
	return disabled ? err_set(e, ERR_FORBIDDEN, "Forbidden: passwords let nobody in here; use an access token, or ask whoever runs this "
						    "server for one") : 1;
}

const struct field forgot_password_body_fields[] = {
	FIELD(email_body, email, "email", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = 255),
	{ 0 },
};

/* ForgotPassword: the same answer whether or not somebody has the address. */
int api_forgot_password(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct email_body body = { 0 };
	const char *caller = http_variable(&rq->http, "REMOTE_ADDR");

	if (check_login_open(e) < 0 || request_body(rq, forgot_password_body_fields, &body, e) < 0 || mail_needed(rq->app->mail, e) < 0)
		return -1;

	if (email_ask_reset(rq->db, rq->app->mail, body.email, caller ? caller : "", rq->now_us, e) < 0)
		return -1;

	return reply_nothing(rp);
}

const struct field reset_password_body_fields[] = {
	FIELD(email_body, token, "token", FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_SECRET, .limit = 100,
	      .help = "Out of the link in the mail."),
	FIELD(email_body, password, "password", FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_SECRET, .limit = 640),
	{ 0 },
};

struct reset_password_reply {
	const char *bearer;
};

const struct field reset_password_reply_fields[] = {
	FIELD(reset_password_reply, bearer, "pulumiAccessToken", FIELD_TEXT, .flags = FIELD_SECRET),
	{ 0 },
};

/* ResetPassword: answers like a sign-up, so that whoever lost every token gets in again. */
int api_reset_password(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct email_body body = { 0 };
	char bearer[BEARER_TEXT];

	if (check_login_open(e) < 0 || request_body(rq, reset_password_body_fields, &body, e) < 0)
		return -1;

	if (email_reset(rq->db, body.token, body.password, rq->now_us, rq->arena, &rq->caller.user_id, bearer, e) < 0)
		return -1;

	rp->secret = true;
	return reply_json(rp, reset_password_reply_fields, &(struct reset_password_reply){ bearer });
}
