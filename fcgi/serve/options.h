/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What pulumi-serve takes from the environment, read and checked once. A value that cannot be used is
 * refused with one sentence that names the variable; nothing has been started then.
 */
#ifndef SERVE_OPTIONS_H
#define SERVE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "tls.h"

enum serve_mode { MODE_FULL, MODE_API, MODE_JOBS };
enum web_kind { WEB_LIGHTTPD, WEB_APACHE, WEB_NONE };

struct serve_options {
	enum serve_mode mode;		/* PULUMI_API_CONTAINER_MODE */
	enum web_kind web;		/* PULUMI_WEB_SERVER */
	const char *web_program;	/* absolute path of its executable; NULL with WEB_NONE */
	const char *address;		/* PULUMI_BIND_ADDRESS, numeric */
	int port;			/* PORT; 8443 with a certificate when it is not set */
	const char **trusted_proxies;	/* PULUMI_TRUSTED_PROXIES: addresses and networks, ends with NULL */
	struct serve_tls tls;
	int responders;			/* PULUMI_RESPONDERS */
	size_t max_body;		/* PULUMI_MAX_BODY_BYTES */
	int answer_seconds;		/* PULUMI_ANSWER_SECONDS: the web server waits so long for a responder */
	int stop_seconds;		/* PULUMI_STOP_SECONDS: requests have this long to end */
	bool traced;			/* OTEL_EXPORTER_OTLP_ENDPOINT is set */
	const char *run_dir;		/* PULUMI_RUN_DIR, absolute */
	const char *access_log;		/* PULUMI_ACCESS_LOG */
	const char *objects;		/* PULUMI_LOCAL_OBJECTS, absolute; NULL when not set */
	const char *libexec;		/* PULUMI_LIBEXEC_DIR */
	const char *socket;		/* where the responders listen */
	const char *config;		/* the web server's configuration */
	char **environment;		/* of responders and jobs: ours, and PULUMI_SENDFILE=1 with lighttpd */
};

/* Reads and checks the environment. Strings live in `arena`. */
int serve_options_read(struct arena *arena, struct serve_options *ret_options, struct err *e) WARN_UNUSED;
/* Reads them again, from the environment of the start and the configuration file of now. Mode, kind of web server and
   run folder cannot change without a restart. */
int serve_options_reread(struct arena *arena, const struct serve_options *old, struct serve_options *ret_options,
			 struct err *e) WARN_UNUSED;
/* Makes the run folder and its parts. */
int serve_options_prepare(const struct serve_options *o, struct err *e) WARN_UNUSED;
/* Fails when something else listens on the address and port already. */
int serve_options_check_port(const struct serve_options *o, struct err *e) WARN_UNUSED;

#endif
