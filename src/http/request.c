/* SPDX-License-Identifier: Apache-2.0 */
#include "http/request.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <stdio.h>
#include <strings.h>

#include "base/limits.h"
#include "http/gzip.h"
#include "json/write.h"

#define READ_CHUNK 65536

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int http_unescape(struct arena *arena, struct span text, bool plus, char **ret_text)
{
	char *out = arena_alloc(arena, text.length + 1), *to = out;

	for (size_t i = 0; i < text.length; i++) {
		char c = text.data[i];

		if (c == '%') {
			int high = i + 2 < text.length ? hex_digit(text.data[i + 1]) : -1;
			int low = high >= 0 ? hex_digit(text.data[i + 2]) : -1;

			if (low < 0 || (high == 0 && low == 0))
				return -1;
			c = (char)(high * 16 + low);
			i += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		*to++ = c;
	}
	if (!json_is_utf8((struct span){ out, (size_t)(to - out) }))
		return -1;
	*ret_text = out;
	return 1;
}

static int parse_parameter(struct arena *arena, struct span text, struct http_parameter *ret_parameter, struct err *e)
{
	const char *equals = memchr(text.data, '=', text.length);
	struct span name = text, value = { text.data + text.length, 0 };
	char *decoded_name, *decoded_value;

	if (equals) {
		name.length = (size_t)(equals - text.data);
		value.data = equals + 1;
		value.length = text.length - name.length - 1;
	}
	if (http_unescape(arena, name, true, &decoded_name) < 0 || http_unescape(arena, value, true, &decoded_value) < 0)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: a broken %% escape in the parameters, or bytes that are no UTF-8");
	*ret_parameter = (struct http_parameter){ decoded_name, decoded_value };
	return 1;
}

/* name=value&name=value, as queries and forms have it. */
static int parse_parameters(struct arena *arena, struct span text, struct http_parameter **ret_list, size_t *ret_count,
			    struct err *e)
{
	struct http_parameter *list = arena_alloc(arena, sizeof(*list) * LIMIT_QUERY_PARAMETERS);
	const char *at = text.data, *end = text.data + text.length;
	size_t count = 0;

	while (at < end) {
		const char *next = memchr(at, '&', (size_t)(end - at));
		size_t n = (size_t)((next ? next : end) - at);

		if (n && count == LIMIT_QUERY_PARAMETERS)
			return err_set(e, ERR_BAD_REQUEST, "Bad Request: more than %d parameters", LIMIT_QUERY_PARAMETERS);
		if (n && parse_parameter(arena, (struct span){ at, n }, &list[count++], e) < 0)
			return -1;
		at += n + 1;
	}
	*ret_list = list;
	*ret_count = count;
	return 1;
}

int http_form(struct http_request *rq, struct span body, struct http_parameter **ret_list, size_t *ret_count, struct err *e)
{
	if (body.length && memchr(body.data, 0, body.length))
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: the form contains a NUL character");
	return parse_parameters(rq->arena, body, ret_list, ret_count, e);
}

int http_request_init(struct http_request *rq, struct err *e)
{
	const char *uri = rq->variable(rq->source, "REQUEST_URI");
	const char *method = rq->variable(rq->source, "REQUEST_METHOD");
	size_t n;

	if (!uri || !method)
		return err_internal(e, "no REQUEST_URI or REQUEST_METHOD from the web server");
	if (strlen(uri) > LIMIT_URI)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: the address is longer than %d bytes",
			       LIMIT_URI);
	if (uri[0] != '/')
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: the address must start with '/'");
	n = strcspn(uri, "?#");
	rq->method = arena_strdup(rq->arena, method);
	rq->path = arena_strndup(rq->arena, uri, n);
	return parse_parameters(rq->arena, uri[n] == '?' ? span_of(uri + n + 1) : SPAN(""), &rq->parameters, &rq->parameter_count, e);
}

void http_request_done(struct http_request *rq)
{
	buffer_done(&rq->raw);
	buffer_done(&rq->inflated);
}

const char *http_variable(struct http_request *rq, const char *name)
{
	const char *value = rq->variable(rq->source, name);

	return value ? value : "";
}

const char *http_header(struct http_request *rq, const char *name)
{
	char variable[128];
	const char *value;

	snprintf(variable, sizeof(variable), "HTTP_%s", name);
	value = rq->variable(rq->source, variable);
	return value && *value ? value : NULL;
}

const char *http_parameter(const struct http_request *rq, const char *name)
{
	for (size_t i = 0; i < rq->parameter_count; i++)
		if (!strcmp(rq->parameters[i].name, name))
			return rq->parameters[i].value[0] ? rq->parameters[i].value : NULL;
	return NULL;
}

int http_parameter_int(const struct http_request *rq, const char *name, int64_t fallback,
		       int64_t low, int64_t high, int64_t *ret_value, struct err *e)
{
	const char *text = http_parameter(rq, name);
	char *end;
	long long value;

	if (!text) {
		*ret_value = fallback;
		return 1;
	}
	errno = 0;
	value = strtoll(text, &end, 10);
	if (errno || *end || !(isdigit((unsigned char)*text) || *text == '-') || value < low ||
	    value > high)
		return err_set(e, ERR_BAD_REQUEST,
			       "Bad Request: %s must be a whole number from %lld to %lld", name,
			       (long long)low, (long long)high);
	*ret_value = value;
	return 1;
}

static int content_encoding(struct http_request *rq, struct err *e)
{
	const char *encoding = http_header(rq, "CONTENT_ENCODING");

	if (!encoding || !strcasecmp(encoding, "identity"))
		return 1;
	if (strcasecmp(encoding, "gzip") && strcasecmp(encoding, "x-gzip"))
		return err_set(e, ERR_MEDIA_TYPE,
			       "Unsupported Media Type: Content-Encoding '%.64s'; send gzip or none",
			       encoding);
	rq->gzip = true;
	return 1;
}

static int too_large(size_t limit, struct err *e)
{
	return err_set(e, ERR_TOO_LARGE,
		       "Request Entity Too Large: the body is larger than %zu bytes; send less at a time",
		       limit);
}

static int read_all(struct http_request *rq, size_t limit, struct err *e)
{
	for (;;) {
		char *to = buffer_reserve(&rq->raw, READ_CHUNK);
		ssize_t n = rq->read(rq->source, to, READ_CHUNK);

		if (n < 0)
			return err_set(e, ERR_BAD_REQUEST, "Bad Request: the body ended too early");
		if (n == 0)
			return 1;
		rq->raw.length += (size_t)n;
		rq->raw.data[rq->raw.length] = '\0';
		if (rq->raw.length > limit)
			return too_large(limit, e);
	}
}

/* The web server knows the length of nearly every body; a short one was cut off on its way. */
static int check_length(struct http_request *rq, size_t arrived, struct err *e)
{
	const char *length = rq->variable(rq->source, "CONTENT_LENGTH");

	if (length && *length && strtoull(length, NULL, 10) > arrived)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: the body ended after %zu of %s bytes", arrived, length);
	return 1;
}

static int stream_all(struct http_request *rq, size_t limit, struct sink *to, size_t *ret_length, struct err *e)
{
	_cleanup_(freep) char *piece = xmalloc(READ_CHUNK);
	size_t length = 0;
	ssize_t n;

	while ((n = rq->read(rq->source, piece, READ_CHUNK)) > 0) {
		length += (size_t)n;
		if (length > limit)
			return too_large(limit, e);
		if (sink_write(to, piece, (size_t)n, e) < 0)
			return -1;
	}
	if (n < 0)
		return err_set(e, ERR_BAD_REQUEST, "Bad Request: the body ended too early");
	*ret_length = length;
	return check_length(rq, length, e);
}

int http_body_stream(struct http_request *rq, size_t limit, struct sink *to, size_t *ret_length, struct err *e)
{
	const char *length = rq->variable(rq->source, "CONTENT_LENGTH");

	if (length && strtoull(length, NULL, 10) > limit)
		return too_large(limit, e);
	if (content_encoding(rq, e) < 0)
		return -1;
	return stream_all(rq, limit, to, ret_length, e);
}

int http_body_raw(struct http_request *rq, size_t limit, struct span *ret_body, struct err *e)
{
	if (!rq->raw_loaded) {
		const char *length = rq->variable(rq->source, "CONTENT_LENGTH");

		if (length && strtoull(length, NULL, 10) > limit)
			return too_large(limit, e);
		if (content_encoding(rq, e) < 0 || read_all(rq, limit, e) < 0 ||
		    check_length(rq, rq->raw.length, e) < 0)
			return -1;
		rq->raw_loaded = true;
	}
	if (rq->raw.length > limit)
		return too_large(limit, e);
	*ret_body = (struct span){ rq->raw.data ? rq->raw.data : "", rq->raw.length };
	return 1;
}

int http_body(struct http_request *rq, size_t limit, struct span *ret_body, struct err *e)
{
	struct span raw;

	if (http_body_raw(rq, limit, &raw, e) < 0)
		return -1;
	if (!rq->gzip || raw.length == 0) {
		*ret_body = raw;
		return 1;
	}
	if (!rq->inflated_loaded && gunzip(raw, limit, &rq->inflated, e) < 0)
		return -1;
	rq->inflated_loaded = true;
	*ret_body = (struct span){ rq->inflated.data ? rq->inflated.data : "", rq->inflated.length };
	return 1;
}

/* "gzip", with a weight that is not nought: `;q=0`, with spaces and zeros as anybody likes. */
static bool takes_gzip(const char *item, size_t length)
{
	size_t at = strspn(item, " \t");
	const char *weight = memchr(item, '=', length);

	if (length < at + 4 || strncasecmp(item + at, "gzip", 4))
		return false;
	at += 4 + strspn(item + at + 4, " \t");
	if (at < length && item[at] != ';')
		return false;
	return at >= length || !weight || strtod(weight + 1, NULL) > 0;
}

bool http_accepts_gzip(struct http_request *rq)
{
	const char *item = http_header(rq, "ACCEPT_ENCODING");

	while (item && *item) {
		size_t n = strcspn(item, ",");

		if (takes_gzip(item, n))
			return true;
		item += n + (item[n] == ',');
	}
	return false;
}
