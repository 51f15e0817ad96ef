/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the processes of one host: the responders, which all accept on one socket, the web server in
 * front of them, and the jobs. A responder that dies costs its own request and is started again.
 *   SIGHUP           settings are read again; new responders first, then the old ones end after their request
 *   SIGTERM, SIGINT  the web server drains, then the responders end; a second one hurries
 */
#ifndef SERVE_SUPERVISE_H
#define SERVE_SUPERVISE_H

#include "options.h"

/* Runs until it is told to stop: 1 then, -1 when the start failed. A reload changes `*o`. */
int supervise(struct serve_options *o, struct arena *arena, struct err *e) WARN_UNUSED;

#endif
