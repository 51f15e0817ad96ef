# SPDX-License-Identifier: Apache-2.0
"""pulumi-admin backup and restore: one moment of a busy installation, brought back elsewhere to the same answers."""

import gzip
import hashlib
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import threading
import time
import uuid

import pytest
from conftest import BUILD, Admin, second_installation, served
from lib.client import BEGIN, SUCCESS, Access, Client, Stack, document, entry, resource, root
from lib.server import ROOT, wait_for

CACHE = os.environ.get("PULUMI_TEST_CACHE", os.path.expanduser("~/.cache/pulumi-api-tests"))
TOOLS = os.path.join(CACHE, "v3.259.0")
# Tables of what goes on in one installation; mails that wait would be sent again by another.
LEFT_OUT = {"audit_shipped", "claims", "link_keys", "mail_limits", "mail_messages", "restore_progress", "schema_migrations", "schema_progress", "swept_objects"}


@pytest.fixture(scope="module")
def installation():
    with served(responders=4) as started:
        yield started


@pytest.fixture(scope="module")
def access(installation):
    return Access(installation.access)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "backup"


@pytest.fixture
def fresh(installation):
    with second_installation(installation, responders=2) as second:
        yield second


@pytest.fixture(scope="module")
def untouched(installation):
    """One for all tests that leave it as it was."""
    with second_installation(installation, responders=2) as second:
        yield second


def start(second):
    second.start_serve()
    return second.url


def filled(access, resources=3):
    """A stack with tags, secrets, versions, and an update that runs."""
    stack = Stack(access.client(), access.organization).create()
    stack.client.post(f"{stack.path}/tags", {"name": "owner", "value": "mé \\ \"quoted\"\n"}).expect()
    stack.import_(document(root(stack), resource(stack, "imported", inputs={"text": "ünï\u2028code \\u0000"}))).expect()
    journal(stack, resources).complete().expect()
    return stack


def journal(stack, resources, big=0):
    update = stack.begin(journal=1)
    for number in range(resources):
        inputs = {"padding": secrets.token_hex(big // 2)} if big else {}
        name = f"r{number}-{uuid.uuid4().hex[:8]}"
        update.append(entry(BEGIN, number + 1), entry(SUCCESS, number + 1, state=resource(stack, name, inputs=inputs)))
    return update


def answers(stack, url):
    """All that a client can read of a stack. The state of an update that runs is made when it is asked for."""
    there = Stack(Client(url, stack.client.token), stack.organization, stack.project, stack.name)
    described = there.get()
    state = there.text() if described.get("lastUpdate") != 0 and not described.get("currentOperation") else there.state()
    if isinstance(state, dict):
        state["deployment"]["manifest"].pop("time")
    return {"stack": described, "state": state, "history": there.history(),
            "versions": [there.text(n) for n in range(1, described["version"] + 1)]}


def test_everything_comes_back(installation, access, admin, folder, fresh):
    stacks = [filled(access) for _ in range(3)]
    plain = "c2VjcmV0IOKCrA=="
    sealed = [s.client.post(f"{s.path}/encrypt", {"plaintext": plain}).expect(200).json()["ciphertext"] for s in stacks]
    running = journal(stacks[0], 2)
    huge = journal(stacks[1], 2, big=6_000_000)     # larger than a row: an object holds it
    before = [answers(s, access.url) for s in stacks]
    said = admin.json("backup", "--to", folder)
    assert said["missingObjects"] == 0 and said["objects"] >= 6
    assert said["manifestSha256"] == hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest()
    assert admin.json("backup", "check", "--from", folder)["rows"] == said["rows"]

    second = Admin(fresh)
    assert second.json("restore", "--from", folder, "--dry-run")["rows"] == said["rows"]
    assert fresh.database.sql("SELECT COUNT(*) FROM users") == [["0"]]
    restored = second.json("restore", "--from", folder)
    assert (restored["rows"], restored["objects"], restored["objectBytes"]) == (said["rows"], said["objects"], said["objectBytes"])
    assert second.json("verify")["good"]
    for table in [row[0] for row in installation.database.sql("SHOW TABLES") if row[0] not in LEFT_OUT]:
        assert fresh.database.checksum(table) == installation.database.checksum(table), table

    url = start(fresh)
    for stack, was, ciphertext in zip(stacks, before, sealed):
        assert answers(stack, url) == was
        there = Client(url, stack.client.token)
        assert there.post(f"{stack.path}/decrypt", {"ciphertext": ciphertext}).expect(200).json()["plaintext"] == plain
    # What ran goes on there, with the same lease.
    for update in (running, huge):
        update.stack.client = Client(url, access.token)
        update.complete().expect()
        assert len(update.stack.state()["deployment"]["resources"]) == 7
    assert second.json("verify")["good"]


def test_refuses_what_is_not_empty(installation, access, admin, folder, fresh):
    stack = filled(access)
    admin.run("backup", "--to", folder)
    assert "is not empty" in admin.refused("backup", "--to", folder)
    assert "is not empty" in admin.refused("restore", "--from", folder)
    second = Admin(fresh)
    (fresh.objects / "stacks" / "x").mkdir(parents=True)
    (fresh.objects / "stacks" / "x" / "y").write_text("")
    assert "stacks/x/y" in second.refused("restore", "--from", folder)
    shutil.rmtree(fresh.objects / "stacks")
    second.run("user", "create", "--login", "early", "--email", "early@example.com")
    assert "has rows" in second.refused("restore", "--from", folder)
    assert stack.get()


def test_refuses_other_keys_and_schemas(installation, access, admin, folder, fresh, tmp_path):
    stack = filled(access)
    stack.client.post(f"{stack.path}/encrypt", {"plaintext": "c2VjcmV0"}).expect(200)
    admin.run("backup", "--to", folder)
    second = Admin(fresh)
    others = tmp_path / "keys"
    others.mkdir()
    (others / "other.key").write_bytes(secrets.token_bytes(32))
    said = second.refused("restore", "--from", folder, PULUMI_LOCAL_KEYS=str(others))
    assert "master key" in said and str(others) in said
    assert fresh.database.sql("SELECT COUNT(*) FROM master_keys") == [["0"]], "the wrong key is now one of this installation"
    second.run("restore", "--from", folder, "--dry-run")
    fresh.database.sql("UPDATE schema_migrations SET checksum = REPEAT('0', 64) WHERE name LIKE '0001-%'")
    said = second.refused("restore", "--from", folder)
    assert "lacks 0001-" in said and "pulumi-migrate up" in said
    assert fresh.database.sql("SELECT COUNT(*) FROM stacks") == [["0"]]


def damaged(path, change):
    path.write_bytes(change(path.read_bytes()))


DAMAGES = {
    "a bit of a table": lambda f: damaged(next(f.glob("tables/updates-*.gz")), lambda b: b[:40] + bytes([b[40] ^ 1]) + b[41:]),
    "a table cut short": lambda f: damaged(next(f.glob("tables/updates-*.gz")), lambda b: b[:-10]),
    "a table gone": lambda f: next(f.glob("tables/stacks-*.gz")).unlink(),
    "a bit of an object": lambda f: damaged(next(f.glob("objects/stacks/*/checkpoints/*")), lambda b: b[:-5] + bytes([b[-5] ^ 1]) + b[-4:]),
    "an object gone": lambda f: next(f.glob("objects/stacks/*/checkpoints/*")).unlink(),
    "the list of objects gone": lambda f: next(f.glob("objects-*.gz")).unlink(),
    "no manifest": lambda f: (f / "manifest.json").unlink(),
    "half a manifest": lambda f: damaged(f / "manifest.json", lambda b: b[:len(b) // 2]),
    "another format": lambda f: damaged(f / "manifest.json", lambda b: b.replace(b'"format":1', b'"format":2')),
}


@pytest.fixture(scope="module")
def good_backup(installation, access, tmp_path_factory):
    filled(access)
    folder = tmp_path_factory.mktemp("good") / "backup"
    Admin(installation).run("backup", "--to", folder)
    return folder


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_found_before_anything_is_written(good_backup, folder, untouched, damage):
    shutil.copytree(good_backup, folder)
    DAMAGES[damage](folder)
    second = Admin(untouched)
    for arguments in (("backup", "check"), ("restore",)):
        said = second.refused(*arguments, "--from", folder)
        assert "damaged" in said or "cannot read" in said or "no finished backup" in said or "another version" in said, said
    assert untouched.database.sql("SELECT (SELECT COUNT(*) FROM users) + (SELECT COUNT(*) FROM stacks) + (SELECT COUNT(*) FROM updates)") == [["0"]]
    assert not list(untouched.objects.glob("stacks/*"))


def test_a_manifest_cannot_lead_out_of_the_folder(good_backup, folder, untouched):
    shutil.copytree(good_backup, folder)
    part = next(folder.glob("objects-*.gz"))
    lines = gzip.decompress(part.read_bytes()).decode().splitlines()
    first = json.loads(lines[0])
    lines[0] = json.dumps({**first, "key": "stacks/../../" + first["key"]})
    packed = gzip.compress(("\n".join(lines) + "\n").encode())
    part.write_bytes(packed)
    manifest = json.loads((folder / "manifest.json").read_text())
    for each in manifest["parts"]:
        if each["file"] == part.name:
            each.update(bytes=len(packed), sha256=hashlib.sha256(packed).hexdigest())
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert "wrong line" in Admin(untouched).refused("restore", "--from", folder)


def test_missing_object_is_said(installation, access, admin, folder):
    stack = filled(access)
    identity = admin.json("stack", "show", "--stack", f"{stack.organization}/{stack.project}/{stack.name}")["id"]
    lost = sorted((installation.objects / "stacks" / identity / "checkpoints").iterdir())[0]
    kept = lost.read_bytes()
    lost.unlink()
    try:
        said = admin.refused("backup", "--to", folder)
        assert lost.name in said and "is missing" in said
        assert (folder / "manifest.json").exists()
    finally:
        lost.write_bytes(kept)


def test_interrupted_backup_is_none(installation, access, admin, folder):
    filled(access)
    process = admin.start("backup", "--to", folder)
    wait_for(lambda: list(folder.glob("tables/*")), 20, "no part yet", every=0.001)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    installation.database.sql("DELETE FROM claims")     # it would run out in 30 s
    if not (folder / "manifest.json").exists():
        assert "no finished backup" in admin.refused("backup", "check", "--from", folder)


# --- under load ---

class Load:
    """Writers that never stop: each makes stacks and updates in every form, and remembers what was acknowledged."""

    def __init__(self, access, writers=3):
        self.access, self.going, self.errors, self.count = access, True, [], 0
        self.threads = [threading.Thread(target=self.write, args=(n,), daemon=True) for n in range(writers)]

    def write(self, number):
        try:
            while self.going:
                stack = Stack(self.access.client(), self.access.organization, f"load-{number}-{uuid.uuid4().hex[:8]}").create()
                for _ in range(3):
                    journal(stack, 3).complete().expect()
                    checkpoint = stack.begin()
                    checkpoint.checkpoint({"resources": [resource(stack, uuid.uuid4().hex)]}).expect()
                    checkpoint.complete("failed").expect()
                    self.count += 2
                journal(stack, 5)
        except Exception as reason:  # pylint: disable=broad-except
            self.errors.append(reason)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        time.sleep(1)
        return self

    def __exit__(self, *_):
        self.going = False
        for thread in self.threads:
            thread.join(60)
        assert not self.errors


TABLES = len(set(re.findall(r"^CREATE TABLE `?(\w+)", (ROOT / "sql/schema.sql").read_text(), re.M)) - LEFT_OUT)


def stopped(process):
    try:
        with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0] == "T"
    except OSError:
        return False


@pytest.mark.parametrize("after", [1, 4, 8, TABLES - 1])
def test_what_changes_meanwhile_is_not_in_it(installation, access, admin, folder, fresh, after):
    """It is stopped between two tables, and everything that a row could tell of is changed."""
    done, deleted, renamed = filled(access), filled(access), filled(access)
    running = journal(filled(access), 2)
    before = [answers(s, access.url) for s in (done, deleted, renamed, running.stack)]
    process = admin.start("backup", "--to", folder, "--json", PULUMI_FAULT_POINT=f"backup.table:{after}:stop")
    try:
        wait_for(lambda: stopped(process), 30, "it was not stopped", process)
        running.complete().expect()
        done.import_(document(root(done))).expect()
        journal(done, 2)
        deleted.delete().expect()
        renamed.client.post(f"{renamed.path}/rename", {"newName": "other", "newProject": renamed.project}).expect()
        filled(access)
        job = subprocess.run([BUILD / "cron" / "pulumi-job-sweep-objects"], env=installation.environment(), capture_output=True,
                             text=True, check=False, timeout=60)
        assert "pulumi-admin backup" in job.stdout + job.stderr, "the sweep does not wait for a backup"
    finally:
        process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    second = Admin(fresh)
    second.run("restore", "--from", folder)
    report = second.json("verify")
    assert report["good"], report["problems"]
    url = start(fresh)
    assert [answers(s, url) for s in (done, deleted, renamed, running.stack)] == before
    assert json.loads(out)["missingObjects"] == 0


# --- a restore that is interrupted ---

SENTENCE = "was not finished: run pulumi-admin restore again"
ROW_TABLES = ["stacks", "updates", "checkpoints", "users", "access_tokens", "journal_batches", "stack_keys", "audit_events"]


def interrupted(second, backup, fault):
    second.run("restore", "--from", backup, code=-signal.SIGKILL, PULUMI_FAULT_POINT=fault)
    second.installation.database.sql("DELETE FROM claims")      # it would run out in 30 s


def counts(installation):
    return {table: installation.database.sql(f"SELECT COUNT(*) FROM {table}") for table in ROW_TABLES}


def started(installation):
    done = subprocess.run([BUILD / "fcgi/pulumi-api.fcgi", "--once"], input=b"GET /api/status HTTP/1.1\r\nHost: x\r\n\r\n",
                          capture_output=True, env=installation.environment(), check=False, timeout=60)
    return done.returncode, done.stderr.decode()


@pytest.fixture(scope="module")
def large_backup(installation, access, tmp_path_factory):
    """Some objects, secrets, a journal that is an object, and more rows than go at once."""
    stack = filled(access)
    stack.client.post(f"{stack.path}/encrypt", {"plaintext": "c2VjcmV0"}).expect(200)
    journal(stack, 1, big=12_000_000)
    rows = ", ".join(f"('{uuid.uuid4()}', 'x', '{number}', UTC_TIMESTAMP(6))" for number in range(1300))
    installation.database.sql(f"INSERT INTO audit_events (id, event, description, created_at) VALUES {rows}")
    folder = tmp_path_factory.mktemp("large") / "backup"
    said = Admin(installation).json("backup", "--to", folder)
    assert said["objects"] >= 3 and list(folder.glob("objects/updates/*/journal/*"))
    return folder, said, counts(installation)


PLACES = ["restore.begun:1", "restore.object:1", "restore.object:3", "restore.table:1", "restore.table:6", "restore.rows:1", "restore.rows:2",
          "restore.rows:3", "restore.rows:5", "restore.rows:9", f"restore.table:{TABLES}", "restore.end:1", "commit.before:2", "commit.after:2",
          "blob.rename:2", "blob.done:2"]


SHORT = {"restore.begun:1", "restore.object:3", "restore.rows:2", "restore.end:1", "blob.rename:2"}


@pytest.mark.parametrize("place", [place if place in SHORT else pytest.param(place, marks=pytest.mark.slow) for place in PLACES])
def test_a_killed_restore_goes_on(large_backup, fresh, place):
    folder, made, rows = large_backup
    second = Admin(fresh)
    interrupted(second, folder, place)
    code, said = started(fresh)
    assert code == 1 and SENTENCE in said, said
    assert SENTENCE in second.refused("user", "list")
    before = counts(fresh)
    assert second.json("restore", "--from", folder, "--dry-run")["rows"] == made["rows"]
    assert counts(fresh) == before
    restored = second.json("restore", "--from", folder)
    assert (restored["rows"], restored["objects"]) == (made["rows"], made["objects"])
    assert counts(fresh) == rows
    assert second.json("verify")["good"]
    assert started(fresh)[0] == 0
    assert "is not empty" in second.refused("restore", "--from", folder)


def test_killed_again_and_again(large_backup, fresh):
    folder, _, rows = large_backup
    second = Admin(fresh)
    for fault in ("restore.object:1", "restore.object:1", "restore.table:3", "restore.rows:2", "restore.rows:2", "restore.end:1"):
        interrupted(second, folder, fault)
    assert "went on where it was interrupted" in second.run("restore", "--from", folder)
    assert counts(fresh) == rows
    assert second.json("verify")["good"]


def test_a_damaged_object_of_a_killed_restore_is_written_again(large_backup, fresh):
    folder, _, _ = large_backup
    second = Admin(fresh)
    interrupted(second, folder, "restore.table:1")
    written = sorted(path for path in fresh.objects.glob("stacks/*/checkpoints/*"))
    damaged(written[0], lambda b: b[:-5] + bytes([b[-5] ^ 1]) + b[-4:])
    written[1].unlink()
    second.run("restore", "--from", folder)
    assert second.json("verify")["good"]
    for path in written[:2]:
        assert path.read_bytes() == (folder / "objects" / path.relative_to(fresh.objects)).read_bytes()


def test_what_a_killed_restore_left_is_mixed_with_nothing(large_backup, good_backup, fresh):
    folder, _, rows = large_backup
    second = Admin(fresh)
    interrupted(second, folder, "restore.rows:9")
    said = second.refused("restore", "--from", good_backup)
    assert "another backup" in said and hashlib.sha256((folder / "manifest.json").read_bytes()).hexdigest() in said
    stranger = fresh.objects / "stacks" / "x"
    stranger.write_text("")
    assert "stacks/x" in second.refused("restore", "--from", folder)
    stranger.unlink()
    fresh.database.sql("INSERT INTO audit_events (id, event, description, created_at) VALUES ('x', 'x', 'x', UTC_TIMESTAMP(6))")
    assert "the table audit_events has" in second.refused("restore", "--from", folder)
    fresh.database.sql("DELETE FROM audit_events WHERE id = 'x'")
    second.run("restore", "--from", folder)
    assert counts(fresh) == rows


def progress(process):
    """What it says on standard error when it has been at it for more than two seconds."""
    wait_for(lambda: stopped(process), 30, "it was not stopped", process)
    time.sleep(2.2)
    process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return err


def test_progress_is_told(admin, large_backup, folder, fresh):
    assert "pulumi-admin: rows: " in progress(admin.start("backup", "--to", folder, PULUMI_FAULT_POINT="backup.table:2:stop"))
    second = Admin(fresh)
    assert "pulumi-admin: rows: " in progress(second.start("restore", "--from", large_backup[0], PULUMI_FAULT_POINT="restore.rows:2:stop"))
    assert second.json("verify")["good"]


def test_mails_that_wait_are_left_out(installation, admin, folder):
    installation.database.sql("INSERT INTO mail_messages (id, kind, recipient, subject, message, state, next_attempt_at, give_up_at, created_at) "
                              "VALUES (UUID(), 'test', 'a@b', 's', 'm', 'waiting', UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6))")
    admin.run("backup", "--to", folder)
    tables = {part.get("table") for part in json.loads((folder / "manifest.json").read_text())["parts"]}
    assert "users" in tables and not tables & LEFT_OUT


def test_interrupted_restore_lets_nobody_in(access, good_backup, fresh):
    """Not even a responder that began before it: users come last."""
    second = Admin(fresh)
    url = start(fresh)
    interrupted(second, good_backup, f"restore.table:{TABLES}")
    assert fresh.database.sql("SELECT COUNT(*) > 0 FROM updates") == [["1"]]
    Client(url, access.token).get("/api/user").expect(401)
    second.run("restore", "--from", good_backup)
    Client(url, access.token).get("/api/user").expect(200)


def test_one_moment_of_a_busy_server(installation, access, admin, folder, fresh):
    filled(access)
    with Load(access) as load:
        before = load.count
        said = admin.json("backup", "--to", folder)
        assert load.count > before, "nothing happened while it ran"
    second = Admin(fresh)
    second.run("restore", "--from", folder)
    report = second.json("verify")
    assert report["good"], report["problems"]
    assert report["stacks"] >= 3 and said["missingObjects"] == 0
    url = start(fresh)
    # Every finished version answers the same there as here, where the server has gone on.
    for project, name in fresh.database.sql("SELECT project, name FROM stacks WHERE project LIKE 'load-%' LIMIT 20"):
        there = Stack(Client(url, access.token), access.organization, project, name)
        here = Stack(access.client(), access.organization, project, name)
        for version in [u["version"] for u in there.history() if u["result"] != "in-progress"]:
            assert there.text(version) == here.text(version)


@pytest.mark.skipif(not os.path.exists(os.path.join(TOOLS, "pulumi")), reason="tests/clients/get-tools builds the command line")
def test_real_updates_while_it_is_made(installation, access, admin, tmp_path, fresh):
    def environment(home, url):
        return {**os.environ, "PULUMI_HOME": str(home), "PULUMI_BACKEND_URL": url, "PULUMI_ACCESS_TOKEN": access.token,
                "PULUMI_SKIP_UPDATE_CHECK": "true", "PATH": f"{TOOLS}:{os.environ['PATH']}"}

    def pulumi(where, url, *arguments):
        done = subprocess.run([os.path.join(TOOLS, "pulumi"), *arguments, "--non-interactive", "--color", "never"], cwd=where,
                              env=environment(where / "home", url), text=True, capture_output=True, check=False, timeout=240)
        assert done.returncode == 0, f"pulumi {' '.join(arguments)}\n{done.stdout}{done.stderr}"
        return done.stdout

    projects = []
    for number in range(3):
        where = tmp_path / f"p{number}"
        where.mkdir()
        (where / "home").mkdir()
        (where / "Pulumi.yaml").write_text(f"name: real-{number}\nruntime: yaml\nresources:\n" + "".join(
            f"  s{i}:\n    type: pulumi:index:Stash\n    properties:\n      input: {secrets.token_hex(200)}\n" for i in range(60)) +
            "outputs:\n  first: ${s0.output}\n")
        pulumi(where, installation.url, "stack", "init", f"{access.organization}/dev")
        pulumi(where, installation.url, "config", "set", "--secret", "password", f"hidden-{number}")
        projects.append(where)
    ups = [threading.Thread(target=pulumi, args=(where, installation.url, "up", "--yes", "--skip-preview")) for where in projects]
    for up in ups:
        up.start()
    backups = []
    while any(up.is_alive() for up in ups) or not backups:
        backups.append(tmp_path / f"b{len(backups)}")
        admin.run("backup", "--to", backups[-1])
    for up in ups:
        up.join()
    chosen = backups[len(backups) // 2]
    second = Admin(fresh)
    second.run("restore", "--from", chosen)
    report = second.json("verify")
    assert report["good"], report["problems"]
    url = start(fresh)
    for number, where in enumerate(projects):
        stack = f"{access.organization}/real-{number}/dev"
        if second.json("stack", "show", "--stack", stack)["running"]:
            pulumi(where, url, "cancel", "--yes", "--stack", f"{access.organization}/dev")
        assert pulumi(where, url, "config", "get", "password", "--stack", f"{access.organization}/dev").strip() == f"hidden-{number}"
        pulumi(where, url, "up", "--yes", "--skip-preview", "--stack", f"{access.organization}/dev")
        pulumi(where, url, "preview", "--expect-no-changes", "--stack", f"{access.organization}/dev")
        assert second.json("stack", "show", "--stack", stack)["resources"] >= 61
    print(f"{len(backups)} backups were made meanwhile")
