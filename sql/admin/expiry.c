/* SPDX-License-Identifier: Apache-2.0 */
#include "expiry.h"

#include <gnutls/x509.h>
#include <time.h>

#define SECOND 1000000LL

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

const char *expiry_text(struct arena *arena, int64_t ends_at)
{
	time_t seconds = (time_t)(ends_at / SECOND);
	char text[32];
	struct tm tm;

	strftime(text, sizeof(text), "%Y-%m-%d", gmtime_r(&seconds, &tm));
	return arena_strdup(arena, text);
}
