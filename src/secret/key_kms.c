/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A master key in AWS KMS: it seals and opens there and never leaves. What a data key is bound to travels as encryption
 * context, which KMS demands again. The key's id is the start of the SHA-256 of its ARN.
 */
#include <stdio.h>
#include <stdlib.h>

#include "crypto/crypto.h"
#include "json/scan.h"
#include "json/write.h"
#include "net/aws_json.h"
#include "secret/provider.h"

#define ATTEMPTS 5

static const struct aws_json_service service = { "kms", "TrentService", "application/x-amz-json-1.1", "AWS_ENDPOINT_URL_KMS", 5, 15 };

struct kms {
	struct aws_json *aws;
	char *arn;
	char id[MASTER_KEY_ID];
};

static bool read_member(struct span body, const char *member, struct buffer *ret_bytes)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct err ignored = { 0 };
	struct span object, text;

	return scan_document(body, &object, &ignored) == 1 && scan_find(object, member, &text) && scan_text(text, &arena, &text) &&
	       base64_decode(text, ret_bytes);
}

/*
 * Appends the bytes of one member of the answer: 1, 0 when KMS says that they are no ciphertext of this key and context. Credentials that
 * have ended say nothing about the key: that is an outage, as when nobody gives any.
 */
static int call(struct kms *k, const char *operation, const struct buffer *body, const char *member, struct buffer *ret_bytes,
		struct err *e)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	int rc = aws_json_call(k->aws, operation, buffer_span(body), ATTEMPTS, &answer, e);

	if (rc < 0)
		return -1;
	if (rc == 0 && !strcmp(aws_json_error(&answer, &arena), "InvalidCiphertextException"))
		return 0;
	if (rc == 0 && aws_json_has_ended(&answer))
		return err_unavailable(e, "KMS %s with %s: %s", operation, k->arn, aws_json_said(&answer, &arena));
	if (rc == 0 || !read_member(buffer_span(&answer.body), member, ret_bytes))
		return err_internal(e, "KMS %s with %s: %s", operation, k->arn, rc ? "no answer of KMS" : aws_json_said(&answer, &arena));
	wipe(answer.body.data, answer.body.length);
	return 1;
}

static void put_context(struct buffer *body, struct span bound)
{
	json_write_name(body, "EncryptionContext");
	buffer_puts(body, "{\"pulumi:bound\":");
	json_write_span(body, bound);
	buffer_putc(body, '}');
}

static void put_bytes(struct buffer *body, const char *member, struct span bytes)
{
	json_write_name(body, member);
	buffer_putc(body, '"');
	base64_encode(bytes, body);
	buffer_putc(body, '"');
}

static int kms_seal(void *state, struct span bound, const unsigned char *key, struct buffer *ret_sealed, struct err *e)
{
	_cleanup_(buffer_wipe) struct buffer body = BUFFER_INIT;
	struct kms *k = state;
	int rc;

	json_put_open(&body, "KeyId");
	json_write_text(&body, k->arn);
	put_bytes(&body, "Plaintext", (struct span){ (const char *)key, AEAD_KEY_BYTES });
	put_context(&body, bound);
	buffer_putc(&body, '}');
	rc = call(k, "Encrypt", &body, "CiphertextBlob", ret_sealed, e);
	return rc == 0 ? err_internal(e, "KMS Encrypt with %s refused the key", k->arn) : rc;
}

static int kms_unseal(void *state, const char *id, struct span bound, struct span sealed, unsigned char *ret_key,
		      struct err *e)
{
	_cleanup_(buffer_wipe) struct buffer body = BUFFER_INIT, plain = BUFFER_INIT;
	struct kms *k = state;
	int rc;

	(void)id;
	json_put_open(&body, "KeyId");
	json_write_text(&body, k->arn);
	put_bytes(&body, "CiphertextBlob", sealed);
	put_context(&body, bound);
	buffer_putc(&body, '}');
	rc = call(k, "Decrypt", &body, "Plaintext", &plain, e);
	if (rc == 1 && plain.length != AEAD_KEY_BYTES)
		return 0;
	if (rc == 1)
		memcpy(ret_key, plain.data, AEAD_KEY_BYTES);
	return rc;
}

static void kms_close(void *state)
{
	struct kms *k = state;

	aws_json_close(k->aws);
	free(k->arn);
	free(k);
}

/* arn:aws:kms:REGION:ACCOUNT:key/… */
static int open_region(const char *name, struct kms *k, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	const char *region = k->arn;

	for (int i = 0; region && i < 3; i++)
		region = strchr(region, ':') ? strchr(region, ':') + 1 : NULL;
	if (!region || !strcspn(region, ":") || strncmp(k->arn, "arn:", 4) || !strstr(k->arn, ":kms:"))
		return err_internal(e, "%s: '%s' must be the ARN of a key: arn:aws:kms:REGION:ACCOUNT:key/ID", name, k->arn);
	return aws_json_open(&service, name, arena_strndup(&arena, region, strcspn(region, ":")), &k->aws, e);
}

/* A key that cannot do both is of no use: that shows at start. */
static int try_it(const char *name, struct kms *k, struct err *e)
{
	_cleanup_(buffer_done) struct buffer sealed = BUFFER_INIT;
	unsigned char key[AEAD_KEY_BYTES], opened[AEAD_KEY_BYTES];
	struct err inner = { 0 };

	random_bytes(key, sizeof(key));
	if (kms_seal(k, SPAN("start"), key, &sealed, &inner) == 1 &&
	    kms_unseal(k, k->id, SPAN("start"), buffer_span(&sealed), opened, &inner) == 1 && !memcmp(key, opened, sizeof(key)))
		return 1;
	return err_internal(e, "%s: the key must be able to encrypt and decrypt: %s", name,
			    inner.detail[0] ? inner.detail : "it does not give back what it encrypted");
}

static int kms_open(const char *name, const char *where, bool seals, bool try, void **ret_state, struct err *e)
{
	struct kms *k = xcalloc(1, sizeof(*k));
	unsigned char digest[SHA256_BYTES];

	k->arn = xstrdup(where);
	sha256(span_of(where), digest);
	hex_encode(digest, (MASTER_KEY_ID - 1) / 2, k->id);
	if (open_region(name, k, e) < 0 || (seals && try && try_it(name, k, e) < 0)) {
		kms_close(k);
		return -1;
	}
	*ret_state = k;
	return 1;
}

static void kms_observe_calls(void *state, const struct observer *observer)
{
	aws_json_observe(((struct kms *)state)->aws, observer);
}

static const char *kms_active(const void *state)
{
	return ((const struct kms *)state)->id;
}

static bool kms_has(const void *state, const char *id)
{
	return !strcmp(((const struct kms *)state)->id, id);
}

static void kms_refresh(void *state)
{
	(void)state;
}

const struct key_provider key_kms = {
	.scheme = "arn:",
	.open = kms_open,
	.close = kms_close,
	.observe_calls = kms_observe_calls,
	.active = kms_active,
	.has = kms_has,
	.refresh = kms_refresh,
	.seal = kms_seal,
	.unseal = kms_unseal,
};
