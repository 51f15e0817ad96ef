# SPDX-License-Identifier: Apache-2.0
"""The sweep against writers that write the very object again that it deletes: stopped, and killed, at each of its steps."""

import os
import signal
import subprocess
import threading
import time

import pytest

from conftest import BUILD, STAND_INS, settings_of, start
from lib.client import BEGIN, SUCCESS, Access, Stack, deployment, document, entry, resource
from lib.server import Installation, wait_for

BEFORE_IT_DELETES = ["sweep.begun", "blob.looked", "sweep.deleted"]  # and after it has begun
POINTS = ["sweep.marked", *BEFORE_IT_DELETES, "sweep.ended"]


@pytest.fixture(scope="module", params=[pytest.param("local", marks=pytest.mark.slow), "moto", pytest.param("azurite", marks=pytest.mark.slow)])
def place(request, tmp_path_factory):
    """An installation for each kind of store."""
    store = None
    if request.param != "local":
        store = start(STAND_INS[request.param], tmp_path_factory.mktemp(f"sweep-{request.param}"))
    made = Installation(BUILD, responders=4, environment=settings_of(store, store.port) if store else None)
    try:
        with made:
            yield made
            made.stop()
            assert not made.problems()
    finally:
        if store:
            store.stop()


@pytest.fixture
def stack(place):
    """Where nothing is left of other tests: the first thing that a sweep comes to is what the test made."""
    Sweep(place, seconds=5).swept()
    access = Access(place.access)
    return Stack(access.client(), access.organization).create()


class Sweep:
    """One run of the sweep over everything that was written until now, or some seconds later."""

    def __init__(self, place, fault=None, seconds=-0.3):
        more = {"PULUMI_FAULT_POINT": fault} if fault else {}
        self.process = subprocess.Popen([BUILD / "tests/clouds/sweep-tool", str(int((time.time() + seconds) * 1000000))],
                                        env=place.environment(**more), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def is_stopped(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "T"

    def wait_until_stopped(self):
        wait_for(self.is_stopped, 60, "it was not stopped", self.process)
        return self

    def go_on(self):
        self.process.send_signal(signal.SIGCONT)

    def swept(self, code=0):
        out, err = self.process.communicate(timeout=120)
        assert self.process.returncode == code, err
        return int(out or 0)


class Writer(threading.Thread):
    """A call in a thread of its own."""

    def __init__(self, call):
        super().__init__(daemon=True)
        self.call, self.answer = call, None
        self.start()

    def run(self):
        self.answer = self.call()

    def waits(self):
        self.join(1.5)
        return self.is_alive()

    def answered(self):
        self.join(60)
        assert self.answer is not None, "no answer"
        return self.answer


def old(place):
    """Stores tell times in seconds; what was swept before does not count."""
    time.sleep(2.4)
    assert place.serves()


def garbage(stack):
    """A running update that saved one state and then another: no row names the object of the first."""
    update = stack.begin()
    first = deployment(resource(stack, "first"))
    update.checkpoint(first).expect()
    update.checkpoint(deployment(resource(stack, "second"))).expect()
    return update, first


def names(stack):
    return [r["urn"].rpartition("::")[2] for r in stack.state()["deployment"].get("resources", [])]


def check(place, stack, update, wanted):
    update.complete().expect()
    assert names(stack) == [wanted]
    verify(place)


def verify(place):
    done = subprocess.run([BUILD / "sql/pulumi-admin", "verify"], env=place.environment(), capture_output=True, text=True, check=False,
                          timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_garbage_goes(place, stack):
    update, _ = garbage(stack)
    old(place)
    assert Sweep(place).swept() == 1
    assert Sweep(place).swept() == 0
    check(place, stack, update, "second")


@pytest.mark.parametrize("point", POINTS)
def test_written_again_while_it_is_swept(place, stack, point):
    update, first = garbage(stack)
    old(place)
    sweep = Sweep(place, f"{point}:1:stop").wait_until_stopped()
    writer = Writer(lambda: update.checkpoint(first))
    try:
        assert writer.waits() == (point in BEFORE_IT_DELETES)
    finally:
        sweep.go_on()
    writer.answered().expect()
    # Whether the new object went depends on the store; that it is there again does not.
    assert sweep.swept() <= (point != "sweep.marked")
    check(place, stack, update, "first")


@pytest.mark.parametrize("point", [p if p == "sweep.begun" else pytest.param(p, marks=pytest.mark.slow) for p in POINTS])
def test_written_again_after_it_was_killed(place, stack, point):
    """A deletion that may still be on its way is waited for; then nothing is left of the sweep."""
    update, first = garbage(stack)
    old(place)
    Sweep(place, f"{point}:1").swept(-signal.SIGKILL)
    if point in BEFORE_IT_DELETES:
        assert "try again" in update.checkpoint(first).expect_problem(503).message
        assert names(stack) == ["second"]
        place.database.sql("UPDATE swept_objects SET begun_at = begun_at - INTERVAL 1 HOUR")
    update.checkpoint(first).expect()
    assert place.database.sql(f"SELECT COUNT(*) FROM swept_objects WHERE owner_id = (SELECT id FROM stacks WHERE project = '{stack.project}')") == [["0"]]
    check(place, stack, update, "first")


def test_written_again_before_it_looks(place, stack):
    """The mark is there, the writer has taken it away, and the sweep finds none to begin."""
    update, first = garbage(stack)
    old(place)
    sweep = Sweep(place, "sweep.marked:1:stop").wait_until_stopped()
    update.checkpoint(first).expect()
    assert place.database.sql("SELECT COUNT(*) FROM swept_objects WHERE begun_at IS NULL") == [["0"]]
    sweep.go_on()
    assert sweep.swept() == 0
    check(place, stack, update, "first")


def test_the_same_request_twice(place, stack):
    update, first = garbage(stack)
    old(place)
    sweep = Sweep(place, "blob.looked:1:stop").wait_until_stopped()
    writers = [Writer(lambda: update.checkpoint(first)) for _ in range(2)]
    time.sleep(1)
    sweep.go_on()
    for writer in writers:
        writer.answered().expect()
    sweep.swept()
    check(place, stack, update, "first")


def test_an_import_of_what_is_swept(place, stack):
    text = document(resource(stack, "imported"))
    stack.import_(text).expect()
    sql = place.database.sql
    identity = sql(f"SELECT id FROM stacks WHERE project = '{stack.project}'")[0][0]
    sql(f"DELETE FROM checkpoints WHERE stack_id = '{identity}'; UPDATE stacks SET checkpoint_version = NULL, resource_count = 0 WHERE id = '{identity}'")
    old(place)
    sweep = Sweep(place, "blob.looked:1:stop").wait_until_stopped()
    writer = Writer(lambda: stack.import_(text))
    assert writer.waits()
    sweep.go_on()
    writer.answered().expect()
    assert sweep.swept() <= 1
    assert names(stack) == ["imported"]
    verify(place)


def test_a_large_batch_that_is_swept(place, stack):
    update = stack.begin(journal=1)
    entries = [{**entry(BEGIN, 1), "sequenceID": 1},
               {**entry(SUCCESS, 1, new=0, state=resource(stack, "large", outputs={"text": os.urandom(5 << 20).hex()})), "sequenceID": 2}]
    update.journal(*entries).expect()
    place.database.sql(f"DELETE FROM journal_batches WHERE update_id = '{update.id}'")
    old(place)
    sweep = Sweep(place, "blob.looked:1:stop").wait_until_stopped()
    writer = Writer(lambda: update.journal(*entries))
    assert writer.waits()
    sweep.go_on()
    writer.answered().expect()
    assert sweep.swept() <= 1
    check(place, stack, update, "large")


def test_two_sweeps_at_once(place, stack):
    """And writers of what they sweep; the batch of one object is the other's, too."""
    access = Access(place.access)
    stacks = [Stack(access.client(), access.organization).create() for _ in range(6)]
    updates = [garbage(each) for each in stacks]
    old(place)
    sweeps = [Sweep(place), Sweep(place)]
    writers = [Writer(lambda u=u, first=first: u.checkpoint(first)) for u, first in updates[:3]]
    for writer in writers:
        writer.answered().expect()
    assert sum(sweep.swept() for sweep in sweeps) <= 6
    for number, (each, (update, _)) in enumerate(zip(stacks, updates)):
        update.complete().expect()
        assert names(each) == ["first" if number < 3 else "second"]
    verify(place)
