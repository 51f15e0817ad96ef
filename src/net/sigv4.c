/* SPDX-License-Identifier: Apache-2.0 */
#include "net/sigv4.h"

#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/crypto.h"
#include "net/web.h"

#define STAMP 17	/* 20261124T235959Z and NUL */

static void hmac(struct span key, struct span text, unsigned char ret[SHA256_BYTES])
{
	if (gnutls_hmac_fast(GNUTLS_MAC_SHA256, key.data, key.length, text.data, text.length, ret) < 0)
		abort();
}

static struct span bytes(const unsigned char *digest)
{
	return (struct span){ (const char *)digest, SHA256_BYTES };
}

static void stamp_of(int64_t now_us, char ret_stamp[STAMP])
{
	time_t seconds = (time_t)(now_us / 1000000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(ret_stamp, STAMP, "%Y%m%dT%H%M%SZ", &tm);
}

static void put_scope(const struct sigv4_request *rq, const char *stamp, struct buffer *out)
{
	buffer_printf(out, "%.8s/%s/%s/aws4_request", stamp, rq->region, rq->service);
}

/* Derived from the secret for one day, region and service. */
static void signing_key(const struct sigv4_request *rq, const char *secret, const char *stamp, unsigned char ret[SHA256_BYTES])
{
	_cleanup_(buffer_done) struct buffer first = BUFFER_INIT;

	buffer_printf(&first, "AWS4%s", secret);
	hmac(buffer_span(&first), (struct span){ stamp, 8 }, ret);
	hmac(bytes(ret), span_of(rq->region), ret);
	hmac(bytes(ret), span_of(rq->service), ret);
	hmac(bytes(ret), SPAN("aws4_request"), ret);
	gnutls_memset(first.data, 0, first.length);
}

static void put_digest(struct span text, struct buffer *out)
{
	unsigned char digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];

	sha256(text, digest);
	hex_encode(digest, sizeof(digest), hex);
	buffer_puts(out, hex);
}

static void signature_of(const struct sigv4_request *rq, const char *secret, const char *stamp, struct span canonical,
			 char ret_hex[2 * SHA256_BYTES + 1])
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	unsigned char key[SHA256_BYTES], digest[SHA256_BYTES];

	buffer_printf(&text, "AWS4-HMAC-SHA256\n%s\n", stamp);
	put_scope(rq, stamp, &text);
	buffer_putc(&text, '\n');
	put_digest(canonical, &text);
	signing_key(rq, secret, stamp, key);
	hmac(bytes(key), buffer_span(&text), digest);
	gnutls_memset(key, 0, sizeof(key));
	hex_encode(digest, sizeof(digest), ret_hex);
}

/* Names of lines "name: value\n", joined by semicolons. */
static void put_names(const char *lines, struct buffer *out)
{
	for (const char *at = lines; *at; at += strcspn(at, "\n") + 1) {
		if (at != lines)
			buffer_putc(out, ';');
		buffer_append(out, at, strcspn(at, ":"));
	}
}

static void put_canonical(const struct sigv4_request *rq, const char *query, const char *lines, const char *payload,
			  struct buffer *out)
{
	buffer_printf(out, "%s\n%s\n%s\n", rq->method, rq->path, query);
	for (const char *at = lines; *at; at += strcspn(at, "\n") + 1) {
		const char *value = at + strcspn(at, ":") + 1;

		buffer_append(out, at, strcspn(at, ":") + 1);
		value += strspn(value, " ");
		buffer_append(out, value, strcspn(value, "\n") + 1);
	}
	buffer_putc(out, '\n');
	put_names(lines, out);
	buffer_printf(out, "\n%s", payload);
}

/* By names: one that is the beginning of another comes first, whatever follows the ':'. */
static int compare_names(const char *one, const char *other)
{
	size_t n = strcspn(one, ":"), m = strcspn(other, ":");
	int way = memcmp(one, other, n < m ? n : m);

	return way ? way : (n > m) - (n < m);
}

/* The line of the smallest name above `last`; NULL: there is none. */
static const char *next_line(const char *lines, const char *last)
{
	const char *least = NULL;

	for (const char *at = lines; *at; at += strcspn(at, "\n") + 1)
		if ((!last || compare_names(at, last) > 0) && (!least || compare_names(at, least) < 0))
			least = at;
	return least;
}

static void put_sorted(const char *lines, struct buffer *out)
{
	for (const char *at = next_line(lines, NULL); at; at = next_line(lines, at))
		buffer_append(out, at, strcspn(at, "\n") + 1);
}

/* Those of every request and the caller's, in the order of their names. */
static void put_lines(const struct sigv4_request *rq, const struct aws_credentials *c, const char *stamp, const char *more,
		      struct buffer *out)
{
	_cleanup_(buffer_done) struct buffer all = BUFFER_INIT;

	buffer_printf(&all, "host: %s\nx-amz-content-sha256: %s\nx-amz-date: %s\n%s", rq->host, rq->payload_sha256, stamp, more);
	if (c->session_token)
		buffer_printf(&all, "x-amz-security-token: %s\n", c->session_token);
	put_sorted(all.data, out);
}

void sigv4_sign(const struct sigv4_request *rq, const struct aws_credentials *c, const char *signed_headers,
		struct buffer *ret_headers)
{
	_cleanup_(buffer_done) struct buffer lines = BUFFER_INIT, canonical = BUFFER_INIT;
	char stamp[STAMP], signature[2 * SHA256_BYTES + 1];

	stamp_of(rq->now_us, stamp);
	put_lines(rq, c, stamp, signed_headers, &lines);
	put_canonical(rq, rq->query, lines.data, rq->payload_sha256, &canonical);
	signature_of(rq, c->secret_key, stamp, buffer_span(&canonical), signature);
	buffer_append(ret_headers, lines.data, lines.length);
	buffer_printf(ret_headers, "Authorization: AWS4-HMAC-SHA256 Credential=%s/", c->access_key);
	put_scope(rq, stamp, ret_headers);
	buffer_puts(ret_headers, ", SignedHeaders=");
	put_names(lines.data, ret_headers);
	buffer_printf(ret_headers, ", Signature=%s\n", signature);
}

/* What of the query comes before the signature, in the order of the names. */
static void put_presigned(const struct sigv4_request *rq, const struct aws_credentials *c, const char *stamp, int seconds,
			  const char *lines, struct buffer *query)
{
	_cleanup_(buffer_done) struct buffer credential = BUFFER_INIT, names = BUFFER_INIT;

	buffer_printf(&credential, "%s/", c->access_key);
	put_scope(rq, stamp, &credential);
	buffer_puts(query, "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=");
	web_escape(buffer_span(&credential), false, query);
	buffer_printf(query, "&X-Amz-Date=%s&X-Amz-Expires=%d", stamp, seconds);
	if (c->session_token) {
		buffer_puts(query, "&X-Amz-Security-Token=");
		web_escape(span_of(c->session_token), false, query);
	}
	put_names(lines, &names);
	buffer_puts(query, "&X-Amz-SignedHeaders=");
	web_escape(buffer_span(&names), false, query);
}

void sigv4_presign(const struct sigv4_request *rq, const struct aws_credentials *c, int seconds, const char *signed_headers,
		   struct buffer *ret_query)
{
	_cleanup_(buffer_done) struct buffer query = BUFFER_INIT, canonical = BUFFER_INIT, all = BUFFER_INIT, lines = BUFFER_INIT;
	char stamp[STAMP], signature[2 * SHA256_BYTES + 1];

	stamp_of(rq->now_us, stamp);
	buffer_printf(&all, "host: %s\n%s", rq->host, signed_headers);
	put_sorted(all.data, &lines);
	put_presigned(rq, c, stamp, seconds, lines.data, &query);
	put_canonical(rq, query.data, lines.data, "UNSIGNED-PAYLOAD", &canonical);
	signature_of(rq, c->secret_key, stamp, buffer_span(&canonical), signature);
	buffer_printf(ret_query, "%s&X-Amz-Signature=%s", query.data, signature);
}
