/* SPDX-License-Identifier: Apache-2.0 */
#include "oidc/discovery.h"

#include <ctype.h>
#include <gnutls/x509.h>
#include <strings.h>

#include "base/limits.h"
#include "crypto/crypto.h"
#include "net/web.h"
#include "oidc/jwk.h"

#define WELL_KNOWN "/.well-known/openid-configuration"
#define TIMEOUT_S 10

int discovery_check_url(const char *url, struct err *e)
{
	size_t n = strlen(url);
	bool plain = true;

	for (const char *c = url; *c; c++)
		plain = plain && *c > ' ' && *c < 127 && !strchr("\"<>\\^`{|}", *c);
	if (n > LIMIT_ISSUER_URL)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: 'url' has %zu characters, at most %d are allowed", n,
			       LIMIT_ISSUER_URL);
	/* OpenID Connect Core 1.0 §1.2: https, no query, no fragment; and nobody's name or password. */
	if (!plain || strncmp(url, "https://", 8) || !isalnum((unsigned char)url[8] == '[' ? 'a' : url[8]) ||
	    strpbrk(url + 8, "?#@"))
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: '%.200s' is no address of an issuer; give https://host, perhaps with a "
			       "port "
			       "and a path, without a query",
			       url);
	return 1;
}

bool thumbprint_read(const char *text, char ret_thumbprint[THUMBPRINT_TEXT])
{
	size_t n = 0;

	for (; *text; text++) {
		if (*text == ':')
			continue;
		if (!isxdigit((unsigned char)*text) || n == THUMBPRINT_TEXT - 1)
			return false;
		ret_thumbprint[n++] = (char)tolower((unsigned char)*text);
	}
	ret_thumbprint[n] = '\0';
	return n == 64 || n == 40;
}

static void release_certificate(gnutls_x509_crt_t *certificate)
{
	if (*certificate)
		gnutls_x509_crt_deinit(*certificate);
}

static bool thumbprint(const struct buffer *pem, gnutls_digest_algorithm_t digest, char ret_text[THUMBPRINT_TEXT])
{
	gnutls_x509_crt_t certificate __attribute__((cleanup(release_certificate))) = NULL;
	gnutls_datum_t data = { (unsigned char *)pem->data, (unsigned)pem->length };
	unsigned char bytes[SHA256_BYTES];
	size_t size = sizeof(bytes);

	if (!pem->length || gnutls_x509_crt_init(&certificate) < 0 ||
	    gnutls_x509_crt_import(certificate, &data, GNUTLS_X509_FMT_PEM) < 0 ||
	    gnutls_x509_crt_get_fingerprint(certificate, digest, bytes, &size) < 0)
		return false;
	hex_encode(bytes, size, ret_text);
	return true;
}

static bool is_trusted(const struct buffer *pem, const struct text_list *thumbprints)
{
	char long_one[THUMBPRINT_TEXT], short_one[THUMBPRINT_TEXT], given[THUMBPRINT_TEXT];

	if (!thumbprint(pem, GNUTLS_DIG_SHA256, long_one) || !thumbprint(pem, GNUTLS_DIG_SHA1, short_one))
		return false;
	for (size_t i = 0; i < thumbprints->count; i++)
		if (thumbprint_read(thumbprints->items[i], given) &&
		    (!strcmp(given, long_one) || !strcmp(given, short_one)))
			return true;
	return false;
}

/* Why there was no answer, for whoever registers the issuer or wants a token. */
static int no_answer(const char *url, const struct web_answer *answer, const struct err *why, struct err *e)
{
	static const char *const reasons[] = {
		[WEB_ANSWERED] = "the connection failed",
		[WEB_FAILED] = "it cannot be reached, or its answer is too long or too slow",
		[WEB_REFUSED] = ("it is on a private network, where this server does not look unless its administrator "
				 "allows it "
				 "(PULUMI_ALLOWED_PRIVATE_NETWORKS)"),
		[WEB_UNTRUSTED] = "its certificate is of no authority known here; register its thumbprint, the SHA-256 "
				  "of the certificate",
	};

	err_set(e, ERR_BAD_REQUEST, "Bad Request: the identity provider does not answer at %.300s: %s", url,
		reasons[answer->failure]);
	memcpy(e->detail, why->detail, sizeof(e->detail));
	return -1;
}

static int call(struct web *web, const struct discovery_question *q, const char *url, struct web_answer *ret_answer,
		struct err *e)
{
	struct web_request rq = { .method = "GET", .url = url, .limit = LIMIT_DISCOVERY, .timeout_s = TIMEOUT_S };
	struct err why = { 0 };
	int rc = web_call_guarded(web, q->guard, false, &rq, ret_answer, &why);

	if (rc < 0 && ret_answer->failure == WEB_UNTRUSTED && (q->any_certificate || q->thumbprints.count)) {
		err_clear(&why);
		rc = web_call_guarded(web, q->guard, true, &rq, ret_answer, &why);
		if (rc == 1 && !q->any_certificate && !is_trusted(&ret_answer->certificate, &q->thumbprints)) {
			ret_answer->failure = WEB_UNTRUSTED;
			rc = -1;
		}
	}
	if (rc < 0)
		return no_answer(url, ret_answer, &why, e);
	if (ret_answer->status != 200)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: the identity provider answers %d at %.300s",
			       ret_answer->status, url);
	return 1;
}

struct configuration {
	const char *issuer, *keys;
};

static const struct field configuration_fields[] = {
	FIELD(configuration, issuer, "issuer", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = LIMIT_ISSUER_URL),
	FIELD(configuration, keys, "jwks_uri", FIELD_TEXT, .flags = FIELD_REQUIRED, .limit = LIMIT_URI),
	{ 0 },
};

static int wrong_answer(const char *url, const struct err *why, struct err *e)
{
	return err_set(e, ERR_BAD_REQUEST,
		       "Bad Request: what the identity provider answers at %.300s is of no use: %.300s", url,
		       !strncmp(why->message, "Bad Request: ", 13) ? why->message + 13 : why->message);
}

static size_t without_slash(const char *url)
{
	size_t n = strlen(url);

	return n && url[n - 1] == '/' ? n - 1 : n;
}

/* The provider's own name for itself is the address that it was asked at (OpenID Connect Discovery 1.0 §4.3). */
static int read_configuration(const struct discovery_question *q, const char *url, const struct web_answer *answer,
			      struct arena *arena, struct configuration *ret, struct err *e)
{
	struct err why = { 0 };
	size_t n = without_slash(q->url);

	if (fields_read(configuration_fields, buffer_span(&answer->body), arena, ret, &why) < 0)
		return wrong_answer(url, &why, e);
	if (without_slash(ret->issuer) != n || strncmp(ret->issuer, q->url, n))
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: the identity provider at %.200s calls itself %.200s; register it by that "
			       "address",
			       q->url, ret->issuer);
	return 1;
}

static int fetch_keys(struct web *web, const struct discovery_question *q, const char *url, struct arena *arena,
		      struct span *ret_keys, struct err *e)
{
	struct web_answer answer __attribute__((cleanup(web_answer_done))) = { 0 };
	struct err why = { 0 };

	if (strncmp(url, "https://", 8))
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: the identity provider has its keys at %.200s, which is not https", url);
	if (call(web, q, url, &answer, e) < 0)
		return -1;
	if (jwks_check(buffer_span(&answer.body), &why) < 0)
		return wrong_answer(url, &why, e);
	*ret_keys = (struct span){ arena_strndup(arena, answer.body.data, answer.body.length), answer.body.length };
	return 1;
}

static void release_web(struct web **web)
{
	web_close(*web);
}

int discover(const struct discovery_question *q, struct arena *arena, struct discovery *ret_discovery, struct err *e)
{
	struct web_answer answer __attribute__((cleanup(web_answer_done))) = { 0 };
	struct web *web __attribute__((cleanup(release_web))) = web_open();
	const char *url = arena_printf(arena, "%.*s" WELL_KNOWN, (int)without_slash(q->url), q->url);
	struct configuration configuration = { 0 };
	struct discovery found = { 0 };
	const char *shown = found.thumbprint;
	struct discovery_question next = *q;

	if (call(web, q, url, &answer, e) < 0 || read_configuration(q, url, &answer, arena, &configuration, e) < 0)
		return -1;
	if (!thumbprint(&answer.certificate, GNUTLS_DIG_SHA256, found.thumbprint))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: the certificate at %.300s cannot be read", q->url);
	/* What was believed once must be what answers from now on. */
	if (q->any_certificate)
		next.any_certificate = false, next.thumbprints = (struct text_list){ &shown, 1, true };
	if (fetch_keys(web, &next, configuration.keys, arena, &found.keys, e) < 0)
		return -1;
	found.issuer = configuration.issuer;
	*ret_discovery = found;
	return 1;
}
