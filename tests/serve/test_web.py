# SPDX-License-Identifier: Apache-2.0
"""What both web servers must pass on, unchanged."""

import http.client
import json
import socket

import pytest

from conftest import ask


@pytest.fixture(scope="module")
def running(shared_serve, web_server):
    return shared_serve(PULUMI_WEB_SERVER=web_server).start()


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_methods(running, method):
    status, _, body = ask(running.port, method, "/any/path")
    assert status == 200
    assert json.loads(body)["method"] == method


def test_head(running):
    status, _, body = ask(running.port, "HEAD", "/any/path")
    assert (status, body) == (200, b"")


@pytest.mark.parametrize("path", ["/", "/api/a%2Fb/c", "/api/a%252Fb?x=%2F", "/api//double/", "/~x/%C3%A9", "/a/b.html?q=1"])
def test_the_path_arrives_as_it_was_sent(running, path):
    status, _, body = ask(running.port, "GET", path)
    assert status == 200
    assert json.loads(body)["uri"] == path


def test_authorization_and_length(running):
    status, headers, body = ask(running.port, "GET", "/x", headers={"Authorization": "update-token abc"})
    assert json.loads(body)["authorization"] == "update-token abc"
    assert int(headers["Content-Length"]) == len(body)
    assert "Content-Encoding" not in headers


def test_bodies(running):
    for size in (0, 1, 200_000, 20_000_000):
        assert json.loads(ask(running.port, "POST", "/x", b"x" * size)[2])["length"] == size


def test_a_body_without_a_length(running):
    assert json.loads(ask(running.port, "POST", "/x", iter([b"x" * 100_000] * 30))[2])["length"] == 3_000_000


def test_a_long_header(running):
    assert ask(running.port, "GET", "/x", headers={"Authorization": "token " + "x" * 20_000})[0] == 200


def test_a_connection_is_kept(running):
    connection = http.client.HTTPConnection("127.0.0.1", running.port)
    connection.request("GET", "/x")
    connection.getresponse().read()
    first = connection.sock
    for _ in range(300):
        connection.request("GET", "/x")
        assert connection.getresponse().read()
    assert connection.sock is first


def test_a_connection_is_kept_for_tens_of_thousands_of_requests(serve):
    """lighttpd counts them in 16 bits. The path is one that it answers by itself."""
    one = serve().start()
    request = b"GET /pulumi-api-unavailable HTTP/1.1\r\nHost: a\r\n\r\n"
    answers, pending, batch = 0, b"", 500
    with socket.create_connection(("127.0.0.1", one.port), 20) as connection:
        while answers < 60_000:
            connection.sendall(request * batch)
            wanted = answers + batch
            while answers < wanted:
                piece = connection.recv(1 << 20)
                assert piece, f"closed after {answers} requests"
                lines = (pending + piece).split(b"\r\n")
                pending = lines.pop()
                answers += sum(b"HTTP/1.1 404" in line for line in lines)


def test_a_body_beyond_the_limit(serve, web_server):
    one = serve(PULUMI_WEB_SERVER=web_server, PULUMI_MAX_BODY_BYTES=1 << 20).start()
    assert json.loads(ask(one.port, "POST", "/x", b"x" * ((1 << 20) + 1))[2])["length"] == (1 << 20) + 1
    assert ask(one.port, "POST", "/x", b"x" * (5 << 20))[0] == 413
    assert ask(one.port, "POST", "/x", b"x")[0] == 200


@pytest.mark.parametrize("trusted, said, caller", [
    (None, "203.0.113.9", "127.0.0.1"),
    ("192.0.2.0/24", "203.0.113.9", "127.0.0.1"),
    ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
    ("127.0.0.0/8, fd00::/8", "203.0.113.9", "203.0.113.9"),
    ("127.0.0.0/8", "10.1.2.3", "10.1.2.3"),
    ("127.0.0.0/8", "2001:db8::9", "2001:db8::9"),
    ("127.0.0.0/8", None, "127.0.0.1"),
    # What a client wrote itself stands further left than what the last stranger is known by.
    ("127.0.0.0/8,192.0.2.0/24", "198.51.100.1, 203.0.113.9, 192.0.2.4", "203.0.113.9"),
    ("127.0.0.1", "198.51.100.1, 203.0.113.9, 192.0.2.4", "192.0.2.4"),
    ("127.0.0.1", "no address", "127.0.0.1"),
])
def test_who_asked_behind_proxies(serve, web_server, trusted, said, caller):
    one = serve(PULUMI_WEB_SERVER=web_server, **({"PULUMI_TRUSTED_PROXIES": trusted} if trusted else {})).start()
    answer = json.loads(ask(one.port, "GET", "/x", headers={"X-Forwarded-For": said} if said else {})[2])
    assert answer["caller"] == caller
    one.stop()
    assert (one.run / "access.log").read_text().splitlines()[-1].split()[0] == caller


def test_sendfile_is_asked_for_only_where_it_works(serve, web_server, tmp_path):
    (tmp_path / "objects").mkdir()
    one = serve(PULUMI_WEB_SERVER=web_server, PULUMI_LOCAL_OBJECTS=tmp_path / "objects").start()
    assert json.loads(ask(one.port, "GET", "/x")[2])["sendfile"] == ("1" if web_server == "lighttpd" else None)


def test_the_real_responder(serve, web_server, real_settings, token):
    one = serve(PULUMI_WEB_SERVER=web_server, **real_settings).start()
    assert ask(one.port, "GET", "/api/status")[0] == 200
    status, headers, body = ask(one.port, "PATCH", "/no/such/path")
    assert status == 404
    assert json.loads(body)["code"] == 404
    assert headers["X-Pulumi-Request-ID"]
    status, _, body = ask(one.port, "GET", "/api/user", headers={"Authorization": f"token {token}"})
    assert status == 200
    assert json.loads(body)["githubLogin"] == "admin"
