/* SPDX-License-Identifier: Apache-2.0 */
/* pulumi-serve: turns the environment into a running host of the API; see serve/supervise.h. */
#include <stdio.h>
#include <string.h>

#include "base/settings.h"
#include "serve/errorpage.h"
#include "serve/log.h"
#include "serve/options.h"
#include "serve/probe.h"
#include "serve/socket.h"
#include "serve/supervise.h"
#include "serve/telemetry.h"
#include "serve/webconfig.h"

static void help(FILE *out)
{
	fputs("usage: pulumi-serve [--check | --write-config | --status | --help]\n"
	      "Runs the web server, the responders and the jobs of one host until SIGTERM; SIGHUP reloads.\n"
	      "  --check         checks the settings and exits\n"
	      "  --write-config  prints the web server's configuration and exits\n"
	      "  --status        asks the server that runs with these settings; a container's health check\n"
	      "Settings come from the environment and pulumi-api.conf; those of the responders are passed on:\n", out);
	settings_help(out, "serving,objects,telemetry");
	fputs("Exit codes: 0 stopped as asked, or it answers; 1 a setting is wrong, the start failed, or it does not answer; 2 wrong usage.\n", out);
}

static int serve(struct serve_options *o, struct arena *arena, struct err *e)
{
	if (serve_options_prepare(o, e) < 0 || serve_lock(o, e) < 0 || serve_error_pages_write(o, e) < 0)
		return -1;
	if (o->web_program && serve_options_check_port(o, e) < 0)
		return -1;
	serve_telemetry(o, arena);
	return supervise(o, arena, e);
}

static int print_config(const struct serve_options *o)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;

	if (o->web_program)
		serve_config_text(o, &text);
	return fwrite(text.data, 1, text.length, stdout) == text.length ? 1 : -1;
}

static int ask(const struct serve_options *o, struct err *e)
{
	if (!o->web_program)
		return err_set(e, ERR_BAD_REQUEST, "--status: with these settings pulumi-serve has no web server to ask");
	return probe_once(o) ? 1 : err_set(e, ERR_UNAVAILABLE, "GET /api/status on port %d is not answered with 200", o->port);
}

static bool known(const char *option)
{
	static const char *const options[] = { "", "--check", "--write-config", "--status" };

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (!strcmp(option, options[i]))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	const char *option = argc > 1 ? argv[1] : "";
	struct serve_options o;
	struct err e = { 0 };
	int rc;

	if (!strcmp(option, "--help"))
		return help(stdout), 0;
	if (argc > 2 || !known(option))
		return help(stderr), 2;
	rc = serve_options_read(&arena, &o, &e);
	if (rc > 0 && !strcmp(option, "--write-config"))
		rc = print_config(&o);
	else if (rc > 0 && !strcmp(option, "--status"))
		rc = ask(&o, &e);
	else if (rc > 0 && !*option)
		rc = serve(&o, &arena, &e);
	if (rc < 0)
		fprintf(stderr, "pulumi-serve: %s\n", e.detail[0] ? e.detail : e.message);
	return rc < 0;
}
