/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IAM Identity Center: whoever has a token, which `aws sso login` leaves in ~/.aws/sso/cache, gets the keys of a role for an
 * hour or so (SSO portal API, GetRoleCredentials). Nobody can log in here: a token that is missing or has ended is an error.
 */
#include <ctype.h>
#include <gnutls/crypto.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "crypto/aead.h"
#include "crypto/crypto.h"
#include "net/aws_keys.h"

#define SHA1_BYTES 20
#define ANSWER_LIMIT 65536
#define INSTEAD "a server is better served by the role of its machine or container, AWS_WEB_IDENTITY_TOKEN_FILE or access keys"

static void json_release(json_t **json)
{
	json_decref(*json);
}

static const char *member(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

/* Named by the SHA-1 of the session's name, or of the start address of a profile without a session. */
static const char *token_path(const struct aws_sso *sso, struct arena *arena)
{
	const char *name = sso->session ? sso->session : sso->start_url, *home = aws_environment("HOME");
	unsigned char digest[SHA1_BYTES];
	char hex[2 * SHA1_BYTES + 1];

	if (gnutls_hash_fast(GNUTLS_DIG_SHA1, name, strlen(name), digest) < 0)
		return "";
	hex_encode(digest, sizeof(digest), hex);
	return arena_printf(arena, "%s/.aws/sso/cache/%s.json", home ? home : "", hex);
}

/* The token, in the arena. */
static int read_token(const struct aws_sso *sso, int64_t now_us, struct arena *arena, const char **ret_token, struct err *e)
{
	const char *path = token_path(sso, arena), *token, *ends;
	FILE *file = fopen(path, "re");
	json_t *object __attribute__((cleanup(json_release))) = file ? json_loadf(file, 0, NULL) : NULL;
	struct tm tm = { 0 };

	if (file)
		fclose(file);
	token = member(object, "accessToken");
	ends = member(object, "expiresAt");
	if (!token || !ends || !strptime(ends, "%Y-%m-%dT%H:%M:%S", &tm))
		return err_unavailable(e, "AWS profile '%s': there is no SSO token in %s: run 'aws sso login --profile %s' as the user of the "
				       "server; " INSTEAD, sso->profile, path, sso->profile);
	if ((int64_t)timegm(&tm) * 1000000 <= now_us)
		return err_unavailable(e, "AWS profile '%s': its SSO token ended at %s: run 'aws sso login --profile %s' as the user of the "
				       "server; " INSTEAD, sso->profile, ends, sso->profile);
	*ret_token = arena_strdup(arena, token);
	return 1;
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

	if (check(sso, e) < 0 || read_token(sso, now_us, &arena, &token, e) < 0)
		return -1;
	put_url(sso, &url);
	buffer_printf(&headers, "x-amz-sso_bearer_token: %.*s\n", (int)strcspn(token, "\r\n"), token);
	if (web_call_again(web, &(struct web_request){ .method = "GET", .url = url.data, .headers = &headers, .limit = ANSWER_LIMIT,
						       .timeout_s = 5, .total_s = 15 }, &answer, e) < 0)
		return -1;
	return take(sso, &answer, k, e);
}
