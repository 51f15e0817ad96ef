/* SPDX-License-Identifier: Apache-2.0 */
#include "send.h"

#include <fcntl.h>
#include <unistd.h>

#define PIECE (256 << 10)

static int put_head(struct sink *out, const struct http_reply *rp, bool sendfile, struct err *e)
{
	_cleanup_(buffer_done) struct buffer head = BUFFER_INIT;
	size_t length = rp->file ? rp->file_size : rp->body.length;

	buffer_printf(&head, "Status: %s\r\nContent-Type: %s\r\n", http_status_text(rp->status),
		      rp->content_type ? rp->content_type : "application/json");
	if (rp->file && sendfile)
		buffer_printf(&head, "X-Sendfile: %s\r\n", rp->file);
	else if (rp->status != 204)
		buffer_printf(&head, "Content-Length: %zu\r\n", length);
	if (rp->body_gzip)
		buffer_puts(&head, "Content-Encoding: gzip\r\n");
	buffer_append(&head, rp->headers.data, rp->headers.length);
	buffer_puts(&head, "\r\n");
	return sink_write(out, head.data, head.length, e);
}

/* An object is immutable: what cannot be read now ends the answer short, and the client sees that. */
static void put_file(struct sink *out, const char *path, struct err *e)
{
	_cleanup_(freep) char *piece = xmalloc(PIECE);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	while (fd >= 0 && (n = read(fd, piece, PIECE)) > 0 && sink_write(out, piece, (size_t)n, e) == 1)
		;
	if (fd >= 0)
		close(fd);
}

void send_reply(struct sink *out, const struct http_reply *rp, bool sendfile, bool head)
{
	struct err gone = { 0 };

	sendfile = sendfile && !rp->outside;
	if (put_head(out, rp, sendfile && !head, &gone) < 0 || head || (rp->file && sendfile))
		return;
	if (rp->file)
		put_file(out, rp->file, &gone);
	else
		(void)!sink_write(out, rp->body.data, rp->body.length, &gone);
}
