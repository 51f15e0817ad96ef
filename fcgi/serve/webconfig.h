/* SPDX-License-Identifier: Apache-2.0 */
/* The web server's configuration, made of the options: every path of every method goes to the responders' socket. */
#ifndef SERVE_WEBCONFIG_H
#define SERVE_WEBCONFIG_H

#include "base/buffer.h"
#include "options.h"

/* Appends the text for the chosen web server. */
void serve_config_text(const struct serve_options *o, struct buffer *out);
/* Puts the text where `o->config` says, all of it or none: 0 when the same text was there. */
int serve_config_write(const struct serve_options *o, struct err *e) WARN_UNUSED;

#endif
