/* SPDX-License-Identifier: Apache-2.0 */
/* Finds the row of routes.def, authenticates, checks the row's permission, runs the handler in the row's transaction. */
#ifndef API_DISPATCH_H
#define API_DISPATCH_H

#include "api/request.h"

/* Answers the request: always leaves a status. One log line goes to standard error for failures of the server. */
void api_dispatch(struct request *rq, struct http_reply *rp);

#endif
