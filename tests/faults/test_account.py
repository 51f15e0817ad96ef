# SPDX-License-Identifier: Apache-2.0
"""The database is there and does not let the server in: a wrong account stops the start, one that turned wrong meanwhile is waited for."""

import os
import socket
import subprocess
import time

import pytest

from lib.client import BEGIN, SUCCESS, entry
from lib.server import Broken
from scenario import Life, insist
from test_client import chain, project, tools, wait_until  # noqa: F401  (fixtures)

DATABASE = os.environ.get("PULUMI_TEST_DATABASE", "mariadb")
ACCOUNT = "'pulumi_service'@'%'" if DATABASE == "tidb" else "'pulumi_service'@'localhost'"


def refusal(server, **settings):
    """What a responder says that does not start."""
    done = subprocess.run([server.build / "fcgi/pulumi-api.fcgi", "--once"], input="GET /api/status HTTP/1.1\r\nHost: x\r\n\r\n", text=True,
                          env=server.environment(**settings), capture_output=True, check=False, timeout=60)
    assert done.returncode == 1, done
    return done.stderr


@pytest.mark.parametrize("name, value, words", [
    ("PULUMI_DATABASE_USER_PASSWORD", "not-this-one", "Access denied"), ("PULUMI_DATABASE_USER_NAME", "nobody-here", "Access denied"),
    ("PULUMI_DATABASE_NAME", "nothing_here", "PULUMI_DATABASE_NAME")])
def test_a_wrong_account_stops_the_start(server, name, value, words):
    said = refusal(server, **{name: value})
    assert name in said and words in said, said
    assert "not-this-one" not in said and server.database.service_password not in said


class Lost:
    """How the account is spoilt while the server runs, and mended."""

    def __init__(self, spoil, mend):
        self.spoil, self.mend = spoil, mend


def account(server, words):
    server.database.sql(f"ALTER USER {ACCOUNT} {words}", database="mysql")


def password(server):
    return f"IDENTIFIED BY '{server.database.service_password}'"


WAYS = {
    "password": Lost(lambda s: account(s, "IDENTIFIED BY 'Another-1'"), lambda s: account(s, password(s))),
    "locked": Lost(lambda s: account(s, "ACCOUNT LOCK"), lambda s: account(s, "ACCOUNT UNLOCK")),
    "expired": Lost(lambda s: account(s, "PASSWORD EXPIRE"), lambda s: account(s, password(s))),
    "connections": Lost(lambda s: account(s, "WITH MAX_CONNECTIONS_PER_HOUR 1"), lambda s: account(s, "WITH MAX_CONNECTIONS_PER_HOUR 0")),
    "questions": Lost(lambda s: account(s, "WITH MAX_QUERIES_PER_HOUR 1"), lambda s: account(s, "WITH MAX_QUERIES_PER_HOUR 0")),
}


def cut_off(server):
    """Ends what the server has of connections: it must open others."""
    rows = server.database.sql("SELECT id FROM information_schema.processlist WHERE user = 'pulumi_service'", database="mysql")
    for [number] in rows:
        try:
            server.database.sql(f"KILL {number}", database="mysql")
        except Broken:  # it ended by itself
            pass


def refused(answer):
    answer.expect_problem(503)
    assert answer.headers["Retry-After"] and answer.message.startswith("Service Unavailable: "), answer
    assert "pulumi_service" not in answer.message, "who is who in the database is for the log"


@pytest.mark.parametrize("way", WAYS)
def test_an_account_that_is_spoilt_and_mended(server, way):
    """Every call is answered with 503; what was acknowledged is there, and the same responders go on."""
    if DATABASE == "tidb" and way in ("connections", "questions"):
        pytest.skip("TiDB has no such limit")
    life = Life(server.client, server.described.organization)
    update = life.begin(journal=1)
    made, second = life.thing("r1"), life.thing("r2")
    update.journal({**entry(BEGIN, 1), "sequenceID": 1}, {**entry(SUCCESS, 1, state=made), "sequenceID": 2}).expect()
    responders = set(server.responders())
    late = [{**entry(BEGIN, 2), "sequenceID": 3}, {**entry(SUCCESS, 2, state=second), "sequenceID": 4}]
    WAYS[way].spoil(server)
    try:
        cut_off(server)
        if way in ("connections", "questions"):  # one is free
            server.client.get("/api/user")
            cut_off(server)
        for call in (lambda: update.journal(*late), update.renew, life.stack.export, lambda: server.client.get("/api/user")):
            refused(call())
    finally:
        WAYS[way].mend(server)
    insist(lambda: update.journal(*late), 10)
    insist(update.complete, 10)
    assert sorted(map(str, life.state())) == sorted(map(str, [second, made, *life.base]))
    assert set(server.responders()) == responders, "a responder did not outlive it"


@pytest.mark.skipif(DATABASE == "tidb", reason="TiDB counts no connections by itself")
def test_a_database_with_no_connection_left(server):
    """Others hold them all."""
    [[before]] = server.database.sql("SELECT @@max_connections", database="mysql")
    server.database.sql("SET GLOBAL max_connections = 10", database="mysql")
    held = []
    try:
        cut_off(server)
        for _ in range(15):
            held.append(socket.socket(socket.AF_UNIX))
            held[-1].connect(str(server.database.socket))
        time.sleep(0.2)
        refused(server.client.get("/api/user"))
    finally:
        for one in held:
            one.close()
        insist(lambda: server.client.get("/api/user"), 20)
        server.database.sql(f"SET GLOBAL max_connections = {before}", database="mysql")


def test_up_while_the_account_is_locked(server, project):  # noqa: F811
    """`up` waits for it, and ends well."""
    project.program(chain(8))
    process = project.cli.start("up", "--yes", "--skip-preview", "--stack", project.reference(), cwd=project.folder)
    wait_until(lambda: len(list(project.cli.cloud.iterdir())) >= 2, 60)
    WAYS["locked"].spoil(server)
    try:
        cut_off(server)
        time.sleep(2)
        made = len(list(project.cli.cloud.iterdir()))
    finally:
        WAYS["locked"].mend(server)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0 and made < 8, out + err
    assert sorted(project.resources()) == sorted(f"t{n}" for n in range(8))
