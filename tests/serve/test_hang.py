# SPDX-License-Identifier: Apache-2.0
"""A responder that hangs: its request is answered 504, no other suffers, and another one takes its place."""

import json
import os
import signal
import struct
import subprocess
import threading
import time

import pytest

from conftest import Load, alive, ask, until
from test_errors import check

LIMIT = 2


def asked(port, *arguments, **more):
    """A request under way: ends with its answer in the list."""
    answers = []
    thread = threading.Thread(target=lambda: answers.append(ask(port, *arguments, **more)))
    thread.start()
    return thread, answers


@pytest.mark.parametrize("method,body", [("GET", None), ("POST", b"x" * 300_000)])
def test_its_request_is_answered_504(serve, web_server, method, body):
    one = serve(PULUMI_WEB_SERVER=web_server, PULUMI_ANSWER_SECONDS=LIMIT).start()
    thread, answers = asked(one.port, method, "/x?sleep=20", body)
    with Load(one.port, "/x", clients=2) as load:
        thread.join()
    check(answers[0], {504}, again=True)
    assert load.failures == [] and load.answers[200] > 100


def test_a_responder_that_does_not_read(serve, web_server):
    """Stopped with a body on its way to it, and alone: what was not taken is given up as well."""
    one = serve(PULUMI_WEB_SERVER=web_server, PULUMI_ANSWER_SECONDS=LIMIT, PULUMI_RESPONDERS=1).start()
    pid = one.pids("responder")[0]
    os.kill(pid, signal.SIGSTOP)
    check(ask(one.port, "POST", "/x", b"x" * 20_000_000), {504}, again=True)
    os.kill(pid, signal.SIGCONT)
    assert ask(one.port, "GET", "/x")[0] == 200


def test_one_that_is_slower_than_usual_is_waited_for(serve, web_server):
    one = serve(PULUMI_WEB_SERVER=web_server, PULUMI_ANSWER_SECONDS=6).start()
    assert ask(one.port, "GET", "/x?sleep=4")[0] == 200


def test_each_configuration_has_the_limit_of_the_setting(serve, web_server):
    for given, limit in ((None, b"600"), ("77", b"77")):
        text = serve(PULUMI_WEB_SERVER=web_server, PULUMI_ANSWER_SECONDS=given).run_once("--write-config")[1].encode()
        if web_server == "lighttpd":
            assert b'"read-timeout" => ' + limit + b',' in text and b'"write-timeout" => ' + limit in text
        else:
            assert b"retry=0 timeout=" + limit + b" " in text


def at_work(one):
    """Pids of responders that have a request at hand, as they say in the file that pulumi-serve looks at."""
    data = (one.run / "responders").read_bytes()
    assert data[:8] == b"watch02\0"
    return [pid for since, pid in struct.iter_unpack("<qq", data[40:]) if since and pid]


class Locked:
    """A table that nobody can read until the end: a request that needs it waits inside a responder."""

    def __init__(self, installation, table):
        environment = {**os.environ, "MYSQL_PWD": (installation / "passwords" / "root").read_text().strip()}
        self.client = subprocess.Popen(
            ["mariadb", "--socket", installation / "mariadb" / "mariadb.sock", "-u", "root", "-N", "--unbuffered",
             "pulumi"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment)
        self.client.stdin.write(f"LOCK TABLES {table} WRITE; SELECT 'held';\n".encode())
        self.client.stdin.flush()
        assert self.client.stdout.readline() == b"held\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.communicate()


@pytest.mark.parametrize("stopped", [True, False], ids=["stopped", "waiting"])
def test_it_is_replaced(serve, web_server, real_settings, installation, token, stopped):
    """Also when it cannot take a signal; and the real responder says by itself that it works."""
    one = serve(PULUMI_WEB_SERVER=web_server, PULUMI_ANSWER_SECONDS=LIMIT, **real_settings).start()
    until(lambda: ask(one.port, "GET", "/api/status")[0] == 200 and not at_work(one), "idle responders")
    with Locked(installation, "access_tokens"):
        thread, answers = asked(one.port, "GET", "/api/user", headers={"Authorization": f"token {token}"})
        until(lambda: at_work(one), "a responder at work")
        hung = at_work(one)
        assert len(hung) == 1
        if stopped:
            os.kill(hung[0], signal.SIGSTOP)
        with Load(one.port, "/api/status", clients=2) as load:
            thread.join()
            until(lambda: not alive(hung[0]), "the end of the one that hangs", LIMIT + 10)
            until(lambda: len(one.pids("responder")) == 4, "another one")
    check(answers[0], {504}, again=True)
    assert load.failures == [] and load.answers[200] > 100
    assert f"event=hung what=responder pid={hung[0]} " in one.log() and one.log().count("event=hung") == 1
    assert json.loads(ask(one.port, "GET", "/api/user", headers={"Authorization": f"token {token}"})[2])["githubLogin"] == "admin"


def test_an_idle_responder_and_a_slow_client_are_left_alone(serve, real_settings, installation, token):
    one = serve(PULUMI_WEB_SERVER="apache", PULUMI_ANSWER_SECONDS=1, **real_settings).start()
    before = one.pids("responder")

    def slowly():
        for _ in range(8):
            yield b"{"
            time.sleep(1)
    answer = ask(one.port, "POST", "/api/stacks/admin/x", slowly(), {"Authorization": f"token {token}"})
    assert answer[0] in (400, 404), answer
    assert one.pids("responder") == before
    assert "event=hung" not in one.log()
