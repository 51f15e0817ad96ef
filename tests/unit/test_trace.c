/* SPDX-License-Identifier: Apache-2.0 */
/* Spans: what the wire holds, whose trace it is, who is whose child; and the ring: overrun, killed writers, damage. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "telemetry/attribute.h"
#include "telemetry/otlp.h"
#include "telemetry/ring.h"
#include "telemetry/trace.h"
#include "telemetry/wire.h"

#define ID "0199f3c2-7a11-7abc-8def-0123456789ab"
#define ID_OF_TRACE "0199f3c27a117abc8def0123456789ab"
#define PARENT "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static char folder[64];
static const char *path;
static struct arena arena;

static int setup(void **state)
{
	struct err e = { 0 };

	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/test-trace-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	path = trace_path(&arena, folder);
	return ring_make(path, &e) == 1 ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	arena_clear(&arena);
	return rmdir(folder);
}

/* --- the wire --- */

static void test_the_wire(void **state)
{
	static const unsigned char wanted[] = { 0x08, 0x96, 0x01, 0x12, 0x07, 't', 'e', 's', 't', 'i', 'n', 'g', 0x1a, 0x03, 0x08, 0x96, 0x01 };
	_cleanup_(buffer_done) struct buffer b = BUFFER_INIT;
	size_t at;

	(void)state;
	wire_varint(&b, 1, 150);
	wire_bytes(&b, 2, SPAN("testing"));
	at = wire_open(&b, 3);
	wire_varint(&b, 1, 150);
	wire_close(&b, at);
	assert_int_equal(b.length, sizeof(wanted));
	assert_memory_equal(b.data, wanted, sizeof(wanted));
}

static void test_long_messages_and_numbers(void **state)
{
	_cleanup_(buffer_done) struct buffer b = BUFFER_INIT;
	struct wire_field f;
	struct span rest;
	size_t outer = wire_open(&b, 7), inner = wire_open(&b, 5);

	(void)state;
	for (int i = 0; i < 70000; i++)
		buffer_putc(&b, (char)i);
	wire_close(&b, inner);
	wire_varint(&b, 2, UINT64_MAX);
	wire_fixed64(&b, 3, 0x0102030405060708);
	wire_fixed32(&b, 4, 0xfffffffe);
	wire_close(&b, outer);
	rest = buffer_span(&b);
	assert_int_equal(wire_next(&rest, &f), 1);
	assert_int_equal(rest.length, 0);
	assert_int_equal(f.field, 7);
	rest = f.bytes;
	assert_int_equal(wire_next(&rest, &f), 1);
	assert_int_equal(f.bytes.length, 70000);
	for (int i = 0; i < 70000; i++)
		assert_int_equal(f.bytes.data[i], (char)i);
	assert_int_equal(wire_next(&rest, &f), 1);
	assert_true(f.number == UINT64_MAX);
	assert_int_equal(wire_next(&rest, &f), 1);
	assert_true(f.number == 0x0102030405060708);
	assert_int_equal(wire_next(&rest, &f), 1);
	assert_true(f.number == 0xfffffffe);
	assert_int_equal(wire_next(&rest, &f), 0);
}

static void test_bytes_that_are_no_message(void **state)
{
	static const char *const broken[] = { "\xff", "\x08", "\x0a\x05" "abc", "\x09" "1234567", "\x0d" "123", "\x0b", "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff" };
	struct wire_field f;

	(void)state;
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		struct span rest = span_of(broken[i]);

		assert_int_equal(wire_next(&rest, &f), -1);
	}
}

static void test_texts_are_utf8(void **state)
{
	static const char *const pairs[][2] = {
		{ "plain", "plain" }, { "größe €😀", "größe €😀" }, { "\xff", "?" }, { "a\xc3", "a?" }, { "\xc0\xaf", "??" },
		{ "\xed\xa0\x80", "???" }, { "\xe2\x82", "??" }, { "\xf4\x90\x80\x80", "????" }, { "", "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		_cleanup_(buffer_done) struct buffer b = BUFFER_INIT;
		struct wire_field pair, key, value, text;
		struct span rest;

		attribute_text(&b, 9, "key", span_of(pairs[i][0]));
		rest = buffer_span(&b);
		assert_int_equal(wire_next(&rest, &pair), 1);
		assert_int_equal(wire_next(&pair.bytes, &key), 1);
		assert_int_equal(wire_next(&pair.bytes, &value), 1);
		assert_int_equal(wire_next(&value.bytes, &text), 1);
		assert_int_equal(text.bytes.length, strlen(pairs[i][1]));
		assert_memory_equal(text.bytes.data, pairs[i][1], text.bytes.length);
	}
}

/* --- spans --- */

struct span_seen {
	char trace[33], id[17], parent[17], name[200], state[520];
	uint64_t kind, began, ended, flags, status;
	int attributes;
};

static void hex_of(struct span bytes, char *to)
{
	for (size_t i = 0; i < bytes.length; i++)
		sprintf(to + 2 * i, "%02x", (unsigned char)bytes.data[i]);
}

static struct span_seen read_span(struct span message)
{
	struct span_seen s = { 0 };
	struct wire_field f, code;

	while (wire_next(&message, &f) == 1) {
		if (f.field == 1)
			hex_of(f.bytes, s.trace);
		if (f.field == 2)
			hex_of(f.bytes, s.id);
		if (f.field == 3)
			memcpy(s.state, f.bytes.data, f.bytes.length);
		if (f.field == 4)
			hex_of(f.bytes, s.parent);
		if (f.field == 5)
			memcpy(s.name, f.bytes.data, f.bytes.length);
		if (f.field == 6)
			s.kind = f.number;
		if (f.field == 7)
			s.began = f.number;
		if (f.field == 8)
			s.ended = f.number;
		if (f.field == 15 && wire_next(&f.bytes, &code) == 1)
			s.status = code.number;
		if (f.field == 16)
			s.flags = f.number;
		s.attributes += f.field == 9;
	}
	return s;
}

/* All spans in the ring, at most `most`. */
static size_t spans(struct span_seen *ret_spans, size_t most)
{
	_cleanup_(buffer_done) struct buffer b = BUFFER_INIT;
	struct ring *r = ring_open(path);
	size_t lost, n = 0;
	struct wire_field f;
	struct span rest;

	ring_read(r, 1 << 20, 0, &b, &lost);
	ring_taken(r);
	ring_close(r);
	rest = buffer_span(&b);
	while (wire_next(&rest, &f) == 1) {
		assert_int_equal(f.field, 2);
		assert_true(n < most);
		ret_spans[n++] = read_span(f.bytes);
	}
	return n;
}

static void begin(struct tracer *t, const char *parent, const char *tracestate)
{
	trace_begin(t, &(struct trace_caller){ .id = ID, .traceparent = parent, .tracestate = tracestate, .user_agent = "me", .now_us = 1000000,
					       .began_ns = 500 });
}

static void end(struct tracer *t, int status)
{
	trace_end(t, &(struct trace_request){ .operation = "get_stack", .route = "/api/{x}", .method = "GET", .id = ID, .status = status });
}

static void add(struct tracer *t, enum trace_kind kind, const char *name, int64_t began, int64_t ended, bool failed)
{
	trace_add(t, kind, &(struct observation){ .name = name, .began_ns = began, .ended_ns = ended, .failed = failed });
}

static void test_a_trace_that_begins_here(void **state)
{
	struct tracer *t = tracer_open(path, NULL, (struct trace_sampler){ true, 1 });
	struct span_seen s[4];

	(void)state;
	begin(t, NULL, "a=b");
	end(t, 200);
	assert_int_equal(spans(s, 4), 1);
	assert_string_equal(s[0].trace, ID_OF_TRACE);
	assert_string_equal(s[0].parent, "");
	assert_string_equal(s[0].state, "");
	assert_string_equal(s[0].name, "get_stack");
	assert_int_equal(s[0].kind, 2);
	assert_int_equal(s[0].began, 1000000000);
	assert_int_equal(s[0].flags, 0x101);
	assert_int_equal(s[0].status, 0);
	assert_true(s[0].attributes >= 6);
	tracer_close(t);
}

static void test_the_trace_of_the_caller(void **state)
{
	struct tracer *t = tracer_open(path, NULL, (struct trace_sampler){ true, 1 });
	struct span_seen s[4];

	(void)state;
	begin(t, PARENT, "a=b,c=d");
	end(t, 503);
	begin(t, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", "a=b");
	add(t, TRACE_STATEMENT, "stack.by_path", 600, 700, false);
	end(t, 200);
	assert_int_equal(spans(s, 4), 1);
	assert_string_equal(s[0].trace, "4bf92f3577b34da6a3ce929d0e0e4736");
	assert_string_equal(s[0].parent, "00f067aa0ba902b7");
	assert_string_equal(s[0].state, "a=b,c=d");
	assert_int_equal(s[0].flags, 0x301);
	assert_int_equal(s[0].status, 2);
	tracer_close(t);
}

static void test_headers_that_are_none(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} cases[] = {
		{ "", false },
		{ "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false },
		{ "00-00000000000000000000000000000000-00f067aa0ba902b7-01", false },
		{ "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false },
		{ "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0g", false },
		{ "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1", false },
		{ "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x", false },
		{ "00-4bf92f3577b34da6a3ce929d0e0e4736x00f067aa0ba902b7-01", false },
		{ "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false },
		{ "zz-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false },
		{ "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01x", false },
		{ "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what", true },
		{ "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03", true },
	};
	struct tracer *t = tracer_open(path, NULL, (struct trace_sampler){ true, 1 });

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span_seen s[2];

		begin(t, cases[i].text, NULL);
		end(t, 200);
		assert_int_equal(spans(s, 2), 1);
		assert_string_equal(s[0].trace, cases[i].good ? "4bf92f3577b34da6a3ce929d0e0e4736" : ID_OF_TRACE);
		assert_string_equal(s[0].parent, cases[i].good ? "00f067aa0ba902b7" : "");
	}
	tracer_close(t);
}

static void test_states_that_are_none(void **state)
{
	struct tracer *t = tracer_open(path, NULL, (struct trace_sampler){ true, 1 });
	struct span_seen s[2];
	char text[600];

	(void)state;
	memset(text, 'x', sizeof(text));
	text[512] = '\0';
	begin(t, PARENT, text);
	end(t, 200);
	assert_int_equal(spans(s, 2), 1);
	assert_int_equal(strlen(s[0].state), 512);
	text[512] = 'x';
	text[513] = '\0';
	begin(t, PARENT, text);
	end(t, 200);
	assert_int_equal(spans(s, 2), 1);
	assert_string_equal(s[0].state, "");
	begin(t, PARENT, "a=\xc3\xa4");
	end(t, 200);
	assert_int_equal(spans(s, 2), 1);
	assert_string_equal(s[0].state, "");
	tracer_close(t);
}

/* How many of a thousand requests are recorded; with a caller that says yes or no, or without one. */
static int sampled(struct trace_sampler sampler, const char *flags)
{
	struct tracer *t = tracer_open(path, NULL, sampler);
	int n = 0;

	for (unsigned i = 0; i < 1000; i++) {
		struct span_seen s[2];
		char id[64], parent[64];

		snprintf(id, sizeof(id), "0199f3c2-7a11-7abc-8d%02x-%08xb6ab", i * 7919u % 256, i * 2654435761u);
		snprintf(parent, sizeof(parent), "00-4bf92f3577b34da6%02x%08x0e4736-00f067aa0ba902b7-%s", i * 7919u % 256, i * 2654435761u, flags ? flags : "");
		trace_begin(t, &(struct trace_caller){ .id = id, .traceparent = flags ? parent : NULL, .now_us = 1, .began_ns = 1 });
		end(t, 200);
		n += (int)spans(s, 2);
	}
	tracer_close(t);
	return n;
}

static void test_samples(void **state)
{
	int part;

	(void)state;
	assert_int_equal(sampled((struct trace_sampler){ true, 1 }, NULL), 1000);
	assert_int_equal(sampled((struct trace_sampler){ true, 0 }, NULL), 0);
	assert_int_equal(sampled((struct trace_sampler){ true, 0 }, "01"), 1000);
	assert_int_equal(sampled((struct trace_sampler){ true, 1 }, "00"), 0);
	assert_int_equal(sampled((struct trace_sampler){ false, 1 }, "00"), 1000);
	assert_int_equal(sampled((struct trace_sampler){ false, 0 }, "01"), 0);
	part = sampled((struct trace_sampler){ true, 0.25 }, NULL);
	assert_true(part > 200 && part < 300);
	part = sampled((struct trace_sampler){ false, 0.25 }, "00");
	assert_true(part > 200 && part < 300);
}

/* An object that took three calls, the last of which failed; statements before, repeated, and after. */
static void test_children(void **state)
{
	struct tracer *t = tracer_open(path, NULL, (struct trace_sampler){ true, 1 });
	struct span_seen s[10];

	(void)state;
	begin(t, PARENT, NULL);
	add(t, TRACE_STATEMENT, "stack.by_path", 600, 700, false);
	add(t, TRACE_STATEMENT, "update.next", 800, 900, false);
	add(t, TRACE_STATEMENT, "update.next", 1000, 1100, false);
	add(t, TRACE_STATEMENT, "update.next", 1200, 1300, true);
	add(t, TRACE_WEB, "GET", 1500, 1600, false);
	add(t, TRACE_WEB, "GET", 1620, 1650, false);
	add(t, TRACE_WEB, "GET", 1700, 1800, true);
	add(t, TRACE_OBJECT, "get", 1400, 1900, true);
	add(t, TRACE_STATEMENT, "transaction.commit", 2000, 2100, false);
	end(t, 200);
	assert_int_equal(spans(s, 10), 9);
	for (int i = 1; i < 9; i++)
		assert_string_equal(s[i].trace, "4bf92f3577b34da6a3ce929d0e0e4736");
	assert_string_equal(s[1].parent, s[0].id);
	assert_string_equal(s[2].name, "update.next");
	assert_int_equal(s[2].began, 1000000300);
	assert_int_equal(s[2].ended, 1000000600);
	assert_int_equal(s[3].status, 2);
	for (int i = 4; i < 7; i++)
		assert_string_equal(s[i].parent, s[7].id);
	assert_string_equal(s[7].name, "object store get");
	assert_string_equal(s[7].parent, s[0].id);
	assert_string_equal(s[8].parent, s[0].id);
	for (int i = 0; i < 9; i++)
		for (int j = 0; j < i; j++)
			assert_string_not_equal(s[i].id, s[j].id);
	tracer_close(t);
}

/* More than a record holds, and more than are kept; nothing is left of it for the next request. */
static void test_many_children(void **state)
{
	static struct span_seen s[100];
	struct tracer *t = tracer_open(path, NULL, (struct trace_sampler){ true, 1 });

	(void)state;
	begin(t, NULL, NULL);
	for (int i = 0; i < 100; i++) {
		char name[32];

		snprintf(name, sizeof(name), "statement.number_%d", i);
		add(t, TRACE_STATEMENT, name, 600 + i, 601 + i, false);
	}
	end(t, 200);
	assert_int_equal(spans(s, 100), 65);
	assert_string_equal(s[64].name, "statement.number_63");
	add(t, TRACE_STATEMENT, "between.requests", 1, 2, false);
	begin(t, NULL, NULL);
	end(t, 200);
	assert_int_equal(spans(s, 100), 1);
	tracer_close(t);
	trace_begin(NULL, &(struct trace_caller){ .id = ID });
	add(NULL, TRACE_WEB, "GET", 1, 2, false);
	end(NULL, 200);
	tracer_close(NULL);
}

/* --- the ring --- */

static void put_number(struct ring *r, unsigned number)
{
	char text[16];
	int n = snprintf(text, sizeof(text), "%08u", number);

	assert_int_equal(ring_put(r, (struct span){ text, (size_t)n }), 1);
}

static size_t read_all(struct ring *r, struct buffer *b, size_t *lost)
{
	size_t n;

	buffer_clear(b);
	n = ring_read(r, 1 << 20, 0, b, lost);
	*lost += ring_taken(r);
	return n;
}

static void test_the_oldest_go(void **state)
{
	_cleanup_(buffer_done) struct buffer b = BUFFER_INIT;
	struct ring *r = ring_open(path), *reader = ring_open(path);
	size_t lost;

	(void)state;
	assert_int_equal(read_all(reader, &b, &lost), 0);
	for (unsigned i = 0; i < RING_RECORDS + 10; i++)
		put_number(r, i);
	assert_int_equal(read_all(reader, &b, &lost), RING_RECORDS);
	assert_int_equal(lost, 10);
	assert_memory_equal(b.data, "00000010", 8);
	put_number(r, 7);
	assert_int_equal(read_all(reader, &b, &lost), 1);
	assert_int_equal(lost, 0);
	assert_string_equal(b.data, "00000007");
	ring_close(reader);
	ring_close(r);
}

static void test_what_was_not_taken_comes_again(void **state)
{
	_cleanup_(buffer_done) struct buffer b = BUFFER_INIT;
	struct ring *r = ring_open(path), *reader = ring_open(path);
	size_t lost;

	(void)state;
	for (unsigned i = 0; i < 10; i++)
		put_number(r, i);
	assert_int_equal(ring_read(reader, 20, 0, &b, &lost), 3);
	ring_close(reader);
	reader = ring_open(path);
	buffer_clear(&b);
	assert_int_equal(ring_read(reader, 20, 0, &b, &lost), 3);
	assert_string_equal(b.data, "000000000000000100000002");
	assert_int_equal(ring_taken(reader), 0);
	assert_int_equal(read_all(reader, &b, &lost), 7);
	assert_int_equal(ring_put(r, (struct span){ folder, RING_RECORD_MOST + 1 }), 0);
	ring_close(reader);
	ring_close(r);
}

static void write_for_ever(void)
{
	struct ring *r = ring_open(path);
	char text[RING_RECORD_MOST];

	memset(text, 'x', sizeof(text));
	for (;;)
		ring_put(r, (struct span){ text, sizeof(text) });
}

/* Every record that is read is whole, whoever was killed while it wrote; who died is waited for two seconds of our clock. */
static void test_killed_writers(void **state)
{
	_cleanup_(buffer_done) struct buffer b = BUFFER_INIT;
	struct ring *reader = ring_open(path);
	size_t lost, found, all = 0;

	(void)state;
	for (int round = 0; round < 10; round++) {
		pid_t writers[3];

		for (int i = 0; i < 3; i++) {
			writers[i] = fork();
			if (writers[i] == 0)
				write_for_ever();
		}
		usleep(3000);
		for (int i = 0; i < 3; i++) {
			kill(writers[i], SIGKILL);
			waitpid(writers[i], NULL, 0);
		}
		for (int64_t now = 1; now < 5000000000LL; now += 3000000000LL) {
			buffer_clear(&b);
			found = ring_read(reader, SIZE_MAX, now, &b, &lost);
			ring_taken(reader);
			all += found;
			assert_int_equal(b.length, found * RING_RECORD_MOST);
			for (size_t i = 0; i < b.length; i++)
				if (b.data[i] != 'x')
					fail();
		}
		put_number(reader, 5);
		assert_int_equal(read_all(reader, &b, &lost), 1);
	}
	assert_true(all > 0);
	ring_close(reader);
}

static void test_a_damaged_record_is_left_out(void **state)
{
	_cleanup_(buffer_done) struct buffer b = BUFFER_INIT;
	struct ring *r = ring_open(path);
	int fd = open(path, O_RDWR);
	size_t lost;

	(void)state;
	put_number(r, 1);
	put_number(r, 2);
	assert_int_equal(pwrite(fd, "X", 1, 4096 + 16), 1);
	assert_int_equal(read_all(r, &b, &lost), 1);
	assert_string_equal(b.data, "00000002");
	assert_int_equal(lost, 1);
	assert_int_equal(ftruncate(fd, 5000), 0);
	assert_null(ring_open(path));
	close(fd);
	ring_close(r);
}

/* --- settings --- */

static void settings_are(const char *name, const char *value, int wanted, const char *word)
{
	_cleanup_(arena_clear) struct arena a = ARENA_INIT;
	struct otlp o = { 0 };
	struct err e = { 0 };

	setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4317", 1);
	setenv(name, value, 1);
	assert_int_equal(otlp_settings(&a, &o, &e), wanted);
	if (wanted < 0)
		assert_non_null(strstr(e.detail, name));
	if (word)
		assert_non_null(strstr(wanted < 0 ? e.detail : !strcmp(name, "OTEL_EXPORTER_OTLP_HEADERS") ? o.headers : o.endpoint, word));
	unsetenv(name);
}

static void test_settings(void **state)
{
	static const char endpoint[] = "OTEL_EXPORTER_OTLP_ENDPOINT", protocol[] = "OTEL_EXPORTER_OTLP_PROTOCOL", headers[] = "OTEL_EXPORTER_OTLP_HEADERS";
	static const char *const bad[] = { "localhost:4317", "http://", "http://:4317", "http://a:0", "http://a:70000", "http://a:x", "ftp://a", "http://a b",
					   "http://a/?q", "http://a#f", "http://[::1", "http://me:secret@a" };

	(void)state;
	settings_are(endpoint, "", 0, NULL);
	settings_are(endpoint, "https://[::1]:4317/", 1, "https://[::1]:4317");
	settings_are(endpoint, "http://collector/base//", 1, "http://collector/base");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		settings_are(endpoint, bad[i], -1, NULL);
	settings_are(protocol, "grpc", 1, NULL);
	settings_are(protocol, "http", 1, NULL);
	settings_are(protocol, "http/protobuf", 1, NULL);
	settings_are(protocol, "http/json", -1, "http/json");
	settings_are("OTEL_TRACES_SAMPLER", "always_off", 1, NULL);
	settings_are("OTEL_TRACES_SAMPLER", "parentbased_traceidratio", 1, NULL);
	settings_are("OTEL_TRACES_SAMPLER", "parentbased_sometimes", -1, "parentbased_sometimes");
	setenv("OTEL_TRACES_SAMPLER", "traceidratio", 1);
	settings_are("OTEL_TRACES_SAMPLER_ARG", "0.5", 1, NULL);
	settings_are("OTEL_TRACES_SAMPLER_ARG", "1.5", -1, "1.5");
	settings_are("OTEL_TRACES_SAMPLER_ARG", "half", -1, "half");
	settings_are("OTEL_TRACES_SAMPLER_ARG", "nan", -1, "nan");
	unsetenv("OTEL_TRACES_SAMPLER");
	settings_are(headers, "x-one=1, Authorization=Bearer%20abc%2Cd ,", 1, "x-one: 1\nAuthorization: Bearer abc,d\n");
	settings_are(headers, "x-one", -1, "part 1");
	settings_are(headers, "x-one=1,=2", -1, "part 2");
	settings_are(headers, "x-one=1%0aHost: y", -1, "part 1");
	settings_are("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment=test", 1, NULL);
	settings_are("OTEL_RESOURCE_ATTRIBUTES", "nothing", -1, NULL);
	settings_are("OTEL_EXPORTER_OTLP_TIMEOUT", "soon", -1, NULL);
	settings_are("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such/file", -1, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_wire),
		cmocka_unit_test(test_long_messages_and_numbers),
		cmocka_unit_test(test_bytes_that_are_no_message),
		cmocka_unit_test(test_texts_are_utf8),
		cmocka_unit_test_setup_teardown(test_a_trace_that_begins_here, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_trace_of_the_caller, setup, teardown),
		cmocka_unit_test_setup_teardown(test_headers_that_are_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_states_that_are_none, setup, teardown),
		cmocka_unit_test_setup_teardown(test_samples, setup, teardown),
		cmocka_unit_test_setup_teardown(test_children, setup, teardown),
		cmocka_unit_test_setup_teardown(test_many_children, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_oldest_go, setup, teardown),
		cmocka_unit_test_setup_teardown(test_what_was_not_taken_comes_again, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed_writers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_damaged_record_is_left_out, setup, teardown),
		cmocka_unit_test(test_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
