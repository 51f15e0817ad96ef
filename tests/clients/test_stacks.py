# SPDX-License-Identifier: Apache-2.0
"""new, stack init, ls, select, tag, rename, rm, and the lists that pulumi new asks for."""

import uuid

import pytest

from commandline import name_of, thing


def names(listing):
    return sorted(stack["name"].split("/")[-1] for stack in listing)


def test_init_select_and_remove(project):
    project.init()
    assert project.run("stack", "--show-name").out.strip() == "dev"
    assert names(project.run("stack", "ls", "--json").json()) == ["dev"]

    project.run("stack", "unselect")
    project.run("stack", "select", project.reference())
    project.on("stack", "rm", "--yes")
    assert project.run("stack", "ls", "--json").json() == []


def test_init_twice(stack):
    said = stack.init(fails=True)
    assert "already exists" in said.text


def test_missing_stack(project):
    said = project.run("stack", "select", project.reference("never"), fails=True)
    assert "no stack named" in said.text
    said = project.on("stack", "rm", "--yes", fails=True)
    assert "no stack named" in said.text


def test_select_creates(project):
    project.run("stack", "select", "--create", project.reference("made"))
    assert names(project.run("stack", "ls", "--json").json()) == ["made"]


@pytest.mark.parametrize("name", ["a", "A-b_c.d", "x" * 100])
def test_names(project, name):
    project.run("stack", "init", project.reference(name))
    assert names(project.run("stack", "ls", "--json").json()) == [name]
    project.run("stack", "rm", "--yes", "--stack", project.reference(name))


def test_list_filters(project, another):
    """By project, organization and tag; -a is every project."""
    other = another()
    project.init()
    project.run("stack", "init", project.reference("second"))
    other.init()
    mark = uuid.uuid4().hex
    project.on("stack", "tag", "set", "mark", mark)

    assert names(project.run("stack", "ls", "--json").json()) == ["dev", "second"]
    assert names(project.run("stack", "ls", "--json", "-p", other.name).json()) == ["dev"]
    everything = project.run("stack", "ls", "--json", "-a", "-o", project.organization).json()
    listed = {stack["name"] for stack in everything}  # the current project's are named without it
    assert {f"{project.organization}/dev", f"{project.organization}/second", other.reference()} <= listed
    assert names(project.run("stack", "ls", "--json", "-a", "-t", f"mark={mark}").json()) == ["dev"]
    assert names(project.run("stack", "ls", "--json", "-a", "-t", "mark=other").json()) == []
    assert names(project.run("stack", "ls", "--json", "-t", "mark").json()) == ["dev"]


@pytest.mark.core
def test_list_counts_resources(stack):
    listed = stack.run("stack", "ls", "--json").json()[0]
    assert "lastUpdate" not in listed
    stack.program({"a": thing("one")})
    stack.up()
    listed = stack.run("stack", "ls", "--json").json()[0]
    assert listed["resourceCount"] == len(stack.export()["resources"])
    assert listed["lastUpdate"] and listed["updateInProgress"] is False


@pytest.mark.newest
def test_list_many(project):
    """More stacks than a page holds: the list has each once."""
    wanted = sorted(f"s{i:03}" for i in range(120))
    for name in wanted:
        status, answer = project.cli.server.call(
            "POST", f"/api/stacks/{project.organization}/{project.name}", {"stackName": name})
        assert status == 200, answer
    assert names(project.run("stack", "ls", "--json").json()) == wanted


@pytest.mark.core
def test_tags(stack):
    stack.on("stack", "tag", "set", "owner", "team a")
    assert stack.on("stack", "tag", "get", "owner").out.strip() == "team a"
    tags = stack.on("stack", "tag", "ls", "--json").json()
    assert tags["owner"] == "team a" and tags["pulumi:project"] == stack.name and tags["pulumi:runtime"] == "yaml"

    stack.program({"a": thing("one")})
    stack.up()
    assert stack.on("stack", "tag", "get", "owner").out.strip() == "team a"
    stack.on("stack", "tag", "rm", "owner")
    stack.on("stack", "tag", "get", "owner", fails=True)


@pytest.mark.core
def test_remove_refuses_while_resources_remain(stack):
    stack.program({"a": thing("one")})
    stack.up()
    said = stack.on("stack", "rm", "--yes", fails=True)
    assert "still has resources" in said.text and "--force" in said.text
    stack.on("stack", "rm", "--yes", "--force")
    assert stack.run("stack", "ls", "--json").json() == []


def test_a_removed_name_is_free(stack):
    stack.program({"a": thing("one")})
    stack.up()
    stack.on("stack", "rm", "--yes", "--force")
    stack.init()
    assert stack.export().get("resources", []) == []
    assert stack.history() == []


def test_destroy_and_remove(stack):
    stack.program({"a": thing("one")})
    stack.up()
    stack.destroy("--remove")
    assert stack.run("stack", "ls", "--json").json() == []


@pytest.mark.core
def test_rename(stack):
    """The state moves to the new name: nothing is replaced, secrets open, history stays."""
    stack.program({"a": thing("one", secret="s3cret"), "b": thing("two", options={"dependsOn": ["${a}"]})},
                  outputs={"hidden": "${a.hidden}"})
    stack.up()
    ids = {name: stack.resource(name)["id"] for name in "ab"}
    stack.on("stack", "rename", stack.reference("prod"))
    stack.on("stack", "output", fails=True)

    stack.stack = "prod"
    assert all(r["urn"].startswith("urn:pulumi:prod::") for r in stack.export()["resources"])
    root = stack.export()["resources"][0]
    assert name_of(root["urn"]) == f"{stack.name}-prod"
    assert stack.outputs("--show-secrets") == {"hidden": "hidden one"}
    said = stack.on("preview", "--expect-no-changes")
    assert "unchanged" in said.out
    stack.up("--expect-no-changes")
    assert {name: stack.resource(name)["id"] for name in "ab"} == ids
    kinds = [update["kind"] for update in stack.history()]
    assert kinds == ["update", "rename", "update"]


def test_rename_project(stack):
    stack.program({"a": thing("one")})
    stack.up()
    identifier = stack.resource("a")["id"]
    renamed = stack.name + "-renamed"
    stack.on("stack", "rename", f"{stack.organization}/{renamed}/dev")
    stack.name = renamed
    stack.program({"a": thing("one")})
    stack.up("--expect-no-changes")
    assert stack.resource("a")["id"] == identifier
    assert f"::{renamed}::" in stack.resource("a")["urn"]


def test_rename_to_a_taken_name(stack):
    stack.run("stack", "init", stack.reference("prod"))
    said = stack.on("stack", "rename", stack.reference("prod"), fails=True)
    assert "already exists" in said.text


@pytest.mark.core
def test_new_from_a_local_template(project, tmp_path):
    """pulumi new asks for templates, whether the project is there, and makes the stack."""
    template = tmp_path / "template"
    template.mkdir()
    (template / "Pulumi.yaml").write_text(
        "name: ${PROJECT}\ndescription: ${DESCRIPTION}\nruntime: yaml\n"
        "template:\n  description: t\n  config:\n    greeting:\n      default: hello\n"
        "outputs:\n  greeting: ${greeting}\nconfig:\n  greeting:\n    type: string\n")
    made = tmp_path / "made"
    made.mkdir()
    project.cli.run("new", str(template), "--yes", "--name", project.name, "--stack", project.reference(),
                    "--description", "made by new", cwd=made)
    project.cli.run("up", "--yes", "--skip-preview", "--stack", project.reference(), cwd=made)
    said = project.cli.run("stack", "output", "greeting", "--stack", project.reference(), cwd=made)
    assert said.out.strip() == "hello"
    tags = project.cli.run("stack", "tag", "ls", "--json", "--stack", project.reference(), cwd=made).json()
    assert tags["pulumi:description"] == "made by new"


def test_lists_of_packages_and_templates(project):
    """They are empty, and say so."""
    for path in ("/api/registry/packages", "/api/preview/registry/packages"):
        status, answer = project.cli.server.call("GET", path + "?limit=499")
        assert status == 200 and answer["packages"] == []
    for path in ("/api/registry/templates", "/api/preview/registry/templates"):
        status, answer = project.cli.server.call("GET", path + "?limit=499")
        assert status == 200 and answer["templates"] == []


@pytest.mark.since("3.259.0")
def test_template_list(project):
    project.run("template", "list")


def test_graph_and_overview(stack):
    stack.program({"a": thing("one"), "b": thing("${a.echo}")})
    stack.up()
    stack.on("stack", "graph", str(stack.folder / "graph.dot"))
    graph = (stack.folder / "graph.dot").read_text()
    assert "digraph" in graph and "->" in graph
    said = stack.on("stack", "--show-urns", "--show-ids")
    assert stack.urn("b") in said.out and stack.resource("b")["id"] in said.out


@pytest.mark.since("3.259.0")
def test_stack_get(stack):
    stack.on("stack", "get")
