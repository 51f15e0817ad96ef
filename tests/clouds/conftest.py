# SPDX-License-Identifier: Apache-2.0
"""Published stand-ins for object stores and mail servers, a proxy in front of each store, and installations that use them."""

import contextlib
import os
import pathlib
import subprocess
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parent / "clients")]

from aws import Minio, Moto  # noqa: E402
from azurite import Azurite  # noqa: E402
from certificate import Certificate  # noqa: E402
from commandline import CommandLine, Project, Server  # noqa: E402
from lib.server import ROOT, Installation  # noqa: E402
from proxy import Proxy  # noqa: E402
from vault import NAMES, Vault  # noqa: E402

BUILD = pathlib.Path(os.environ.get("PULUMI_TEST_BUILD", ROOT / "build" / "check")).resolve()
CACHE = pathlib.Path(os.environ.get("PULUMI_TEST_CACHE", pathlib.Path.home() / ".cache/pulumi-api-tests"))
VERSION = "3.259.0"
SETTING = "PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT"
STAND_INS = {"moto": Moto, "azurite": Azurite, "minio": Minio}


def pytest_addoption(parser):
    parser.addoption("--minio", action="store_true", help="also with MinIO, which Go builds")


def get(*names):
    return subprocess.run([HERE / "get-stand-ins", *names], stdout=subprocess.DEVNULL, check=False).returncode == 0


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes long, or repeats on another stand-in what one has shown")
    config.addinivalue_line("markers", "one_store: slow with every store but the first")
    config.addinivalue_line("markers", "one_kind: slow with Key Vault, after KMS")
    config.addinivalue_line("markers", "addresses: needs a store that takes signatures in addresses; moto, when it checks signatures, fails at those")
    if not get():
        pytest.exit("get-stand-ins could not get the stand-ins; its words are above", 2)
    config.stand_ins = ["moto", "azurite"]
    if config.getoption("--minio"):
        if get("minio"):
            config.stand_ins.append("minio")
        else:
            print("without MinIO: Go did not build it; its words are above")


def pytest_generate_tests(metafunc):
    if "stand_in" in metafunc.fixturenames:
        kinds = metafunc.config.stand_ins
        if metafunc.definition.get_closest_marker("addresses"):
            kinds = [kind for kind in kinds if kind != "moto"]
        if metafunc.definition.get_closest_marker("one_store"):
            kinds = [kinds[0], *(pytest.param(kind, marks=pytest.mark.slow) for kind in kinds[1:])]
        metafunc.parametrize("stand_in", kinds, indirect=True, scope="session")


def start(kind, folder, **more):
    made = kind(CACHE / "clouds", folder, **more)
    made.start()
    return made


@pytest.fixture(scope="session")
def stand_in(request, tmp_path_factory):
    made = start(STAND_INS[request.param], tmp_path_factory.mktemp(request.param))
    made.proxy = Proxy(made.port)
    yield made
    made.proxy.close()
    made.stop()


@pytest.fixture(scope="session")
def moto(tmp_path_factory):
    made = start(Moto, tmp_path_factory.mktemp("moto"))
    yield made
    made.stop()


@pytest.fixture(scope="session")
def vault(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vault")
    made = start(Vault, folder, certificate=Certificate(folder, NAMES))
    made.create()
    yield made
    made.stop()


@pytest.fixture
def store(stand_in):
    """The stand-in, whose proxy behaves and has seen nothing yet."""
    stand_in.proxy.good()
    stand_in.proxy.seen.clear()
    yield stand_in
    stand_in.proxy.good()


@contextlib.contextmanager
def an_installation_each():
    """Installations by the name of their stand-in, for a test that starts them when it first needs them."""
    made = {}
    yield made
    problems = []
    for one in made.values():
        one.stop()
        problems += one.problems()
        one.remove()
    assert not problems, problems


def started(settings):
    """How a responder starts: its exit code and what it says."""
    done = subprocess.run([BUILD / "fcgi/pulumi-api.fcgi", "--once"], input=b"GET /api/status HTTP/1.1\r\nHost: x\r\n\r\n",
                          capture_output=True, env=settings, check=False, timeout=120)
    return done.returncode, done.stderr.decode()


def clean_environment():
    return {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "AZURE_", "PULUMI_"))}


class Tool:
    """object-tool with settings of its own."""

    def __init__(self, where, environment):
        self.where, self.environment = where, {**clean_environment(), "HOME": "/nonexistent", **environment}

    def start(self, *arguments):
        return subprocess.Popen([BUILD / "tests/clouds/object-tool", self.where, *map(str, arguments)], stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.environment)

    def run(self, *arguments, data=b"", code=0):
        """What it writes; its sentence when it fails."""
        done = subprocess.run([BUILD / "tests/clouds/object-tool", self.where, *map(str, arguments)], input=data,
                              capture_output=True, env=self.environment, check=False, timeout=300)
        assert done.returncode == code, f"{arguments}: {done.returncode} {done.stderr.decode()}"
        return done.stderr.decode() if code == 2 else done.stdout


@pytest.fixture
def tool(store):
    """Calls through the proxy."""
    return Tool(store.where(store.proxy.port), store.credentials())


@pytest.fixture(scope="session")
def installations():
    """One installation for each stand-in, which reaches it through the proxy."""
    with an_installation_each() as made:
        yield made


def settings_of(store, port=None):
    return {SETTING: store.where(port or store.proxy.port), "PULUMI_LOCAL_OBJECTS": "", **store.credentials()}


@pytest.fixture
def installation(store, installations):
    if store.name not in installations:
        installations[store.name] = Installation(BUILD, environment=settings_of(store)).start()
    return installations[store.name]


@pytest.fixture(scope="session")
def tools():
    built = subprocess.run([HERE.parent / "clients/get-tools", VERSION], stdout=subprocess.PIPE, text=True, check=False)
    if built.returncode:
        pytest.exit("get-tools could not build the command line; its words are above", 2)
    return built.stdout.strip()


@pytest.fixture
def project(installation, tools, tmp_path):
    """A stack on the installation, and the command line."""
    made = Project(CommandLine(tools, VERSION, tmp_path / "home", Server(installation.access)), tmp_path / "project")
    made.init()
    return made
