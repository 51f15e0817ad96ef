/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A master key in AWS KMS: it seals and opens there and never leaves. What a data key is bound to travels as encryption
 * context, which KMS demands again. The key's id is the start of the SHA-256 of its ARN.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/settings.h"
#include "crypto/crypto.h"
#include "json/scan.h"
#include "json/write.h"
#include "net/aws.h"
#include "secret/provider.h"

#define ANSWER_LIMIT (256 << 10)
#define TIMEOUT_S 5		/* of one attempt */
#define TOTAL_S 15		/* of all attempts */

struct kms {
	struct web *web;
	struct aws *aws;
	char *arn, *region, *host, *url;
	char id[MASTER_KEY_ID];
};

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int sign(struct kms *k, const char *operation, const struct buffer *body, struct buffer *headers, struct err *e)
{
	_cleanup_(buffer_done) struct buffer target = BUFFER_INIT;
	struct aws_credentials credentials;
	unsigned char digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	int64_t now = now_us();

	if (aws_credentials(k->aws, k->web, now, &credentials, e) < 0)
		return -1;
	sha256(buffer_span(body), digest);
	hex_encode(digest, sizeof(digest), hex);
	buffer_printf(&target, "x-amz-target: TrentService.%s\n", operation);
	sigv4_sign(&(struct sigv4_request){ "POST", k->host, "/", "", hex, k->region, "kms", now }, &credentials, target.data, headers);
	buffer_puts(headers, "Content-Type: application/x-amz-json-1.1\n");
	return 1;
}

static bool says(const struct web_answer *answer, const char *word)
{
	return answer->body.data && strstr(answer->body.data, word);
}

static int refused(const struct kms *k, const char *operation, const struct web_answer *answer, struct err *e)
{
	const char *text = answer->body.data ? answer->body.data : "";

	if (answer->status == 429 || answer->status >= 500 || says(answer, "ThrottlingException"))
		return err_unavailable(e, "KMS %s with %s: answer %d: %.300s", operation, k->arn, answer->status, text);
	return err_internal(e, "KMS %s with %s: answer %d: %.300s", operation, k->arn, answer->status, text);
}

static bool read_member(struct span body, const char *member, struct buffer *ret_bytes)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct err ignored = { 0 };
	struct span object, text;

	return scan_document(body, &object, &ignored) == 1 && scan_find(object, member, &text) && scan_text(text, &arena, &text) &&
	       base64_decode(text, ret_bytes);
}

static int call_once(struct kms *k, const char *operation, const struct buffer *body, struct web_answer *ret_answer, struct err *e)
{
	_cleanup_(buffer_done) struct buffer headers = BUFFER_INIT;

	if (sign(k, operation, body, &headers, e) < 0)
		return -1;
	return web_call_again(k->web, &(struct web_request){ "POST", k->url, &headers, buffer_span(body), ANSWER_LIMIT, TIMEOUT_S, TOTAL_S },
			      ret_answer, e);
}

/* Appends the bytes of one member of the answer: 1, 0 when KMS says that they are no ciphertext of this key and context. */
static int call(struct kms *k, const char *operation, const struct buffer *body, const char *member, struct buffer *ret_bytes,
		struct err *e)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };

	if (call_once(k, operation, body, &answer, e) < 0)
		return -1;
	if (answer.status == 400 && says(&answer, "ExpiredToken")) {
		aws_forget(k->aws);
		if (call_once(k, operation, body, &answer, e) < 0)
			return -1;
	}
	if (answer.status == 400 && says(&answer, "InvalidCiphertext"))
		return 0;
	if (answer.status != 200 || !read_member(buffer_span(&answer.body), member, ret_bytes))
		return refused(k, operation, &answer, e);
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

	aws_close(k->aws);
	web_close(k->web);
	free(k->arn);
	free(k->region);
	free(k->host);
	free(k->url);
	free(k);
}

/* arn:aws:kms:REGION:ACCOUNT:key/… */
static int read_arn(const char *name, const char *arn, struct kms *k, struct err *e)
{
	const char *region = arn, *endpoint = getenv("AWS_ENDPOINT_URL_KMS");
	struct buffer url = BUFFER_INIT, name_of_region = BUFFER_INIT;

	for (int i = 0; region && i < 3; i++)
		region = strchr(region, ':') ? strchr(region, ':') + 1 : NULL;
	if (!region || !strcspn(region, ":") || strncmp(arn, "arn:", 4) || !strstr(arn, ":kms:"))
		return err_internal(e, "%s: '%s' must be the ARN of a key: arn:aws:kms:REGION:ACCOUNT:key/ID", name, arn);
	k->arn = xstrdup(arn);
	buffer_append(&name_of_region, region, strcspn(region, ":"));
	k->region = name_of_region.data;
	if (endpoint && *endpoint)
		buffer_puts(&url, endpoint);
	else
		buffer_printf(&url, "https://kms.%s.amazonaws.com", k->region);
	k->host = xstrdup(strstr(url.data, "://") ? strstr(url.data, "://") + 3 : url.data);
	buffer_putc(&url, '/');
	k->url = url.data;
	return 1;
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

static int kms_open(const char *name, const char *where, bool seals, void **ret_state, struct err *e)
{
	struct kms *k = xcalloc(1, sizeof(*k));
	unsigned char digest[SHA256_BYTES];

	k->web = web_open();
	k->aws = aws_open(NULL);
	sha256(span_of(where), digest);
	hex_encode(digest, (MASTER_KEY_ID - 1) / 2, k->id);
	if (read_arn(name, where, k, e) < 0 || (seals && try_it(name, k, e) < 0)) {
		kms_close(k);
		return -1;
	}
	*ret_state = k;
	return 1;
}

static void kms_observe_calls(void *state, const struct observer *observer)
{
	web_observe(((struct kms *)state)->web, observer);
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
