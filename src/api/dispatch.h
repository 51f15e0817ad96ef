/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the row of routes.def, authenticates, checks the row's permission, runs the handler in the row's transaction. */
#ifndef API_DISPATCH_H
#define API_DISPATCH_H

#include "api/request.h"

typedef int api_handler(struct request *rq, struct http_reply *rp, struct err *e);

/* Answers the request: always leaves a status. One log line goes to standard error for failures of the server. */
void api_dispatch(struct request *rq, struct http_reply *rp);

#define OP(method, path, name, access, transaction) api_handler api_##name;
#define ALIAS(method, path, name, access, transaction)
#include "api/routes.def"
#undef OP
#undef ALIAS

#endif
