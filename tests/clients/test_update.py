# SPDX-License-Identifier: Apache-2.0
"""preview, up, refresh, destroy, import: a stack's life as the engine lives it."""

import pytest

from commandline import thing, things


@pytest.mark.core
def test_life_of_a_stack(saving):
    """Nothing, one thing, another value, nothing again."""
    stack = saving
    stack.program({"a": thing("one")}, outputs={"value": "${a.echo}"})
    assert "to create" in stack.on("preview").out
    assert stack.export().get("resources", []) == []
    assert stack.history() == []

    stack.up()
    assert stack.outputs() == {"value": "one"}
    first = stack.resource("a")

    stack.program({"a": thing("two")}, outputs={"value": "${a.echo}"})
    stack.up()
    assert stack.outputs() == {"value": "two"}
    assert stack.resource("a")["id"] == first["id"]
    stack.up("--expect-no-changes")

    stack.destroy()
    assert stack.resources() == {}
    updates = stack.history()
    assert [u["kind"] for u in updates] == ["destroy", "update", "update", "update"]
    assert [u["version"] for u in updates] == [4, 3, 2, 1]
    assert {u["result"] for u in updates} == {"succeeded"}
    assert updates[-1]["resourceChanges"]["create"] == 2
    stack.on("stack", "rm", "--yes")


@pytest.mark.core
def test_dependencies(saving):
    """Order and references of a small graph survive every way of saving."""
    saving.program({
        "a": thing("one"), "b": thing("${a.echo}"), "c": thing("three", options={"dependsOn": ["${b}"]}),
        "child": thing("four", options={"parent": "${c}"}),
    })
    saving.up()
    state = {name: saving.resource(name) for name in ("a", "b", "c", "child")}
    assert state["b"]["propertyDependencies"]["value"] == [state["a"]["urn"]]
    assert state["c"]["dependencies"] == [state["b"]["urn"]]
    assert state["child"]["parent"] == state["c"]["urn"]

    saving.program({"a": thing("one"), "c": thing("three"), "child": thing("four", options={"parent": "${c}"})})
    saving.up()
    assert sorted(saving.resources()) == ["a", "c", "child"]
    assert "dependencies" not in saving.resource("c")


@pytest.mark.brief
def test_an_alias_moves_a_resource(saving):
    saving.program({"a": thing("one"), "b": thing("${a.echo}")})
    saving.up()
    before = saving.resource("a")
    saving.program({"renamed": thing("one", options={"aliases": [{"name": "a"}]}), "b": thing("${renamed.echo}")})
    saving.up()
    assert sorted(saving.resources()) == ["b", "renamed"]
    assert saving.resource("renamed")["id"] == before["id"]
    assert saving.resource("b")["dependencies"] == [saving.urn("renamed")]


def test_preview_changes_nothing(stack):
    stack.program({"a": thing("one")})
    stack.up()
    exported = stack.on("stack", "export").out
    stack.program({"a": thing("two"), "b": thing("new")})
    stack.on("preview", "--diff")
    stack.on("destroy", "--preview-only")
    stack.on("refresh", "--preview-only")
    assert stack.on("stack", "export").out == exported
    assert len(stack.history()) == 1


def test_up_with_its_preview(stack):
    """The way people type it: preview first, then the update."""
    stack.program({"a": thing("one")})
    stack.on("up", "--yes")
    assert stack.history()[0]["version"] == 1
    stack.on("destroy", "--yes")


@pytest.mark.core
def test_message_and_history(stack):
    stack.program({"a": thing("one")})
    for i in range(5):
        stack.up("--message", f"update {i}")
    assert [u["message"] for u in stack.history("--page-size", "2", "--page", "1")] == ["update 4", "update 3"]
    assert [u["message"] for u in stack.history("--page-size", "2", "--page", "3")] == ["update 0"]
    assert len(stack.history()) == 5
    latest = stack.history()[0]
    assert latest["environment"]["pulumi.version"].endswith(stack.cli.version)
    assert "update 4" in stack.on("stack", "history", "--full-dates").out


@pytest.mark.core
def test_export_of_a_version(stack):
    stack.program({"a": thing("one")})
    stack.up()
    stack.program({"a": thing("two")})
    stack.up()
    for version, value in (("1", "one"), ("2", "two")):
        deployment = stack.export("--version", version)
        assert [r["inputs"]["value"] for r in deployment["resources"] if r["urn"] == stack.urn("a")] == [value]
    stack.on("stack", "export", "--version", "9", fails=True)


def test_targets(stack):
    stack.program({"a": thing("one"), "b": thing("one")})
    stack.up()
    stack.program({"a": thing("two"), "b": thing("two"), "c": thing("new")})
    stack.up("--target", stack.urn("b"))
    assert stack.resource("a")["outputs"]["echo"] == "one"
    assert stack.resource("b")["outputs"]["echo"] == "two"
    assert "c" not in stack.resources()
    stack.destroy("--target", stack.urn("a"))
    assert sorted(stack.resources()) == ["b"]


def test_target_replace(stack):
    stack.program({"a": thing("one"), "b": thing("one")})
    stack.up()
    before = {name: stack.resource(name)["id"] for name in "ab"}
    stack.up("--replace", stack.urn("a"))
    assert stack.resource("a")["id"] != before["a"] and stack.resource("b")["id"] == before["b"]


def test_protect(stack):
    stack.program({"a": thing("one", options={"protect": True})})
    stack.up()
    said = stack.destroy(fails=True)
    assert "protected" in said.text
    assert stack.resource("a")["protect"] is True
    stack.program({"a": thing("one", options={"protect": False})})
    stack.up()
    stack.destroy()


@pytest.mark.brief
@pytest.mark.core
def test_refresh_finds_a_change(saving):
    saving.program({"a": thing("one"), "b": thing("${a.echo}")})
    saving.up()
    (saving.cli.cloud / saving.resource("a")["id"]).write_text("drifted")
    said = saving.refresh()
    assert "updated" in said.out or "update" in said.out
    assert saving.resource("a")["outputs"]["echo"] == "drifted"
    assert saving.history()[0]["kind"] == "refresh"
    saving.up()
    assert saving.resource("a")["outputs"]["echo"] == "one"


@pytest.mark.core
def test_refresh_finds_a_loss(saving):
    """What is gone leaves the state, and what depended on it is repaired."""
    saving.program({"a": thing("one"), "b": thing("two", options={"dependsOn": ["${a}"]})})
    saving.up()
    (saving.cli.cloud / saving.resource("a")["id"]).unlink()
    saving.refresh()
    assert sorted(saving.resources()) == ["b"]
    assert "dependencies" not in saving.resource("b")
    saving.up()
    assert sorted(saving.resources()) == ["a", "b"]


@pytest.mark.brief
def test_up_with_refresh(saving):
    saving.program({"a": thing("one"), "b": thing("two", options={"dependsOn": ["${a}"]})})
    saving.up()
    (saving.cli.cloud / saving.resource("a")["id"]).unlink()
    saving.up("--refresh")
    assert sorted(saving.resources()) == ["a", "b"]
    (saving.cli.cloud / saving.resource("b")["id"]).unlink()
    saving.destroy("--refresh")
    assert saving.resources() == {}


@pytest.mark.core
def test_import_a_resource(stack):
    """pulumi import adopts what is outside."""
    (stack.cli.cloud / "found-1").write_text("wild")
    stack.on("import", "testing:index:Thing", "adopted", "found-1", "--yes", "--generate-code=false", "--protect=false")
    assert stack.resource("adopted")["id"] == "found-1"
    assert stack.resource("adopted")["outputs"]["value"] == "wild"
    stack.program({"adopted": thing("wild")})
    stack.up()
    assert stack.resource("adopted")["id"] == "found-1"


@pytest.mark.core
def test_stack_references(stack, another):
    other = another()
    other.init()
    other.on("config", "set", "--secret", "pw", "s3cret")
    other.program({"a": thing("shared")}, outputs={"value": "${a.echo}", "pw": "${pw}"},
                  config={"pw": {"type": "string", "secret": True}})
    other.up()
    stack.program(
        {"other": {"type": "pulumi:pulumi:StackReference", "properties": {"name": other.reference()}},
         "a": thing("${other.outputs[\"value\"]}")},
        outputs={"value": "${a.echo}", "pw": "${other.outputs[\"pw\"]}"})
    stack.up()
    assert stack.outputs() == {"value": "shared", "pw": "[secret]"}
    assert stack.outputs("--show-secrets")["pw"] == "s3cret"

    missing = other.reference("missing")
    stack.program({"other": {"type": "pulumi:pulumi:StackReference", "properties": {"name": missing}}})
    assert "missing" in stack.up(fails=True).text


@pytest.mark.since("3.210.0")
def test_stash(stack):
    """The engine's own resource needs no plugin."""
    stack.program({"kept": {"type": "pulumi:index:Stash", "properties": {"input": {"n": 1, "list": [True, "x"]}}}},
                  outputs={"kept": "${kept.output}"})
    stack.up()
    assert stack.outputs()["kept"] == {"n": 1, "list": [True, "x"]}
    stack.destroy()


def test_a_plan(stack):
    stack.program({"a": thing("one")})
    stack.on("preview", "--save-plan", "plan.json", PULUMI_EXPERIMENTAL="true")
    stack.up("--plan", "plan.json", PULUMI_EXPERIMENTAL="true")
    assert stack.resource("a")


@pytest.mark.brief
def test_parallel_things(saving):
    saving.program(things(60))
    saving.up()
    assert len(saving.resources()) == 60
    saving.destroy()
    assert saving.resources() == {}


@pytest.mark.since("3.259.0")
def test_events_of_an_update(stack):
    stack.program({"a": thing("one")})
    stack.up()
    status, answer = stack.call("GET", "/updates?pageSize=1&page=1")
    assert status == 200
    _, details = stack.call("GET")
    said = stack.on("stack", "history", "events", details["activeUpdate"], "--all")
    assert "testing:index:Thing" in said.out
