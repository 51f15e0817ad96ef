# SPDX-License-Identifier: Apache-2.0
"""Responders that die while a service is away come back at once, and serve what needs no service."""

import http.client
import json
import os
import signal

import pytest

from azurite import Azurite
from commandline import things
from conftest import BUILD, SETTING, settings_of, start, started
from lib.server import Installation, free_port, wait_for
from proxy import DROP
from test_keys import KINDS, installed, project_on


def call(one, method, path, body=None):
    """Status, headers and JSON of one request on a connection of its own."""
    connection = http.client.HTTPConnection("127.0.0.1", one.port, timeout=60)
    token = json.loads(one.access.read_text())["token"]
    connection.request(method, path, body and json.dumps(body), {"Authorization": f"token {token}", "Content-Type": "application/json"})
    answer = connection.getresponse()
    return answer.status, answer.headers, json.loads(answer.read() or b"{}")


def path_of(project):
    return f"/api/stacks/{project.reference()}"


def kill_all(one):
    """Responders that are new, when they serve."""
    before, said = one.responders(), one.log.read_text().count("event=started_again")
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: one.log.read_text().count("event=started_again") >= said + len(before), 30, "no new responders", one.process, one.log)
    new = one.responders()
    assert len(new) == len(before) and not set(new) & set(before)
    return new


def refused(answer):
    status, headers, said = answer
    assert status == 503 and headers["Retry-After"] and said["message"].startswith("Service Unavailable: "), answer


class Restartable(Azurite):
    def make_container(self):
        if not (self.folder / "made").exists():
            super().make_container()
            (self.folder / "made").touch()


@pytest.fixture
def azurite(tmp_path):
    made = start(Restartable, tmp_path)
    yield made
    made.stop()


@pytest.fixture
def stored(azurite):
    made = Installation(BUILD, responders=2, environment=settings_of(azurite, azurite.port)).start()
    yield made
    made.stop()
    assert not made.problems(), made.problems()
    made.remove()


def test_while_the_object_store_is_away(azurite, stored, tools, tmp_path):
    project = project_on(stored, tools, tmp_path)
    project.program(things(3))
    project.up()
    azurite.stop()
    kill_all(stored)
    assert call(stored, "GET", "/api/user")[0] == 200
    assert call(stored, "GET", path_of(project))[0] == 200
    refused(call(stored, "GET", f"{path_of(project)}/export"))
    code, said = started(stored.environment())
    assert code and SETTING in said, "the first start must try the store"
    azurite.start()
    assert len(call(stored, "GET", f"{path_of(project)}/export")[2]["deployment"]["resources"]) >= 3


def test_settings_that_were_never_tried_stop_it_all_the_same(azurite, stored):
    """An administrator has written another address, and a responder dies before the reload."""
    file = stored.folder / "pulumi-api.conf"
    file.write_text(f'pulumi_engine_events_blob_storage_endpoint = "{azurite.where(free_port())}"\n')
    for pid in stored.responders():
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: "pulumi-api.fcgi: PULUMI_ENGINE_EVENTS_BLOB_STORAGE_ENDPOINT: " in stored.log.read_text(), 60,
             "no sentence", stored.process, stored.log)
    assert "event=started_again" not in stored.log.read_text()
    file.write_text("")
    wait_for(lambda: stored.log.read_text().count("event=started_again") >= 2, 60, "no responders", stored.process, stored.log)
    assert call(stored, "GET", "/api/user")[0] == 200


def test_while_the_key_service_is_away(moto, request, tools, tmp_path):
    kms = KINDS["kms"](request)
    one = installed(kms.settings()).start()
    try:
        project = project_on(one, tools, tmp_path)
        kms.proxy.before = lambda request: DROP
        kill_all(one)
        assert call(one, "GET", "/api/user")[0] == 200
        refused(call(one, "POST", f"{path_of(project)}/encrypt", {"plaintext": "eA=="}))
        code, said = started(one.environment())
        assert code and "PULUMI_KMS_KEY" in said
        kms.good()
        assert call(one, "POST", f"{path_of(project)}/encrypt", {"plaintext": "eA=="})[0] == 200
    finally:
        kms.good()
        one.stop()
    assert not one.problems(), one.problems()
    one.remove()
