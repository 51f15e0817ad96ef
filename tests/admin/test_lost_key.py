# SPDX-License-Identifier: Apache-2.0
"""pulumi-admin key forget: a master key that is lost for good, and the stacks whose secrets it sealed."""

import secrets

import pytest
from conftest import Admin, served
from lib.client import Access, Stack

PLAIN = "c2VjcmV0"


@pytest.fixture
def installation():
    with served(responders=2) as started:
        yield started


@pytest.fixture
def access(installation):
    return Access(installation.access)


def encrypt(stack):
    return stack.client.post(f"{stack.path}/encrypt", {"plaintext": PLAIN})


def decrypt(stack, ciphertext):
    return stack.client.post(f"{stack.path}/decrypt", {"ciphertext": ciphertext})


def opens(stack, ciphertext):
    return decrypt(stack, ciphertext).expect(200).json()["plaintext"] == PLAIN


def sealed(access, number):
    stacks = [Stack(access.client(), access.organization).create() for _ in range(number)]
    return stacks, [encrypt(stack).expect(200).json()["ciphertext"] for stack in stacks]


def test_a_lost_key(installation, access, tmp_path):
    admin = Admin(installation)
    stacks, ciphertexts = sealed(access, 3)
    stacks[2].delete().expect()
    lost = admin.json("key", "status")[0]["id"]
    assert "it is not lost" in admin.refused("key", "forget", "--id", lost, "--accept-loss")

    installation.stop_serve()
    kept = (installation.keys / "master.key").rename(tmp_path / "master.key")
    (installation.keys / "new.key").write_bytes(secrets.token_bytes(32))
    said = admin.refused("key", "status")
    assert lost in said and "3 stacks" in said and "key forget" in said
    assert "never used" in admin.refused("key", "forget", "--id", "0" * 16, "--accept-loss")
    shown = admin.json("key", "forget", "--id", lost, "--dry-run")
    assert shown == {"id": lost, "stacks": 3, "organizations": [{"organization": access.organization, "stacks": 3}]}
    assert "--accept-loss" in admin.refused("key", "forget", "--id", lost)
    assert lost in admin.refused("key", "status"), "it was forgotten without leave"
    assert "secrets of 3 stacks are lost" in admin.run("key", "forget", "--id", lost, "--accept-loss")
    assert "forgotten before" in admin.refused("key", "forget", "--id", lost, "--accept-loss")
    audited = installation.database.sql("SELECT organization_id IS NULL, description FROM audit_events WHERE event = 'admin_forget_key' ORDER BY 1")
    assert audited == [["0", f"master key {lost} was lost: secrets of 3 stacks"], ["1", f"{lost}: 3 stacks"]]
    status = {key["id"]: key for key in admin.json("key", "status")}
    assert (status[lost]["use"], status[lost]["present"], status[lost]["stacks"]) == ("forgotten", False, 3)
    assert admin.json("verify")["good"]
    assert admin.json("key", "rotate", "--dry-run")["dataKeys"] == 0 and admin.json("key", "rotate")["dataKeys"] == 0

    installation.start_serve()
    said = decrypt(stacks[0], ciphertexts[0]).expect_problem(409).message
    assert lost in said and "set each secret again" in said.lower()
    assert decrypt(stacks[0], ciphertexts[0]).status == 409, "the second answer is another"
    assert installation.database.sql("SELECT COUNT(*) FROM stack_keys WHERE lost_master_key_id IS NOT NULL") == [["0"]], "to read gives no key"
    fresh = encrypt(stacks[0]).expect(200).json()["ciphertext"]
    assert opens(stacks[0], fresh)
    said = decrypt(stacks[0], ciphertexts[0]).expect_problem(400).message
    assert lost in said and "set the secret again" in said
    assert decrypt(stacks[1], ciphertexts[1]).status == 409
    assert installation.database.sql("SELECT event, description FROM audit_events WHERE event LIKE '%key-replaced'") == [
        ["stack-key-replaced", f"{stacks[0].project}/dev: the master key {lost} of the old one was lost"]]
    assert opens(*(lambda s, c: (s[0], c[0]))(*sealed(access, 1))), "a new stack"

    # It turns up after all: what was not replaced opens again, and it seals nothing.
    kept.rename(installation.keys / "found.key")
    assert opens(stacks[1], ciphertexts[1])
    status = {key["id"]: key for key in admin.json("key", "status")}
    assert status[lost]["use"] == "opens" and status[lost]["stacks"] == 2
    assert admin.json("key", "rotate")["dataKeys"] == 2
    assert opens(stacks[1], ciphertexts[1])
    (installation.keys / "found.key").rename(installation.keys / "z.key")
    assert "retired" in admin.refused("key", "status")


def test_two_requests_replace_a_lost_key(installation, access):
    """And a backup of such an installation does not ask for the lost key."""
    stacks, _ = sealed(access, 2)
    admin = Admin(installation)
    lost = admin.json("key", "status")[0]["id"]
    installation.stop_serve()
    (installation.keys / "master.key").unlink()
    (installation.keys / "new.key").write_bytes(secrets.token_bytes(32))
    admin.run("key", "forget", "--id", lost, "--accept-loss")
    folder = installation.folder / "backup"
    admin.run("backup", "--to", folder)
    assert f'"id":"{lost}","stacks":0' in (folder / "manifest.json").read_text().replace(" ", "")
    installation.start_serve()
    first, second = (encrypt(stacks[0]).expect(200).json()["ciphertext"] for _ in range(2))
    assert opens(stacks[0], first) and opens(stacks[0], second)
    assert installation.database.sql("SELECT COUNT(*) FROM audit_events WHERE event = 'stack-key-replaced'") == [["1"]]


def test_a_key_that_is_not_lost_is_missed(installation, access):
    """Forgetting one does not forgive another."""
    sealed(access, 1)
    admin = Admin(installation)
    first = admin.json("key", "status")[0]["id"]
    installation.stop_serve()
    (installation.keys / "second.key").write_bytes(secrets.token_bytes(32))
    admin.run("key", "rotate")
    (installation.keys / "master.key").unlink()
    (installation.keys / "second.key").unlink()
    (installation.keys / "third.key").write_bytes(secrets.token_bytes(32))
    second = next(row[0] for row in installation.database.sql("SELECT id FROM master_keys ORDER BY created_at") if row[0] != first)
    admin.run("key", "forget", "--id", first, "--accept-loss")
    assert second in admin.refused("key", "status")
    admin.run("key", "forget", "--id", second, "--accept-loss")
    assert admin.json("key", "status")[-1]["use"] == "seals and opens"
