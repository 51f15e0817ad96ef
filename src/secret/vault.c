/* SPDX-License-Identifier: Apache-2.0 */
#include "secret/vault.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "json/scan.h"
#include "json/write.h"

#define API "api-version=7.4"
#define ALGORITHM "RSA-OAEP-256"
#define ANSWER_LIMIT (256 << 10)
#define TIMEOUT_S 5		/* of one attempt */
#define TOTAL_S 15		/* of all attempts */
#define LONGEST_LIST 40		/* pages of 25 versions */

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* --- the place --- */

static size_t name_length(const char *text)
{
	size_t n = 0;

	while (isalnum((unsigned char)text[n]) || text[n] == '-')
		n++;
	return n;
}

/* Names in a vault do not differ in case: what is digested is lower. */
static char *lower(const char *text, size_t n)
{
	struct buffer b = BUFFER_INIT;

	buffer_append(&b, text, n);
	for (size_t i = 0; i < n; i++)
		b.data[i] = (char)tolower((unsigned char)b.data[i]);
	return b.data;
}

/* The version's name, "" for none; NULL when the text is no place. */
static const char *read_place(struct vault *v, const char *where)
{
	const char *host = where + strlen("https://"), *key, *version;
	size_t n = strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.:");

	if (strncmp(where, "https://", strlen("https://")) || !n || strncmp(host + n, "/keys/", strlen("/keys/")))
		return NULL;
	key = host + n + strlen("/keys/");
	v->base = lower(where, strlen("https://") + n);
	n = name_length(key);
	v->key = lower(key, n);
	version = key + n + (key[n] == '/');
	if (!n || (key[n] && key[n] != '/') || version[name_length(version)] || strlen(version) >= VAULT_VERSION_NAME)
		return NULL;
	return version;
}

int vault_open(const char *setting, const char *where, struct vault **ret_vault, struct err *e)
{
	struct vault *v = xcalloc(1, sizeof(*v));
	const char *version = read_place(v, where);

	if (!version) {
		vault_close(v);
		return err_internal(e, "%s: '%s' is no key: it must be https://VAULT, the vault's address without a path, then /keys/NAME, "
				    "then perhaps /VERSION; names have letters, digits and '-'", setting, where);
	}
	v->web = web_open();
	v->pinned = *version;
	if (v->pinned)
		v->active = vault_add_version(v, span_of(version));
	*ret_vault = v;
	return 1;
}

void vault_close(struct vault *v)
{
	azure_identity_close(v->identity);
	web_close(v->web);
	free(v->base);
	free(v->key);
	free(v->versions);
	free(v);
}

const struct vault_version *vault_version_of(const struct vault *v, const char *id)
{
	for (size_t i = 0; i < v->count; i++)
		if (!strcmp(v->versions[i].id, id))
			return &v->versions[i];
	return NULL;
}

size_t vault_add_version(struct vault *v, struct span name)
{
	_cleanup_(buffer_done) struct buffer address = BUFFER_INIT;
	_cleanup_(freep) char *text = lower(name.data, name.length);
	struct vault_version version = { 0 };
	unsigned char digest[SHA256_BYTES];

	snprintf(version.name, sizeof(version.name), "%s", text);
	buffer_printf(&address, "%s/keys/%s/%s", v->base, v->key, version.name);
	sha256(buffer_span(&address), digest);
	hex_encode(digest, (MASTER_KEY_ID - 1) / 2, version.id);
	for (size_t i = 0; i < v->count; i++)
		if (!strcmp(v->versions[i].id, version.id))
			return i;
	v->versions = xrealloc(v->versions, (v->count + 1) * sizeof(*v->versions));
	v->versions[v->count] = version;
	return v->count++;
}

/* --- calls --- */

static int call_once(struct vault *v, const char *method, const char *url, struct span body, struct web_answer *ret_answer,
		     struct err *e)
{
	_cleanup_(buffer_wipe) struct buffer headers = BUFFER_INIT;
	const char *token;

	if (azure_token(v->identity, v->web, now_us(), &token, e) < 0)
		return -1;
	buffer_printf(&headers, "Authorization: Bearer %s\nContent-Type: application/json\n", token);
	return web_call_again(v->web, &(struct web_request){ method, url, &headers, body, ANSWER_LIMIT, TIMEOUT_S, TOTAL_S },
			      ret_answer, e);
}

/* A token that the vault no longer takes is asked for once more. */
static int call(struct vault *v, const char *method, const char *url, struct span body, struct web_answer *ret_answer, struct err *e)
{
	if (call_once(v, method, url, body, ret_answer, e) < 0)
		return -1;
	if (ret_answer->status != 401)
		return 1;
	azure_forget(v->identity);
	return call_once(v, method, url, body, ret_answer, e);
}

static bool read_object(const struct web_answer *answer, struct span *ret_object)
{
	struct err ignored = { 0 };

	return answer->body.length && scan_document(buffer_span(&answer->body), ret_object, &ignored) == 1 && *ret_object->data == '{';
}

static bool find_object(struct span object, const char *name, struct span *ret_object)
{
	return scan_find(object, name, ret_object) && *ret_object->data == '{';
}

/* {"error": {"code", "message", "innererror": {"code"}}}: a member's text, "" when it is not there. */
static struct span error_text(const struct web_answer *answer, const char *member, bool inner, struct arena *arena)
{
	struct span object, text;

	if (!read_object(answer, &object) || !find_object(object, "error", &object) ||
	    (inner && !find_object(object, "innererror", &object)) || !scan_find(object, member, &text) ||
	    !scan_text(text, arena, &text))
		return SPAN("");
	return text;
}

static int refused(const struct vault *v, const char *operation, const char *version, const struct web_answer *answer, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;
	struct span inner = error_text(answer, "code", true, &arena), code = error_text(answer, "code", false, &arena);
	struct span message = error_text(answer, "message", false, &arena);

	code = inner.length ? inner : code;
	buffer_printf(&text, "Key Vault %s with %s/keys/%s%s%s: answer %d %.*s: %.*s", operation, v->base, v->key, *version ? "/" : "",
		      version, answer->status, (int)code.length, code.data, (int)message.length, message.data);
	if (answer->status == 429 || answer->status >= 500)
		return err_unavailable(e, "%s", text.data);
	return err_internal(e, "%s", text.data);
}

/* --- whom the vault trusts --- */

/* The domain in which a vault lies is what follows its own name; a port may be left out. */
static bool is_domain_of(const struct vault *v, const char *resource)
{
	const char *domain = strchr(v->base, '.');
	size_t n = domain ? strcspn(domain + 1, ":") : 0;

	if (!n || strncasecmp(resource, "https://", strlen("https://")))
		return false;
	resource += strlen("https://");
	return !strcasecmp(resource, domain + 1) || (strlen(resource) == n && !strncasecmp(resource, domain + 1, n));
}

/* resource="…" or scope="…/.default", in the arena; NULL when neither is there. */
static char *challenged(const char *challenge, struct arena *arena)
{
	const char *value = strstr(challenge, "resource=\"");
	size_t n;

	value = value ? value + strlen("resource=\"") : NULL;
	if (!value && (value = strstr(challenge, "scope=\"")))
		value += strlen("scope=\"");
	if (!value)
		return NULL;
	n = strcspn(value, "\"");
	if (n >= strlen("/.default") && !strncmp(value + n - strlen("/.default"), "/.default", strlen("/.default")))
		n -= strlen("/.default");
	if (n && value[n - 1] == '/')
		n--;
	return arena_strndup(arena, value, n);
}

int vault_greet(struct vault *v, struct err *e)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	_cleanup_(buffer_done) struct buffer url = BUFFER_INIT;
	const char *challenge, *resource;

	buffer_printf(&url, "%s/keys/%s?" API, v->base, v->key);
	if (web_call_again(v->web, &(struct web_request){ .method = "GET", .url = url.data, .limit = ANSWER_LIMIT, .timeout_s = TIMEOUT_S,
							  .total_s = TOTAL_S }, &answer, e) < 0)
		return -1;
	challenge = web_header(&answer, "WWW-Authenticate", &arena);
	resource = challenge ? challenged(challenge, &arena) : NULL;
	if (answer.status != 401 || !resource)
		return err_internal(e, "%s does not answer like a Key Vault: it must ask for a token with 401 and WWW-Authenticate, and "
				    "answers %d", v->base, answer.status);
	if (!is_domain_of(v, resource))
		return err_internal(e, "%s asks for a token for '%s', which is not the domain of its own address: it gets none", v->base, resource);
	v->identity = azure_identity_open(resource, azure_authority(resource));
	return 1;
}

/* --- versions --- */

/* {"kid": "https://…/keys/NAME/VERSION", …}: where the version is in the list. */
static bool take_version(struct vault *v, struct span object, struct arena *arena, size_t *ret_version)
{
	const char *slash = NULL;
	struct span kid, name;

	if (*object.data == '{' && scan_find(object, "kid", &kid) && scan_text(kid, arena, &kid))
		slash = memrchr(kid.data, '/', kid.length);
	if (!slash)
		return false;
	name = (struct span){ slash + 1, (size_t)(kid.data + kid.length - slash - 1) };
	if (!name.length || name.length >= VAULT_VERSION_NAME || name_length(name.data) < name.length)
		return false;
	*ret_version = vault_add_version(v, name);
	return true;
}

static void take_versions(struct vault *v, struct span page, struct arena *arena)
{
	struct span list, each;
	struct scan s;
	size_t ignored;

	if (!scan_find(page, "value", &list) || *list.data != '[')
		return;
	for (scan_open(&s, list); scan_element(&s, &each);)
		take_version(v, each, arena, &ignored);
}

/* The rest of a list is fetched only from where its beginning came from. */
static bool next_page(const struct vault *v, struct span page, struct arena *arena, struct buffer *url)
{
	size_t n = strlen(v->base);
	struct span next;

	if (!scan_find(page, "nextLink", &next) || !scan_text(next, arena, &next) || next.length <= n || next.data[n] != '/' ||
	    strncasecmp(next.data, v->base, n))
		return false;
	buffer_clear(url);
	buffer_append(url, next.data, next.length);
	return true;
}

int vault_list_versions(struct vault *v, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	_cleanup_(buffer_done) struct buffer url = BUFFER_INIT;
	bool more = true;

	buffer_printf(&url, "%s/keys/%s/versions?" API, v->base, v->key);
	for (int pages = 0; more && pages < LONGEST_LIST; pages++) {
		_cleanup_(web_answer_done) struct web_answer answer = { 0 };
		struct span page;

		if (call(v, "GET", url.data, (struct span){ 0 }, &answer, e) < 0)
			return -1;
		if (answer.status == 403)
			return 0;
		if (answer.status != 200 || !read_object(&answer, &page))
			return refused(v, "list of versions", "", &answer, e);
		take_versions(v, page, &arena);
		more = next_page(v, page, &arena, &url);
	}
	return 1;
}

/* --- operations --- */

static void put_key_url(const struct vault *v, const char *version, const char *operation, struct buffer *url)
{
	buffer_printf(url, "%s/keys/%s%s%s%s%s?" API, v->base, v->key, *version ? "/" : "", version, *operation ? "/" : "", operation);
}

static void read_operations(struct span list, struct vault_key *key)
{
	struct span each;
	struct scan s;

	for (scan_open(&s, list); scan_element(&s, &each);) {
		key->encrypts |= span_equal(each, SPAN("\"encrypt\""));
		key->decrypts |= span_equal(each, SPAN("\"decrypt\""));
	}
}

/* {"key": {"kty", "key_ops", …}, "attributes": {"enabled", …}} */
static void read_key(struct span object, struct vault_key *ret_key)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct span key, attributes, value;

	*ret_key = (struct vault_key){ .enabled = true };
	if (find_object(object, "attributes", &attributes) && scan_find(attributes, "enabled", &value))
		ret_key->enabled = *value.data == 't';
	if (!find_object(object, "key", &key))
		return;
	if (scan_find(key, "kty", &value) && scan_text(value, &arena, &value))
		snprintf(ret_key->type, sizeof(ret_key->type), "%.*s", (int)value.length, value.data);
	if (scan_find(key, "key_ops", &value) && *value.data == '[')
		read_operations(value, ret_key);
}

int vault_describe(struct vault *v, const char *version, struct vault_key *ret_key, struct err *e)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	_cleanup_(buffer_done) struct buffer url = BUFFER_INIT;
	struct span object;

	put_key_url(v, version, "", &url);
	if (call(v, "GET", url.data, (struct span){ 0 }, &answer, e) < 0)
		return -1;
	if (answer.status == 403)
		return 0;
	if (answer.status == 404)
		return err_set(e, ERR_NOT_FOUND, "%s", "");
	if (answer.status != 200 || !read_object(&answer, &object))
		return refused(v, "get", version, &answer, e);
	read_key(object, ret_key);
	return 1;
}

/* RFC 4648 §5: the alphabet for addresses, without padding. */
static void put_base64url(struct span bytes, struct buffer *out)
{
	size_t from = out->length;

	base64_encode(bytes, out);
	while (out->length > from && out->data[out->length - 1] == '=')
		out->length--;
	for (size_t i = from; i < out->length; i++)
		out->data[i] = out->data[i] == '+' ? '-' : out->data[i] == '/' ? '_' : out->data[i];
}

static bool read_base64url(struct span text, struct buffer *ret_bytes)
{
	_cleanup_(buffer_wipe) struct buffer standard = BUFFER_INIT;

	buffer_append(&standard, text.data, text.length);
	for (size_t i = 0; i < standard.length; i++)
		standard.data[i] = standard.data[i] == '-' ? '+' : standard.data[i] == '_' ? '/' : standard.data[i];
	while (standard.length % 4)
		buffer_putc(&standard, '=');
	return base64_decode(buffer_span(&standard), ret_bytes);
}

/* {"kid": "https://…/VERSION", "value": "…"} */
static bool read_result(struct vault *v, const struct web_answer *answer, struct buffer *ret_bytes, size_t *ret_version)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct span object, value;
	size_t version;

	if (!read_object(answer, &object) ||
	    !scan_find(object, "value", &value) || !scan_text(value, &arena, &value) || !take_version(v, object, &arena, &version) ||
	    !read_base64url(value, ret_bytes))
		return false;
	if (ret_version)
		*ret_version = version;
	return true;
}

int vault_operate(struct vault *v, const char *operation, const char *version, struct span bytes, struct buffer *ret_bytes,
		  size_t *ret_version, struct err *e)
{
	_cleanup_(buffer_wipe) struct buffer body = BUFFER_INIT;
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	_cleanup_(buffer_done) struct buffer url = BUFFER_INIT;
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;

	put_key_url(v, version, operation, &url);
	buffer_puts(&body, "{\"alg\":\"" ALGORITHM "\",\"value\":\"");
	put_base64url(bytes, &body);
	buffer_puts(&body, "\"}");
	if (call(v, "POST", url.data, buffer_span(&body), &answer, e) < 0)
		return -1;
	if (answer.status == 400 && !strcmp(operation, "decrypt") && span_equal(error_text(&answer, "code", false, &arena), SPAN("BadParameter")))
		return 0;
	if (answer.status != 200 || !read_result(v, &answer, ret_bytes, ret_version))
		return refused(v, operation, version, &answer, e);
	wipe(answer.body.data, answer.body.length);
	return 1;
}
