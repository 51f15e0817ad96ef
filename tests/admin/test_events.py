# SPDX-License-Identifier: Apache-2.0
"""Large batches of engine events in a store of their own: written, read with the small ones, verified, moved, swept."""

import hashlib
import json
import os
import shutil
import signal
import uuid

import pytest
from conftest import Admin, age, job, once, problems, second_installation, served
from lib.client import Access, Client, Stack

SETTING = "PULUMI_ENGINE_EVENTS_BLOB_STORAGE_ENDPOINT"
HOUR, DAY = 3600, 86400
LARGE = 200_000     # bytes that do not compress, in hex


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("events")


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


def event(sequence, size=0):
    return {"sequence": sequence, "timestamp": 1700000000 + sequence,
            "stdoutEvent": {"message": os.urandom(size // 2).hex() if size else f"line {sequence}", "color": "raw"}}


def stack_id(sql, stack):
    return sql(f"SELECT id FROM stacks WHERE project = '{stack.project}'")[0][0]


def objects(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def rows(sql, update):
    return sql(f"SELECT first_sequence, in_object, LENGTH(body), LOWER(HEX(digest)) FROM event_batches WHERE update_id = '{update.id}' "
               "ORDER BY first_sequence")


def read_all(update):
    """All pages."""
    events, token = [], None
    while True:
        page = update.read_events(token)
        events += page["events"]
        token = page.get("continuationToken")
        if not token or (not page["events"] and update.status() == "running"):
            return events


def mixed(stack):
    """An update whose batches are small and large by turns."""
    update = stack.begin(journal=1)
    batches = [[event(0), event(1)], [event(2, LARGE), event(3)], [event(4)], [event(5, 2 * LARGE)], [event(6)]]
    for batch in batches:
        update.events(*batch).expect()
    return update, [one for batch in batches for one in batch]


def test_large_batches_are_objects(stack, sql, folder):
    update, sent = mixed(stack)
    assert [(r[0], r[1]) for r in rows(sql, update)] == [("0", "0"), ("2", "1"), ("4", "0"), ("5", "1"), ("6", "0")]
    assert [r[2] for r in rows(sql, update) if r[1] == "1"] == ["0", "0"]
    below = folder / "stacks" / stack_id(sql, stack) / "events" / update.id
    assert sorted(path.name for path in below.iterdir()) == sorted(r[3] for r in rows(sql, update) if r[1] == "1")
    assert read_all(update) == sent
    update.complete().expect()
    assert read_all(update) == sent
    assert update.read_events("3")["events"] == sent[3:]


def test_the_text_has_the_digest_of_its_name(stack, sql, folder):
    update = stack.begin(journal=1)
    raw = json.dumps({"events": [event(0, LARGE)]}).encode()
    update.holder.post(f"{update.path}/events/batch", raw=raw).expect()
    stored = folder / "stacks" / stack_id(sql, stack) / "events" / update.id / hashlib.sha256(raw).hexdigest()
    assert stored.read_bytes() == raw
    update.complete().expect()


def test_many_large_batches_have_pages(stack):
    update = stack.begin(journal=1)
    sent = [event(number, LARGE) for number in range(23)]
    for one in sent:
        update.events(one).expect()
    first = update.read_events()
    assert 0 < len(first["events"]) < 23
    update.complete().expect()
    assert read_all(update) == sent


def test_a_batch_that_arrives_twice(stack, sql):
    update = stack.begin(journal=1)
    one = event(0, LARGE)
    for _ in range(2):
        update.events(one).expect()
    assert len(rows(sql, update)) == 1 and read_all(update) == [one]
    update.complete().expect()


def test_nobody_without_the_lease_writes_an_object(access, stack, folder):
    update = stack.begin(journal=1)
    before = objects(folder)
    stranger = access.client().with_token("x" * 40, "update-token")
    stranger.post(f"{update.path}/events/batch", {"events": [event(0, LARGE)]}, compress=True).expect(401, 403)
    assert objects(folder) == before
    other = Stack(access.client(), access.organization).create().begin(journal=1)
    stranger = access.client().with_token(other.token, "update-token")
    stranger.post(f"{update.path}/events/batch", {"events": [event(0, LARGE)]}, compress=True).expect(401, 403)
    assert objects(folder) == before
    update.events(event(0), {"sequence": "none", "padding": os.urandom(LARGE).hex()}).expect_problem(400)
    assert objects(folder) == before


def test_a_store_that_is_away_is_an_answer_of_503(installation, stack, folder):
    """What was acknowledged is kept; what was not comes again."""
    update, sent = mixed(stack)
    away = folder.with_name("away")
    folder.rename(away)
    try:
        update.events(event(7, LARGE)).expect_problem(503)
        update.events(event(7)).expect()
        stack.client.get(f"{update.path}/events").expect_problem(500, 503)
    finally:
        away.rename(folder)
    late = event(8, LARGE)
    update.events(late).expect()
    got = read_all(update)
    assert got[:-2] == sent and got[-1] == late
    update.complete().expect()


def test_without_the_setting_the_database_has_all(stack, sql, installation, folder, tmp_path):
    """One responder without the setting: what it is sent goes into a row; what is an object it cannot read, and says why."""
    update, sent = mixed(stack)
    before = objects(folder)
    body = json.dumps({"events": [event(7, LARGE)]}).encode()
    answer = once(installation, "POST", f"{update.path}/events/batch", f"update-token {update.token}", body, **{SETTING: ""}).stdout
    assert " 200" in answer.split("\n")[0] or " 204" in answer.split("\n")[0], answer[:300]
    assert rows(sql, update)[-1][:2] == ["7", "0"] and objects(folder) == before
    done = once(installation, "GET", f"{update.path}/events", f"token {stack.client.token}", **{SETTING: ""})
    assert " 500" in done.stdout.split("\n")[0] and f"{SETTING} is not set any more" in done.stderr, done
    assert read_all(update)[:-1] == sent
    update.complete().expect()


def test_verify_reads_them(admin, stack, sql, folder):
    update, _ = mixed(stack)
    assert problems(admin) == []
    path = folder / "stacks" / stack_id(sql, stack) / "events" / update.id / rows(sql, update)[1][3]
    good = path.read_bytes()
    place = f"event batch 2 of update {update.id}: "
    try:
        path.unlink()
        assert [p for p in problems(admin, 1) if p.startswith(place)] == [f"{place}object {path.relative_to(folder)} is missing"]
        path.write_bytes(good[:-9])
        assert len([p for p in problems(admin, 1) if p.startswith(place)]) == 1
        path.write_bytes(json.dumps({"events": []}).encode())
        sql(f"UPDATE event_batches SET gzip = 0 WHERE update_id = '{update.id}' AND first_sequence = 2")
        assert [p for p in problems(admin, 1) if p.startswith(place)] == [f"{place}its text has another digest than its row"]
    finally:
        path.write_bytes(good)
        sql(f"UPDATE event_batches SET gzip = 1 WHERE update_id = '{update.id}' AND first_sequence = 2")
    assert any(SETTING in p for p in problems(admin, 1, **{SETTING: ""}))
    update.complete().expect()
    assert problems(admin) == []


def test_a_backup_has_them(installation, access, admin, stack, folder, tmp_path):
    update, sent = mixed(stack)
    update.complete().expect()
    said = admin.json("backup", "--to", tmp_path / "backup")
    assert said["missingObjects"] == 0
    copied = {path.name for path in (tmp_path / "backup/objects").rglob(f"events/{update.id}/*")}
    assert copied == {path.name for path in folder.rglob(f"events/{update.id}/*")} and len(copied) == 2
    (tmp_path / "there").mkdir()
    with second_installation(installation, **{SETTING: str(tmp_path / "there")}) as second:
        there = Admin(second)
        assert f"{SETTING} is not set" in there.refused("restore", "--from", tmp_path / "backup", **{SETTING: ""})
        (tmp_path / "there/stacks/x").mkdir(parents=True)
        (tmp_path / "there/stacks/x/y").write_bytes(b"z")
        assert "is not empty (stacks/x/y)" in there.refused("restore", "--from", tmp_path / "backup")
        shutil.rmtree(tmp_path / "there/stacks")
        there.run("restore", "--from", tmp_path / "backup", code=-signal.SIGKILL, PULUMI_FAULT_POINT="restore.table:1")
        second.database.sql("DELETE FROM claims")     # it would run out in 30 s
        torn = next((tmp_path / "there").rglob(f"events/{update.id}/*"))
        torn.write_bytes(bytes(torn.stat().st_size))
        assert there.json("restore", "--from", tmp_path / "backup")["objects"] == said["objects"]
        assert problems(there) == []
        second.start_serve()
        stack.client = Client(second.url, access.token)
        assert read_all(update) == sent


def test_the_sweep_takes_what_no_row_names(installation, stack, sql, folder):
    update, sent = mixed(stack)
    identifier = stack_id(sql, stack)
    mine = objects(folder / "stacks" / identifier)
    assert len(mine) == 2

    def garbage(path, seconds):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"garbage")
        age(path, seconds)
        return path

    below = folder / "stacks" / identifier / "events" / update.id
    old, young = garbage(below / ("ab" * 32), 25 * HOUR), garbage(below / ("cd" * 32), 23 * HOUR)
    in_a_row = garbage(below / rows(sql, update)[0][3], 25 * HOUR)      # the text of a row that has it itself
    nobody = garbage(folder / "stacks" / str(uuid.uuid4()) / "events" / update.id / mine[0].name, 25 * HOUR)
    ended = garbage(folder / "stacks" / identifier / "events" / str(uuid.uuid4()) / mine[0].name, 25 * HOUR)
    scratch = garbage(folder / "scratch" / "dead", 25 * HOUR)
    strange = garbage(below / "notes.txt", 90 * DAY)
    states = garbage(folder / "stacks" / identifier / "checkpoints" / f"{'ab' * 32}.json.gz", 90 * DAY)
    for path in mine:
        age(path, 40 * DAY)
    assert "objects=3" in job(installation, "sweep-objects")
    assert not any(path.exists() for path in (nobody, ended, scratch))
    assert all(path.exists() for path in (*mine, old, in_a_row, young, strange, states)), "a batch may arrive again while the update runs"
    update.complete().expect()
    sql(f"UPDATE updates SET ended_at = UTC_TIMESTAMP(6) - INTERVAL 23 HOUR WHERE id = '{update.id}'")
    job(installation, "sweep-objects")
    assert old.exists()
    sql(f"UPDATE updates SET ended_at = UTC_TIMESTAMP(6) - INTERVAL 25 HOUR WHERE id = '{update.id}'")
    assert "objects=2" in job(installation, "sweep-objects")
    assert not old.exists() and not in_a_row.exists()
    assert all(path.exists() for path in (*mine, young, strange, states))
    for path in (young, strange, states):
        path.unlink()
    assert read_all(update) == sent


def test_a_store_shared_with_the_states(installation, stack, sql, folder):
    """The two sweeps leave each other's objects alone."""
    shared = {SETTING: str(installation.objects)}
    update, _ = mixed(stack)
    target = installation.objects / "stacks" / stack_id(sql, stack) / "events" / update.id
    target.mkdir(parents=True)
    for path in objects(folder / "stacks" / stack_id(sql, stack)):
        shutil.copy(path, target / path.name)
    for path in objects(installation.objects):
        age(path, 40 * DAY)
    before = objects(installation.objects)
    job(installation, "sweep-objects", **shared)
    assert objects(installation.objects) == before
    shutil.rmtree(target)
    update.complete().expect()


def test_they_go_with_their_stack(installation, access, stack, sql, folder):
    update, _ = mixed(stack)
    update.complete().expect()
    other = Stack(access.client(), access.organization).create()
    kept, _ = mixed(other)
    identifier = stack_id(sql, stack)
    assert len(objects(folder / "stacks" / identifier)) == 2
    stack.delete().expect()
    sql(f"UPDATE stacks SET deleted_at = UTC_TIMESTAMP(6) - INTERVAL {31 * DAY} SECOND WHERE id = '{identifier}'")
    assert "stacks=1" in job(installation, "purge-tokens")
    assert objects(folder / "stacks" / identifier) == []
    assert len(objects(folder / "stacks" / stack_id(sql, other))) == 2
    kept.complete().expect()
