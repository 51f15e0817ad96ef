/* SPDX-License-Identifier: Apache-2.0 */
#include "net/web.h"

#include <ctype.h>
#include <curl/curl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "crypto/crypto.h"
#include "net/guard.h"

#define ATTEMPTS 5
#define FIRST_PAUSE_MS 100
#define LONGEST_PAUSE_MS 10000
#define STALL_S 20L	/* a connection on which nothing moves for so long has failed */

struct web {
	CURL *curl;
	struct observer observer;
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

void web_observe(struct web *web, const struct observer *observer)
{
	web->observer = *observer;
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

/* Over HTTP/2 without TLS libcurl 7.88 cannot send a second request on a connection: each has its own. */
static void set_version(CURL *c, const char *url, const struct web_options *o)
{
	bool plain = strncmp(url, "https:", 6) != 0;
	long version = !o->http2 ? (long)CURL_HTTP_VERSION_1_1 : plain ? (long)CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE : (long)CURL_HTTP_VERSION_2TLS;

	curl_easy_setopt(c, CURLOPT_HTTP_VERSION, version);
	curl_easy_setopt(c, CURLOPT_FORBID_REUSE, o->http2 && plain ? 1L : 0L);
}

static int ask_going(void *context, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	const struct web_options *o = context;

	(void)a, (void)b, (void)c, (void)d;
	return !o->going();
}

static void set_limits(CURL *c, const struct web_request *rq, const struct web_options *o)
{
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, 5L);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, o->timeout_ms ? (long)o->timeout_ms : (rq->timeout_s ? rq->timeout_s : 60) * 1000L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, 1L);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, STALL_S);
	if (!o->going)
		return;
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, ask_going);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, o);
}

/* As other programs of an administrator take the certificates of a private authority. */
static void set_authorities(CURL *c, const struct web_options *o)
{
	const char *file = o->ca_file ? o->ca_file : getenv("SSL_CERT_FILE");

	if (file && *file)
		curl_easy_setopt(c, CURLOPT_CAINFO, file);
}

static void set_up(CURL *c, const struct web_request *rq, const struct web_options *o, struct taking *t, struct curl_slist *headers)
{
	curl_easy_reset(c);
	curl_easy_setopt(c, CURLOPT_URL, rq->url);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	set_version(c, rq->url, o);
	set_limits(c, rq, o);
	set_authorities(c, o);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "pulumi-api");
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(c, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(c, CURLOPT_HEADERDATA, t);
	set_body(c, rq);
}

/* A guarded call while it runs. */
struct guarded {
	const struct guard *guard;
	bool any_certificate;
	struct addrinfo *proxy;	/* where the proxy of the environment is; NULL: there is none */
	bool refused;
};

static void release_part(char **part)
{
	curl_free(*part);
}

static void release_url(CURLU **url)
{
	curl_url_cleanup(*url);
}

/* The proxy is the administrator's: it may be on a private network. */
static struct addrinfo *find_proxy(void)
{
	static const char *const names[] = { "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY" };
	CURLU *url __attribute__((cleanup(release_url))) = curl_url();
	char *host __attribute__((cleanup(release_part))) = NULL;
	char *port __attribute__((cleanup(release_part))) = NULL;
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *found = NULL;
	const char *value = NULL;

	for (size_t i = 0; !value && i < sizeof(names) / sizeof(names[0]); i++)
		if (getenv(names[i]) && *getenv(names[i]))
			value = getenv(names[i]);
	if (!value || curl_url_set(url, CURLUPART_URL, value, CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME) ||
	    curl_url_get(url, CURLUPART_HOST, &host, 0))
		return NULL;
	if (curl_url_get(url, CURLUPART_PORT, &port, 0))
		port = NULL;
	return getaddrinfo(host,
			   port				 ? port
			   : strncmp(value, "https:", 6) ? "1080"
							 : "443",
			   &hints, &found)
		       ? NULL
		       : found;
}

static bool is_proxy(const struct guarded *g, const struct curl_sockaddr *address)
{
	for (const struct addrinfo *a = g->proxy; a; a = a->ai_next)
		if (a->ai_addrlen == address->addrlen && !memcmp(a->ai_addr, &address->addr, a->ai_addrlen))
			return true;
	return false;
}

/* Called with the address that will be connected to: no name can resolve to another one afterwards. */
static curl_socket_t open_guarded(void *context, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct guarded *g = context;

	(void)purpose;
	if (guard_allows(g->guard, &address->addr) || is_proxy(g, address))
		return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	g->refused = true;
	return CURL_SOCKET_BAD;
}

/* The host may be an address that only the proxy would look at. */
static bool host_allowed(const struct guard *guard, const struct web_request *rq)
{
	CURLU *url __attribute__((cleanup(release_url))) = curl_url();
	char *host __attribute__((cleanup(release_part))) = NULL;

	return !curl_url_set(url, CURLUPART_URL, rq->url, 0) && !curl_url_get(url, CURLUPART_HOST, &host, 0) &&
	       guard_allows_host(guard, host);
}

/* A connection that is there already was opened for somebody else, and tells nothing about its certificate. */
static void set_up_guard(CURL *c, struct guarded *g)
{
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, open_guarded);
	curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, g);
	curl_easy_setopt(c, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(c, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(c, CURLOPT_CERTINFO, 1L);
	if (g->any_certificate) {
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 0L);
	}
}

/* The first certificate of the chain is the server's. */
static void take_certificate(CURL *c, struct web_answer *answer)
{
	struct curl_certinfo *chain = NULL;

	if (curl_easy_getinfo(c, CURLINFO_CERTINFO, &chain) || !chain || chain->num_of_certs < 1)
		return;
	for (const struct curl_slist *each = chain->certinfo[0]; each; each = each->next)
		if (!strncmp(each->data, "Cert:", 5))
			buffer_puts(&answer->certificate, each->data + 5);
}

/* Host and path without the query, which may hold a signature. */
static int failed(const struct web_request *rq, const char *why, struct err *e)
{
	return err_unavailable(e, "%s %.*s: %s", rq->method, (int)strcspn(rq->url, "?"), rq->url, why);
}

/* Host and port only: a path or a query may hold what opens something. */
static void observe(struct web *web, const struct web_request *rq, int64_t began_ns, long status)
{
	const char *host = strstr(rq->url, "://") ? strstr(rq->url, "://") + 3 : rq->url;
	_cleanup_(buffer_done) struct buffer server = BUFFER_INIT;
	long port = 0;

	if (!web->observer.done)
		return;
	host += host[0] == '[';
	buffer_append(&server, host, host > rq->url && host[-1] == '[' ? strcspn(host, "]") : strcspn(host, ":/?"));
	curl_easy_getinfo(web->curl, CURLINFO_PRIMARY_PORT, &port);
	web->observer.done(web->observer.context, &(struct observation){
		.name = rq->method, .began_ns = began_ns, .ended_ns = clock_ns(), .server = server.data, .port = (int)port,
		.status = (int)status, .failed = !status || (status >= 400 && status != 404) });
}

static CURLcode perform(struct web *web, const struct web_request *rq, const struct web_options *options,
			struct web_answer *ret_answer, struct guarded *g)
{
	struct curl_slist *headers = header_list(rq->headers);
	struct taking t = { ret_answer, rq->limit };
	int64_t began_ns = observe_begin(&web->observer);
	long status = 0;
	CURLcode rc;

	set_up(web->curl, rq, options, &t, headers);
	if (g)
		set_up_guard(web->curl, g);
	rc = curl_easy_perform(web->curl);
	curl_slist_free_all(headers);
	if (rc == CURLE_OK)
		curl_easy_getinfo(web->curl, CURLINFO_RESPONSE_CODE, &status);
	observe(web, rq, began_ns, status);
	return rc;
}

/* What became of it, when `rc` says that there was no answer. */
static int finish(struct web *web, const struct web_request *rq, CURLcode rc, struct web_answer *ret_answer,
		  struct err *e)
{
	long status = 0;

	if (rc != CURLE_OK) {
		if (ret_answer->failure == WEB_ANSWERED)
			ret_answer->failure = rc == CURLE_PEER_FAILED_VERIFICATION ? WEB_UNTRUSTED : WEB_FAILED;
		return failed(rq,
			      ret_answer->failure == WEB_REFUSED ? "the address is not allowed"
								 : curl_easy_strerror(rc),
			      e);
	}
	curl_easy_getinfo(web->curl, CURLINFO_RESPONSE_CODE, &status);
	ret_answer->status = (int)status;
	return 1;
}

static void clear(struct web_answer *answer)
{
	buffer_clear(&answer->body);
	buffer_clear(&answer->headers);
	buffer_clear(&answer->certificate);
	answer->failure = WEB_ANSWERED;
}

int web_call_with(struct web *web, const struct web_request *rq, const struct web_options *options, struct web_answer *ret_answer,
		  struct err *e)
{
	clear(ret_answer);
	return finish(web, rq, perform(web, rq, options, ret_answer, NULL), ret_answer, e);
}

static const struct web_options usual = { 0 };

int web_call(struct web *web, const struct web_request *rq, struct web_answer *ret_answer, struct err *e)
{
	return web_call_with(web, rq, &usual, ret_answer, e);
}

int web_call_guarded(struct web *web, const struct guard *guard, bool any_certificate, const struct web_request *rq,
		     struct web_answer *ret_answer, struct err *e)
{
	struct guarded g = { .guard = guard, .any_certificate = any_certificate };
	CURLcode rc = CURLE_COULDNT_CONNECT;

	clear(ret_answer);
	if (host_allowed(guard, rq)) {
		g.proxy = find_proxy();
		rc = perform(web, rq, &usual, ret_answer, &g);
		if (g.proxy)
			freeaddrinfo(g.proxy);
		take_certificate(web->curl, ret_answer);
	} else {
		g.refused = true;
	}
	if (rc != CURLE_OK && g.refused)
		ret_answer->failure = WEB_REFUSED;
	return finish(web, rq, rc, ret_answer, e);
}

/* What the answer asks for; 0 when it says nothing, or a date. */
static long asked_pause_ms(const struct web_answer *answer)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	const char *text = web_header(answer, "Retry-After", &arena);
	long ms = text && isdigit((unsigned char)*text) ? strtol(text, NULL, 10) : 0;

	return ms > LONGEST_PAUSE_MS / 1000 ? LONGEST_PAUSE_MS : ms * 1000;
}

static long pause_ms(int attempt, long asked_ms)
{
	unsigned char random;
	long ms = FIRST_PAUSE_MS << attempt;

	random_bytes(&random, 1);
	return asked_ms + ms / 2 + ms / 2 * random / 255;
}

static void wait_ms(long ms)
{
	nanosleep(&(struct timespec){ ms / 1000, ms % 1000 * 1000000 }, NULL);
}

void web_pause(int attempt)
{
	wait_ms(pause_ms(attempt, 0));
}

static long clock_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int web_call_again(struct web *web, const struct web_request *rq, struct web_answer *ret_answer, struct err *e)
{
	long began_ms = clock_ms();

	for (int attempt = 0;; attempt++) {
		struct err last = { 0 };
		int rc = web_call(web, rq, ret_answer, &last);
		long ms;

		if (rc == 1 && ret_answer->status != 429 && ret_answer->status < 500)
			return 1;
		ms = pause_ms(attempt, rc == 1 ? asked_pause_ms(ret_answer) : 0);
		if (attempt == ATTEMPTS - 1 || (rq->total_s && clock_ms() + ms - began_ms > rq->total_s * 1000L)) {
			if (rc < 0)
				*e = last;
			return rc;
		}
		wait_ms(ms);
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
	buffer_done(&answer->certificate);
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
