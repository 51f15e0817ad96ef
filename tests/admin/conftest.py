# SPDX-License-Identifier: Apache-2.0
"""pulumi-migrate and pulumi-admin out of the build folder that PULUMI_TEST_BUILD names, against a private MariaDB."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import uuid

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from lib.server import Database, Installation, ROOT  # noqa: E402

BUILD = pathlib.Path(os.environ.get("PULUMI_TEST_BUILD", ROOT / "build" / "check")).resolve()


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes a minute or more")


@pytest.fixture(scope="session")
def database():
    """A server without a schema."""
    with tempfile.TemporaryDirectory(prefix="pulumi-admin-test-") as folder:
        folder = pathlib.Path(folder)
        folder.chmod(0o711)
        (folder / "run").mkdir(mode=0o711)
        started = Database(folder / "mariadb", folder / "run")
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


@pytest.fixture(scope="session")
def installation():
    """A whole server out of the build folder; alice (site administrator, acme) and mallory (elsewhere) are there."""
    with Installation(BUILD) as started:
        yield started
        started.stop()
        assert not started.problems()


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
