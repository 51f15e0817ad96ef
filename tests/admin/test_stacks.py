# SPDX-License-Identifier: Apache-2.0
"""pulumi-admin stack, key, check; and what a server says that cannot start."""

import secrets
import shutil
import subprocess

import pytest

from lib.client import BEGIN, SUCCESS, Client, Stack, entry, resource, root
from conftest import BUILD


@pytest.fixture
def client(access):
    return Client(access["url"], access["token"])


@pytest.fixture
def stack(client, access):
    made = Stack(client, access["organization"]).create()
    yield made
    made.cleanup()


def path(stack):
    return f"{stack.organization}/{stack.project}/{stack.name}"


def running(stack, resources=1):
    """An update that has made some resources and goes on."""
    update = stack.begin(journal=1)
    for number in range(resources):
        update.append(entry(BEGIN, number + 1), entry(SUCCESS, number + 1, state=resource(stack, f"r{number}")))
    return update


def test_list_and_show(admin, stack):
    update = running(stack)
    shown = admin.json("stack", "show", "--stack", path(stack))
    assert (shown["stack"], shown["project"], shown["version"], shown["running"], shown["runningBy"]) == ("dev", stack.project, 1, "update", "alice")
    update.complete().expect()
    shown = admin.json("stack", "show", "--stack", path(stack))
    assert (shown["running"], shown["resources"]) == ("", 1)
    listed = [s for s in admin.json("stack", "list", "--organization", stack.organization) if s["project"] == stack.project]
    assert [(s["stack"], s["resources"]) for s in listed] == [("dev", 1)]
    assert not [s for s in admin.json("stack", "list", "--organization", "elsewhere") if s["project"] == stack.project]
    assert "organization/project/stack" in admin.refused("stack", "show", "--stack", "a/b")
    assert "no stack" in admin.refused("stack", "show", "--stack", f"{stack.organization}/nothing/here")
    assert "no organization" in admin.refused("stack", "show", "--stack", "nowhere-at-all/nothing/here")


def test_unlock_keeps_what_was_saved(admin, stack):
    update = running(stack, 3)
    assert "really" in admin.run("stack", "unlock", "--stack", path(stack), "--dry-run")
    assert update.status() == "running"
    assert "cancelled the update of alice" in admin.run("stack", "unlock", "--stack", path(stack))
    assert update.status() == "cancelled"
    assert len(stack.state()["deployment"]["resources"]) == 3
    update.journal(entry(BEGIN, 9, sequenceID=99)).expect_problem(403)
    stack.begin().complete().expect()
    assert "not locked" in admin.run("stack", "unlock", "--stack", path(stack))


def test_delete_and_restore(admin, client, stack):
    running(stack).complete().expect()
    before = stack.text()
    identity = admin.json("stack", "show", "--stack", path(stack))["id"]
    assert "contains resources" in admin.refused("stack", "delete", "--stack", path(stack))
    admin.run("stack", "delete", "--stack", path(stack), "--force", "--dry-run")
    stack.get()
    assert f"--id {identity}" in admin.run("stack", "delete", "--stack", path(stack), "--force")
    client.get(stack.path).expect(404)
    assert identity in [s["id"] for s in admin.json("stack", "list", "--deleted")]
    stack.create()
    assert "already exists" in admin.refused("stack", "restore", "--id", identity)
    stack.delete().expect()
    assert f"restored {path(stack)}" in admin.run("stack", "restore", "--id", identity)
    assert stack.text() == before
    assert "no deleted stack" in admin.refused("stack", "restore", "--id", identity)


# --- keys ---

def encrypt(stack, plain):
    return stack.client.post(f"{stack.path}/encrypt", {"plaintext": plain}).expect(200).json()["ciphertext"]


def decrypt(stack, ciphertext):
    return stack.client.post(f"{stack.path}/decrypt", {"ciphertext": ciphertext}).expect(200).json()["plaintext"]


def test_rotate_while_the_server_runs(installation, admin, client, access):
    stacks = [Stack(client, access["organization"]).create() for _ in range(5)]
    sealed = [encrypt(s, "c2VjcmV0") for s in stacks]
    old = [k for k in admin.json("key", "status") if k["use"] == "seals and opens"]
    assert len(old) == 1 and old[0]["stacks"] >= 5 and old[0]["present"]
    new_file = installation.keys / "z-new.key"
    new_file.write_bytes(secrets.token_bytes(32))
    try:
        assert "key rotate seals them again" in admin.run("key", "status")
        assert admin.json("key", "rotate", "--dry-run")["dataKeys"] == old[0]["stacks"]
        assert admin.json("key", "rotate")["dataKeys"] == old[0]["stacks"]
        status = {k["id"]: k for k in admin.json("key", "status")}
        assert status[old[0]["id"]]["stacks"] == 0
        assert [k["stacks"] for k in status.values() if k["use"] == "seals and opens"] == [old[0]["stacks"]]
        assert [decrypt(s, c) for s, c in zip(stacks, sealed)] == ["c2VjcmV0"] * 5
        assert decrypt(stacks[0], encrypt(stacks[0], "bW9yZQ==")) == "bW9yZQ=="
        assert admin.json("key", "rotate")["dataKeys"] == 0
    finally:
        for s in stacks:
            s.cleanup()


# --- check, and what refuses to start ---

def test_check(installation, admin, tmp_path):
    assert [(f["part"], f["good"]) for f in admin.json("check")] == [("database", True), ("checkpoints", True), ("policy packs", True), ("keys", True)]
    said = admin.refused("check", PULUMI_DATABASE_USER_PASSWORD="wrong", PULUMI_LOCAL_OBJECTS="/nowhere", PULUMI_LOCAL_KEYS=str(tmp_path))
    for word in ("Access denied", "/nowhere", "holds no key"):
        assert word in said
    assert not list((installation.objects / "scratch").glob("*"))


def test_wrong_master_key_is_found(installation, admin, tmp_path):
    (tmp_path / "other.key").write_bytes(secrets.token_bytes(32))
    assert "master key" in admin.refused("key", "status", PULUMI_LOCAL_KEYS=str(tmp_path))


def test_old_schema_is_refused(installation, schema, tmp_path):
    """Every program says which command to run: the API too."""
    folder = tmp_path / "migrations"
    shutil.copytree(schema.migrations, folder)
    last = sorted(folder.glob("*.sql"))[-1]
    settings = {"PULUMI_DATABASE_ENDPOINT": schema.database.endpoint, "PULUMI_DATABASE_NAME": schema.name,
                "PULUMI_DATABASE_USER_NAME": schema.account, "PULUMI_DATABASE_USER_PASSWORD": "it's a \\ secret"}

    def says(program, *arguments):
        done = subprocess.run([BUILD / program, *arguments], env=installation.environment(**settings), capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, check=False, timeout=30)
        assert done.returncode == 1, done
        return done.stderr

    schema.database.sql(f"CREATE DATABASE {schema.name}; CREATE USER '{schema.account}'@'%' IDENTIFIED BY 'it''s a \\\\ secret'; "
                        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {schema.name}.* TO '{schema.account}'@'%'", "mysql")
    assert "no schema yet; run pulumi-migrate up" in says("sql/pulumi-admin", "user", "list")
    last.unlink()
    schema.run("up", PULUMI_MIGRATIONS_DIR=str(folder))
    for program in (("sql/pulumi-admin", "user", "list"), ("fcgi/pulumi-api.fcgi",)):
        said = says(*program)
        assert f"{last.name} was not applied" in said and "run pulumi-migrate up" in said
