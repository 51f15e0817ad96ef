/* SPDX-License-Identifier: Apache-2.0 */
#include "oidc/exchange.h"

#include "audit/audit.h"
#include "base/limits.h"
#include "oidc/claims.h"
#include "oidc/exchange_sql.h"
#include "oidc/issuer_sql.h"
#include "oidc/jwt.h"
#include "oidc/keys.h"
#include "oidc/policy.h"

#define GRANT "urn:ietf:params:oauth:grant-type:token-exchange"
#define ID_TOKEN "urn:ietf:params:oauth:token-type:id_token"
#define AUDIENCE "urn:pulumi:org:"
#define TOKEN_TYPE "urn:pulumi:token-type:access_token:"
#define SUBJECT_SHOWN 200	/* characters */
#define REFUSAL_EVERY_US INT64_C(10000000)	/* of one issuer is recorded */

struct exchange {
	struct app *app;
	const struct exchange_request *rq;
	int64_t now_us;
	struct arena *arena;
	const char **code;
	const char *organization;	/* login, out of the audience */
	struct jwt jwt;
	struct issuer issuer;
	struct policy_question wish;
	char *user_id;			/* personal tokens: whose */
	struct exchange_answer answer;
	enum grant_found found;		/* refreshing only */
};

static int refuse(struct exchange *x, const char *code, struct err *e, const char *sentence)
{
	*x->code = code;
	return err_set(e, ERR_BAD_REQUEST, "Bad Request: %s", sentence);
}

static bool is(const char *value, const char *wanted)
{
	return value && !strcmp(value, wanted);
}

static const char *after(const char *text, const char *prefix)
{
	size_t n = strlen(prefix);

	return text && !strncmp(text, prefix, n) ? text + n : NULL;
}

static int read_organization_wish(struct exchange *x, const char *scope, struct err *e)
{
	x->wish.admin = !strcmp(scope, "admin");
	if (*scope && !x->wish.admin)
		return refuse(x, "invalid_scope", e, "scope must be empty or admin for a token of an organization");
	return 1;
}

static int read_personal_wish(struct exchange *x, const char *scope, struct err *e)
{
	x->wish.name = after(scope, "user:");
	if (!identity_login_valid(x->wish.name))
		return refuse(x, "invalid_scope", e, "scope must be user:LOGIN for a personal token");
	return 1;
}

static int read_wish(struct exchange *x, struct err *e)
{
	const char *scope = x->rq->scope ? x->rq->scope : "";

	x->wish.token_type = after(x->rq->requested_token_type, TOKEN_TYPE);
	if (is(x->wish.token_type, "organization"))
		return read_organization_wish(x, scope, e);
	if (is(x->wish.token_type, "personal"))
		return read_personal_wish(x, scope, e);
	if (is(x->wish.token_type, "team") || is(x->wish.token_type, "runner"))
		return refuse(x, "invalid_request", e,
			      "this server has no tokens of teams and runners; ask for an organization or a personal "
			      "token");
	return refuse(x, "invalid_request", e,
		      "requested_token_type must be " TOKEN_TYPE "organization or " TOKEN_TYPE "personal");
}

static int read_parameters(struct exchange *x, struct err *e)
{
	const struct exchange_request *rq = x->rq;

	*x->code = "invalid_request";
	if (!rq->grant_type || !*rq->grant_type)
		return refuse(x, "invalid_request", e, "grant_type is missing");
	if (!is(rq->grant_type, GRANT))
		return refuse(x, "unsupported_grant_type", e, "grant_type must be " GRANT " or refresh_token");
	if (!is(rq->subject_token_type, ID_TOKEN))
		return refuse(x, "invalid_request", e, "subject_token_type must be " ID_TOKEN);
	if (!rq->subject_token || !*rq->subject_token)
		return refuse(x, "invalid_request", e, "subject_token is missing: the token of the identity provider");
	if (rq->expiration < 0)
		return refuse(x, "invalid_request", e, "expiration must be a number of seconds, or 0");
	x->organization = after(rq->audience, AUDIENCE);
	if (!identity_login_valid(x->organization))
		return refuse(x, "invalid_target", e,
			      "audience must be " AUDIENCE "NAME with the name of an organization");
	return read_wish(x, e);
}

/* Who is no member of the organization learns nothing about whether it exists. */
static int find_issuer(struct exchange *x, struct err *e)
{
	int rc = issuer_of_token(x->app->db, x->organization, x->jwt.issuer, x->arena, &x->issuer, e);

	return rc ? rc
		  : err_set(e, ERR_BAD_REQUEST,
			    "Bad Request: %.200s is no OIDC issuer of the organization '%.40s'; have an administrator "
			    "of it register that address",
			    x->jwt.issuer, x->organization);
}

/* The subject of the token, short enough to show, cut between characters. */
static const char *subject(struct exchange *x)
{
	const char *text = claim_text(x->jwt.claims, "sub", x->arena);
	size_t n = 0, shown = 0;

	for (; text && text[n] && (shown < SUBJECT_SHOWN || (text[n] & 0xc0) == 0x80); n++)
		shown += (text[n] & 0xc0) != 0x80;
	return text ? arena_strndup(x->arena, text, n) : "";
}

static int record(struct exchange *x, const char *event, const char *token_id, const char *description, struct err *e)
{
	struct audit_event a = { .organization_id = x->issuer.organization_id, .token_id = token_id, .event = event,
				 .description = description, .source_ip = x->rq->source_ip, .created_at = x->now_us };

	return audit_record(x->app->db, &a, e);
}

/*
 * The issuer did sign the token, and yet it is refused: an administrator wants to know. Anybody can send one with another
 * signature; those are not recorded. Whoever has a good one can send it again and again: only now and then it is.
 */
static int refused(struct exchange *x, const char *why, struct err *e)
{
	int64_t claimed = 0;

	if (db_exec(x->app->db, &ISSUER_REFUSED,
		    DB_VALUES(db_time(x->now_us), db_text(x->issuer.organization_id), db_text(x->issuer.id),
			      db_time(x->now_us - REFUSAL_EVERY_US)),
		    &claimed, e) < 0)
		return -1;
	if (!claimed)
		return 1;
	return record(x, "oidc_validation_failed", NULL,
		      arena_printf(x->arena, "%s, subject %s: %s", x->issuer.name, subject(x), why), e);
}

static int check_token(struct exchange *x, struct err *e)
{
	struct err why = { 0 };

	if (jwt_check(&x->jwt, arena_printf(x->arena, AUDIENCE "%s", x->organization), x->now_us, x->arena, &why) == 1)
		return 1;
	if (refused(x, after(why.message, "Bad Request: ") ? after(why.message, "Bad Request: ") : why.message, e) < 0)
		return -1;
	*e = why;
	return -1;
}

static int check_policy(struct exchange *x, struct err *e)
{
	struct policy policy = { 0 };
	int rc;

	x->wish.claims = x->jwt.claims;
	if (policy_of_issuer(x->app, x->issuer.organization_id, x->issuer.id, x->arena, &policy, e) < 0)
		return -1;
	rc = policy_decide(policy.definitions, &x->wish, e);
	if (rc)
		return rc;
	if (refused(x, "no policy allows it", e) < 0)
		return -1;
	return refuse(x, "invalid_request", e,
		      "the policies of the OIDC issuer do not allow this token what it asks for; an administrator of "
		      "the organization can change them");
}

static int find_user(struct exchange *x, struct err *e)
{
	struct exchange_user row = { 0 };
	int rc = db_one(x->app->db, &EXCHANGE_USER, DB_VALUES(db_text(x->issuer.organization_id), db_text(x->wish.name)),
			exchange_user_columns, &row, x->arena, e);

	if (rc == 0)
		return refuse(x, "invalid_scope", e, "the user in scope is no member of the organization");
	x->user_id = row.user_id;
	return rc;
}

static int64_t at_most(int64_t seconds, int64_t most)
{
	return seconds < most ? seconds : most;
}

static int give_tokens(struct exchange *x, struct err *e)
{
	int64_t most = x->issuer.max_expiration ? x->issuer.max_expiration : ISSUER_DEFAULT_SECONDS;
	char family[UUID_TEXT], *role = arena_strdup(x->arena, x->wish.admin ? "admin" : "member");
	struct grant g = { .family_id = family, .organization_id = x->issuer.organization_id, .issuer_id = x->issuer.id,
			   .user_id = x->user_id, .role = x->user_id ? NULL : role, .name = x->issuer.name,
			   .description = arena_printf(x->arena, "for the OIDC subject %s", subject(x)),
			   .scope = arena_strdup(x->arena, x->rq->scope ? x->rq->scope : ""),
			   .expires_at = x->now_us + most * 1000000 };

	uuid_new(x->now_us, family);
	g.lifetime = at_most(x->rq->expiration ? x->rq->expiration : EXCHANGE_DEFAULT_SECONDS, most);
	/* Who asks for less than is given unasked wants it to end. */
	return grant_give(x->app->db, &g, !x->rq->expiration || x->rq->expiration >= EXCHANGE_DEFAULT_SECONDS,
			  x->now_us, &x->answer.tokens, e);
}

static const char *event_of(bool personal)
{
	return personal ? "personal_token_for_oidc" : "organization_token_for_oidc";
}

/* The issuer may have been deleted since it was looked up, and the user may have left. */
static int give(void *context, struct err *e)
{
	struct exchange *x = context;
	const char *description;
	int64_t used = 0;

	if (db_exec(x->app->db, &ISSUER_USED,
		    DB_VALUES(db_time(x->now_us), db_text(x->issuer.organization_id), db_text(x->issuer.id)), &used,
		    e) < 0)
		return -1;
	if (!used)
		return refuse(x, "invalid_request", e, "the OIDC issuer was deleted a moment ago");
	if ((x->wish.name && find_user(x, e) < 0) || give_tokens(x, e) < 0)
		return -1;
	description = arena_printf(x->arena, "%s, subject %s, %s %s, %s", x->issuer.name, subject(x), x->wish.name ? "user" : "role",
				   x->wish.name ? x->wish.name : x->wish.admin ? "admin" : "member",
				   x->answer.tokens.access_token_id);
	return record(x, event_of(x->wish.name), x->answer.tokens.access_token_id, description, e);
}

/* --- the other grant --- */

/* What became of it must be committed, whatever is answered. */
static int refresh(void *context, struct err *e)
{
	struct exchange *x = context;
	struct grant g = { 0 };

	if (grant_refresh(x->app->db, x->rq->refresh_token, x->now_us, x->arena, &x->found, &g, &x->answer.tokens, e) < 0)
		return -1;
	if (x->found == GRANT_NONE)
		return 1;
	x->issuer.organization_id = g.organization_id;
	x->answer.issued_token_type = g.user_id ? TOKEN_TYPE "personal" : TOKEN_TYPE "organization";
	x->answer.scope = g.scope;
	if (x->found == GRANT_REUSED)
		return record(x, "oidc_validation_failed", NULL,
			      arena_printf(x->arena,
					   "%s, %s: a refresh token was used twice; all tokens of "
					   "that sign-in are revoked",
					   g.name, g.description),
			      e);
	return record(x, event_of(g.user_id), x->answer.tokens.access_token_id,
		      arena_printf(x->arena, "%s, %s, refreshed, %s", g.name, g.description,
				   x->answer.tokens.access_token_id),
		      e);
}

static int refresh_tokens(struct exchange *x, struct err *e)
{
	*x->code = "invalid_request";
	if (!x->rq->refresh_token || !*x->rq->refresh_token)
		return refuse(x, "invalid_request", e, "refresh_token is missing");
	if (db_run(x->app->db, refresh, x, e) < 0)
		return -1;
	if (x->found == GRANT_REUSED)
		return refuse(x, "invalid_grant", e,
			      "the refresh token was used before; all tokens of that sign-in are revoked, sign in "
			      "again");
	if (x->found == GRANT_NONE)
		return refuse(x, "invalid_grant", e,
			      "the refresh token is unknown, or its time has passed; sign in again");
	return 1;
}

static int exchange_token(struct exchange *x, struct err *e)
{
	if (read_parameters(x, e) < 0 || jwt_read(span_of(x->rq->subject_token), x->arena, &x->jwt, e) < 0 ||
	    find_issuer(x, e) < 0 || keys_verify(x->app, &x->issuer, &x->jwt, x->now_us, x->arena, e) < 0 ||
	    check_token(x, e) < 0 || check_policy(x, e) < 0 || db_run(x->app->db, give, x, e) < 0)
		return -1;
	x->answer.issued_token_type = x->rq->requested_token_type;
	x->answer.scope = x->rq->scope ? x->rq->scope : "";
	return 1;
}

int exchange(struct app *app, const struct exchange_request *rq, int64_t now_us, struct arena *arena,
	     struct exchange_answer *ret_answer, const char **ret_code, struct err *e)
{
	struct exchange x = { .app = app, .rq = rq, .now_us = now_us, .arena = arena, .code = ret_code };

	if ((is(rq->grant_type, "refresh_token") ? refresh_tokens : exchange_token)(&x, e) < 0)
		return -1;
	*ret_answer = x.answer;
	return 1;
}
