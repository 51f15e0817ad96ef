/* SPDX-License-Identifier: Apache-2.0 */
/* Requests, gzip, answers, problems. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/gzip.h"
#include "http/problem.h"
#include "http/request.h"

struct source {
	const char *names[8], *values[8];
	struct span body;
	bool broken;		/* the client goes away at the end of the body */
};

static const char *variable(void *context, const char *name)
{
	struct source *s = context;

	for (int i = 0; i < 8 && s->names[i]; i++)
		if (!strcmp(s->names[i], name))
			return s->values[i];
	return NULL;
}

static ssize_t read_some(void *context, void *to, size_t size)
{
	struct source *s = context;
	size_t n = s->body.length < 3 ? s->body.length : 3;

	n = n < size ? n : size;
	if (n == 0 && s->broken)
		return -1;
	memcpy(to, s->body.data, n);
	s->body = (struct span){ s->body.data + n, s->body.length - n };
	return (ssize_t)n;
}

#define REQUEST(uri_text, ...)                                                                     \
	struct arena arena = ARENA_INIT;                                                           \
	struct source source = { { "REQUEST_METHOD", "REQUEST_URI", __VA_ARGS__ }, { "GET", uri_text }, SPAN(""), false }; \
	struct http_request rq = { .arena = &arena, .source = &source, .variable = variable, .read = read_some }; \
	struct err e = { 0 };                                                                      \
	(void)state

static void end(struct http_request *rq)
{
	http_request_done(rq);
	arena_clear(rq->arena);
}

static void the_query_is_decoded(void **state)
{
	int64_t number;
	REQUEST("/api/x%2Fy?a=1%2B1+x&b&c=&page=7&a=second&%41=%c3%a9", NULL);

	assert_int_equal(http_request_init(&rq, &e), 1);
	assert_string_equal(rq.path, "/api/x%2Fy");
	assert_string_equal(http_parameter(&rq, "a"), "1+1 x");
	assert_null(http_parameter(&rq, "b"));
	assert_null(http_parameter(&rq, "c"));
	assert_null(http_parameter(&rq, "nothing"));
	assert_string_equal(http_parameter(&rq, "A"), "\xc3\xa9");
	assert_int_equal(http_parameter_int(&rq, "page", 1, 1, 10, &number, &e), 1);
	assert_int_equal(number, 7);
	assert_int_equal(http_parameter_int(&rq, "nothing", 42, 1, 10, &number, &e), 1);
	assert_int_equal(number, 42);
	assert_int_equal(http_parameter_int(&rq, "page", 1, 1, 6, &number, &e), -1);
	assert_int_equal(e.kind, ERR_BAD_REQUEST);
	end(&rq);
}

static void numbers_are_whole_and_in_range(void **state)
{
	static const char *const bad[] = { "x", "1.5", "1e3", "+1", " 1", "1 ", "0x1", "99999999999999999999", "-" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct http_parameter parameter = { "n", bad[i] };
		const struct http_request rq = { .parameters = &parameter, .parameter_count = 1 };
		struct err e = { 0 };
		int64_t number = 5;

		(void)state;
		assert_int_equal(http_parameter_int(&rq, "n", 1, -10, 1000, &number, &e), -1);
		assert_int_equal(number, 5);
	}
}

static void broken_addresses_are_refused(void **state)
{
	static const char *const bad[] = { "/?a=%", "/?a=%4", "/?a=%zz", "/?%00=1", "/?a=%00", "x", "" };
	char many[2048] = "/?", *to = many + 2, longest[9000];

	memset(longest, 'x', sizeof(longest) - 1);
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	for (int i = 0; i < 65; i++)
		to += sprintf(to, "p%d=1&", i);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]) + 2; i++) {
		REQUEST(i < 7 ? bad[i] : i == 7 ? many : longest, NULL);

		assert_int_equal(http_request_init(&rq, &e), -1);
		assert_int_equal(e.kind, ERR_BAD_REQUEST);
		end(&rq);
	}
}

static void bodies_have_limits(void **state)
{
	struct span body;

	{
		REQUEST("/", "CONTENT_LENGTH");
		source.values[2] = "10";
		source.body = SPAN("0123456789");
		assert_int_equal(http_request_init(&rq, &e), 1);
		assert_int_equal(http_body(&rq, 9, &body, &e), -1);
		assert_int_equal(e.kind, ERR_TOO_LARGE);
		assert_int_equal(source.body.length, 10);
		end(&rq);
	}
	{
		REQUEST("/", NULL);
		source.body = SPAN("0123456789");
		assert_int_equal(http_request_init(&rq, &e), 1);
		assert_int_equal(http_body(&rq, 9, &body, &e), -1);
		assert_int_equal(e.kind, ERR_TOO_LARGE);
		end(&rq);
	}
	{
		REQUEST("/", NULL);
		source.body = SPAN("0123456789");
		assert_int_equal(http_request_init(&rq, &e), 1);
		assert_int_equal(http_body(&rq, 10, &body, &e), 1);
		assert_true(span_equal(body, SPAN("0123456789")));
		assert_int_equal(http_body(&rq, 10, &body, &e), 1);
		assert_true(span_equal(body, SPAN("0123456789")));
		end(&rq);
	}
}

static void bodies_that_end_early_are_refused(void **state)
{
	struct span body;

	for (int broken = 0; broken < 2; broken++) {
		REQUEST("/", "CONTENT_LENGTH");
		source.values[2] = "11";
		source.body = SPAN("0123456789");
		source.broken = broken;
		assert_int_equal(http_request_init(&rq, &e), 1);
		assert_int_equal(http_body(&rq, 100, &body, &e), -1);
		assert_int_equal(e.kind, ERR_BAD_REQUEST);
		end(&rq);
	}
}

static void encodings(void **state)
{
	static const struct {
		const char *name;
		int expected;
	} table[] = { { "identity", 1 }, { "", 1 }, { "br", -1 }, { "gzip, gzip", -1 }, { "deflate", -1 }, { "IDENTITY", 1 } };
	struct span body;

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		REQUEST("/", "HTTP_CONTENT_ENCODING");
		source.values[2] = table[i].name;
		source.body = SPAN("{}");
		assert_int_equal(http_request_init(&rq, &e), 1);
		assert_int_equal(http_body(&rq, 100, &body, &e), table[i].expected);
		assert_int_equal(e.kind, table[i].expected > 0 ? ERR_NONE : ERR_MEDIA_TYPE);
		end(&rq);
	}
}

static void compressed_bodies_arrive_both_ways(void **state)
{
	struct buffer packed = BUFFER_INIT;
	struct span body, raw;
	REQUEST("/", "HTTP_CONTENT_ENCODING");

	assert_int_equal(gzip(SPAN("hello hello hello hello hello"), &packed, &e), 1);
	source.values[2] = "GZip";
	source.body = buffer_span(&packed);
	assert_int_equal(http_request_init(&rq, &e), 1);
	assert_int_equal(http_body_raw(&rq, 1000, &raw, &e), 1);
	assert_true(rq.gzip && span_equal(raw, buffer_span(&packed)));
	assert_int_equal(http_body(&rq, 100, &body, &e), 1);
	assert_true(span_equal(body, SPAN("hello hello hello hello hello")));
	end(&rq);
	buffer_done(&packed);
}

static void gunzip_refuses_what_is_not_whole(void **state)
{
	struct buffer packed = BUFFER_INIT, out = BUFFER_INIT;
	struct err e = { 0 };

	(void)state;
	assert_int_equal(gzip(SPAN("some text that is compressed"), &packed, &e), 1);
	for (size_t n = 0; n < packed.length; n++) {
		err_clear(&e);
		assert_int_equal(gunzip((struct span){ packed.data, n }, 1000, &out, &e), -1);
		assert_int_equal(e.kind, ERR_BAD_REQUEST);
	}
	for (size_t n = 0; n < packed.length; n++) {
		/* Name, time and system of the head mean nothing; a changed flag, text or trailer does. */
		if (n >= 4 && n <= 9)
			continue;
		err_clear(&e);
		packed.data[n] ^= 0x55;
		buffer_clear(&out);
		assert_int_equal(gunzip(buffer_span(&packed), 1000, &out, &e), -1);
		packed.data[n] ^= 0x55;
	}
	buffer_clear(&out);
	err_clear(&e);
	assert_int_equal(gunzip(buffer_span(&packed), 28, &out, &e), 1);
	buffer_clear(&out);
	assert_int_equal(gunzip(buffer_span(&packed), 27, &out, &e), -1);
	assert_int_equal(e.kind, ERR_TOO_LARGE);
	buffer_done(&packed);
	buffer_done(&out);
}

static void gzip_takes_any_size_in_any_pieces(void **state)
{
	static const size_t sizes[] = { 0, 1, 100, 65536, 262144, 262145, 3000000 };
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		_cleanup_(freep) char *text = xmalloc(sizes[i] + 1);
		_cleanup_(buffer_done) struct buffer packed = BUFFER_INIT, out = BUFFER_INIT;
		_cleanup_(gzip_sink_freep) struct gzip_sink *z = NULL;
		struct buffer_sink to;

		for (size_t n = 0; n < sizes[i]; n++)
			text[n] = (char)(n * 2654435761U >> 13);
		buffer_sink_init(&to, &packed, SIZE_MAX);
		z = gzip_sink_new(&to.sink);
		for (size_t n = 0, piece = 1; n < sizes[i]; n += piece, piece = piece * 3 + 1) {
			piece = piece < sizes[i] - n ? piece : sizes[i] - n;
			assert_int_equal(sink_write(gzip_sink_of(z), text + n, piece, &e), 1);
		}
		assert_int_equal(gzip_sink_finish(z, &e), 1);
		assert_int_equal(gunzip(buffer_span(&packed), sizes[i], &out, &e), 1);
		assert_int_equal(out.length, sizes[i]);
		assert_true(sizes[i] == 0 || !memcmp(out.data, text, sizes[i]));
	}
}

static void who_takes_gzip(void **state)
{
	static const struct {
		const char *header;
		bool takes;
	} table[] = { { "gzip", true }, { "GZIP", true }, { "br, gzip", true }, { "gzip;q=0.1", true }, { "gzip ; q=1.0", true },
		      { "deflate,gzip;q=0.5,br", true }, { "", false }, { "identity", false }, { "gzip;q=0", false },
		      { "gzip; q=0.000", false }, { "x-gzipped", false }, { "gzipx", false }, { "br;q=1, *;q=0", false } };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		REQUEST("/", "HTTP_ACCEPT_ENCODING");
		source.values[2] = table[i].header;
		assert_int_equal(http_request_init(&rq, &e), 1);
		if (http_accepts_gzip(&rq) != table[i].takes)
			fail_msg("'%s' must%s be taken for an acceptance", table[i].header, table[i].takes ? "" : " not");
		end(&rq);
	}
}

static void problems_are_json_with_their_code(void **state)
{
	struct http_reply rp = { 0 };
	struct err e = { 0 };

	(void)state;
	buffer_puts(&rp.body, "half an answer");
	http_reply_header(&rp, "X-A", "b\r\nInjected: yes");
	err_set(&e, ERR_NOT_FOUND, "Not Found: \"%s\"", "x\ny");
	http_problem(&rp, &e, "id-1");
	assert_int_equal(rp.status, 404);
	assert_string_equal(rp.body.data, "{\"code\":404,\"message\":\"Not Found: \\\"x\\ny\\\"\"}");
	assert_true(rp.headers.length == 0);
	err_clear(&e);
	err_internal(&e, "the secret reason");
	http_problem(&rp, &e, "id-2");
	assert_int_equal(rp.status, 500);
	assert_non_null(strstr(rp.body.data, "\"requestId\":\"id-2\""));
	assert_null(strstr(rp.body.data, "secret"));
	assert_true(rp.headers.length == 0);
	err_clear(&e);
	err_set(&e, ERR_UNAVAILABLE, "Service Unavailable: %s", "no database");
	http_problem(&rp, &e, "id-3");
	assert_int_equal(rp.status, 503);
	assert_string_equal(rp.headers.data, "Retry-After: 1\r\n");
	http_reply_done(&rp);
}

static void headers_cannot_be_split(void **state)
{
	struct http_reply rp = { 0 };

	(void)state;
	http_reply_header(&rp, "X-A", "b\r\nInjected: yes");
	assert_null(strstr(rp.headers.data, "\nInjected"));
	assert_string_equal(rp.headers.data + rp.headers.length - 2, "\r\n");
	http_reply_done(&rp);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_query_is_decoded),
		cmocka_unit_test(numbers_are_whole_and_in_range),
		cmocka_unit_test(broken_addresses_are_refused),
		cmocka_unit_test(bodies_have_limits),
		cmocka_unit_test(bodies_that_end_early_are_refused),
		cmocka_unit_test(encodings),
		cmocka_unit_test(compressed_bodies_arrive_both_ways),
		cmocka_unit_test(gunzip_refuses_what_is_not_whole),
		cmocka_unit_test(gzip_takes_any_size_in_any_pieces),
		cmocka_unit_test(who_takes_gzip),
		cmocka_unit_test(problems_are_json_with_their_code),
		cmocka_unit_test(headers_cannot_be_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
