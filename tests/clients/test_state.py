# SPDX-License-Identifier: Apache-2.0
"""stack export and import, and the state commands that are made of them."""

import json

import pytest

from commandline import thing


@pytest.fixture
def made(stack):
    """a, and b that depends on it."""
    stack.program({"a": thing("one"), "b": thing("two", options={"dependsOn": ["${a}"]})})
    stack.up()
    return stack


def imported(stack, document, *arguments, **options):
    path = stack.folder / "state.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return stack.on("stack", "import", "--file", str(path), *arguments, **options)


@pytest.mark.core
def test_export_and_import_again(made):
    exported = made.on("stack", "export").out
    made.destroy()
    imported(made, exported)
    assert json.loads(made.on("stack", "export").out) == json.loads(exported)
    assert [u["kind"] for u in made.history()] == ["import", "destroy", "update"]
    assert made.history()[0]["version"] == 3


def test_import_of_secrets(stack):
    stack.program({"a": thing("one", secret="s3cret")}, outputs={"secret": "${a.secret}"})
    stack.up()
    hidden, shown = stack.on("stack", "export").out, stack.on("stack", "export", "--show-secrets").out
    for document in (hidden, shown):
        imported(stack, document)
        assert stack.outputs("--show-secrets") == {"secret": "s3cret"}
        assert "s3cret" not in stack.on("stack", "export").out


def test_import_of_another_stacks_secrets(stack, another):
    """Their ciphertext does not open here, even when the state says that it is this stack's."""
    stack.program({"a": thing("one", secret="s3cret")}, outputs={"secret": "${a.secret}"})
    stack.up()
    other = another()
    other.init()
    document = stack.on("stack", "export").json()
    document["deployment"]["secrets_providers"]["state"]["project"] = other.name
    for resource in document["deployment"]["resources"]:
        for member in ("urn", "parent", "provider"):
            if member in resource:
                resource[member] = resource[member].replace(f"::{stack.name}::", f"::{other.name}::")
    imported(other, document, "--force", fails=None)
    said = other.on("stack", "output", "--show-secrets", "--json", fails=None)
    assert "s3cret" not in said.text
    assert stack.outputs("--show-secrets") == {"secret": "s3cret"}


def test_import_refuses_what_is_no_state(stack):
    for document in ("{}", "[]", "{\"version\":99,\"deployment\":{}}", "no json"):
        imported(stack, document, fails=True)
    assert stack.export().get("resources", []) == []


@pytest.mark.newest
def test_numbers_and_unknown_members_survive(made):
    """The server keeps state as text: spelling of numbers, order and members that nobody knows."""
    document = made.call("GET", "/export")[1]
    document["deployment"]["resources"][-1]["fromTheFuture"] = {"x": [1, "ü"]}
    text = json.dumps(document).replace('"fromTheFuture":', '"exact": 12345678901234567890.10, "fromTheFuture":')
    status, answer = raw_call(made, "POST", "/import", text)
    assert status == 200 and json.loads(answer)["updateId"]
    status, answer = raw_call(made, "GET", "/export")
    assert status == 200
    assert '12345678901234567890.10' in answer and '"fromTheFuture"' in answer


def raw_call(stack, method, suffix, text=None):
    import urllib.request
    server = stack.cli.server
    request = urllib.request.Request(server.url + stack.path + suffix, text.encode() if text else None,
                                     {"Authorization": f"token {server.token}", "Content-Type": "application/json"},
                                     method=method)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.status, answer.read().decode()


@pytest.mark.core
def test_delete_from_state(made):
    said = made.on("state", "delete", "--yes", made.urn("a"), fails=True)
    assert "b" in said.text
    made.on("state", "delete", "--yes", made.urn("b"))
    assert sorted(made.resources()) == ["a"]
    assert made.history()[0]["kind"] == "import"


@pytest.mark.core
def test_rename_in_state(made):
    made.on("state", "rename", "--yes", made.urn("a"), "renamed")
    assert sorted(made.resources()) == ["b", "renamed"]
    assert made.resource("b")["dependencies"] == [made.urn("renamed")]
    made.program({"renamed": thing("one"), "b": thing("two", options={"dependsOn": ["${renamed}"]})})
    made.up("--expect-no-changes")


def test_protect_and_unprotect(made):
    made.on("state", "protect", "--yes", made.urn("a"))
    assert made.resource("a")["protect"] is True
    made.destroy(fails=True)
    made.on("state", "unprotect", "--yes", "--all")
    assert not made.resource("a").get("protect")
    made.destroy()


def test_move_between_stacks(made, another):
    made.program({"a": thing("one", secret="s3cret"), "b": thing("two")})
    made.up()
    other = another()
    other.init()
    other.run("state", "move", "--yes", "--source", made.reference(), "--dest", other.reference(), made.urn("a"))
    assert sorted(made.resources()) == ["b"]
    assert sorted(other.resources()) == ["a"]
    assert "s3cret" in other.on("stack", "export", "--show-secrets").out


@pytest.mark.since("3.210.0")
def test_taint_and_untaint(made):
    """A mark that only the newest form of the state document has: it must not get lost."""
    before = made.resource("a")["id"]
    made.on("state", "taint", "--yes", made.urn("a"))
    assert made.resource("a")["taint"] is True
    assert made.call("GET", "/export")[1]["version"] == 4
    made.on("state", "untaint", "--yes", made.urn("a"))
    assert not made.resource("a").get("taint")
    made.on("state", "taint", "--yes", made.urn("a"))
    made.up()
    assert made.resource("a")["id"] != before and not made.resource("a").get("taint")


@pytest.mark.since("3.210.0")
def test_repair(made):
    """Resources out of order are put in order again."""
    document = made.call("GET", "/export")[1]
    resources = document["deployment"]["resources"]
    resources[-1], resources[-2] = resources[-2], resources[-1]
    imported(made, document, "--force")
    made.on("state", "repair", "--yes")
    order = [r["urn"] for r in made.export()["resources"]]
    assert order.index(made.urn("a")) < order.index(made.urn("b"))
    made.up("--expect-no-changes")


def test_edit(made, tmp_path):
    """An editor that changes one value, at a terminal."""
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nsed -i 's/\"two\"/\"edited\"/' \"$1\"\n")
    editor.chmod(0o755)
    said = made.cli.at_terminal("state", "edit", "--stack", made.reference(), cwd=made.folder, EDITOR=str(editor),
                                answers={"Do you want to perform this edit?": "accept\r"})
    assert made.resource("b")["inputs"]["value"] == "edited", said


@pytest.mark.since("3.259.0")
def test_migrate_from_a_folder(project):
    """A stack of the file backend becomes one of this server, secrets included."""
    folder = project.folder.parent / "file"
    folder.mkdir()
    url = f"file://{folder}"
    project.program({"a": thing("one", secret="s3cret")}, outputs={"secret": "${a.secret}"})
    local = {"PULUMI_BACKEND_URL": url}
    project.run("stack", "init", "dev", **local)
    project.run("up", "--yes", "--skip-preview", "--stack", "dev", **local)
    project.run("login", project.cli.server.url, PULUMI_BACKEND_URL=None)
    project.run("stack", "migrate", url, "dev", "--yes", "--target", project.reference())
    assert project.outputs("--show-secrets") == {"secret": "s3cret"}
    assert project.resource("a")["outputs"]["echo"] == "one"


def test_upgrade(made):
    """There is nothing to upgrade, and that is no error."""
    made.run("state", "upgrade", "--yes")
