/* SPDX-License-Identifier: Apache-2.0 */
/* A request from a text file: what a bug report holds can be answered under a debugger. */
#include "once.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/dispatch.h"
#include "api/measure.h"
#include "send.h"

#define MAX_HEADERS 64

struct text_request {
	struct arena arena;
	struct {
		const char *name, *value;	/* as a web server passes them */
	} variables[MAX_HEADERS + 3];
	size_t count;
};

static void add(struct text_request *t, const char *name, const char *value)
{
	t->variables[t->count].name = name;
	t->variables[t->count++].value = value;
}

/* "Content-Type" becomes HTTP_CONTENT_TYPE. */
static const char *variable_name(struct arena *arena, const char *header, size_t length)
{
	char *name = arena_printf(arena, "HTTP_%.*s", (int)length, header);

	for (char *c = name; *c; c++)
		*c = *c == '-' ? '_' : (char)toupper((unsigned char)*c);
	return name;
}

static bool read_line(char *line, size_t room)
{
	if (!fgets(line, (int)room, stdin))
		return false;
	line[strcspn(line, "\r\n")] = '\0';
	return true;
}

static bool read_head(struct text_request *t)
{
	char line[16384], *address, *end;

	if (!read_line(line, sizeof(line)) || !(address = strchr(line, ' ')))
		return false;
	*address++ = '\0';
	end = strchr(address, ' ');
	if (end)
		*end = '\0';
	add(t, "REQUEST_METHOD", arena_strdup(&t->arena, line));
	add(t, "REQUEST_URI", arena_strdup(&t->arena, address));
	while (t->count < MAX_HEADERS && read_line(line, sizeof(line)) && *line) {
		size_t n = strcspn(line, ":");
		const char *value = line[n] ? line + n + 1 + strspn(line + n + 1, " \t") : "";

		add(t, variable_name(&t->arena, line, n), arena_strdup(&t->arena, value));
	}
	return true;
}

static const char *variable(void *source, const char *name)
{
	const struct text_request *t = source;

	for (size_t i = 0; i < t->count; i++)
		if (!strcmp(t->variables[i].name, name))
			return t->variables[i].value;
	return NULL;
}

/* Whatever follows the blank line is the body: an editor may have changed its length. */
static ssize_t read_body(void *source, void *to, size_t size)
{
	(void)source;
	return (ssize_t)fread(to, 1, size, stdin);
}

static int write_out(struct sink *self, const void *data, size_t length, struct err *e)
{
	(void)self;
	return length == 0 || fwrite(data, 1, length, stdout) == length ? 1 : err_internal(e, "standard output is closed");
}

int serve_once(struct app *app)
{
	struct text_request t = { 0 };
	struct sink out = { write_out };
	struct http_reply rp = { 0 };
	struct request rq = { .app = app, .db = app->db, .arena = &t.arena,
			      .http = { .arena = &t.arena, .source = &t, .variable = variable, .read = read_body } };
	bool whole = read_head(&t);

	if (whole) {
		api_dispatch(&rq, &rp);
		send_reply(&out, &rp, false, !strcmp(rq.http.method, "HEAD"));
		api_measure(&rq, &rp);
	} else {
		fputs("pulumi-api.fcgi: standard input holds no HTTP request: its first line must be METHOD ADDRESS HTTP/1.1\n", stderr);
	}
	http_reply_done(&rp);
	http_request_done(&rq.http);
	arena_clear(&t.arena);
	return whole ? 0 : 1;
}
