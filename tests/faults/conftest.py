# SPDX-License-Identifier: Apache-2.0
"""Installations of their own, out of the build folder that PULUMI_TEST_BUILD names: one with --enable-fault-points."""

import contextlib
import os
import pathlib
import shutil
import sys
import tempfile

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from lib.client import Access  # noqa: E402
from lib.server import ROOT, Installation  # noqa: E402

BUILD = pathlib.Path(os.environ.get("PULUMI_TEST_BUILD", ROOT / "build" / "check")).resolve()


def pytest_addoption(parser):
    parser.addoption("--all-points", action="store_true", help="fail at every point instead of a spread of them")


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes a minute or more")


class Fault:
    """What the file that the responders share says: see src/base/fault.h."""

    def __init__(self, path):
        self.path, self.trace_path = pathlib.Path(path), pathlib.Path(f"{path}.trace")

    def arm(self, words):
        new = self.path.with_suffix(".new")
        new.write_text(words)
        new.rename(self.path)

    def disarm(self):
        self.path.unlink(missing_ok=True)

    @property
    def happened(self):
        return not self.path.exists()

    def trace(self, scenario):
        """The names of the points that the scenario passes, in order."""
        self.trace_path.unlink(missing_ok=True)
        self.arm("trace")
        scenario()
        self.disarm()
        return self.trace_path.read_text().split() if self.trace_path.exists() else []


def start_installation(prepare=None, **options):
    """prepare: called with the installation before anything of it is started."""
    made = Installation(BUILD, keep=os.environ.get("PULUMI_TEST_KEEP") == "yes", **options)
    if prepare:
        prepare(made)
    made.fault = Fault(made.folder / "fault")
    made.more["PULUMI_FAULT_POINT"] = str(made.fault.path)
    made.start()
    made.described = Access(made.access)
    made.client = made.described.client()
    return made


def reports(installation):
    """What the sanitizers said; that responders were killed is the purpose here."""
    return [p for p in installation.problems() if " what=responder " not in p.splitlines()[0]]


@contextlib.contextmanager
def several_hosts(prefix, make):
    """What make(folder) gives, with a start, a stop and `hosts`, in a short folder of its own: paths of sockets are limited."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o711)
    made = make(folder)
    try:
        made.start()
        yield made
    finally:
        made.stop()
        found = [problem for host in made.hosts for problem in reports(host)]
        shutil.rmtree(folder, ignore_errors=True)
    assert not found, found


@pytest.fixture(scope="module")
def server():
    made = start_installation()
    yield made
    made.fault.disarm()
    made.stop()
    found = reports(made)
    made.remove()
    assert not found, found


@pytest.fixture
def own_server():
    """An installation of this test alone; made with further settings."""
    made = []

    def make(**options):
        made.append(start_installation(**options))
        return made[-1]

    yield make
    for one in made:
        one.stop()
        found = reports(one)
        one.remove()
        assert not found, found
