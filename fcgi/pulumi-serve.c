/* SPDX-License-Identifier: Apache-2.0 */
/* pulumi-serve: turns the environment into a running host of the API; see serve/supervise.h. */
#include <stdio.h>
#include <string.h>

#include "serve/log.h"
#include "serve/options.h"
#include "serve/socket.h"
#include "serve/supervise.h"
#include "serve/webconfig.h"

static const char usage[] =
	"usage: pulumi-serve [--check | --write-config | --help]\n"
	"Runs the web server, the responders and the jobs of one host until SIGTERM; SIGHUP reloads.\n"
	"  --check         checks the settings and exits\n"
	"  --write-config  prints the web server's configuration and exits\n"
	"Settings come from the environment:\n"
	"  PORT                       8080\n"
	"  PULUMI_BIND_ADDRESS        0.0.0.0\n"
	"  PULUMI_API_CONTAINER_MODE  FULL (both), API (web server and responders) or JOBS\n"
	"  PULUMI_WEB_SERVER          lighttpd or apache\n"
	"  PULUMI_RESPONDERS          twice the processors, at least 8\n"
	"  PULUMI_MAX_BODY_BYTES      536870912\n"
	"  PULUMI_STOP_SECONDS        60: requests have this long to end\n"
	"  PULUMI_RUN_DIR             /run/pulumi-api: socket, configuration, pid file, upload spool\n"
	"  PULUMI_ACCESS_LOG          access.log in the run folder\n"
	"  PULUMI_LOCAL_OBJECTS       folder of the checkpoints; the web server sends its files itself\n"
	"  PULUMI_LIBEXEC_DIR         folder of pulumi-api.fcgi and the jobs (" PKG_LIBEXECDIR ")\n"
	"and those of pulumi-api.fcgi, which are passed on.\n"
	"Exit codes: 0 stopped as asked, 1 a setting is wrong or the start failed, 2 wrong usage.\n";

static int serve(const struct serve_options *o, struct arena *arena, struct err *e)
{
	if (serve_options_prepare(o, e) < 0 || serve_lock(o, e) < 0)
		return -1;
	if (o->mode != MODE_JOBS && serve_options_check_port(o, e) < 0)
		return -1;
	return supervise(o, arena, e);
}

static int print_config(const struct serve_options *o)
{
	_cleanup_(buffer_done) struct buffer text = BUFFER_INIT;

	serve_config_text(o, &text);
	return fwrite(text.data, 1, text.length, stdout) == text.length ? 1 : -1;
}

int main(int argc, char **argv)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;
	const char *option = argc > 1 ? argv[1] : "";
	struct serve_options o;
	struct err e = { 0 };
	int rc;

	if (!strcmp(option, "--help"))
		return fputs(usage, stdout) < 0;
	if (argc > 2 || (*option && strcmp(option, "--check") && strcmp(option, "--write-config")))
		return fputs(usage, stderr), 2;
	rc = serve_options_read(&arena, &o, &e);
	if (rc > 0 && !strcmp(option, "--write-config"))
		rc = print_config(&o);
	else if (rc > 0 && !*option)
		rc = serve(&o, &arena, &e);
	if (rc < 0)
		fprintf(stderr, "pulumi-serve: %s\n", e.detail[0] ? e.detail : e.message);
	return rc < 0;
}
