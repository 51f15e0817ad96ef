/* SPDX-License-Identifier: Apache-2.0 */
#include "oidc/jwt.h"

#include <gnutls/crypto.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "base/limits.h"
#include "crypto/aead.h"
#include "json/scan.h"
#include "oidc/claims.h"

#define TOLERANCE_S 60	/* between two clocks */

static const struct algorithm {
	const char *name;
	enum jwk_kind kind;
	gnutls_sign_algorithm_t sign;
	size_t half;	/* bytes of r and of s; 0: the signature is one number */
} algorithms[] = {
	{ "RS256", JWK_RSA, GNUTLS_SIGN_RSA_SHA256, 0 },
	{ "RS384", JWK_RSA, GNUTLS_SIGN_RSA_SHA384, 0 },
	{ "RS512", JWK_RSA, GNUTLS_SIGN_RSA_SHA512, 0 },
	{ "PS256", JWK_RSA, GNUTLS_SIGN_RSA_PSS_SHA256, 0 },
	{ "ES256", JWK_P256, GNUTLS_SIGN_ECDSA_SHA256, 32 },
	{ "ES384", JWK_P384, GNUTLS_SIGN_ECDSA_SHA384, 48 },
};

static const struct algorithm *algorithm_of(const char *name)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (name && !strcmp(algorithms[i].name, name))
			return &algorithms[i];
	return NULL;
}

static int wrong(struct err *e, const char *what)
{
	return err_set(e, ERR_BAD_REQUEST, "Bad Request: the token %s", what);
}

/* A base64url part as bytes in the arena. */
static bool decode(struct span part, struct arena *arena, struct span *ret_bytes)
{
	_cleanup_(buffer_done) struct buffer bytes = BUFFER_INIT;

	if (!part.length || !base64url_decode(part, &bytes) || !bytes.length)
		return false;
	*ret_bytes = (struct span){ memcpy(arena_alloc(arena, bytes.length), bytes.data, bytes.length), bytes.length };
	return true;
}

static bool decode_object(struct span part, struct arena *arena, struct span *ret_object)
{
	struct err ignored = { 0 };
	struct span bytes;

	if (!decode(part, arena, &bytes) || claims_check(bytes, &ignored) < 0)
		return false;
	*ret_object = scan_trim(bytes);
	return true;
}

/* Exactly three parts. */
static bool split(struct span token, struct span ret_parts[3])
{
	const char *at = token.data, *end = token.data + token.length;

	for (int i = 0; i < 3; i++) {
		const char *dot = i < 2 ? memchr(at, '.', (size_t)(end - at)) : end;

		if (!dot)
			return false;
		ret_parts[i] = (struct span){ at, (size_t)(dot - at) };
		at = dot + 1;
	}
	return !memchr(ret_parts[2].data, '.', ret_parts[2].length);
}

static int read_header(struct span header, struct arena *arena, struct jwt *jwt, struct err *e)
{
	struct span value;

	jwt->algorithm = claim_text(header, "alg", arena);
	if (!algorithm_of(jwt->algorithm))
		return wrong(e, "is signed in a way that is not accepted; RS256, RS384, RS512, PS256, ES256 and ES384 "
				"are");
	if (claim_find(header, SPAN("crit"), arena, &value) || claim_find(header, SPAN("b64"), arena, &value))
		return wrong(e, "has extensions in its header that this server does not know");
	jwt->key_id = claim_text(header, "kid", arena);
	if (!jwt->key_id && claim_find(header, SPAN("kid"), arena, &value))
		return wrong(e, "has a key id that is no text");
	return 1;
}

int jwt_read(struct span token, struct arena *arena, struct jwt *ret_jwt, struct err *e)
{
	struct span parts[3], header;
	struct jwt jwt = { 0 };

	if (token.length > LIMIT_JWT)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: the token has %zu bytes, at most %d are allowed",
			       token.length, LIMIT_JWT);
	if (!split(token, parts))
		return wrong(e, "is no signed JSON web token: it must have three parts separated by dots");
	if (!decode_object(parts[0], arena, &header) || !decode_object(parts[1], arena, &jwt.claims) ||
	    !decode(parts[2], arena, &jwt.signature))
		return wrong(e, "is no JSON web token: its parts must be base64url, the first two of a JSON object "
				"without a name twice");
	if (read_header(header, arena, &jwt, e) < 0)
		return -1;
	jwt.signed_part = (struct span){ token.data, (size_t)(parts[1].data + parts[1].length - token.data) };
	jwt.issuer = claim_text(jwt.claims, "iss", arena);
	if (!jwt.issuer || !*jwt.issuer)
		return wrong(e, "does not say who issued it (iss)");
	*ret_jwt = jwt;
	return 1;
}

static bool verify_one(const struct jwt *jwt, const struct algorithm *a, const struct jwk *key)
{
	gnutls_pubkey_t public_key __attribute__((cleanup(jwk_release))) = NULL;
	gnutls_datum_t data = { (unsigned char *)jwt->signed_part.data, (unsigned)jwt->signed_part.length };
	gnutls_datum_t signature = { (unsigned char *)jwt->signature.data, (unsigned)jwt->signature.length },
		       encoded = { 0 };
	gnutls_datum_t r = { signature.data, (unsigned)a->half }, s = { signature.data + a->half, (unsigned)a->half };
	struct err ignored = { 0 };
	int rc;

	if (jwk_import(key, &public_key, &ignored) < 0)
		return false;
	if (a->half && (signature.size != 2 * a->half || gnutls_encode_rs_value(&encoded, &r, &s) < 0))
		return false;
	rc = gnutls_pubkey_verify_data2(public_key, a->sign, 0, &data, a->half ? &encoded : &signature);
	gnutls_free(encoded.data);
	return rc >= 0;
}

static bool fits(const struct jwt *jwt, const struct algorithm *a, const struct jwk *key)
{
	if (key->kind != a->kind || (key->algorithm && strcmp(key->algorithm, a->name)))
		return false;
	return !jwt->key_id || (key->id && !strcmp(key->id, jwt->key_id));
}

int jwt_verify(const struct jwt *jwt, const struct jwk *keys, size_t count, struct err *e)
{
	const struct algorithm *a = algorithm_of(jwt->algorithm);
	bool any = false;

	for (size_t i = 0; i < count; i++) {
		if (!fits(jwt, a, &keys[i]))
			continue;
		if (verify_one(jwt, a, &keys[i]))
			return 1;
		any = true;
	}
	return any ? wrong(e, "has a signature that is not its issuer's") : 0;
}

/* Seconds since 1970, which may have a fraction: 1 there, 0 absent, -1 something else. */
static int read_time(struct span claims, const char *name, struct arena *arena, double *ret_seconds)
{
	struct span value;
	char *text, *end;

	if (!claim_find(claims, span_of(name), arena, &value))
		return 0;
	text = arena_strndup(arena, value.data, value.length);
	*ret_seconds = strtod(text, &end);
	return *end || !strchr("-0123456789", *text) || !isfinite(*ret_seconds) ? -1 : 1;
}

static int check_times(const struct jwt *jwt, double now, struct arena *arena, struct err *e)
{
	double expires = 0, not_before = 0, issued = 0;
	int has_end = read_time(jwt->claims, "exp", arena, &expires),
	    has_start = read_time(jwt->claims, "nbf", arena, &not_before);
	int has_issue = read_time(jwt->claims, "iat", arena, &issued);

	if (has_end < 0 || has_start < 0 || has_issue < 0)
		return wrong(e, "has times (exp, nbf, iat) that are no numbers of seconds");
	if (!has_end)
		return wrong(e, "does not say when it expires (exp)");
	if (expires + TOLERANCE_S <= now)
		return wrong(e, "has expired (exp); ask its issuer for a new one");
	if (has_start && not_before - TOLERANCE_S > now)
		return wrong(e, "is not valid yet (nbf); compare the clocks of this server and of its issuer");
	if (has_issue && issued - TOLERANCE_S > now)
		return wrong(e, "was issued in the future (iat); compare the clocks of this server and of its issuer");
	return 1;
}

static bool is_text(struct span value, const char *wanted, struct arena *arena)
{
	struct span text;

	/* The name of an organization has no case. */
	return scan_text(value, arena, &text) && text.length == strlen(wanted) &&
	       !strncasecmp(text.data, wanted, text.length);
}

static bool for_audience(const struct jwt *jwt, const char *audience, struct arena *arena)
{
	struct span value, each;
	struct scan s;

	if (!claim_find(jwt->claims, SPAN("aud"), arena, &value))
		return false;
	if (value.data[0] != '[')
		return is_text(value, audience, arena);
	scan_open(&s, value);
	while (scan_element(&s, &each))
		if (is_text(each, audience, arena))
			return true;
	return false;
}

int jwt_check(const struct jwt *jwt, const char *audience, int64_t now_us, struct arena *arena, struct err *e)
{
	if (check_times(jwt, (double)now_us / 1e6, arena, e) < 0)
		return -1;
	if (!for_audience(jwt, audience, arena))
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: the token was made for somebody else; have its issuer put %.120s into aud",
			       audience);
	return 1;
}
