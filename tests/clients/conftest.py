# SPDX-License-Identifier: Apache-2.0
"""Runs every client test with each version of the command line, against the server that PULUMI_API_ACCESS describes."""

import os
import pathlib
import subprocess
import sys
import uuid

import pytest

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE))

from commandline import CHECKPOINTS, JOURNAL, WHOLE, CommandLine, Project, Server  # noqa: E402

DEFAULT_VERSIONS = ["3.259.0", "3.190.0"]
ALL_VERSIONS = ["3.190.0", "3.210.0", "3.230.0", "3.259.0"]


def modes(version, brief, short):
    """The ways of saving that differ in this version, by name. A brief test leaves the whole state out, and
    in a short run takes what each version does by itself: journals of the newest, deltas of the oldest."""
    named = {"default": {}, "whole": WHOLE}
    if number(version) >= (3, 225, 0):
        named["checkpoints"] = CHECKPOINTS
    elif number(version) >= (3, 204, 0):
        named["journal"] = JOURNAL
    if brief:
        del named["whole"]
    return {"default": {}} if brief and short else named


def pytest_addoption(parser):
    parser.addoption("--all-versions", action="store_true", help="every version of the command line")
    parser.addoption("--versions", help="these versions, separated by commas")


# A test of the core runs with every chosen version, the others with the newest only, unless all are asked for.
def thorough(config):
    return config.getoption("--all-versions") or config.getoption("--versions")


def chosen(config):
    if config.getoption("--versions"):
        return config.getoption("--versions").split(",")
    return ALL_VERSIONS if config.getoption("--all-versions") else DEFAULT_VERSIONS


def pytest_configure(config):
    config.addinivalue_line("markers", "since(version): only command lines of this version and later can do this")
    config.addinivalue_line("markers", "core: each version must pass this, also in a short run")
    config.addinivalue_line("markers", "newest: one version is enough")
    config.addinivalue_line("markers", "brief: the ways of saving state that matter most are enough")
    config.addinivalue_line("markers", "slow: takes minutes")


def pytest_generate_tests(metafunc):
    """One run per version; a test says which it needs, so that none is skipped in the running."""
    if "version" not in metafunc.fixturenames:
        return
    versions = chosen(metafunc.config)
    since = metafunc.definition.get_closest_marker("since")
    if since:
        versions = [v for v in versions if number(v) >= number(since.args[0])]
    core = thorough(metafunc.config) or metafunc.definition.get_closest_marker("core")
    if not core or metafunc.definition.get_closest_marker("newest"):
        versions = versions and [max(versions, key=number)]
    if "mode" not in metafunc.fixturenames:
        metafunc.parametrize("version", versions, scope="session")
        return
    brief = metafunc.definition.get_closest_marker("brief")
    short = not thorough(metafunc.config)
    cases = [(version, name, mode) for version in versions for name, mode in modes(version, brief, short).items()]
    metafunc.parametrize(("version", "mode"), [(version, mode) for version, _, mode in cases],
                         ids=[f"{version}-{name}" for version, name, _ in cases], scope="session")


def pytest_collection_modifyitems(config, items):
    """A test that none of the chosen versions can run is left out, not skipped."""
    left_out = [item for item in items if "version" in getattr(item, "fixturenames", ()) and
                not isinstance(getattr(item, "callspec", None) and item.callspec.params.get("version"), str)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def number(version):
    return tuple(int(part) for part in version.split("."))


@pytest.fixture(scope="session")
def server():
    path = os.environ.get("PULUMI_API_ACCESS")
    if not path:
        pytest.exit("PULUMI_API_ACCESS must name the access.json of a running server; "
                    "./quickstart --background --data DIR writes DIR/access.json", 2)
    described = Server(path)
    try:
        described.call("GET", "/api/status")
    except OSError as reason:
        pytest.exit(f"no server answers at {described.url}, which {path} names: {reason}", 2)
    return described


@pytest.fixture(scope="session")
def tools(request):
    """The folder of each version, built when it is not there yet."""
    versions = chosen(request.config)
    built = subprocess.run([HERE / "get-tools", *versions], stdout=subprocess.PIPE, text=True, check=False)
    if built.returncode:
        pytest.exit("get-tools could not build the command lines; its words are above", 2)
    return dict(zip(versions, built.stdout.split()))


@pytest.fixture
def pulumi(version, tools, server, tmp_path):
    """The command line of this version, in a home of its own."""
    return CommandLine(tools[version], version, tmp_path / "home", server)


@pytest.fixture
def project(pulumi, tmp_path):
    """A project folder with an empty program. Its stacks are removed at the end."""
    made = Project(pulumi, tmp_path / "project")
    yield made
    remove(made)


@pytest.fixture
def stack(project):
    """The project with its stack "dev" created."""
    project.init()
    return project


@pytest.fixture
def saving(stack, mode):
    """The stack, its state saved in each of the ways that a command line knows."""
    stack.cli.environment.update(mode)
    return stack


@pytest.fixture
def another(pulumi, tmp_path):
    """Makes further projects."""
    made = []

    def make(name=None):
        made.append(Project(pulumi, tmp_path / f"project-{uuid.uuid4().hex[:6]}", name))
        return made[-1]

    yield make
    for project in made:
        remove(project)


def remove(project):
    """Deletes the stacks of a project; what a failed test left must not hinder the next."""
    server = project.cli.server
    _, answer = server.call("GET", f"/api/user/stacks?project={project.name}")
    for found in answer.get("stacks", []) if isinstance(answer, dict) else []:
        path = f"/api/stacks/{found['orgName']}/{found['projectName']}/{found['stackName']}"
        _, details = server.call("GET", path)
        if isinstance(details, dict) and details.get("currentOperation"):
            server.call("POST", f"{path}/update/{details['activeUpdate']}/cancel")
        server.call("DELETE", path + "?force=true")
