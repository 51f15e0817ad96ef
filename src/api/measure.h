/* SPDX-License-Identifier: Apache-2.0 */
/* Counts a request once its answer is on the way. */
#ifndef API_MEASURE_H
#define API_MEASURE_H

#include "api/request.h"

/* After the answer was sent; the request's memory must still be there. */
void api_measure(const struct request *rq, const struct http_reply *rp);

#endif
