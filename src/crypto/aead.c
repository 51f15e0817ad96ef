/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/aead.h"

#include <gnutls/crypto.h>

#include "crypto/crypto.h"

static void cipher_done(gnutls_aead_cipher_hd_t *cipher)
{
	if (*cipher)
		gnutls_aead_cipher_deinit(*cipher);
}

static int cipher_init(const unsigned char *key, gnutls_aead_cipher_hd_t *ret_cipher, struct err *e)
{
	gnutls_datum_t datum = { (unsigned char *)(uintptr_t)key, AEAD_KEY_BYTES };
	int rc = gnutls_aead_cipher_init(ret_cipher, GNUTLS_CIPHER_AES_256_GCM, &datum);

	return rc < 0 ? err_internal(e, "AES-256-GCM: %s", gnutls_strerror(rc)) : 1;
}

int aead_seal_with(const unsigned char key[AEAD_KEY_BYTES], const unsigned char nonce[AEAD_NONCE_BYTES], struct span bound,
		   struct span plain, struct buffer *ret_sealed, struct err *e)
{
	gnutls_aead_cipher_hd_t cipher __attribute__((cleanup(cipher_done))) = NULL;
	size_t room = plain.length + AEAD_TAG_BYTES;
	char *to;
	int rc;

	if (cipher_init(key, &cipher, e) < 0)
		return -1;
	buffer_append(ret_sealed, nonce, AEAD_NONCE_BYTES);
	to = buffer_reserve(ret_sealed, room);
	rc = gnutls_aead_cipher_encrypt(cipher, nonce, AEAD_NONCE_BYTES, bound.data, bound.length, AEAD_TAG_BYTES, plain.data,
					plain.length, to, &room);
	if (rc < 0)
		return err_internal(e, "AES-256-GCM: %s", gnutls_strerror(rc));
	ret_sealed->length += room;
	return 1;
}

int aead_seal(const unsigned char key[AEAD_KEY_BYTES], struct span bound, struct span plain, struct buffer *ret_sealed,
	      struct err *e)
{
	unsigned char nonce[AEAD_NONCE_BYTES];

	random_bytes(nonce, sizeof(nonce));
	return aead_seal_with(key, nonce, bound, plain, ret_sealed, e);
}

int aead_open(const unsigned char key[AEAD_KEY_BYTES], struct span bound, struct span sealed, struct buffer *ret_plain,
	      struct err *e)
{
	gnutls_aead_cipher_hd_t cipher __attribute__((cleanup(cipher_done))) = NULL;
	size_t room = sealed.length < AEAD_OVERHEAD ? 0 : sealed.length - AEAD_OVERHEAD;
	char *to;

	if (sealed.length < AEAD_OVERHEAD)
		return 0;
	if (cipher_init(key, &cipher, e) < 0)
		return -1;
	to = buffer_reserve(ret_plain, room);
	if (gnutls_aead_cipher_decrypt(cipher, sealed.data, AEAD_NONCE_BYTES, bound.data, bound.length, AEAD_TAG_BYTES,
				       sealed.data + AEAD_NONCE_BYTES, sealed.length - AEAD_NONCE_BYTES, to, &room) < 0)
		return 0;
	ret_plain->length += room;
	return 1;
}

void wipe(void *data, size_t length)
{
	if (length)
		gnutls_memset(data, 0, length);
}

void buffer_wipe(struct buffer *b)
{
	wipe(b->data, b->capacity);
	buffer_done(b);
}

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct span data, struct buffer *ret_text)
{
	const unsigned char *p = (const unsigned char *)data.data;
	char *to = buffer_reserve(ret_text, (data.length + 2) / 3 * 4);
	size_t i = 0;

	for (; i + 2 < data.length; i += 3) {
		*to++ = digits[p[i] >> 2];
		*to++ = digits[(p[i] & 3) << 4 | p[i + 1] >> 4];
		*to++ = digits[(p[i + 1] & 15) << 2 | p[i + 2] >> 6];
		*to++ = digits[p[i + 2] & 63];
	}
	if (i < data.length) {
		unsigned next = i + 1 < data.length ? p[i + 1] : 0;

		*to++ = digits[p[i] >> 2];
		*to++ = digits[(p[i] & 3) << 4 | next >> 4];
		*to++ = i + 1 < data.length ? digits[(next & 15) << 2] : '=';
		*to++ = '=';
	}
	*to = '\0';
	ret_text->length += (data.length + 2) / 3 * 4;
}

#define NO_DIGIT 64

static void digit_values(unsigned char ret_values[256])
{
	memset(ret_values, NO_DIGIT, 256);
	for (unsigned i = 0; i < 64; i++)
		ret_values[(unsigned char)digits[i]] = (unsigned char)i;
}

/* Whole groups of four digits. */
static bool decode_groups(const unsigned char *values, const unsigned char *p, const unsigned char *end, unsigned char **to)
{
	for (; p < end; p += 4) {
		unsigned a = values[p[0]], b = values[p[1]], c = values[p[2]], d = values[p[3]];

		if ((a | b | c | d) & NO_DIGIT)
			return false;
		*(*to)++ = (unsigned char)(a << 2 | b >> 4);
		*(*to)++ = (unsigned char)(b << 4 | c >> 2);
		*(*to)++ = (unsigned char)(c << 6 | d);
	}
	return true;
}

/* A last group with one or two '='; the bits that it leaves over must be zero. */
static bool decode_padded(const unsigned char *values, const unsigned char *p, unsigned char **to)
{
	unsigned a = values[p[0]], b = values[p[1]], c = p[2] == '=' ? 0 : values[p[2]];

	if (((a | b | c) & NO_DIGIT) || (p[2] == '=' ? b & 15 : c & 3))
		return false;
	*(*to)++ = (unsigned char)(a << 2 | b >> 4);
	if (p[2] != '=')
		*(*to)++ = (unsigned char)(b << 4 | c >> 2);
	return true;
}

bool base64_decode(struct span text, struct buffer *ret_data)
{
	const unsigned char *p = (const unsigned char *)text.data, *end = p + text.length;
	unsigned char values[256], *from, *to;
	bool padded, good;

	if (text.length % 4)
		return false;
	padded = text.length && end[-1] == '=';
	digit_values(values);
	from = to = (unsigned char *)buffer_reserve(ret_data, text.length / 4 * 3);
	good = decode_groups(values, p, padded ? end - 4 : end, &to) && (!padded || decode_padded(values, end - 4, &to));
	if (good)
		ret_data->length += (size_t)(to - from);
	ret_data->data[ret_data->length] = '\0';
	return good;
}

bool base64url_decode(struct span text, struct buffer *ret_data)
{
	_cleanup_(buffer_done) struct buffer standard = BUFFER_INIT;

	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i];

		if (c == '+' || c == '/' || c == '=')
			return false;
		buffer_putc(&standard, (char)(c == '-' ? '+' : c == '_' ? '/' : c));
	}
	while (standard.length % 4)
		buffer_putc(&standard, '=');
	return base64_decode((struct span){ standard.data ? standard.data : "", standard.length }, ret_data);
}
