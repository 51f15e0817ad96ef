/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Objects in S3 or a server that speaks like it. An object is kept in memory until it is complete; its digest is signed with
 * the request, so that the server checks what it got, and kept as metadata, so that we check what comes back. Large ones go in
 * parts.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#include "blob/provider.h"
#include "crypto/aead.h"
#include "crypto/crypto.h"
#include "net/aws.h"
#include "net/query.h"
#include "net/xml.h"

#define PART_BYTES (16ULL << 20)
#define SINGLE_BYTES (64ULL << 20)	/* up to this an object is one request */
#define XML_LIMIT (8ULL << 20)
#define DIGEST "x-amz-meta-sha256"
#define READS 3			/* an object that arrives damaged is asked for so often */

struct s3_store {
	struct blob_store store;
	struct web *web;
	struct aws *aws;
	char *bucket, *region, *host, *base;	/* base: scheme://host */
	char *encryption;	/* lines that ask the server to encrypt an object; "": its own rule holds */
	bool path_style;
};

struct s3_writer {
	struct blob_writer writer;
	struct buffer data;
};

static struct s3_store *s3_of(struct blob_store *store)
{
	return (struct s3_store *)store;
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

/* One call: `key` may be "" for the bucket; `query` in canonical form. */
struct s3_call {
	const char *method, *key, *query;
	struct span body;
	size_t limit;
	const char *signed_lines;	/* more headers, lower case; NULL: none */
	bool checksum;			/* the digest of the body is kept with it */
};

static void path_of(const struct s3_store *s, const char *key, struct buffer *ret_path)
{
	if (s->path_style)
		buffer_printf(ret_path, "/%s%s", s->bucket, *key ? "/" : "");
	else
		buffer_putc(ret_path, '/');
	if (*key)
		web_escape(span_of(s->store.prefix), true, ret_path);
	web_escape(span_of(key), true, ret_path);
}

static int sign(struct s3_store *s, const struct s3_call *c, const char *path, const unsigned char *digest,
		struct buffer *headers, struct err *e)
{
	_cleanup_(buffer_done) struct buffer more = BUFFER_INIT;
	struct aws_credentials credentials;
	char hex[2 * SHA256_BYTES + 1];
	int64_t now = now_us();

	if (aws_credentials(s->aws, s->web, now, &credentials, e) < 0)
		return -1;
	hex_encode(digest, SHA256_BYTES, hex);
	buffer_puts(&more, c->signed_lines ? c->signed_lines : "");
	if (c->checksum) {
		buffer_puts(&more, "x-amz-checksum-sha256: ");
		base64_encode((struct span){ (const char *)digest, SHA256_BYTES }, &more);
		buffer_putc(&more, '\n');
	}
	sigv4_sign(&(struct sigv4_request){ c->method, s->host, path, c->query, hex, s->region, "s3", now }, &credentials, more.data,
		   headers);
	buffer_puts(headers, "Content-Type: application/octet-stream\n");
	return 1;
}

static int call_once(struct s3_store *s, const struct s3_call *c, const unsigned char *digest, struct web_answer *answer,
		     struct err *e)
{
	_cleanup_(buffer_done) struct buffer path = BUFFER_INIT, url = BUFFER_INIT, headers = BUFFER_INIT;

	path_of(s, c->key, &path);
	if (sign(s, c, path.data, digest, &headers, e) < 0)
		return -1;
	buffer_printf(&url, "%s%s%s%s", s->base, path.data, *c->query ? "?" : "", c->query);
	return web_call_again(s->web, &(struct web_request){ c->method, url.data, &headers, c->body, c->limit, 300, 0 }, answer, e);
}

static bool is_code(const struct web_answer *answer, const char *code)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	const char *said = xml_text(buffer_span(&answer->body), "Code", &arena);

	return said && !strcmp(said, code);
}

/* Credentials may end before they said they would. */
static int call(struct s3_store *s, const struct s3_call *c, struct web_answer *answer, struct err *e)
{
	unsigned char digest[SHA256_BYTES];

	sha256(c->body, digest);
	if (call_once(s, c, digest, answer, e) < 0)
		return -1;
	if ((answer->status != 400 && answer->status != 403) ||
	    (!is_code(answer, "ExpiredToken") && !is_code(answer, "TokenRefreshRequired")))
		return 1;
	aws_forget(s->aws);
	return call_once(s, c, digest, answer, e);
}

static int refused(const struct s3_store *s, const struct s3_call *c, const struct web_answer *answer, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	const char *code = xml_text(buffer_span(&answer->body), "Code", &arena);
	const char *message = xml_text(buffer_span(&answer->body), "Message", &arena);

	return err_unavailable(e, "object store: %s %s/%s: answer %d %s: %s", c->method, s->bucket, c->key, answer->status,
			       code ? code : "", message ? message : "no reason given");
}

static int expect(struct s3_store *s, const struct s3_call *c, struct web_answer *answer, struct err *e)
{
	if (call(s, c, answer, e) < 0)
		return -1;
	return answer->status / 100 == 2 ? 1 : refused(s, c, answer, e);
}

/* The server encrypts what is put there as it does what we put. */
static int s3_presign(struct blob_store *store, const char *method, const char *key, int seconds, struct buffer *ret_url,
		      struct buffer *ret_lines, struct err *e)
{
	_cleanup_(buffer_done) struct buffer path = BUFFER_INIT;
	struct s3_store *s = s3_of(store);
	const char *lines = strcmp(method, "PUT") ? "" : s->encryption;
	struct aws_credentials credentials;
	int64_t now = now_us();

	if (aws_credentials(s->aws, s->web, now, &credentials, e) < 0)
		return -1;
	path_of(s, key, &path);
	buffer_printf(ret_url, "%s%s?", s->base, path.data);
	sigv4_presign(&(struct sigv4_request){ method, s->host, path.data, "", "UNSIGNED-PAYLOAD", s->region, "s3", now },
		      &credentials, seconds, lines, ret_url);
	buffer_puts(ret_lines, lines);
	return 1;
}

static int writer_write(struct sink *self, const void *data, size_t length, struct err *e)
{
	(void)e;
	buffer_append(&((struct s3_writer *)self)->data, data, length);
	return 1;
}

static int writer_open(struct blob_store *store, struct blob_writer **ret_writer, struct err *e)
{
	struct s3_writer *w = xcalloc(1, sizeof(*w));

	(void)e;
	w->writer = (struct blob_writer){ { writer_write }, store };
	*ret_writer = &w->writer;
	return 1;
}

static void writer_close(struct blob_writer *self)
{
	struct s3_writer *w = (struct s3_writer *)self;

	buffer_done(&w->data);
	free(w);
}

static void digest_of(struct span body, char ret_hex[2 * SHA256_BYTES + 1])
{
	unsigned char digest[SHA256_BYTES];

	sha256(body, digest);
	hex_encode(digest, sizeof(digest), ret_hex);
}

/* `line`: the digest of the whole, which is kept with it, and how it is encrypted. */
static int begin_parts(struct s3_store *s, const char *key, const char *line, struct arena *arena, const char **ret_upload,
		       struct err *e)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	struct s3_call c = { "POST", key, "uploads=", SPAN(""), XML_LIMIT, NULL, false };
	const char *id;

	c.signed_lines = arena_printf(arena, "x-amz-checksum-algorithm: SHA256\n%s", line);
	if (expect(s, &c, &answer, e) < 0)
		return -1;
	id = xml_text(buffer_span(&answer.body), "UploadId", arena);
	if (!id)
		return refused(s, &c, &answer, e);
	*ret_upload = id;
	return 1;
}

static int put_part(struct s3_store *s, const char *key, const char *upload, size_t number, struct span data,
		    struct buffer *list, struct err *e)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	_cleanup_(buffer_done) struct buffer query = BUFFER_INIT;
	struct s3_call c = { "PUT", key, NULL, data, XML_LIMIT, NULL, true };
	unsigned char digest[SHA256_BYTES];
	const char *tag;

	buffer_printf(&query, "partNumber=%zu&uploadId=", number);
	web_escape(span_of(upload), false, &query);
	c.query = query.data;
	if (expect(s, &c, &answer, e) < 0)
		return -1;
	tag = web_header(&answer, "ETag", &arena);
	sha256(data, digest);
	buffer_puts(list, "<Part><ChecksumSHA256>");
	base64_encode((struct span){ (const char *)digest, SHA256_BYTES }, list);
	buffer_printf(list, "</ChecksumSHA256><ETag>%s</ETag><PartNumber>%zu</PartNumber></Part>", tag ? tag : "", number);
	return 1;
}

/* Whether the object is there with that many bytes. */
static bool is_there(struct s3_store *s, const char *key, size_t bytes)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct err ignored = { 0 };
	const char *length;

	if (call(s, &(struct s3_call){ "HEAD", key, "", SPAN(""), XML_LIMIT, NULL, false }, &answer, &ignored) < 0)
		return false;
	length = answer.status == 200 ? web_header(&answer, "Content-Length", &arena) : NULL;
	return length && strtoull(length, NULL, 10) == bytes;
}

/*
 * The answer to the last call can be 200 and still an error: it says so in its body. When the call was made again after its
 * answer was lost, the upload is gone because it was completed.
 */
static int end_parts(struct s3_store *s, const char *key, const char *query, struct span list, size_t bytes, struct err *e)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	struct s3_call c = { "POST", key, query, list, XML_LIMIT, NULL, false };

	if (call(s, &c, &answer, e) < 0)
		return -1;
	if (answer.status == 404 && is_code(&answer, "NoSuchUpload") && is_there(s, key, bytes))
		return 1;
	if (answer.status / 100 != 2)
		return refused(s, &c, &answer, e);
	return answer.body.data && strstr(answer.body.data, "<Error>") ? refused(s, &c, &answer, e) : 1;
}

static void abort_parts(struct s3_store *s, const char *key, const char *query)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	struct err ignored = { 0 };

	(void)!call(s, &(struct s3_call){ "DELETE", key, query, SPAN(""), XML_LIMIT, NULL, false }, &answer, &ignored);
}

static int put_parts(struct s3_store *s, const char *key, struct span data, const char *line, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	_cleanup_(buffer_done) struct buffer list = BUFFER_INIT, query = BUFFER_INIT;
	const char *upload = NULL;
	size_t bytes = data.length;
	int rc = begin_parts(s, key, line, &arena, &upload, e);

	if (rc < 0)
		return -1;
	buffer_puts(&query, "uploadId=");
	web_escape(span_of(upload), false, &query);
	buffer_puts(&list, "<CompleteMultipartUpload>");
	for (size_t number = 1; rc == 1 && data.length; number++) {
		size_t n = data.length < PART_BYTES ? data.length : PART_BYTES;

		rc = put_part(s, key, upload, number, (struct span){ data.data, n }, &list, e);
		data = (struct span){ data.data + n, data.length - n };
	}
	buffer_puts(&list, "</CompleteMultipartUpload>");
	if (rc == 1)
		rc = end_parts(s, key, query.data, buffer_span(&list), bytes, e);
	if (rc < 0)
		abort_parts(s, key, query.data);
	return rc;
}

static int writer_commit(struct blob_writer *self, const char *key, struct err *e)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	struct buffer *data = &((struct s3_writer *)self)->data;
	struct span body = { data->data ? data->data : "", data->length };
	_cleanup_(buffer_done) struct buffer lines = BUFFER_INIT;
	struct s3_store *s = s3_of(self->store);
	char digest[2 * SHA256_BYTES + 1];

	digest_of(body, digest);
	buffer_printf(&lines, DIGEST ": %s\n%s", digest, s->encryption);
	if (body.length > SINGLE_BYTES)
		return put_parts(s, key, body, lines.data, e);
	return expect(s, &(struct s3_call){ "PUT", key, "", body, XML_LIMIT, lines.data, true }, &answer, e);
}

/* Stored by somebody else it may have no digest: then there is nothing to compare. */
static bool is_intact(const struct web_answer *answer)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	const char *said = web_header(answer, DIGEST, &arena);
	char ours[2 * SHA256_BYTES + 1];

	digest_of((struct span){ answer->body.data ? answer->body.data : "", answer->body.length }, ours);
	return !said || !strcmp(said, ours);
}

/* A missing object is an answer; a missing bucket is not. */
static int read_once(struct s3_store *s, const char *key, struct buffer *ret_data, bool *ret_damaged, struct err *e)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	struct s3_call c = { "GET", key, "", SPAN(""), SIZE_MAX, NULL, false };

	if (call(s, &c, &answer, e) < 0)
		return -1;
	if (answer.status == 404 && is_code(&answer, "NoSuchKey"))
		return 0;
	if (answer.status != 200)
		return refused(s, &c, &answer, e);
	*ret_damaged = !is_intact(&answer);
	if (*ret_damaged)
		return err_unavailable(e, "object store: GET %s/%s: the bytes are not those of its checksum", s->bucket, key);
	buffer_append(ret_data, answer.body.data, answer.body.length);
	return 1;
}

static int s3_get(struct blob_store *store, const char *key, struct buffer *ret_data, struct err *e)
{
	for (int attempt = 1;; attempt++) {
		struct err failure = { 0 };
		bool damaged = false;
		int rc = read_once(s3_of(store), key, ret_data, &damaged, &failure);

		if (rc < 0 && (!damaged || attempt == READS))
			*e = failure;
		if (!damaged || attempt == READS)
			return rc;
	}
}

static int s3_delete(struct blob_store *store, const char *key, struct err *e)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	struct s3_call c = { "DELETE", key, "", SPAN(""), XML_LIMIT, NULL, false };

	if (call(s3_of(store), &c, &answer, e) < 0)
		return -1;
	if (answer.status == 404 && is_code(&answer, "NoSuchKey"))
		return 0;
	return answer.status / 100 == 2 ? 1 : refused(s3_of(store), &c, &answer, e);
}

static int64_t time_of(const char *text)
{
	struct tm tm = { 0 };

	return text && strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) ? (int64_t)timegm(&tm) * 1000000 : 0;
}

/* One page of a listing while it is read. */
struct page {
	struct arena arena;
	struct blob_object object;
	size_t skip;		/* bytes of the store's prefix, which is no part of our keys */
	char *token;		/* of the page behind it; NULL: this is the last */
	blob_each *each;
	void *context;
	bool stopped;
};

static int read_element(void *context, const char *name, const char *text, struct err *e)
{
	struct page *p = context;
	int rc = 1;

	if (!strcmp(name, "Key"))
		p->object.key = arena_strdup(&p->arena, text + (strlen(text) < p->skip ? strlen(text) : p->skip));
	else if (!strcmp(name, "Size"))
		p->object.bytes = atoll(text);
	else if (!strcmp(name, "LastModified"))
		p->object.modified_at = time_of(text);
	else if (!strcmp(name, "NextContinuationToken"))
		p->token = arena_strdup(&p->arena, text);
	else if (!strcmp(name, "Contents") && !p->stopped && p->object.key)
		rc = p->each(p->context, &p->object, e);
	p->stopped |= rc == 0;
	return rc < 0 ? -1 : 1;
}

static void put_query(struct buffer *query, const char *token, const char *prefix)
{
	buffer_clear(query);
	if (token) {
		buffer_puts(query, "continuation-token=");
		web_escape(span_of(token), false, query);
		buffer_putc(query, '&');
	}
	buffer_puts(query, "list-type=2&prefix=");
	web_escape(span_of(prefix), false, query);
}

/* 1 another page follows, 0 that was the last; `query` is that of the next page then. */
static int list_page(struct s3_store *s, const char *prefix, struct buffer *query, blob_each *each, void *context,
		     struct err *e)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	struct s3_call c = { "GET", "", query->data, SPAN(""), XML_LIMIT, NULL, false };
	struct page p = { .each = each, .context = context, .skip = strlen(s->store.prefix) };
	int rc;

	if (expect(s, &c, &answer, e) < 0)
		return -1;
	rc = xml_walk(buffer_span(&answer.body), read_element, &p, e);
	if (rc == 0)
		refused(s, &c, &answer, e);
	if (rc == 1 && p.token)
		put_query(query, p.token, prefix);
	arena_clear(&p.arena);
	return rc < 1 ? -1 : p.token && !p.stopped;
}

static int s3_list(struct blob_store *store, const char *prefix, blob_each *each, void *context, struct err *e)
{
	_cleanup_(buffer_done) struct buffer query = BUFFER_INIT, whole = BUFFER_INIT;
	int rc;

	buffer_printf(&whole, "%s%s", store->prefix, prefix);
	put_query(&query, NULL, whole.data);
	do
		rc = list_page(s3_of(store), whole.data, &query, each, context, e);
	while (rc == 1);
	return rc < 0 ? -1 : 1;
}

static void s3_close(struct blob_store *store)
{
	struct s3_store *s = s3_of(store);

	aws_close(s->aws);
	web_close(s->web);
	free(s->store.prefix);
	free(s->bucket);
	free(s->encryption);
	free(s->region);
	free(s->host);
	free(s->base);
	free(s);
}

static void s3_observe_calls(struct blob_store *store, const struct observer *observer)
{
	web_observe(s3_of(store)->web, observer);
}

/* What the address asks for, as true or false. */
struct flags {
	bool plain, path_style, dualstack, fips, accelerate, anonymous;
};

static int read_flags(const char *name, const struct url_parts *u, struct flags *f, struct err *e)
{
	/* The names of both versions of Amazon's library. */
	const struct {
		const char *name;
		bool *flag;
	} names[] = { { "disableSSL", &f->plain },	  { "disable_https", &f->plain },     { "s3ForcePathStyle", &f->path_style },
		      { "use_path_style", &f->path_style }, { "dualstack", &f->dualstack },   { "fips", &f->fips },
		      { "accelerate", &f->accelerate },	  { "anonymous", &f->anonymous } };

	*f = (struct flags){ 0 };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		bool yes;

		if (url_option_bool(name, u, names[i].name, &yes, e) < 0)
			return -1;
		*names[i].flag |= yes;
	}
	if (f->anonymous)
		return err_internal(e, "%s: option anonymous: the server writes and deletes, which needs credentials", name);
	if (f->accelerate && (f->path_style || f->fips))
		return err_internal(e, "%s: option accelerate does not go with a path style or fips", name);
	return 1;
}

/* Amazon's own names of hosts, without the bucket. */
static void put_amazon_host(const struct s3_store *s, const struct flags *f, struct buffer *host)
{
	if (f->accelerate)
		buffer_printf(host, "s3-accelerate.%samazonaws.com", f->dualstack ? "dualstack." : "");
	else
		buffer_printf(host, "s3%s.%s%s.amazonaws.com", f->fips ? "-fips" : "", f->dualstack ? "dualstack." : "", s->region);
}

/* endpoint is host[:port] or a URL; without one it is Amazon's for the region. */
static void set_endpoint(struct s3_store *s, const char *endpoint, const struct flags *f)
{
	struct buffer host = BUFFER_INIT, base = BUFFER_INIT;
	const char *scheme = f->plain ? "http" : "https";

	if (!strncmp(endpoint, "http://", 7))
		scheme = "http", endpoint += 7;
	else if (!strncmp(endpoint, "https://", 8))
		endpoint += 8;
	if (!s->path_style)
		buffer_printf(&host, "%s.", s->bucket);
	if (*endpoint)	/* a path behind it has no meaning here */
		buffer_append(&host, endpoint, strcspn(endpoint, "/"));
	else
		put_amazon_host(s, f, &host);
	buffer_printf(&base, "%s://%s", scheme, host.data);
	s->host = host.data;
	s->base = base.data;
}

/* How the server is to encrypt objects; without it the bucket's own rule holds. */
static int set_encryption(const char *name, const struct url_parts *u, struct s3_store *s, struct err *e)
{
	static const char *const types[] = { "AES256", "aws:kms", "aws:kms:dsse", NULL };
	const char *type = url_option(u, "ssetype", ""), *key = url_option(u, "kmskeyid", "");
	struct buffer lines = BUFFER_INIT;
	size_t i = 0;

	while (*type && types[i] && strcmp(types[i], type))
		i++;
	if (*type && !types[i])
		return err_internal(e, "%s: option ssetype: '%s' must be AES256, aws:kms or aws:kms:dsse", name, type);
	if (*key && strncmp(type, "aws:kms", 7))
		return err_internal(e, "%s: option kmskeyid needs ssetype=aws:kms or ssetype=aws:kms:dsse", name);
	if (strpbrk(key, "\r\n"))
		return err_internal(e, "%s: option kmskeyid has a line break", name);
	buffer_puts(&lines, "");
	if (*type)
		buffer_printf(&lines, "x-amz-server-side-encryption: %s\n", type);
	if (*key)
		buffer_printf(&lines, "x-amz-server-side-encryption-aws-kms-key-id: %s\n", key);
	s->encryption = lines.data;
	return 1;
}

/* Which of Amazon's libraries: both options are known, and neither is there. */
static int check_library(const char *name, const struct url_parts *u, struct err *e)
{
	const char *version = url_option(u, "awssdk", "v2");

	if (!strcasecmp(version, "v1") || !strcasecmp(version, "v2"))
		return 1;
	return err_internal(e, "%s: option awssdk: '%s' must be v1 or v2", name, version);
}

static int configure(const char *name, const struct url_parts *u, struct s3_store *s, struct err *e)
{
	static const char *const options[] = { "region", "endpoint", "disableSSL", "disable_https", "s3ForcePathStyle", "use_path_style",
					       "hostname_immutable", "awssdk", "profile", "prefix", "dualstack", "fips", "accelerate",
					       "anonymous", "ssetype", "kmskeyid", "rate_limiter_capacity",
					       "request_checksum_calculation", "response_checksum_validation", NULL };
	const char *region, *endpoint;
	struct flags flags;

	if (url_check_options(name, u, options, e) < 0 || read_flags(name, u, &flags, e) < 0 || check_library(name, u, e) < 0 ||
	    blob_prefix(name, u, &s->store.prefix, e) < 0 || set_encryption(name, u, s, e) < 0)
		return -1;
	s->aws = aws_open(url_option(u, "profile", NULL));
	region = url_option(u, "region", aws_region(s->aws));
	if (!region || !*region)
		return err_internal(e, "%s: no region: add ?region=… or set AWS_REGION", name);
	s->bucket = xstrdup(u->name);
	s->region = xstrdup(region);
	/* A bucket with a dot in its name has no certificate of its own. */
	s->path_style = flags.path_style || strchr(u->name, '.');
	endpoint = getenv("AWS_ENDPOINT_URL_S3");
	endpoint = endpoint && *endpoint ? endpoint : getenv("AWS_ENDPOINT_URL");
	set_endpoint(s, url_option(u, "endpoint", endpoint ? endpoint : ""), &flags);
	return 1;
}

/* Asks for nothing that is there: a wrong bucket, key or address shows at start. */
static int try_it(const char *name, struct s3_store *s, struct err *e)
{
	_cleanup_(web_answer_done) struct web_answer answer = { 0 };
	struct s3_call c = { "GET", "", "list-type=2&max-keys=1", SPAN(""), XML_LIMIT, NULL, false };
	struct err inner = { 0 };

	if (expect(s, &c, &answer, &inner) == 1)
		return 1;
	return err_internal(e, "%s: %s", name, inner.detail[0] ? inner.detail : inner.message);
}

static int s3_open(const char *name, const char *where, bool try, struct blob_store **ret_store, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct s3_store *s = xcalloc(1, sizeof(*s));
	struct url_parts parts;

	s->store.provider = &blob_s3;
	s->web = web_open();
	if (url_parse(name, where, &arena, &parts, e) < 0 || configure(name, &parts, s, e) < 0 ||
	    (try && try_it(name, s, e) < 0)) {
		s3_close(&s->store);
		return -1;
	}
	*ret_store = &s->store;
	return 1;
}

const struct blob_provider blob_s3 = {
	.scheme = "s3",
	.open = s3_open,
	.close = s3_close,
	.observe_calls = s3_observe_calls,
	.writer_open = writer_open,
	.writer_commit = writer_commit,
	.writer_close = writer_close,
	.get = s3_get,
	.delete = s3_delete,
	.presign = s3_presign,
	.list = s3_list,
};
