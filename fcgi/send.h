/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FCGI_SEND_H
#define FCGI_SEND_H

#include <fcgiapp.h>

#include "http/reply.h"

/*
 * Sends the answer. `sendfile`: the web server sends a file that X-Sendfile names; otherwise it goes through
 * here piece by piece. `head`: headers only.
 */
void send_reply(FCGX_Request *fcgi, const struct http_reply *rp, bool sendfile, bool head);

#endif
