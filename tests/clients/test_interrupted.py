# SPDX-License-Identifier: Apache-2.0
"""Clients that die, clients that meet, and cancel: what was acknowledged stays, and one update runs at a time."""

import signal

import pytest

from commandline import kill, thing, wait_until

pytestmark = pytest.mark.brief


def slow(count, delay=400):
    """A chain of things: each waits for the one before."""
    chain = {}
    for i in range(count):
        chain[f"t{i}"] = thing(f"v{i}", delayMs=delay, options={"dependsOn": [f"${{t{i - 1}}}"]} if i else None)
    return chain


def outside(stack):
    return sorted(path.name for path in stack.cli.cloud.iterdir())


def start_up(stack, *arguments):
    return stack.cli.start("up", "--yes", "--skip-preview", "--stack", stack.reference(), *arguments, cwd=stack.folder)


def running(stack):
    return (stack.call("GET")[1] or {}).get("currentOperation")


@pytest.mark.core
def test_killed_then_cancelled(saving):
    """Everything made before the kill is in the state; the open operation is pending."""
    saving.program(slow(10))
    process = start_up(saving)
    wait_until(lambda: len(outside(saving)) >= 4)
    made = outside(saving)
    kill(process)
    process.communicate()

    said = saving.up(fails=True)
    assert "[409] Conflict: Another update is currently in progress" in said.text
    saving.on("cancel", "--yes")
    known = [record["id"] for records in saving.resources().values() for record in records]
    # The last one may have been made and not yet told; every one before was acknowledged.
    assert set(made[:-1]) <= set(known) | set(made[-1:])
    assert len(known) >= len(made) - 1

    saving.up("--refresh")
    assert sorted(saving.resources()) == sorted(f"t{i}" for i in range(10))
    history = saving.history()
    assert [u["result"] for u in history] == ["succeeded", "failed"]


@pytest.mark.since("3.230.0")
def test_killed_leaves_pending_operations(stack):
    """The next update warns about what may have been made. Only journals tell of open operations."""
    stack.program({"a": thing("one"), "b": thing("two", delayMs=20_000, options={"dependsOn": ["${a}"]})})
    process = start_up(stack)
    wait_until(lambda: len(outside(stack)) == 1)
    wait_until(lambda: stack.urn("b") in pending(stack), 20)  # of "a" too, until its success is told
    kill(process)
    process.communicate()
    stack.on("cancel", "--yes")
    operations = stack.export()["pending_operations"]
    assert [(o["type"], o["resource"]["urn"]) for o in operations] == [("creating", stack.urn("b"))]
    stack.program({"a": thing("one")})
    assert "pending operation" in stack.up().text
    stack.refresh("--clear-pending-creates")
    assert stack.export().get("pending_operations", []) == []


def pending(stack):
    _, answer = stack.call("GET", "/export")
    return [o["resource"]["urn"] for o in answer["deployment"].get("pending_operations", [])]


def test_interrupted_once(stack):
    """Ctrl-C: the command line finishes what runs, saves and says failed."""
    stack.program(slow(10, 300))
    process = start_up(stack)
    wait_until(lambda: len(outside(stack)) >= 2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode != 0, out + err
    assert not running(stack)
    known = sorted(record["id"] for records in stack.resources().values() for record in records)
    assert known == outside(stack)
    stack.up()


def test_two_at_once(stack, pulumi, tmp_path):
    """The second hears who is there; a preview is not in the way."""
    stack.program(slow(8, 2000))    # it must outlive five commands
    process = start_up(stack)
    wait_until(lambda: running(stack))
    for command in (["up", "--yes", "--skip-preview"], ["destroy", "--yes", "--skip-preview"],
                    ["refresh", "--yes", "--skip-preview"]):
        said = stack.on(*command, fails=True)
        assert "[409] Conflict: Another update is currently in progress" in said.text
    stack.on("preview")
    said = stack.on("stack")
    assert "in progress" in said.out
    listed = stack.run("stack", "ls", "--json").json()[0]
    assert listed["updateInProgress"] is True
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    assert len(stack.resources()) == 8


def test_commands_that_write_state_meet_the_lock(stack):
    """import, state edits, rename and removal wait for nobody: they are refused."""
    stack.program({"a": thing("one")})
    stack.up()
    stack.program({"a": thing("one"), **slow(6, 1500)})
    process = start_up(stack)
    wait_until(lambda: running(stack))
    exported = stack.call("GET", "/export")[1]
    assert stack.call("POST", "/import", exported)[0] == 409
    stack.on("state", "protect", "--yes", stack.urn("a"), fails=True)
    stack.on("stack", "rename", stack.reference("other"), fails=True)
    stack.on("stack", "rm", "--yes", "--force", fails=True)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, out + err
    assert len(stack.resources()) == 7


@pytest.mark.core
def test_cancel_reaches_the_running_client(saving):
    """Its next call is refused, and a new update can start at once."""
    saving.program(slow(30, 300))
    process = start_up(saving)
    wait_until(lambda: len(outside(saving)) >= 2)
    saving.on("cancel", "--yes")
    assert not running(saving)
    saving.program({})
    said = saving.up(fails=None)
    out, err = process.communicate(timeout=120)
    assert process.returncode != 0, out + err
    assert "409" not in said.text


def test_cancel_without_an_update(stack):
    said = stack.on("cancel", "--yes", fails=True)
    assert "never been updated" in said.text
    stack.program({"a": thing("one")})
    stack.up()
    said = stack.on("cancel", "--yes", fails=True)
    assert "[409]" in said.text
    assert stack.resource("a")


def test_different_stacks_at_once(stack):
    """Eight stacks of one project, one client each."""
    stack.program(slow(3, 100))
    names = [f"s{i}" for i in range(8)]
    for name in names:
        stack.run("stack", "init", "--no-select", stack.reference(name))
    processes = [stack.cli.start("up", "--yes", "--skip-preview", "--stack", stack.reference(name), cwd=stack.folder)
                 for name in names]
    for process in processes:
        out, err = process.communicate(timeout=180)
        assert process.returncode == 0, out + err
    for name in names:
        stack.stack = name
        assert len(stack.resources()) == 3
