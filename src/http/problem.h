/* SPDX-License-Identifier: Apache-2.0 */
/* The one place where an error becomes a status and a body: {"code": …, "message": …}. */
#ifndef HTTP_PROBLEM_H
#define HTTP_PROBLEM_H

#include "http/reply.h"

int http_problem_status(const struct err *e);
/* Replaces whatever the reply held. The request id goes into 5xx answers, Retry-After with 503. */
void http_problem(struct http_reply *rp, const struct err *e, const char *request_id);

#endif
