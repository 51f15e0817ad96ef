# SPDX-License-Identifier: Apache-2.0
"""pulumi policy: a pack is published, enabled, enforced, disabled and removed by the command line itself."""

import copy
import json
import shutil
import uuid

import pytest

from commandline import Project, thing


class Pack:
    """A folder with a policy pack, whose policies refuse words."""

    def __init__(self, project, folder, name, version, *policies):
        self.project, self.name, self.version = project, name, version
        self.folder = folder / f"{name}-{version}"
        self.folder.mkdir(parents=True)
        (self.folder / "PulumiPolicy.yaml").write_text("runtime: testpolicy\ndescription: refuses words\n")
        (self.folder / "policy.json").write_text(json.dumps({"Name": name, "Version": version, "Policies": [dict(p) for p in policies]}))

    def publish(self, **options):
        return self.project.cli.run("policy", "publish", self.project.organization, cwd=self.folder, **options)

    @property
    def reference(self):
        return f"{self.project.organization}/{self.name}"


def policy(name, word, level="mandatory", **more):
    return {"Name": name, "Level": level, "Word": word, **more}


@pytest.fixture
def stack(pulumi, tmp_path, server):
    """A stack in an organization of its own: what is enabled there holds for nobody else."""
    organization = f"policy-{uuid.uuid4().hex[:10]}"
    status, answer = server.call("POST", "/api/console/actions/new-organization", {"orgName": organization})
    assert status == 200, answer
    pulumi.server = copy.copy(server)
    pulumi.server.organization = organization
    made = Project(pulumi, tmp_path / "project")
    made.init()
    return made


@pytest.fixture
def pack(stack, tmp_path):
    return lambda *arguments: Pack(stack, tmp_path / "packs", *arguments)




@pytest.mark.core
def test_published_enabled_enforced_disabled_removed(stack, pack):
    rules = pack("rules", "1.0.0", policy("no-bad", "bad"), policy("no-dull", "dull", "advisory"))
    said = rules.publish().out
    assert 'Publishing "rules" - version 1.0.0' in said and "/policypacks/rules/1.0.0" in said, said
    assert "1.0.0" in stack.run("policy", "ls", stack.organization).out
    stack.program({"a": thing("bad")})
    stack.up()

    stack.run("policy", "enable", rules.reference, "latest")
    groups = stack.run("policy", "group", "ls", stack.organization, "--json").json()
    assert [(g["name"], g["default"], g["numStacks"], g["numPolicyPacks"]) for g in groups] == [("default-policy-group", True, 1, 1)], groups

    stack.program({"a": thing("bad"), "b": thing("dull")})
    refused = stack.on("up", "--yes", "--skip-preview", fails=True).text
    assert "the word bad is not wanted" in refused and "[mandatory]" in refused and "rules" in refused, refused
    assert stack.history()[0]["result"] == "failed"
    assert "the word bad is not wanted" in stack.on("preview", fails=True).text

    stack.program({"b": thing("dull")})
    warned = stack.up().text
    assert "the word dull is not wanted" in warned and "[advisory]" in warned, warned
    assert "b" in stack.resources()

    # What is enabled is not removed.
    assert "enabled" in stack.run("policy", "rm", rules.reference, "1.0.0", "--yes", fails=True).text
    stack.run("policy", "disable", rules.reference)
    stack.program({"a": thing("bad")})
    assert "not wanted" not in stack.up().text
    stack.run("policy", "rm", rules.reference, "1.0.0", "--yes")
    assert "1.0.0" not in stack.run("policy", "ls", stack.organization).out
    stack.destroy()


def test_the_archive_that_arrives_is_the_one_that_was_published(stack, pack):
    """Another machine has nothing in its cache, and gets what the server has."""
    rules = pack("rules", "1.0.0", policy("no-bad", "bad"))
    rules.publish()
    assert "already" in rules.publish(fails=True).text
    stack.run("policy", "enable", rules.reference, "1.0.0")
    shutil.rmtree(rules.folder)
    stack.program({"a": thing("bad")})
    assert "the word bad" in stack.on("up", "--yes", "--skip-preview", fails=True).text
    second = pack("rules", "1.1.0", policy("no-bad", "worse"))
    second.publish()
    stack.run("policy", "enable", second.reference, "1.1.0")
    stack.up()
    stack.program({"a": thing("worse")})
    assert "the word worse" in stack.on("up", "--yes", "--skip-preview", fails=True).text
    stack.run("policy", "disable", second.reference)
    stack.run("policy", "rm", second.reference, "all", "--yes")
    stack.destroy()


def test_configuration(stack, pack, tmp_path):
    rules = pack("rules", "1.0.0", policy("no-word", "", Required=True))
    rules.publish()
    (tmp_path / "bad.json").write_text(json.dumps({"no-word": {"word": 5}}))
    (tmp_path / "good.json").write_text(json.dumps({"no-word": {"word": "ugly", "enforcementLevel": "advisory"}}))
    assert "word" in stack.run("policy", "enable", rules.reference, "latest", fails=True).text
    assert stack.run("policy", "validate-config", rules.reference, "1.0.0", "--config", str(tmp_path / "bad.json"), fails=True).status
    stack.run("policy", "validate-config", rules.reference, "1.0.0", "--config", str(tmp_path / "good.json"))
    assert "word" in stack.run("policy", "enable", rules.reference, "1.0.0", "--config", str(tmp_path / "bad.json"), fails=True).text
    stack.run("policy", "enable", rules.reference, "1.0.0", "--config", str(tmp_path / "good.json"))
    stack.program({"a": thing("ugly")})
    warned = stack.up().text
    assert "the word ugly is not wanted" in warned and "[advisory]" in warned, warned
    stack.run("policy", "disable", rules.reference)
    stack.destroy()


@pytest.mark.since("3.240.0")
def test_groups(stack, pack):
    """A pack of a group holds for the stacks of the group."""
    rules = pack("rules", "1.0.0", policy("no-bad", "bad"))
    rules.publish()
    stack.run("policy", "group", "new", "--org", stack.organization, "--entity-type", "stacks", "strict")
    stack.run("policy", "enable", rules.reference, "latest", "--policy-group", "strict")
    stack.program({"a": thing("bad")})
    stack.up()
    status, answer = stack.cli.server.call("PATCH", f"/api/orgs/{stack.organization}/policygroups/strict",
                                           {"addStack": {"name": stack.stack, "routingProject": stack.name}})
    assert status == 204, answer
    stack.program({"a": thing("bad again")})
    assert "the word bad" in stack.on("up", "--yes", "--skip-preview", fails=True).text
    assert "strict" in stack.run("policy", "group", "ls", stack.organization).out
    stack.run("policy", "disable", rules.reference, "--policy-group", "strict")
    stack.run("policy", "group", "rm", "--org", stack.organization, "strict", "--yes")
    stack.destroy()


@pytest.mark.since("3.217.0")
def test_installed_before_an_update(stack, pack):
    """policy install asks what holds for a stack, and downloads it."""
    rules = pack("rules", "1.0.0", policy("no-bad", "bad"))
    rules.publish()
    stack.run("policy", "enable", rules.reference, "latest")
    before = list((stack.cli.home / ".pulumi" / "policies").rglob("policy.json"))
    stack.on("policy", "install")
    after = list((stack.cli.home / ".pulumi" / "policies").rglob("policy.json"))
    assert before == [] and len(after) == 1
    stack.run("policy", "disable", rules.reference)
