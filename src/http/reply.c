/* SPDX-License-Identifier: Apache-2.0 */
#include "http/reply.h"

#include <string.h>

void http_reply_header(struct http_reply *rp, const char *name, const char *value)
{
	size_t from;

	buffer_printf(&rp->headers, "%s: ", name);
	from = rp->headers.length;
	buffer_puts(&rp->headers, value);
	for (size_t i = from; i < rp->headers.length; i++)
		if (rp->headers.data[i] == '\r' || rp->headers.data[i] == '\n')
			rp->headers.data[i] = ' ';
	buffer_puts(&rp->headers, "\r\n");
}

void http_reply_clear(struct http_reply *rp)
{
	struct buffer body = rp->body, headers = rp->headers;

	if (rp->secret)
		explicit_bzero(body.data, body.length);
	buffer_clear(&body);
	buffer_clear(&headers);
	*rp = (struct http_reply){ .body = body, .headers = headers };
}

void http_reply_done(struct http_reply *rp)
{
	http_reply_clear(rp);
	buffer_done(&rp->body);
	buffer_done(&rp->headers);
	*rp = (struct http_reply){ 0 };
}

const char *http_status_text(int status)
{
	static const struct {
		int status;
		const char *text;
	} texts[] = {
		{ 200, "200 OK" },
		{ 201, "201 Created" },
		{ 202, "202 Accepted" },
		{ 204, "204 No Content" },
		{ 400, "400 Bad Request" },
		{ 401, "401 Unauthorized" },
		{ 403, "403 Forbidden" },
		{ 404, "404 Not Found" },
		{ 405, "405 Method Not Allowed" },
		{ 409, "409 Conflict" },
		{ 413, "413 Content Too Large" },
		{ 415, "415 Unsupported Media Type" },
		{ 429, "429 Too Many Requests" },
		{ 500, "500 Internal Server Error" },
		{ 503, "503 Service Unavailable" },
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i].status == status)
			return texts[i].text;
	return "500 Internal Server Error";
}
