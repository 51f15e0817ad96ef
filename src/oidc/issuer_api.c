/* SPDX-License-Identifier: Apache-2.0 */
#include "oidc/issuer.h"

#include "api/route.h"
#include "base/limits.h"

const struct field oidc_issuer_fields[] = {
	FIELD(issuer, id, "id", FIELD_TEXT),
	FIELD(issuer, name, "name", FIELD_TEXT),
	FIELD(issuer, url, "url", FIELD_TEXT),
	FIELD(issuer, issuer, "issuer", FIELD_TEXT, .help = "As its tokens name it (iss)."),
	FIELD(issuer, thumbprints, "thumbprints", FIELD_RAW, .help = "Certificates that are trusted besides those of authorities."),
	FIELD(issuer, max_expiration, "maxExpiration", FIELD_INT, .flags = FIELD_OMIT_EMPTY, .help = "Seconds; absent: 90000."),
	FIELD(issuer, jwks, "jwks", FIELD_RAW_OBJECT, .flags = FIELD_OMIT_EMPTY, .help = "As registered."),
	FIELD(issuer, created_at, "created", FIELD_DATE),
	FIELD(issuer, modified_at, "modified", FIELD_DATE),
	FIELD(issuer, used_at, "lastUsed", FIELD_DATE, .flags = FIELD_OMIT_EMPTY),
	{ 0 },
};

struct issuer_list_reply {
	struct object_list issuers;
};

const struct field oidc_issuer_list_fields[] = {
	FIELD(issuer_list_reply, issuers, "oidcIssuers", FIELD_LIST, .fields = oidc_issuer_fields),
	{ 0 },
};

#define THUMBPRINTS_HELP                                                                                               \
	"SHA-256, or SHA-1, of certificates that count although no authority vouches for them; hexadecimal."
#define EXPIRATION_HELP "Longest life of a token that is given for one of the issuer's, seconds; 0: 90000."
#define JWKS_HELP "Its public keys (RFC 7517), for an issuer that this server cannot ask."

const struct field register_oidc_issuer_body_fields[] = {
	FIELD(issuer_wish, name, "name", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = 4 * LIMIT_ISSUER_NAME),
	FIELD(issuer_wish, url, "url", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = LIMIT_ISSUER_URL),
	FIELD(issuer_wish, thumbprints, "thumbprints", FIELD_TEXT_LIST, .limit = LIMIT_THUMBPRINTS, .help = THUMBPRINTS_HELP),
	FIELD(issuer_wish, max_expiration, "maxExpiration", FIELD_INT, .help = EXPIRATION_HELP),
	FIELD(issuer_wish, jwks, "jwks", FIELD_RAW_OBJECT, .limit = LIMIT_JWKS, .help = JWKS_HELP),
	{ 0 },
};

const struct field update_oidc_issuer_body_fields[] = {
	FIELD(issuer_wish, name, "name", FIELD_TEXT, .limit = 4 * LIMIT_ISSUER_NAME, .help = "Must always be there."),
	FIELD(issuer_wish, thumbprints, "thumbprints", FIELD_TEXT_LIST, .limit = LIMIT_THUMBPRINTS, .help = THUMBPRINTS_HELP),
	FIELD(issuer_wish, max_expiration, "maxExpiration", FIELD_INT, .help = EXPIRATION_HELP),
	FIELD(issuer_wish, jwks, "jwks", FIELD_RAW_OBJECT, .limit = LIMIT_JWKS, .help = JWKS_HELP),
	{ 0 },
};

/* ListOidcIssuers */
int api_list_orgs_oidc_issuers(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct issuer_list_reply reply = { .issuers.size = sizeof(struct issuer) };
	struct issuer *list;

	if (issuer_list(rq->db, rq->caller.organization_id, rq->arena, &list, &reply.issuers.count, e) < 0)
		return -1;

	reply.issuers.items = list;
	return reply_json(rp, oidc_issuer_list_fields, &reply);
}

/* RegisterOidcIssuer */
int api_register_oidc_issuer(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct issuer_wish body = { 0 };
	struct issuer issuer = { 0 };

	if (request_body(rq, register_oidc_issuer_body_fields, &body, e) < 0)
		return -1;

	if (issuer_register(rq->app, &rq->caller, &body, rq->now_us, rq->arena, &issuer, e) < 0)
		return -1;

	rq->audit_detail = issuer.url;
	return reply_json(rp, oidc_issuer_fields, &issuer);
}

/* GetOidcIssuer */
int api_get_oidc_issuer(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct issuer issuer = { 0 };

	if (issuer_find(rq->db, rq->caller.organization_id, rq->issuer, rq->arena, &issuer, e) < 0)
		return -1;

	return reply_json(rp, oidc_issuer_fields, &issuer);
}

/* UpdateOidcIssuer */
int api_update_oidc_issuer(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct issuer_wish body = { 0 };
	struct issuer issuer = { 0 };

	if (request_body(rq, update_oidc_issuer_body_fields, &body, e) < 0)
		return -1;

	if (issuer_change(rq->db, &rq->caller, rq->issuer, &body, rq->now_us, rq->arena, &issuer, e) < 0)
		return -1;

	rq->audit_detail = issuer.url;
	return reply_json(rp, oidc_issuer_fields, &issuer);
}

/* RegenerateThumbprints */
int api_regenerate_thumbprints(struct request *rq, struct http_reply *rp, struct err *e)
{
	struct issuer issuer = { 0 };

	if (issuer_renew_thumbprints(rq->app, &rq->caller, rq->issuer, rq->now_us, rq->arena, &issuer, e) < 0)
		return -1;

	rq->audit_detail = arena_strndup(rq->arena, issuer.thumbprints.data, issuer.thumbprints.length);
	return reply_json(rp, oidc_issuer_fields, &issuer);
}

/* DeleteOidcIssuer */
int api_delete_oidc_issuer(struct request *rq, struct http_reply *rp, struct err *e)
{
	if (issuer_delete(rq->db, &rq->caller, rq->issuer, e) < 0)
		return -1;

	return reply_nothing(rp);
}
