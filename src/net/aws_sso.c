/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IAM Identity Center: whoever has a token, which `aws sso login` leaves in ~/.aws/sso/cache, gets the keys of a role for an
 * hour or so (SSO portal API, GetRoleCredentials).
 */
#include <jansson.h>
#include <string.h>

#include "crypto/aead.h"
#include "net/aws_keys.h"

#define ANSWER_LIMIT 65536

static void json_release(json_t **json)
{
	json_decref(*json);
}

static const char *member(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* A name of a region becomes part of a host's: nothing else may. */
static bool is_region(const char *text)
{
	size_t n = text ? strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789-") : 0;

	return n && !text[n];
}

static int check(const struct aws_sso *sso, struct err *e)
{
	if ((sso->session || sso->start_url) && sso->account && sso->role && is_region(sso->region))
		return 1;
	return err_unavailable(e, "AWS profile '%s': SSO needs sso_account_id, sso_role_name, and sso_region%s", sso->profile,
			       sso->session ? " in its [sso-session]" : "");
}

static void put_url(const struct aws_sso *sso, struct buffer *url)
{
	const char *endpoint = aws_environment("AWS_ENDPOINT_URL_SSO");

	if (endpoint)
		buffer_append(url, endpoint, strlen(endpoint) - (endpoint[strlen(endpoint) - 1] == '/'));
	else
		buffer_printf(url, "https://portal.sso.%s.amazonaws.com%s", sso->region, strncmp(sso->region, "cn-", 3) ? "" : ".cn");
	buffer_puts(url, "/federation/credentials?role_name=");
	web_escape(span_of(sso->role), false, url);
	buffer_puts(url, "&account_id=");
	web_escape(span_of(sso->account), false, url);
}

/* {"roleCredentials": {"accessKeyId", "secretAccessKey", "sessionToken", "expiration": milliseconds}}, or {"message"}. */
static int take(const struct aws_sso *sso, const struct web_answer *answer, struct aws_keys *k, struct err *e)
{
	json_t *object __attribute__((cleanup(json_release))) =
		json_loadb(answer->body.data ? answer->body.data : "", answer->body.length, 0, NULL);
	const json_t *keys = json_object_get(object, "roleCredentials");
	const char *message = member(object, "message");

	aws_keys_set(k, member(keys, "accessKeyId"), member(keys, "secretAccessKey"), member(keys, "sessionToken"), NULL);
	k->expires_at = json_integer_value(json_object_get(keys, "expiration")) * 1000;
	if (answer->status == 200 && k->access_key && k->secret_key)
		return 1;
	aws_keys_done(k);
	return err_unavailable(e, "AWS profile '%s': SSO does not give keys of the role %s in the account %s: answer %d: %s", sso->profile, sso->role,
			       sso->account, answer->status, message ? message : "no reason given");
}

int aws_keys_of_sso(const struct aws_sso *sso, struct web *web, int64_t now_us, struct aws_keys *k, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	_cleanup_(buffer_wipe) struct buffer headers = BUFFER_INIT;
	_cleanup_(buffer_done) struct buffer url = BUFFER_INIT;
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	const char *token;

	if (check(sso, e) < 0 || aws_sso_token(sso, web, now_us, &arena, &token, e) < 0)
		return -1;
	put_url(sso, &url);
	buffer_printf(&headers, "x-amz-sso_bearer_token: %.*s\n", (int)strcspn(token, "\r\n"), token);
	if (web_call_again(web, &(struct web_request){ .method = "GET", .url = url.data, .headers = &headers, .limit = ANSWER_LIMIT,
						       .timeout_s = 5, .total_s = 15 }, &answer, e) < 0)
		return -1;
	return take(sso, &answer, k, e);
}
