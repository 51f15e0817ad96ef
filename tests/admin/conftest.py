# SPDX-License-Identifier: Apache-2.0
"""pulumi-migrate and pulumi-admin out of the build folder that PULUMI_TEST_BUILD names, against a private database: a MariaDB, or what PULUMI_TEST_DATABASE says."""

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import uuid

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from lib.server import Installation, ROOT, make_database  # noqa: E402

BUILD = pathlib.Path(os.environ.get("PULUMI_TEST_BUILD", ROOT / "build" / "check")).resolve()


# What only one kind of database has.
collect_ignore = [] if os.environ.get("PULUMI_TEST_DATABASE") == "tidb" else ["test_tidb.py"]


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes a minute or more")


@pytest.fixture(scope="session")
def database():
    """A server without a schema."""
    with tempfile.TemporaryDirectory(prefix="pulumi-admin-test-") as folder:
        folder = pathlib.Path(folder)
        folder.chmod(0o711)
        (folder / "run").mkdir(mode=0o711)
        started = make_database(folder / "mariadb", folder / "run")
        try:
            started.start()
            yield started
        finally:
            started.stop()


class Schema:
    """A database of its own on that server, and pulumi-migrate for it."""

    def __init__(self, database, migrations):
        self.database, self.migrations = database, migrations
        self.name = f"t{uuid.uuid4().hex[:12]}"
        self.account = f"u{uuid.uuid4().hex[:12]}"

    def environment(self, **more):
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith(("PULUMI_", "MYSQL_"))},
            "PULUMI_API_CONFIG": "",
            "PULUMI_DATABASE_ENDPOINT": self.database.endpoint,
            "PULUMI_DATABASE_NAME": self.name,
            "PULUMI_DATABASE_USER_NAME": self.account,
            "PULUMI_DATABASE_USER_PASSWORD": "it's a \\ secret",
            "PULUMI_MIGRATIONS_DIR": str(self.migrations),
            "MYSQL_ROOT_PASSWORD": self.database.password,
            **more,
        }

    def start(self, *arguments, **more):
        return subprocess.Popen([BUILD / "sql" / "pulumi-migrate", *arguments], env=self.environment(**more), text=True,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, *arguments, code=0, **more):
        process = self.start(*arguments, **more)
        out, err = process.communicate(timeout=120)
        assert process.returncode == code, f"pulumi-migrate {' '.join(arguments)}: exit {process.returncode}\n{out}{err}"
        return out + err

    def sql(self, text):
        return self.database.sql(text, self.name)

    def tables(self):
        return {row[0] for row in self.sql("SHOW TABLES")}


@pytest.fixture
def schema(database):
    """The migrations of this version."""
    return Schema(database, ROOT / "sql" / "migrations")


@pytest.fixture
def own_schema(database, tmp_path):
    """A folder of migrations to write in."""
    folder = tmp_path / "migrations"
    folder.mkdir()
    return Schema(database, folder)


class Admin:
    """pulumi-admin with the settings of an installation."""

    def __init__(self, installation):
        self.installation = installation

    def start(self, *arguments, **more):
        return subprocess.Popen([BUILD / "sql" / "pulumi-admin", *map(str, arguments)], env=self.installation.environment(**more),
                                text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, *arguments, stdin="", code=0, **more):
        """What it printed: standard output when all is well, else standard error too."""
        process = self.start(*arguments, **more)
        out, err = process.communicate(stdin, timeout=300)
        assert process.returncode == code, f"pulumi-admin {' '.join(map(str, arguments))}: exit {process.returncode}\n{out}{err}"
        return out if code == 0 else out + err

    def json(self, *arguments, **more):
        return json.loads(self.run(*arguments, "--json", **more))

    def refused(self, *arguments, code=1, **more):
        return self.run(*arguments, code=code, **more)


def problems(admin, code=0, **settings):
    """What verification finds, a line each."""
    report = json.loads(admin.run("verify", "--json", code=code, **settings).splitlines()[0])
    return [f"{p['where']}: {p['problem']}" for p in report["problems"]]


def job(installation, name, **settings):
    """What a job says that runs once."""
    done = subprocess.run([BUILD / "cron" / f"pulumi-job-{name}", "--once"], env=installation.environment(**settings), capture_output=True,
                          text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def age(path, seconds):
    """Makes a file older."""
    then = path.stat().st_mtime - seconds
    os.utime(path, (then, then))


def once(installation, method, path, token, body=b"", **settings):
    """One request to a responder with settings of its own: how it ended, its answer, what it said."""
    head = (f"{method} {path} HTTP/1.1\r\nHost: x\r\nAccept: application/vnd.pulumi+9\r\nAuthorization: {token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n").encode()
    return subprocess.run([BUILD / "fcgi/pulumi-api.fcgi", "--once"], input=(head + body).decode(), capture_output=True, text=True,
                          errors="replace", env=installation.environment(**settings), check=False, timeout=60)


@contextlib.contextmanager
def served(**options):
    """A whole server out of the build folder; nobody had anything to report when it ends."""
    with Installation(BUILD, **options) as started:
        yield started
        started.stop()
        assert not started.problems()


@contextlib.contextmanager
def second_installation(installation, responders=1, **settings):
    """One with the same master keys and an empty database; it is not served yet."""
    second = Installation(BUILD, responders=responders, environment=settings)
    try:
        for key in installation.keys.iterdir():
            shutil.copy(key, second.keys)
        second.make_files()
        second.database.start()
        second.migrate()
        yield second
    finally:
        second.stop()
        found = second.problems()
        second.remove()
    assert not found


@pytest.fixture(scope="session")
def installation():
    """A whole server out of the build folder; alice (site administrator, acme) and mallory (elsewhere) are there."""
    with served() as started:
        yield started


@pytest.fixture(scope="session")
def access(installation):
    return json.loads(installation.access.read_text())


@pytest.fixture
def admin(installation):
    return Admin(installation)


@pytest.fixture
def sql(installation):
    """Rows of what a statement answers, each a list of texts."""
    return installation.database.sql


@pytest.fixture
def name():
    """A name that nobody has."""
    return f"n{uuid.uuid4().hex[:10]}"
