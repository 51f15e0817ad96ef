/* SPDX-License-Identifier: Apache-2.0 */
#include "org/licence.h"

#include "crypto/aead.h"
#include "json/scan.h"

#define SECOND_US 1000000LL
#define LATEST (253402300799LL)	/* seconds: the last one of the year 9999 */

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

bool licence_ends_at(const char *key, int64_t *ret_ends_at)
{
	_cleanup_(buffer_done) struct buffer claims = BUFFER_INIT;
	const char *dot = key ? strchr(key, '.') : NULL, *end = dot ? strchr(dot + 1, '.') : NULL;
	struct span document, value;
	struct err ignored = { 0 };
	int64_t seconds;

	if (!end || !decode(dot + 1, (size_t)(end - dot - 1), &claims) || !claims.length ||
	    scan_document(buffer_span(&claims), &document, &ignored) < 0 || document.data[0] != '{' ||
	    !scan_find(document, "exp", &value) || !scan_int(value, &seconds) || seconds < 0 || seconds > LATEST)
		return false;
	*ret_ends_at = seconds * SECOND_US;
	return true;
}
