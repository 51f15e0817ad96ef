# SPDX-License-Identifier: Apache-2.0
"""Starts pulumi-serve with fake responders (no database), or the whole server through ./quickstart."""

import collections
import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import pytest

HERE = pathlib.Path(__file__).parent
ROOT = HERE.parent.parent
BUILD = pathlib.Path(os.environ.get("PULUMI_TEST_BUILD", ROOT / "build" / "quickstart"))
WEB_SERVERS = ["lighttpd", "apache"]
sys.path.insert(0, str(HERE.parent))

from lib.server import free_port  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes a minute or more")


def until(condition, what, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s for: {what}"
        time.sleep(0.02)


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def ask(port, method, path, body=None, headers=None):
    """One request on a connection of its own: status, headers, text."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


class Serve:
    """One pulumi-serve with a run folder, a log and settings of its own."""

    def __init__(self, folder, **settings):
        self.folder = folder
        self.port = free_port()
        self.run = folder / "run"
        self.log_file = folder / "serve.log"
        self.process = None
        self.settings = {"PORT": self.port, "PULUMI_BIND_ADDRESS": "127.0.0.1", "PULUMI_RUN_DIR": self.run,
                         "PULUMI_RESPONDERS": 4, "PULUMI_LIBEXEC_DIR": self.fake_libexec(),
                         "PULUMI_API_CONFIG": folder / "pulumi-api.conf", **settings}
        (folder / "pulumi-api.conf").touch()

    def fake_libexec(self):
        libexec = self.folder / "libexec"
        libexec.mkdir(exist_ok=True)
        if not (libexec / "pulumi-api.fcgi").exists():
            (libexec / "pulumi-api.fcgi").symlink_to(HERE / "fake_responder.py")
        return libexec

    def environment(self):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PULUMI_", "PORT"))}
        return {**kept, **{name: str(value) for name, value in self.settings.items() if value is not None}}

    def launch(self, *arguments):
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen([BUILD / "fcgi" / "pulumi-serve", *arguments], stderr=log,
                                            stdout=subprocess.DEVNULL, env=self.environment())
        return self

    def start(self):
        self.launch()
        until(lambda: "event=ready" in self.log() or self.process.poll() is not None, "event=ready")
        assert self.process.poll() is None, self.log()
        if self.settings["PULUMI_LIBEXEC_DIR"] == self.folder / "libexec":
            until(lambda: all((self.run / f"up-{pid}").exists() for pid in self.pids("responder")), "fake responders")
        return self

    def run_once(self, *arguments):
        """For a start that is refused: exit code and what it said."""
        done = subprocess.run([BUILD / "fcgi" / "pulumi-serve", *arguments], capture_output=True, text=True, timeout=20,
                              env=self.environment())
        return done.returncode, done.stdout, done.stderr

    def log(self):
        return self.log_file.read_text() if self.log_file.exists() else ""

    def pids(self, what):
        """Pids of what was started and lives."""
        started = [line for line in self.log().splitlines() if f"event=started what={what} " in line]
        return [pid for pid in (int(line.rpartition("pid=")[2]) for line in started) if alive(pid)]

    def signal(self, number):
        self.process.send_signal(number)

    def reload(self):
        before = self.log().count("event=reloaded") + self.log().count("event=reload_failed")
        self.signal(signal.SIGHUP)
        until(lambda: self.log().count("event=reloaded") + self.log().count("event=reload_failed") > before, "a reload")

    def stop(self):
        if self.process and self.process.poll() is None:
            self.signal(signal.SIGTERM)
            self.process.wait(30)
        return self.process and self.process.returncode


class Load:
    """Clients that ask again and again, on kept connections, until told to stop."""

    def __init__(self, port, path, clients=8, method="GET", body=None, headers=None):
        self.request = (method, path, body, headers or {})
        self.port, self.stopping, self.failures = port, False, []
        self.answers = collections.Counter()
        self.threads = [threading.Thread(target=self.client) for _ in range(clients)]

    def client(self):
        connection = None
        while not self.stopping:
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
                connection.request(*self.request)
                answer = connection.getresponse()
                text = answer.read()
                self.answers[answer.status] += 1
                if answer.status >= 500:
                    self.failures.append((answer.status, text[:200]))
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection = None

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping = True
        for thread in self.threads:
            thread.join()


@contextlib.contextmanager
def short():
    with tempfile.TemporaryDirectory(prefix="serve-") as folder:
        os.chmod(folder, 0o755)
        yield pathlib.Path(folder)


@pytest.fixture
def short_folder():
    """A folder for a socket: a short path that Apache's user can enter."""
    with short() as folder:
        yield folder


@pytest.fixture
def serve(short_folder):
    """Makes a Serve with the given settings; whatever it started is stopped."""
    yield from serving(short_folder)


@pytest.fixture(scope="module")
def shared_serve(web_server):
    """The same for all tests of a file that leave what they find as it was."""
    with short() as folder:
        yield from serving(folder)


def serving(folder):
    made = []

    def make(**settings):
        made.append(Serve(folder, **settings))
        return made[-1]

    yield make
    for one in made:
        if one.process and one.process.poll() is None:
            one.process.send_signal(signal.SIGTERM)
            try:
                one.process.wait(20)
            except subprocess.TimeoutExpired:
                one.process.kill()


@pytest.fixture(scope="module", params=WEB_SERVERS)
def web_server(request):
    return request.param


def quickstart(*arguments, **more):
    return subprocess.run([ROOT / "quickstart", "--no-install", "--build", BUILD, *arguments], capture_output=True,
                          text=True, timeout=300, **more)


@pytest.fixture(scope="session")
def installation():
    """Data of a quickstart that runs: for tests of the real responders. Its database serves them too."""
    folder = tempfile.mkdtemp(prefix="serve-")
    os.chmod(folder, 0o711)
    data = pathlib.Path(folder) / "data"
    done = quickstart("--background", "--port", str(free_port()), "--data", data)
    assert done.returncode == 0, done.stderr
    yield data
    quickstart("--stop", "--data", data)
    shutil.rmtree(folder)


@pytest.fixture
def real_settings(installation):
    """Settings with which pulumi-serve runs the real responders on that installation's database."""
    return {"PULUMI_LIBEXEC_DIR": BUILD / "fcgi", "PULUMI_LOCAL_OBJECTS": installation / "objects",
            "PULUMI_LOCAL_KEYS": installation / "keys",
            "PULUMI_DATABASE_ENDPOINT": f"unix:{installation}/mariadb/mariadb.sock",
            "PULUMI_DATABASE_USER_PASSWORD": (installation / "passwords" / "pulumi_service").read_text()}


@pytest.fixture
def token(installation):
    return json.loads((installation / "access.json").read_text())["token"]
