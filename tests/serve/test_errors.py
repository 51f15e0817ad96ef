# SPDX-License-Identifier: Apache-2.0
"""What the web servers say by themselves: the API's JSON with a sentence, and Retry-After when asking again may help."""

import http.client
import json
import os
import signal
import socket
import threading
import time

import pytest

from conftest import ask

LIMIT = 1 << 20


@pytest.fixture
def running(serve, web_server):
    return serve(PULUMI_WEB_SERVER=web_server, PULUMI_MAX_BODY_BYTES=LIMIT).start()


@pytest.fixture(scope="module")
def shared(shared_serve, web_server):
    """For tests that leave it as it was."""
    return shared_serve(PULUMI_WEB_SERVER=web_server, PULUMI_MAX_BODY_BYTES=LIMIT).start()


def say(port, text):
    """Raw bytes on a connection of its own: status, headers and text of the answer."""
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall(text)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        return answer.status, answer.headers, answer.read()


def check(answer, statuses, again=False):
    status, headers, text = answer
    assert status in statuses, (status, text)
    assert headers["Content-Type"] == "application/json"
    said = json.loads(text)
    assert sorted(said) == ["code", "message"] and said["code"] == status
    name, _, sentence = said["message"].partition(": ")
    assert name and len(sentence) > 20
    assert headers["Retry-After"] == ("1" if again else None)


@pytest.mark.parametrize("text,statuses", [
    (b"NONSENSE\r\n\r\n", {400}),
    (b"GET /x HTTP/1.1\r\n\r\n", {400}),
    (b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: many\r\n\r\n", {400}),
    (b"GET /" + b"x" * 40_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", {414, 431}),
    (b"GET /x HTTP/1.1\r\nHost: a\r\nA: " + b"x" * 40_000 + b"\r\n\r\n", {400, 431}),
    (b"GET /x HTTP/1.1\r\nHost: a\r\n" + b"A: b\r\n" * 20_000 + b"\r\n", {400, 431}),
    (b"TRACE /x HTTP/1.1\r\nHost: a\r\n\r\n", {200, 405, 501}),
    (b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999\r\n\r\n", {413}),
], ids=["nonsense", "no host", "bad length", "long url", "long header", "many headers", "trace", "long body"])
def test_what_cannot_be_read_is_refused_in_json(shared, text, statuses):
    answer = say(shared.port, text)
    if answer[0] != 200:
        check(answer, statuses)
    assert ask(shared.port, "GET", "/x")[0] == 200


def test_a_body_with_no_length(shared, web_server):
    """lighttpd refuses it; Apache passes it on as an empty one."""
    answer = say(shared.port, b"POST /x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    if web_server == "lighttpd":
        check(answer, {411})
    else:
        assert json.loads(answer[2])["length"] == 0


def during(one, path, happening):
    """Answer to a request during which something happens."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(ask(one.port, "POST", path, b"x")))
    thread.start()
    time.sleep(0.5)
    happening()
    thread.join()
    return answers[0]


def test_a_responder_that_dies(running):
    def kill_all():
        for pid in running.pids("responder"):
            os.kill(pid, signal.SIGKILL)
    check(during(running, "/x?sleep=20", kill_all), {500, 502, 503}, again=True)


@pytest.mark.parametrize("method,body", [("GET", None), ("POST", b"x"), ("PATCH", b"x" * 50_000)])
def test_no_responder_at_all(running, method, body):
    (running.run / "api.sock").unlink()
    check(ask(running.port, method, "/api/user", body), {503}, again=True)


def test_chunks_have_no_length(running, web_server):
    """lighttpd cannot tell a body in chunks that is too large from one that nobody took: it sends Retry-After for neither."""
    status, headers, _ = ask(running.port, "POST", "/x", iter([b"x" * 100_000] * 40))
    if web_server == "lighttpd":
        assert status == 413 and not headers["Retry-After"]
    (running.run / "api.sock").unlink()
    check(ask(running.port, "POST", "/x", iter([b"x"])), {503}, again=web_server == "apache")


def test_an_answer_of_a_responder_is_left_alone(serve, web_server, real_settings):
    one = serve(PULUMI_WEB_SERVER=web_server, **real_settings).start()
    status, headers, text = ask(one.port, "GET", "/api/nowhere")
    assert status == 404 and "/api/nowhere" in json.loads(text)["message"]
    assert headers["X-Pulumi-Request-ID"] and headers["Retry-After"] is None


def test_the_path_of_the_error_handler_is_no_way_in(shared, web_server):
    status, _, text = ask(shared.port, "GET", "/pulumi-api-unavailable")
    if web_server == "lighttpd":
        assert status == 404 and json.loads(text)["code"] == 404


def test_every_page_has_a_file_with_its_status(shared):
    pages = sorted((shared.run / "errors").iterdir())
    assert {"400.html", "411.html", "413.html", "431.html", "500.html", "502.html", "503.html"} <= {page.name for page in pages}
    for page in pages:
        assert json.loads(page.read_text())["code"] == int(page.stem)
