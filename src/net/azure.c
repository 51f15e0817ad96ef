/* SPDX-License-Identifier: Apache-2.0 */
#include "net/azure.h"

#include <gnutls/crypto.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "crypto/aead.h"
#include "crypto/crypto.h"

#define ANSWER_LIMIT (1 << 20)
#define EARLY_US (300 * 1000000LL)	/* a token is renewed this long before it ends */
#define AGAIN_US (10 * 1000000LL)	/* a renewal that failed is tried again after this, while the old one is good */

void azure_date(int64_t time_us, char ret_text[AZURE_DATE])
{
	time_t seconds = (time_t)(time_us / 1000000);
	struct tm tm;

	gmtime_r(&seconds, &tm);
	strftime(ret_text, AZURE_DATE, "%a, %d %b %Y %H:%M:%S GMT", &tm);
}

/* The account's lines without the blank after the colon. */
static void put_lines(const char *lines, struct buffer *out)
{
	for (const char *at = lines; *at; at += strcspn(at, "\n") + 1) {
		const char *value = at + strcspn(at, ":") + 1;

		buffer_append(out, at, (size_t)(value - at));
		value += strspn(value, " ");
		buffer_append(out, value, strcspn(value, "\n") + 1);
	}
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
}

/* Values of the query are signed as they are before the encoding. */
static void put_decoded(const char *text, size_t n, struct buffer *out)
{
	for (size_t i = 0; i < n; i++) {
		if (text[i] == '%' && i + 2 < n && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0) {
			buffer_putc(out, (char)(digit(text[i + 1]) << 4 | digit(text[i + 2])));
			i += 2;
		} else {
			buffer_putc(out, text[i]);
		}
	}
}

static void put_query(const char *query, struct buffer *out)
{
	for (const char *at = query; *at; at += strcspn(at, "&"), at += *at == '&') {
		size_t whole = strcspn(at, "&"), name = strcspn(at, "=&");

		buffer_putc(out, '\n');
		buffer_append(out, at, name);
		buffer_putc(out, ':');
		if (name < whole)
			put_decoded(at + name + 1, whole - name - 1, out);
	}
}

void azure_sign(const struct azure_request *rq, const char *account, struct span key, struct buffer *ret_value)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	unsigned char mac[SHA256_BYTES];

	buffer_printf(&text, "%s\n\n\n", rq->method);
	if (rq->length)
		buffer_printf(&text, "%zu", rq->length);
	buffer_printf(&text, "\n%s\n%s\n\n\n\n\n%s\n\n", rq->md5, rq->type, rq->unmodified_since);
	put_lines(rq->lines, &text);
	buffer_printf(&text, "/%s%s", account, rq->path);
	put_query(rq->query, &text);
	if (gnutls_hmac_fast(GNUTLS_MAC_SHA256, key.data, key.length, text.data, text.length, mac) < 0)
		abort();
	buffer_printf(ret_value, "SharedKey %s:", account);
	base64_encode((struct span){ (const char *)mac, sizeof(mac) }, ret_value);
}

/* --- tokens --- */

struct azure_identity {
	char *resource, *token;
	const char *authority;
	int64_t expires_at, retry_at;
};

static const char *environment(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

struct azure_identity *azure_identity_open(const char *resource, const char *authority)
{
	struct azure_identity *i = xcalloc(1, sizeof(*i));

	i->resource = xstrdup(resource);
	i->authority = authority ? authority : "https://login.microsoftonline.com";
	return i;
}

const char *azure_authority(const char *domain)
{
	static const struct {
		const char *domain, *authority;
	} clouds[] = {
		{ "usgovcloudapi.net", "https://login.microsoftonline.us" },
		{ "chinacloudapi.cn", "https://login.chinacloudapi.cn" },
		{ "azure.cn", "https://login.chinacloudapi.cn" },
	};
	size_t n = strlen(domain);

	for (size_t i = 0; i < sizeof(clouds) / sizeof(clouds[0]); i++) {
		size_t m = strlen(clouds[i].domain);

		if (n > m && domain[n - m - 1] == '.' && !strcasecmp(domain + n - m, clouds[i].domain))
			return clouds[i].authority;
	}
	return NULL;
}

void azure_forget(struct azure_identity *i)
{
	if (i->token)
		wipe(i->token, strlen(i->token));
	free(TAKE(i->token));
	i->expires_at = i->retry_at = 0;
}

void azure_identity_close(struct azure_identity *i)
{
	if (!i)
		return;
	azure_forget(i);
	free(i->resource);
	free(i);
}

static void put_form(struct buffer *form, const char *name, const char *value)
{
	buffer_printf(form, "%s%s=", form->length ? "&" : "", name);
	web_escape(span_of(value), false, form);
}

static void json_release(json_t **json)
{
	json_decref(*json);
}

/* A number, or one as text: both are in use. */
static int64_t seconds_of(const json_t *value)
{
	return json_is_string(value) ? strtoll(json_string_value(value), NULL, 10) : json_integer_value(value);
}

static int refused(const char *who, const struct web_answer *answer, const json_t *object, struct err *e)
{
	const json_t *error = json_object_get(object, "error");
	const char *why = json_string_value(json_object_get(object, "error_description"));

	why = why ? why : json_string_value(json_is_object(error) ? json_object_get(error, "message") : error);
	return err_unavailable(e, "Azure gives no token to %s: answer %d: %.*s", who, answer->status,
			       why ? (int)strcspn(why, "\r\n") : 15, why ? why : "no reason given");
}

/* {"access_token", "expires_in"}, or "expires_on" in seconds since 1970. */
static int take(struct azure_identity *i, const char *who, const struct web_answer *answer, int64_t now_us, struct err *e)
{
	json_t *object __attribute__((cleanup(json_release))) =
		json_loadb(answer->body.data ? answer->body.data : "", answer->body.length, 0, NULL);
	const char *token = json_string_value(json_object_get(object, "access_token"));
	int64_t in = seconds_of(json_object_get(object, "expires_in")), on = seconds_of(json_object_get(object, "expires_on"));

	if (answer->status != 200 || !token)
		return refused(who, answer, object, e);
	azure_forget(i);
	i->token = xstrdup(token);
	i->expires_at = in ? now_us + in * 1000000 : on * 1000000;
	return 1;
}

static int put_assertion(struct buffer *form, const char *path, struct err *e)
{
	char text[65536];
	FILE *file = fopen(path, "re");

	if (!file)
		return err_unavailable(e, "AZURE_FEDERATED_TOKEN_FILE: cannot read %s", path);
	text[fread(text, 1, sizeof(text) - 1, file)] = '\0';
	fclose(file);
	text[strcspn(text, "\r\n")] = '\0';
	put_form(form, "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
	put_form(form, "client_assertion", text);
	return 1;
}

static int call(struct azure_identity *i, struct web *web, const char *who, const struct web_request *rq, int64_t now_us,
		struct err *e)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };

	if (web_call_again(web, rq, &answer, e) < 0)
		return -1;
	return take(i, who, &answer, now_us, e);
}

/* An application: 0 when the environment names none. */
static int ask_application(struct azure_identity *i, struct web *web, int64_t now_us, struct err *e)
{
	_cleanup_(buffer_wipe) struct buffer form = BUFFER_INIT;
	_cleanup_(buffer_done) struct buffer url = BUFFER_INIT, scope = BUFFER_INIT, headers = BUFFER_INIT;
	const char *client = environment("AZURE_CLIENT_ID"), *tenant = environment("AZURE_TENANT_ID");
	const char *secret = environment("AZURE_CLIENT_SECRET"), *file = environment("AZURE_FEDERATED_TOKEN_FILE");
	const char *authority = environment("AZURE_AUTHORITY_HOST");

	if (!client || !tenant || (!secret && !file))
		return 0;
	authority = authority ? authority : i->authority;
	buffer_printf(&url, "%.*s/%s/oauth2/v2.0/token", (int)(strlen(authority) - (authority[strlen(authority) - 1] == '/')), authority,
		      tenant);
	buffer_printf(&scope, "%s/.default", i->resource);
	put_form(&form, "grant_type", "client_credentials");
	put_form(&form, "client_id", client);
	put_form(&form, "scope", scope.data);
	if (secret)
		put_form(&form, "client_secret", secret);
	else if (put_assertion(&form, file, e) < 0)
		return -1;
	buffer_puts(&headers, "Content-Type: application/x-www-form-urlencoded\n");
	return call(i, web, "AZURE_CLIENT_ID",
		    &(struct web_request){ "POST", url.data, &headers, buffer_span(&form), ANSWER_LIMIT, 10, 20 }, now_us, e);
}

/* What the machine is: the endpoint that a hosting service names, or else the one that every virtual machine has. */
static int ask_machine(struct azure_identity *i, struct web *web, int64_t now_us, struct err *e)
{
	_cleanup_(buffer_done) struct buffer url = BUFFER_INIT, headers = BUFFER_INIT;
	const char *endpoint = environment("IDENTITY_ENDPOINT"), *secret = environment("IDENTITY_HEADER");
	const char *client = environment("AZURE_CLIENT_ID"), *host = environment("AZURE_POD_IDENTITY_AUTHORITY_HOST");
	bool hosted = endpoint && secret;

	if (hosted) {
		buffer_printf(&url, "%s?api-version=2019-08-01&resource=", endpoint);
		buffer_printf(&headers, "X-IDENTITY-HEADER: %s\n", secret);
	} else {
		buffer_printf(&url, "%s/metadata/identity/oauth2/token?api-version=2018-02-01&resource=",
			      host ? host : "http://169.254.169.254");
		buffer_puts(&headers, "Metadata: true\n");
	}
	web_escape(span_of(i->resource), false, &url);
	if (client) {
		buffer_puts(&url, "&client_id=");
		web_escape(span_of(client), false, &url);
	}
	return call(i, web, "the managed identity", &(struct web_request){ .method = "GET", .url = url.data, .headers = &headers,
			    .limit = ANSWER_LIMIT, .timeout_s = 3 }, now_us, e);
}

static int renew(struct azure_identity *i, struct web *web, int64_t now_us, struct err *e)
{
	int rc = ask_application(i, web, now_us, e);

	return rc ? rc : ask_machine(i, web, now_us, e);
}

/* One that ends soon still serves while nobody gives another. */
int azure_token(struct azure_identity *i, struct web *web, int64_t now_us, const char **ret_token, struct err *e)
{
	bool good = i->token && i->expires_at > now_us;
	struct err failure = { 0 };

	if ((!good || (i->expires_at - EARLY_US <= now_us && i->retry_at <= now_us)) && renew(i, web, now_us, &failure) < 0) {
		i->retry_at = now_us + AGAIN_US;
		if (!good) {
			*e = failure;
			return -1;
		}
	}
	*ret_token = i->token;
	return 1;
}
