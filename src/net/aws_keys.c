/* SPDX-License-Identifier: Apache-2.0 */
#include "net/aws_keys.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ANSWER_LIMIT 65536

const char *aws_environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

void aws_keys_done(struct aws_keys *k)
{
	free(k->access_key);
	free(k->secret_key);
	free(k->session_token);
	*k = (struct aws_keys){ 0 };
}

static char *copy(const char *text)
{
	return text && *text ? xstrdup(text) : NULL;
}

static int64_t time_of(const char *text)
{
	struct tm tm = { 0 };

	return text && strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) ? (int64_t)timegm(&tm) * 1000000 : 0;
}

void aws_keys_set(struct aws_keys *k, const char *access, const char *secret, const char *token, const char *expiration)
{
	aws_keys_done(k);
	*k = (struct aws_keys){ copy(access), copy(secret), copy(token), time_of(expiration) };
}

static int complete(const struct aws_keys *k)
{
	return k->access_key && k->secret_key;
}

int aws_keys_of_environment(struct aws_keys *k)
{
	aws_keys_set(k, aws_environment("AWS_ACCESS_KEY_ID"), aws_environment("AWS_SECRET_ACCESS_KEY"),
		     aws_environment("AWS_SESSION_TOKEN"), NULL);
	return complete(k);
}

static void json_release(json_t **json)
{
	json_decref(*json);
}

static const char *member(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

int aws_keys_of_json(struct span text, struct aws_keys *k)
{
	json_t *object __attribute__((cleanup(json_release))) = json_loadb(text.data ? text.data : "", text.length, 0, NULL);
	const char *token = member(object, "Token");

	aws_keys_set(k, member(object, "AccessKeyId"), member(object, "SecretAccessKey"),
		     token ? token : member(object, "SessionToken"), member(object, "Expiration"));
	return complete(k);
}

static int get(struct web *web, const char *method, const char *url, const struct buffer *headers, struct web_answer *answer,
	       struct err *e)
{
	struct web_request rq = { .method = method, .url = url, .headers = headers, .limit = ANSWER_LIMIT, .timeout_s = 2 };

	/* An empty body still has a length, which the services want to see. */
	if (strcmp(method, "GET"))
		rq.body = SPAN("");
	if (web_call(web, &rq, answer, e) < 0)
		return -1;
	buffer_puts(&answer->body, "");
	return answer->status == 200 ? 1 : err_unavailable(e, "%s %s: answer %d", method, url, answer->status);
}

/* The token as text, or in a file that its owner may replace at any time. */
static void put_token(struct buffer *headers)
{
	const char *token = aws_environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
	const char *path = aws_environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
	FILE *file = path ? fopen(path, "re") : NULL;
	char text[ANSWER_LIMIT];

	if (file) {
		text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
		fclose(file);
		token = text;
	}
	if (token)
		buffer_printf(headers, "Authorization: %.*s\n", (int)strcspn(token, "\r\n"), token);
}

int aws_keys_of_container(struct web *web, struct aws_keys *k, struct err *e)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	_cleanup_(buffer_done) struct buffer headers = BUFFER_INIT, url = BUFFER_INIT;
	const char *relative = aws_environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
	const char *full = aws_environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");

	if (!relative && !full)
		return 0;
	buffer_printf(&url, "%s%s", relative ? "http://169.254.170.2" : "", relative ? relative : full);
	put_token(&headers);
	if (get(web, "GET", url.data, &headers, &answer, e) < 0)
		return -1;
	return aws_keys_of_json(buffer_span(&answer.body), k) ? 1 : err_unavailable(e, "GET %s: no credentials in the answer", url.data);
}

/* The instance's own service: a session first, then the role's name, then its keys. */
int aws_keys_of_instance(struct web *web, struct aws_keys *k)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	_cleanup_(buffer_done) struct buffer headers = BUFFER_INIT, url = BUFFER_INIT;
	const char *base = aws_environment("AWS_EC2_METADATA_SERVICE_ENDPOINT"), *disabled = aws_environment("AWS_EC2_METADATA_DISABLED");
	struct err ignored = { 0 };

	if (disabled && !strcmp(disabled, "true"))
		return 0;
	base = base ? base : "http://169.254.169.254";
	buffer_puts(&headers, "X-aws-ec2-metadata-token-ttl-seconds: 21600\n");
	buffer_printf(&url, "%s/latest/api/token", base);
	if (get(web, "PUT", url.data, &headers, &answer, &ignored) < 0)
		return 0;
	buffer_clear(&headers);
	buffer_printf(&headers, "X-aws-ec2-metadata-token: %.*s\n", (int)strcspn(answer.body.data, "\r\n"), answer.body.data);
	buffer_clear(&url);
	buffer_printf(&url, "%s/latest/meta-data/iam/security-credentials/", base);
	if (get(web, "GET", url.data, &headers, &answer, &ignored) < 0)
		return 0;
	buffer_append(&url, answer.body.data, strcspn(answer.body.data, "\r\n"));
	return get(web, "GET", url.data, &headers, &answer, &ignored) == 1 && aws_keys_of_json(buffer_span(&answer.body), k);
}
