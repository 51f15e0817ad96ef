/* SPDX-License-Identifier: Apache-2.0 */
/* Digests, random bytes, identifiers, bearer values and passwords; all on GnuTLS and libargon2. */
#ifndef CRYPTO_CRYPTO_H
#define CRYPTO_CRYPTO_H

#include <stdint.h>

#include "base/buffer.h"

#define SHA256_BYTES 32
#define UUID_TEXT 37		/* with its NUL */
#define BEARER_TEXT 48		/* "pul-" + 40 hex digits + NUL, rounded up */

void sha256(struct span data, unsigned char ret_digest[SHA256_BYTES]);
/* The digest of a text that arrives in pieces; end frees the state, ret_digest may be NULL. */
struct sha256_state;
struct sha256_state *sha256_begin(void);
void sha256_add(struct sha256_state *s, struct span data);
void sha256_end(struct sha256_state *s, unsigned char ret_digest[SHA256_BYTES]);
/* Lower-case hex with a NUL: 2 * length + 1 bytes. */
void hex_encode(const unsigned char *data, size_t length, char *ret_text);
/* Ends the process when the system has no randomness. */
void random_bytes(void *to, size_t length);
/* RFC 9562 version 7: sorts by time. */
void uuid_new(int64_t now_us, char ret_uuid[UUID_TEXT]);
bool uuid_valid(const char *text);
/* A new bearer value `prefix` + 40 hex digits, and the digest under which it is stored. */
void bearer_new(const char *prefix, char ret_value[BEARER_TEXT], unsigned char ret_digest[SHA256_BYTES]);
/* Whether a password belongs to an encoded hash; constant time. */
bool password_matches(const char *password, const char *encoded);
/* Argon2id in its encoded form (RFC 9106: 19 MiB, 2 passes). */
int password_hash(const char *password, char ret_encoded[128], struct err *e) WARN_UNUSED;

#endif
