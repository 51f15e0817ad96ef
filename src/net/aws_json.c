/* SPDX-License-Identifier: Apache-2.0 */
#include "net/aws_json.h"

#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "net/aws.h"

#define ANSWER_LIMIT (16ULL << 20)
#define SECOND_NS 1000000000LL
#define SHOWN 250	/* bytes of an answer, in a sentence */

struct aws_json {
	const struct aws_json_service *service;
	struct web *web;
	struct aws *aws;
	char *region, *host, *url;
};

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* http://host:port or https://host:port; what stands behind is a path, which these services do not have. */
static int take_address(struct aws_json *s, const char *setting, const char *variable, const char *address, struct err *e)
{
	_cleanup_(buffer_done) struct buffer host = BUFFER_INIT, url = BUFFER_INIT;
	const char *name = strstr(address, "://");
	size_t length = name ? strcspn(name + 3, "/") : 0;

	if (length == 0 || (strncmp(address, "http://", 7) && strncmp(address, "https://", 8)) || name[3 + length + (name[3 + length] == '/')])
		return err_internal(e, "%s: %s is '%s', it must be http://HOST:PORT or https://HOST:PORT", setting, variable, address);
	buffer_append(&host, name + 3, length);
	buffer_append(&url, address, (size_t)(name + 3 - address) + length);
	buffer_putc(&url, '/');
	s->host = xstrdup(host.data);
	s->url = xstrdup(url.data);
	return 1;
}

static int find_address(struct aws_json *s, const char *setting, const char *region, struct err *e)
{
	static const char all[] = "AWS_ENDPOINT_URL";
	_cleanup_(buffer_done) struct buffer usual = BUFFER_INIT;
	const char *own = getenv(s->service->endpoint), *common = getenv(all);

	region = region ? region : aws_region(s->aws);
	if (!region)
		return err_internal(e, "%s: no region: set AWS_REGION", setting);
	s->region = xstrdup(region);
	if (own && *own)
		return take_address(s, setting, s->service->endpoint, own, e);
	if (common && *common)
		return take_address(s, setting, all, common, e);
	buffer_printf(&usual, "https://%s.%s.amazonaws.com%s", s->service->name, region, strncmp(region, "cn-", 3) ? "" : ".cn");
	return take_address(s, setting, "AWS_REGION", usual.data, e);
}

int aws_json_open(const struct aws_json_service *service, const char *setting, const char *region,
		  struct aws_json **ret_opened, struct err *e)
{
	struct aws_json *s = xcalloc(1, sizeof(*s));

	s->service = service;
	s->web = web_open();
	s->aws = aws_open(NULL);
	if (find_address(s, setting, region, e) < 0) {
		aws_json_close(s);
		return -1;
	}
	*ret_opened = s;
	return 1;
}

void aws_json_close(struct aws_json *s)
{
	if (!s)
		return;
	aws_close(s->aws);
	web_close(s->web);
	free(s->region);
	free(s->host);
	free(s->url);
	free(s);
}

int aws_json_check_credentials(struct aws_json *s, const char *setting, struct err *e)
{
	struct aws_credentials ignored;
	struct err why = { 0 };

	return aws_credentials(s->aws, s->web, now_us(), &ignored, &why) < 0 ? err_internal(e, "%s: %s", setting, why.detail) : 1;
}

void aws_json_observe(struct aws_json *s, const struct observer *observer)
{
	web_observe(s->web, observer);
}

static int sign(struct aws_json *s, const char *operation, struct span body, struct buffer *headers, struct err *e)
{
	_cleanup_(buffer_done) struct buffer target = BUFFER_INIT;
	struct aws_credentials credentials;
	unsigned char digest[SHA256_BYTES];
	char hex[2 * SHA256_BYTES + 1];
	int64_t now = now_us();

	if (aws_credentials(s->aws, s->web, now, &credentials, e) < 0)
		return -1;
	sha256(body, digest);
	hex_encode(digest, sizeof(digest), hex);
	buffer_printf(&target, "x-amz-target: %s.%s\n", s->service->target, operation);
	sigv4_sign(&(struct sigv4_request){ "POST", s->host, "/", "", hex, s->region, s->service->name, now }, &credentials,
		   target.data, headers);
	buffer_printf(headers, "Content-Type: %s\n", s->service->type);
	return 1;
}

/* Each attempt has a signature of its own: credentials and clock go on. */
static int call_once(struct aws_json *s, const char *operation, struct span body, struct web_answer *answer, struct err *e)
{
	_cleanup_(buffer_done) struct buffer headers = BUFFER_INIT;

	if (sign(s, operation, body, &headers, e) < 0)
		return -1;
	return web_call(s->web, &(struct web_request){ "POST", s->url, &headers, body, ANSWER_LIMIT, s->service->timeout_s, 0 }, answer, e);
}

/* {"__type": "name.space#Name", …}; a member of that name can be nowhere else in the answer of an error. */
const char *aws_json_error(const struct web_answer *answer, struct arena *arena)
{
	const char *at = answer->body.data ? strstr(answer->body.data, "\"__type\"") : NULL, *name;
	size_t length;

	if (!at)
		return "";
	at += sizeof("\"__type\"") - 1;
	at += strspn(at, " \t\r\n:");
	if (*at++ != '"')
		return "";
	length = strcspn(at, "\"");
	name = memchr(at, '#', length);
	name = name ? name + 1 : at;
	return arena_strndup(arena, name, length - (size_t)(name - at));
}

static bool is_one_of(const char *name, const char *const *names)
{
	while (*names && strcmp(*names, name))
		names++;
	return *names;
}

static bool is_busy(const struct web_answer *answer, const char *error)
{
	static const char *const errors[] = { "ThrottlingException", "ProvisionedThroughputExceededException", "RequestLimitExceeded",
					      "TransactionInProgressException", NULL };

	return answer->status >= 500 || answer->status == 429 || (answer->status == 400 && is_one_of(error, errors));
}

bool aws_json_has_ended(const struct web_answer *answer)
{
	static const char *const errors[] = { "ExpiredTokenException", "ExpiredToken", "TokenRefreshRequired", NULL };
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;

	return (answer->status == 400 || answer->status == 403) && is_one_of(aws_json_error(answer, &arena), errors);
}

const char *aws_json_said(const struct web_answer *answer, struct arena *arena)
{
	char *text = arena_printf(arena, "answer %d: %.*s", answer->status, SHOWN, answer->body.data ? answer->body.data : "");

	for (char *at = text; *at; at++)
		if ((unsigned char)*at < ' ')
			*at = ' ';
	return text;
}

int aws_json_call(struct aws_json *s, const char *operation, struct span body, int attempts, struct web_answer *answer,
		  struct err *e)
{
	int64_t began_ns = clock_ns();
	bool renewed = false;

	for (int attempt = 0;;) {
		_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
		struct err last = { 0 };
		int rc = call_once(s, operation, body, answer, &last);
		const char *error = rc == 1 && answer->status != 200 ? aws_json_error(answer, &arena) : "";

		if (rc == 1 && !renewed && aws_json_has_ended(answer)) {
			renewed = true;
			aws_forget(s->aws);
			continue;
		}
		if (rc == 1 && !is_busy(answer, error))
			return answer->status == 200;
		if (rc == 1)
			err_unavailable(&last, "%s %s at %s: %s", s->service->name, operation, s->url, aws_json_said(answer, &arena));
		if (++attempt >= attempts || clock_ns() - began_ns > s->service->total_s * SECOND_NS) {
			*e = last;
			return -1;
		}
		web_pause(attempt - 1);
	}
}
