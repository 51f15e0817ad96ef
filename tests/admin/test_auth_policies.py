# SPDX-License-Identifier: Apache-2.0
"""Auth policies of OIDC issuers in the store for service metadata: written, believed, verified, moved, swept."""

import hashlib
import json
import shutil
import signal
import uuid

import pytest
from conftest import Admin, age, job, once, problems, second_installation, served
from lib.client import Access, Client
from lib.issuer import ACCESS_TOKEN, GRANT, ID_TOKEN, Issuer, allow, exchange, register

SETTING = "PULUMI_SERVICE_METADATA_BLOB_STORAGE_ENDPOINT"
HOUR, DAY = 3600, 86400
DENY = {"decision": "deny", "tokenType": "organization", "authorizedPermissions": [], "rules": {}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("metadata")


@pytest.fixture(scope="module")
def installation(folder):
    with served(responders=1, environment={SETTING: str(folder)}) as started:
        yield started


@pytest.fixture(scope="module")
def access(installation):
    return Access(installation.access)


@pytest.fixture(scope="module")
def client(access):
    return access.client()


@pytest.fixture
def issuer(access, tmp_path):
    return Issuer(tmp_path, access.organization)


def deny(pattern):
    return {"decision": "deny", "tokenType": "organization", "rules": {"sub": pattern}}


def lets_in():
    """Definitions for the tokens of these tests, with a text that no other policy has."""
    return [allow(), deny(uuid.uuid4().hex)]


def text_of(policy):
    return json.dumps(policy["policies"], separators=(",", ":")).encode()


def row(sql, policy):
    """What the row has: text, id of the object, digest."""
    [found] = sql(f"SELECT policies_json, policies_object_id, LOWER(HEX(policies_sha256)), organization_id FROM auth_policies WHERE id = '{policy['id']}'")
    return found


def stored(folder, sql, policy):
    _, identifier, digest, organization = row(sql, policy)
    return folder / "organizations" / organization / "policies" / identifier / digest


def objects(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def path_of(issuer, policy):
    return f"/api/orgs/{issuer.organization}/auth/policies/{policy['id']}"


def change(client, issuer, policy, *definitions):
    return client.patch(path_of(issuer, policy), {"policies": list(definitions)}).expect(200).json()


def put(installation, issuer, client, policy, definitions, **settings):
    """The same to a responder with settings of its own."""
    body = json.dumps({"policies": definitions}).encode()
    return once(installation, "PATCH", path_of(issuer, policy), f"token {client.token}", body, **settings)


def comes_in(installation, client, issuer, status, **settings):
    """The answer of a responder that remembers nothing yet to a token of the issuer."""
    body = json.dumps({"audience": f"urn:pulumi:org:{issuer.organization}", "grant_type": GRANT, "subject_token_type": ID_TOKEN,
                       "subject_token": issuer.token(), "requested_token_type": f"{ACCESS_TOKEN}organization"}).encode()
    done = once(installation, "POST", "/api/oauth/token", "", body, **settings)
    assert f" {status}" in done.stdout.split("\n")[0], done
    return done


def test_a_text_is_an_object(client, issuer, sql, folder):
    made, first = register(client, issuer)
    denied = stored(folder, sql, first)
    assert row(sql, first)[0] == "[]" and first["policies"] == [DENY]
    assert denied.read_bytes() == text_of(first) and denied.name == hashlib.sha256(text_of(first)).hexdigest()
    changed = change(client, issuer, first, *lets_in())
    path = stored(folder, sql, changed)
    assert changed["version"] == 2 and path.read_bytes() == text_of(changed) and row(sql, changed)[0] == "[]"
    assert path.parent != denied.parent and denied.exists(), "the older one is the sweep's"
    assert client.get(f"/api/orgs/{issuer.organization}/auth/policies/oidcissuers/{made['id']}").expect(200).json() == changed


def test_a_change_counts_at_once(client, issuer):
    made, policy = register(client, issuer, *lets_in())
    exchange(client, issuer.organization, issuer.token()).expect(200)
    for definitions, status in (([DENY], 400), (policy["policies"], 200), ([deny("*")], 400), (policy["policies"], 200)):
        change(client, issuer, policy, *definitions)
        exchange(client, issuer.organization, issuer.token()).expect(status)
    client.delete(f"/api/orgs/{issuer.organization}/oidc/issuers/{made['id']}").expect(204)
    exchange(client, issuer.organization, issuer.token()).expect_problem(400)


def test_an_older_text_that_comes_back_has_another_name(client, issuer, sql, folder):
    _, policy = register(client, issuer, *lets_in())
    first = stored(folder, sql, policy)
    change(client, issuer, policy, DENY)
    change(client, issuer, policy, *policy["policies"])
    again = stored(folder, sql, policy)
    assert again.name == first.name and again != first


def test_a_text_is_read_once(installation, client, issuer, sql, folder):
    """Without the object the responder that has read it goes on, and a new one lets nobody in."""
    _, policy = register(client, issuer, *lets_in())
    exchange(client, issuer.organization, issuer.token()).expect(200)
    path = stored(folder, sql, policy)
    text = path.read_bytes()
    path.unlink()
    exchange(client, issuer.organization, issuer.token()).expect(200)
    assert f"object {path.relative_to(folder)} is missing" in comes_in(installation, client, issuer, 500).stderr
    path.write_bytes(text)
    comes_in(installation, client, issuer, 200)


def test_a_damaged_one_lets_nobody_in(installation, admin, client, issuer, sql, folder):
    made, policy = register(client, issuer, deny("*"), deny(uuid.uuid4().hex))
    tokens = sql("SELECT COUNT(*) FROM access_tokens")
    path = stored(folder, sql, policy)
    text, place, name = path.read_bytes(), f"auth policy {policy['id']}: ", path.relative_to(folder)
    report = admin.json("verify")
    assert report["good"] and report["authPolicies"] >= 1
    try:
        path.write_bytes(text_of({"policies": [allow()]}))
        exchange(client, issuer.organization, issuer.token()).expect_problem(500)
        assert f"object {name} is damaged: its text has another digest" in installation.log.read_text()
        client.get(f"/api/orgs/{issuer.organization}/auth/policies/oidcissuers/{made['id']}").expect_problem(500)
        assert problems(admin, 1) == [f"{place}object {name} is damaged: its text has another digest"]
        path.unlink()
        exchange(client, issuer.organization, issuer.token()).expect_problem(500)
        assert problems(admin, 1) == [f"{place}object {name} is missing"]
    finally:
        path.write_bytes(text)
    assert sql("SELECT COUNT(*) FROM access_tokens") == tokens
    assert any(SETTING in p for p in problems(admin, 1, **{SETTING: ""}))
    identifier = row(sql, policy)[1]
    sql(f"UPDATE auth_policies SET policies_object_id = NULL WHERE id = '{policy['id']}'")
    assert problems(admin, 1) == [f"{place}its row has the digest of an object, and not its name"]
    sql(f"UPDATE auth_policies SET policies_object_id = '{identifier}', policies_sha256 = NULL WHERE id = '{policy['id']}'")
    assert problems(admin, 1) == [f"{place}the row of {identifier} names an object by a digest of 0 bytes"]
    exchange(client, issuer.organization, issuer.token()).expect_problem(500)
    sql(f"UPDATE auth_policies SET policies_sha256 = UNHEX('{path.name}') WHERE id = '{policy['id']}'")
    assert problems(admin) == []


def test_what_is_refused_writes_nothing(access, client, issuer, folder):
    _, policy = register(client, issuer)
    before = objects(folder)
    client.patch(path_of(issuer, policy), {"policies": []}).expect_problem(400)
    client.patch(path_of(issuer, {"id": str(uuid.uuid4())}), {"policies": lets_in()}).expect_problem(404)
    access.other_client().patch(path_of(issuer, policy), {"policies": lets_in()}).expect_problem(404)
    client.with_token(None).patch(path_of(issuer, policy), {"policies": lets_in()}).expect_problem(401)
    client.post(f"/api/orgs/{issuer.organization}/oidc/issuers", {"name": "", "url": issuer.url, "jwks": issuer.jwks()}).expect_problem(400)
    assert objects(folder) == before


def test_a_store_that_is_away_is_an_answer_of_503(client, issuer, sql, folder, tmp_path):
    """Nothing is half written; who was let in before still is."""
    _, policy = register(client, issuer, *lets_in())
    exchange(client, issuer.organization, issuer.token()).expect(200)
    before, other = row(sql, policy), Issuer(tmp_path, issuer.organization)
    away = folder.with_name("away")
    folder.rename(away)
    try:
        client.patch(path_of(issuer, policy), {"policies": [DENY]}).expect_problem(503)
        client.post(f"/api/orgs/{issuer.organization}/oidc/issuers",
                    {"name": "other", "url": other.url, "jwks": other.jwks()}).expect_problem(503)
        assert row(sql, policy) == before and sql(f"SELECT id FROM oidc_issuers WHERE url = '{other.url}'") == []
        exchange(client, issuer.organization, issuer.token()).expect(200)
    finally:
        away.rename(folder)
    change(client, issuer, policy, DENY)
    register(client, other)


def test_without_the_setting_rows_have_all(installation, client, issuer, sql, folder):
    """They keep it until they are changed with the setting; what is an object already is not believed unread."""
    _, policy = register(client, issuer, *lets_in())
    done = comes_in(installation, client, issuer, 500, **{SETTING: ""})
    assert f"{SETTING} is not set any more" in done.stderr
    before, definitions = objects(folder), lets_in()
    done = put(installation, issuer, client, policy, definitions, **{SETTING: ""})
    assert " 200" in done.stdout.split("\n")[0], done
    text, identifier, digest, _ = row(sql, policy)
    assert definitions[1]["rules"]["sub"] in text and (identifier, digest) == ("NULL", "NULL") and objects(folder) == before
    comes_in(installation, client, issuer, 200, **{SETTING: ""})
    exchange(client, issuer.organization, issuer.token()).expect(200)
    assert row(sql, policy)[0] == text and objects(folder) == before
    change(client, issuer, policy, DENY)
    assert stored(folder, sql, policy).exists()


def test_a_version_that_knows_no_objects(client, issuer, sql, folder):
    """What it writes into the row counts, and the older object it cannot have named goes on to mean nothing."""
    _, policy = register(client, issuer, *lets_in())
    sql(f"UPDATE auth_policies SET policies_json = '[{{\"decision\":\"deny\",\"tokenType\":\"organization\"}}]', version = 3 WHERE id = '{policy['id']}'")
    exchange(client, issuer.organization, issuer.token()).expect_problem(400)
    change(client, issuer, policy, *policy["policies"])
    exchange(client, issuer.organization, issuer.token()).expect(200)


def test_a_backup_has_them(installation, access, admin, client, issuer, tmp_path):
    _, policy = register(client, issuer, *lets_in())
    said = admin.json("backup", "--to", tmp_path / "backup")
    assert said["missingObjects"] == 0
    name = hashlib.sha256(text_of(policy)).hexdigest()
    [kept] = (tmp_path / "backup/objects/organizations").rglob(name)
    assert kept.read_bytes() == text_of(policy)
    (tmp_path / "there").mkdir()
    with second_installation(installation, **{SETTING: str(tmp_path / "there")}) as second:
        there = Admin(second)
        refused = there.refused("restore", "--from", tmp_path / "backup", **{SETTING: ""})
        assert f"{SETTING} is not set, and the backup has auth policies that were objects" in refused
        (tmp_path / "there/organizations/x").mkdir(parents=True)
        (tmp_path / "there/organizations/x/y").write_bytes(b"z")
        assert "is not empty (organizations/x/y)" in there.refused("restore", "--from", tmp_path / "backup")
        shutil.rmtree(tmp_path / "there/organizations")
        there.run("restore", "--from", tmp_path / "backup", code=-signal.SIGKILL, PULUMI_FAULT_POINT="restore.table:1")
        second.database.sql("DELETE FROM claims")     # it would run out in 30 s
        [torn] = (tmp_path / "there").rglob(name)
        torn.write_bytes(bytes(torn.stat().st_size))
        strange = torn.with_name("ab" * 32)
        strange.write_bytes(b"z")
        assert "is not empty" in there.refused("restore", "--from", tmp_path / "backup")
        strange.unlink()
        assert there.json("restore", "--from", tmp_path / "backup")["objects"] == said["objects"]
        assert problems(there) == []
        second.start_serve()
        exchange(Client(second.url, access.token), issuer.organization, issuer.token()).expect(200)


def test_they_move_to_another_store(installation, admin, client, issuer, sql, folder, tmp_path):
    _, policy = register(client, issuer, *lets_in())
    path = stored(folder, sql, policy)
    there = tmp_path / "there"
    there.mkdir()
    admin.run("objects", "copy", "--from", folder, "--to", there)
    assert (there / path.relative_to(folder)).read_bytes() == path.read_bytes()
    assert problems(admin, **{SETTING: str(there)}) == []
    comes_in(installation, client, issuer, 200, **{SETTING: str(there)})
    path.write_bytes(path.read_bytes()[:-1] + b" ")
    (there / path.relative_to(folder)).unlink()
    assert "is damaged" in admin.run("objects", "copy", "--from", folder, "--to", there, code=1)
    path.write_bytes(text_of(policy))


def test_the_sweep_takes_what_no_row_names(installation, client, issuer, sql, folder, tmp_path):
    _, policy = register(client, issuer, *lets_in())
    older = stored(folder, sql, policy)
    change(client, issuer, policy, DENY)
    change(client, issuer, policy, *policy["policies"])
    mine = stored(folder, sql, policy)
    deleted = Issuer(tmp_path, issuer.organization)
    made, orphaned = register(client, deleted, *lets_in())
    orphan = stored(folder, sql, orphaned)
    client.delete(f"/api/orgs/{issuer.organization}/oidc/issuers/{made['id']}").expect(204)

    def garbage(path, seconds):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"garbage")
        age(path, seconds)
        return path

    for path in (older, mine, orphan):
        age(path, 40 * DAY)
    old, young = garbage(mine.with_name("ab" * 32), 25 * HOUR), garbage(mine.with_name("cd" * 32), 23 * HOUR)
    elsewhere = garbage(folder / "organizations" / str(uuid.uuid4()) / "policies" / mine.parent.name / mine.name, 25 * HOUR)
    strange = garbage(mine.with_name("notes.txt"), 90 * DAY)
    assert "objects=4" in job(installation, "sweep-objects")
    assert not any(path.exists() for path in (older, orphan, old, elsewhere))
    assert all(path.exists() for path in (mine, young, strange))
    for path in (young, strange):
        path.unlink()
    comes_in(installation, client, issuer, 200)


def test_a_kill_between_object_and_row(installation, client, issuer, sql, folder):
    """Nothing has happened; the client asks again; the sweep takes what is left, a day later."""
    _, policy = register(client, issuer, DENY)
    before, definitions, rows = objects(folder), lets_in(), row(sql, policy)
    done = put(installation, issuer, client, policy, definitions, PULUMI_FAULT_POINT="policy.kept:1")
    assert done.returncode == -signal.SIGKILL, done
    [orphan] = set(objects(folder)) - set(before)
    assert definitions[1]["rules"]["sub"] in orphan.read_text() and row(sql, policy) == rows
    exchange(client, issuer.organization, issuer.token()).expect_problem(400)
    kept = stored(folder, sql, change(client, issuer, policy, *definitions))
    age(kept, 25 * HOUR)
    job(installation, "sweep-objects")
    assert orphan.exists(), "it is young"
    age(orphan, 25 * HOUR)
    job(installation, "sweep-objects")
    assert not orphan.exists() and kept.exists()


def test_a_store_shared_with_states(installation, client, issuer, sql, folder):
    """The sweeps leave each other's objects alone."""
    _, policy = register(client, issuer, *lets_in())
    mine = stored(folder, sql, policy)
    shutil.copytree(folder, installation.objects, dirs_exist_ok=True)
    target = installation.objects / mine.relative_to(folder)
    orphan = target.with_name("ab" * 32)
    orphan.write_bytes(b"garbage")
    named = {stored(installation.objects, sql, {"id": identifier}) for [identifier] in sql("SELECT id FROM auth_policies WHERE policies_json = '[]'")}
    for path in objects(installation.objects):
        age(path, 40 * DAY)
    shared = {SETTING: str(installation.objects), "PULUMI_ENGINE_EVENTS_BLOB_STORAGE_ENDPOINT": str(installation.objects)}
    assert "objects=" in job(installation, "sweep-objects", **shared)
    assert {path for path in objects(installation.objects) if "policies" in path.parts} == named
    shutil.rmtree(installation.objects / "organizations")
