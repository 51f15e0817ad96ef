/* SPDX-License-Identifier: Apache-2.0 */
#include "oidc/grant.h"

#include "oidc/grant_sql.h"

#define SECOND_US INT64_C(1000000)
#define RETRY_US (60 * SECOND_US)

static struct span digest_span(const unsigned char digest[SHA256_BYTES])
{
	return (struct span){ (const char *)digest, SHA256_BYTES };
}

static int give_access(struct db *db, const struct grant *g, int64_t now_us, struct granted *to, struct err *e)
{
	unsigned char digest[SHA256_BYTES];
	int64_t left = (g->expires_at - now_us) / SECOND_US;

	to->expires_in = g->lifetime < left ? g->lifetime : left;
	uuid_new(now_us, to->access_token_id);
	bearer_new("pul-", to->access_token, digest);
	return db_exec(db, &GRANT_ACCESS_TOKEN,
		       DB_VALUES(db_text(to->access_token_id), db_text(g->user_id), db_text(g->organization_id),
				 db_text(g->role), db_text(g->issuer_id), db_bytes(digest_span(digest)),
				 db_text(g->name), db_text(g->description), db_time(now_us),
				 db_time(now_us + to->expires_in * SECOND_US)),
		       NULL, e);
}

static int give_refresh(struct db *db, const struct grant *g, int64_t now_us, struct granted *to,
			unsigned char ret_digest[SHA256_BYTES], struct err *e)
{
	bearer_new("pulr-", to->refresh_token, ret_digest);
	return db_exec(db, &GRANT_REFRESH_TOKEN,
		       DB_VALUES(db_bytes(digest_span(ret_digest)), db_text(g->family_id), db_text(g->organization_id),
				 db_text(g->issuer_id), db_text(g->user_id), db_text(g->role), db_text(g->name),
				 db_text(g->description), db_text(g->scope), db_int(g->lifetime),
				 db_text(to->access_token_id), db_time(now_us), db_time(g->expires_at)),
		       NULL, e);
}

int grant_give(struct db *db, const struct grant *g, bool refreshable, int64_t now_us, struct granted *ret_granted,
	       struct err *e)
{
	unsigned char digest[SHA256_BYTES];

	*ret_granted = (struct granted){ 0 };
	if (give_access(db, g, now_us, ret_granted, e) < 0)
		return -1;
	/* Nothing would be left to refresh. */
	if (!refreshable || now_us + ret_granted->expires_in * SECOND_US >= g->expires_at)
		return 1;
	return give_refresh(db, g, now_us, ret_granted, digest, e);
}

static int revoke_family(struct db *db, const struct grant *g, struct err *e)
{
	if (db_exec(db, &GRANT_DELETE_FAMILY_ACCESS, DB_VALUES(db_text(g->organization_id), db_text(g->family_id)),
		    NULL, e) < 0)
		return -1;
	return db_exec(db, &GRANT_DELETE_FAMILY, DB_VALUES(db_text(g->organization_id), db_text(g->family_id)), NULL, e);
}

/* 1 when what it was used for is taken back, because the answer was lost; 0 when it is too late for that. */
static int take_back(struct db *db, const struct grant_row *row, int64_t now_us, struct arena *arena, struct err *e)
{
	struct grant_row next = { 0 };
	int rc;

	if (row->used_at < now_us - RETRY_US)
		return 0;
	rc = db_one(db, &GRANT_LOCK, DB_VALUES(db_bytes(row->successor)), grant_columns, &next, arena, e);
	if (rc <= 0 || next.used_at >= 0)
		return rc < 0 ? -1 : 0;
	if (db_exec(db, &GRANT_DELETE, DB_VALUES(db_text(row->grant.organization_id), db_bytes(row->successor)), NULL,
		    e) < 0)
		return -1;
	return db_exec(db, &GRANT_DELETE_ACCESS_TOKEN,
		       DB_VALUES(db_text(row->grant.organization_id), db_text(next.access_token_id)), NULL, e);
}

static int use(struct db *db, const struct grant *g, struct span digest, int64_t now_us, struct granted *ret_granted,
	       struct err *e)
{
	unsigned char next[SHA256_BYTES];

	*ret_granted = (struct granted){ 0 };
	if (give_access(db, g, now_us, ret_granted, e) < 0 || give_refresh(db, g, now_us, ret_granted, next, e) < 0)
		return -1;
	return db_exec(db, &GRANT_USED,
		       DB_VALUES(db_time(now_us), db_bytes(digest_span(next)), db_text(g->organization_id),
				 db_bytes(digest)),
		       NULL, e);
}

int grant_refresh(struct db *db, const char *refresh_token, int64_t now_us, struct arena *arena,
		  enum grant_found *ret_found, struct grant *ret_grant, struct granted *ret_granted, struct err *e)
{
	unsigned char digest[SHA256_BYTES];
	struct grant_row row = { 0 };
	int rc;

	*ret_found = GRANT_NONE;
	sha256(span_of(refresh_token), digest);
	rc = db_one(db, &GRANT_LOCK, DB_VALUES(db_bytes(digest_span(digest))), grant_columns, &row, arena, e);
	if (rc <= 0 || row.grant.expires_at < now_us + SECOND_US || (row.grant.user_id && !row.member_id))
		return rc < 0 ? -1 : 1;
	*ret_grant = row.grant;
	if (row.used_at >= 0) {
		rc = take_back(db, &row, now_us, arena, e);
		*ret_found = rc == 0 ? GRANT_REUSED : GRANT_NONE;
		if (rc <= 0)
			return rc < 0 ? -1 : revoke_family(db, &row.grant, e);
	}
	*ret_found = GRANT_GOOD;
	return use(db, &row.grant, digest_span(digest), now_us, ret_granted, e);
}
