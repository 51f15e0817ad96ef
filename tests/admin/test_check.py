# SPDX-License-Identifier: Apache-2.0
"""pulumi-admin check: a row for every part that is configured, and one sentence for what does not work."""

import base64
import json
import os
import subprocess
import time

import pytest
from conftest import BUILD

PACKS = "PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS"
FOLDERS = {PACKS: "policy packs", "PULUMI_ENGINE_EVENTS_BLOB_STORAGE_ENDPOINT": "engine events",
           "PULUMI_SERVICE_METADATA_BLOB_STORAGE_ENDPOINT": "service metadata",
           "PULUMI_REGISTRY_PUBLIC_BLOB_STORAGE_ENDPOINT": "public registry",
           "PULUMI_REGISTRY_PRIVATE_BLOB_STORAGE_ENDPOINT": "private registry"}


def findings(admin, code=0, **settings):
    said = admin.run("check", "--json", code=code, **settings)
    return {f["part"]: f for f in json.loads(said.splitlines()[0])}


def certificate(folder, name, days):
    """A key and a certificate that ends that many days from now."""
    key, made = folder / f"{name}.key", folder / f"{name}.crt"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
                    "-out", made, "-subj", "/CN=localhost", "-days", str(max(days, 1))], check=True, capture_output=True)
    if days < 0:
        subprocess.run(["openssl", "req", "-new", "-key", key, "-subj", "/CN=localhost", "-out", folder / "request"], check=True, capture_output=True)
        (folder / "ca").mkdir()
        (folder / "ca/index").touch()
        (folder / "ca/serial").write_text("01\n")
        (folder / "ca.conf").write_text(f"[ca]\ndefault_ca=c\n[c]\ndatabase={folder}/ca/index\nserial={folder}/ca/serial\nnew_certs_dir={folder}/ca\n"
                                        "default_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n")
        subprocess.run(["openssl", "ca", "-batch", "-selfsign", "-config", folder / "ca.conf", "-keyfile", key, "-in", folder / "request",
                        "-out", made, "-notext", "-startdate", "20200101000000Z", "-enddate", "20200201000000Z"], check=True, capture_output=True)
    return {"API_TLS_CERTIFICATE": str(made), "API_TLS_PRIVATE_KEY": str(key)}


def token(**claims):
    parts = [json.dumps(part).encode() for part in ({"alg": "none"}, claims)] + [b"unsigned"]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def test_what_every_installation_has(admin):
    found = findings(admin)
    assert list(found) == ["database", "checkpoints", "policy packs", "keys"]
    assert all(f["good"] for f in found.values())
    assert [f["setting"] for f in found.values()] == ["PULUMI_DATABASE_ENDPOINT", "PULUMI_LOCAL_OBJECTS", PACKS, "PULUMI_LOCAL_KEYS"]
    assert found["checkpoints"]["note"] == "wrote, read, listed, deleted"
    assert "usage: pulumi-admin check" in admin.run("check", "--help")


@pytest.mark.skipif(os.environ.get("PULUMI_TEST_DATABASE") == "tidb", reason="it keeps its commits in its own way")
def test_a_database_that_may_forget_what_it_committed(admin, installation):
    database = installation.database
    (before,), = database.sql("SELECT @@GLOBAL.innodb_flush_log_at_trx_commit")
    try:
        database.sql("SET GLOBAL innodb_flush_log_at_trx_commit = 2")
        found = findings(admin, code=1)["database"]
        assert not found["good"] and "innodb_flush_log_at_trx_commit is 2" in found["problem"] and "set it to 1" in found["problem"]
    finally:
        database.sql(f"SET GLOBAL innodb_flush_log_at_trx_commit = {before}")
    assert findings(admin)["database"]["good"]


def test_a_database_without_a_foreign_key(admin, sql):
    sql("ALTER TABLE journal_batches DROP FOREIGN KEY journal_batches_update")
    try:
        found = findings(admin, code=1)["database"]
        assert not found["good"] and "does not enforce the foreign key journal_batches_update" in found["problem"]
        assert sql("SELECT COUNT(*) FROM journal_batches WHERE update_id = 'no update'") == [["0"]]
    finally:
        sql("ALTER TABLE journal_batches ADD CONSTRAINT journal_batches_update FOREIGN KEY (update_id) REFERENCES updates (id) ON DELETE CASCADE")
    assert findings(admin)["database"]["good"]


def test_every_part(admin, tmp_path):
    settings = {name: str(tmp_path / part) for name, part in FOLDERS.items()}
    for part in FOLDERS.values():
        (tmp_path / part).mkdir()
    settings.update(certificate(tmp_path, "good", 30), PULUMI_LICENSE_KEY=token(exp=int(time.time()) + 86400 * 400))
    found = findings(admin, **settings)
    assert set(found) == {"database", "checkpoints", *FOLDERS.values(), "keys", "certificate", "licence key"}
    assert all(f["good"] for f in found.values()), found
    assert [found[part]["setting"] for part in FOLDERS.values()] == list(FOLDERS)
    assert not [path for part in FOLDERS.values() for path in (tmp_path / part).rglob("*") if path.is_file()]
    said = admin.run("check", **settings).splitlines()
    assert said[0].split() == ["part", "setting", "good", "problem", "note"] and len(said) == 11


@pytest.mark.parametrize("name", FOLDERS)
def test_a_store_that_cannot_be_used(admin, tmp_path, name):
    found = findings(admin, 1, **{name: "/nowhere"})
    bad = found.pop(FOLDERS[name])
    assert not bad["good"] and bad["setting"] == name and bad["problem"].startswith(f"{name}: cannot use folder /nowhere"), bad
    assert all(f["good"] for f in found.values())


def test_states_and_policy_packs_in_one_folder(admin, installation, tmp_path):
    (tmp_path / "link").symlink_to(installation.objects)
    for where in (installation.objects, tmp_path / "link"):
        problem = findings(admin, 1, **{PACKS: str(where)})["policy packs"]["problem"]
        assert PACKS in problem and "PULUMI_LOCAL_OBJECTS" in problem, problem
    assert not list(installation.objects.glob("scratch/*"))


def test_a_folder_that_is_full_or_read_only(admin, tmp_path):
    """A folder where a file stands in the way: a look at it would not have shown that."""
    (tmp_path / "scratch").write_text("in the way")
    problem = findings(admin, 1, **{PACKS: str(tmp_path)})["policy packs"]["problem"]
    assert problem.startswith(f"{PACKS}: object store: cannot "), problem


def test_certificates(admin, tmp_path):
    good = certificate(tmp_path, "one", 30)
    assert "expires on 20" in findings(admin, **good)["certificate"]["note"]
    other = certificate(tmp_path, "other", 30)
    mixed = {**good, "API_TLS_PRIVATE_KEY": other["API_TLS_PRIVATE_KEY"]}
    assert "does not belong to" in findings(admin, 1, **mixed)["certificate"]["problem"]
    assert "is not set although" in findings(admin, 1, API_TLS_CERTIFICATE=good["API_TLS_CERTIFICATE"])["certificate"]["problem"]
    assert "cannot read /nowhere" in findings(admin, 1, **{**good, "API_TLS_PRIVATE_KEY": "/nowhere"})["certificate"]["problem"]
    ended = certificate(tmp_path, "ended", -1)
    assert "expired on 2020-02-01" in findings(admin, 1, **ended)["certificate"]["problem"]


@pytest.mark.parametrize("key, note", [
    (token(exp=1893456000), "expires on 2030-01-01"),
    (token(exp=1577836800), "expired on 2020-01-01"),
    (token(exp="soon"), "says no expiry"),
    (token(exp=10**30), "says no expiry"),
    (token(name="somebody"), "says no expiry"),
    ("a.b.c", "says no expiry"),
    ("..", "says no expiry"),
    ("a-licence", "says no expiry"),
])
def test_a_licence_key_gates_nothing(admin, key, note):
    found = findings(admin, PULUMI_LICENSE_KEY=key)["licence key"]
    assert found["good"] and found["note"] == f"{note}; not needed by this server"


@pytest.mark.parametrize("key, ends", [
    (token(exp=1893456000), "2030-01-01T00:00:00.000Z"),
    (token(exp=1577836800), "2020-01-01T00:00:00.000Z"),
    (token(name="somebody"), None),
    ("a-licence", None),
    ("", None),
])
def test_clients_are_told_when_the_licence_ends(installation, access, key, ends):
    head = (f"GET /api/orgs/{access['organization']}/metadata HTTP/1.1\r\nHost: x\r\nAuthorization: token {access['token']}\r\n\r\n").encode()
    done = subprocess.run([BUILD / "fcgi/pulumi-api.fcgi", "--once"], input=head, capture_output=True, check=False, timeout=60,
                          env=installation.environment(PULUMI_LICENSE_KEY=key))
    assert done.returncode == 0 and b" 200 " in done.stdout.splitlines()[0], done
    assert json.loads(done.stdout.split(b"\r\n\r\n", 1)[1]).get("subscriptionPeriodEnd") == ends
