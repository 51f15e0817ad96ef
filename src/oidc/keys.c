/* SPDX-License-Identifier: Apache-2.0 */
#include "oidc/keys.h"

#include "oidc/discovery.h"
#include "oidc/issuer_sql.h"

#define MINUTE_US INT64_C(60000000)
#define FRESH_US (60 * MINUTE_US)		/* a key that the issuer withdraws is good no longer than this */
#define STALE_US (24 * 60 * MINUTE_US)		/* while the issuer does not answer */

struct thumbprint_list {
	struct text_list items;
};

static const struct field thumbprint_list_fields[] = {
	FIELD(thumbprint_list, items, "items", FIELD_TEXT_LIST),
	{ 0 },
};

static int read_thumbprints(const struct issuer *issuer, struct arena *arena, struct text_list *ret_list, struct err *e)
{
	_cleanup_(buffer_done) struct buffer json = BUFFER_INIT;
	struct thumbprint_list list = { 0 };

	buffer_printf(&json, "{\"items\":%.*s}", (int)issuer->thumbprints.length, issuer->thumbprints.data);
	if (fields_read(thumbprint_list_fields, buffer_span(&json), arena, &list, e) < 0)
		return -1;
	*ret_list = list.items;
	return 1;
}

static int fetch(struct app *app, const struct issuer *issuer, int64_t now_us, struct arena *arena,
		 struct span *ret_keys, struct err *e)
{
	struct discovery_question q = { .guard = app->guard, .url = issuer->url };
	struct discovery found = { 0 };

	if (read_thumbprints(issuer, arena, &q.thumbprints, e) < 0 || discover(&q, arena, &found, e) < 0 ||
	    db_exec(app->db, &ISSUER_SET_KEYS,
		    DB_VALUES(db_bytes(found.keys), db_time(now_us), db_text(issuer->organization_id),
			      db_text(issuer->id)),
		    NULL, e) < 0)
		return -1;
	*ret_keys = found.keys;
	return 1;
}

/* 1 fetched, 0 when somebody was there a moment ago. */
static int fetch_rarely(struct app *app, const struct issuer *issuer, int64_t now_us, struct arena *arena,
			struct span *ret_keys, struct err *e)
{
	int64_t claimed = 0;

	if (db_exec(app->db, &ISSUER_CLAIM_KEYS,
		    DB_VALUES(db_time(now_us), db_text(issuer->organization_id), db_text(issuer->id),
			      db_time(now_us - MINUTE_US)),
		    &claimed, e) < 0)
		return -1;
	return claimed ? fetch(app, issuer, now_us, arena, ret_keys, e) : 0;
}

static int verify(const struct jwt *jwt, struct span json, struct arena *arena, struct err *e)
{
	struct jwk *keys;
	size_t count;

	if (jwks_read(json, arena, &keys, &count, e) < 0)
		return -1;
	return jwt_verify(jwt, keys, count, e);
}

static int unknown_key(const struct issuer *issuer, struct err *e)
{
	return err_set(e, ERR_BAD_REQUEST,
		       "Bad Request: the token names a key that the issuer %.200s does not have, or none that fits; an "
		       "issuer whose keys have just changed is asked again after a minute",
		       issuer->issuer);
}

/* Keys that have grown old while the issuer is away are better than none, for a day. */
static int current_keys(struct app *app, const struct issuer *issuer, int64_t now_us, struct arena *arena,
			struct span *ret_keys, bool *ret_fetched, struct err *e)
{
	int64_t age = now_us - issuer->keys_fetched_at;
	struct err why = { 0 };
	int rc;

	*ret_keys = issuer->keys;
	*ret_fetched = false;
	if (issuer->keys.data && age < FRESH_US)
		return 1;
	rc = fetch_rarely(app, issuer, now_us, arena, ret_keys, &why);
	*ret_fetched = rc == 1;
	if (rc == 1 || (issuer->keys.data && age < STALE_US))
		return 1;
	if (rc < 0)
		*e = why;
	return err_set(e, ERR_BAD_REQUEST,
		       "Bad Request: the keys of the issuer %.200s could not be fetched a moment ago; try again in a "
		       "minute",
		       issuer->issuer);
}

int keys_verify(struct app *app, const struct issuer *issuer, const struct jwt *jwt, int64_t now_us,
		struct arena *arena, struct err *e)
{
	struct span keys = issuer->jwks;
	bool fetched = true;	/* registered keys have no other place to look for */
	int rc;

	if (!keys.data && current_keys(app, issuer, now_us, arena, &keys, &fetched, e) < 0)
		return -1;
	rc = verify(jwt, keys, arena, e);
	if (rc == 0 && !fetched) {
		rc = fetch_rarely(app, issuer, now_us, arena, &keys, e);
		if (rc == 1)
			rc = verify(jwt, keys, arena, e);
	}
	return rc ? rc : unknown_key(issuer, e);
}
