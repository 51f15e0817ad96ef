# SPDX-License-Identifier: Apache-2.0
"""Large configurations of updates in a bucket: how many calls they cost, and the command line that gets them back."""

import hashlib
import json
import os
import subprocess

import pytest

from commandline import CommandLine, Project, Server, thing
from conftest import BUILD, VERSION, an_installation_each, settings_of
from lib.client import Access, Stack
from lib.server import Installation
from proxy import Reply
from test_buckets import keys, under

SETTING = "PULUMI_SERVICE_METADATA_BLOB_STORAGE_ENDPOINT"
PREFIX = "metadata/"
ROW = 64 << 10


@pytest.fixture(scope="module")
def made():
    """An installation for each stand-in whose service metadata is there, below a prefix."""
    with an_installation_each() as started:
        yield started


@pytest.fixture
def bucket(store, made):
    if store.name not in made:
        settings = {**settings_of(store), SETTING: store.where(store.proxy.port) + f"&prefix={PREFIX}"}
        made[store.name] = Installation(BUILD, responders=2, environment=settings).start()
    return made[store.name]


@pytest.fixture
def stack(bucket):
    access = Access(bucket.access)
    return Stack(access.client(), access.organization).create()


def config(size):
    return {"a:b": {"string": os.urandom(size).hex()[:size]}}


def calls(store):
    """What was asked of the store for service metadata."""
    return [r.method for r in store.proxy.seen if f"/{PREFIX}stacks/" in r.path and "/configurations/" in r.path]


def run(stack, value):
    stack.announce(config=value).begin().complete().expect()


def test_a_call_for_each_text(store, stack):
    large, other = config(3 * ROW), config(2 * ROW)
    store.proxy.seen.clear()
    run(stack, config(1000))
    assert calls(store) == []
    run(stack, large)
    assert calls(store) == ["PUT"]
    for _ in range(4):
        run(stack, large)
    store.proxy.seen.clear()
    assert [u["config"] for u in stack.history("?page=1&pageSize=5")] == [large] * 5
    assert calls(store) == ["GET"], "one text, one call"
    run(stack, other)
    store.proxy.seen.clear()
    assert [u["config"] for u in stack.history()][:6] == [other] + [large] * 5
    assert calls(store) == ["GET", "GET"]
    store.proxy.seen.clear()
    stack.client.get(f"{stack.path}/updates/6/summary").expect(200)
    stack.get()
    stack.export().expect(200)
    assert calls(store) == []


def test_a_store_that_is_away(store, stack):
    large = config(2 * ROW)
    run(stack, large)
    store.proxy.before = lambda r: Reply(503, b"<Error><Code>SlowDown</Code></Error>") if f"/{PREFIX}" in r.path else None
    body = {"name": stack.project, "runtime": "yaml", "options": {}, "config": large, "metadata": {}}
    stack.client.post(f"{stack.path}/update", body).expect_problem(503)
    stack.client.get(f"{stack.path}/updates").expect_problem(503)
    run(stack, config(100))
    assert len(stack.history("?page=1&pageSize=1")) == 1
    store.proxy.good()
    assert len(stack.history()) == 2 and stack.history()[1]["config"] == large
    run(stack, large)


def test_the_command_line(bucket, store, tools, tmp_path):
    """300 KB of configuration: an object; from the history, and to a settings file that lost it."""
    project = Project(CommandLine(tools, VERSION, tmp_path / "home", Server(bucket.access)), tmp_path / "project")
    project.init()
    values = {f"part{i}": f"{i}" + "v" * 59_999 for i in range(5)}
    for name, value in values.items():
        project.on("config", "set", name, value)
    project.on("config", "set", "--secret", "password", "s3cret")
    project.program({"a": thing("good")})
    project.up()
    access = Access(bucket.access)
    [update] = Stack(access.client(), access.organization, project.name, project.stack).history()
    text = json.dumps(update["config"], separators=(",", ":"), ensure_ascii=False).encode()
    assert len(text) > 300_000 and b"s3cret" not in text
    assert [key for key in keys(under(store, PREFIX)) if f"/configurations/{update['updateID']}/{hashlib.sha256(text).hexdigest()}" in key]
    listed = project.history()[0]["config"]
    assert {name: listed[f"{project.name}:{name}"]["value"] for name in values} == values
    assert json.loads(project.on("stack", "history", "--json", "--show-secrets").out)[0]["config"][f"{project.name}:password"]["value"] == "s3cret"
    (project.folder / f"Pulumi.{project.stack}.yaml").unlink()
    project.on("config", "refresh", "--force")
    told = project.on("config", "--json").json()
    assert {name: told[f"{project.name}:{name}"]["value"] for name in values} == values
    project.destroy()
    done = subprocess.run([BUILD / "sql/pulumi-admin", "verify", "--json"], env=bucket.environment(), capture_output=True, text=True,
                          check=False, timeout=300)
    report = json.loads(done.stdout)
    assert report["good"] and report["configurations"] >= 2, done
