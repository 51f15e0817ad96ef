# SPDX-License-Identifier: Apache-2.0
"""A database over TLS: who is trusted, from which version on, and that nothing is ever sent to anybody else."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import time

import pytest

from certificate import Certificate
from commandline import CommandLine, Project, Server, thing, things
from conftest import BUILD, VERSION
from lib.client import Access
from lib.server import Installation, free_port, tail, wait_for
from relay import Relay
from test_stores import started


@pytest.fixture(scope="module")
def certificates():
    """In a folder that the database's account can enter."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pulumi-api-tls-"))
    os.chmod(folder, 0o755)
    yield {"good": Certificate(folder / "good"), "other": Certificate(folder / "other"),
           "elsewhere": Certificate(folder / "elsewhere", "DNS:db.example.com"), "ended": Certificate(folder / "ended", days=-1)}
    shutil.rmtree(folder)


class Secure(Installation):
    """Its database listens on a port, with TLS as a test wants it."""

    def __init__(self, certificates):
        super().__init__(BUILD, responders=1)
        self.certificates, self.database_port = certificates, free_port()
        self.more.update(PULUMI_DATABASE_ENDPOINT=f"127.0.0.1:{self.database_port}",
                         DATABASE_CA_CERTIFICATE=certificates["good"].ca.read_text())

    def options(self, certificate="good", *more):
        c = self.certificates[certificate] if certificate else None
        tls = [f"--ssl-cert={c.file}", f"--ssl-key={c.key}", "--require-secure-transport=ON"] if c else []
        return ["--skip-networking=0", "--bind-address=127.0.0.1", f"--port={self.database_port}", *tls, *more]

    def restart(self, *options):
        self.database.stop()
        self.database.more = self.options(*options)
        self.database.start()

    def starts(self, **settings):
        return started(self.environment(**settings))

    def refuses(self, **settings):
        code, said = self.starts(**settings)
        assert code, f"it started: {said}"
        return said


@pytest.fixture(scope="module")
def secure(certificates):
    made = Secure(certificates)
    made.database.more = made.options()
    made.start()
    yield made
    made.stop()
    assert not made.problems(), made.problems()
    made.remove()


@pytest.fixture(autouse=True)
def default_options(secure):
    yield
    if secure.database.more != secure.options():
        secure.restart()


def test_the_right_authority(secure):
    """The whole installation runs over TLS: the server takes nothing else on its port."""
    assert secure.serves()
    assert secure.starts()[0] == 0
    assert secure.starts(PULUMI_DATABASE_ENDPOINT=f"localhost:{secure.database_port}")[0] == 0
    assert secure.starts(DATABASE_MIN_TLS_VERSION="1.3")[0] == 0
    assert secure.starts(DATABASE_CA_CERTIFICATE="")[0] != 0


def test_another_authority(secure, certificates):
    said = secure.refuses(DATABASE_CA_CERTIFICATE=certificates["other"].ca.read_text())
    assert "DATABASE_CA_CERTIFICATE: the database at 127.0.0.1 is not trusted" in said, said
    assert "DATABASE_CA_CERTIFICATE" in secure.refuses(DATABASE_CA_CERTIFICATE="-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n")


def test_another_authority_for_the_schema(secure, certificates):
    """pulumi-migrate names the setting, and not the account, which was never asked for."""
    secure.restart("good")
    done = subprocess.run([BUILD / "sql/pulumi-migrate", "status"], capture_output=True, text=True, check=False, timeout=60,
                          env=secure.environment(DATABASE_CA_CERTIFICATE=certificates["other"].ca.read_text(), MYSQL_ROOT_PASSWORD=secure.database.password))
    assert done.returncode == 1 and "DATABASE_CA_CERTIFICATE: the database at 127.0.0.1 is not trusted" in done.stderr, done
    assert "MYSQL_ROOT" not in done.stderr, done


def test_another_name(secure, certificates):
    """Its certificate is by the right authority, and of another host."""
    secure.restart("elsewhere")
    said = secure.refuses(DATABASE_CA_CERTIFICATE=certificates["elsewhere"].ca.read_text())
    assert "DATABASE_CA_CERTIFICATE: the database at 127.0.0.1 is not trusted" in said, said


def test_a_certificate_that_has_ended(secure, certificates):
    """At the start, and while a server runs: then it is waited for."""
    authority = {"DATABASE_CA_CERTIFICATE": certificates["ended"].ca.read_text()}
    secure.restart("ended")
    said = secure.refuses(**authority)
    assert "DATABASE_CA_CERTIFICATE: the database at 127.0.0.1 is not trusted" in said and "expired" in said, said
    client = Access(secure.access).client()
    client.get("/api/user").expect_problem(503)
    secure.restart("good")
    wait_for(lambda: client.get("/api/user").status == 200, 20, "no connection again")


def test_a_server_without_tls(secure):
    secure.restart(None)
    assert "DATABASE_CA_CERTIFICATE" in secure.refuses()
    assert secure.starts(DATABASE_CA_CERTIFICATE="")[0] == 0


def test_the_lowest_version(secure):
    secure.restart("good", "--tls-version=TLSv1.2")
    assert secure.starts()[0] == 0
    assert secure.starts(DATABASE_MIN_TLS_VERSION="1.2")[0] == 0
    assert "DATABASE_CA_CERTIFICATE" in secure.refuses(DATABASE_MIN_TLS_VERSION="1.3")
    secure.restart("good", "--tls-version=TLSv1.3")
    assert secure.starts(DATABASE_MIN_TLS_VERSION="1.2")[0] == 0


def test_settings_that_say_nothing_useful(secure, certificates):
    path = str(certificates["good"].ca)
    assert f"DATABASE_CA_CERTIFICATE: '{path}' is no certificate: it must be the PEM text itself" in secure.refuses(DATABASE_CA_CERTIFICATE=path)
    assert "DATABASE_MIN_TLS_VERSION: '1.1' must be 1.2 or 1.3" in secure.refuses(DATABASE_MIN_TLS_VERSION="1.1")
    said = secure.refuses(DATABASE_CA_CERTIFICATE="", DATABASE_MIN_TLS_VERSION="1.2")
    assert "DATABASE_MIN_TLS_VERSION is set but DATABASE_CA_CERTIFICATE" in said, said


def test_connections_that_were_lost(secure):
    """Responders connect again with the same trust, and keep no file open for each time."""
    client = Access(secure.access).client()
    pid = secure.responders()[0]
    assert client.call("GET", "/api/user").status == 200, tail(secure.log)
    before = len(os.listdir(f"/proc/{pid}/fd"))
    for _ in range(3):
        secure.restart()
        wait_for(lambda: client.call("GET", "/api/user").status == 200, 20, "no connection again")
    assert secure.responders()[0] == pid
    assert len(os.listdir(f"/proc/{pid}/fd")) == before


# --- on the way to it ---

@pytest.fixture
def relay(secure):
    """The installation reaches its database through it."""
    made, before = Relay(secure.database_port), secure.more["PULUMI_DATABASE_ENDPOINT"]
    secure.stop_serve()
    secure.more["PULUMI_DATABASE_ENDPOINT"] = f"127.0.0.1:{made.port}"
    secure.start_serve()
    yield made
    made.good()
    secure.stop_serve()
    secure.more["PULUMI_DATABASE_ENDPOINT"] = before
    made.close()
    secure.start_serve()


@pytest.fixture
def project(secure, relay, tools, tmp_path):
    made = Project(CommandLine(tools, VERSION, tmp_path / "home", Server(secure.access)), tmp_path / "project")
    made.init()
    return made


def names(project):
    return sorted(project.resources())


def test_up_over_tls(secure, relay, project):
    """Slowly, and nothing that was said can be read on the way."""
    relay.delay = 0.02
    project.program(things(5))
    project.up()
    relay.delay = 0
    assert names(project) == [f"t{i}" for i in range(5)]
    for word in (project.name, "INSERT INTO", "pulumi_service", secure.database.service_password):
        assert relay.passed and word.encode() not in relay.passed, word


@pytest.mark.slow
def test_connections_that_are_cut(relay, project):
    """Again and again, in the middle of whatever they carry: `up` ends well, with every resource once."""
    chain = {f"t{n}": thing(f"v{n}", {"dependsOn": [f"${{t{n - 1}}}"]} if n else None, delayMs=150) for n in range(12)}
    project.program(chain)
    process = project.cli.start("up", "--yes", "--skip-preview", "--stack", project.reference(), cwd=project.folder)
    wait_for(lambda: len(list(project.cli.cloud.iterdir())) >= 2, 60, "it makes nothing", process)
    cuts = 0
    while process.poll() is None:
        cuts += relay.cut()
        time.sleep(0.5)
    assert process.returncode == 0 and cuts >= 3, (cuts, process.communicate())
    assert names(project) == sorted(chain)
    assert all(len(records) == 1 for records in project.resources().values())


def test_refused_for_a_while(relay, project):
    relay.refusing = True
    relay.cut()
    status, answer = project.call("GET")
    assert status == 503 and answer["message"].startswith("Service Unavailable: "), answer
    relay.good()
    assert project.call("GET")[0] == 200


@pytest.mark.slow
def test_a_database_that_says_nothing(relay, project):
    """A new connection is given up soon, a statement after a minute; then all is as before."""
    project.program(things(3))
    project.up()
    relay.held = True
    for least, most in ((50, 100), (4, 30)):  # on the connection that was there; on new ones
        began = time.monotonic()
        status, answer = project.cli.server.call("GET", project.path, timeout=150)
        assert status == 503 and answer["message"].startswith("Service Unavailable: "), (status, answer)
        assert least <= time.monotonic() - began <= most
    relay.good()
    assert names(project) == ["t0", "t1", "t2"]
