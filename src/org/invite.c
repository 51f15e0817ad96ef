/* SPDX-License-Identifier: Apache-2.0 */
#include "org/invite.h"

#include <ctype.h>

#include "base/clock.h"
#include "base/limits.h"
#include "mail/limit.h"
#include "org/invite_internal.h"
#include "org/invite_sql.h"
#include "org/member.h"

int invite_list(struct db *db, const struct caller *c, int64_t now_us, struct arena *arena, struct invite **ret_list,
		size_t *ret_count, struct err *e)
{
	return db_all(db, &INVITE_LIST, DB_VALUES(db_time(now_us), db_text(c->organization_id), db_time(now_us)), invite_columns,
		      sizeof(struct invite), arena, (void **)ret_list, ret_count, e);
}

int invite_list_for(struct db *db, const char *email, int64_t now_us, struct arena *arena, struct invite **ret_list,
		    size_t *ret_count, struct err *e)
{
	return db_all(db, &INVITE_LIST_FOR, DB_VALUES(db_time(now_us), db_text(email), db_time(now_us)), invite_columns,
		      sizeof(struct invite), arena, (void **)ret_list, ret_count, e);
}

static int not_found(const char *id, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "Not Found: Invite '%.60s' not found", id);
}

int invite_begin(struct db *db, const struct caller *c, struct err *e)
{
	return member_begin_change(db, c, e);
}

int invite_check_count(struct db *db, const struct caller *c, size_t more, int64_t now_us, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct invite_count row = { 0 };

	if (db_one(db, &INVITE_COUNT, DB_VALUES(db_text(c->organization_id), db_time(now_us)), invite_count_columns, &row, &arena, e) < 0)
		return -1;
	if (row.count + (int64_t)more > LIMIT_INVITES_PENDING)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: %s has %lld pending invites, at most %d are allowed; cancel some",
			       c->organization_login, (long long)row.count, LIMIT_INVITES_PENDING);
	return 1;
}

char *invite_link(const struct caller *c, const char *secret, struct arena *arena)
{
	return mail_link(arena, arena_printf(arena, "/orgs/%s/invites/%s", c->organization_login, secret));
}

int invite_make_link(struct db *db, const struct caller *c, const struct role *role, int64_t now_us, struct arena *arena,
		     struct invite_made *ret_made, struct err *e)
{
	char *id = arena_alloc(arena, UUID_TEXT);
	unsigned char digest[SHA256_BYTES];
	char secret[BEARER_TEXT];

	if (invite_check_count(db, c, 1, now_us, e) < 0)
		return -1;
	uuid_new(now_us, id);
	bearer_new("", secret, digest);
	if (db_exec(db, &INVITE_CREATE,
		    DB_VALUES(db_text(id), db_text(c->organization_id), db_bytes((struct span){ (char *)digest, sizeof(digest) }),
			      db_text(role->id), db_text(identity_author(c)), db_time(now_us), db_time(now_us)),
		    NULL, e) < 0)
		return -1;
	*ret_made = (struct invite_made){ id, invite_link(c, secret, arena) };
	return 1;
}

/* Logins have letters, digits, '-' and '_' only: nobody can put a text of its own into the mail. */
struct mail invite_mail(const struct caller *c, const char *email, const char *link, int64_t now_us, struct arena *arena)
{
	char until[TIME_TEXT];

	time_words(now_us + INVITE_DAYS * DAY_US, until);
	return (struct mail){
		.kind = "invite",
		.to = email,
		.subject = arena_printf(arena, "%s invites you to %s", c->login, c->organization_login),
		.text = arena_printf(arena,
				     "Hello,\n\n%s invites you to join the organization %s on this Pulumi server. Accept here:\n\n    %s\n\n"
				     "The link works once, until %s. Whoever has it can use it: do not hand it on.\n"
				     "If you do not know who that is, do nothing.\n",
				     c->login, c->organization_login, link, until),
	};
}

char *invite_limit(const char *email, struct arena *arena)
{
	char *what = arena_printf(arena, "invite to %s", email);

	for (char *at = what; *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return what;
}

int invite_check_sender(struct db *db, const struct caller *c, size_t mails, int64_t now_us, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;

	return limit_check(db, arena_printf(&arena, "mails caused by user %s", identity_author(c)), (int64_t)mails, LIMIT_MAILS_PER_USER,
			   now_us, e);
}

/* The id of a pending one, for whoever manages invitations. */
static int find_pending(struct db *db, const struct caller *c, const char *id, int64_t now_us, struct arena *arena,
			struct invite *ret_invite, struct err *e)
{
	int rc = 0;

	if (uuid_valid(id))
		rc = db_one(db, &INVITE_BY_ID, DB_VALUES(db_time(now_us), db_text(c->organization_id), db_text(id)), invite_columns,
			    ret_invite, arena, e);
	if (rc == 1 && strcmp(ret_invite->state, "pending"))
		rc = 0;
	return rc ? rc : not_found(id, e);
}

int invite_resend(struct db *db, const struct mail_config *config, const struct caller *c, const char *id, int64_t now_us,
		  struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	unsigned char digest[SHA256_BYTES];
	char secret[BEARER_TEXT];
	struct invite i = { 0 };
	struct mail mail;
	int rc;

	if (find_pending(db, c, id, now_us, &arena, &i, e) < 0)
		return -1;
	if (!i.email)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: this invite is a link that was never mailed; make another one");
	if (invite_check_sender(db, c, 1, now_us, e) < 0)
		return -1;
	rc = limit_take(db, invite_limit(i.email, &arena), LIMIT_MAILS_PER_ADDRESS, now_us, e);
	if (rc <= 0)
		return rc < 0 ? -1 : err_set(e, ERR_TOO_MANY, "Too Many Requests: several invites were sent to %.100s; try again in an hour",
					     i.email);
	bearer_new("", secret, digest);
	if (db_exec(db, &INVITE_RENEW,
		    DB_VALUES(db_bytes((struct span){ (char *)digest, sizeof(digest) }), db_text(identity_author(c)), db_time(now_us),
			      db_time(now_us + INVITE_DAYS * DAY_US), db_text(c->organization_id), db_text(id)),
		    NULL, e) < 0)
		return -1;
	mail = invite_mail(c, i.email, invite_link(c, secret, &arena), now_us, &arena);
	return mail_queue(db, config, &mail, now_us, e);
}

int invite_cancel(struct db *db, const struct caller *c, const char *id, struct err *e)
{
	int64_t changed = 0;

	if (uuid_valid(id) && db_exec(db, &INVITE_CANCEL, DB_VALUES(db_text(c->organization_id), db_text(id)), &changed, e) < 0)
		return -1;
	return changed ? 1 : not_found(id, e);
}

/* Only to whom it was sent, and only when that is sure. */
static int find_for_addressee(struct db *db, const struct caller *c, const char *organization, const char *id, int64_t now_us,
			      struct arena *arena, struct invite *ret_invite, struct err *e)
{
	struct email_user u = { 0 };
	int rc = email_user(db, c->user_id, arena, &u, e);

	if (rc <= 0 || u.verified_at < 0 || !address_valid(u.email))
		return rc < 0 ? -1 : 0;
	return db_one(db, &INVITE_FOR_ADDRESS, DB_VALUES(db_time(now_us), db_text(id), db_text(organization), db_text(u.email)),
		      invite_columns, ret_invite, arena, e);
}

int invite_find(struct db *db, const struct caller *c, const char *organization, const char *secret, int64_t now_us,
		struct arena *arena, struct invite *ret_invite, struct err *e)
{
	unsigned char digest[SHA256_BYTES];
	int rc = 0;

	sha256(span_of(secret), digest);
	if (identity_login_valid(organization))
		rc = db_one(db, &INVITE_BY_SECRET,
			    DB_VALUES(db_time(now_us), db_bytes((struct span){ (char *)digest, sizeof(digest) }), db_text(organization)),
			    invite_columns, ret_invite, arena, e);
	if (rc == 0 && identity_login_valid(organization) && uuid_valid(secret))
		rc = find_for_addressee(db, c, organization, secret, now_us, arena, ret_invite, e);
	return rc ? rc : not_found(secret, e);
}

int invite_accept(struct db *db, const struct caller *c, const struct invite *i, int64_t now_us, struct err *e)
{
	struct caller acting = *c;
	const struct role *role;
	int64_t changed = 0;

	acting.organization_id = i->organization_id;
	acting.organization_login = i->organization_login;
	if (role_check(i->role, &role, e) < 0 ||
	    db_exec(db, &INVITE_ACCEPT, DB_VALUES(db_text(i->organization_id), db_text(i->id), db_time(now_us)), &changed, e) < 0)
		return -1;
	if (!changed)
		return err_set(e, ERR_CONFLICT, "Conflict: this invite to %s %s; ask for a new one", i->organization_login,
			       strcmp(i->state, "pending") ? "was accepted or canceled" : "has expired");
	return member_add(db, &acting, c->login, role, now_us, e);
}
