/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate that the web server shows: read, checked, and laid where the web server reads it. */
#ifndef SERVE_TLS_H
#define SERVE_TLS_H

#include "base/arena.h"
#include "base/buffer.h"

struct serve_tls {
	bool on;
	struct span certificate, private_key;	/* PEM; the certificate with its chain */
	const char *minimum;			/* "1.2" or "1.3" */
	char digest[65];			/* of certificate and key: it changes when they do */
	const char *certificate_file, *private_key_file;	/* in the run folder */
};

/*
 * API_TLS_CERTIFICATE and API_TLS_PRIVATE_KEY, each a path or the PEM itself, and API_MIN_TLS_VERSION. Both or neither;
 * they must belong together. -1 with a sentence that names the variable.
 */
int serve_tls_read(struct arena *arena, const char *run_dir, struct serve_tls *ret_tls, struct err *e) WARN_UNUSED;
/* Writes the two files, readable by this user only. */
int serve_tls_write(const struct serve_tls *tls, struct err *e) WARN_UNUSED;
/* Asks over a connection what `question` says; the start of the answer goes to ret_answer. For our own probe: the certificate is not checked. */
bool serve_tls_ask(int fd, const char *question, char *ret_answer, size_t room);

#endif
