# SPDX-License-Identifier: Apache-2.0
"""Auth policies of OIDC issuers in a bucket: what an exchange costs, with the command line too, and what an outage does to it."""

import json
import re
import subprocess
import uuid

import pytest

from commandline import CommandLine, Project, Server, thing
from conftest import BUILD, VERSION, an_installation_each, settings_of
from lib.client import Access
from lib.issuer import Issuer, allow, exchange, register
from lib.server import Installation
from proxy import DROP, Reply
from test_buckets import keys, under

SETTING = "PULUMI_SERVICE_METADATA_BLOB_STORAGE_ENDPOINT"
PREFIX = "policies/"
LOGGED_OUT = {"PULUMI_BACKEND_URL": None, "PULUMI_ACCESS_TOKEN": None}


@pytest.fixture(scope="module")
def made():
    """An installation with one responder for each stand-in; its service metadata is there, below a prefix."""
    with an_installation_each() as started:
        yield started


@pytest.fixture
def bucket(store, made):
    if store.name not in made:
        settings = {**settings_of(store), SETTING: store.where(store.proxy.port) + f"&prefix={PREFIX}"}
        made[store.name] = Installation(BUILD, responders=1, environment=settings).start()
    store.proxy.seen.clear()
    return made[store.name]


@pytest.fixture
def client(bucket):
    return Access(bucket.access).client()


@pytest.fixture
def issuer(bucket, tmp_path):
    return Issuer(tmp_path, Access(bucket.access).organization)


def calls(store):
    """What was asked of the store for policies since it was asked last."""
    found = [r.method for r in store.proxy.seen if f"/{PREFIX}organizations/" in r.path]
    store.proxy.seen.clear()
    return found


def lets_in():
    """Definitions for the tokens of these tests, with a text that no other policy has."""
    return [allow(), {"decision": "deny", "tokenType": "organization", "rules": {"sub": uuid.uuid4().hex}}]


def change(client, issuer, policy, *definitions):
    return client.patch(f"/api/orgs/{issuer.organization}/auth/policies/{policy['id']}", {"policies": list(definitions)})


def test_an_exchange_calls_nobody(bucket, store, client, issuer):
    made, policy = register(client, issuer)
    assert calls(store)[0] == "PUT"
    change(client, issuer, policy, *lets_in()).expect(200)
    assert calls(store) == ["PUT"]
    for expected in (["GET"], [], []):
        exchange(client, issuer.organization, issuer.token()).expect(200)
        assert calls(store) == expected
    policy = client.get(f"/api/orgs/{issuer.organization}/auth/policies/oidcissuers/{made['id']}").expect(200).json()
    client.get(f"/api/orgs/{issuer.organization}/oidc/issuers").expect(200)
    assert calls(store) == []
    change(client, issuer, policy, {"decision": "deny", "tokenType": "organization", "rules": {"sub": "*"}}).expect(200)
    exchange(client, issuer.organization, issuer.token()).expect_problem(400)
    change(client, issuer, policy, *policy["policies"]).expect(200)
    calls(store)
    exchange(client, issuer.organization, issuer.token()).expect(200)
    assert calls(store) == [], "a text that comes back is known"
    client.delete(f"/api/orgs/{issuer.organization}/oidc/issuers/{made['id']}").expect(204)
    exchange(client, issuer.organization, issuer.token()).expect_problem(400)


@pytest.mark.parametrize("answer", [Reply(503, b"<Error><Code>SlowDown</Code></Error>"), DROP])
def test_a_store_that_is_away(store, client, issuer, tmp_path, answer):
    """Who was let in before still is; who was not is asked to come again."""
    _, policy = register(client, issuer, *lets_in())
    stranger = Issuer(tmp_path, issuer.organization)
    register(client, stranger, *lets_in())
    exchange(client, issuer.organization, issuer.token()).expect(200)
    store.proxy.before = lambda r: answer if f"/{PREFIX}" in r.path else None
    exchange(client, issuer.organization, issuer.token()).expect(200)
    away = exchange(client, issuer.organization, stranger.token()).expect_problem(503)
    assert int(away.headers["Retry-After"]) > 0 and not re.search(r"polic|organizations/|127\.0\.0\.1|[0-9a-f]{16}", away.message), away
    change(client, issuer, policy, *lets_in()).expect_problem(503)
    store.proxy.good()
    exchange(client, issuer.organization, stranger.token()).expect(200)
    change(client, issuer, policy, *lets_in()).expect(200)
    exchange(client, issuer.organization, issuer.token()).expect(200)


def test_a_damaged_one_lets_nobody_in(bucket, store, client, issuer):
    before = set(keys(under(store, PREFIX)))
    register(client, issuer, {"decision": "deny", "tokenType": "organization", "rules": {"sub": "*", "aud": uuid.uuid4().hex}})
    denies = [key for key in keys(under(store, PREFIX)) if key not in before and b'"aud"' in under(store, PREFIX).run("get", key)]
    text = under(store, PREFIX).run("get", denies[0])
    under(store, PREFIX).run("put", denies[0], data=json.dumps([allow()]).encode())
    exchange(client, issuer.organization, issuer.token()).expect_problem(500)
    assert f"object {denies[0]} is damaged" in bucket.log.read_text()
    under(store, PREFIX).run("put", denies[0], data=text)
    exchange(client, issuer.organization, issuer.token()).expect_problem(400)


def test_the_command_line(bucket, store, client, issuer, tools, tmp_path):
    """It signs in twice with the token of an identity provider, and the policy is read once."""
    register(client, issuer, *lets_in())
    calls(store)
    project = Project(CommandLine(tools, VERSION, tmp_path / "home", Server(bucket.access)), tmp_path / "project")
    for _ in range(2):
        project.run("login", project.cli.server.url, "--oidc-token", issuer.token(), "--oidc-org", issuer.organization, **LOGGED_OUT)
    assert calls(store) == ["GET"]
    assert f"User: {issuer.organization}" in project.run("whoami", "-v", **LOGGED_OUT).out
    project.program({"a": thing("good")})
    project.init(**LOGGED_OUT)
    project.up(**LOGGED_OUT)
    project.destroy(**LOGGED_OUT)
    done = subprocess.run([BUILD / "sql/pulumi-admin", "verify", "--json"], env=bucket.environment(), capture_output=True, text=True,
                          check=False, timeout=300)
    report = json.loads(done.stdout)
    assert report["good"] and report["authPolicies"] >= 1, done
