/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The accept loop's one step. A signal to stop is let in only while the responder waits: libfcgi gives
 * up on a request whose read a signal interrupts, and a request that was accepted must be answered.
 */
#ifndef FCGI_ACCEPT_H
#define FCGI_ACCEPT_H

#include <fcgiapp.h>

/* Readies `request` for connections on descriptor 0 and makes SIGTERM and SIGUSR1 mean "stop". */
int responder_init(FCGX_Request *request);
/* Waits for the next request: 1 and it is read, 0 when it is time to end. */
int responder_accept(FCGX_Request *request);
/* Sends what is left of the answer; the connection is closed unless the web server wants to keep it. */
void responder_finish(FCGX_Request *request);

#endif
