/* SPDX-License-Identifier: Apache-2.0 */
#include "oidc/issuer.h"

#include "base/limits.h"
#include "json/write.h"
#include "oidc/discovery.h"
#include "oidc/issuer_sql.h"
#include "oidc/jwk.h"
#include "oidc/policy.h"
#include "oidc/policy_text.h"

int issuer_find(struct db *db, const char *organization_id, const char *id, struct arena *arena,
		struct issuer *ret_issuer, struct err *e)
{
	int rc = 0;

	if (uuid_valid(id))
		rc = db_one(db, &ISSUER_BY_ID, DB_VALUES(db_text(organization_id), db_text(id)), issuer_columns,
			    ret_issuer, arena, e);
	return rc ? rc : err_set(e, ERR_NOT_FOUND, "Not Found: OIDC issuer '%.40s' not found", id);
}

int issuer_of_token(struct db *db, const char *organization, const char *issuer, struct arena *arena,
		    struct issuer *ret_issuer, struct err *e)
{
	/* Addresses are ASCII: others need no question. */
	if (!identity_login_valid(organization) || strlen(issuer) > LIMIT_ISSUER_URL ||
	    text_characters(issuer) != strlen(issuer))
		return 0;
	return db_one(db, &ISSUER_OF_TOKEN, DB_VALUES(db_text(organization), db_text(issuer)), issuer_columns,
		      ret_issuer, arena, e);
}

int issuer_list(struct db *db, const char *organization_id, struct arena *arena, struct issuer **ret_list,
		size_t *ret_count, struct err *e)
{
	return db_all(db, &ISSUER_LIST, DB_VALUES(db_text(organization_id)), issuer_columns, sizeof(struct issuer), arena,
		      (void **)ret_list, ret_count, e);
}

static int check_name(const char *name, struct err *e)
{
	size_t n = text_characters(name);
	bool plain = true;

	for (const char *c = name; *c; c++)
		plain = plain && (unsigned char)*c >= ' ' && *c != 127;
	if (!n || n > LIMIT_ISSUER_NAME || !plain)
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: the issuer name is required: 'name' must have 1 to %d characters, none of "
			       "them a control character",
			       LIMIT_ISSUER_NAME);
	return 1;
}

static int check_thumbprints(const struct text_list *list, struct err *e)
{
	char thumbprint[THUMBPRINT_TEXT];

	for (size_t i = 0; i < list->count; i++)
		if (!thumbprint_read(list->items[i], thumbprint))
			return err_set(e, ERR_BAD_REQUEST,
				       "Bad Request: '%.100s' is no thumbprint; give the SHA-256 of a certificate as "
				       "64 "
				       "hexadecimal digits, or its SHA-1 as 40",
				       list->items[i]);
	return 1;
}

static int check_wish(const struct issuer_wish *w, struct err *e)
{
	if (check_name(w->name ? w->name : "", e) < 0 || check_thumbprints(&w->thumbprints, e) < 0)
		return -1;
	if (w->max_expiration < 0 || w->max_expiration > LIMIT_TOKEN_SECONDS)
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: 'maxExpiration' is %lld, it must be 1 to %lld seconds; 0 for %d",
			       (long long)w->max_expiration, LIMIT_TOKEN_SECONDS, ISSUER_DEFAULT_SECONDS);
	return w->jwks.data ? jwks_check(w->jwks, e) : 1;
}

static void write_thumbprints(const struct text_list *list, struct buffer *out)
{
	buffer_putc(out, '[');
	for (size_t i = 0; i < list->count; i++) {
		json_write_separator(out);
		json_write_text(out, list->items[i]);
	}
	buffer_putc(out, ']');
}

static int check_room(struct db *db, const char *organization_id, struct arena *arena, struct err *e)
{
	struct issuer_count row = { 0 };

	if (db_one(db, &ISSUER_COUNT, DB_VALUES(db_text(organization_id)), issuer_count_columns, &row, arena, e) < 0)
		return -1;
	if (row.count >= LIMIT_ISSUERS)
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: the organization has %lld OIDC issuers, at most %d are allowed; delete "
			       "some "
			       "that are not used",
			       (long long)row.count, LIMIT_ISSUERS);
	return 1;
}

static int taken(const char *name, struct err *e)
{
	return err_set(e, ERR_CONFLICT,
		       "Conflict: the organization has an OIDC issuer '%.100s' already, or one with the same url",
		       name);
}

/* A fetched certificate is remembered, so that it still counts when its authority is forgotten. */
static int ask(struct app *app, const struct issuer_wish *w, struct text_list *thumbprints, const char **shown,
	       struct arena *arena, struct discovery *ret, struct err *e)
{
	struct discovery_question q = { .guard = app->guard, .url = w->url, .thumbprints = *thumbprints };

	if (w->jwks.data) {
		ret->issuer = w->url;
		return 1;
	}
	if (discover(&q, arena, ret, e) < 0)
		return -1;
	*shown = ret->thumbprint;
	if (!thumbprints->count)
		*thumbprints = (struct text_list){ shown, 1, true };
	return 1;
}

int issuer_register(struct app *app, const struct caller *c, const struct issuer_wish *w, int64_t now_us,
		    struct arena *arena, struct issuer *ret_issuer, struct err *e)
{
	_cleanup_(buffer_done) struct buffer list = BUFFER_INIT;
	struct text_list thumbprints = w->thumbprints;
	struct discovery found = { 0 };
	struct policy_kept policy;
	const char *shown;
	char id[UUID_TEXT];
	int rc;

	if (discovery_check_url(w->url, e) < 0 || check_wish(w, e) < 0 ||
	    ask(app, w, &thumbprints, &shown, arena, &found, e) < 0 ||
	    check_room(app->db, c->organization_id, arena, e) < 0 ||
	    policy_keep_first(app, c->organization_id, now_us, arena, &policy, e) < 0)
		return -1;
	write_thumbprints(&thumbprints, &list);
	uuid_new(now_us, id);
	rc = db_exec(app->db, &ISSUER_CREATE,
		     DB_VALUES(db_text(id), db_text(c->organization_id), db_text(w->name), db_text(w->url),
			       db_text(found.issuer), db_bytes(buffer_span(&list)), db_bytes(w->jwks),
			       w->max_expiration ? db_int(w->max_expiration) : db_text(NULL), db_bytes(found.keys),
			       db_time(found.keys.data ? now_us : -1), db_time(now_us), db_time(now_us)),
		     NULL, e);
	if (rc <= 0)
		return rc < 0 ? -1 : taken(w->name, e);
	if (policy_create(app->db, c->organization_id, id, &policy, now_us, e) < 0)
		return -1;
	return issuer_find(app->db, c->organization_id, id, arena, ret_issuer, e);
}

/* What the wish leaves out stays as it is. */
static int merge(const struct issuer *old, struct issuer_wish *w, struct buffer *thumbprints, struct err *e)
{
	if (!w->jwks.data)
		w->jwks = old->jwks;
	if (!w->max_expiration)
		w->max_expiration = old->max_expiration;
	if (w->thumbprints.present)
		write_thumbprints(&w->thumbprints, thumbprints);
	else
		buffer_append(thumbprints, old->thumbprints.data, old->thumbprints.length);
	return check_wish(w, e);
}

int issuer_change(struct db *db, const struct caller *c, const char *id, const struct issuer_wish *wish, int64_t now_us,
		  struct arena *arena, struct issuer *ret_issuer, struct err *e)
{
	_cleanup_(buffer_done) struct buffer thumbprints = BUFFER_INIT;
	struct issuer_wish w = *wish;
	struct issuer old = { 0 };
	int rc;

	if (issuer_find(db, c->organization_id, id, arena, &old, e) < 0 || merge(&old, &w, &thumbprints, e) < 0)
		return -1;
	rc = db_exec(db, &ISSUER_CHANGE,
		     DB_VALUES(db_text(w.name), db_bytes(buffer_span(&thumbprints)), db_bytes(w.jwks),
			       w.max_expiration ? db_int(w.max_expiration) : db_text(NULL), db_time(now_us),
			       db_text(c->organization_id), db_text(id)),
		     NULL, e);
	if (rc <= 0)
		return rc < 0 ? -1 : taken(w.name, e);
	return issuer_find(db, c->organization_id, id, arena, ret_issuer, e);
}

int issuer_renew_thumbprints(struct app *app, const struct caller *c, const char *id, int64_t now_us, struct arena *arena,
			     struct issuer *ret_issuer, struct err *e)
{
	_cleanup_(buffer_done) struct buffer list = BUFFER_INIT;
	struct discovery found = { 0 };
	struct issuer issuer = { 0 };
	const char *shown = found.thumbprint;

	if (issuer_find(app->db, c->organization_id, id, arena, &issuer, e) < 0)
		return -1;
	if (issuer.jwks.data)
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: issuer jwks are statically configured, can't regenerate thumbprints");
	if (discover(&(struct discovery_question){ .guard = app->guard, .url = issuer.url, .any_certificate = true },
		     arena, &found, e) < 0)
		return -1;
	write_thumbprints(&(struct text_list){ &shown, 1, true }, &list);
	if (db_exec(app->db, &ISSUER_SET_THUMBPRINTS,
		    DB_VALUES(db_bytes(buffer_span(&list)), db_bytes(found.keys), db_time(now_us), db_time(now_us),
			      db_text(c->organization_id), db_text(id)),
		    NULL, e) < 0)
		return -1;
	return issuer_find(app->db, c->organization_id, id, arena, ret_issuer, e);
}

int issuer_delete(struct db *db, const struct caller *c, const char *id, struct err *e)
{
	int64_t deleted = 0;

	if (uuid_valid(id) &&
	    db_exec(db, &ISSUER_DELETE, DB_VALUES(db_text(c->organization_id), db_text(id)), &deleted, e) < 0)
		return -1;
	if (!deleted)
		return err_set(e, ERR_NOT_FOUND, "Not Found: OIDC issuer '%.40s' not found", id);
	if (db_exec(db, &ISSUER_DELETE_POLICY, DB_VALUES(db_text(c->organization_id), db_text(id)), NULL, e) < 0 ||
	    db_exec(db, &ISSUER_DELETE_REFRESH_TOKENS, DB_VALUES(db_text(c->organization_id), db_text(id)), NULL, e) < 0)
		return -1;
	return db_exec(db, &ISSUER_DELETE_TOKENS, DB_VALUES(db_text(c->organization_id), db_text(id)), NULL, e);
}
