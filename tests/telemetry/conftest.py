# SPDX-License-Identifier: Apache-2.0
"""A whole installation out of the build folder that PULUMI_TEST_BUILD names, whose metrics may be read."""

import os
import pathlib
import re
import socket
import sys
import urllib.error
import urllib.request

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from lib.client import Client, Stack  # noqa: E402
from lib.server import Installation, ROOT  # noqa: E402

BUILD = pathlib.Path(os.environ.get("PULUMI_TEST_BUILD", ROOT / "build" / "check")).resolve()
SECRET = "a \"secret\" of 28 characters"
PORTS = range(19100, 19200)


def our_port(ports=PORTS):
    for port in ports:
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise OSError(f"no free port in {ports}")


class Samples(dict):
    """{(name, ((label, value), ...)): number} of a text that Prometheus reads."""

    LINE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$")
    LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

    def __init__(self, text):
        super().__init__()
        self.text = text
        for line in text.splitlines():
            if line.startswith("#"):
                continue
            name, labels, number = self.LINE.match(line).groups()
            key = (name, tuple(sorted(self.LABEL.findall(labels or ""))))
            assert key not in self, f"twice: {line}"
            self[key] = float(number)

    def total(self, name, **labels):
        """The sum over all series that have these labels."""
        return sum(value for (n, have), value in self.items() if n == name and set(labels.items()) <= set(have))

    def names(self):
        return {name for name, _ in self}


class Watched(Installation):
    def scrape(self, accept="text/plain", secret=SECRET, scheme="webhook-token"):
        """Status, content type and text of GET /metrics."""
        headers = {"Accept": accept, **({"Authorization": f"{scheme} {secret}"} if secret is not None else {})}
        try:
            with urllib.request.urlopen(urllib.request.Request(f"{self.url}/metrics", headers=headers), timeout=60) as answer:
                return answer.status, answer.headers["Content-Type"], answer.read().decode()
        except urllib.error.HTTPError as refusal:
            return refusal.code, refusal.headers["Content-Type"], refusal.read().decode()

    def samples(self):
        status, _, text = self.scrape()
        assert status == 200, text
        return Samples(text)

    def with_exporter(self):
        """A folder of programs in which pulumi-serve finds the exporter, too."""
        libexec = self.folder / "libexec"
        libexec.mkdir(exist_ok=True)
        for program in (BUILD / "fcgi" / "pulumi-api.fcgi", BUILD / "cron" / "pulumi-job-export-telemetry"):
            if not (libexec / program.name).exists():
                (libexec / program.name).symlink_to(program)
        self.more["PULUMI_LIBEXEC_DIR"] = str(libexec)
        return self

    def client(self, person="alice"):
        described = self.people[person]
        return Client(self.url, described["token"])

    def make_access(self):
        self.people = getattr(self, "people", None) or {"alice": self.sign_up("alice", "acme"), "mallory": self.sign_up("mallory", "elsewhere")}


@pytest.fixture(scope="session")
def make_server():
    """Makes installations; ends what it started, and fails when a sanitizer said something."""
    made = []

    def make(exporter=False, **settings):
        one = Watched(BUILD, responders=3, environment=settings)
        if exporter:
            one.with_exporter()
        one.port = our_port()
        made.append(one)
        return one.start()

    yield make
    problems = []
    for one in made:
        one.stop()
        problems += one.problems()
        one.remove()
    assert not problems, "\n".join(problems)


@pytest.fixture(scope="session")
def server(make_server):
    return make_server(METRICS_WEBHOOK_SECRET=SECRET)


@pytest.fixture
def stack(server):
    made = Stack(server.client(), "acme").create()
    yield made
    made.cleanup()
