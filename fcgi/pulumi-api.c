/* SPDX-License-Identifier: Apache-2.0 */
/* pulumi-api.fcgi: one request at a time from the socket on descriptor 0, until SIGTERM. */
#include <errno.h>
#include <fcgiapp.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "accept.h"
#include "api/dispatch.h"
#include "api/measure.h"
#include "base/settings.h"
#include "once.h"
#include "send.h"
#include "start/start.h"
#include "telemetry/watch.h"

static void help(FILE *out)
{
	fputs("usage: pulumi-api.fcgi [--once | --help]\n"
	      "FastCGI responder of the Pulumi API; a web server or pulumi-serve starts it with its socket on descriptor 0.\n"
	      "  --once  answer the one HTTP request on standard input, on standard output\n",
	      out);
	settings_help(out, "database,objects,keys,audit,serving,identity,telemetry");
	fputs("Exit codes: 0 asked to stop, 1 a setting or a dependency is wrong, 2 wrong usage.\n", out);
}

struct connection {
	FCGX_Request fcgi;
	struct watch *watch;
};

static const char *variable(void *source, const char *name)
{
	return FCGX_GetParam(name, ((struct connection *)source)->fcgi.envp);
}

static ssize_t read_body(void *source, void *to, size_t size)
{
	struct connection *c = source;
	int n;

	watch_waits(c->watch);
	n = FCGX_GetStr(to, (int)size, c->fcgi.in);
	watch_works(c->watch);
	return n == 0 && FCGX_GetError(c->fcgi.in) ? -1 : n;
}

struct fcgi_sink {
	struct sink sink;
	struct connection *connection;
};

static int write_out(struct sink *self, const void *data, size_t length, struct err *e)
{
	struct connection *c = ((struct fcgi_sink *)self)->connection;
	const char *from = data;

	watch_waits(c->watch);
	while (length) {
		int n = length < 1 << 20 ? (int)length : 1 << 20;

		if (FCGX_PutStr(from, n, c->fcgi.out) < 0)
			return err_unavailable(e, "the client went away");
		from += n;
		length -= (size_t)n;
	}
	watch_works(c->watch);
	return 1;
}

static void serve_one(struct app *app, struct connection *c)
{
	struct fcgi_sink out = { { write_out }, c };
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct http_reply rp = { 0 };
	struct request rq = { .app = app, .db = app->db, .arena = &arena,
			      .http = { .arena = &arena, .source = c, .variable = variable, .read = read_body } };

	watch_works(c->watch);
	api_dispatch(&rq, &rp);
	send_reply(&out.sink, &rp, app->sendfile, rq.http.method && !strcmp(rq.http.method, "HEAD"));
	watch_waits(c->watch);
	responder_finish(&c->fcgi);
	watch_works(c->watch);
	api_measure(&rq, &rp);
	http_reply_done(&rp);
	http_request_done(&rq.http);
	watch_waits(c->watch);
}

static int serve(struct app *app)
{
	struct connection c = { .watch = setting("PULUMI_RUN_DIR") ? watch_open(setting("PULUMI_RUN_DIR")) : NULL };

	if (responder_init(&c.fcgi) < 0)
		return 1;
	if (app->untried)
		fprintf(stderr, "level=info event=started_again detail=\"object stores and key service were tried before with these settings, "
			"and are not waited for\"\n");
	/* Who started this may wait for the end of its standard output: from here on requests are served. */
	dup2(STDERR_FILENO, STDOUT_FILENO);
	while (responder_accept(&c.fcgi))
		serve_one(app, &c);
	watch_close(c.watch);
	return 0;
}

/* What a request freed serves the next one: to give and get it back costs calls and cleared pages, each time. */
static void keep_memory(void)
{
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
	mallopt(M_TRIM_THRESHOLD, 8 << 20);
	mallopt(M_TOP_PAD, 256 << 10);
}

int main(int argc, char **argv)
{
	struct arena arena = ARENA_INIT;
	bool once = argc == 2 && !strcmp(argv[1], "--once");
	struct app app = { 0 };
	struct err e = { 0 };
	int code;

	if (argc > 1 && !once)
		return help(strcmp(argv[1], "--help") ? stderr : stdout), strcmp(argv[1], "--help") ? 2 : 0;
	keep_memory();
	if (start_open(&app, START_ALL | START_TRY | (once ? 0 : START_AGAIN), &arena, &e) < 0) {
		fprintf(stderr, "pulumi-api.fcgi: %s\n", e.detail[0] ? e.detail : e.message);
		code = 1;
	} else {
		code = once ? serve_once(&app) : serve(&app);
	}
	start_close(&app);
	arena_clear(&arena);
	return code;
}
