/* SPDX-License-Identifier: Apache-2.0 */
/* The one socket that the web server connects to and every responder accepts on; and the lock of the run folder. */
#ifndef SERVE_SOCKET_H
#define SERVE_SOCKET_H

#include "options.h"

/* Makes and owns the listening socket; requests wait in its queue while every responder is busy. */
int serve_listen(const struct serve_options *o, int *ret_fd, struct err *e) WARN_UNUSED;
/* Holds RUN_DIR/pulumi-serve.pid for this process, or says which process holds it. */
int serve_lock(const struct serve_options *o, struct err *e) WARN_UNUSED;

#endif
