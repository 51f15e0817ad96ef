# SPDX-License-Identifier: Apache-2.0
"""SIGKILL to the responder that announces an update with a large configuration: both object and row, or no row."""

import hashlib
import http.client
import json
import subprocess

import pytest
from conftest import BUILD, reports, start_installation
from lib.client import Stack, Update
from scenario import insist

SETTING = "PULUMI_SERVICE_METADATA_BLOB_STORAGE_ENDPOINT"
CONFIG = {"a:b": {"string": "c" * (200 << 10)}}
TEXT = json.dumps(CONFIG, separators=(",", ":")).encode()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("metadata")


@pytest.fixture(scope="module")
def server(folder):
    made = start_installation(environment={SETTING: str(folder)})
    yield made
    made.fault.disarm()
    made.stop()
    found = reports(made)
    made.remove()
    assert not found, found


def post(stack):
    return stack.client.post(f"{stack.path}/update", {"name": stack.project, "runtime": "yaml", "options": {}, "config": CONFIG, "metadata": {}})


def announce(stack):
    """The id of the update, or None when there was no answer of the API."""
    try:
        answer = post(stack)
    except (OSError, http.client.HTTPException):
        return None
    return answer.expect().json()["updateID"] if answer.status < 500 else None


def killed(server, words):
    """A new stack whose first announcement meets the fault, and which is announced again; what the first was answered."""
    stack = Stack(server.client, server.described.organization).create()
    server.fault.arm(words)
    made = announce(stack)
    server.fault.disarm()
    for update in filter(None, (made, insist(lambda: post(stack)).json()["updateID"])):
        running = Update(stack, update).begin()
        running.complete().expect()
    assert [u["config"] for u in stack.history()] == [CONFIG] * (2 if made else 1)
    return made


def rows_and_objects(server, folder):
    """The updates that each knows."""
    rows = {row[0] for row in server.database.sql("SELECT id FROM updates WHERE config_sha256 IS NOT NULL")}
    return rows, {path.parent.name for path in folder.rglob(f"configurations/*/{hashlib.sha256(TEXT).hexdigest()}")}


def test_a_responder_dies_at_each_point(server, folder):
    for _ in range(2 * server.responder_count):
        announce(Stack(server.client, server.described.organization).create())
    stack = Stack(server.client, server.described.organization).create()
    points = server.fault.trace(lambda: announce(stack))
    assert points.index("blob.done") < points.index("configuration.kept") < len(points) - 1
    answered = [point for point in range(1, len(points) + 1) if killed(server, f"*:{point}:kill")]
    assert len(answered) <= len(points) // 4, "the points moved"
    rows, objects = rows_and_objects(server, folder)
    assert rows and rows <= objects, "a row without its object"
    for _ in range(3):
        assert not killed(server, "configuration.kept:1:kill")
    more, left = rows_and_objects(server, folder)
    assert len(more) == len(rows) + 3 and len(left) == len(objects) + 6, "each left an object that no row names"
    done = subprocess.run([BUILD / "sql/pulumi-admin", "verify", "--json"], env=server.environment(PULUMI_FAULT_POINT=""), check=False,
                          capture_output=True, text=True, timeout=120)
    assert json.loads(done.stdout)["good"], done
