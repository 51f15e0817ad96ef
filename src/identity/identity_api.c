/* SPDX-License-Identifier: Apache-2.0 */
#include "api/route.h"
#include "base/limits.h"
#include "base/settings.h"
#include "identity/email.h"
#include "mail/limit.h"

static const struct field organization_fields[] = {
	FIELD(organization, name, "name", FIELD_TEXT),
	FIELD(organization, login, "githubLogin", FIELD_TEXT),
	FIELD(organization, avatar, "avatarUrl", FIELD_TEXT),
	FIELD(organization, role, "role", FIELD_TEXT),
	{ 0 },
};

struct token_info {
	const char *name, *organization, *team;
};

static const struct field token_info_fields[] = {
	FIELD(token_info, name, "name", FIELD_TEXT),
	FIELD(token_info, organization, "organization", FIELD_TEXT),
	FIELD(token_info, team, "team", FIELD_TEXT),
	{ 0 },
};

struct user_reply {
	const char *id, *login, *name, *email, *avatar;
	struct object_list organizations;
	struct text_list identities;
	bool site_admin, has_mfa, managed, managed_by_many;
	const struct token_info *token;	/* NULL: a user's */
};

const struct field user_reply_fields[] = {
	FIELD(user_reply, id, "id", FIELD_TEXT),
	FIELD(user_reply, login, "githubLogin", FIELD_TEXT),
	FIELD(user_reply, name, "name", FIELD_TEXT),
	FIELD(user_reply, email, "email", FIELD_TEXT),
	FIELD(user_reply, avatar, "avatarUrl", FIELD_TEXT),
	FIELD(user_reply, organizations, "organizations", FIELD_LIST, .fields = organization_fields),
	FIELD(user_reply, identities, "identities", FIELD_TEXT_LIST),
	FIELD(user_reply, site_admin, "siteAdmin", FIELD_BOOL),
	FIELD(user_reply, has_mfa, "hasMFA", FIELD_BOOL),
	FIELD(user_reply, managed, "isOrgManaged", FIELD_BOOL),
	FIELD(user_reply, managed_by_many, "isManagedByMultiOrg", FIELD_BOOL),
	FIELD(user_reply, token, "tokenInfo", FIELD_OBJECT_POINTER, .flags = FIELD_OMIT_EMPTY, .fields = token_info_fields,
	      .help = "Only of a token that speaks for an organization."),
	{ 0 },
};

/* GetCurrentUser: an organization, when the token is its own; tokenInfo then says so, and is absent otherwise. */
int api_get_current_user(struct request *rq, struct http_reply *rp, struct err *e)
{
	const char *own[] = { "Pulumi" };	/* the account is kept here, not with another provider */
	const struct caller *c = &rq->caller;
	struct token_info token = { c->token_name, c->login, "" };
	struct user_reply reply = { .id = identity_author(c), .login = c->login, .name = c->name, .email = c->email,
				    .identities = { own, 1, true }, .site_admin = c->site_admin,
				    .token = c->user_id ? NULL : &token };
	struct organization *list;

	if (identity_organizations(rq->db, c, rq->arena, &list, &reply.organizations.count, e) < 0)
		return -1;

	reply.organizations.items = list;
	reply.organizations.size = sizeof(*list);
	return reply_json(rp, user_reply_fields, &reply);
}

struct default_organization_reply {
	char *login;
	struct object_list messages;
};

const struct field default_organization_reply_fields[] = {
	FIELD(default_organization_reply, login, "gitHubLogin", FIELD_TEXT),
	FIELD(default_organization_reply, messages, "messages", FIELD_LIST, .fields = NONE_fields),
	{ 0 },
};

/* GetDefaultOrganization: an empty name lets the command line use the user's own. */
int api_get_default_organization(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct default_organization_reply reply = { 0 };

	if (identity_default_organization(rq->db, &rq->caller, rq->arena, &reply.login, e) < 0)
		return -1;

	return reply_json(rp, default_organization_reply_fields, &reply);
}

/* UpdateDefaultOrganization */
int api_update_default_organization(struct request *rq, struct http_reply *rp, struct err *e)
{
	if (access_check(&rq->caller, PERSON, NULL, e) < 0 ||
	    identity_set_default_organization(rq->db, &rq->caller, e) < 0)
		return -1;

	return reply_nothing(rp);
}

struct signup_reply {
	const char *token;
};

const struct field signup_body_fields[] = {
	FIELD(signup, name, "name", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = 255),
	FIELD(signup, login, "loginName", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = 40),
	FIELD(signup, email, "email", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = 255),
	FIELD(signup, password, "password", FIELD_TEXT, .flags = FIELD_REQUIRED | FIELD_SECRET, .limit = 640),
	{ 0 },
};

const struct field signup_reply_fields[] = {
	FIELD(signup_reply, token, "pulumiAccessToken", FIELD_TEXT, .flags = FIELD_SECRET),
	{ 0 },
};

/* With mail a link goes to the address. Nobody is kept from signing up because too many links were sent. */
static int ask_verification(struct request *rq, const char *login, struct err *e)
{
	const char *caller = http_variable(&rq->http, "REMOTE_ADDR");
	int rc;

	if (!rq->app->mail)
		return 0;
	rc = limit_take(rq->db, arena_printf(rq->arena, "mails caused by %s", caller ? caller : ""), LIMIT_MAILS_PER_CALLER,
			rq->now_us, e);
	return rc <= 0 ? rc : email_ask_verification(rq->db, rq->app->mail, login, rq->now_us, e);
}

/* EmailSignup: the first user of an installation administers it. */
int api_email_signup(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct signup body = { 0 };
	char token[BEARER_TEXT];
	bool disabled;

	if (setting_bool("PULUMI_DISABLE_EMAIL_SIGNUP", &disabled, e) < 0)
		return -1;
	if (disabled)
		return err_set(e, ERR_FORBIDDEN,
			       "Forbidden: sign-up is switched off here; ask whoever runs this server for an account");
	if (request_body(rq, signup_body_fields, &body, e) < 0)
		return -1;

	if (identity_sign_up(rq->db, &body, rq->now_us, token, e) < 0 || ask_verification(rq, body.login, e) < 0)
		return -1;

	rq->audit_detail = body.login;
	rp->secret = true;
	return reply_json(rp, signup_reply_fields, &(struct signup_reply){ token });
}

struct organization_body {
	const char *login;
};

const struct field new_organization_body_fields[] = {
	FIELD(organization_body, login, "orgName", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = 40),
	{ 0 },
};

/* NewOrganization: the caller becomes its administrator. */
int api_new_organization(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct organization_body body = { 0 };

	if (request_body(rq, new_organization_body_fields, &body, e) < 0)
		return -1;

	/* As a member of it the caller is in its audit log. */
	if (identity_new_organization(rq->db, rq->caller.user_id, body.login, body.login, rq->now_us, e) < 0 ||
	    identity_membership(rq->db, &rq->caller, body.login, rq->arena, &rq->caller, e) < 0)
		return -1;

	rq->audit_detail = body.login;
	return reply_empty(rp);
}
