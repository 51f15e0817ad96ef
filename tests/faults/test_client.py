# SPDX-License-Identifier: Apache-2.0
"""The real command line while the server under it dies and comes back."""

import os
import pathlib
import signal
import subprocess
import sys
import threading

import pytest

CLIENTS = pathlib.Path(__file__).resolve().parent.parent / "clients"
sys.path.insert(0, str(CLIENTS))

from commandline import CommandLine, Project, Server, kill, wait_until  # noqa: E402

VERSION = "3.259.0"


@pytest.fixture(scope="module")
def tools():
    built = subprocess.run([CLIENTS / "get-tools", VERSION], stdout=subprocess.PIPE, text=True, check=True)
    return built.stdout.split()[-1]


@pytest.fixture
def project(server, tools, tmp_path):
    cli = CommandLine(tools, VERSION, tmp_path / "home", Server(server.access))
    made = Project(cli, tmp_path / "project")
    made.init()
    return made


def chain(count, delay=100):
    """Things of the test provider, each made after the one before: the update takes a while."""
    return {f"t{n}": {"type": "testing:Thing", "properties": {"value": f"v{n}", "delayMs": delay},
                      **({"options": {"dependsOn": [f"${{t{n - 1}}}"]}} if n else {})} for n in range(count)}


class Trouble(threading.Thread):
    """Does something to the server again and again until it is told to end."""

    def __init__(self, server, action, every):
        super().__init__(daemon=True)
        self.server, self.action, self.every = server, action, every
        self.end, self.times, self.failure = threading.Event(), 0, None

    def run(self):
        while not self.end.wait(self.every):
            try:
                self.action(self.server)
                self.times += 1
            except Exception as reason:  # pylint: disable=broad-except
                self.failure = reason
                return

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.end.set()
        self.join()
        assert self.failure is None, self.failure


def responder_dies(server):
    for pid in server.responders()[:1]:
        os.kill(pid, signal.SIGKILL)


def database_dies(server):
    server.database.kill()
    server.database.start()


def everything_dies(server):
    server.kill()
    server.database.start()
    server.start_serve()


@pytest.mark.parametrize("action, every", [(responder_dies, 0.25), (database_dies, 2), (everything_dies, 2.5)])
@pytest.mark.parametrize("saving", ["journal", "checkpoints"])
def test_up_succeeds_through_it_all(server, project, action, every, saving):
    """What the client repeats it may repeat: `up` ends well, with every resource once."""
    names = [f"t{n}" for n in range(40)]
    project.program(chain(len(names)))
    more = {"PULUMI_DISABLE_JOURNALING": "true"} if saving == "checkpoints" else {}
    process = project.cli.start("up", "--yes", "--skip-preview", "--stack", project.reference(), cwd=project.folder, **more)
    wait_until(lambda: len(list(project.cli.cloud.iterdir())) >= 2, 60)
    with Trouble(server, action, every) as trouble:
        out, err = process.communicate(timeout=300)
    assert trouble.times >= 1
    assert process.returncode == 0, out + err
    assert sorted(project.resources()) == sorted(names)
    assert all(len(records) == 1 for records in project.resources().values())
    assert len(list(project.cli.cloud.iterdir())) == len(names)
    assert "no changes" not in project.on("preview", "--expect-no-changes").err


def test_client_and_server_die_together(server, project):
    """Nothing acknowledged is lost: the next `up --refresh` makes only what is missing."""
    project.program(chain(15))
    process = project.cli.start("up", "--yes", "--skip-preview", "--stack", project.reference(), cwd=project.folder)
    wait_until(lambda: len(list(project.cli.cloud.iterdir())) >= 5, 60)
    kill(process)
    everything_dies(server)
    process.communicate()
    made = {path.name for path in project.cli.cloud.iterdir()}
    project.on("cancel", "--yes")
    known = {record["id"] for records in project.resources().values() for record in records}
    assert known <= made and len(made - known) <= 1, (made, known)
    project.up("--refresh")
    assert len(project.resources()) == 15
