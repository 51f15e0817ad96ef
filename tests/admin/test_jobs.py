# SPDX-License-Identifier: Apache-2.0
"""The background jobs, against a whole installation whose clocks are turned in its rows and files."""

import os
import signal
import subprocess
import time
import uuid

import pytest
from conftest import BUILD
from lib.client import BEGIN, SUCCESS, Access, Stack, deployment, document, entry, resource
from lib.server import Installation, wait_for

HOUR, DAY = 3600, 86400


@pytest.fixture(scope="module")
def installation():
    started = Installation(BUILD, responders=2)
    with started:
        yield started
    assert not started.problems()


@pytest.fixture(scope="module")
def access(installation):
    return Access(installation.access)


@pytest.fixture
def stack(access):
    return Stack(access.client(), access.organization).create()


@pytest.fixture
def job(installation):
    """Runs a job; returns what it said."""
    def run(name, *arguments, code=0, **settings):
        done = subprocess.run([BUILD / "cron" / f"pulumi-job-{name}", *arguments], env=installation.environment(**settings),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120,
                              check=False)
        assert done.returncode == code, f"{name}: exit {done.returncode}\n{done.stdout}"
        return done.stdout
    return run


def ago(seconds):
    return f"UTC_TIMESTAMP(6) - INTERVAL {seconds} SECOND"


def a_journal(update, name):
    """Makes one resource."""
    update.append(entry(BEGIN, 1), entry(SUCCESS, 1, new=0, state=resource(update.stack, name)))


def names(stack):
    return [r["urn"].rpartition("::")[2] for r in stack.state()["deployment"].get("resources", [])]


def object_of(installation, stack_id, hex_digest):
    return installation.objects / "stacks" / stack_id / "checkpoints" / f"{hex_digest}.json.gz"


def objects_of(installation, stack_id):
    return sorted((installation.objects / "stacks" / stack_id / "checkpoints").glob("*"))


def age(path, seconds):
    then = time.time() - seconds
    os.utime(path, (then, then))


def stack_id(sql, stack):
    return sql(f"SELECT id FROM stacks WHERE project = '{stack.project}'")[0][0]


# --- expire-leases ---

def assert_recorded(sql, update):
    """The audit log says that nobody ended it, and whose client was not heard from."""
    recorded = sql(f"SELECT description FROM audit_events WHERE user_id IS NULL AND event = 'stack-update-expired' AND description LIKE '%{update.id}%'")
    assert len(recorded) == 1, recorded
    assert recorded[0][0].startswith(f"{update.path}: failed: the client of alice was last heard from at 20")


def test_an_abandoned_update_ends_with_what_it_saved(stack, job, sql):
    update = stack.begin(journal=1)
    a_journal(update, "saved")
    sql(f"UPDATE updates SET lease_expires_at = {ago(7 * 24 * HOUR + HOUR)} WHERE id = '{update.id}'")
    assert update.id in job("expire-leases")
    assert update.status() == "failed"
    assert names(stack) == ["saved"]
    assert_recorded(sql, update)
    stack.begin().complete().expect()


def test_one_that_lapsed_lately_may_come_back(stack, job, sql):
    update = stack.begin(journal=1)
    a_journal(update, "saved")
    sql(f"UPDATE updates SET lease_expires_at = {ago(7 * 24 * HOUR - HOUR)} WHERE id = '{update.id}'")
    assert job("expire-leases") == ""
    assert "nothing was due" in job("expire-leases", "--once")
    assert update.status() == "running"
    update.complete().expect()


def test_one_that_cannot_be_ended_does_not_keep_the_others(installation, access, job, sql):
    client = access.client()
    broken, good = (Stack(client, access.organization).create() for _ in range(2))
    broken.import_(document(resource(broken, "old"))).expect()
    updates = [s.begin(journal=1) for s in (broken, good)]
    for update in updates:
        a_journal(update, "new")
    for path in objects_of(installation, stack_id(sql, broken)):
        path.rename(path.with_suffix(".away"))
    sql(f"UPDATE updates SET lease_expires_at = {ago(8 * 24 * HOUR)} WHERE id = '{updates[0].id}'")
    sql(f"UPDATE updates SET lease_expires_at = {ago(7 * 24 * HOUR + HOUR)} WHERE id = '{updates[1].id}'")
    said = job("expire-leases", code=1)
    assert "level=error" in said and "is missing" in said and "updates=1" in said
    assert [update.status() for update in updates] == ["running", "failed"]
    assert names(good) == ["new"]
    for path in objects_of(installation, stack_id(sql, broken)):
        path.rename(path.with_suffix(".gz"))
    assert updates[0].id in job("expire-leases")
    assert names(broken) == ["new", "old"]


# --- compact-journals ---

def journal_rows(sql, update):
    return int(sql(f"SELECT COUNT(*) FROM journal_batches WHERE update_id = '{update.id}'")[0][0])


def test_journals_go_an_hour_after_the_end(stack, access, job, sql):
    ended = stack.begin(journal=1)
    for i in range(450):
        ended.append(entry(BEGIN, i + 1), entry(SUCCESS, i + 1, new=0, state=resource(stack, f"r{i}")))
    ended.complete().expect()
    running = Stack(access.client(), access.organization).create().begin(journal=1)
    a_journal(running, "kept")
    before = stack.text()
    assert job("compact-journals") == "" and journal_rows(sql, ended) == 450
    sql(f"UPDATE updates SET ended_at = {ago(61 * 60)} WHERE id = '{ended.id}'")
    assert "updates=1 rows=450" in job("compact-journals")
    assert journal_rows(sql, ended) == 0 and journal_rows(sql, running) == 1
    assert stack.text() == before
    running.complete().expect()
    assert names(running.stack) == ["kept"]


def test_two_hosts_compact_at_once(access, installation, sql):
    stacks = [Stack(access.client(), access.organization).create() for _ in range(60)]
    for stack in stacks:
        update = stack.begin(journal=1)
        a_journal(update, "r")
        update.complete().expect()
    sql(f"UPDATE updates SET ended_at = {ago(2 * HOUR)} WHERE ended_at IS NOT NULL")
    both = [subprocess.Popen([BUILD / "cron" / "pulumi-job-compact-journals"], env=installation.environment(), text=True,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(2)]
    said = [process.communicate(timeout=60)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum(int(text.partition("rows=")[2].split()[0]) for text in said if "rows=" in text) >= 60
    assert sql("SELECT COUNT(*) FROM journal_batches b JOIN updates u ON u.id = b.update_id WHERE u.ended_at IS NOT NULL") == [["0"]]


# --- sweep-objects ---

@pytest.fixture
def garbage(installation, stack, sql):
    """Makes an object that no row names, of some age."""
    folder = installation.objects / "stacks" / stack_id(sql, stack) / "checkpoints"

    def make(seconds, path=None):
        path = path or folder / f"{uuid.uuid4().hex * 2}.json.gz"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"garbage")
        age(path, seconds)
        return path
    return make


def test_the_sweep_takes_old_garbage_only(installation, stack, job, sql, garbage):
    for i in range(3):
        stack.import_(document(resource(stack, f"r{i}"))).expect()
    running = stack.begin()
    running.checkpoint(deployment(resource(stack, "saved"))).expect()
    named = objects_of(installation, stack_id(sql, stack))
    assert len(named) == 4
    for path in named:
        age(path, 40 * DAY)
    old, young = garbage(25 * HOUR), garbage(23 * HOUR)
    nobody = garbage(25 * HOUR, installation.objects / "stacks" / str(uuid.uuid4()) / "checkpoints" / f"{'ab' * 32}.json.gz")
    journal = garbage(25 * HOUR, installation.objects / "updates" / running.id / "journal" / ("cd" * 32))
    scratch = garbage(25 * HOUR, installation.objects / "scratch" / "dead")
    writing = garbage(60, installation.objects / "scratch" / "alive")
    others = garbage(90 * DAY, installation.objects / "policypacks" / "pack.tgz")
    strange = garbage(90 * DAY, named[0].parent / "notes.txt")
    assert "objects=4 bytes=28" in job("sweep-objects", "--once")
    assert not any(path.exists() for path in (old, nobody, journal, scratch))
    assert all(path.exists() for path in (*named, young, writing, others, strange))
    assert [stack.state(v)["deployment"]["resources"][0]["urn"].rpartition("::")[2] for v in (1, 2, 3)] == ["r0", "r1", "r2"]
    running.complete().expect()
    assert names(stack) == ["saved"]
    for path in (young, writing, others, strange):
        path.unlink()


def test_a_large_batch_that_a_journal_names_stays(installation, stack, job, sql):
    update = stack.begin(journal=1)
    text = uuid.uuid4().bytes.hex() + os.urandom(5 << 20).hex()
    update.append(entry(BEGIN, 1), entry(SUCCESS, 1, new=0, state=resource(stack, "large", outputs={"text": text})))
    batches = list((installation.objects / "updates" / update.id / "journal").iterdir())
    assert len(batches) == 1
    age(batches[0], 2 * DAY)
    job("sweep-objects", "--once")
    assert batches[0].exists()
    update.complete().expect()
    assert stack.state()["deployment"]["resources"][0]["outputs"]["text"] == text
    sql(f"UPDATE updates SET ended_at = {ago(2 * HOUR)} WHERE id = '{update.id}'")
    job("compact-journals")
    job("sweep-objects", "--once")
    assert not batches[0].exists()


def test_one_host_sweeps_in_six_hours(job, sql, garbage):
    sql("DELETE FROM claims")
    job("sweep-objects")
    left = garbage(2 * DAY)
    job("sweep-objects")
    assert left.exists()
    sql("UPDATE claims SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND WHERE name = 'turn of sweep-objects'")
    assert "objects=1" in job("sweep-objects")
    assert not left.exists()


def test_nothing_is_deleted_while_somebody_copies(job, sql, garbage):
    sql("DELETE FROM claims")
    sql("INSERT INTO claims (name, holder, description, expires_at) "
        f"VALUES ('objects', '{uuid.uuid4()}', 'pulumi-admin backup on h1', UTC_TIMESTAMP(6) + INTERVAL 60 SECOND)")
    left = garbage(2 * DAY)
    assert 'holder="pulumi-admin backup on h1"' in job("sweep-objects")
    assert left.exists()
    sql("DELETE FROM claims WHERE name = 'objects'")
    assert "objects=1" in job("sweep-objects"), "the turn was not given back"


# --- purge-tokens ---

def test_tokens_go_a_month_after_their_end(access, job, sql):
    user = sql(f"SELECT id FROM users WHERE login = '{access.user}'")[0][0]
    for seconds in (29 * DAY, 31 * DAY, -DAY):
        sql("INSERT INTO access_tokens (id, user_id, token_sha256, name, description, created_at, expires_at) VALUES "
            f"('{uuid.uuid4()}', '{user}', UNHEX(SHA2('{uuid.uuid4()}', 256)), '', 'aged {seconds}', UTC_TIMESTAMP(6), {ago(seconds)})")
    organization = sql(f"SELECT id FROM organizations WHERE login = '{access.organization}'")[0][0]
    for seconds in (29 * DAY, 31 * DAY):
        issued = uuid.uuid4()
        sql("INSERT INTO access_tokens (id, organization_id, role, issuer_id, token_sha256, name, description, created_at, expires_at) VALUES "
            f"('{issued}', '{organization}', 'member', '{uuid.uuid4()}', UNHEX(SHA2('{issued}', 256)), '', 'issued {seconds}', UTC_TIMESTAMP(6), {ago(seconds)})")
        sql("INSERT INTO refresh_tokens (token_sha256, family_id, organization_id, issuer_id, role, name, description, scope, lifetime, access_token_id, "
            f"created_at, expires_at) VALUES (UNHEX(SHA2('r{issued}', 256)), '{uuid.uuid4()}', '{organization}', '{uuid.uuid4()}', 'member', '', "
            f"'refreshing {seconds}', '', 7200, '{issued}', UTC_TIMESTAMP(6), {ago(seconds)})")
    assert "tokens=3 stacks=0" in job("purge-tokens", "--once")
    assert sql("SELECT description FROM access_tokens WHERE description LIKE 'issued %'") == [[f"issued {29 * DAY}"]]
    assert sql("SELECT description FROM refresh_tokens WHERE description LIKE 'refreshing %'") == [[f"refreshing {29 * DAY}"]]
    left = {row[0] for row in sql("SELECT description FROM access_tokens WHERE description LIKE 'aged %'")}
    assert left == {f"aged {29 * DAY}", f"aged {-DAY}"}
    assert access.client().get("/api/user").status == 200


OF_A_STACK = {"stacks": "id", "stack_tags": "stack_id", "stack_keys": "stack_id", "updates": "stack_id", "checkpoints": "stack_id"}


def rows_of(sql, identifier):
    return {table: int(sql(f"SELECT COUNT(*) FROM {table} WHERE {column} = '{identifier}'")[0][0])
            for table, column in OF_A_STACK.items()}


def a_history(stack, updates=3):
    stack.client.post(f"{stack.path}/tags", {"name": "owner", "value": "me"}).expect()
    stack.client.post(f"{stack.path}/encrypt", {"plaintext": "c2VjcmV0"}).expect(200)
    for i in range(updates):
        update = stack.begin(journal=1)
        a_journal(update, f"r{i}")
        update.events({"sequence": 0, "timestamp": 1, "stdoutEvent": {"message": "hello", "color": "raw"}}).expect()
        update.complete().expect()


def deleted(stack, sql, seconds):
    """Deletes it that long ago; its id."""
    identifier = stack_id(sql, stack)
    stack.delete().expect()
    sql(f"UPDATE stacks SET deleted_at = {ago(seconds)} WHERE id = '{identifier}'")
    return identifier


def test_deleted_stacks_go_after_a_month(installation, access, job, sql):
    client = access.client()
    old, young, live = (Stack(client, access.organization).create() for _ in range(3))
    a_history(old, 45)
    a_history(young)
    a_history(live)
    old_id, young_id, live_id = deleted(old, sql, 31 * DAY), deleted(young, sql, 29 * DAY), stack_id(sql, live)
    kept = rows_of(sql, young_id), rows_of(sql, live_id)
    update_ids = ",".join(f"'{row[0]}'" for row in sql(f"SELECT id FROM updates WHERE stack_id = '{old_id}'"))
    assert "tokens=0 stacks=1" in job("purge-tokens", "--once")
    assert not any(rows_of(sql, old_id).values())
    for table in ("journal_batches", "event_batches"):
        assert sql(f"SELECT COUNT(*) FROM {table} WHERE update_id IN ({update_ids})") == [["0"]]
    assert not objects_of(installation, old_id)
    assert (rows_of(sql, young_id), rows_of(sql, live_id)) == kept
    said = sql(f"SELECT event, description FROM audit_events WHERE description LIKE '%{old.project}/dev, %'")
    assert said == [["stack-purged", f"{old.project}/dev, deleted long ago"]]
    assert sorted(names(live)) == ["r0", "r1", "r2"]
    client.post(f"/api/orgs/{access.organization}/restore-stack/{young_id}", {}).expect()
    assert sorted(names(young)) == ["r0", "r1", "r2"]


def test_a_killed_purge_goes_on_and_nobody_restores_half(access, installation, job, sql):
    stack = Stack(access.client(), access.organization).create()
    a_history(stack, 2)
    identifier = deleted(stack, sql, 31 * DAY)
    sql(f"DELETE FROM stack_tags WHERE stack_id = '{identifier}'")
    sql(f"DELETE FROM stack_keys WHERE stack_id = '{identifier}'")
    sql(f"UPDATE stacks SET organization_id = '' WHERE id = '{identifier}'")
    access.client().post(f"/api/orgs/{access.organization}/restore-stack/{identifier}", {}).expect_problem(404)
    assert "stacks=1" in job("purge-tokens", "--once")
    assert not any(rows_of(sql, identifier).values()) and not objects_of(installation, identifier)


def test_a_restored_stack_is_not_purged(access, job, sql):
    stack = Stack(access.client(), access.organization).create()
    a_history(stack, 1)
    identifier = deleted(stack, sql, 31 * DAY)
    access.client().post(f"/api/orgs/{access.organization}/restore-stack/{identifier}", {}).expect()
    assert "nothing was due" in job("purge-tokens", "--once")
    assert names(stack) == ["r0"]


# --- the frame ---

JOBS = ["compact-journals", "expire-leases", "purge-tokens", "ship-audit", "sweep-objects"]


@pytest.mark.parametrize("name", JOBS)
def test_options(job, name):
    assert "--for TIME" in job(name, "--help") and "PULUMI_DATABASE_ENDPOINT" in job(name, "--help")
    assert "'--often'" in job(name, "--often", code=2)
    assert "'--for'" in job(name, "--for", "soon", code=2)
    assert job(name, "--for", "1s") == ""


def test_for_keeps_looking(installation, stack, sql):
    process = subprocess.Popen([BUILD / "cron" / "pulumi-job-expire-leases", "--for", "1m"], env=installation.environment(),
                               text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    update = stack.begin(journal=1)
    a_journal(update, "r")
    sql(f"UPDATE updates SET lease_expires_at = {ago(7 * 24 * HOUR + HOUR)} WHERE id = '{update.id}'")
    wait_for(lambda: update.status() == "failed", 10, "the job did not look again")
    process.send_signal(signal.SIGTERM)
    said = process.communicate(timeout=5)[0]
    assert process.returncode == 0 and "updates=1" in said


@pytest.mark.parametrize("name", JOBS)
def test_a_failure_is_one_sentence(job, name):
    said = job(name, code=1, PULUMI_DATABASE_ENDPOINT="unix:/nowhere.sock")
    assert said.count("\n") == 1 and said.startswith(f"level=error job={name} detail=") and "nowhere.sock" in said
