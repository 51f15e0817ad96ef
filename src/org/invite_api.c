/* SPDX-License-Identifier: Apache-2.0 */
#include "org/invite.h"

#include "api/route.h"
#include "base/limits.h"
#include "json/scan.h"

struct sender {
	const char *name, *login, *avatar;
};

struct invite_reply {
	const char *id, *email, *role, *status, *link;
	int64_t sent_at;
	struct sender sender;
};

static const struct field sender_fields[] = {
	FIELD(invite_reply, sender.name, "name", FIELD_TEXT),
	FIELD(invite_reply, sender.login, "githubLogin", FIELD_TEXT),
	FIELD(invite_reply, sender.avatar, "avatarUrl", FIELD_TEXT),
	{ 0 },
};

/* The object in it is made of the same struct. */
static const struct field invite_fields[] = {
	FIELD(invite_reply, id, "id", FIELD_TEXT),
	FIELD(invite_reply, email, "email", FIELD_TEXT),
	FIELD(invite_reply, role, "role", FIELD_TEXT),
	FIELD(invite_reply, sent_at, "sentAt", FIELD_TIME),
	FIELD(invite_reply, id, "sentBy", FIELD_OBJECT, .fields = sender_fields),
	FIELD(invite_reply, status, "status", FIELD_TEXT),
	FIELD(invite_reply, link, "acceptInviteUrl", FIELD_TEXT,
	      .help = "For who has verified the address it was sent to; the link in the mail is another."),
	{ 0 },
};

struct invite_list_reply {
	struct object_list invites;
};

const struct field invite_list_reply_fields[] = {
	FIELD(invite_list_reply, invites, "invites", FIELD_LIST, .fields = invite_fields),
	{ 0 },
};

static int reply_list(struct request *rq, struct http_reply *rp, const struct invite *list, size_t count)
{
	struct invite_reply *shown = arena_alloc(rq->arena, count * sizeof(*shown));
	struct invite_list_reply reply = { { shown, count, sizeof(*shown) } };

	for (size_t i = 0; i < count; i++) {
		const struct invite *one = &list[i];
		const char *path = arena_printf(rq->arena, "/orgs/%s/invites/%s", one->organization_login, one->id);

		shown[i] = (struct invite_reply){ .id = one->id, .email = one->email, .role = one->role, .status = "pending",
						  .link = one->email ? mail_link(rq->arena, path) : "", .sent_at = one->sent_at,
						  .sender = { one->sender_name, one->sender_login, NULL } };
	}
	return reply_json(rp, invite_list_reply_fields, &reply);
}

/* ListOrgInvites */
int api_list_org_invites(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct invite *list;
	size_t count;

	if (invite_list(rq->db, &rq->caller, rq->now_us, rq->arena, &list, &count, e) < 0)
		return -1;

	return reply_list(rq, rp, list, count);
}

/* ListUserOrgInvites: nothing until the address is verified, since anybody can sign up with any address. */
int api_list_user_org_invites(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct email_user u = { 0 };
	struct invite *list = NULL;
	size_t count = 0;

	if (email_user(rq->db, rq->caller.user_id, rq->arena, &u, e) < 0)
		return -1;
	if (u.verified_at >= 0 && address_valid(u.email) &&
	    invite_list_for(rq->db, u.email, rq->now_us, rq->arena, &list, &count, e) < 0)
		return -1;

	return reply_list(rq, rp, list, count);
}

struct invite_body {
	const char *email, *role, *role_id;
};

const struct field invite_body_fields[] = {
	FIELD(invite_body, email, "email", FIELD_TEXT, .limit = LIMIT_MAIL_ADDRESS),
	FIELD(invite_body, role, "role", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = 40, .help = "admin or member."),
	FIELD(invite_body, role_id, "roleId", FIELD_TEXT, .flags = FIELD_OMIT_EMPTY, .limit = 40,
	      .help = "Id of a role; counts before role."),
	{ 0 },
};

const struct field invite_made_reply_fields[] = {
	FIELD(invite_made, id, "id", FIELD_TEXT),
	FIELD(invite_made, link, "acceptInviteUrl", FIELD_TEXT, .flags = FIELD_SECRET),
	{ 0 },
};

static int role_of(const struct invite_body *body, const struct role **ret_role, struct err *e)
{
	return role_check(body->role_id ? body->role_id : body->role, ret_role, e);
}

/* CreateOrgInviteLink: needs no mail. */
int api_create_org_invite_link(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct invite_body body = { 0 };
	struct invite_made made;
	const struct role *role;

	if (request_body(rq, invite_body_fields, &body, e) < 0 || role_of(&body, &role, e) < 0)
		return -1;

	if (invite_begin(rq->db, &rq->caller, e) < 0 ||
	    invite_make_link(rq->db, &rq->caller, role, rq->now_us, rq->arena, &made, e) < 0)
		return -1;

	rq->audit_detail = made.id;
	rp->secret = true;
	return reply_json(rp, invite_made_reply_fields, &made);
}

struct batch_body {
	struct span invites;
};

const struct field batch_invite_body_fields[] = {
	FIELD(batch_body, invites, "invites", FIELD_RAW, .flags = FIELD_REQUIRED, .limit = LIMIT_INVITES * 1024,
	      .help = "A list of objects with email, role and, perhaps, roleId."),
	{ 0 },
};

struct batch_reply {
	struct object_list sent, failed;
};

const struct field batch_invite_reply_fields[] = {
	FIELD(batch_reply, sent, "sentInvites", FIELD_LIST, .fields = invite_made_reply_fields),
	FIELD(batch_reply, failed, "failedInvites", FIELD_LIST, .fields = invite_body_fields),
	{ 0 },
};

struct batch {
	struct invite_body items[LIMIT_INVITES];
	struct invite_wanted wanted[LIMIT_INVITES];
	size_t count;
};

static int take_item(struct request *rq, struct span element, struct batch *batch, struct err *e)
{
	struct invite_body *item = &batch->items[batch->count];
	struct invite_wanted *wanted = &batch->wanted[batch->count];

	if (batch->count == LIMIT_INVITES)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'invites' has more than %d, send them in several requests", LIMIT_INVITES);
	if (fields_read(invite_body_fields, element, rq->arena, item, e) < 0 || role_of(item, &wanted->role, e) < 0)
		return -1;
	if (!address_valid(item->email))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: '%.100s' is not an e-mail address that mail can be sent to",
			       item->email ? item->email : "");
	wanted->email = item->email;
	batch->count++;
	return 1;
}

/* All are looked at before the first is sent. */
static int read_batch(struct request *rq, struct batch *ret_batch, struct err *e)
{
	struct batch_body body = { 0 };
	struct span list, element;
	struct scan scan;

	if (request_body(rq, batch_invite_body_fields, &body, e) < 0 || scan_document(body.invites, &list, e) < 0)
		return -1;
	if (list.data[0] != '[')
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'invites' must be a list");
	scan_open(&scan, list);
	while (scan_element(&scan, &element))
		if (take_item(rq, element, ret_batch, e) < 0)
			return -1;
	return ret_batch->count ? 1 : err_set(e, ERR_BAD_REQUEST, "Bad Request: 'invites' is empty");
}

static int send_batch(struct request *rq, const struct batch *batch, struct http_reply *rp, struct err *e)
{
	struct invite_made *sent = arena_alloc(rq->arena, batch->count * sizeof(*sent)), made[LIMIT_INVITES];
	struct invite_body *failed = arena_alloc(rq->arena, batch->count * sizeof(*failed));
	struct batch_reply reply = { { sent, 0, sizeof(*sent) }, { failed, 0, sizeof(*failed) } };

	if (invite_begin(rq->db, &rq->caller, e) < 0 ||
	    invite_send_all(rq->db, rq->app->mail, &rq->caller, batch->wanted, batch->count, rq->now_us, rq->arena, made, e) < 0)
		return -1;
	for (size_t i = 0; i < batch->count; i++)
		if (made[i].id)
			sent[reply.sent.count++] = made[i];
		else
			failed[reply.failed.count++] = batch->items[i];
	rq->audit_detail = arena_printf(rq->arena, "%zu sent", reply.sent.count);
	rp->secret = true;
	return reply_json(rp, batch_invite_reply_fields, &reply);
}

static int check_sender(struct request *rq, struct err *e)
{
	struct email_user u = { 0 };
	int rc = email_user(rq->db, rq->caller.user_id, rq->arena, &u, e);

	if (rc < 0)
		return -1;
	/* A token of the organization has nobody with an address behind it. */
	if (rc == 0 || u.verified_at < 0)
		return err_set(e, ERR_FORBIDDEN, "Forbidden: verify your own e-mail address before you invite others by mail");
	return 1;
}

/* BatchCreateOrgInviteEmail: by who has verified an address. */
int api_batch_create_org_invite_email(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct batch *batch = arena_alloc(rq->arena, sizeof(*batch));

	if (read_batch(rq, batch, e) < 0 || mail_needed(rq->app->mail, e) < 0 || check_sender(rq, e) < 0)
		return -1;

	return send_batch(rq, batch, rp, e);
}

/* BatchCreateOrgUnverifiedInviteEmail */
int api_batch_create_org_unverified_invite_email(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct batch *batch = arena_alloc(rq->arena, sizeof(*batch));

	if (read_batch(rq, batch, e) < 0 || mail_needed(rq->app->mail, e) < 0)
		return -1;

	return send_batch(rq, batch, rp, e);
}

struct resend_body {
	const char *token;
};

const struct field resend_invite_body_fields[] = {
	FIELD(resend_body, token, "token", FIELD_TEXT, .flags = FIELD_SECRET, .limit = 4096, .help = "Taken and ignored."),
	{ 0 },
};

/* ResendOrgInvite */
int api_resend_org_invite(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct resend_body body = { 0 };

	if (request_body(rq, resend_invite_body_fields, &body, e) < 0 || mail_needed(rq->app->mail, e) < 0)
		return -1;

	if (invite_resend(rq->db, rq->app->mail, &rq->caller, rq->invite, rq->now_us, e) < 0)
		return -1;

	return reply_nothing(rp);
}

/* CancelOrgInvite */
int api_cancel_org_invite(struct request *rq, struct http_reply *rp, struct err *e)
{
	if (invite_cancel(rq->db, &rq->caller, rq->invite, e) < 0)
		return -1;

	return reply_nothing(rp);
}

struct invited_reply {
	const char *name, *login, *avatar, *role;
};

const struct field invited_reply_fields[] = {
	FIELD(invited_reply, name, "name", FIELD_TEXT),
	FIELD(invited_reply, login, "githubLogin", FIELD_TEXT),
	FIELD(invited_reply, avatar, "avatarUrl", FIELD_TEXT),
	FIELD(invited_reply, role, "role", FIELD_TEXT, .help = "What who accepts becomes."),
	{ 0 },
};

/* GetOrgInvite: for who has the link. */
int api_get_org_invite(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct invite i = { 0 };

	if (invite_find(rq->db, &rq->caller, rq->path.organization, rq->invite, rq->now_us, rq->arena, &i, e) < 0)
		return -1;
	if (strcmp(i.state, "pending") || i.expired)
		return err_set(e, ERR_NOT_FOUND, "Not Found: Invite '%.60s' not found", rq->invite);

	return reply_json(rp, invited_reply_fields, &(struct invited_reply){ i.organization_name, i.organization_login, NULL, i.role });
}

/* AcceptOrgInvite */
int api_accept_org_invite(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct invite i = { 0 };

	if (invite_find(rq->db, &rq->caller, rq->path.organization, rq->invite, rq->now_us, rq->arena, &i, e) < 0)
		return -1;

	/* As a member the caller is in the audit log of the organization. */
	if (invite_accept(rq->db, &rq->caller, &i, rq->now_us, e) < 0 ||
	    identity_membership(rq->db, &rq->caller, i.organization_login, rq->arena, &rq->caller, e) < 0)
		return -1;

	return reply_nothing(rp);
}
