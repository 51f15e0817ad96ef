# SPDX-License-Identifier: Apache-2.0
"""SIGKILL to responders, MariaDB and everything at once, at the statements and file operations of the update path."""

import os
import pathlib
import signal
import threading
import time

import pytest
from scenario import LIVES, Life, spread


@pytest.fixture(scope="module")
def paths(server):
    """The points that each life passes. A first run has made the statements ready, as in a server that is at work."""
    found = {}
    for name in LIVES:
        for _ in range(2 * server.responder_count):
            Life(server.client, server.described.organization).run(name)
        life = Life(server.client, server.described.organization)
        found[name] = server.fault.trace(lambda life=life, name=name: life.run(name))
        life.check()
    return found


def test_the_points_are_in_the_build(paths):
    for name, points in paths.items():
        assert "statement.before" in points and "statement.after" in points, name
    passed = {point for points in paths.values() for point in points}
    assert passed >= {"commit.before", "commit.after", "blob.create", "blob.write", "blob.flush", "blob.rename", "blob.folder_flush", "blob.done"}


@pytest.mark.parametrize("name", LIVES)
def test_a_responder_dies(server, paths, name, request):
    count = len(paths[name])
    missed = 0
    for point in spread(count, 14, request.config.getoption("--all-points")):
        life = Life(server.client, server.described.organization)
        server.fault.arm(f"*:{point}:kill")
        life.run(name)
        missed += not server.fault.happened
        server.fault.disarm()
        try:
            life.check()
        except AssertionError as reason:
            raise AssertionError(f"killed at point {point} of {count} ({paths[name][point - 1]}): {reason}") from reason
    assert missed <= count // 4, "the points moved"


def stands_still(pid):
    try:
        return "State:\tT" in pathlib.Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


class Stopped(threading.Thread):
    """Waits until a responder has stopped at its point, does something to the rest, and lets it go on."""

    def __init__(self, server, action):
        super().__init__(daemon=True)
        self.server, self.action, self.failure, self.passed = server, action, None, threading.Event()

    def run(self):
        """Until `passed` says that no responder came to the point."""
        try:
            while not any(stands_still(pid) for pid in self.server.responders()):
                if self.passed.wait(0.002):
                    return
            self.action(self.server)
        except Exception as reason:  # pylint: disable=broad-except
            self.failure = reason


def go_on(server):
    for pid in server.responders():
        try:
            os.kill(pid, signal.SIGCONT)
        except ProcessLookupError:
            pass


def database_dies(server):
    server.database.kill()
    go_on(server)
    server.database.start()


def everything_dies(server):
    server.kill()
    server.database.start()
    server.start_serve()


def web_server_dies(server):
    from lib.server import children_of
    for pid, name in children_of(server.process.pid).items():
        if name == "lighttpd":
            os.kill(pid, signal.SIGKILL)
    go_on(server)


@pytest.mark.parametrize("action, most", [(database_dies, 8), (everything_dies, 6), (web_server_dies, 4)], ids=lambda a: getattr(a, "__name__", ""))
@pytest.mark.parametrize("name", LIVES)
def test_others_die_at_a_point(server, paths, name, action, most, request):
    count = len(paths[name])
    for point in spread(count, most, request.config.getoption("--all-points")):
        life = Life(server.client, server.described.organization)
        server.fault.arm(f"*:{point}:stop")
        watcher = Stopped(server, action)
        watcher.start()
        life.run(name)
        server.fault.disarm()
        watcher.passed.set()
        watcher.join()
        assert watcher.failure is None, watcher.failure
        try:
            life.check()
        except AssertionError as reason:
            raise AssertionError(f"{action.__name__} at point {point} of {count} ({paths[name][point - 1]}): {reason}") from reason


def test_responders_die_all_the_time(server):
    """Under eight clients at once, a responder is killed every tenth of a second."""
    stop = threading.Event()
    lives, failures = [], []

    def client(number):
        while not stop.is_set():
            life = Life(server.client, server.described.organization)
            lives.append(life)
            try:
                life.run(LIVES[number % len(LIVES)])
            except AssertionError as reason:
                failures.append(reason)

    def guarded(number):
        try:
            client(number)
        except Exception as reason:  # pylint: disable=broad-except
            if not stop.is_set():
                # Making the stack itself is no part of the life: a killed create may be refused the second time.
                time.sleep(0.05)
                guarded(number)

    threads = [threading.Thread(target=guarded, args=(n,), daemon=True) for n in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(60):
        time.sleep(0.1)
        living = server.responders()
        if living:
            try:
                os.kill(living[0], signal.SIGKILL)
            except ProcessLookupError:
                pass
    stop.set()
    for thread in threads:
        thread.join(90)
    assert not failures, failures[:3]
    assert len(lives) > 8
    for life in lives:
        life.check()
