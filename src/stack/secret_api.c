/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of a stack: values travel in base64; what is encrypted and decrypted is their bytes. */
#include "api/route.h"
#include "base/limits.h"
#include "base/map.h"
#include "json/scan.h"
#include "json/write.h"
#include "stack/stack_key.h"

static int wrong(const char *name, const char *expected, struct err *e)
{
	return err_set(e, ERR_BAD_REQUEST, "Bad Request: '%s' must be %s", name, expected);
}

/* The text of a string; a nil byte slice of a Go client arrives as null: the empty value. */
static int value_of(struct request *rq, struct span json, const char *name, struct span *ret_text, struct err *e)
{
	*ret_text = SPAN("");
	if (json.data[0] == 'n' || scan_text(json, rq->arena, ret_text))
		return 1;
	return wrong(name, "a string in base64", e);
}

static int object_body(struct request *rq, struct span *ret_body, struct err *e)
{
	struct span body;

	if (http_body(&rq->http, LIMIT_SECRETS_BODY, &body, e) < 0 || scan_document(body, ret_body, e) < 0)
		return -1;
	if (ret_body->data[0] != '{')
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: the body must be a JSON object");
	return scan_unique(*ret_body, e);
}

/* The member of the body, which may be null but must be there: a misspelt name must not encrypt nothing. */
static int body_member(struct request *rq, const char *name, struct span *ret_value, struct err *e)
{
	struct span body, key, value;
	bool found = false;
	struct scan s;

	if (object_body(rq, &body, e) < 0)
		return -1;
	for (scan_open(&s, body); scan_member(&s, &key, &value);)
		if (scan_name_is(key, name))
			*ret_value = value, found = true;
	return found ? 1 : err_set(e, ERR_BAD_REQUEST, "Bad Request: '%s' is required", name);
}

static int member(struct request *rq, const char *name, struct span *ret_text, struct err *e)
{
	struct span value;

	return body_member(rq, name, &value, e) < 0 ? -1 : value_of(rq, value, name, ret_text, e);
}

static int list(struct request *rq, const char *name, struct scan *ret_list, struct err *e)
{
	struct span value, each;
	struct scan s;
	size_t n = 0;

	if (body_member(rq, name, &value, e) < 0)
		return -1;
	if (value.data[0] == 'n')
		value = SPAN("[]");
	if (value.data[0] != '[')
		return wrong(name, "a list of strings in base64", e);
	for (scan_open(&s, value); scan_element(&s, &each);)
		if (++n > LIMIT_SECRETS)
			return err_set(e, ERR_BAD_REQUEST, "Bad Request: more than %d values at once", LIMIT_SECRETS);
	scan_open(ret_list, value);
	return 1;
}

static int encrypt_into(const struct stack_key *key, struct span text, const char *name, struct buffer *out, struct err *e)
{
	_cleanup_(buffer_wipe) struct buffer plain = BUFFER_INIT;

	if (!base64_decode(text, &plain))
		return wrong(name, "in base64: the standard alphabet, with padding", e);
	buffer_putc(out, '"');
	if (stack_encrypt(key, (struct span){ plain.data ? plain.data : "", plain.length }, out, e) < 0)
		return -1;
	buffer_putc(out, '"');
	return 1;
}

static int decrypt_into(const struct stack_key *key, struct span text, struct buffer *out, struct err *e)
{
	_cleanup_(buffer_wipe) struct buffer plain = BUFFER_INIT;

	if (stack_decrypt(key, text, &plain, e) < 0)
		return -1;
	buffer_putc(out, '"');
	base64_encode((struct span){ plain.data ? plain.data : "", plain.length }, out);
	buffer_putc(out, '"');
	return 1;
}

static int open_key(struct request *rq, bool make, struct stack_key *ret_key, struct err *e)
{
	int rc = stack_key_open(rq->app, &rq->caller, &rq->path, make, ret_key, e);

	/* Without a key the stack has made no ciphertext: each is a foreign one, and says so when it is tried. */
	if (rc == 0)
		random_bytes(ret_key->key, sizeof(ret_key->key));
	return rc;
}

struct value_body {
	const char *value;
};

const struct field encrypt_value_body_fields[] = {
	FIELD(value_body, value, "plaintext", FIELD_TEXT, .flags = FIELD_SECRET | FIELD_REQUIRED, .help = "Bytes in base64."),
	{ 0 },
};

const struct field decrypt_value_body_fields[] = {
	FIELD(value_body, value, "ciphertext", FIELD_TEXT, .flags = FIELD_REQUIRED, .help = "What encrypt answered."),
	{ 0 },
};

struct values_body {
	struct text_list values;
};

const struct field batch_encrypt_body_fields[] = {
	FIELD(values_body, values, "plaintexts", FIELD_TEXT_LIST, .flags = FIELD_SECRET | FIELD_REQUIRED),
	{ 0 },
};

const struct field batch_encrypt_reply_fields[] = {
	FIELD(values_body, values, "ciphertexts", FIELD_TEXT_LIST, .help = "In the order of the plaintexts."),
	{ 0 },
};

const struct field batch_decrypt_body_fields[] = {
	FIELD(values_body, values, "ciphertexts", FIELD_TEXT_LIST, .flags = FIELD_REQUIRED),
	{ 0 },
};

struct map_reply {
	struct text_map values;
};

const struct field batch_decrypt_reply_fields[] = {
	FIELD(map_reply, values, "plaintexts", FIELD_TEXT_MAP, .flags = FIELD_SECRET, .help = "By ciphertext, as it was sent."),
	{ 0 },
};

/* EncryptValue */
int api_encrypt_value(struct request *rq, struct http_reply *rp, struct err *e)
{
	_cleanup_(stack_key_done) struct stack_key key = { 0 };
	struct span plain;

	if (member(rq, "plaintext", &plain, e) < 0 || open_key(rq, true, &key, e) < 0)
		return -1;

	json_put_open(&rp->body, "ciphertext");
	if (encrypt_into(&key, plain, "plaintext", &rp->body, e) < 0)
		return -1;

	return reply_closed(rp);
}

/* DecryptValue */
int api_decrypt_value(struct request *rq, struct http_reply *rp, struct err *e)
{
	_cleanup_(stack_key_done) struct stack_key key = { 0 };
	struct span text;

	if (member(rq, "ciphertext", &text, e) < 0 || open_key(rq, false, &key, e) < 0)
		return -1;

	rp->secret = true;
	json_put_open(&rp->body, "plaintext");
	if (decrypt_into(&key, text, &rp->body, e) < 0)
		return -1;

	return reply_closed(rp);
}

/* BatchEncryptValue */
int api_batch_encrypt_value(struct request *rq, struct http_reply *rp, struct err *e)
{
	_cleanup_(stack_key_done) struct stack_key key = { 0 };
	struct span json, plain;
	struct scan values;

	if (list(rq, "plaintexts", &values, e) < 0 || open_key(rq, true, &key, e) < 0)
		return -1;

	json_put_open(&rp->body, "ciphertexts");
	buffer_putc(&rp->body, '[');
	while (scan_element(&values, &json)) {
		json_write_separator(&rp->body);
		if (value_of(rq, json, "plaintexts", &plain, e) < 0 ||
		    encrypt_into(&key, plain, "plaintexts", &rp->body, e) < 0)
			return -1;
	}
	buffer_putc(&rp->body, ']');

	return reply_closed(rp);
}

/* BatchDecryptValue: every ciphertext has its answer, under the very text that was sent, or the call fails. */
int api_batch_decrypt_value(struct request *rq, struct http_reply *rp, struct err *e)
{
	_cleanup_(stack_key_done) struct stack_key key = { 0 };
	_cleanup_(map_done) struct map seen = MAP_INIT;
	struct span json, text;
	struct scan values;

	if (list(rq, "ciphertexts", &values, e) < 0 || open_key(rq, false, &key, e) < 0)
		return -1;

	rp->secret = true;
	json_put_open(&rp->body, "plaintexts");
	buffer_putc(&rp->body, '{');
	while (scan_element(&values, &json)) {
		if (value_of(rq, json, "ciphertexts", &text, e) < 0)
			return -1;
		if (map_get(&seen, text))
			continue;
		*map_put(&seen, text) = rq;
		json_write_separator(&rp->body);
		json_write_span(&rp->body, text);
		buffer_putc(&rp->body, ':');
		if (decrypt_into(&key, text, &rp->body, e) < 0)
			return -1;
	}
	buffer_putc(&rp->body, '}');

	return reply_closed(rp);
}

struct log_decryption {
	const char *what;
};

const struct field log_decryption_body_fields[] = {
	FIELD(log_decryption, what, "secretName", FIELD_TEXT, .limit = LIMIT_MESSAGE),
	{ 0 },
};

const struct field log_batch_decryption_body_fields[] = {
	FIELD(log_decryption, what, "commandName", FIELD_TEXT, .limit = LIMIT_MESSAGE),
	{ 0 },
};

/* A client whose secrets another provider keeps says that it decrypted some: the row's AUDIT records it. */
static int log_decryption(struct request *rq, const struct field *fields, struct http_reply *rp, struct err *e)
{
	struct log_decryption body = { 0 };

	if (request_body(rq, fields, &body, e) < 0)
		return -1;

	rq->audit_detail = body.what;
	return reply_empty(rp);
}

/* LogOnlyDecryptValue */
int api_log_only_decrypt_value(struct request *rq, struct http_reply *rp, struct err *e)
{
	return log_decryption(rq, log_decryption_body_fields, rp, e);
}

/* LogOnlyBatchDecryptValue */
int api_log_only_batch_decrypt_value(struct request *rq, struct http_reply *rp, struct err *e)
{
	return log_decryption(rq, log_batch_decryption_body_fields, rp, e);
}
