# SPDX-License-Identifier: Apache-2.0
"""Stacks apart from their updates: names, first state, tags, lists, rename, transfer, deletion and return."""

import base64
import json
import re
import time
import uuid

import pytest

from lib.client import EMPTY, SUCCESS, BEGIN, Stack, deployment, document, entry, resource, root, urn

LARGEST_CONFIG = 64 << 10


def at(stack, **place):
    """The same stack under another name, project or organization."""
    return Stack(stack.client, place.get("organization", stack.organization), place.get("project", stack.project),
                 place.get("name", stack.name))


def create(client, organization, project, name, **more):
    return client.post(f"/api/stacks/{organization}/{project}", {"stackName": name, **more})


def rename(stack, name="", project=""):
    return stack.client.post(f"{stack.path}/rename", {"newName": name, "newProject": project})


def listed(client, **query):
    """All pages: [(organization, project, name)] in the order given, and the number of pages."""
    found, pages, token = [], 0, None
    while True:
        given = {**query, **({"continuationToken": token} if token else {})}
        answer = client.get("/api/user/stacks?" + "&".join(f"{k}={v}" for k, v in given.items())).expect(200).json()
        found += [(s["orgName"], s["projectName"], s["stackName"]) for s in answer["stacks"]]
        pages += 1
        token = answer.get("continuationToken")
        if token is None:
            return found, pages
        assert re.fullmatch("[A-Za-z0-9_-]+", token) and pages < 100


@pytest.fixture
def organizations(client):
    """Makes further organizations of the first user."""
    def make():
        name = f"o{uuid.uuid4().hex[:12]}"
        client.post("/api/console/actions/new-organization", {"orgName": name}).expect(200)
        return name

    return make


# --- names ---

def test_a_project_exists_with_its_first_stack(client, organization, new_stack):
    project = f"t-{uuid.uuid4().hex[:12]}"
    assert client.call("HEAD", f"/api/stacks/{organization}/{project}").status == 404
    new_stack(project)
    assert client.call("HEAD", f"/api/stacks/{organization}/{project}").expect(200).raw == b""


def test_names_are_found_exactly_and_unique_without_case(client, organization, new_stack):
    stack = new_stack(name="Dev")
    client.get(at(stack, name="dev").path).expect_problem(404)
    client.get(at(stack, project=stack.project.upper()).path).expect_problem(404)
    for project, name in ((stack.project, "Dev"), (stack.project, "dEV"), (stack.project.upper(), "dev")):
        said = create(client, organization, project, name).expect_problem(409).message
        assert "already exists" in said
    new_stack(stack.project, "dev2")


@pytest.mark.parametrize("name", ["", "a b", "a/b", "é", "x" * 101, ".", "..", "a\n", "a%"])
def test_bad_names(client, organization, name):
    create(client, organization, "p", name).expect_problem(400)


def test_names_of_every_kind(new_stack):
    for name in ("x" * 100, "a.b", "-", "_", "0"):
        assert new_stack(name=name).get()["stackName"] == name


def test_unknown_teams_are_refused(client, organization):
    project = f"t-{uuid.uuid4().hex[:12]}"
    said = create(client, organization, project, "dev", teams=["nobody"]).expect_problem(400).message
    assert "nobody" in said
    client.get(f"/api/stacks/{organization}/{project}/dev").expect_problem(404)
    create(client, organization, project, "dev", teams=[]).expect(200)
    Stack(client, organization, project).delete().expect()


def test_strangers_see_nothing(stack, stranger):
    for method, path in (("GET", ""), ("DELETE", "?force=true"), ("PATCH", "/tags"), ("GET", "/config")):
        stranger.call(method, stack.path + path, {} if method == "PATCH" else None).expect_problem(404)
    stranger.post(f"{stack.path}/rename", {"newName": "x", "newProject": ""}).expect_problem(404)
    stranger.post(f"{stack.path}/transfer", {"toOrg": "elsewhere"}).expect_problem(404)
    assert all(project != stack.project for _, project, _ in listed(stranger)[0])


# --- the state and configuration that it begins with ---

FIRST = (b'{ "version":3,\t"deployment":{"manifest":{"time":"2026-01-01T00:00:00Z","magic":"","version":""},'
         b'"secrets_providers":{"type":"passphrase","state":{"salt":"v1:\\u003c\\/=","n":1.50}}} }')


def test_the_first_state_keeps_its_bytes(client, organization):
    stack = Stack(client, organization)
    client.post(f"/api/stacks/{organization}/{stack.project}",
                raw=b'{"stackName":"dev","state" : %s ,"tags":{"a":"b"}}' % FIRST).expect(200)
    assert stack.text() == FIRST
    assert stack.get()["version"] == 0 and stack.get()["activeUpdate"] == ""
    assert stack.history() == []
    update = stack.begin()
    assert update.version == 1 and stack.text() == FIRST
    update.complete().expect()
    assert stack.text() == FIRST
    stack.delete(force=False).expect()


def test_a_large_first_state(client, organization):
    stack = Stack(client, organization)
    text = document(*[resource(stack, f"r{i}", inputs={"x": "y" * 100_000}) for i in range(60)])
    create(client, organization, stack.project, "dev", state=text).expect(200)
    assert stack.state() == text
    stack.delete(force=False).expect_problem(400)
    stack.delete().expect()


@pytest.mark.parametrize("state", [5, "x", [], {}, {"version": 9, "deployment": {}}, {"version": 3}])
def test_a_first_state_that_is_none(client, organization, state):
    stack = Stack(client, organization)
    create(client, organization, stack.project, "dev", state=state).expect_problem(400)
    client.get(stack.path).expect_problem(404)


def test_remote_configuration(client, organization):
    stack = Stack(client, organization)
    config = {"environment": "proj/env@3", "secretsProvider": "passphrase", "encryptionSalt": "v1:x", "encryptedKey": "k"}
    answer = create(client, organization, stack.project, "dev", config=config).expect(200).json()
    assert [m["severity"] for m in answer["messages"]] == ["warning"] and "environments" in answer["messages"][0]["message"]
    assert stack.get()["config"] == config
    assert client.get(f"{stack.path}/config").expect(200).json() == config
    client.delete(f"{stack.path}/config").expect(204)
    assert "config" not in stack.get()
    client.get(f"{stack.path}/config").expect_problem(404)
    changed = client.call("PUT", f"{stack.path}/config", {"environment": "other/env"}).expect(200).json()
    assert changed == {"environment": "other/env"} == stack.get()["config"]
    for bad in ("env", "a/b/c", "/b", "a/", "a/b@", "a b/c", ""):
        client.call("PUT", f"{stack.path}/config", {"environment": bad}).expect_problem(400)
    assert stack.get()["config"] == {"environment": "other/env"}
    stack.delete().expect()


def test_large_remote_configuration(client, organization):
    stack = Stack(client, organization)
    empty = len('{"environment":"a/b","encryptedKey":"","encryptionSalt":"v1"}')

    def config(size):
        return {"environment": "a/b", "encryptedKey": "k" * (size - empty), "encryptionSalt": "v1"}

    create(client, organization, stack.project, "dev", config=config(20000)).expect(200)
    assert stack.get()["config"] == config(20000)
    for size in (13000, LARGEST_CONFIG):
        assert client.call("PUT", f"{stack.path}/config", config(size)).expect(200).json() == config(size)
        assert client.get(f"{stack.path}/config").expect(200).json() == config(size)
    refused = client.call("PUT", f"{stack.path}/config", config(LARGEST_CONFIG + 1)).expect_problem(413)
    assert str(LARGEST_CONFIG) in refused.json()["message"]
    assert stack.get()["config"] == config(LARGEST_CONFIG)
    stack.delete().expect()
    create(client, organization, stack.project, "dev", config=config(LARGEST_CONFIG + 1)).expect_problem(413)
    client.get(stack.path).expect_problem(404)


# --- tags ---

def test_tags_replace_all_and_null_clears(stack):
    tags = f"{stack.path}/tags"
    assert stack.get()["tags"] == {}
    for given in ({"a": "1", "b.c:d-e_f": "\u00e9 \"\\\n"}, {f"t{i}": "v" * 256 for i in range(40)}, {"A": "x", "a": "y"}):
        stack.client.patch(tags, given).expect(204)
        assert stack.get()["tags"] == given
    stack.client.patch(tags, raw=b"null").expect(204)
    assert stack.get()["tags"] == {}


@pytest.mark.parametrize("tags", [{"a b": "x"}, {"": "x"}, {"x" * 41: "y"}, {"a": "x" * 257}, {"a": 5}, {"a": None}, [],
                                  {f"t{i}": "" for i in range(201)}])
def test_bad_tags(stack, tags):
    stack.client.patch(f"{stack.path}/tags", {"kept": "yes"}).expect(204)
    stack.client.patch(f"{stack.path}/tags", tags).expect_problem(400)
    assert stack.get()["tags"] == {"kept": "yes"}


def test_the_tag_of_the_project_stays(stack):
    tags = f"{stack.path}/tags"
    stack.client.patch(tags, {"pulumi:project": "other"}).expect_problem(400)
    stack.client.patch(tags, {"pulumi:project": stack.project, "a": "b"}).expect(204)
    stack.client.patch(tags, {"pulumi:project": "other"}).expect_problem(400)
    stack.client.patch(tags, {"a": "b"}).expect(204)


def test_the_tag_of_the_project_as_the_client_set_it(new_stack):
    stack = new_stack(tags={"pulumi:project": "of-the-file"})
    stack.client.patch(f"{stack.path}/tags", {"pulumi:project": "of-the-file", "a": "b"}).expect(204)


def test_single_tags(stack):
    tags = f"{stack.path}/tags"
    stack.client.post(tags, {"name": "a", "value": "1"}).expect(204)
    stack.client.post(tags, {"name": "a", "value": "2"}).expect_problem(400)
    stack.client.post(tags, {"name": "b:c", "value": "2"}).expect(204)
    stack.client.patch(f"{tags}/b%3Ac", {"name": "b:c", "value": "3"}).expect(204)
    assert stack.get()["tags"] == {"a": "1", "b:c": "3"}
    stack.client.patch(f"{tags}/a", {"name": "b:c", "value": "4"}).expect_problem(400)
    stack.client.patch(f"{tags}/a", {"name": "z", "value": "4"}).expect(204)
    stack.client.patch(f"{tags}/never", {"name": "never", "value": "4"}).expect_problem(404)
    stack.client.delete(f"{tags}/never").expect_problem(404)
    stack.client.delete(f"{tags}/z").expect(204)
    assert stack.get()["tags"] == {"b:c": "3"}


def test_built_in_tags_stay(new_stack):
    stack = new_stack(tags={"pulumi:runtime": "yaml", "pulumi:mine": "x"})
    stack.client.delete(f"{stack.path}/tags/pulumi:runtime").expect_problem(400)
    stack.client.patch(f"{stack.path}/tags/pulumi:runtime", {"name": "pulumi:runtime", "value": "go"}).expect_problem(400)
    stack.client.delete(f"{stack.path}/tags/pulumi:mine").expect(204)
    assert stack.get()["tags"] == {"pulumi:runtime": "yaml"}


# --- lists ---

def test_filters(client, organization, organizations, new_stack):
    mark = f"m{uuid.uuid4().hex[:12]}"  # with a letter, as it is asked for in capitals too
    other = organizations()
    a = new_stack(name="a", tags={mark: "1", "x": mark})
    b = new_stack(a.project, "b", tags={mark: "12"})
    c = new_stack(name="c", tags={mark: "1"})
    d = Stack(client, other, a.project, "d").create(tags={mark: 'q"\\é'})

    def names(**query):
        return sorted(name for _, _, name in listed(client, **query)[0])

    assert names(tagName=mark) == ["a", "b", "c", "d"]
    assert names(tagName=mark, tagValue="1") == ["a", "c"]
    assert names(tagName=mark, tagValue="2") == []
    assert names(tagName=mark, tagValue="%22") == [] and names(tagName=mark.upper()) == []
    assert names(tagName=mark, tagValue="q%22%5C%C3%A9") == ["d"]
    assert names(tagName="x", tagValue=mark) == ["a"]
    assert names(project=a.project) == ["a", "b", "d"]
    assert names(project=a.project, organization=organization) == ["a", "b"]
    assert names(project=a.project, organization=organization.upper()) == ["a", "b"]
    assert names(project=a.project, tagName=mark) == ["a", "b", "d"]
    assert names(project=a.project, tagName=mark, tagValue="1") == ["a"]
    assert names(project=c.project, tagName=mark, tagValue="12") == []
    assert names(organization=other, tagName=mark) == ["d"]
    assert names(organization="never-there", tagName=mark) == [] and names(project=a.project.upper()) == []
    assert names(roleID="x") == []

    b.client.patch(f"{b.path}/tags", {}).expect(204)
    assert names(tagName=mark) == ["a", "c", "d"]
    d.delete().expect()
    assert names(tagName=mark) == ["a", "c"]


def test_tags_of_an_update_are_found(client, stack):
    mark = uuid.uuid4().hex[:12]
    stack.begin(tags={mark: "now"}).complete().expect()
    assert [project for _, project, _ in listed(client, tagName=mark, tagValue="now")[0]] == [stack.project]


def test_members_of_a_listed_stack(client, stack):
    def one():
        (found,) = client.get(f"/api/user/stacks?project={stack.project}").expect(200).json()["stacks"]
        return found

    assert one() == {"id": stack.get()["id"], "orgName": stack.organization, "projectName": stack.project,
                     "stackName": stack.name, "resourceCount": 0, "links": one()["links"]}
    assert one()["links"]["self"].endswith(f"/{stack.organization}/{stack.project}/{stack.name}")
    update = stack.begin()
    assert one()["lastUpdate"] == 0
    update.checkpoint(deployment(root(stack), resource(stack, "a"))).expect()
    update.complete().expect()
    assert abs(one()["lastUpdate"] - time.time()) < 60 and one()["resourceCount"] == 2


def test_an_update_with_a_lapsed_lease_is_not_in_progress(client, stack):
    stack.begin().renew(1).expect(200)
    time.sleep(1.1)
    (found,) = client.get(f"/api/user/stacks?project={stack.project}").expect(200).json()["stacks"]
    assert found["lastUpdate"] > 0
    assert "currentOperation" not in stack.get()


@pytest.mark.parametrize("size", [1, 2, 3, 4, 6, 7])
def test_pages(client, organizations, size):
    """Every stack once, whatever the page and where one organization ends; stacks made meanwhile do no harm."""
    mark, first, second = uuid.uuid4().hex[:12], organizations(), organizations()
    made = [Stack(client, o, f"p{i}", "dev").create(tags={mark: ""}) for o in (first, second) for i in range(3)]
    found, pages = listed(client, tagName=mark, maxResults=size)
    assert found == [(s.organization, s.project, s.name) for s in made]
    assert pages == -(-6 // size)
    assert listed(client, organization=first, maxResults=size)[0] == found[:3]
    for s in made:
        s.delete().expect()


@pytest.mark.parametrize("token", ["x", "_", "00000000-0000-7000-8000-000000000000_y", "' OR 1=1", "__"])
def test_bad_continuation_tokens(client, token):
    client.get(f"/api/user/stacks?continuationToken={token.replace(' ', '%20')}").expect_problem(400)


@pytest.mark.parametrize("size", ["0", "-1", "x", "501", "1e3"])
def test_bad_page_sizes(client, size):
    client.get(f"/api/user/stacks?maxResults={size}").expect_problem(400)


# --- rename ---

REFERENCE = {"4dabf18193072939515e22adb298388d": "5cf8f73096256a8f31e491e813e4eb8e"}


def linked(stack):
    """A state in which every kind of reference says the stack's name."""
    provider = urn(stack, "default", "pulumi:providers:test")
    a, b = urn(stack, "a"), urn(stack, "b")
    return document(
        root(stack),
        resource(stack, "default", "pulumi:providers:test", parent=urn(stack, f"{stack.project}-{stack.name}", "pulumi:pulumi:Stack")),
        resource(stack, "a", provider=f"{provider}::id-default", outputs={"text": b, "n": 1.5}),
        resource(stack, "b", parent=a, dependencies=[a], propertyDependencies={"p": [a]}, deletedWith=a, aliases=[urn(stack, "old")],
                 inputs={"deep": [{"reference": {**REFERENCE, "urn": a, "id": "id-a"}}]}),
        secrets_providers={"type": "service", "state": {"url": "http://x", "owner": stack.organization,
                                                        "project": stack.project, "stack": stack.name}})


def test_rename(stack):
    before = stack.get()
    sealed = stack.client.post(f"{stack.path}/encrypt", {"plaintext": base64.b64encode(b"secret").decode()}).expect(200).json()
    stack.client.patch(f"{stack.path}/tags", {"pulumi:project": stack.project, "a": "b"}).expect(204)
    stack.import_(linked(stack)).expect(200)
    old_text = stack.text()
    new = at(stack, name="Prod", project=stack.project + "-new")
    answer = rename(stack, new.name, new.project).expect(200).json()
    try:
        stack.client.get(stack.path).expect_problem(404)
        assert new.state() == {**linked(new), "deployment": {**linked(new)["deployment"], "resources": [
            *linked(new)["deployment"]["resources"][:2],
            {**linked(new)["deployment"]["resources"][2], "outputs": {"text": urn(stack, "b"), "n": 1.5}},
            linked(new)["deployment"]["resources"][3]]}}
        assert new.text(1) == old_text and new.text(2) == new.text()
        described = new.get()
        assert described["id"] == before["id"] and described["version"] == 2
        assert described["activeUpdate"] == answer["updateId"] and "currentOperation" not in described
        assert described["tags"] == {"pulumi:project": new.project, "a": "b"}
        assert [(u["kind"], u["version"], u["result"]) for u in new.history()] == [("rename", 2, "succeeded"), ("import", 1, "succeeded")]
        opened = new.client.post(f"{new.path}/decrypt", sealed).expect(200).json()
        assert base64.b64decode(opened["plaintext"]) == b"secret"
        found, _ = listed(new.client, tagName="pulumi:project", tagValue=new.project)
        assert found == [(new.organization, new.project, new.name)]
        said = create(new.client, new.organization, new.project.upper(), "prod").expect_problem(409).message
        assert "already exists" in said
        assert new.begin().version == 3
    finally:
        new.cleanup()


def test_rename_without_a_state(stack):
    rename(stack, "other").expect(200)
    other = at(stack, name="other")
    assert other.state() == EMPTY and other.get()["version"] == 1
    rename(other, "OTHER").expect(200)
    rename(at(stack, name="OTHER"), "", "").expect_problem(400)
    rename(at(stack, name="OTHER"), stack.name, stack.project).expect(200)
    assert [u["kind"] for u in stack.history()] == ["rename"] * 3


def test_rename_to_a_taken_name_changes_nothing(stack, new_stack):
    new_stack(stack.project, "Taken")
    stack.import_(linked(stack)).expect(200)
    text, described = stack.text(), stack.get()
    for name in ("Taken", "taken"):
        assert "already exists" in rename(stack, name).expect_problem(409).message
    rename(stack, "a b").expect_problem(400)
    rename(stack, "x" * 101).expect_problem(400)
    rename(stack, "", "p/q").expect_problem(400)
    assert stack.text() == text and stack.get() == described and len(stack.history()) == 1


def test_no_rename_while_an_update_runs(stack):
    update = stack.begin()
    assert "Another update is currently in progress" in rename(stack, "other").expect_problem(409).message
    update.checkpoint(deployment(root(stack))).expect()
    update.complete().expect()
    assert len(stack.history()) == 1


def test_rename_keeps_what_an_abandoned_update_saved(stack):
    update = stack.begin(journal=1)
    update.append(entry(BEGIN, 1), entry(SUCCESS, 1, state=root(stack)))
    update.renew(1).expect(200)
    time.sleep(1.1)
    rename(stack, "other").expect(200)
    other = at(stack, name="other")
    try:
        assert [r["urn"] for r in other.state()["deployment"]["resources"]] == [root(other)["urn"]]
        assert [(u["kind"], u["result"]) for u in other.history()] == [("rename", "succeeded"), ("update", "failed")]
        update.complete().expect_problem(403, 404)
    finally:
        other.cleanup()


def test_rename_of_a_deployment_keeps_every_other_byte(stack):
    text = json.dumps(linked(stack)).replace("1.5", "1.50e0").replace('"id-a"', '"\\u003cid\\/a\\u003e"').encode()
    stack.import_(raw=text).expect(200)
    rename(stack, "other").expect(200)
    other = at(stack, name="other")
    try:
        kept = urn(stack, "b").encode()
        expected = text.replace(urn(stack, f"{stack.project}-{stack.name}", "pulumi:pulumi:Stack").encode(),
                                urn(other, f"{stack.project}-other", "pulumi:pulumi:Stack").encode())
        expected = expected.replace(urn(stack, "").encode().split(b"test:")[0], urn(other, "").encode().split(b"test:")[0])
        expected = expected.replace(b'"text": "' + urn(other, "b").encode(), b'"text": "' + kept)
        expected = expected.replace(b'"stack": "%s"' % stack.name.encode(), b'"stack": "other"')
        assert other.text() == expected
        rename(other, stack.name).expect(200)
        assert stack.text() == text
    finally:
        other.cleanup()


# --- transfer ---

def transfer(stack, to, **more):
    return stack.client.post(f"{stack.path}/transfer", {"toOrg": to, **more})


def test_transfer(stack, organizations):
    there = at(stack, organization=organizations())
    sealed = stack.client.post(f"{stack.path}/encrypt", {"plaintext": "c2VjcmV0"}).expect(200).json()
    mark = uuid.uuid4().hex[:12]
    stack.client.patch(f"{stack.path}/tags", {mark: "x"}).expect(204)
    text = json.dumps(linked(stack)).encode()
    stack.import_(raw=text).expect(200)
    identifier = stack.get()["id"]
    transfer(stack, there.organization.upper()).expect(204)
    try:
        stack.client.get(stack.path).expect_problem(404)
        assert there.get()["id"] == identifier and there.get()["orgName"] == there.organization
        assert there.text() == text.replace(b'"owner": "%s"' % stack.organization.encode(), b'"owner": "%s"' % there.organization.encode())
        assert there.text(1) == text
        assert [u["kind"] for u in there.history()] == ["rename", "import"]
        assert there.client.post(f"{there.path}/decrypt", sealed).expect(200).json()["plaintext"] == "c2VjcmV0"
        assert listed(there.client, tagName=mark)[0] == [(there.organization, there.project, there.name)]
        update = there.begin()
        update.checkpoint(deployment(root(there))).expect()
        update.complete().expect()
    finally:
        there.cleanup()


def test_transfers_that_are_refused(client, stack, organizations, access):
    organization = organizations()
    taken = Stack(client, organization, stack.project.upper(), stack.name).create()
    assert "already exists" in transfer(stack, organization).expect_problem(409).message
    taken.delete().expect()
    transfer(stack, access.other["organization"]).expect_problem(404)
    transfer(stack, "never-there").expect_problem(404)
    transfer(stack, stack.organization).expect_problem(400)
    transfer(stack, organization, stackName="another").expect_problem(400)
    stack.client.post(f"{stack.path}/transfer", {}).expect_problem(400)
    update = stack.begin()
    transfer(stack, organization).expect_problem(409)
    update.complete().expect()
    assert stack.get()["version"] == 1
    assert stack.client.get(f"/api/stacks/{organization}/{stack.project}/{stack.name}").status == 404


# --- the end and the return ---

def deleted(client, organization):
    return client.get(f"/api/orgs/{organization}/restore-stack").expect(200).json()["deletedStacks"]


def restore(client, organization, identifier, body=None):
    return client.post(f"/api/orgs/{organization}/restore-stack/{identifier}", body)


def test_resources_keep_a_stack(stack):
    stack.import_(document(root(stack))).expect(200)
    assert stack.delete(force=False).expect_problem(400).message == "Bad Request: Stack still contains resources."
    stack.client.delete(f"{stack.path}?force=maybe").expect_problem(400)
    assert stack.client.delete(stack.path).expect_problem(400).message == "Bad Request: Stack still contains resources."
    stack.import_(document()).expect(200)
    stack.delete(force=False).expect(204)
    stack.client.get(stack.path).expect_problem(404)
    stack.delete(force=False).expect_problem(404)


@pytest.mark.parametrize("force", [False, True])
def test_a_running_update_keeps_a_stack(stack, force, access):
    update = stack.begin()
    refusal = stack.delete(force).expect_problem(409).message
    assert refusal.startswith("Conflict: Another update is currently in progress.")
    assert f"{access.user} has been running 'update' since 20" in refusal and "run: pulumi cancel" in refusal
    update.renew(1).expect(200)
    time.sleep(1.1)
    stack.delete(force).expect(204)


def test_resources_of_an_abandoned_update_keep_a_stack(stack):
    update = stack.begin(journal=1)
    update.append(entry(BEGIN, 1), entry(SUCCESS, 1, state=root(stack)))
    update.renew(1).expect(200)
    time.sleep(1.1)
    assert stack.delete(force=False).expect_problem(400).message == "Bad Request: Stack still contains resources."
    stack.delete(force=True).expect(204)


def test_a_deleted_stack_comes_back(client, organization, stack):
    mark = uuid.uuid4().hex[:12]
    stack.client.patch(f"{stack.path}/tags", {mark: "x"}).expect(204)
    sealed = client.post(f"{stack.path}/encrypt", {"plaintext": "c2VjcmV0"}).expect(200).json()
    stack.import_(linked(stack)).expect(200)
    before = stack.get(), stack.text(), stack.history()
    stack.delete().expect(204)

    assert listed(client, tagName=mark)[0] == [] and listed(client, project=stack.project)[0] == []
    assert client.call("HEAD", f"/api/stacks/{organization}/{stack.project}").status == 404
    found = deleted(client, organization)[0]
    assert found["programId"] == found["id"] == before[0]["id"] and found["version"] == 1
    assert (found["projectName"], found["stackName"]) == (stack.project, stack.name)
    assert abs(found["deletedAt"] - time.time()) < 60
    assert found["lastUpdate"]["result"] == "succeeded" and found["lastUpdate"]["resourceCount"] == 4
    assert 0 < found["lastUpdate"]["startTime"] <= found["lastUpdate"]["endTime"]

    restore(client, organization, found["id"], {"stackName": "another"}).expect_problem(404)
    restore(client, organization, found["id"], {"stackName": stack.name}).expect(204)
    assert (stack.get(), stack.text(), stack.history()) == before
    assert client.post(f"{stack.path}/decrypt", sealed).expect(200).json()["plaintext"] == "c2VjcmV0"
    assert listed(client, tagName=mark)[0] == [(organization, stack.project, stack.name)]
    restore(client, organization, found["id"]).expect_problem(404)
    assert stack.begin().version == 2


def test_the_name_of_a_deleted_stack_is_free(client, organization, stack):
    stack.import_(document(root(stack))).expect(200)
    stack.delete().expect(204)
    old = deleted(client, organization)[0]["id"]
    second = at(stack, name=stack.name.upper()).create()
    assert second.state() == EMPTY and second.get()["id"] != old
    assert "already exists" in restore(client, organization, old).expect_problem(409).message
    second.delete().expect(204)
    newest = deleted(client, organization)
    assert [s["stackName"] for s in newest[:2]] == [second.name, stack.name]
    assert newest[0]["lastUpdate"] == {"result": "not-started", "startTime": 0, "endTime": 0, "resourceCount": 0}
    restore(client, organization, old).expect(204)
    assert stack.state() == document(root(stack))


def test_a_restored_name_is_taken_without_case(client, organization, new_stack):
    stack = new_stack(name="Dev")
    stack.delete().expect(204)
    restore(client, organization, deleted(client, organization)[0]["id"]).expect(204)
    assert "already exists" in create(client, organization, stack.project, "dev").expect_problem(409).message


def test_strangers_restore_nothing(client, organization, stack, stranger, access):
    identifier = stack.get()["id"]
    stack.delete().expect(204)
    stranger.get(f"/api/orgs/{organization}/restore-stack").expect_problem(404)
    restore(stranger, organization, identifier).expect_problem(404)
    restore(stranger, access.other["organization"], identifier).expect_problem(404)
    for unknown in ("x", str(uuid.uuid4()), "0" * 36):
        restore(client, organization, unknown).expect_problem(404)
    client.get(stack.path).expect_problem(404)
