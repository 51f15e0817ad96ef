/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FCGI_SEND_H
#define FCGI_SEND_H

#include "http/reply.h"

/*
 * Writes the answer as a CGI program does. `sendfile`: the web server sends a file that X-Sendfile names; otherwise it
 * goes through here piece by piece. `head`: headers only. A reader that went away ends it early.
 */
void send_reply(struct sink *out, const struct http_reply *rp, bool sendfile, bool head);

#endif
