# SPDX-License-Identifier: Apache-2.0
"""An installation whose states are in an object store: what the real command line sees, whatever the store does."""

import time

import pytest

from commandline import things
from conftest import SETTING, started
from lib.server import free_port, wait_for
from proxy import DROP, Reply

BROKEN = Reply(500, b"<Error><Code>InternalError</Code><Message>We encountered an internal error</Message></Error>")


def names(project):
    return sorted(project.resources())


def test_the_life_of_a_stack(project, tool, store):
    project.program(things(20, size=2000))
    project.up()
    assert names(project) == sorted(f"t{i}" for i in range(20))
    listed = tool.run("list", "stacks/").decode().split()
    assert listed and all("/checkpoints/" in key for key in listed[::3]), listed
    exported = project.export()
    project.program(things(3, size=2000, value="w"))
    project.up()
    assert names(project) == ["t0", "t1", "t2"]
    project.destroy()
    assert names(project) == []
    assert len(exported["resources"]) >= 20
    project.on("stack", "rm", "--yes")


def test_few_calls_complete_an_update(project, store):
    project.program(things(30))
    project.up()
    project.program(things(30, value="w"))
    store.proxy.seen.clear()
    project.up()
    assert store.proxy.count(store.is_object_call) <= 4, [str(r) for r in store.proxy.seen]


def test_500_in_the_middle(project, store):
    project.program(things(10))
    project.up()
    calls = []

    def fail_twice(request):
        calls.append(request)
        return BROKEN if len(calls) % 3 else None

    project.program(things(12, value="w"))
    store.proxy.before = fail_twice
    project.up()
    assert len(calls) >= 3
    assert len(names(project)) == 12


def test_answers_that_are_lost(project, store):
    """The store did what it was asked, and nobody heard of it."""
    dropped = []

    def lose(request, reply):
        if request.method in ("PUT", "POST") and len(dropped) < 3:
            dropped.append(request)
            return DROP
        return None

    project.program(things(10))
    store.proxy.after = lose
    project.up()
    assert dropped
    store.proxy.good()
    assert len(names(project)) == 10


def test_slow_answers(project, store):
    store.proxy.before = lambda request: time.sleep(2)
    project.program(things(10))
    project.up()
    assert len(names(project)) == 10


@pytest.mark.parametrize("how", ["drop", pytest.param("500", marks=pytest.mark.slow)])
@pytest.mark.one_store
def test_an_outage_loses_nothing(project, store, how):
    """What was acknowledged while the store was away is there when it is back."""
    project.program(things(10))
    project.up()
    project.program(things(25, value="w"))
    refused = []

    def away(request):  # from the moment at which the update ends
        if refused or request.method in ("PUT", "POST"):
            refused.append(request)
            return DROP if how == "drop" else BROKEN
        return None

    store.proxy.before = away
    ended = project.up(fails=None, timeout=240)
    assert len(refused) >= 5 and ended.status, ended
    store.proxy.good()
    found = names(project)
    assert found == sorted(f"t{i}" for i in range(25)), f"{found}\n{ended}"
    project.run("cancel", "--yes", project.reference())
    project.up()
    project.destroy()
    assert names(project) == []


@pytest.mark.one_store
def test_access_is_taken_away(project, store):
    """While an update ends, and given back: `up` waits for it."""
    project.program(things(10))
    project.up()
    refused = []

    def deny(request):
        if request.method in ("PUT", "POST") and not refused:
            refused.append("")
            store.deny()

    def note(request, reply):
        if reply.status == 403:
            refused.append(request)

    project.program(things(15, value="w"))
    store.proxy.before, store.proxy.after = deny, note
    process = project.cli.start("up", "--yes", "--skip-preview", "--stack", project.reference(), cwd=project.folder)
    try:
        wait_for(lambda: len(refused) >= 3, 60, "nothing is refused", process)
        status, answer = project.call("GET", "/export")
        assert status in (200, 503), answer  # what is in the database needs no store
    finally:
        store.allow()
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    assert names(project) == sorted(f"t{i}" for i in range(15))


def refusal(installation, store, settings, where=None):
    environment = {k: v for k, v in installation.environment().items() if k not in store.credentials()}
    environment.update(settings)
    environment[SETTING] = where or store.where()
    code, said = started(environment)
    assert code, f"it started: {said}"
    assert SETTING in said, said
    return said


def test_wrong_credentials_are_refused_at_start(installation, store):
    assert started(installation.environment())[0] == 0
    for settings, words in store.wrong_credentials():
        assert words in refusal(installation, store, settings), settings


def test_wrong_addresses_are_refused_at_start(installation, store):
    good = store.credentials()
    assert "404" in refusal(installation, store, good, store.where(bucket="there-is-none"))
    assert "connect" in refusal(installation, store, good, store.where(free_port()))
    assert "there is no option 'colour'" in refusal(installation, store, good, store.where() + "&colour=red")


def test_two_places_are_refused_at_start(installation, store):
    code, said = started({**installation.environment(), "PULUMI_LOCAL_OBJECTS": str(installation.objects)})
    assert code and SETTING in said and "PULUMI_LOCAL_OBJECTS" in said, said


def test_a_store_that_was_away_at_start(installation, store):
    """A responder that started in an outage would be of no use: it says so, and the next one may do."""
    store.proxy.before = lambda request: DROP
    code, said = started(installation.environment())
    assert code and SETTING in said, said
    store.proxy.good()
    assert started(installation.environment())[0] == 0
