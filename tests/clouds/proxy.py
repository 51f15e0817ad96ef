# SPDX-License-Identifier: Apache-2.0
"""Stands between the server and a service: passes everything on, and misbehaves as a test asks it to."""

import http.client
import http.server
import threading

DROP = object()  # the connection ends without an answer


class Reply:
    def __init__(self, status, body=b"", headers=()):
        self.status, self.body, self.headers = status, body, list(headers)


class Request:
    def __init__(self, method, path, headers, body):
        self.method, self.path, self.headers, self.body = method, path, headers, body

    def __str__(self):
        return f"{self.method} {self.path}"


class Proxy:
    """before(request) and after(request, reply) may answer a Reply, DROP, or None to let things go their way."""

    def __init__(self, port):
        self.target, self.seen = port, []
        self.good()
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self):
                proxy.handle(self)

            do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = handle_any

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def good(self):
        """No misbehaviour from now on."""
        self.before = self.after = lambda *_: None

    def handle(self, handler):
        length = int(handler.headers.get("Content-Length") or 0)
        request = Request(handler.command, handler.path, handler.headers, handler.rfile.read(length))
        self.seen.append(request)
        reply = self.before(request) or self.pass_on(request)
        if reply is not DROP:
            reply = self.after(request, reply) or reply
        if reply is DROP:
            handler.close_connection = True
            handler.connection.close()
            return
        self.answer(handler, reply)

    def connection(self):
        return http.client.HTTPConnection("127.0.0.1", self.target, timeout=60)

    def pass_on(self, request):
        connection = self.connection()
        try:
            connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers.items():
                connection.putheader(name, value)
            connection.endheaders(request.body or None)
            answer = connection.getresponse()
            return Reply(answer.status, answer.read(), answer.getheaders())
        except OSError:
            return DROP
        finally:
            connection.close()

    @staticmethod
    def answer(handler, reply):
        handler.send_response_only(reply.status)
        hop_by_hop = ("connection", "transfer-encoding", "keep-alive")
        head = handler.command == "HEAD"
        for name, value in reply.headers:
            if name.lower() not in hop_by_hop and (head or name.lower() != "content-length"):
                handler.send_header(name, value)
        if not head:
            handler.send_header("Content-Length", str(len(reply.body)))
        handler.end_headers()
        if not head:
            handler.wfile.write(reply.body)

    def count(self, test):
        return sum(1 for request in self.seen if test(request))

    def close(self):
        self.server.shutdown()
        self.server.server_close()
