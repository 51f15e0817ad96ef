/* SPDX-License-Identifier: Apache-2.0 */
#include "net/web.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "crypto/crypto.h"

#define ATTEMPTS 5
#define FIRST_PAUSE_MS 100
#define STALL_S 20L	/* a connection on which nothing moves for so long has failed */

struct web {
	CURL *curl;
};

struct web *web_open(void)
{
	struct web *web = xcalloc(1, sizeof(*web));

	curl_global_init(CURL_GLOBAL_DEFAULT);
	web->curl = curl_easy_init();
	if (!web->curl)
		abort();
	return web;
}

void web_close(struct web *web)
{
	if (!web)
		return;
	curl_easy_cleanup(web->curl);
	free(web);
}

struct taking {
	struct web_answer *answer;
	size_t limit;
};

static size_t take_body(char *data, size_t size, size_t count, void *context)
{
	struct taking *t = context;

	if (size * count > t->limit - t->answer->body.length)
		return 0;
	buffer_append(&t->answer->body, data, size * count);
	return size * count;
}

static size_t take_header(char *data, size_t size, size_t count, void *context)
{
	struct taking *t = context;

	/* A further status line starts another set: only the last one counts. */
	if (size * count > 5 && !memcmp(data, "HTTP/", 5))
		buffer_clear(&t->answer->headers);
	buffer_append(&t->answer->headers, data, size * count);
	return size * count;
}

static struct curl_slist *header_list(const struct buffer *headers)
{
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	const char *at = headers ? headers->data : "";

	while (at && *at) {
		size_t n = strcspn(at, "\r\n");
		_cleanup_(buffer_done) struct buffer line = BUFFER_INIT;

		buffer_append(&line, at, n);
		if (n)
			list = curl_slist_append(list, line.data);
		at += n + strspn(at + n, "\r\n");
	}
	return list;
}

static void set_body(CURL *c, const struct web_request *rq)
{
	if (!strcmp(rq->method, "HEAD"))
		curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
	else
		curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, rq->method);
	if (!rq->body.data)
		return;
	curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)rq->body.length);
	curl_easy_setopt(c, CURLOPT_POSTFIELDS, rq->body.data);
}

static void set_up(CURL *c, const struct web_request *rq, struct taking *t, struct curl_slist *headers)
{
	curl_easy_reset(c);
	curl_easy_setopt(c, CURLOPT_URL, rq->url);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 5L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)(rq->timeout_s ? rq->timeout_s : 60));
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, STALL_S);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "pulumi-api");
	/* As other programs of an administrator take the certificates of a private authority. */
	if (getenv("SSL_CERT_FILE") && *getenv("SSL_CERT_FILE"))
		curl_easy_setopt(c, CURLOPT_CAINFO, getenv("SSL_CERT_FILE"));
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
	set_body(c, rq);
}

/* Host and path without the query, which may hold a signature. */
static int failed(const struct web_request *rq, const char *why, struct err *e)
{
	return err_unavailable(e, "%s %.*s: %s", rq->method, (int)strcspn(rq->url, "?"), rq->url, why);
}

int web_call(struct web *web, const struct web_request *rq, struct web_answer *ret_answer, struct err *e)
{
	struct curl_slist *headers = header_list(rq->headers);
	struct taking t = { ret_answer, rq->limit };
	long status = 0;
	CURLcode rc;

	buffer_clear(&ret_answer->body);
	buffer_clear(&ret_answer->headers);
	set_up(web->curl, rq, &t, headers);
	rc = curl_easy_perform(web->curl);
	curl_slist_free_all(headers);
	if (rc != CURLE_OK)
		return failed(rq, curl_easy_strerror(rc), e);
	curl_easy_getinfo(web->curl, CURLINFO_RESPONSE_CODE, &status);
	ret_answer->status = (int)status;
	return 1;
}

void web_pause(int attempt)
{
	unsigned char random;
	long ms = FIRST_PAUSE_MS << attempt;
	struct timespec t;

	random_bytes(&random, 1);
	ms = ms / 2 + ms / 2 * random / 255;
	t = (struct timespec){ ms / 1000, ms % 1000 * 1000000 };
	nanosleep(&t, NULL);
}

int web_call_again(struct web *web, const struct web_request *rq, struct web_answer *ret_answer, struct err *e)
{
	for (int attempt = 0;; attempt++) {
		struct err last = { 0 };
		int rc = web_call(web, rq, ret_answer, &last);

		if (rc == 1 && ret_answer->status != 429 && ret_answer->status < 500)
			return 1;
		if (attempt == ATTEMPTS - 1) {
			if (rc < 0)
				*e = last;
			return rc;
		}
		web_pause(attempt);
	}
}

const char *web_header(const struct web_answer *answer, const char *name, struct arena *arena)
{
	size_t n = strlen(name);

	for (const char *at = answer->headers.data; at && *at; at += strcspn(at, "\n"), at += *at == '\n') {
		const char *value = at + n + 1;

		if (strncasecmp(at, name, n) || at[n] != ':')
			continue;
		value += strspn(value, " \t");
		return arena_strndup(arena, value, strcspn(value, "\r\n"));
	}
	return NULL;
}

void web_answer_done(struct web_answer *answer)
{
	buffer_done(&answer->body);
	buffer_done(&answer->headers);
}

void web_escape(struct span text, bool slash, struct buffer *ret_text)
{
	for (size_t i = 0; i < text.length; i++) {
		unsigned char c = (unsigned char)text.data[i];

		if ((c < 0x80 && isalnum(c)) || (c && strchr("-._~", c)) || (c == '/' && slash))
			buffer_putc(ret_text, (char)c);
		else
			buffer_printf(ret_text, "%%%02X", c);
	}
}
