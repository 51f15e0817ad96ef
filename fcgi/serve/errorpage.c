/* SPDX-License-Identifier: Apache-2.0 */
#include "errorpage.h"

#include "base/buffer.h"
#include "file.h"

const struct error_page serve_error_pages[] = {
	{ 400, "Bad Request: the first line or the headers of the request cannot be read; check the URL and the headers" },
	{ 403, "Forbidden: the web server does not serve this path" },
	{ 404, "Not Found: there is no such path; check the URL" },
	{ 405, "Method Not Allowed: the web server does not pass this method on" },
	{ 408, "Request Timeout: the request did not arrive in time; send it again" },
	{ 411, "Length Required: the request has neither Content-Length nor Transfer-Encoding: chunked; send Content-Length, 0 without a body" },
	{ 412, "Precondition Failed: a condition in the headers of the request does not hold" },
	{ 413, "Request Entity Too Large: the body is larger than PULUMI_MAX_BODY_BYTES of this server; send less at a time" },
	{ 414, "URI Too Long: the URL is longer than 32 KiB; send what is long in the body" },
	{ 416, "Range Not Satisfiable: the answer does not have the bytes of the header Range" },
	{ 417, "Expectation Failed: of the header Expect only 100-continue is understood" },
	{ 431, "Request Header Fields Too Large: URL and headers together, or one header, are longer than 32 KiB; send less" },
	{ 500, "Internal Server Error: the process that worked on the request ended before it answered; try again, and "
	       "look into the log of pulumi-serve when it happens again" },
	{ 501, "Not Implemented: the web server does not know this method" },
	{ 502, "Bad Gateway: the process that worked on the request gave no answer that can be read; try again" },
	{ 503, "Service Unavailable: no process of the server takes the request now; try again in a few seconds" },
	{ 504, "Gateway Timeout: the process that works on the request did not answer in time; try again" },
	{ 505, "HTTP Version Not Supported: use HTTP/1.1 or HTTP/2" },
	{ 0, NULL },
};

int serve_error_pages_write(const struct serve_options *o, struct err *e)
{
	_cleanup_(arena_clear) struct arena arena = ARENA_INIT;

	for (const struct error_page *p = serve_error_pages; p->message; p++) {
		const char *path = arena_printf(&arena, "%s/errors/%d.html", o->run_dir, p->status);
		const char *text = arena_printf(&arena, "{\"code\":%d,\"message\":\"%s\"}\n", p->status, p->message);

		if (serve_file_replace(path, span_of(text), e) < 0)
			return -1;
	}
	return 1;
}
