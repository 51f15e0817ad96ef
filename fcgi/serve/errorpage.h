/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the web server says when it refuses a request by itself, or has no responder to ask: the API's own
 * {"code", "message"}, since its clients read nothing else. lighttpd reads files, Apache has the texts in its
 * configuration. The sentences go through both and JSON as they are: no quotes, backslashes, $ or %.
 */
#ifndef SERVE_ERRORPAGE_H
#define SERVE_ERRORPAGE_H

#include "options.h"

struct error_page {
	int status;
	const char *message;	/* NULL after the last page */
};

/* In the order of their statuses. */
extern const struct error_page serve_error_pages[];

/* Writes RUN_DIR/errors/STATUS.html for each page: the names that lighttpd looks for, with JSON in them. */
int serve_error_pages_write(const struct serve_options *o, struct err *e) WARN_UNUSED;

#endif
