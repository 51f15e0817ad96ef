# SPDX-License-Identifier: Apache-2.0
"""Identity providers that are asked about themselves: the published stand-in, and one that answers whatever a test wants."""

import hashlib
import http.server
import json
import pathlib
import socket
import ssl
import subprocess
import threading
import urllib.parse
import urllib.request

from lib.issuer import Issuer
from lib.server import free_port, wait_for

HERE = pathlib.Path(__file__).resolve().parent
WELL_KNOWN = "/.well-known/openid-configuration"


def fingerprint(certificate, digest="sha256"):
    return hashlib.new(digest, ssl.PEM_cert_to_DER_cert(certificate.file.read_text())).hexdigest()


class MockServer:
    """oauth2-mock-server with the certificate."""

    def __init__(self, cache, folder, certificate):
        self.port, self.certificate = free_port(), certificate
        self.url = f"https://127.0.0.1:{self.port}"
        module = cache / "oauth/node_modules/oauth2-mock-server/dist/index.mjs"
        self.log = folder / "oauth.log"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(["node", HERE / "issuer.mjs", module, str(self.port), certificate.key, certificate.file],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        wait_for(self.answers, 30, "oauth2-mock-server did not start", self.process, self.log)

    def open(self, path, data=None):
        context = ssl.create_default_context(cafile=self.certificate.ca)
        with urllib.request.urlopen(self.url + path, data, context=context, timeout=20) as answer:
            return json.loads(answer.read())

    def answers(self):
        try:
            return self.open(WELL_KNOWN)["issuer"] == self.url
        except OSError:
            return False

    def token(self, **claims):
        form = {"grant_type": "client_credentials", "scope": "x", "claims": json.dumps(claims)}
        return self.open("/token", urllib.parse.urlencode(form).encode())["access_token"]

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


class Provider(Issuer):
    """Answers as an identity provider, until a test puts something else into `answers`: path to (status, headers, bytes)."""

    def __init__(self, folder, organization, certificate, address="127.0.0.1", name=None):
        self.seen, self.answers, self.address = [], {}, address
        provider = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                provider.seen.append(self.path)
                status, headers, body = provider.answers.get(self.path) or provider.good(self.path)
                self.send_response(status)
                for header, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(header, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, 0), Handler)
        super().__init__(folder, organization, f"https://{name or address}:{self.server.server_port}")
        self.plain = self.server.socket
        self.show(certificate)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def show(self, certificate):
        """From now on with this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate.file, certificate.key)
        self.server.socket = Accepting(self.plain, context)

    def good(self, path):
        if path == WELL_KNOWN:
            return self.json({"issuer": self.url, "jwks_uri": f"{self.url}/keys"})
        return self.json(self.jwks()) if path == "/keys" else (404, {}, b"")

    @staticmethod
    def json(value, status=200):
        return status, {"Content-Type": "application/json"}, json.dumps(value).encode()

    def close(self):
        self.server.shutdown()
        self.plain.close()


class Accepting:
    """A listening socket whose connections speak TLS; a handshake that fails concerns that connection only."""

    def __init__(self, plain, context):
        self.plain, self.context = plain, context

    def accept(self):
        connection, address = self.plain.accept()
        try:
            connection.settimeout(20)
            return self.context.wrap_socket(connection, server_side=True), address
        except (ssl.SSLError, OSError) as reason:
            connection.close()
            raise OSError(str(reason)) from reason

    def __getattr__(self, name):
        return getattr(self.plain, name)


class Tunnel:
    """A proxy that takes CONNECT and leads every name to one port here."""

    def __init__(self, address, port):
        self.port_behind, self.asked = port, []
        self.socket = socket.create_server((address, 0))
        self.url = f"http://{address}:{self.socket.getsockname()[1]}"
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.tunnel, args=(client,), daemon=True).start()

    def tunnel(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            head += client.recv(4096)
        self.asked.append(head.split()[1].decode())
        behind = socket.create_connection(("127.0.0.1", self.port_behind))
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=self.copy, args=(behind, client), daemon=True).start()
        self.copy(client, behind)

    @staticmethod
    def copy(source, target):
        try:
            while data := source.recv(65536):
                target.sendall(data)
            target.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.socket.close()
