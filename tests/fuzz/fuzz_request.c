/* SPDX-License-Identifier: Apache-2.0 */
/* A request as the web server hands it over: "NAME=value" parts, then the body. */
#include "base/limits.h"
#include "fuzz.h"
#include "http/request.h"

#define VARIABLES 16

struct source {
	char *names[VARIABLES], *values[VARIABLES];
	size_t count;
	struct span body;
};

static const char *variable(void *context, const char *name)
{
	struct source *s = context;

	for (size_t i = 0; i < s->count; i++)
		if (!strcmp(s->names[i], name))
			return s->values[i];
	return NULL;
}

static ssize_t read_some(void *context, void *to, size_t size)
{
	struct source *s = context;
	size_t n = s->body.length < size ? s->body.length : size;

	n = n > 7 ? n / 2 : n;
	memcpy(to, s->body.data, n);
	s->body = (struct span){ s->body.data + n, s->body.length - n };
	return (ssize_t)n;
}

static void parse(struct span input, struct arena *arena, struct source *s)
{
	struct span part;

	s->body = SPAN("");
	while (next_part(&input, &part)) {
		char *text = arena_strndup(arena, part.data, part.length), *equals = strchr(text, '=');

		if (!equals || s->count == VARIABLES) {
			s->body = part;
			return;
		}
		*equals = '\0';
		s->names[s->count] = text;
		s->values[s->count++] = equals + 1;
	}
}

static void look_at(struct http_request *rq)
{
	struct err e = { 0 };
	int64_t number;
	struct span body;

	PROMISE(rq->path[0] == '/' && strlen(rq->path) <= LIMIT_URI && rq->parameter_count <= LIMIT_QUERY_PARAMETERS);
	for (size_t i = 0; i < rq->parameter_count; i++)
		PROMISE(rq->parameters[i].name && rq->parameters[i].value);
	if (http_parameter_int(rq, "page", 1, 0, 1000, &number, &e) < 0)
		promise_refusal(&e);
	else
		PROMISE(number >= 0 && number <= 1000);
	(void)http_accepts_gzip(rq);
	err_clear(&e);
	if (http_body(rq, 100000, &body, &e) < 0)
		promise_refusal(&e);
	else
		PROMISE(body.length <= 100000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct source source = { 0 };
	struct http_request rq = { .arena = &arena, .source = &source, .variable = variable, .read = read_some };
	struct err e = { 0 };
	char *text;

	if (http_unescape(&arena, (struct span){ (const char *)data, size }, true, &text) > 0)
		PROMISE(strlen(text) <= size);
	parse((struct span){ (const char *)data, size }, &arena, &source);
	if (http_request_init(&rq, &e) < 0)
		PROMISE(e.kind != ERR_NONE);
	else
		look_at(&rq);
	http_request_done(&rq);
	return 0;
}
