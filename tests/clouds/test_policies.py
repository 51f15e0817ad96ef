# SPDX-License-Identifier: Apache-2.0
"""Policy packs in a bucket: the command line uploads and downloads by itself, at addresses that the store checks."""

import http.client
import json
import urllib.parse

import pytest

from commandline import CommandLine, Project, Server, thing
from conftest import BUILD, VERSION, an_installation_each, settings_of
from lib.client import Access
from lib.policies import Packs, archive
from lib.server import Installation

pytestmark = pytest.mark.addresses

SETTING = "PULUMI_POLICY_PACK_BLOB_STORAGE_ENDPOINT"
LOCAL = "PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS"


@pytest.fixture(scope="module")
def buckets():
    """An installation for each stand-in whose policy packs are there, below a prefix."""
    with an_installation_each() as made:
        yield made


@pytest.fixture
def bucket(store, buckets):
    if store.name not in buckets:
        settings = {**settings_of(store), SETTING: store.where() + "&prefix=archives/", LOCAL: ""}
        buckets[store.name] = Installation(BUILD, responders=2, environment=settings).start()
    return buckets[store.name]


@pytest.fixture
def packs(bucket):
    access = Access(bucket.access)
    return Packs(access.client(), access.organization)


def call(method, url, data=None, headers=()):
    """A call with nothing but what the address and its headers say."""
    parts = urllib.parse.urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=60)
    connection.request(method, f"{parts.path}?{parts.query}", data, dict(headers))
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def begin(packs, store, name, tag="1"):
    made = packs.begin(name, tag).expect(201).json()
    assert urllib.parse.urlsplit(made["uploadURI"]).port == store.port, made
    return made


def test_an_upload_and_a_download(bucket, store, packs):
    made = begin(packs, store, "plain")
    assert made.get("requiredHeaders", {}) == ({"x-ms-blob-type": "BlockBlob"} if store.scheme == "azblob" else {})
    packs.complete("plain", "1").expect_problem(400)
    assert call("PUT", made["uploadURI"], archive("first"), made.get("requiredHeaders", {}))[0] in (200, 201)
    packs.complete("plain", "1").expect(204)
    # Once more, while the address is good: what was published stays.
    assert call("PUT", made["uploadURI"], archive("second"), made.get("requiredHeaders", {}))[0] in (200, 201)
    packs.change(addPolicyPack={"name": "plain"}).expect(204)
    stack = packs.client.post(f"/api/stacks/{packs.organization}/clouds", {"stackName": "dev"})
    assert stack.status in (200, 409)
    [required] = packs.client.get(f"/api/stacks/{packs.organization}/clouds/dev/policypacks").expect(200).json()["requiredPolicies"]
    assert call("GET", required["packLocation"]) == (200, archive("first"))
    assert call("GET", required["packLocation"].replace("/archives/", "/others/"))[0] == 403
    assert call("PUT", required["packLocation"], archive("third"), {"x-ms-blob-type": "BlockBlob"})[0] == 403
    assert call("GET", made["uploadURI"])[0] == 403
    packs.change(removePolicyPack={"name": "plain"}).expect(204)


def test_more_than_a_pack_may_have(bucket, store, packs):
    """A store takes it; the server does not even read it."""
    made = begin(packs, store, "large")
    assert call("PUT", made["uploadURI"], bytes((64 << 20) + 1), made.get("requiredHeaders", {}))[0] in (200, 201)
    packs.complete("large", "1").expect_problem(413)


def test_the_command_line(bucket, store, packs, tools, tmp_path):
    project = Project(CommandLine(tools, VERSION, tmp_path / "home", Server(bucket.access)), tmp_path / "project")
    project.init()
    folder = tmp_path / "pack"
    folder.mkdir()
    (folder / "PulumiPolicy.yaml").write_text("runtime: testpolicy\n")
    (folder / "policy.json").write_text(json.dumps({"Name": "rules", "Version": "1", "Policies": [{"Name": "no-bad", "Level": "mandatory", "Word": "bad"}]}))
    project.cli.run("policy", "publish", project.organization, cwd=folder)
    reference = f"{project.organization}/rules"
    project.run("policy", "enable", reference, "latest")
    project.program({"a": thing("bad")})
    assert "the word bad is not wanted" in project.on("up", "--yes", "--skip-preview", fails=True).text
    project.run("policy", "disable", reference)
    project.up()
    project.run("policy", "rm", reference, "all", "--yes")
    project.destroy()
