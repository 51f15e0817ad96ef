# SPDX-License-Identifier: Apache-2.0
"""Archives of policy packs: verified, backed up, moved to another store, swept; and the keys that sign addresses."""

import hashlib
import shutil
import signal
import subprocess

import pytest
from conftest import BUILD, Admin, age, job, once, problems, second_installation, served
from lib.client import Access, Client, Stack
from lib.policies import Packs, archive, local, policy
from lib.server import Installation

SETTING = "PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS"
HOUR, DAY = 3600, 86400


@pytest.fixture(scope="module")
def installation():
    with served(responders=2) as started:
        yield started


@pytest.fixture(scope="module")
def access(installation):
    return Access(installation.access)


@pytest.fixture
def packs(access):
    return Packs(access.client(), access.organization)


def stored(installation, sql, name):
    """The archive of the only version of a pack."""
    [[version, digest]] = sql("SELECT v.id, LOWER(HEX(v.sha256)) FROM policy_pack_versions v JOIN policy_packs p ON p.id = v.policy_pack_id "
                              f"WHERE p.name = '{name}'")
    return installation.packs / "policypacks" / version / f"{digest}.tgz"


def test_what_is_kept_has_its_digest_for_a_name(installation, sql, packs, name):
    packs.publish(name, "1", data=archive("kept"))
    path = stored(installation, sql, name)
    assert path.read_bytes() == archive("kept") and path.name == hashlib.sha256(archive("kept")).hexdigest() + ".tgz"
    assert list(path.parent.iterdir()) == [path], "the upload is gone"


def test_without_a_place_for_them(installation, access, packs, admin, name):
    """Publishing says what to set; what is required is not left out in silence."""
    packs.publish(name, "1")
    packs.change(addPolicyPack={"name": name}).expect(204)
    stack = Stack(access.client(), access.organization).create()
    installation.stop_serve()
    installation.start_serve(**{SETTING: ""})
    try:
        answer = packs.begin(name, "2").expect_problem(400)
        assert SETTING in answer.message
        access.client().post(f"{stack.path}/update", {"name": "n", "runtime": "yaml", "options": {}, "config": {}, "metadata": {}}).expect_problem(500)
        assert SETTING in installation.log.read_text()
        assert any("no place for policy packs is configured" in p for p in problems(admin, 1, **{SETTING: ""}))
    finally:
        installation.stop_serve()
        installation.start_serve()
        packs.change(removePolicyPack={"name": name}).expect(204)
    access.client().post(f"{stack.path}/update", {"name": "n", "runtime": "yaml", "options": {}, "config": {}, "metadata": {}}).expect(200)


def test_verify_reads_them(installation, admin, packs, sql, name):
    packs.publish(name, "1")
    report = admin.json("verify")
    assert report["good"] and report["policyPacks"] >= 1
    path = stored(installation, sql, name)
    good, place = path.read_bytes(), f"policy pack acme/{name} version 1: "
    try:
        path.unlink()
        assert problems(admin, 1) == [f"{place}object {path.relative_to(installation.packs)} is missing"]
        path.write_bytes(good[:-1] + b"x")
        assert problems(admin, 1) == [f"{place}its archive has another digest than its row"]
    finally:
        path.write_bytes(good)
    packs.change(addPolicyPack={"name": name}).expect(204)
    sql(f"UPDATE policy_pack_versions SET status = 'deleted' WHERE id = '{path.parent.name}'")
    assert any("applies a version of a policy pack that is not published" in p for p in problems(admin, 1))
    sql(f"UPDATE policy_pack_versions SET status = 'published' WHERE id = '{path.parent.name}'")
    packs.change(removePolicyPack={"name": name}).expect(204)
    assert problems(admin) == []


def test_a_backup_has_them(installation, access, admin, packs, tmp_path, name):
    packs.publish(name, "1", data=archive(name))
    packs.begin(name, "2").expect(201)
    packs.change(addPolicyPack={"name": name}).expect(204)
    stack = Stack(access.client(), access.organization).create()
    said = admin.json("backup", "--to", tmp_path / "backup")
    assert said["missingObjects"] == 0 and not list((tmp_path / "backup/tables").glob("link_keys*"))
    with second_installation(installation) as second:
        there = Admin(second)
        assert SETTING in there.refused("restore", "--from", tmp_path / "backup", **{SETTING: ""})
        (second.packs / "policypacks/x").mkdir(parents=True)
        (second.packs / "policypacks/x/y").write_bytes(b"z")
        assert "is not empty (policypacks/x/y)" in there.refused("restore", "--from", tmp_path / "backup")
        shutil.rmtree(second.packs / "policypacks")
        there.run("restore", "--from", tmp_path / "backup", code=-signal.SIGKILL, PULUMI_FAULT_POINT="restore.table:1")
        second.database.sql("DELETE FROM claims")     # it would run out in 30 s
        torn = next((second.packs / "policypacks").rglob("*.tgz"))
        torn.write_bytes(bytes(torn.stat().st_size))
        assert there.json("restore", "--from", tmp_path / "backup")["objects"] == said["objects"]
        assert problems(there) == []
        second.start_serve()
        moved = Packs(Client(second.url, access.token), access.organization)
        [required] = moved.required(Stack(moved.client, access.organization, stack.project, stack.name))
        assert moved.client.with_token(None).get(local(required["packLocation"])).expect(200).raw == archive(name)
    packs.change(removePolicyPack={"name": name}).expect(204)


def test_they_move_to_another_store(installation, admin, packs, sql, tmp_path, name):
    packs.publish(name, "1")
    path = stored(installation, sql, name)
    admin.run("objects", "copy", "--from", installation.packs, "--to", tmp_path)
    assert (tmp_path / path.relative_to(installation.packs)).read_bytes() == path.read_bytes()
    assert problems(admin, **{SETTING: str(tmp_path)}) == []
    good = path.read_bytes()
    path.write_bytes(good[:-1] + b"x")
    (tmp_path / path.relative_to(installation.packs)).unlink()
    assert "is damaged" in admin.run("objects", "copy", "--from", installation.packs, "--to", tmp_path, code=1)
    path.write_bytes(good)


def test_the_sweep_takes_what_no_row_names(installation, packs, sql, name):
    packs.publish(name, "1")
    kept = stored(installation, sql, name)
    made = packs.begin(name, "2").expect(201).json()
    packs.upload(made["uploadURI"], archive()).expect(200)
    [[version]] = sql("SELECT v.id FROM policy_pack_versions v JOIN policy_packs p ON p.id = v.policy_pack_id "
                      f"WHERE p.name = '{name}' AND v.status = 'uploading'")
    upload = kept.parents[1] / version / "upload"
    deleted = packs.publish(f"{name}-gone", "1")
    gone = stored(installation, sql, f"{name}-gone")
    packs.client.delete(f"{packs.path}/{name}-gone/versions/{deleted['version']}").expect(200)
    again = kept.with_name("upload")
    again.write_bytes(archive())
    strange = kept.parents[1] / "notes.txt"
    strange.write_bytes(b"x")
    for path in (kept, upload, gone, strange):
        age(path, 40 * DAY)
    job(installation, "sweep-objects")
    assert again.exists(), "it is young"
    age(again, 25 * HOUR)
    job(installation, "sweep-objects")
    assert not again.exists() and not gone.exists()
    assert kept.exists() and upload.exists() and strange.exists(), "the upload may still be completed"
    sql(f"UPDATE policy_pack_versions SET created_at = UTC_TIMESTAMP(6) - INTERVAL 25 HOUR WHERE id = '{version}'")
    job(installation, "sweep-objects")
    assert not upload.exists() and kept.exists() and strange.exists()
    strange.unlink()
    packs.complete(name, "2").expect_problem(404)
    packs.begin(name, "2").expect(201)


def test_a_kill_between_archive_and_row(installation, packs, sql, name):
    """The client says once more that it is complete."""
    made = packs.begin(name, "1").expect(201).json()
    packs.upload(made["uploadURI"], archive()).expect(200)
    done = once(installation, "POST", f"{packs.path}/{name}/versions/1/complete", f"token {packs.client.token}",
                PULUMI_FAULT_POINT="pack.kept:1")
    assert done.returncode == -signal.SIGKILL, done
    assert name not in packs.list()
    packs.complete(name, "1").expect(204)
    assert stored(installation, sql, name).read_bytes() == archive()


def test_keys_that_sign_addresses(installation, packs, sql, name):
    """All hosts share one for a day; a new one takes its place, addresses of the old one are good until they end."""
    packs.publish(name, "1")
    sql("DELETE FROM link_keys")
    installation.stop_serve()
    installation.start_serve()
    old = packs.begin(name, "2").expect(201).json()["uploadURI"]
    for _ in range(6):
        packs.begin(f"{name}-other").expect(201)
    assert 1 <= len(sql("SELECT id FROM link_keys")) <= 2, "one for each process that found none"
    sql("UPDATE link_keys SET created_at = created_at - INTERVAL 25 HOUR")
    installation.stop_serve()
    installation.start_serve()
    new = packs.begin(name, "3").expect(201).json()["uploadURI"]
    assert old.partition("&key=")[2][:36] != new.partition("&key=")[2][:36]
    packs.upload(old, archive()).expect(200)
    sql("UPDATE link_keys SET created_at = created_at - INTERVAL 25 HOUR WHERE created_at < UTC_TIMESTAMP(6) - INTERVAL 1 DAY")
    installation.stop_serve()
    installation.start_serve()
    packs.upload(old, archive()).expect_problem(403)
    packs.upload(new, archive()).expect(200)
    job(installation, "purge-tokens")
    assert len(sql("SELECT id FROM link_keys")) == 1


def test_a_key_whose_master_key_is_gone_is_replaced(installation, packs, sql, name):
    packs.begin(name, "1").expect(201)
    sql("UPDATE link_keys SET sealed = REVERSE(sealed)")
    installation.stop_serve()
    installation.start_serve()
    made = packs.begin(name, "2").expect(201).json()
    packs.upload(made["uploadURI"], archive()).expect(200)
    packs.complete(name, "2").expect(204)


@pytest.mark.parametrize("web", ["lighttpd", "apache"])
def test_no_address_is_in_a_log(web, name):
    with Installation(BUILD, responders=1, web=web) as started:
        described = Access(started.access)
        packs = Packs(described.client(), described.organization)
        made = packs.publish(name, "1")
        signature = made["uploadURI"].partition("&signature=")[2]
        started.stop_serve()
        assert len(signature) == 64 and "PUT /api/objects HTTP/1.1" in (started.logs / "access.log").read_text()
        for path in started.logs.iterdir():
            assert signature not in path.read_text(errors="replace"), path


def test_where_clients_reach_this_server(installation, packs, name):
    """A proxy that ends TLS says so, or the setting does."""
    def begun(**headers):
        return packs.client.post(packs.path, {"name": name, "policies": [policy()]}, headers=headers).expect(201).json()["uploadURI"]

    host = f"127.0.0.1:{installation.port}"
    assert begun().startswith(f"http://{host}/api/objects?")
    assert begun(**{"X-Forwarded-Proto": "https"}).startswith(f"https://{host}/api/objects?")
    installation.stop_serve()
    installation.start_serve(PULUMI_API_DOMAIN="https://api.example.com")
    assert begun(**{"X-Forwarded-Proto": "http"}).startswith("https://api.example.com/api/objects?")
    installation.stop_serve()
    for wrong in ("https://api.example.com/", "api.example.com/x", "https://", "a b", "x@api.example.com"):
        done = subprocess.run([BUILD / "fcgi/pulumi-api.fcgi", "--once"], input=b"GET /api/status HTTP/1.1\r\nHost: x\r\n\r\n", capture_output=True,
                              env=installation.environment(PULUMI_API_DOMAIN=wrong), check=False, timeout=60)
        assert done.returncode and b"PULUMI_API_DOMAIN: '" in done.stderr, (wrong, done)
    installation.start_serve()
