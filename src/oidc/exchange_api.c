/* SPDX-License-Identifier: Apache-2.0 */
/* POST /api/oauth/token: RFC 6749 and RFC 8693, with a form as they say or with JSON. */
#include "oidc/exchange.h"

#include <stdlib.h>
#include <strings.h>

#include "api/route.h"
#include "base/limits.h"
#include "http/problem.h"
#include "json/write.h"

struct token_body {
	struct exchange_request request;
	struct span expiration;	/* a number, or a text of one */
};

const struct field token_body_fields[] = {
	FIELD(token_body, request.grant_type, "grant_type", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = 256),
	FIELD(token_body, request.audience, "audience", FIELD_TEXT, .limit = 256, .help = "urn:pulumi:org:NAME"),
	FIELD(token_body, request.subject_token, "subject_token", FIELD_TEXT, .flags = FIELD_SECRET, .limit = LIMIT_JWT),
	FIELD(token_body, request.refresh_token, "refresh_token", FIELD_TEXT, .flags = FIELD_SECRET, .limit = 256),
	FIELD(token_body, request.subject_token_type, "subject_token_type", FIELD_TEXT, .limit = 256),
	FIELD(token_body, request.requested_token_type, "requested_token_type", FIELD_TEXT, .limit = 256),
	FIELD(token_body, request.scope, "scope", FIELD_TEXT, .limit = 256, .help = "Empty, admin, or user:LOGIN."),
	FIELD(token_body, expiration, "expiration", FIELD_RAW, .limit = 32, .help = "Seconds; 0: two hours."),
	{ 0 },
};

struct token_reply {
	const char *access_token, *issued_token_type, *token_type, *scope, *refresh_token;
	int64_t expires_in;
};

const struct field token_reply_fields[] = {
	FIELD(token_reply, access_token, "access_token", FIELD_TEXT, .flags = FIELD_SECRET),
	FIELD(token_reply, issued_token_type, "issued_token_type", FIELD_TEXT),
	FIELD(token_reply, token_type, "token_type", FIELD_TEXT),
	FIELD(token_reply, expires_in, "expires_in", FIELD_INT, .help = "Seconds."),
	FIELD(token_reply, scope, "scope", FIELD_TEXT),
	FIELD(token_reply, refresh_token, "refresh_token", FIELD_TEXT, .flags = FIELD_SECRET | FIELD_OMIT_EMPTY, .help = "Good for one use."),
	{ 0 },
};

static int broken_form(const char *name, const char *what, struct err *e)
{
	return err_set(e, ERR_BAD_REQUEST, "Bad Request: the parameter '%.40s' %s", name, what);
}

/* The form as the JSON that says the same: one table reads both. A parameter that is there twice is refused (RFC 6749 §3.2). */
static int read_form(struct request *rq, struct span body, struct buffer *json, struct err *e)
{
	struct http_parameter *list;
	size_t count;

	if (http_form(&rq->http, body, &list, &count, e) < 0)
		return -1;
	buffer_putc(json, '{');
	for (size_t i = 0; i < count; i++) {
		if (strlen(list[i].value) > LIMIT_JWT)
			return broken_form(list[i].name, "is too long", e);
		json_put_text(json, list[i].name, list[i].value);
	}
	buffer_putc(json, '}');
	return 1;
}

static bool is_form(struct request *rq)
{
	static const char form[] = "application/x-www-form-urlencoded";
	const char *type = http_variable(&rq->http, "CONTENT_TYPE");

	if (!*type && http_header(&rq->http, "CONTENT_TYPE"))
		type = http_header(&rq->http, "CONTENT_TYPE");
	return !strncasecmp(type, form, sizeof(form) - 1) && strchr("; \t", type[sizeof(form) - 1]);
}

static int read_expiration(struct token_body *body, struct err *e)
{
	struct span text = body->expiration;
	char digits[20] = "0";

	if (!text.data)
		return 1;
	if (text.length >= 2 && *text.data == '"')
		text = (struct span){ text.data + 1, text.length - 2 };
	if (text.length < sizeof(digits) - 1)
		memcpy(digits, text.data, text.length), digits[text.length] = '\0';
	if (text.length >= sizeof(digits) - 1 || strspn(digits, "0123456789") != strlen(digits))
		return broken_form("expiration", "must be a whole number of seconds", e);
	body->request.expiration = strtoll(digits, NULL, 10);
	return 1;
}

static int read_body(struct request *rq, struct token_body *ret_body, struct err *e)
{
	_cleanup_(buffer_done) struct buffer json = BUFFER_INIT;
	struct span body;

	if (!is_form(rq))
		return request_body(rq, token_body_fields, ret_body, e) < 0 ? -1 : read_expiration(ret_body, e);
	if (http_body(&rq->http, LIMIT_FORM, &body, e) < 0 || read_form(rq, body, &json, e) < 0 ||
	    fields_read(token_body_fields, buffer_span(&json), rq->arena, ret_body, e) < 0)
		return -1;
	return read_expiration(ret_body, e);
}

/* RFC 6749 §5.2, with what every other answer of this server has besides. */
static int reply_refusal(struct request *rq, struct http_reply *rp, const char *code, const struct err *e)
{
	const char *sentence = strstr(e->message, ": ");

	(void)rq;
	rp->status = http_problem_status(e);
	buffer_putc(&rp->body, '{');
	json_put_text(&rp->body, "error", code);
	json_put_text(&rp->body, "error_description", sentence ? sentence + 2 : e->message);
	json_put_int(&rp->body, "code", rp->status);
	json_put_text(&rp->body, "message", e->message);
	buffer_putc(&rp->body, '}');
	return 1;
}

/* Token: what is wrong with the request is an answer; what is wrong with the server goes the way of all failures. */
int api_token(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct token_body body = { 0 };
	struct exchange_answer answer;
	const char *code = "invalid_request";
	struct err why = { 0 };

	http_reply_header(rp, "Cache-Control", "no-store");
	body.request.source_ip = http_variable(&rq->http, "REMOTE_ADDR");
	if (read_body(rq, &body, &why) < 0 ||
	    exchange(rq->app, &body.request, rq->now_us, rq->arena, &answer, &code, &why) < 0) {
		if (http_problem_status(&why) < 500)
			return reply_refusal(rq, rp, code, &why);
		*e = why;
		return -1;
	}

	rp->secret = true;
	return reply_json(rp, token_reply_fields,
			  &(struct token_reply){ answer.tokens.access_token, answer.issued_token_type, "token",
						 answer.scope, answer.tokens.refresh_token, answer.tokens.expires_in });
}
