/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of identity providers: who made one, what is wrong with it, and what a policy says about it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "base/version.h"
#include "crypto/aead.h"
#include "crypto/crypto.h"
#include "net/guard.h"
#include "oidc/claims.h"
#include "oidc/discovery.h"
#include "oidc/jwt.h"
#include "oidc/policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#define NOW INT64_C(1790000000000000)
#define AUDIENCE "urn:pulumi:org:acme"
#define GOOD_CLAIMS                                                                                \
	"{\"iss\":\"https://issuer.example\",\"sub\":\"repo:acme/web:ref:refs/heads/main\",\"aud\":\"" AUDIENCE "\","      \
	"\"iat\":1789999990,\"nbf\":1789999990,\"exp\":1790000600}"

enum key_name { RSA, OTHER_RSA, SMALL_RSA, P256, P384, KEYS };

static struct {
	gnutls_privkey_t key;
	char *jwk;	/* without braces, key id and algorithm */
} keys[KEYS];

/* Freed at the end of each test. */
static struct arena arena;

static char *base64url(struct span data)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;

	base64_encode(data, &text);
	for (size_t i = 0; i < text.length; i++)
		text.data[i] = (char)(text.data[i] == '+' ? '-' : text.data[i] == '/' ? '_' : text.data[i]);
	return arena_strndup(&arena, text.data, strcspn(text.data, "="));
}

static char *base64url_number(gnutls_datum_t n, size_t size)
{
	unsigned char whole[1024] = { 0 };

	while (n.size && !*n.data && n.size > size)
		n.data++, n.size--;
	memcpy(whole + (n.size < size ? size - n.size : 0), n.data, n.size);
	return base64url((struct span){ (char *)whole, n.size < size ? size : n.size });
}

static void make_rsa(enum key_name name, unsigned bits)
{
	gnutls_datum_t n, e;

	assert_int_equal(gnutls_privkey_init(&keys[name].key), 0);
	assert_int_equal(gnutls_privkey_generate(keys[name].key, GNUTLS_PK_RSA, bits, 0), 0);
	assert_int_equal(gnutls_privkey_export_rsa_raw2(keys[name].key, &n, &e, NULL, NULL, NULL, NULL, NULL, NULL, GNUTLS_EXPORT_FLAG_NO_LZ), 0);
	keys[name].jwk = xstrdup(arena_printf(&arena, "\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"", base64url_number(n, 0), base64url_number(e, 0)));
	gnutls_free(n.data);
	gnutls_free(e.data);
}

static void make_ec(enum key_name name, gnutls_ecc_curve_t curve, const char *crv, size_t size)
{
	gnutls_datum_t x, y;

	assert_int_equal(gnutls_privkey_init(&keys[name].key), 0);
	assert_int_equal(gnutls_privkey_generate(keys[name].key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(curve), 0), 0);
	assert_int_equal(gnutls_privkey_export_ecc_raw2(keys[name].key, NULL, &x, &y, NULL, GNUTLS_EXPORT_FLAG_NO_LZ), 0);
	keys[name].jwk = xstrdup(arena_printf(&arena, "\"kty\":\"EC\",\"crv\":\"%s\",\"x\":\"%s\",\"y\":\"%s\"", crv, base64url_number(x, size),
					      base64url_number(y, size)));
	gnutls_free(x.data);
	gnutls_free(y.data);
}

static int make_keys(void **state)
{
	(void)state;
	make_rsa(RSA, 2048);
	make_rsa(OTHER_RSA, 2048);
	make_rsa(SMALL_RSA, 1024);
	make_ec(P256, GNUTLS_ECC_CURVE_SECP256R1, "P-256", 32);
	make_ec(P384, GNUTLS_ECC_CURVE_SECP384R1, "P-384", 48);
	arena_clear(&arena);
	return 0;
}

static int free_keys(void **state)
{
	(void)state;
	for (int i = 0; i < KEYS; i++) {
		gnutls_privkey_deinit(keys[i].key);
		free(keys[i].jwk);
	}
	return 0;
}

static int clear(void **state)
{
	(void)state;
	arena_clear(&arena);
	return 0;
}

static gnutls_sign_algorithm_t sign_of(const char *alg)
{
	static const struct {
		const char *alg;
		gnutls_sign_algorithm_t sign;
	} list[] = { { "RS256", GNUTLS_SIGN_RSA_SHA256 }, { "RS384", GNUTLS_SIGN_RSA_SHA384 }, { "RS512", GNUTLS_SIGN_RSA_SHA512 },
		     { "PS256", GNUTLS_SIGN_RSA_PSS_SHA256 }, { "ES256", GNUTLS_SIGN_ECDSA_SHA256 }, { "ES384", GNUTLS_SIGN_ECDSA_SHA384 } };

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++)
		if (!strcmp(list[i].alg, alg))
			return list[i].sign;
	return GNUTLS_SIGN_UNKNOWN;
}

/* The signature as a token has it: for EC keys r and s, not DER. */
static char *sign(enum key_name name, const char *alg, const char *input)
{
	gnutls_datum_t data = { (unsigned char *)input, (unsigned)strlen(input) }, signature, r, s;
	size_t half = name == P256 ? 32 : name == P384 ? 48 : 0;
	char *text;

	assert_int_equal(gnutls_privkey_sign_data2(keys[name].key, sign_of(alg), 0, &data, &signature), 0);
	if (half) {
		unsigned char both[96] = { 0 };

		assert_int_equal(gnutls_decode_rs_value(&signature, &r, &s), 0);
		for (; r.size > half; r.size--, memmove(r.data, r.data + 1, r.size)) {}
		for (; s.size > half; s.size--, memmove(s.data, s.data + 1, s.size)) {}
		memcpy(both + half - r.size, r.data, r.size);
		memcpy(both + 2 * half - s.size, s.data, s.size);
		gnutls_free(r.data);
		gnutls_free(s.data);
		text = base64url((struct span){ (char *)both, 2 * half });
	} else {
		text = base64url((struct span){ (char *)signature.data, signature.size });
	}
	gnutls_free(signature.data);
	return text;
}

static char *token(enum key_name name, const char *alg, const char *header, const char *claims)
{
	char *input = arena_printf(&arena, "%s.%s", base64url(span_of(header)), base64url(span_of(claims)));

	return arena_printf(&arena, "%s.%s", input, sign(name, alg, input));
}

static struct span key_set(enum key_name name, const char *more)
{
	return span_of(arena_printf(&arena, "{\"keys\":[{%s%s}]}", keys[name].jwk, more));
}

/* 1 verified, 0 no key fits, -1 refused; the sentence in *e. */
static int verify(const char *text, struct span set, struct err *e)
{
	struct jwt jwt;
	struct jwk *list;
	size_t count;

	err_clear(e);
	if (jwks_read(set, &arena, &list, &count, e) < 0 || jwt_read(span_of(text), &arena, &jwt, e) < 0)
		return -1;
	return jwt_verify(&jwt, list, count, e);
}

static void refuses(const char *text, struct span set, const char *about)
{
	struct err e = { 0 };

	assert_int_equal(verify(text, set, &e), -1);
	assert_int_equal(e.kind, ERR_BAD_REQUEST);
	if (!strstr(e.message, about))
		fail_msg("'%s' does not speak of '%s'", e.message, about);
}

static void verifies_each_algorithm(void **state)
{
	static const struct {
		enum key_name key;
		const char *alg;
	} pairs[] = { { RSA, "RS256" }, { RSA, "RS384" }, { RSA, "RS512" }, { RSA, "PS256" }, { P256, "ES256" }, { P384, "ES384" } };
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		char *header = arena_printf(&arena, "{\"alg\":\"%s\",\"typ\":\"JWT\",\"kid\":\"one\"}", pairs[i].alg);
		char *text = token(pairs[i].key, pairs[i].alg, header, GOOD_CLAIMS);
		char *dot = strrchr(text, '.');

		assert_int_equal(verify(text, key_set(pairs[i].key, ",\"kid\":\"one\""), &e), 1);
		assert_int_equal(verify(text, key_set(pairs[i].key, ",\"kid\":\"one\",\"use\":\"sig\",\"key_ops\":[\"verify\"]"), &e), 1);
		/* One character of the claims, then of the signature. */
		dot[-1] = dot[-1] == 'A' ? 'B' : 'A';
		assert_int_equal(verify(text, key_set(pairs[i].key, ",\"kid\":\"one\""), &e), -1);
		text = token(pairs[i].key, pairs[i].alg, header, GOOD_CLAIMS);
		dot = strrchr(text, '.');
		dot[5] = dot[5] == 'A' ? 'B' : 'A';
		refuses(text, key_set(pairs[i].key, ",\"kid\":\"one\""), "signature");
	}
}

static void refuses_other_algorithms(void **state)
{
	static const char *const names[] = { "none", "None", "NONE", "nOnE", "", "HS256", "HS384", "HS512", "RS1", "rs256", "ES512", "EdDSA",
					     "RSA-OAEP", "dir", "RS256 " };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char *header = arena_printf(&arena, "{\"alg\":\"%s\"}", names[i]);

		refuses(token(RSA, "RS256", header, GOOD_CLAIMS), key_set(RSA, ""), "signed in a way");
	}
	refuses(token(RSA, "RS256", "{}", GOOD_CLAIMS), key_set(RSA, ""), "signed in a way");
	refuses(token(RSA, "RS256", "{\"alg\":null}", GOOD_CLAIMS), key_set(RSA, ""), "signed in a way");
	refuses(token(RSA, "RS256", "{\"alg\":[\"RS256\"]}", GOOD_CLAIMS), key_set(RSA, ""), "signed in a way");
	refuses(token(RSA, "RS256", "{\"ALG\":\"RS256\"}", GOOD_CLAIMS), key_set(RSA, ""), "signed in a way");
}

/* The public key as the secret of a MAC: what confused libraries believed. */
static void refuses_confusion(void **state)
{
	char *input = arena_printf(&arena, "%s.%s", base64url(SPAN("{\"alg\":\"HS256\"}")), base64url(SPAN(GOOD_CLAIMS)));
	unsigned char mac[32];
	struct err e = { 0 };

	(void)state;
	assert_int_equal(gnutls_hmac_fast(GNUTLS_MAC_SHA256, keys[RSA].jwk, strlen(keys[RSA].jwk), input, strlen(input), mac), 0);
	refuses(arena_printf(&arena, "%s.%s", input, base64url((struct span){ (char *)mac, 32 })), key_set(RSA, ""), "signed in a way");
	/* No signature at all. */
	refuses(arena_printf(&arena, "%s.%s.", base64url(SPAN("{\"alg\":\"none\"}")), base64url(SPAN(GOOD_CLAIMS))), key_set(RSA, ""), "base64url");
	refuses(arena_printf(&arena, "%s.%s.", base64url(SPAN("{\"alg\":\"RS256\"}")), base64url(SPAN(GOOD_CLAIMS))), key_set(RSA, ""), "base64url");
	/* A key of another kind, and one that is for another algorithm, are no keys of this token. */
	assert_int_equal(verify(token(RSA, "RS256", "{\"alg\":\"ES256\"}", GOOD_CLAIMS), key_set(RSA, ""), &e), 0);
	assert_int_equal(verify(token(P256, "ES256", "{\"alg\":\"RS256\"}", GOOD_CLAIMS), key_set(P256, ""), &e), 0);
	assert_int_equal(verify(token(RSA, "PS256", "{\"alg\":\"PS256\"}", GOOD_CLAIMS), key_set(RSA, ",\"alg\":\"RS256\""), &e), 0);
	assert_int_equal(verify(token(P256, "ES256", "{\"alg\":\"ES384\"}", GOOD_CLAIMS), key_set(P256, ""), &e), 0);
	/* The signature of another padding, or another digest, under the wrong name. */
	refuses(token(RSA, "PS256", "{\"alg\":\"RS256\"}", GOOD_CLAIMS), key_set(RSA, ""), "signature");
	refuses(token(RSA, "RS512", "{\"alg\":\"RS256\"}", GOOD_CLAIMS), key_set(RSA, ""), "signature");
}

static void chooses_the_key(void **state)
{
	char *text = token(RSA, "RS256", "{\"alg\":\"RS256\",\"kid\":\"one\"}", GOOD_CLAIMS);
	char *nameless = token(RSA, "RS256", "{\"alg\":\"RS256\"}", GOOD_CLAIMS);
	struct span both = span_of(arena_printf(&arena, "{\"keys\":[{%s,\"kid\":\"two\"},{%s,\"kid\":\"one\"}]}", keys[OTHER_RSA].jwk, keys[RSA].jwk));
	struct err e = { 0 };

	(void)state;
	assert_int_equal(verify(text, both, &e), 1);
	assert_int_equal(verify(nameless, both, &e), 1);
	assert_int_equal(verify(text, key_set(RSA, ",\"kid\":\"two\""), &e), 0);
	assert_int_equal(verify(text, key_set(RSA, ""), &e), 0);
	assert_int_equal(verify(text, key_set(RSA, ",\"kid\":\"one\",\"use\":\"enc\""), &e), 0);
	assert_int_equal(verify(text, key_set(RSA, ",\"kid\":\"one\",\"key_ops\":[\"encrypt\"]"), &e), 0);
	assert_int_equal(verify(text, SPAN("{\"keys\":[]}"), &e), 0);
	refuses(text, key_set(OTHER_RSA, ",\"kid\":\"one\""), "signature");
	refuses(token(RSA, "RS256", "{\"alg\":\"RS256\",\"kid\":7}", GOOD_CLAIMS), key_set(RSA, ""), "key id");
	/* A key that the token brings itself is nobody's key. */
	refuses(token(RSA, "RS256", arena_printf(&arena, "{\"alg\":\"RS256\",\"jwk\":{%s},\"jku\":\"https://x\"}", keys[RSA].jwk), GOOD_CLAIMS),
		key_set(OTHER_RSA, ""), "signature");
	refuses(token(RSA, "RS256", "{\"alg\":\"RS256\",\"crit\":[\"exp\"],\"exp\":1}", GOOD_CLAIMS), key_set(RSA, ""), "extensions");
	refuses(token(RSA, "RS256", "{\"alg\":\"RS256\",\"b64\":false}", GOOD_CLAIMS), key_set(RSA, ""), "extensions");
	refuses(token(SMALL_RSA, "RS256", "{\"alg\":\"RS256\"}", GOOD_CLAIMS), key_set(SMALL_RSA, ""), "signature");
}

static void refuses_broken_tokens(void **state)
{
	char *good = token(RSA, "RS256", "{\"alg\":\"RS256\"}", GOOD_CLAIMS);
	char *huge = arena_alloc(&arena, LIMIT_JWT + 2);
	const char *const bad[] = { "", ".", "..", "...", "a.b", "a.b.c", "a.b.c.d", "eyJhbGciOiJSUzI1NiJ9", " ", "\x01.\x02.\x03",
				    arena_printf(&arena, "%s.", good), arena_printf(&arena, ".%s", good), arena_printf(&arena, "%s=", good),
				    arena_printf(&arena, " %s", good), arena_printf(&arena, "%s\n", good) };
	static const char *const headers[] = { "[]", "7", "\"x\"", "{\"alg\":\"RS256\",\"alg\":\"RS256\"}", "{\"alg\":\"RS256\"", "{\"alg\":\"RS256\"} {}",
					       "{\"alg\":\"RS256\",\"\\u0061lg\":\"none\"}", "{\"alg\":\"RS256\\u0000\"}", "\xff" };
	static const char *const claims[] = { "[]", "null", "{\"iss\":\"a\",\"iss\":\"b\"}", "{\"iss\":\"a\",\"x\":{\"y\":1,\"y\":2}}", "{\"iss\":\"a\"",
					      "{\"iss\":\"a\",\"\\u0069ss\":\"b\"}", "{\"iss\":\"a\\u0000b\"}", "{\"iss\":\"a\",\"exp\":1e999}", "{\"iss\":\"\xc3\x28\"}" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		refuses(bad[i], key_set(RSA, ""), "Bad Request: the token ");
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		refuses(token(RSA, "RS256", headers[i], GOOD_CLAIMS), key_set(RSA, ""), "without a name twice");
	for (size_t i = 0; i < sizeof(claims) / sizeof(claims[0]); i++)
		refuses(token(RSA, "RS256", "{\"alg\":\"RS256\"}", claims[i]), key_set(RSA, ""), "without a name twice");
	refuses(token(RSA, "RS256", "{\"alg\":\"RS256\"}", "{\"ISS\":\"a\"}"), key_set(RSA, ""), "iss");
	refuses(token(RSA, "RS256", "{\"alg\":\"RS256\"}", "{\"iss\":[\"a\"]}"), key_set(RSA, ""), "iss");
	memset(huge, 'a', LIMIT_JWT + 1);
	refuses(huge, key_set(RSA, ""), "at most");
}

static void refuses_broken_key_sets(void **state)
{
	_cleanup_(buffer_done) struct buffer many = BUFFER_INIT;
	const char *const bad[] = { "{}", "[]", "{\"keys\":{}}", "{\"keys\":[5]}", "{\"keys\":[]}", "{\"keys\":[{}]}", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}",
				    "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}]}", "{\"keys\":[{\"kty\":\"RSA\",\"n\":\"+/==\",\"e\":\"AQAB\"}]}",
				    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AA\",\"y\":\"AA\"}]}",
				    "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
				    "\"y\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}",
				    "{\"keys\":[{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AA\"}]}",
				    arena_printf(&arena, "{\"keys\":[{%s,\"d\":\"AQAB\"}]}", keys[RSA].jwk),
				    arena_printf(&arena, "{\"keys\":[{%s}]}", keys[SMALL_RSA].jwk),
				    /* An exponent of one: everybody can sign. */
				    arena_printf(&arena, "{\"keys\":[{\"kty\":\"RSA\",\"e\":\"AQ\",%.*s}]}", (int)(strstr(keys[RSA].jwk, ",\"e\"") - keys[RSA].jwk) - 12,
						 keys[RSA].jwk + 12) };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err e = { 0 };

		if (jwks_check(span_of(bad[i]), &e) != -1)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(e.kind, ERR_BAD_REQUEST);
	}
	buffer_puts(&many, "{\"keys\":[");
	for (int i = 0; i <= LIMIT_JWKS_KEYS; i++)
		buffer_printf(&many, "%s{%s}", i ? "," : "", keys[P256].jwk);
	buffer_puts(&many, "]}");
	assert_int_equal(jwks_check(buffer_span(&many), &(struct err){ 0 }), -1);
	assert_int_equal(jwks_check(key_set(P384, ""), &(struct err){ 0 }), 1);
	/* One that is of no use beside one that is. */
	assert_int_equal(jwks_check(span_of(arena_printf(&arena, "{\"keys\":[{\"kty\":\"OKP\"},{%s}]}", keys[RSA].jwk)), &(struct err){ 0 }), 1);
}

static int check(const char *claims, struct err *e)
{
	struct jwt jwt;

	err_clear(e);
	assert_int_equal(jwt_read(span_of(token(P256, "ES256", "{\"alg\":\"ES256\"}", claims)), &arena, &jwt, e), 1);
	return jwt_check(&jwt, AUDIENCE, NOW, &arena, e);
}

static void checks_claims(void **state)
{
	static const struct {
		const char *claims, *about;	/* NULL: good */
	} cases[] = {
		{ GOOD_CLAIMS, NULL },
		{ "{\"iss\":\"i\",\"aud\":\"" AUDIENCE "\",\"exp\":1790000001}", NULL },
		{ "{\"iss\":\"i\",\"aud\":[\"x\",\"" AUDIENCE "\"],\"exp\":1790000001.5}", NULL },
		{ "{\"iss\":\"i\",\"aud\":\"urn:pulumi:org:ACME\",\"exp\":1.79e9}", NULL },
		{ "{\"iss\":\"i\",\"aud\":\"" AUDIENCE "\",\"exp\":1789999941}", NULL },
		{ "{\"iss\":\"i\",\"aud\":\"" AUDIENCE "\",\"exp\":1789999940}", "expired" },
		{ "{\"iss\":\"i\",\"aud\":\"" AUDIENCE "\",\"exp\":-1}", "expired" },
		{ "{\"iss\":\"i\",\"aud\":\"" AUDIENCE "\"}", "exp" },
		{ "{\"iss\":\"i\",\"aud\":\"" AUDIENCE "\",\"exp\":\"1790000600\"}", "numbers" },
		{ "{\"iss\":\"i\",\"aud\":\"" AUDIENCE "\",\"exp\":null}", "numbers" },
		{ "{\"iss\":\"i\",\"aud\":\"" AUDIENCE "\",\"EXP\":1790000600}", "exp" },
		{ "{\"iss\":\"i\",\"aud\":\"" AUDIENCE "\",\"exp\":1790000600,\"nbf\":1790000061}", "nbf" },
		{ "{\"iss\":\"i\",\"aud\":\"" AUDIENCE "\",\"exp\":1790000600,\"nbf\":1790000060}", NULL },
		{ "{\"iss\":\"i\",\"aud\":\"" AUDIENCE "\",\"exp\":1790000600,\"iat\":1790000061}", "iat" },
		{ "{\"iss\":\"i\",\"aud\":\"" AUDIENCE "\",\"exp\":1790000600,\"iat\":\"x\"}", "numbers" },
		{ "{\"iss\":\"i\",\"exp\":1790000600}", "somebody else" },
		{ "{\"iss\":\"i\",\"aud\":\"urn:pulumi:org:other\",\"exp\":1790000600}", "somebody else" },
		{ "{\"iss\":\"i\",\"aud\":\"" AUDIENCE "x\",\"exp\":1790000600}", "somebody else" },
		{ "{\"iss\":\"i\",\"aud\":[],\"exp\":1790000600}", "somebody else" },
		{ "{\"iss\":\"i\",\"aud\":[[\"" AUDIENCE "\"]],\"exp\":1790000600}", "somebody else" },
		{ "{\"iss\":\"i\",\"aud\":{\"a\":\"" AUDIENCE "\"},\"exp\":1790000600}", "somebody else" },
		{ "{\"iss\":\"i\",\"Aud\":\"" AUDIENCE "\",\"exp\":1790000600}", "somebody else" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct err e = { 0 };
		int rc = check(cases[i].claims, &e);

		if (rc != (cases[i].about ? -1 : 1) || (rc < 0 && !strstr(e.message, cases[i].about)))
			fail_msg("%s: %d '%s'", cases[i].claims, rc, e.message);
	}
}

static void matches_patterns(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool matches;
	} cases[] = {
		{ "", "", true }, { "", "a", false }, { "abc", "abc", true }, { "abc", "ABC", false }, { "abc", "abcd", false }, { "abc", "ab", false },
		{ "*", "", true }, { "*", "anything at all", true }, { "a*", "a", true }, { "a*c", "abbbc", true }, { "a*c", "abbb", false },
		{ "*a*b*", "xxaxxbxx", true }, { "*a*b*", "xxbxxaxx", false }, { "**", "x", true }, { "a?", "a", true }, { "a?", "ab", true },
		{ "a?", "abc", false }, { "a?c", "ac", true }, { "a?c", "abc", true }, { "a?c", "abbc", false }, { "???", "ab", true }, { "???", "abcd", false },
		{ "a.", "a", false }, { "a.", "ab", true }, { ".", "", false }, { "..", "ab", true }, { "a.c", "a.c", true }, { "a.c", "abc", true },
		{ "?*.", "", false }, { "?*.", "x", true }, { ".", "\xc3\xa9", true }, { "?", "\xc3\xa9", true }, { "..", "\xc3\xa9", false },
		{ "\xc3\xa9*", "\xc3\xa9t\xc3\xa9", true }, { "\xc3\xa9", "\xc3\xa8", false }, { "\\*", "*", false }, { "[a]", "a", false }, { "[a]", "[a]", true },
		{ "repo:acme/*:ref:refs/heads/main", "repo:acme/web:ref:refs/heads/main", true },
		{ "repo:acme/*:ref:refs/heads/main", "repo:evil/web:ref:refs/heads/main", false },
		{ "repo:acme/*:ref:refs/heads/main", "repo:acme/web:ref:refs/heads/main2", false },
	};
	_cleanup_(buffer_done) struct buffer pattern = BUFFER_INIT, text = BUFFER_INIT;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (pattern_matches(cases[i].pattern, span_of(cases[i].text)) != cases[i].matches)
			fail_msg("'%s' and '%s'", cases[i].pattern, cases[i].text);
	/* What takes other matchers for ever. */
	for (int i = 0; i < 200; i++)
		buffer_puts(&pattern, "*a");
	buffer_putc(&pattern, 'b');
	for (int i = 0; i < 20000; i++)
		buffer_putc(&text, 'a');
	assert_false(pattern_matches(pattern.data, buffer_span(&text)));
}

static void finds_claims(void **state)
{
	static const char claims[] = "{\"sub\":\"s\",\"Sub\":\"other\",\"n\":42,\"yes\":true,\"no\":null,\"list\":[\"a\",7,{\"b\":1}],"
				     "\"kubernetes.io\":{\"namespace\":\"prod\",\"pod.name\":{\"x\":\"y\"}},\"qu\\\"ote\":\"q\",\"a.b\":\"dotted\",\"a\":{\"b\":\"nested\"}}";
	static const struct {
		const char *path, *pattern;
		bool matches;
	} cases[] = {
		{ "sub", "s", true }, { "sub", "other", false }, { "SUB", "*", false }, { "Sub", "other", true }, { "n", "42", true }, { "n", "4.", true },
		{ "yes", "true", true }, { "no", "*", false }, { "absent", "*", false }, { "list", "a", true }, { "list", "7", true }, { "list", "b", false },
		{ "list.a", "*", false }, { "\"kubernetes.io\".namespace", "prod", true }, { "kubernetes.io.namespace", "*", false },
		{ "\"kubernetes.io\".\"pod.name\".x", "y", true }, { "\"kubernetes.io\"", "*", false }, { "\"qu\\\"ote\"", "q", true },
		{ "a.b", "nested", true }, { "\"a.b\"", "dotted", true }, { "sub.x", "*", false },
	};
	static const char *const bad[] = { "", ".", "a.", ".a", "a..b", "\"a", "\"\"", "a\"b\"", "\"a\"b", "\"a\\", "a.\"\"" };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct claim_path path;
		struct span value;
		struct err e = { 0 };

		assert_int_equal(claim_path_read(cases[i].path, &arena, &path, &e), 1);
		if ((claim_at(SPAN(claims), &path, &arena, &value) && claim_matches(value, cases[i].pattern, &arena)) != cases[i].matches)
			fail_msg("%s and %s", cases[i].path, cases[i].pattern);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct claim_path path;
		struct err e = { 0 };

		if (claim_path_read(bad[i], &arena, &path, &e) != -1)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(e.kind, ERR_BAD_REQUEST);
	}
}

#define ALLOW(type, more, rules) "{\"decision\":\"allow\",\"tokenType\":\"" type "\"," more "\"rules\":{" rules "}}"
#define DENY(type, more, rules) "{\"decision\":\"deny\",\"tokenType\":\"" type "\"," more "\"rules\":{" rules "}}"
#define MAIN "\"sub\":\"repo:acme/*:ref:refs/heads/main\""
#define ADMIN "\"authorizedPermissions\":[\"admin\"],"
#define STANDARD "\"authorizedPermissions\":[\"standard\"],"

static void decides(void **state)
{
	static const struct policy_question standard = { "organization", NULL, false, SPAN(GOOD_CLAIMS) }, admin = { "organization", NULL, true, SPAN(GOOD_CLAIMS) },
					    ann = { "personal", "Ann", false, SPAN(GOOD_CLAIMS) }, team = { "team", "web", false, SPAN(GOOD_CLAIMS) };
	static const struct {
		const char *policies;
		bool standard, admin, ann, team;
	} cases[] = {
		{ "[" DENY("organization", "", "") "]", false, false, false, false },
		{ "[" ALLOW("organization", "", MAIN) "]", true, false, false, false },
		{ "[" ALLOW("organization", ADMIN, MAIN) "]", true, true, false, false },
		{ "[" ALLOW("organization", STANDARD, MAIN) "]", true, false, false, false },
		{ "[" ALLOW("organization", ADMIN, MAIN) "," DENY("organization", ADMIN, "") "]", true, false, false, false },
		{ "[" DENY("organization", "", MAIN) "," ALLOW("organization", ADMIN, "\"sub\":\"*\"") "]", false, false, false, false },
		{ "[" ALLOW("organization", ADMIN, "\"sub\":\"*\"") "," DENY("organization", "", "\"sub\":\"nobody\"") "]", true, true, false, false },
		{ "[" ALLOW("organization", ADMIN, MAIN ",\"actor\":\"*\"") "]", false, false, false, false },
		{ "[" ALLOW("organization", ADMIN "\"roleID\":\"admin\",", MAIN) "]", false, true, false, false },
		{ "[" ALLOW("organization", ADMIN "\"roleID\":\"member\",", MAIN) "]", true, false, false, false },
		{ "[" ALLOW("personal", "\"userLogin\":\"ann\",", MAIN) "]", false, false, true, false },
		{ "[" ALLOW("personal", "\"userLogin\":\"bob\",", MAIN) "]", false, false, false, false },
		{ "[" ALLOW("personal", "\"userLogin\":\"ann\",", MAIN) "," DENY("personal", "\"userLogin\":\"bob\",", "") "]", false, false, true, false },
		{ "[" ALLOW("team", "\"teamName\":\"web\",", MAIN) "," DENY("organization", "", "") "]", false, false, false, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		_cleanup_(buffer_done) struct buffer stored = BUFFER_INIT;
		struct err e = { 0 };

		if (policy_write_definitions(span_of(cases[i].policies), &stored, &e) != 1)
			fail_msg("%s: %s", cases[i].policies, e.message);
		if (policy_decide(buffer_span(&stored), &standard, &e) != cases[i].standard || policy_decide(buffer_span(&stored), &admin, &e) != cases[i].admin ||
		    policy_decide(buffer_span(&stored), &ann, &e) != cases[i].ann || policy_decide(buffer_span(&stored), &team, &e) != cases[i].team)
			fail_msg("decided otherwise: %s", cases[i].policies);
	}
	assert_int_equal(policy_decide(SPAN("[]"), &standard, &(struct err){ 0 }), 0);
}

static void refuses_policies(void **state)
{
	static const char *const bad[] = {
		"{}", "5", "[]", "[5]", "[{}]", "[" ALLOW("organization", "", "") "]", "[" ALLOW("org", "", MAIN) "]", "[" ALLOW("team", "", MAIN) "]",
		"[" ALLOW("personal", "\"userLogin\":\"\",", MAIN) "]", "[" DENY("runner", "", "") "]", "[" ALLOW("organization", "\"teamName\":\"a\",", MAIN) "]",
		"[" ALLOW("organization", "\"roleID\":\"owner\",", MAIN) "]", "[" ALLOW("organization", "\"authorizedPermissions\":[\"root\"],", MAIN) "]",
		"[" ALLOW("organization", "", "\"a..b\":\"x\"") "]", "[" ALLOW("organization", "", "\"a\":5") "]",
		"[{\"decision\":\"maybe\",\"tokenType\":\"organization\",\"rules\":{}}]", "[{\"decision\":\"deny\",\"rules\":{}}]",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		_cleanup_(buffer_done) struct buffer stored = BUFFER_INIT;
		struct err e = { 0 };

		if (policy_write_definitions(span_of(bad[i]), &stored, &e) != -1)
			fail_msg("taken: %s", bad[i]);
		assert_int_equal(e.kind, ERR_BAD_REQUEST);
	}
}

static bool goes(const struct guard *guard, const char *address)
{
	struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
	struct sockaddr_in four = { .sin_family = AF_INET };
	char bracketed[64];
	bool allowed;

	snprintf(bracketed, sizeof(bracketed), strchr(address, ':') ? "[%s]" : "%s", address);
	if (inet_pton(AF_INET, address, &four.sin_addr) == 1) {
		allowed = guard_allows(guard, (struct sockaddr *)&four);
	} else {
		assert_int_equal(inet_pton(AF_INET6, address, &six.sin6_addr), 1);
		allowed = guard_allows(guard, (struct sockaddr *)&six);
	}
	assert_int_equal(guard_allows_host(guard, bracketed), allowed);
	return allowed;
}

static void guards_private_networks(void **state)
{
	static const char *const public[] = { "8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.1", "100.63.0.1", "100.128.0.1", "192.167.1.1", "223.255.255.255",
					      "2606:4700:4700::1111", "64:ff9b::808:808", "::ffff:8.8.8.8" };
	static const char *const private[] = { "127.0.0.1", "127.255.255.255", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "169.254.169.254", "0.0.0.0",
					       "100.64.0.1", "198.18.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1", "fd12::1",
					       "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::1",
					       "2001:db8::1", "2001::1", "fec0::1" };
	static const char *const wrong[] = { "x", "10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "10.0.0.0/-1", "10.0.0.0/8/8", "fd00::/129", "10.0.0", "localhost", "10.0.0.0/+8" };
	struct guard none = { 0 }, some = { 0 };
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(public) / sizeof(public[0]); i++)
		if (!goes(&none, public[i]))
			fail_msg("%s is public", public[i]);
	for (size_t i = 0; i < sizeof(private) / sizeof(private[0]); i++)
		if (goes(&none, private[i]))
			fail_msg("%s is not public", private[i]);
	assert_int_equal(guard_read("X", " 10.0.0.0/8, fd12::/16,127.0.0.1,", &arena, &some, &e), 1);
	assert_int_equal(some.count, 3);
	assert_true(goes(&some, "10.255.0.1") && goes(&some, "fd12::5") && goes(&some, "127.0.0.1") && goes(&some, "::ffff:10.1.1.1"));
	assert_false(goes(&some, "127.0.0.2") || goes(&some, "11.0.0.1") != goes(&none, "11.0.0.1") || goes(&some, "fd13::1") || goes(&some, "169.254.169.254"));
	assert_true(guard_allows_host(&none, "issuer.example"));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		err_clear(&e);
		if (guard_read("PULUMI_X", wrong[i], &arena, &some, &e) != -1 || !strstr(e.detail, "PULUMI_X"))
			fail_msg("taken: %s", wrong[i]);
	}
}

static void knows_issuer_addresses(void **state)
{
	static const char *const good[] = { "https://token.actions.githubusercontent.com", "https://a/", "https://a:8443/b/c", "https://[fd00::1]/x" };
	static const char *const bad[] = { "", "http://a", "a", "https://", "https:///x", "https://a?b=c", "https://a#b", "https://u:p@a/", "https://a b", "ftp://a",
					   "https://a\n", "https://\xc3\xa9", "HTTPS://a", "https://a\"" };
	char thumbprint[THUMBPRINT_TEXT];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_int_equal(discovery_check_url(good[i], &(struct err){ 0 }), 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (discovery_check_url(bad[i], &(struct err){ 0 }) != -1)
			fail_msg("taken: %s", bad[i]);
	assert_true(thumbprint_read("990F4193972F2BECF12DDEDA5237F9C952F20D9E", thumbprint));
	assert_string_equal(thumbprint, "990f4193972f2becf12ddeda5237f9c952f20d9e");
	assert_true(thumbprint_read("99:0F:41:93:97:2F:2B:EC:F1:2D:DE:DA:52:37:F9:C9:52:F2:0D:9E", thumbprint));
	assert_false(thumbprint_read("990f", thumbprint) || thumbprint_read("", thumbprint) || thumbprint_read("g90F4193972F2BECF12DDEDA5237F9C952F20D9E", thumbprint));
	assert_false(thumbprint_read("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", thumbprint));
}

static void knows_versions(void **state)
{
	static const char *const good[] = { "3.259.0", "v3.259.0", "0.0.0", "3.260.0-alpha.x1", "3.1.2-rc.1+build.5", "1.0.0+a" };
	static const char *const bad[] = { "", "v", "3", "3.1", "3.1.", "3.1.2.3", "3.01.2", "a.b.c", "3.1.2-", "3.1.2-a..b", "3.1.2+", "3.1.2 ", "3.1.2\"", "vv3.1.2", "-3.1.2",
					   "3.1.2-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(version_valid(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (version_valid(bad[i]))
			fail_msg("taken: %s", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(verifies_each_algorithm, clear),
		cmocka_unit_test_teardown(refuses_other_algorithms, clear),
		cmocka_unit_test_teardown(refuses_confusion, clear),
		cmocka_unit_test_teardown(chooses_the_key, clear),
		cmocka_unit_test_teardown(refuses_broken_tokens, clear),
		cmocka_unit_test_teardown(refuses_broken_key_sets, clear),
		cmocka_unit_test_teardown(checks_claims, clear),
		cmocka_unit_test_teardown(matches_patterns, clear),
		cmocka_unit_test_teardown(finds_claims, clear),
		cmocka_unit_test_teardown(decides, clear),
		cmocka_unit_test_teardown(refuses_policies, clear),
		cmocka_unit_test_teardown(guards_private_networks, clear),
		cmocka_unit_test_teardown(knows_issuer_addresses, clear),
		cmocka_unit_test_teardown(knows_versions, clear),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
