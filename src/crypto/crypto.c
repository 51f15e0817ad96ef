/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/crypto.h"

#include <argon2.h>
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>

void sha256(struct span data, unsigned char ret_digest[SHA256_BYTES])
{
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, data.data, data.length, ret_digest) < 0)
		abort();
}

struct sha256_state *sha256_begin(void)
{
	gnutls_hash_hd_t handle;

	if (gnutls_hash_init(&handle, GNUTLS_DIG_SHA256) < 0)
		abort();
	return (struct sha256_state *)handle;
}

void sha256_add(struct sha256_state *s, struct span data)
{
	if (gnutls_hash((gnutls_hash_hd_t)s, data.data, data.length) < 0)
		abort();
}

void sha256_end(struct sha256_state *s, unsigned char ret_digest[SHA256_BYTES])
{
	if (s)
		gnutls_hash_deinit((gnutls_hash_hd_t)s, ret_digest);
}

void hex_encode(const unsigned char *data, size_t length, char *ret_text)
{
	for (size_t i = 0; i < length; i++)
		snprintf(ret_text + 2 * i, 3, "%02x", data[i]);
}

void random_bytes(void *to, size_t length)
{
	if (gnutls_rnd(GNUTLS_RND_KEY, to, length) < 0) {
		fprintf(stderr, "level=fatal msg=\"the system gives no random bytes\"\n");
		abort();
	}
}

void uuid_new(int64_t now_us, char ret_uuid[UUID_TEXT])
{
	unsigned char b[16];
	char hex[33];
	int64_t ms = now_us / 1000;

	random_bytes(b, sizeof(b));
	for (int i = 0; i < 6; i++)
		b[i] = (unsigned char)(ms >> (40 - 8 * i));
	b[6] = (unsigned char)((b[6] & 0x0f) | 0x70);
	b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
	hex_encode(b, sizeof(b), hex);
	snprintf(ret_uuid, UUID_TEXT, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12, hex + 16,
		 hex + 20);
}

bool uuid_valid(const char *text)
{
	for (int i = 0; i < 36; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? text[i] != '-' : !text[i] || !strchr("0123456789abcdef", text[i]))
			return false;
	}
	return text[36] == '\0';
}

void bearer_new(const char *prefix, char ret_value[BEARER_TEXT], unsigned char ret_digest[SHA256_BYTES])
{
	unsigned char raw[20];
	char hex[41];

	random_bytes(raw, sizeof(raw));
	hex_encode(raw, sizeof(raw), hex);
	snprintf(ret_value, BEARER_TEXT, "%s%s", prefix, hex);
	sha256(span_of(ret_value), ret_digest);
}

int password_hash(const char *password, char ret_encoded[128], struct err *e)
{
	unsigned char salt[16];
	int rc;

	random_bytes(salt, sizeof(salt));
	rc = argon2id_hash_encoded(2, 19 * 1024, 1, password, strlen(password), salt, sizeof(salt), 32,
				   ret_encoded, 128);
	if (rc != ARGON2_OK)
		return err_internal(e, "argon2: %s", argon2_error_message(rc));
	return 1;
}

bool password_matches(const char *password, const char *encoded)
{
	return argon2id_verify(encoded, password, strlen(password)) == ARGON2_OK;
}
