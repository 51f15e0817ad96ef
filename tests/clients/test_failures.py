# SPDX-License-Identifier: Apache-2.0
"""Resources that fail, stay half made, or are replaced: what reached the cloud is in the state, always."""

import pytest

from commandline import thing

pytestmark = pytest.mark.brief


def outside(stack):
    """The ids of what exists in the world outside."""
    return sorted(path.name for path in stack.cli.cloud.iterdir())


def ids(stack):
    return sorted(record["id"] for records in stack.resources().values() for record in records)


@pytest.mark.core
def test_failing_create(saving):
    saving.program({"a": thing("one"), "b": thing("two", failCreate="no room", options={"dependsOn": ["${a}"]})})
    said = saving.up(fails=True)
    assert "no room" in said.text
    assert sorted(saving.resources()) == ["a"]
    assert ids(saving) == outside(saving)
    assert saving.export().get("pending_operations", []) == []
    assert saving.history()[0]["result"] == "failed"

    saving.program({"a": thing("one"), "b": thing("two")})
    saving.up()
    assert sorted(saving.resources()) == ["a", "b"]
    assert ids(saving) == outside(saving)


def test_failing_update(saving):
    saving.program({"a": thing("one")})
    saving.up()
    saving.program({"a": thing("two", failUpdate="busy")})
    assert "busy" in saving.up(fails=True).text
    assert saving.resource("a")["outputs"]["echo"] == "one"
    saving.program({"a": thing("three")})
    saving.up()
    assert saving.resource("a")["outputs"]["echo"] == "three"


def test_failing_delete(saving):
    saving.program({"a": thing("one", failDelete="in use"), "b": thing("two")})
    saving.up()
    assert "in use" in saving.destroy(fails=True).text
    assert "a" in saving.resources()
    assert ids(saving) == outside(saving)
    saving.program({"a": thing("one")})
    saving.up()
    saving.destroy()
    assert saving.resources() == {} and outside(saving) == []


@pytest.mark.core
def test_partial_create(saving):
    """Made, but not well: it is in the state with its errors, and the next update heals it."""
    saving.program({"a": thing("one", partial="did not start")})
    assert "did not start" in saving.up(fails=True).text
    record = saving.resource("a")
    assert record["initErrors"] == ["did not start"] and [record["id"]] == outside(saving)
    saving.program({"a": thing("one")})
    saving.up()
    assert "initErrors" not in saving.resource("a")
    assert saving.resource("a")["id"] == record["id"]


def test_partial_update(saving):
    saving.program({"a": thing("one")})
    saving.up()
    saving.program({"a": thing("two", partial="half")})
    saving.up(fails=True)
    assert saving.resource("a")["initErrors"] == ["half"]
    assert saving.resource("a")["outputs"]["echo"] == "two"
    saving.program({"a": thing("two")})
    saving.up()
    assert "initErrors" not in saving.resource("a")


def test_replacement(saving):
    saving.program({"a": thing("one", replaceOn="x"), "b": thing("${a.echo}")})
    saving.up()
    before = saving.resource("a")["id"]
    saving.program({"a": thing("one", replaceOn="y"), "b": thing("${a.echo}")})
    saving.up()
    assert saving.resource("a")["id"] != before
    assert ids(saving) == outside(saving)


@pytest.mark.core
def test_replacement_whose_deletion_fails(saving):
    """Both records stay, the old one marked; the next update deletes it."""
    saving.program({"a": thing("one", replaceOn="x", failDelete="in use")})
    saving.up()
    before = saving.resource("a")["id"]
    saving.program({"a": thing("one", replaceOn="y")})
    saving.up(fails=True)
    records = saving.resources()["a"]
    assert sorted(record.get("delete", False) for record in records) == [False, True]
    assert [record["id"] for record in records if record.get("delete")] == [before]
    assert ids(saving) == outside(saving)

    said = saving.up(fails=True)
    assert "in use" in said.text
    assert len(saving.resources()["a"]) == 2
    # The provider only knows what the state says, so the cure is to take the record out.
    saving.on("state", "delete", "--yes", "--force", saving.urn("a"), fails=None)


def test_delete_before_replace(saving):
    saving.program({"a": thing("one", replaceOn="x", deleteBeforeReplace=True), "b": thing("${a.echo}")})
    saving.up()
    before = saving.resource("a")["id"]
    saving.program({"a": thing("one", replaceOn="y", deleteBeforeReplace=True), "b": thing("${a.echo}")})
    saving.up()
    assert saving.resource("a")["id"] != before
    assert "pendingReplacement" not in saving.resource("a")
    assert ids(saving) == outside(saving)


@pytest.mark.core
def test_delete_before_replace_whose_creation_fails(saving):
    """The old one is gone and remembered as such; the next update only creates."""
    saving.program({"a": thing("one", replaceOn="x", deleteBeforeReplace=True)})
    saving.up()
    saving.program({"a": thing("one", replaceOn="y", deleteBeforeReplace=True, failCreate="no room")})
    saving.up(fails=True)
    assert saving.resource("a")["pendingReplacement"] is True
    assert outside(saving) == []
    saving.program({"a": thing("one", replaceOn="y", deleteBeforeReplace=True)})
    saving.up()
    assert "pendingReplacement" not in saving.resource("a")
    assert ids(saving) == outside(saving)


def test_delete_before_replace_that_is_no_longer_wanted(saving):
    saving.program({"a": thing("one", replaceOn="x", deleteBeforeReplace=True)})
    saving.up()
    saving.program({"a": thing("one", replaceOn="y", deleteBeforeReplace=True, failCreate="no room")})
    saving.up(fails=True)
    saving.program({"b": thing("one")})
    saving.up()
    assert sorted(saving.resources()) == ["b"]


def test_going_on_after_an_error(saving):
    saving.program({"a": thing("one", failCreate="no room"), **{f"t{i}": thing("x", delayMs=100) for i in range(10)}})
    saving.up("--continue-on-error", fails=True)
    assert len(saving.resources()) == 10
    assert ids(saving) == outside(saving)


def test_a_program_that_breaks(saving):
    saving.program({"a": thing("one"), "b": thing("${a.nothing.there}")})
    saving.up(fails=True)
    saving.program({"a": thing("one")})
    saving.up()
    assert sorted(saving.resources()) == ["a"]
