# SPDX-License-Identifier: Apache-2.0
"""A stack that changes hands, and one that comes back from removal: the command line goes on with it."""

import uuid

import pytest

from commandline import thing


@pytest.fixture
def elsewhere(server):
    """A second organization of the same user."""
    name = f"org-{uuid.uuid4().hex[:10]}"
    status, answer = server.call("POST", "/api/console/actions/new-organization", {"orgName": name})
    assert status in (200, 204), answer
    return name


class Moved:
    """The same project under another organization."""

    def __init__(self, project, organization):
        self.project, self.organization = project, organization

    def __enter__(self):
        self.server, self.kept = self.project.cli.server, self.project.cli.server.organization
        self.server.organization = self.organization
        return self.project

    def __exit__(self, *_):
        self.project.call("DELETE", "?force=true")
        self.server.organization = self.kept


@pytest.mark.core
def test_transfer(stack, elsewhere):
    """State, secrets, settings and history go along; nothing is replaced."""
    stack.on("config", "set", "--secret", "pw", "s3cret")
    stack.program({"a": thing("one", secret="${pw}")}, outputs={"secret": "${a.secret}"},
                  config={"pw": {"type": "string", "secret": True}})
    stack.up()
    identifier = stack.resource("a")["id"]
    status, answer = stack.call("POST", "/transfer", {"toOrg": elsewhere})
    assert status == 204, answer
    assert "no stack named" in stack.on("stack", "select", fails=True).text

    with Moved(stack, elsewhere) as moved:
        assert moved.resource("a")["id"] == identifier
        assert moved.outputs("--show-secrets") == {"secret": "s3cret"}
        moved.up("--expect-no-changes")
        assert [u["version"] for u in moved.history()][-1] == 1
        moved.destroy()


def test_transfer_to_a_strange_organization(stack):
    status, _ = stack.call("POST", "/transfer", {"toOrg": f"never-{uuid.uuid4().hex[:8]}"})
    assert 400 <= status < 500
    assert stack.export() is not None


def test_transfer_to_a_taken_name(stack, elsewhere):
    status, answer = stack.cli.server.call("POST", f"/api/stacks/{elsewhere}/{stack.name}", {"stackName": "dev"})
    assert status == 200, answer
    status, _ = stack.call("POST", "/transfer", {"toOrg": elsewhere})
    assert status == 409
    with Moved(stack, elsewhere):
        pass


def test_renamed_twice_and_back(stack):
    """Secrets stay bound to the stack, not to its name."""
    stack.program({"a": thing("one", secret="s3cret")}, outputs={"secret": "${a.secret}"})
    stack.up()
    for name in ("second", "third", "dev"):
        stack.on("stack", "rename", stack.reference(name))
        stack.stack = name
        assert stack.outputs("--show-secrets") == {"secret": "s3cret"}
    stack.up("--expect-no-changes")
    stack.destroy()


def test_an_old_name_can_be_used_again(stack):
    stack.program({"a": thing("one")})
    stack.up()
    stack.on("stack", "rename", stack.reference("prod"))
    stack.init()
    assert stack.export().get("resources", []) == []
    stack.up()
    stack.destroy()
    stack.stack = "prod"
    assert sorted(stack.resources()) == ["a"]


def test_restore(stack):
    """A removed stack comes back with its state and secrets."""
    stack.program({"a": thing("one", secret="s3cret")}, outputs={"secret": "${a.secret}"})
    stack.up()
    stack.on("stack", "rm", "--yes", "--force")
    status, answer = stack.cli.server.call("GET", f"/api/orgs/{stack.organization}/restore-stack")
    assert status == 200, answer
    found = [s for s in answer["deletedStacks"] if s["projectName"] == stack.name]
    assert [s["stackName"] for s in found] == ["dev"], answer
    status, answer = stack.cli.server.call(
        "POST", f"/api/orgs/{stack.organization}/restore-stack/{found[0]['programId']}", {"stackName": "dev"})
    assert status in (200, 204), answer
    assert stack.outputs("--show-secrets") == {"secret": "s3cret"}
    stack.up("--expect-no-changes")
