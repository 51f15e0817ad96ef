/* SPDX-License-Identifier: Apache-2.0 */
#include "send.h"

#include <fcntl.h>
#include <unistd.h>

#define PIECE (256 << 10)

static void put_head(FCGX_Request *fcgi, const struct http_reply *rp, bool sendfile)
{
	size_t length = rp->file ? rp->file_size : rp->body.length;

	FCGX_FPrintF(fcgi->out, "Status: %s\r\nContent-Type: %s\r\n", http_status_text(rp->status),
		     rp->content_type ? rp->content_type : "application/json");
	if (rp->file && sendfile)
		FCGX_FPrintF(fcgi->out, "X-Sendfile: %s\r\n", rp->file);
	else if (rp->status != 204)
		FCGX_FPrintF(fcgi->out, "Content-Length: %lu\r\n", (unsigned long)length);
	if (rp->body_gzip)
		FCGX_PutS("Content-Encoding: gzip\r\n", fcgi->out);
	FCGX_PutStr(rp->headers.data, (int)rp->headers.length, fcgi->out);
	FCGX_PutS("\r\n", fcgi->out);
}

static void put_body(FCGX_Request *fcgi, struct span body)
{
	while (body.length) {
		size_t n = body.length < PIECE ? body.length : PIECE;

		if (FCGX_PutStr(body.data, (int)n, fcgi->out) < 0)
			return;
		body.data += n;
		body.length -= n;
	}
}

/* An object is immutable: what cannot be read now ends the connection short, and the client sees that. */
static void put_file(FCGX_Request *fcgi, const char *path)
{
	_cleanup_(freep) char *piece = xmalloc(PIECE);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	while (fd >= 0 && (n = read(fd, piece, PIECE)) > 0)
		if (FCGX_PutStr(piece, (int)n, fcgi->out) < 0)
			break;
	if (fd >= 0)
		close(fd);
}

void send_reply(FCGX_Request *fcgi, const struct http_reply *rp, bool sendfile, bool head)
{
	put_head(fcgi, rp, sendfile && !head);
	if (head || (rp->file && sendfile))
		return;
	if (rp->file)
		put_file(fcgi, rp->file);
	else
		put_body(fcgi, buffer_span(&rp->body));
}
