/* SPDX-License-Identifier: Apache-2.0 */
/* The token service, STS: a form in, XML out. */
#include <stdio.h>

#include "crypto/crypto.h"
#include "net/aws_keys.h"
#include "net/xml.h"

static void put_form(struct buffer *form, const char *name, const char *value)
{
	buffer_printf(form, "%s%s=", form->length ? "&" : "", name);
	web_escape(span_of(value), false, form);
}

static int from_xml(const char *role, const struct web_answer *answer, struct aws_keys *k, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct span text = buffer_span(&answer->body);
	const char *code = xml_text(text, "Code", &arena), *message = xml_text(text, "Message", &arena);

	if (answer->status == 200)
		aws_keys_set(k, xml_text(text, "AccessKeyId", &arena), xml_text(text, "SecretAccessKey", &arena),
			     xml_text(text, "SessionToken", &arena), xml_text(text, "Expiration", &arena));
	if (k->access_key && k->secret_key)
		return 1;
	return err_unavailable(e, "AWS STS does not let the role %s be assumed: answer %d %s: %s", role, answer->status,
			       code ? code : "", message ? message : "no reason given");
}

static void put_base(const char *region, struct buffer *ret_url)
{
	const char *endpoint = aws_environment("AWS_ENDPOINT_URL_STS");

	endpoint = endpoint ? endpoint : aws_environment("AWS_ENDPOINT_URL");
	if (!endpoint)
		buffer_printf(ret_url, "https://sts.%s.amazonaws.com", region);
	else
		buffer_append(ret_url, endpoint, strlen(endpoint) - (endpoint[strlen(endpoint) - 1] == '/'));
}

/* `with` NULL: the form itself proves who asks. */
static int call(const struct aws_role *role, const struct buffer *form, const struct aws_keys *with, struct web *web,
		int64_t now_us, struct aws_keys *k, struct err *e)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	_cleanup_(buffer_done) struct buffer headers = BUFFER_INIT, url = BUFFER_INIT;
	const char *region = role->region ? role->region : "us-east-1", *host;
	unsigned char digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];

	put_base(region, &url);
	host = strstr(url.data, "://");
	sha256(buffer_span(form), digest);
	hex_encode(digest, sizeof(digest), hex);
	if (with)
		sigv4_sign(&(struct sigv4_request){ "POST", host ? host + 3 : url.data, "/", "", hex, region, "sts", now_us },
			   &(struct aws_credentials){ with->access_key, with->secret_key, with->session_token }, "", &headers);
	buffer_puts(&headers, "Content-Type: application/x-www-form-urlencoded\n");
	buffer_puts(&url, "/");
	if (web_call_again(web, &(struct web_request){ .method = "POST", .url = url.data, .headers = &headers,
						       .body = buffer_span(form), .limit = 1 << 20, .timeout_s = 20 }, &answer, e) < 0)
		return -1;
	return from_xml(role->arn, &answer, k, e);
}

static int put_token(struct buffer *form, const char *path, struct err *e)
{
	char token[65536];
	FILE *file = fopen(path, "re");

	if (!file)
		return err_unavailable(e, "AWS_WEB_IDENTITY_TOKEN_FILE: cannot read %s", path);
	token[fread(token, 1, sizeof(token) - 1, file)] = '\0';
	fclose(file);
	token[strcspn(token, "\r\n")] = '\0';
	put_form(form, "WebIdentityToken", token);
	return 1;
}

int aws_keys_of_role(const struct aws_role *role, const struct aws_keys *with, const char *token_file, struct web *web,
		     int64_t now_us, struct aws_keys *k, struct err *e)
{
	_cleanup_(buffer_done) struct buffer form = BUFFER_INIT;

	put_form(&form, "Action", with ? "AssumeRole" : "AssumeRoleWithWebIdentity");
	put_form(&form, "Version", "2011-06-15");
	put_form(&form, "RoleArn", role->arn);
	put_form(&form, "RoleSessionName", role->session ? role->session : "pulumi-api");
	if (with && role->external_id)
		put_form(&form, "ExternalId", role->external_id);
	if (!with && put_token(&form, token_file, e) < 0)
		return -1;
	return call(role, &form, with, web, now_us, k, e);
}
