/* SPDX-License-Identifier: Apache-2.0 */
/* Authenticated encryption: AES-256-GCM (NIST SP 800-38D) with a fresh random nonce for each value; and base64. */
#ifndef CRYPTO_AEAD_H
#define CRYPTO_AEAD_H

#include "base/arena.h"
#include "base/buffer.h"

#define AEAD_KEY_BYTES 32
#define AEAD_NONCE_BYTES 12
#define AEAD_TAG_BYTES 16
#define AEAD_OVERHEAD (AEAD_NONCE_BYTES + AEAD_TAG_BYTES)

/* Appends nonce, ciphertext and tag. `bound` must be the same when it is opened. */
int aead_seal(const unsigned char key[AEAD_KEY_BYTES], struct span bound, struct span plain, struct buffer *ret_sealed,
	      struct err *e) WARN_UNUSED;
/* Appends the plain bytes: 1, or 0 when the key, the bound bytes or the sealed bytes are not the right ones. */
int aead_open(const unsigned char key[AEAD_KEY_BYTES], struct span bound, struct span sealed, struct buffer *ret_plain,
	      struct err *e) WARN_UNUSED;
/* The same with a nonce that is given: for test vectors only. */
int aead_seal_with(const unsigned char key[AEAD_KEY_BYTES], const unsigned char nonce[AEAD_NONCE_BYTES], struct span bound,
		   struct span plain, struct buffer *ret_sealed, struct err *e) WARN_UNUSED;

/* Overwrites memory that held a secret. */
void wipe(void *data, size_t length);
/* Wipes and frees the buffer. Usable as _cleanup_(buffer_wipe). */
void buffer_wipe(struct buffer *b);

/* RFC 4648 §4: the standard alphabet with padding. Appends the text. */
void base64_encode(struct span data, struct buffer *ret_text);
/* Appends the bytes; false when the text is not canonical. */
bool base64_decode(struct span text, struct buffer *ret_data);
/* RFC 4648 §5 without padding, as tokens and keys have it. Appends the bytes; false when the text is not canonical. */
bool base64url_decode(struct span text, struct buffer *ret_data);

#endif
