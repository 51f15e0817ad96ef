# SPDX-License-Identifier: Apache-2.0
"""pulumi-admin verify: silent about a good installation, whatever happened to it; names each thing that does not fit."""

import gzip
import os
import threading
import uuid

import pytest
from conftest import Admin, served
from lib.client import BEGIN, SUCCESS, Access, Stack, deployment, document, entry, resource, root


@pytest.fixture(scope="module")
def installation():
    with served(responders=3) as started:
        yield started


@pytest.fixture(scope="module")
def access(installation):
    return Access(installation.access)


@pytest.fixture
def verify(installation):
    admin = Admin(installation)
    return lambda **more: admin.json("verify", **more)


@pytest.fixture
def stack(access):
    return Stack(access.client(), access.organization).create()


def saved(update, name):
    update.append(entry(BEGIN, 1), entry(SUCCESS, 1, new=0, state=resource(update.stack, name)))
    return update


def with_history(stack):
    """Every way of saving state, tags, secrets, events, a preview, and one update that runs."""
    stack.client.post(f"{stack.path}/tags", {"name": "owner", "value": "mé"}).expect()
    stack.client.post(f"{stack.path}/encrypt", {"plaintext": "c2VjcmV0"}).expect(200)
    stack.import_(document(root(stack), resource(stack, "imported"))).expect()
    checkpoint = stack.begin()
    checkpoint.checkpoint(deployment(root(stack), resource(stack, "whole"))).expect()
    checkpoint.complete().expect()
    journal = saved(stack.begin(journal=1), "journalled")
    journal.events({"sequence": 0, "timestamp": 1, "stdoutEvent": {"message": "hello", "color": "raw"}}).expect()
    journal.complete().expect()
    stack.begin("preview").complete().expect()
    cancelled = saved(stack.begin(journal=1), "cancelled")
    cancelled.cancel().expect()
    return saved(stack.begin(journal=1), "running")


# What is broken, how it is repaired ({s}: the stack's id, {u}: the id of its running update), where, the sentence.
ROWS = [
    ("UPDATE stacks SET version = version + 1 WHERE id = '{s}'", "UPDATE stacks SET version = version - 1 WHERE id = '{s}'",
     "stack acme/", "its version is not that of its last update"),
    ("UPDATE stacks SET resource_count = 77 WHERE id = '{s}'", "UPDATE stacks SET resource_count = {c} WHERE id = '{s}'",
     "stack acme/", "counts other resources"),
    ("UPDATE stacks SET checkpoint_version = 77 WHERE id = '{s}'", "UPDATE stacks SET checkpoint_version = 4 WHERE id = '{s}'",
     "stack acme/", "has no checkpoint of the version"),
    ("UPDATE stacks SET checkpoint_version = 2, resource_count = 2 WHERE id = '{s}'",
     "UPDATE stacks SET checkpoint_version = 4, resource_count = {c} WHERE id = '{s}'", "stack acme/", "is not the newest checkpoint"),
    ("UPDATE stacks SET unique_name = 'x' WHERE id = '{s}'",
     "UPDATE stacks SET unique_name = LOWER(CONCAT(project, '/', name)) WHERE id = '{s}'", "stack acme/", "the name that it reserves"),
    ("UPDATE stacks SET active_update_id = '{s}' WHERE id = '{s}'", "UPDATE stacks SET active_update_id = '{u}' WHERE id = '{s}'",
     "stack acme/", "its last update is not there"),
    ("UPDATE stacks SET organization_id = 'x' WHERE id = '{s}'", "UPDATE stacks SET organization_id = '{o}' WHERE id = '{s}'",
     "({s})", "its organization is not there"),
    ("UPDATE stacks SET tags_json = '{{}}' WHERE id = '{s}'", "UPDATE stacks SET tags_json = '{{\"owner\":\"mé\"}}' WHERE id = '{s}'",
     "stack acme/", "its tags are not those"),
    ("UPDATE stack_tags SET value = 'you' WHERE stack_id = '{s}'", "UPDATE stack_tags SET value = 'mé' WHERE stack_id = '{s}'",
     "stack acme/", "its tags are not those"),
    ("UPDATE stack_tags SET organization_id = 'x' WHERE stack_id = '{s}'",
     "UPDATE stack_tags SET organization_id = '{o}' WHERE stack_id = '{s}'", "tag owner of stack {s}", "in another organization"),
    ("UPDATE updates SET organization_id = 'x' WHERE id = '{u}'", "UPDATE updates SET organization_id = '{o}' WHERE id = '{u}'",
     "update {u}", "another organization than its stack"),
    ("UPDATE updates SET base_checkpoint_version = 99 WHERE id = '{u}'", "UPDATE updates SET base_checkpoint_version = 4 WHERE id = '{u}'",
     "update {u}", "the checkpoint that its journal refers to"),
    ("DELETE FROM stack_locks WHERE stack_id = '{s}'", "INSERT INTO stack_locks VALUES ('{s}', '{u}')",
     "update {u}", "runs without the lock"),
    ("UPDATE updates SET status = 'failed' WHERE id = '{u}'", "UPDATE updates SET status = 'running' WHERE id = '{u}'",
     "lock of stack {s}", "no running update"),
    ("UPDATE checkpoints SET bytes = bytes + 1 WHERE stack_id = '{s}' AND version = 2",
     "UPDATE checkpoints SET bytes = bytes - 1 WHERE stack_id = '{s}' AND version = 2", "checkpoint 2 of stack acme/", "bytes, its row says"),
    ("UPDATE checkpoints SET resource_count = 9 WHERE stack_id = '{s}' AND version = 2",
     "UPDATE checkpoints SET resource_count = 2 WHERE stack_id = '{s}' AND version = 2",
     "checkpoint 2 of stack acme/", "has 2 resources, its row says 9"),
    ("INSERT INTO checkpoints SELECT '{u}', 1, sha256, bytes, resource_count, created_at FROM checkpoints WHERE stack_id = '{s}' AND version = 1",
     "DELETE FROM checkpoints WHERE stack_id = '{u}'", "checkpoint 1 of stack {u}", "the stack is not there"),
    ("UPDATE journal_batches SET digest = UNHEX(REPEAT('00', 32)) WHERE update_id = '{u}'",
     "UPDATE journal_batches SET digest = {d} WHERE update_id = '{u}'", "of update {u}", "another digest than its row"),
    ("UPDATE journal_batches SET bytes = bytes + 1 WHERE update_id = '{u}'", "UPDATE journal_batches SET bytes = bytes - 1 WHERE update_id = '{u}'",
     "of update {u}", "bytes, its row says"),
    ("UPDATE journal_batches SET first_sequence = 2 WHERE update_id = '{u}'",
     "UPDATE journal_batches SET first_sequence = 1 WHERE update_id = '{u}'", "of update {u}", "has entry 1, its row says 2 to 2"),
    ("UPDATE journal_batches SET body = NULL WHERE update_id = '{u}'", "UPDATE journal_batches SET body = {b} WHERE update_id = '{u}'",
     "of update {u}", "is missing"),
    ("UPDATE stack_keys SET sealed = CONCAT(LEFT(sealed, LENGTH(sealed) - 1), CHAR(ASCII(RIGHT(sealed, 1)) ^ 1)) WHERE stack_id = '{s}'",
     "UPDATE stack_keys SET sealed = CONCAT(LEFT(sealed, LENGTH(sealed) - 1), CHAR(ASCII(RIGHT(sealed, 1)) ^ 1)) WHERE stack_id = '{s}'",
     "key of stack {s}", "does not open"),
    ("UPDATE stack_keys SET stack_id = '{u}' WHERE stack_id = '{s}'", "UPDATE stack_keys SET stack_id = '{s}' WHERE stack_id = '{u}'",
     "key of stack {u}", "the stack is not there"),
    ("UPDATE organization_members SET role = 'member' WHERE organization_id = '{o}'",
     "UPDATE organization_members SET role = 'admin' WHERE organization_id = '{o}'", "organization acme", "no member administers it"),
    ("INSERT INTO organization_members VALUES ('{o}', 'x', 'member', UTC_TIMESTAMP(6))",
     "DELETE FROM organization_members WHERE user_id = 'x'", "membership of x", "the user is not there"),
    ("INSERT INTO organization_members SELECT 'y', id, 'member', UTC_TIMESTAMP(6) FROM users WHERE login = 'alice'",
     "DELETE FROM organization_members WHERE organization_id = 'y'", "in y", "the organization is not there"),
    ("INSERT INTO access_tokens (id, user_id, token_sha256, created_at) VALUES ('z', 'x', UNHEX(REPEAT('00', 32)), UTC_TIMESTAMP(6))",
     "DELETE FROM access_tokens WHERE id = 'z'", "access token z", "its user or its organization is not there"),
    ("INSERT INTO access_tokens (id, organization_id, role, token_sha256, created_at) VALUES ('z', 'x', 'admin', UNHEX(REPEAT('00', 32)), UTC_TIMESTAMP(6))",
     "DELETE FROM access_tokens WHERE id = 'z'", "access token z", "its user or its organization is not there"),
    ("INSERT INTO access_tokens (id, token_sha256, created_at) VALUES ('z', UNHEX(REPEAT('00', 32)), UTC_TIMESTAMP(6))",
     "DELETE FROM access_tokens WHERE id = 'z'", "access token z", "its user or its organization is not there"),
    ("INSERT INTO oidc_issuers (id, organization_id, name, url, issuer, thumbprints_json, created_at, modified_at) "
     "VALUES ('z', 'x', '', '', '', '[]', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))", "DELETE FROM oidc_issuers WHERE id = 'z'", "OIDC issuer z", "has no auth policy"),
    ("INSERT INTO auth_policies (id, organization_id, issuer_id, version, policies_json, created_at, modified_at) "
     "VALUES ('z', 'x', 'y', 1, '[]', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))", "DELETE FROM auth_policies WHERE id = 'z'", "auth policy z",
     "its OIDC issuer is not there"),
    ("UPDATE users SET default_organization_id = 'x' WHERE login = 'alice'",
     "UPDATE users SET default_organization_id = NULL WHERE login = 'alice'", "user alice", "default organization"),
    ("UPDATE organizations SET owner_user_id = 'x' WHERE id = '{o}'", "UPDATE organizations SET owner_user_id = NULL WHERE id = '{o}'",
     "organization acme", "the user that owns it"),
]


@pytest.fixture(scope="module")
def broken(installation, access):
    """A stack to break, with the names that the statements use."""
    stack = Stack(access.client(), access.organization).create()
    update = with_history(stack)
    sql = installation.database.sql
    s, o, c = sql(f"SELECT id, organization_id, resource_count FROM stacks WHERE project = '{stack.project}'")[0]
    d, b = sql(f"SELECT CONCAT('0x', HEX(digest)), CONCAT('0x', HEX(body)) FROM journal_batches WHERE update_id = '{update.id}'")[0]
    yield {"s": s, "o": o, "c": c, "u": update.id, "d": d, "b": b}
    update.complete().expect()


def problems_of(said, where, sentence):
    return [p for p in said["problems"] if where in p["where"] and sentence in p["problem"]]


@pytest.mark.parametrize("damage, repair, where, sentence", ROWS, ids=[row[0][:60] for row in ROWS])
def test_a_row_that_does_not_fit(installation, verify, broken, damage, repair, where, sentence):
    sql = installation.database.sql
    sql(damage.format(**broken))
    try:
        said = verify(code=1)
        assert problems_of(said, where.format(**broken), sentence), said["problems"]
        assert not said["good"]
    finally:
        sql(repair.format(**broken))
    assert verify()["problems"] == []


OBJECTS = {
    "missing": (lambda text: None, "is missing"),
    "cut off": (lambda text: text[:-20], "is damaged"),
    "empty": (lambda text: b"", "is damaged"),
    "another text": (lambda text: gzip.compress(gzip.decompress(text).replace(b"imported", b"exported")), "has another digest"),
}


@pytest.mark.parametrize("damage", OBJECTS)
def test_an_object_that_does_not_fit(installation, verify, broken, damage):
    digest = installation.database.sql(f"SELECT LOWER(HEX(sha256)) FROM checkpoints WHERE stack_id = '{broken['s']}' AND version = 1")[0][0]
    path = installation.objects / "stacks" / broken["s"] / "checkpoints" / f"{digest}.json.gz"
    text = path.read_bytes()
    change, sentence = OBJECTS[damage]
    path.unlink()
    if change(text) is not None:
        path.write_bytes(change(text))
    try:
        assert problems_of(verify(code=1), "checkpoint 1 of stack acme/", sentence)
        assert sentence in Admin(installation).refused("verify")
    finally:
        path.write_bytes(text)
    assert verify()["good"]


def test_what_cannot_be_looked_at(installation):
    said = Admin(installation).refused("verify", PULUMI_DATABASE_ENDPOINT="unix:/nowhere.sock")
    assert said.startswith("pulumi-admin: ") and "/nowhere.sock" in said


# These leave much behind, which each later verification would read again.

def test_a_good_installation(access, verify, installation):
    client = access.client()
    lived = Stack(client, access.organization).create()
    with_history(lived).complete("failed").expect()
    client.post(f"{lived.path}/rename", {"newName": "prod", "newProject": f"{lived.project}-b"}).expect()
    gone = Stack(client, access.organization).create()
    with_history(gone).complete().expect()
    gone.delete().expect()
    running, empty = (Stack(client, access.organization).create() for _ in range(2))
    update = with_history(running)
    large = resource(running, "large", outputs={"text": os.urandom(5 << 20).hex()})
    update.append(entry(BEGIN, 2), entry(SUCCESS, 2, new=0, state=large))
    plain = empty.begin()
    plain.checkpoint(deployment(resource(empty, "half"))).expect()
    said = verify()
    assert said["good"] and said["problems"] == []
    assert said["stacks"] == int(installation.database.sql("SELECT COUNT(*) FROM stacks")[0][0])
    assert said["checkpoints"] == int(installation.database.sql("SELECT COUNT(*) FROM checkpoints")[0][0]) > 8
    assert said["keys"] == int(installation.database.sql("SELECT COUNT(*) FROM stack_keys")[0][0]) > 2 and said["journals"] >= 4 and said["bytes"] > 1000
    assert "everything fits" in Admin(installation).run("verify")
    update.complete().expect()
    plain.complete().expect()
    assert verify()["good"]


def test_beside_a_server_that_works(access, verify):
    client, stop, failures = access.client(), threading.Event(), []

    def work(i):
        stack = Stack(client, access.organization).create()
        while not stop.is_set():
            try:
                update = saved(stack.begin(journal=1 if i % 2 else None), "a") if i % 2 else stack.begin()
                if not i % 2:
                    update.checkpoint(deployment(resource(stack, uuid.uuid4().hex))).expect()
                stack.client.patch(f"{stack.path}/tags", {"n": uuid.uuid4().hex}).expect()
                update.complete().expect()
            except AssertionError as failure:
                failures.append(failure)
                return

    threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(8):
            assert verify()["problems"] == []
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert not failures
