# SPDX-License-Identifier: Apache-2.0
"""States of every size: none, one resource, thousands, and single values of megabytes."""

import pytest

from commandline import CHECKPOINTS, thing, things

pytestmark = pytest.mark.brief


def test_no_resources(saving):
    """An empty program still makes the stack's own resource and a version."""
    saving.up()
    assert [r["type"] for r in saving.export()["resources"]] == ["pulumi:pulumi:Stack"]
    saving.destroy()
    assert saving.export().get("resources", []) == []
    saving.refresh()
    assert len(saving.history()) == 3


def test_a_large_value(saving):
    """Six megabytes in one resource: one journal entry larger than most requests."""
    saving.program({"a": thing("one", size=6_000_000)})
    saving.up()
    padding = saving.resource("a")["outputs"]["padding"]
    assert len(padding) == 6_000_000
    saving.program({"a": thing("two", size=6_000_000)})
    saving.up()
    assert saving.resource("a")["outputs"]["padding"] != padding
    saving.destroy()


@pytest.mark.core
def test_checkpoints_above_the_cutoff(stack):
    """A state from which deltas are sent: each update's bytes are what the command line meant."""
    stack.cli.environment.update(CHECKPOINTS)
    stack.program(things(40, 60_000))
    stack.up()
    stack.program({**things(40, 60_000), "t7": thing("changed", size=60_000), "more": thing("<&>\u2028", size=10)})
    stack.up()
    assert len(stack.resources()) == 41
    assert stack.resource("t7")["outputs"]["echo"] == "changed"
    assert stack.resource("more")["outputs"]["echo"] == "<&>\u2028"
    stack.up("--expect-no-changes")
    stack.program(things(20, 60_000))
    stack.up()
    assert len(stack.resources()) == 20


@pytest.mark.core
def test_many_resources(saving, mode):
    """A thousand resources made, changed and destroyed; fewer where each step sends the whole state."""
    count = 1000 if mode == {} and saving.cli.number >= (3, 225, 0) else 120
    saving.program(things(count, 300))
    saving.up("--parallel", "64")
    assert len(saving.resources()) == count
    saving.program(things(count, 300, value="w"))
    saving.up("--parallel", "64")
    assert saving.resource("t99")["outputs"]["echo"] == "w99"
    assert saving.history()[0]["resourceChanges"]["update"] == count
    saving.destroy("--parallel", "64")
    assert saving.resources() == {}


@pytest.mark.newest
@pytest.mark.slow
def test_a_huge_state(stack):
    """Five thousand resources of a kilobyte."""
    stack.program(things(5000, 1000))
    stack.up("--parallel", "64", timeout=900)
    resources = stack.resources()
    assert len(resources) == 5000 and all(len(records) == 1 for records in resources.values())
    stack.up("--expect-no-changes", "--parallel", "64", timeout=900)
    exported = stack.on("stack", "export").out
    stack.destroy("--parallel", "64", timeout=900)
    assert stack.resources() == {}

    path = stack.folder / "state.json"
    path.write_text(exported)
    stack.on("stack", "import", "--file", str(path), timeout=600)
    assert len(stack.resources()) == 5000
    stack.on("state", "protect", "--yes", stack.urn("t4999"), timeout=600)
    assert stack.resource("t4999")["protect"] is True
