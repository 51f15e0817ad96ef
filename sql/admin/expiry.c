/* SPDX-License-Identifier: Apache-2.0 */
#include "expiry.h"

#include <gnutls/x509.h>
#include <time.h>

#include "crypto/aead.h"
#include "json/scan.h"

#define SECOND 1000000LL
#define LATEST (253402300799LL)	/* the last second of the year 9999 */

int expiry_of_certificate(struct span pem, int64_t *ret_ends_at, struct err *e)
{
	gnutls_datum_t text = { (unsigned char *)(uintptr_t)pem.data, (unsigned)pem.length };
	gnutls_x509_crt_t certificate;
	time_t ends = -1;
	int rc = gnutls_x509_crt_init(&certificate);

	if (rc >= 0) {
		rc = gnutls_x509_crt_import(certificate, &text, GNUTLS_X509_FMT_PEM);
		ends = rc < 0 ? -1 : gnutls_x509_crt_get_expiration_time(certificate);
		gnutls_x509_crt_deinit(certificate);
	}
	if (ends == (time_t)-1)
		return err_internal(e, "API_TLS_CERTIFICATE: cannot read when the certificate expires: %s", gnutls_strerror(rc));
	*ret_ends_at = (int64_t)ends * SECOND;
	return 1;
}

/* RFC 4648 §5 without padding, as RFC 7515 has it, out of the alphabet and padding of §4. */
static bool decode(const char *text, size_t length, struct buffer *ret_data)
{
	_cleanup_(buffer_done) struct buffer plain = BUFFER_INIT;

	for (size_t i = 0; i < length; i++)
		buffer_putc(&plain, text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i]);
	while (plain.length % 4)
		buffer_putc(&plain, '=');
	return base64_decode(buffer_span(&plain), ret_data);
}

bool expiry_of_token(const char *token, int64_t *ret_ends_at)
{
	_cleanup_(buffer_done) struct buffer claims = BUFFER_INIT;
	const char *dot = strchr(token, '.'), *end = dot ? strchr(dot + 1, '.') : NULL;
	struct span document, value;
	struct err ignored = { 0 };
	int64_t seconds;

	if (!end || !decode(dot + 1, (size_t)(end - dot - 1), &claims) || !claims.length ||
	    scan_document(buffer_span(&claims), &document, &ignored) < 0 || document.data[0] != '{' ||
	    !scan_find(document, "exp", &value) || !scan_int(value, &seconds) || seconds < 0 || seconds > LATEST)
		return false;
	*ret_ends_at = seconds * SECOND;
	return true;
}

const char *expiry_text(struct arena *arena, int64_t ends_at)
{
	time_t seconds = (time_t)(ends_at / SECOND);
	char text[32];
	struct tm tm;

	strftime(text, sizeof(text), "%Y-%m-%d", gmtime_r(&seconds, &tm));
	return arena_strdup(arena, text);
}
