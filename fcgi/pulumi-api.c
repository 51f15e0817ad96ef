/* SPDX-License-Identifier: Apache-2.0 */
/* pulumi-api.fcgi: one request at a time from the socket on descriptor 0, until SIGTERM. */
#include <errno.h>
#include <fcgiapp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "api/dispatch.h"
#include "base/limits.h"
#include "blob/blob.h"
#include "db/connect.h"

static const char usage[] =
	"usage: pulumi-api.fcgi [--help]\n"
	"FastCGI responder of the Pulumi API; a web server or a supervisor starts it with its socket on descriptor 0.\n"
	"  PULUMI_DATABASE_ENDPOINT       host:port, or unix:/path (default pulumi-db:3306)\n"
	"  PULUMI_DATABASE_NAME           default pulumi\n"
	"  PULUMI_DATABASE_USER_NAME      default pulumi_service\n"
	"  PULUMI_DATABASE_USER_PASSWORD  default empty\n"
	"  PULUMI_LOCAL_OBJECTS           folder of the checkpoints (required)\n"
	"Exit codes: 0 asked to stop, 1 a setting or a dependency is wrong.\n";

static int64_t clock_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static const char *variable(void *source, const char *name)
{
	return FCGX_GetParam(name, ((FCGX_Request *)source)->envp);
}

static ssize_t read_body(void *source, void *to, size_t size)
{
	FCGX_Stream *in = ((FCGX_Request *)source)->in;
	int n = FCGX_GetStr(to, (int)size, in);

	return n == 0 && FCGX_GetError(in) ? -1 : n;
}

static void send_reply(FCGX_Request *fcgi, const struct http_reply *rp)
{
	const char *length = rp->status == 204 ? "" : "Content-Length";

	FCGX_FPrintF(fcgi->out, "Status: %s\r\nContent-Type: %s\r\n", http_status_text(rp->status),
		     rp->content_type ? rp->content_type : "application/json");
	if (*length)
		FCGX_FPrintF(fcgi->out, "%s: %lu\r\n", length, (unsigned long)rp->body.length);
	if (rp->body_gzip)
		FCGX_PutS("Content-Encoding: gzip\r\n", fcgi->out);
	FCGX_PutStr(rp->headers.data, (int)rp->headers.length, fcgi->out);
	FCGX_PutS("\r\n", fcgi->out);
	for (size_t sent = 0; sent < rp->body.length;) {
		size_t n = rp->body.length - sent < 1 << 20 ? rp->body.length - sent : 1 << 20;

		if (FCGX_PutStr(rp->body.data + sent, (int)n, fcgi->out) < 0)
			return;
		sent += n;
	}
}

static void serve_one(struct app *app, FCGX_Request *fcgi)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	struct http_reply rp = { 0 };
	struct request rq = { .app = app, .db = app->db, .arena = &arena,
			      .http = { .arena = &arena, .source = fcgi, .variable = variable, .read = read_body } };

	api_dispatch(&rq, &rp);
	if (!strcmp(rq.http.method ? rq.http.method : "", "HEAD"))
		buffer_clear(&rp.body);
	send_reply(fcgi, &rp);
	FCGX_Finish_r(fcgi);
	http_reply_done(&rp);
	http_request_done(&rq.http);
}

static const char *setting(const char *name, const char *fallback)
{
	const char *value = getenv(name);

	return value && *value ? value : fallback;
}

static int start(struct app *app, struct arena *arena, struct err *e)
{
	struct db_config config = { .user = setting("PULUMI_DATABASE_USER_NAME", "pulumi_service"),
				    .password = setting("PULUMI_DATABASE_USER_PASSWORD", ""),
				    .database = setting("PULUMI_DATABASE_NAME", "pulumi") };
	const char *folder = setting("PULUMI_LOCAL_OBJECTS", NULL);

	if (!folder)
		return err_internal(e, "PULUMI_LOCAL_OBJECTS is not set: name the folder that keeps the checkpoints");
	if (blob_open_local(folder, &app->objects, e) < 0)
		return -1;
	if (db_endpoint(setting("PULUMI_DATABASE_ENDPOINT", "pulumi-db:3306"), arena, &config, e) < 0)
		return -1;
	return db_open(&config, &app->db, e);
}

static void stop(int signal_number)
{
	(void)signal_number;
	FCGX_ShutdownPending();
}

int main(int argc, char **argv)
{
	struct sigaction on_stop = { .sa_handler = stop };
	struct arena arena = ARENA_INIT;
	struct app app = { .now_us = clock_now, .max_body = LIMIT_BODY_DEFAULT };
	struct err e = { 0 };
	FCGX_Request fcgi;

	if (argc > 1)
		return fputs(usage, strcmp(argv[1], "--help") ? stderr : stdout), strcmp(argv[1], "--help") != 0;
	if (start(&app, &arena, &e) < 0) {
		fprintf(stderr, "pulumi-api.fcgi: %s\n", e.detail[0] ? e.detail : e.message);
		return 1;
	}
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGTERM, &on_stop, NULL);
	sigaction(SIGUSR1, &on_stop, NULL);
	FCGX_Init();
	FCGX_InitRequest(&fcgi, 0, FCGI_FAIL_ACCEPT_ON_INTR);
	while (FCGX_Accept_r(&fcgi) >= 0)
		serve_one(&app, &fcgi);
	db_close(app.db);
	blob_close(app.objects);
	arena_clear(&arena);
	return 0;
}
