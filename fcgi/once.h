/* SPDX-License-Identifier: Apache-2.0 */
#ifndef FCGI_ONCE_H
#define FCGI_ONCE_H

#include "base/app.h"

/* Answers the one HTTP/1.1 request on standard input on standard output: 0, or 1 when it is none. */
int serve_once(struct app *app);

#endif
