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

void base64_encode(struct span data, struct buffer *ret_text)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
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

static int digit_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four digits, of which the last `padding` are '='; the bits that they leave over must be zero. */
static bool decode_four(const char *p, size_t padding, struct buffer *to)
{
	unsigned value = 0;

	for (size_t i = 0; i < 4; i++) {
		int digit = i < 4 - padding ? digit_of(p[i]) : p[i] == '=' ? 0 : -1;

		if (digit < 0)
			return false;
		value = value << 6 | (unsigned)digit;
	}
	if (value & ((1U << 8 * padding) - 1))
		return false;
	for (size_t i = 0; i < 3 - padding; i++)
		buffer_putc(to, (char)(value >> (16 - 8 * i)));
	return true;
}

bool base64_decode(struct span text, struct buffer *ret_data)
{
	size_t padding = 0;

	if (text.length % 4)
		return false;
	if (text.length)
		padding = text.data[text.length - 2] == '=' ? 2 : text.data[text.length - 1] == '=' ? 1 : 0;
	buffer_reserve(ret_data, text.length / 4 * 3);
	for (size_t i = 0; i < text.length; i += 4)
		if (!decode_four(text.data + i, i + 4 == text.length ? padding : 0, ret_data))
			return false;
	return true;
}
