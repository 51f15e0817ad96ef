/* SPDX-License-Identifier: Apache-2.0 */
/* Counts a request and leaves its trace once its answer is on the way. */
#ifndef API_MEASURE_H
#define API_MEASURE_H

#include "api/request.h"

/* At its very start, when it has its id and its times. */
void api_measure_begin(struct request *rq);
/* After the answer was sent; the request's memory must still be there. */
void api_measure(struct request *rq, const struct http_reply *rp);

#endif
