# SPDX-License-Identifier: Apache-2.0
"""Large configurations of updates in the store for service metadata: written, listed, verified, moved, swept."""

import hashlib
import json
import os
import shutil
import signal
import uuid

import pytest
from conftest import Admin, age, job, once, problems, second_installation, served
from lib.client import Access, Client, Stack

SETTING = "PULUMI_SERVICE_METADATA_BLOB_STORAGE_ENDPOINT"
HOUR, DAY = 3600, 86400
ROW, LARGEST, PAGE = 64 << 10, 3 << 20, 64 << 20      # bytes of text: in a row, at all, in one answer


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("metadata")


@pytest.fixture(scope="module")
def installation(folder):
    with served(responders=2, environment={SETTING: str(folder)}) as started:
        yield started


@pytest.fixture(scope="module")
def access(installation):
    return Access(installation.access)


@pytest.fixture
def stack(access):
    return Stack(access.client(), access.organization).create()


def config(size):
    """Whose JSON, without blanks, has just this size."""
    return {"a:b": {"string": os.urandom(size).hex()[:size - len('{"a:b":{"string":""}}')]}}


def text_of(value):
    return json.dumps(value, separators=(",", ":")).encode()


def run(stack, value, kind="update"):
    """An update with this configuration; its id."""
    update = stack.announce(kind, config=value).begin()
    update.complete().expect()
    return update.id


def announcement(stack, value):
    return {"name": stack.project, "runtime": "yaml", "options": {}, "config": value, "metadata": {}}


def stack_id(sql, stack):
    return sql(f"SELECT id FROM stacks WHERE project = '{stack.project}'")[0][0]


def objects(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def stored(folder, sql, stack, update, value):
    return folder / "stacks" / stack_id(sql, stack) / "configurations" / update / hashlib.sha256(text_of(value)).hexdigest()


def listed(stack, query=""):
    return [u["config"] for u in stack.history(query)]


def test_large_ones_are_objects(stack, sql, folder):
    small, large = config(ROW), config(ROW + 1)
    first, second = run(stack, small), run(stack, large)
    path = stored(folder, sql, stack, second, large)
    assert objects(folder / "stacks" / stack_id(sql, stack)) == [path] and path.read_bytes() == text_of(large)
    rows = {row[0]: row[1:] for row in sql("SELECT id, LENGTH(config_json), config_bytes, LOWER(HEX(config_sha256)) FROM updates "
                                           f"WHERE stack_id = '{stack_id(sql, stack)}'")}
    assert rows == {first: [str(ROW), "0", "NULL"], second: ["2", str(ROW + 1), path.name]}
    assert listed(stack) == [large, small] == listed(stack, "?page=1&pageSize=10")
    views = stack.client.get(f"{stack.path}/updates?output-type=service").expect(200).json()["updates"]
    assert [v["info"]["config"] for v in views] == [large, small]
    for path, value in (("latest", large), ("2", large), ("1", small)):
        assert stack.client.get(f"{stack.path}/updates/{path}").expect(200).json()["info"]["config"] == value


def test_previews_have_them(stack, sql, folder):
    value = config(2 * ROW)
    update = run(stack, value, "preview")
    assert stored(folder, sql, stack, update, value).read_bytes() == text_of(value)
    [found] = stack.client.get(f"{stack.path}/updates/latest/previews").expect(200).json()["updates"]
    assert found["info"]["config"] == value
    assert stack.client.get(f"{stack.path}/previews/{update}").expect(200).json()["info"]["config"] == value


def test_the_largest(stack, folder):
    run(stack, config(LARGEST))
    before = objects(folder)
    refused = stack.client.post(f"{stack.path}/update", announcement(stack, config(LARGEST + 1))).expect_problem(413)
    assert str(LARGEST) in refused.message and objects(folder) == before
    assert len(text_of(listed(stack)[0])) == LARGEST


def test_a_text_is_read_once_for_all_that_have_it(stack, sql, folder):
    value, other = config(2 * ROW), config(3 * ROW)
    updates = [run(stack, v) for v in (value, value, other, value)]
    older = [stored(folder, sql, stack, update, value) for update in updates[:2]]
    for path in older:
        path.unlink()
    assert listed(stack) == [value, other, value, value]
    stack.client.get(f"{stack.path}/updates/1").expect_problem(500)
    assert stack.client.get(f"{stack.path}/updates/1/summary").expect(200).json()["result"] == "succeeded"
    for path in older:
        path.write_bytes(text_of(value))


def test_an_answer_has_an_end(stack, sql):
    """Large ones are counted before they are read."""
    value = config(2 * ROW)
    for _ in range(3):
        run(stack, value)
    sql(f"UPDATE updates SET config_bytes = {PAGE // 2} WHERE stack_id = '{stack_id(sql, stack)}'")
    refused = stack.client.get(f"{stack.path}/updates").expect_problem(400)
    assert "pageSize" in refused.message and str(PAGE) in refused.message
    assert listed(stack, "?page=1&pageSize=2") == [value, value]
    sql(f"UPDATE updates SET config_bytes = {2 * ROW} WHERE stack_id = '{stack_id(sql, stack)}'")
    assert listed(stack) == [value] * 3


def test_nobody_writes_one_elsewhere(access, stack, folder):
    before, body = objects(folder), announcement(stack, config(2 * ROW))
    access.other_client().post(f"{stack.path}/update", body).expect_problem(404)
    stack.client.post(f"/api/stacks/{stack.organization}/{stack.project}/nothing/update", body).expect_problem(404)
    stack.client.with_token(None).post(f"{stack.path}/update", body).expect_problem(401)
    assert objects(folder) == before


def test_a_store_that_is_away_is_an_answer_of_503(stack, sql, folder):
    """Nothing is half written, and what is in rows goes on."""
    small, large = config(100), config(2 * ROW)
    run(stack, small)
    run(stack, large)
    away = folder.with_name("away")
    folder.rename(away)
    try:
        stack.client.post(f"{stack.path}/update", announcement(stack, large)).expect_problem(503)
        assert sql(f"SELECT COUNT(*) FROM updates WHERE stack_id = '{stack_id(sql, stack)}'") == [["2"]]
        run(stack, small)
        stack.client.get(f"{stack.path}/updates").expect_problem(500, 503)
        assert listed(stack, "?page=1&pageSize=1") == [small]
    finally:
        away.rename(folder)
    assert listed(stack) == [small, large, small]
    run(stack, large)


def test_without_the_setting_rows_have_all(installation, stack, sql, folder):
    """A responder without the setting: what is an object it cannot read, and says why."""
    value = config(2 * ROW)
    run(stack, value)
    before, token = objects(folder), f"token {stack.client.token}"
    done = once(installation, "POST", f"{stack.path}/update", token, text_of(announcement(stack, value)), **{SETTING: ""})
    assert " 200" in done.stdout.split("\n")[0], done
    assert objects(folder) == before
    assert sql("SELECT COUNT(*) FROM updates WHERE config_sha256 IS NULL AND LENGTH(config_json) > 65536 AND "
               f"stack_id = '{stack_id(sql, stack)}'") == [["1"]]
    done = once(installation, "GET", f"{stack.path}/updates", token, **{SETTING: ""})
    assert " 500" in done.stdout.split("\n")[0] and f"{SETTING} is not set any more" in done.stderr, done
    done = once(installation, "POST", f"{stack.path}/update", token, text_of(announcement(stack, config((1 << 20) + 1))), **{SETTING: ""})
    assert " 413" in done.stdout.split("\n")[0], done


def test_a_damaged_one_is_named(installation, admin, stack, sql, folder):
    value = config(2 * ROW)
    update = run(stack, value)
    report = admin.json("verify")
    assert report["good"] and report["configurations"] >= 1
    path = stored(folder, sql, stack, update, value)
    place, name = f"configuration of update {update}: ", path.relative_to(folder)
    try:
        path.write_bytes(text_of(value)[:-1] + b" ")
        stack.client.get(f"{stack.path}/updates").expect_problem(500)
        assert f"object {name} is damaged: its text has another digest" in installation.log.read_text()
        assert problems(admin, 1) == [f"{place}object {name} is damaged: its text has another digest"]
        path.unlink()
        stack.client.get(f"{stack.path}/updates/latest").expect_problem(500)
        assert problems(admin, 1) == [f"{place}object {name} is missing"]
    finally:
        path.write_bytes(text_of(value))
    sql(f"UPDATE updates SET config_bytes = 7 WHERE id = '{update}'")
    assert problems(admin, 1) == [f"{place}has {2 * ROW} bytes, its row says 7"]
    sql(f"UPDATE updates SET config_bytes = {2 * ROW} WHERE id = '{update}'")
    assert any(SETTING in p for p in problems(admin, 1, **{SETTING: ""}))
    assert problems(admin) == []


def test_they_stay_with_a_stack_that_moves(access, stack):
    value = config(2 * ROW)
    run(stack, value)
    stack.client.post(f"{stack.path}/rename", {"newName": "moved", "newProject": f"{stack.project}-too"}).expect()
    moved = Stack(stack.client, stack.organization, f"{stack.project}-too", "moved")
    assert listed(moved)[-1] == value


def test_a_backup_has_them(installation, access, admin, stack, folder, tmp_path):
    value = config(2 * ROW)
    update = run(stack, value)
    said = admin.json("backup", "--to", tmp_path / "backup")
    assert said["missingObjects"] == 0
    assert [p.name for p in (tmp_path / "backup/objects").rglob(f"configurations/{update}/*")] == [hashlib.sha256(text_of(value)).hexdigest()]
    (tmp_path / "there").mkdir()
    with second_installation(installation, **{SETTING: str(tmp_path / "there")}) as second:
        there = Admin(second)
        refused = there.refused("restore", "--from", tmp_path / "backup", **{SETTING: ""})
        assert f"{SETTING} is not set, and the backup has configurations that were objects" in refused
        (tmp_path / "there/stacks/x").mkdir(parents=True)
        (tmp_path / "there/stacks/x/y").write_bytes(b"z")
        assert "is not empty (stacks/x/y)" in there.refused("restore", "--from", tmp_path / "backup")
        shutil.rmtree(tmp_path / "there/stacks")
        there.run("restore", "--from", tmp_path / "backup", code=-signal.SIGKILL, PULUMI_FAULT_POINT="restore.table:1")
        second.database.sql("DELETE FROM claims")     # it would run out in 30 s
        torn = next((tmp_path / "there").rglob(f"configurations/{update}/*"))
        torn.write_bytes(bytes(torn.stat().st_size))
        strange = torn.with_name("ab" * 32)
        strange.write_bytes(b"z")
        assert "is not empty" in there.refused("restore", "--from", tmp_path / "backup")
        strange.unlink()
        assert there.json("restore", "--from", tmp_path / "backup")["objects"] == said["objects"]
        assert problems(there) == []
        second.start_serve()
        assert listed(Stack(Client(second.url, access.token), stack.organization, stack.project, stack.name)) == [value]


def test_they_move_to_another_store(installation, admin, stack, sql, folder, tmp_path):
    value = config(2 * ROW)
    path = stored(folder, sql, stack, run(stack, value), value)
    admin.run("objects", "copy", "--from", folder, "--to", tmp_path)
    assert (tmp_path / path.relative_to(folder)).read_bytes() == path.read_bytes()
    assert problems(admin, **{SETTING: str(tmp_path)}) == []
    path.write_bytes(text_of(value)[:-1] + b" ")
    (tmp_path / path.relative_to(folder)).unlink()
    assert "is damaged" in admin.run("objects", "copy", "--from", folder, "--to", tmp_path, code=1)
    path.write_bytes(text_of(value))


def test_the_sweep_takes_what_no_row_names(installation, stack, sql, folder):
    value = config(2 * ROW)
    update = run(stack, value)
    mine = stored(folder, sql, stack, update, value)

    def garbage(path, seconds):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"garbage")
        age(path, seconds)
        return path

    old, young = garbage(mine.with_name("ab" * 32), 25 * HOUR), garbage(mine.with_name("cd" * 32), 23 * HOUR)
    nobody = garbage(mine.parents[1] / str(uuid.uuid4()) / mine.name, 25 * HOUR)
    elsewhere = garbage(folder / "stacks" / str(uuid.uuid4()) / "configurations" / update / mine.name, 25 * HOUR)
    scratch = garbage(folder / "scratch" / "dead", 25 * HOUR)
    strange = garbage(mine.with_name("notes.txt"), 90 * DAY)
    states = garbage(mine.parents[2] / "checkpoints" / f"{'ab' * 32}.json.gz", 90 * DAY)
    age(mine, 40 * DAY)
    assert "objects=4" in job(installation, "sweep-objects")
    assert not any(path.exists() for path in (old, nobody, elsewhere, scratch))
    assert all(path.exists() for path in (mine, young, strange, states))
    for path in (young, strange, states):
        path.unlink()
    assert listed(stack) == [value]


def test_a_kill_between_object_and_row(installation, stack, sql, folder):
    """Nothing has happened; the client asks again; the sweep takes what is left, a day later."""
    value = config(2 * ROW)
    done = once(installation, "POST", f"{stack.path}/update", f"token {stack.client.token}", text_of(announcement(stack, value)),
                PULUMI_FAULT_POINT="configuration.kept:1")
    assert done.returncode == -signal.SIGKILL, done
    below = folder / "stacks" / stack_id(sql, stack)
    [orphan] = objects(below)
    assert orphan.read_bytes() == text_of(value) and sql(f"SELECT id FROM updates WHERE id = '{orphan.parent.name}'") == []
    update = run(stack, value)
    kept = stored(folder, sql, stack, update, value)
    age(kept, 25 * HOUR)
    job(installation, "sweep-objects")
    assert orphan.exists(), "it is young"
    age(orphan, 25 * HOUR)
    job(installation, "sweep-objects")
    assert objects(below) == [kept] and listed(stack) == [value]


def test_a_store_shared_with_states_and_events(installation, stack, sql, folder):
    """The sweeps leave each other's objects alone."""
    value = config(2 * ROW)
    update = run(stack, value)
    mine = stored(folder, sql, stack, update, value)
    target = installation.objects / mine.relative_to(folder)
    target.parent.mkdir(parents=True)
    shutil.copy(mine, target)
    orphan = target.with_name("ab" * 32)
    orphan.write_bytes(b"garbage")
    for path in objects(installation.objects):
        age(path, 40 * DAY)
    before = objects(installation.objects)
    shared = {SETTING: str(installation.objects), "PULUMI_ENGINE_EVENTS_BLOB_STORAGE_ENDPOINT": str(installation.objects)}
    assert "objects=1 " in job(installation, "sweep-objects", **shared)
    assert objects(installation.objects) == [path for path in before if path != orphan]
    shutil.rmtree(target.parents[1])


def test_they_go_with_their_stack(installation, access, stack, sql, folder):
    run(stack, config(2 * ROW))
    other = Stack(access.client(), access.organization).create()
    run(other, config(2 * ROW))
    identifier = stack_id(sql, stack)
    assert len(objects(folder / "stacks" / identifier)) == 1
    stack.delete().expect()
    sql(f"UPDATE stacks SET deleted_at = UTC_TIMESTAMP(6) - INTERVAL {31 * DAY} SECOND WHERE id = '{identifier}'")
    assert "stacks=1" in job(installation, "purge-tokens")
    assert objects(folder / "stacks" / identifier) == []
    assert len(objects(folder / "stacks" / stack_id(sql, other))) == 1
