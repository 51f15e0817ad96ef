# SPDX-License-Identifier: Apache-2.0
"""States in S3 by credentials that AWS STS gives for a while: what the real command line sees of their end, and of a token service in trouble."""

import time

import pytest

from aws import Moto
from commandline import CommandLine, Project, Server, things
from conftest import BUILD, SETTING, VERSION
from lib.server import Installation, wait_for
from proxy import DROP, Proxy, Reply
from test_credentials_aws import ends_in, is_sts, role_settings

BUSY = Reply(503, b"<ErrorResponse><Error><Code>ServiceUnavailable</Code></Error></ErrorResponse>")


@pytest.fixture(scope="module")
def token_service(moto):
    made = Proxy(moto.port)
    yield made
    made.close()


@pytest.fixture(scope="module")
def installation(moto, token_service):
    """One responder, so that what it has of credentials is known."""
    settings = {SETTING: moto.where(), "PULUMI_LOCAL_OBJECTS": "", **role_settings(moto, token_service)}
    made = Installation(BUILD, responders=1, environment=settings).start()
    yield made
    made.stop()
    assert not made.problems(), made.problems()
    made.remove()


@pytest.fixture
def sts(moto, token_service, installation):
    """From now on credentials are good for three seconds, and renewed at each use; the responder is new."""
    token_service.after = ends_in(3)
    installation.stop_serve()
    installation.start_serve()
    token_service.seen.clear()
    yield token_service
    moto.allow()
    token_service.good()


@pytest.fixture
def project(installation, sts, tools, tmp_path):
    made = Project(CommandLine(tools, VERSION, tmp_path / "home", Server(installation.access)), tmp_path / "project")
    made.init()
    return made


def names(project):
    return sorted(project.resources())


def test_up_while_credentials_end(project, sts):
    """The token service is slow, and fails two of three times."""
    calls = []

    def trouble(request):
        calls.append(request)
        time.sleep(0.3)
        return BUSY if len(calls) % 3 else None

    sts.before = trouble
    time.sleep(3)
    project.program(things(8))
    project.up()
    assert len(calls) >= 3 and all(is_sts(request) for request in calls)
    assert names(project) == [f"t{n}" for n in range(8)]


@pytest.mark.parametrize("how", ["away", pytest.param("denied", marks=pytest.mark.slow)])
def test_the_end_without_others(moto, project, sts, how):
    """What needs the store is answered with 503, and `up` waits for it; nothing is lost."""
    project.program(things(5))
    project.up()
    if how == "away":
        sts.before = lambda request: DROP
    else:
        moto.deny("sts:*")
    time.sleep(3.2)
    status, answer = project.call("GET", "/export")
    assert status == 503 and answer["message"].startswith("Service Unavailable: "), answer
    assert project.call("GET")[0] == 200, "the database is there"
    sts.seen.clear()
    project.program(things(9, value="w"))
    process = project.cli.start("up", "--yes", "--skip-preview", "--stack", project.reference(), cwd=project.folder)
    wait_for(lambda: len(sts.seen) >= 2, 60, "nobody asked for credentials", process)
    time.sleep(1)
    sts.before = lambda request: None
    moto.allow()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    assert names(project) == [f"t{n}" for n in range(9)]
