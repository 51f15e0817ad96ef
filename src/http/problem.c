/* SPDX-License-Identifier: Apache-2.0 */
#include "http/problem.h"

#include "json/write.h"

static const int statuses[ERR_KIND_COUNT] = {
	[ERR_NONE] = 500,	[ERR_BAD_REQUEST] = 400, [ERR_UNAUTHORIZED] = 401,
	[ERR_FORBIDDEN] = 403,	[ERR_NOT_FOUND] = 404,	 [ERR_METHOD] = 405,
	[ERR_CONFLICT] = 409,	[ERR_TOO_LARGE] = 413,	 [ERR_MEDIA_TYPE] = 415,
	[ERR_TOO_MANY] = 429,	[ERR_INTERNAL] = 500,	[ERR_UNAVAILABLE] = 503, [ERR_RETRY] = 503,
};

int http_problem_status(const struct err *e)
{
	return statuses[e->kind];
}

void http_problem(struct http_reply *rp, const struct err *e, const char *request_id)
{
	const char *message = e->message[0] ? e->message :
					      "Service Unavailable: too many requests changed the same "
					      "thing at once; try again";

	http_reply_clear(rp);
	rp->status = http_problem_status(e);
	if (rp->status == 503)
		http_reply_header(rp, "Retry-After", "1");
	buffer_printf(&rp->body, "{\"code\":%d,\"message\":", rp->status);
	json_write_text(&rp->body, message);
	if (rp->status >= 500) {
		buffer_puts(&rp->body, ",\"requestId\":");
		json_write_text(&rp->body, request_id);
	}
	buffer_putc(&rp->body, '}');
}
