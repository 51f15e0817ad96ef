/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects in Azure Blob Storage or a server that speaks like it: block blobs. An object is kept in memory until it is complete.
 * Its MD5 travels with it, so that the server checks what it got; its SHA-256 is kept as metadata, and checked when it comes
 * back. Large ones go in blocks, which nobody sees before the list of them is committed.
 */
#include <gnutls/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/settings.h"
#include "base/fault.h"
#include "blob/provider.h"
#include "crypto/aead.h"
#include "crypto/crypto.h"
#include "net/azure.h"
#include "net/query.h"
#include "net/xml.h"

#define BLOCK_BYTES (16ULL << 20)
#define SINGLE_BYTES (64ULL << 20)	/* up to this an object is one request */
#define XML_LIMIT (16ULL << 20)
#define READS 3			/* an object that arrives damaged is asked for so often */
#define MD5_BYTES 16
#define API_VERSION "2021-12-02"
#define RESOURCE "https://storage.azure.com"

struct azure_store {
	struct blob_store store;
	struct web *web;
	struct azure_identity *identity;	/* when there is neither key nor sas */
	char *account, *container, *base, *path;	/* base: scheme://host; path: of the container in it */
	char *sas;				/* a query that is signed already; NULL: none */
	struct buffer key;			/* the account's; empty: none */
	char *service;				/* address of the account */
	struct azure_delegation delegation;	/* signs addresses when there is no key */
};

struct azure_writer {
	struct blob_writer writer;
	struct buffer data;
};

static struct azure_store *azure_of(struct blob_store *store)
{
	return (struct azure_store *)store;
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* One call: `key` may be "" for the container; `query` encoded and in order. */
struct azure_call {
	const char *method, *key, *query;
	struct span body;
	size_t limit;
	const char *first, *second;		/* x-ms-… lines that sort before x-ms-date, and between it and x-ms-version; NULL: none */
	const char *unmodified_since;		/* NULL: no condition */
};

static void put_md5(struct span body, struct buffer *ret_text)
{
	unsigned char digest[MD5_BYTES];

	if (gnutls_hash_fast(GNUTLS_DIG_MD5, body.data, body.length, digest) == 0)
		base64_encode((struct span){ (const char *)digest, sizeof(digest) }, ret_text);
}

static int put_authorization(struct azure_store *s, const struct azure_request *rq, int64_t now, struct buffer *headers, struct err *e)
{
	const char *token;

	if (s->sas)
		return 1;
	buffer_puts(headers, "Authorization: ");
	if (s->key.length) {
		azure_sign(rq, s->account, buffer_span(&s->key), headers);
	} else {
		if (azure_token(s->identity, s->web, now, &token, e) < 0)
			return -1;
		buffer_printf(headers, "Bearer %s", token);
	}
	buffer_putc(headers, '\n');
	return 1;
}

static int put_headers(struct azure_store *s, const struct azure_call *c, const char *path, struct buffer *headers, struct err *e)
{
	_cleanup_(buffer_done) struct buffer lines = BUFFER_INIT, md5 = BUFFER_INIT;
	const char *since = c->unmodified_since ? c->unmodified_since : "";
	int64_t now = now_us();
	char date[AZURE_DATE];

	azure_date(now, date);
	buffer_printf(&lines, "%sx-ms-date: %s\n%sx-ms-version: " API_VERSION "\n", c->first ? c->first : "", date,
		      c->second ? c->second : "");
	buffer_puts(&md5, "");
	if (c->body.length)
		put_md5(c->body, &md5);
	buffer_puts(headers, lines.data);
	if (md5.length)
		buffer_printf(headers, "Content-MD5: %s\n", md5.data);
	if (*since)
		buffer_printf(headers, "If-Unmodified-Since: %s\n", since);
	buffer_puts(headers, "Content-Type: application/octet-stream\n");
	return put_authorization(s, &(struct azure_request){ c->method, path, c->query, c->body.length, md5.data,
							     "application/octet-stream", since, lines.data }, now, headers, e);
}

static int call_once(struct azure_store *s, const struct azure_call *c, struct web_answer *answer, struct err *e)
{
	_cleanup_(buffer_done) struct buffer path = BUFFER_INIT, url = BUFFER_INIT, headers = BUFFER_INIT;

	buffer_printf(&path, "%s%s", s->path, *c->key ? "/" : "");
	if (*c->key)
		web_escape(span_of(s->store.prefix), true, &path);
	web_escape(span_of(c->key), true, &path);
	if (put_headers(s, c, path.data, &headers, e) < 0)
		return -1;
	buffer_printf(&url, "%s%s%s%s", s->base, path.data, *c->query || s->sas ? "?" : "", c->query);
	if (s->sas)
		buffer_printf(&url, "%s%s", *c->query ? "&" : "", s->sas);
	return web_call_again(s->web, &(struct web_request){ c->method, url.data, &headers, c->body, c->limit, 300, 0 }, answer, e);
}

/* Azure refuses a token that has ended with 401, or with 403 and this code; one that may not do this has another. */
static bool has_ended(const struct web_answer *answer)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	const char *code = answer->status == 403 ? web_header(answer, "x-ms-error-code", &arena) : NULL;

	if (answer->status == 403 && !code)
		code = xml_text(buffer_span(&answer->body), "Code", &arena);
	return answer->status == 401 || (code && !strcmp(code, "AuthenticationFailed"));
}

/* A token may end before it said it would. */
static int call(struct azure_store *s, const struct azure_call *c, struct web_answer *answer, struct err *e)
{
	if (call_once(s, c, answer, e) < 0)
		return -1;
	if (!s->identity || !has_ended(answer))
		return 1;
	azure_forget(s->identity);
	return call_once(s, c, answer, e);
}

static int refused(const struct azure_store *s, const struct azure_call *c, const struct web_answer *answer, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	const char *code = web_header(answer, "x-ms-error-code", &arena);
	const char *message = xml_text(buffer_span(&answer->body), "Message", &arena);

	code = code ? code : xml_text(buffer_span(&answer->body), "Code", &arena);
	return err_unavailable(e, "object store: %s %s/%s: answer %d %s: %.*s", c->method, s->container, c->key, answer->status,
			       code ? code : "", message ? (int)strcspn(message, "\r\n") : 15, message ? message : "no reason given");
}

static int expect(struct azure_store *s, const struct azure_call *c, struct web_answer *answer, struct err *e)
{
	if (call(s, c, answer, e) < 0)
		return -1;
	return answer->status / 100 == 2 ? 1 : refused(s, c, answer, e);
}

/* A missing object is an answer; a missing container is not. */
static bool no_object(const struct web_answer *answer)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	const char *code = answer->status == 404 ? web_header(answer, "x-ms-error-code", &arena) : NULL;

	return code && !strcmp(code, "BlobNotFound");
}

/*
 * With the account's key, or one that the identity is given for this. A signature that the settings give is not passed on: it
 * opens the whole container.
 */
static int sign_grant(struct azure_store *s, const struct azure_grant *grant, struct buffer *ret_query, struct err *e)
{
	int rc = 1;

	if (s->key.length) {
		azure_grant_sign(grant, buffer_span(&s->key), ret_query);
		return 1;
	}
	rc = s->identity ? azure_delegation_renew(&s->delegation, s->service, s->identity, s->web, now_us(), grant->expires_us, e) : 0;
	if (rc == 1)
		azure_grant_sign_delegated(grant, &s->delegation, ret_query);
	return rc;
}

static int azure_presign(struct blob_store *store, const char *method, const char *key, int seconds, struct buffer *ret_url,
			 struct buffer *ret_lines, struct err *e)
{
	_cleanup_(buffer_done) struct buffer name = BUFFER_INIT, query = BUFFER_INIT;
	struct azure_store *s = azure_of(store);
	bool put = !strcmp(method, "PUT");
	struct azure_grant grant = { s->account, s->container, NULL, put ? "cw" : "r", now_us() + seconds * 1000000LL,
				     !strncmp(s->base, "https:", 6) };
	int rc;

	buffer_printf(&name, "%s%s", store->prefix, key);
	grant.blob = name.data;
	rc = sign_grant(s, &grant, &query, e);
	if (rc <= 0)
		return rc;
	buffer_printf(ret_url, "%s%s/", s->base, s->path);
	web_escape(buffer_span(&name), true, ret_url);
	buffer_printf(ret_url, "?%s", query.data);
	buffer_puts(ret_lines, put ? "x-ms-blob-type: BlockBlob\n" : "");
	return 1;
}

static int writer_write(struct sink *self, const void *data, size_t length, struct err *e)
{
	(void)e;
	buffer_append(&((struct azure_writer *)self)->data, data, length);
	return 1;
}

static int writer_open(struct blob_store *store, struct blob_writer **ret_writer, struct err *e)
{
	struct azure_writer *w = xcalloc(1, sizeof(*w));

	(void)e;
	w->writer = (struct blob_writer){ { writer_write }, store };
	*ret_writer = &w->writer;
	return 1;
}

static void writer_close(struct blob_writer *self)
{
	struct azure_writer *w = (struct azure_writer *)self;

	buffer_done(&w->data);
	free(w);
}

static void put_sha256(struct span body, char ret_hex[2 * SHA256_BYTES + 1])
{
	unsigned char digest[SHA256_BYTES];

	sha256(body, digest);
	hex_encode(digest, sizeof(digest), ret_hex);
}

/* Names of blocks are of one length, and of this object's content: two writers of the same name write the same blocks. */
static int put_block(struct azure_store *s, const char *key, const char *digest, size_t number, struct span data,
		     struct buffer *list, struct err *e)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	_cleanup_(buffer_done) struct buffer plain = BUFFER_INIT, name = BUFFER_INIT, query = BUFFER_INIT;

	buffer_printf(&plain, "%.32s-%05zu", digest, number);
	base64_encode(buffer_span(&plain), &name);
	buffer_puts(&query, "blockid=");
	web_escape(buffer_span(&name), false, &query);
	buffer_puts(&query, "&comp=block");
	buffer_printf(list, "<Latest>%s</Latest>", name.data);
	return expect(s, &(struct azure_call){ "PUT", key, query.data, data, XML_LIMIT, NULL, NULL, NULL }, &answer, e);
}

static int put_blocks(struct azure_store *s, const char *key, struct span data, const char *digest, const char *metadata, struct err *e)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	_cleanup_(buffer_done) struct buffer list = BUFFER_INIT;

	buffer_puts(&list, "<?xml version=\"1.0\" encoding=\"utf-8\"?><BlockList>");
	for (size_t number = 1; data.length; number++) {
		size_t n = data.length < BLOCK_BYTES ? data.length : BLOCK_BYTES;

		if (put_block(s, key, digest, number, (struct span){ data.data, n }, &list, e) < 0)
			return -1;
		data = (struct span){ data.data + n, data.length - n };
	}
	buffer_puts(&list, "</BlockList>");
	return expect(s, &(struct azure_call){ "PUT", key, "comp=blocklist", buffer_span(&list), XML_LIMIT, NULL, metadata, NULL },
		      &answer, e);
}

static int writer_commit(struct blob_writer *self, const char *key, struct err *e)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	struct buffer *data = &((struct azure_writer *)self)->data;
	struct span body = { data->data ? data->data : "", data->length };
	char digest[2 * SHA256_BYTES + 1], metadata[128];

	put_sha256(body, digest);
	snprintf(metadata, sizeof(metadata), "x-ms-meta-sha256: %s\n", digest);
	if (body.length > SINGLE_BYTES)
		return put_blocks(azure_of(self->store), key, body, digest, metadata, e);
	return expect(azure_of(self->store), &(struct azure_call){ "PUT", key, "", body, XML_LIMIT, "x-ms-blob-type: BlockBlob\n",
								   metadata, NULL }, &answer, e);
}

/* Stored by somebody else it may have no digest: then there is nothing to compare. */
static bool is_intact(const struct web_answer *answer)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	const char *said = web_header(answer, "x-ms-meta-sha256", &arena);
	char ours[2 * SHA256_BYTES + 1];

	put_sha256((struct span){ answer->body.data ? answer->body.data : "", answer->body.length }, ours);
	return !said || !strcmp(said, ours);
}

static int read_once(struct azure_store *s, const char *key, struct buffer *ret_data, bool *ret_damaged, struct err *e)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	struct azure_call c = { "GET", key, "", { 0 }, SIZE_MAX, NULL, NULL, NULL };

	if (call(s, &c, &answer, e) < 0)
		return -1;
	if (no_object(&answer))
		return 0;
	if (answer.status != 200)
		return refused(s, &c, &answer, e);
	*ret_damaged = !is_intact(&answer);
	if (*ret_damaged)
		return err_unavailable(e, "object store: GET %s/%s: the bytes are not those of its checksum", s->container, key);
	buffer_append(ret_data, answer.body.data, answer.body.length);
	return 1;
}

static int azure_get(struct blob_store *store, const char *key, struct buffer *ret_data, struct err *e)
{
	for (int attempt = 1;; attempt++) {
		struct err failure = { 0 };
		bool damaged = false;
		int rc = read_once(azure_of(store), key, ret_data, &damaged, &failure);

		if (rc < 0 && (!damaged || attempt == READS))
			*e = failure;
		if (!damaged || attempt == READS)
			return rc;
	}
}

/* `since` NULL: whatever its age. Otherwise the server compares it in the same step. */
static int delete_if(struct azure_store *s, const char *key, const char *since, struct err *e)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	struct azure_call c = { "DELETE", key, "", SPAN(""), XML_LIMIT, NULL, NULL, since };

	if (call(s, &c, &answer, e) < 0)
		return -1;
	if (no_object(&answer) || (since && answer.status == 412))
		return 0;
	return answer.status / 100 == 2 ? 1 : refused(s, &c, &answer, e);
}

static int azure_delete(struct blob_store *store, const char *key, struct err *e)
{
	return delete_if(azure_of(store), key, NULL, e);
}

/* The server's times are whole seconds: one that was written in the second of `before_us` stays. */
static int azure_delete_older(struct blob_store *store, const char *key, int64_t before_us, struct err *e)
{
	char since[AZURE_DATE];

	azure_date(before_us - 1000000, since);
	fault_point("blob.looked");
	return delete_if(azure_of(store), key, since, e);
}

static int64_t time_of(const char *text)
{
	struct tm tm = { 0 };

	return strptime(text, "%a, %d %b %Y %H:%M:%S", &tm) ? (int64_t)timegm(&tm) * 1000000 : 0;
}

/* One page of a listing while it is read. */
struct page {
	struct arena arena;
	struct blob_object object;
	size_t skip;		/* bytes of the store's prefix, which is no part of our keys */
	char *marker;		/* of the page behind it; NULL: this is the last */
	blob_each *each;
	void *context;
	bool stopped;
};

static int read_element(void *context, const char *name, const char *text, struct err *e)
{
	struct page *p = context;
	int rc = 1;

	if (!strcmp(name, "Name"))
		p->object.key = arena_strdup(&p->arena, text + (strlen(text) < p->skip ? strlen(text) : p->skip));
	else if (!strcmp(name, "Content-Length"))
		p->object.bytes = strtoll(text, NULL, 10);
	else if (!strcmp(name, "Last-Modified"))
		p->object.modified_at = time_of(text);
	else if (!strcmp(name, "NextMarker") && *text)
		p->marker = arena_strdup(&p->arena, text);
	else if (!strcmp(name, "Blob") && !p->stopped && p->object.key)
		rc = p->each(p->context, &p->object, e);
	p->stopped |= rc == 0;
	return rc < 0 ? -1 : 1;
}

static void put_query(struct buffer *query, const char *marker, const char *prefix)
{
	buffer_clear(query);
	buffer_puts(query, "comp=list");
	if (marker) {
		buffer_puts(query, "&marker=");
		web_escape(span_of(marker), false, query);
	}
	if (*prefix) {
		buffer_puts(query, "&prefix=");
		web_escape(span_of(prefix), false, query);
	}
	buffer_puts(query, "&restype=container");
}

/* 1 another page follows, 0 that was the last; `query` is that of the next page then. */
static int list_page(struct azure_store *s, const char *prefix, struct buffer *query, blob_each *each, void *context,
		     struct err *e)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	struct azure_call c = { "GET", "", query->data, { 0 }, XML_LIMIT, NULL, NULL, NULL };
	struct page p = { .each = each, .context = context, .skip = strlen(s->store.prefix) };
	int rc;

	if (expect(s, &c, &answer, e) < 0)
		return -1;
	rc = xml_walk(buffer_span(&answer.body), read_element, &p, e);
	if (rc == 0)
		refused(s, &c, &answer, e);
	if (rc == 1 && p.marker)
		put_query(query, p.marker, prefix);
	rc = rc < 1 ? -1 : p.marker && !p.stopped;
	arena_clear(&p.arena);
	return rc;
}

static int azure_list(struct blob_store *store, const char *prefix, blob_each *each, void *context, struct err *e)
{
	_cleanup_(buffer_done) struct buffer query = BUFFER_INIT, whole = BUFFER_INIT;
	int rc;

	buffer_printf(&whole, "%s%s", store->prefix, prefix);
	put_query(&query, NULL, whole.data);
	do
		rc = list_page(azure_of(store), whole.data, &query, each, context, e);
	while (rc == 1);
	return rc < 0 ? -1 : 1;
}

static void azure_close(struct blob_store *store)
{
	struct azure_store *s = azure_of(store);

	azure_identity_close(s->identity);
	web_close(s->web);
	buffer_wipe(&s->key);
	azure_delegation_done(&s->delegation);
	free(s->service);
	if (s->sas)
		wipe(s->sas, strlen(s->sas));
	free(s->sas);
	free(s->store.prefix);
	free(s->account);
	free(s->container);
	free(s->base);
	free(s->path);
	free(s);
}

static int set_credentials(const char *name, const char *domain, struct azure_store *s, struct err *e)
{
	const char *key = setting("AZURE_STORAGE_KEY"), *sas = setting("AZURE_STORAGE_SAS_TOKEN");

	if (key && !base64_decode(span_of(key), &s->key))
		return err_internal(e, "%s: AZURE_STORAGE_KEY is not a storage account's key, which is base64", name);
	if (!key && sas)
		s->sas = xstrdup(sas + (*sas == '?'));
	if (!key && !sas)
		s->identity = azure_identity_open(RESOURCE, azure_authority(domain));
	return 1;
}

/* An emulator has the account in the path, a storage account has a host of its own. */
static void set_address(struct azure_store *s, const char *protocol, const char *domain, bool emulator, bool network)
{
	struct buffer base = BUFFER_INIT, path = BUFFER_INIT, service = BUFFER_INIT;

	emulator |= !strncmp(domain, "localhost", 9) || !strncmp(domain, "127.0.0.1", 9);
	buffer_printf(&base, "%s://%s%s%s", protocol, emulator || network ? "" : s->account, emulator || network ? "" : ".", domain);
	buffer_printf(&path, "%s%s/%s", emulator ? "/" : "", emulator ? s->account : "", s->container);
	buffer_printf(&service, "%s/%s", base.data, emulator ? s->account : "");
	s->base = base.data;
	s->path = path.data;
	s->service = service.data;
}

static int configure(const char *name, const struct url_parts *u, struct azure_store *s, struct err *e)
{
	static const char *const options[] = { "domain", "protocol", "localemu", "cdn", "storage_account", "prefix", NULL };
	const char *account = url_option(u, "storage_account", setting("AZURE_STORAGE_ACCOUNT"));
	const char *domain = url_option(u, "domain", setting("AZURE_STORAGE_DOMAIN"));
	const char *protocol = url_option(u, "protocol", "https");
	bool emulator, network;

	if (url_check_options(name, u, options, e) < 0 || url_option_bool(name, u, "localemu", &emulator, e) < 0 ||
	    url_option_bool(name, u, "cdn", &network, e) < 0 || blob_prefix(name, u, &s->store.prefix, e) < 0)
		return -1;
	if (!account || !*account)
		return err_internal(e, "%s: no storage account: add ?storage_account=… or set AZURE_STORAGE_ACCOUNT", name);
	if (strcmp(protocol, "http") && strcmp(protocol, "https"))
		return err_internal(e, "%s: option protocol: '%s' must be http or https", name, protocol);
	s->account = xstrdup(account);
	s->container = xstrdup(u->name);
	domain = domain ? domain : "blob.core.windows.net";
	set_address(s, protocol, domain, emulator, network);
	return set_credentials(name, domain, s, e);
}

/* Asks for nothing that is there: a wrong container, key or address shows at start. */
static int try_it(const char *name, struct azure_store *s, struct err *e)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	struct azure_call c = { "GET", "", "comp=list&maxresults=1&restype=container", { 0 }, XML_LIMIT, NULL, NULL, NULL };
	struct err inner = { 0 };

	if (expect(s, &c, &answer, &inner) == 1)
		return 1;
	return err_internal(e, "%s: %s", name, inner.detail[0] ? inner.detail : inner.message);
}

static int azure_open(const char *name, const char *where, bool try, struct blob_store **ret_store, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct azure_store *s = xcalloc(1, sizeof(*s));
	struct url_parts parts;

	s->store.provider = &blob_azure;
	s->web = web_open();
	if (url_parse(name, where, &arena, &parts, e) < 0 || configure(name, &parts, s, e) < 0 ||
	    (try && try_it(name, s, e) < 0)) {
		azure_close(&s->store);
		return -1;
	}
	*ret_store = &s->store;
	return 1;
}

static void azure_observe_calls(struct blob_store *store, const struct observer *observer)
{
	web_observe(azure_of(store)->web, observer);
}

const struct blob_provider blob_azure = {
	.scheme = "azblob",
	.open = azure_open,
	.close = azure_close,
	.observe_calls = azure_observe_calls,
	.writer_open = writer_open,
	.writer_commit = writer_commit,
	.writer_close = writer_close,
	.get = azure_get,
	.delete = azure_delete,
	.delete_older = azure_delete_older,
	.presign = azure_presign,
	.list = azure_list,
};
