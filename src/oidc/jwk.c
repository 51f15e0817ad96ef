/* SPDX-License-Identifier: Apache-2.0 */
#include "oidc/jwk.h"

#include "base/limits.h"
#include "crypto/aead.h"
#include "json/scan.h"

#define RSA_LEAST_BITS 2048

static const struct field jwk_fields[] = {
	FIELD(jwk, type, "kty", FIELD_TEXT, .limit = 64),
	FIELD(jwk, id, "kid", FIELD_TEXT, .limit = LIMIT_KEY_ID),
	FIELD(jwk, algorithm, "alg", FIELD_TEXT, .limit = 64),
	FIELD(jwk, use, "use", FIELD_TEXT, .limit = 64),
	FIELD(jwk, operations, "key_ops", FIELD_TEXT_LIST, .limit = 16),
	FIELD(jwk, curve, "crv", FIELD_TEXT, .limit = 64),
	FIELD(jwk, n, "n", FIELD_TEXT),
	FIELD(jwk, e, "e", FIELD_TEXT),
	FIELD(jwk, x, "x", FIELD_TEXT),
	FIELD(jwk, y, "y", FIELD_TEXT),
	FIELD(jwk, private_part, "d", FIELD_RAW),
	FIELD(jwk, symmetric, "k", FIELD_RAW),
	{ 0 },
};

struct jwks {
	struct span keys;
};

static const struct field jwks_fields[] = {
	FIELD(jwks, keys, "keys", FIELD_RAW, .flags = FIELD_REQUIRED, .limit = LIMIT_JWKS),
	{ 0 },
};

static bool may_verify(const struct jwk *key)
{
	bool found = !key->operations.present;

	for (size_t i = 0; i < key->operations.count; i++)
		found = found || !strcmp(key->operations.items[i], "verify");
	return found && (!key->use || !strcmp(key->use, "sig"));
}

static enum jwk_kind kind_of(const struct jwk *key)
{
	if (!key->type || !may_verify(key))
		return JWK_OTHER;
	if (!strcmp(key->type, "RSA") && key->n && key->e)
		return JWK_RSA;
	if (strcmp(key->type, "EC") || !key->curve || !key->x || !key->y)
		return JWK_OTHER;
	return !strcmp(key->curve, "P-256") ? JWK_P256 : !strcmp(key->curve, "P-384") ? JWK_P384 : JWK_OTHER;
}

static int read_key(struct span json, struct arena *arena, struct jwk *ret_key, struct err *e)
{
	if (fields_read(jwk_fields, json, arena, ret_key, e) < 0)
		return -1;
	if (ret_key->private_part.data || ret_key->symmetric.data)
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: the key '%.100s' of the set is a private or a symmetric one; give public "
			       "keys only, and replace that one: it is known now",
			       ret_key->id ? ret_key->id : "");
	ret_key->kind = kind_of(ret_key);
	return 1;
}

int jwks_read(struct span json, struct arena *arena, struct jwk **ret_keys, size_t *ret_count, struct err *e)
{
	struct jwk *keys = arena_alloc(arena, LIMIT_JWKS_KEYS * sizeof(*keys));
	struct jwks set = { 0 };
	struct span each;
	struct scan s;
	size_t count = 0;

	if (fields_read(jwks_fields, json, arena, &set, e) < 0)
		return -1;
	if (set.keys.data[0] != '[')
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'keys' must be a list of keys");
	scan_open(&s, set.keys);
	while (scan_element(&s, &each)) {
		if (count == LIMIT_JWKS_KEYS)
			return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'keys' has more than %d keys", LIMIT_JWKS_KEYS);
		if (read_key(each, arena, &keys[count++], e) < 0)
			return -1;
	}
	*ret_keys = keys;
	*ret_count = count;
	return 1;
}

int jwks_check(struct span json, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct err why = { 0 };
	struct jwk *keys;
	size_t count;

	if (jwks_read(json, &arena, &keys, &count, e) < 0)
		return -1;
	for (size_t i = 0; i < count; i++) {
		gnutls_pubkey_t key __attribute__((cleanup(jwk_release))) = NULL;

		if (keys[i].kind != JWK_OTHER && jwk_import(&keys[i], &key, &why) == 1)
			return 1;
	}
	if (why.kind)
		*e = why;
	return err_set(e, ERR_BAD_REQUEST,
		       "Bad Request: none of the %zu keys can verify a signature; give RSA keys of %d bits or more, "
		       "or EC keys on P-256 or P-384",
		       count, RSA_LEAST_BITS);
}

void jwk_release(gnutls_pubkey_t *key)
{
	if (*key)
		gnutls_pubkey_deinit(*key);
}

static int wrong(const struct jwk *key, const char *what, struct err *e)
{
	return err_set(e, ERR_BAD_REQUEST, "Bad Request: the key '%.100s' of the set %s", key->id ? key->id : "", what);
}

/* A number as base64url; the buffer owns it. */
static bool number(const char *text, struct buffer *bytes, gnutls_datum_t *ret_number)
{
	if (!base64url_decode(span_of(text), bytes) || bytes->length == 0 || bytes->length > LIMIT_KEY_NUMBER)
		return false;
	*ret_number = (gnutls_datum_t){ (unsigned char *)bytes->data, (unsigned)bytes->length };
	return true;
}

static int import_rsa(const struct jwk *key, gnutls_pubkey_t to, struct err *e)
{
	_cleanup_(buffer_done) struct buffer n_bytes = BUFFER_INIT, e_bytes = BUFFER_INIT;
	gnutls_datum_t n, exponent;
	unsigned bits = 0;

	if (!number(key->n, &n_bytes, &n) || !number(key->e, &e_bytes, &exponent))
		return wrong(key, "has numbers that are no base64url of a sensible length", e);
	/* One, or an even number, would let anybody make signatures. */
	if (!(exponent.data[exponent.size - 1] & 1) || (exponent.size == 1 && exponent.data[0] < 3))
		return wrong(key, "has a public exponent that is not safe", e);
	if (gnutls_pubkey_import_rsa_raw(to, &n, &exponent) < 0 || gnutls_pubkey_get_pk_algorithm(to, &bits) < 0)
		return wrong(key, "is no RSA key", e);
	return bits >= RSA_LEAST_BITS ? 1 : wrong(key, "has fewer than 2048 bits", e);
}

static int import_ec(const struct jwk *key, gnutls_pubkey_t to, struct err *e)
{
	_cleanup_(buffer_done) struct buffer x_bytes = BUFFER_INIT, y_bytes = BUFFER_INIT;
	gnutls_ecc_curve_t curve = key->kind == JWK_P256 ? GNUTLS_ECC_CURVE_SECP256R1 : GNUTLS_ECC_CURVE_SECP384R1;
	size_t size = key->kind == JWK_P256 ? 32 : 48;
	gnutls_datum_t x, y;

	if (!number(key->x, &x_bytes, &x) || !number(key->y, &y_bytes, &y) || x.size != size || y.size != size)
		return wrong(key, "has coordinates that do not fit its curve", e);
	return gnutls_pubkey_import_ecc_raw(to, curve, &x, &y) < 0 ? wrong(key, "is no point of its curve", e) : 1;
}

int jwk_import(const struct jwk *key, gnutls_pubkey_t *ret_key, struct err *e)
{
	gnutls_pubkey_t made __attribute__((cleanup(jwk_release))) = NULL;

	if (gnutls_pubkey_init(&made) < 0)
		return err_internal(e, "gnutls has no memory for a key");
	if ((key->kind == JWK_RSA ? import_rsa : import_ec)(key, made, e) < 0)
		return -1;
	*ret_key = TAKE(made);
	return 1;
}
