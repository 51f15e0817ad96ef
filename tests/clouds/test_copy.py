# SPDX-License-Identifier: Apache-2.0
"""pulumi-admin objects copy: between every kind of store, killed half-way, past damage, and while a server works."""

import gzip
import hashlib
import json
import os
import signal
import subprocess
import uuid

import pytest

from conftest import BUILD, SETTING, Tool, clean_environment
from lib.client import BEGIN, SUCCESS, Access, Stack, entry, resource
from lib.server import Installation, wait_for
from proxy import DROP


def key_of(text, stack=None):
    return f"stacks/{stack or uuid.uuid4()}/checkpoints/{hashlib.sha256(text).hexdigest()}.json.gz"


@pytest.fixture
def source(tmp_path):
    """A folder of states, a large journal batch, and what does not belong to them."""
    folder = tmp_path / "source"
    texts = [json.dumps({"n": number, "bytes": os.urandom(300).hex()}).encode() for number in range(12)]
    made = {key_of(text): gzip.compress(text) for text in texts}
    made[f"updates/{uuid.uuid4()}/journal/{hashlib.sha256(texts[0]).hexdigest()}"] = texts[0]
    made[f"updates/{uuid.uuid4()}/journal/{hashlib.sha256(texts[1]).hexdigest()}"] = gzip.compress(texts[1])
    made["packs/pack.tgz"] = os.urandom(1000)
    for key, data in made.items():
        write(folder, key, data)
    write(folder, "scratch/half-written", b"x")
    write(folder, "lost+found/block", b"x")
    return folder, made


def write(folder, key, data):
    (folder / key).parent.mkdir(parents=True, exist_ok=True)
    (folder / key).write_bytes(data)


class Copy:
    def __init__(self, environment):
        self.environment = {**clean_environment(), "PULUMI_API_CONFIG": os.devnull, "HOME": "/nonexistent", **environment}

    def start(self, source, target, *more, **settings):
        return subprocess.Popen([BUILD / "sql/pulumi-admin", "objects", "copy", "--from", str(source), "--to", str(target), *more],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env={**self.environment, **settings})

    def run(self, source, target, *more, code=0, **settings):
        process = self.start(source, target, *more, **settings)
        out, err = process.communicate(timeout=300)
        assert process.returncode == code, f"exit {process.returncode}\n{out}{err}"
        return out if code == 0 else out + err

    def json(self, source, target, *more, **settings):
        return json.loads(self.run(source, target, "--json", *more, **settings))


@pytest.fixture
def copy():
    return Copy({})


def content(tool):
    """All that a store has."""
    return {line.split()[0]: tool.run("get", line.split()[0]) for line in tool.run("list", "").decode().splitlines()}


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_to_a_bucket_and_back(store, source, tmp_path):
    folder, made = source
    prefix = f"copy-{uuid.uuid4().hex}/"
    where, back = store.where(store.proxy.port) + f"&prefix={prefix}", tmp_path / "back"
    back.mkdir()
    copy = Copy(store.credentials())
    bytes_ = sum(len(data) for data in made.values())
    assert copy.json(folder, where, "--dry-run")["copied"] == len(made)
    assert content(Tool(where, store.credentials())) == {}
    said = copy.json(folder, where)
    assert (said["copied"], said["bytes"], said["present"], said["damaged"]) == (len(made), bytes_, 0, 0)
    assert content(Tool(where, store.credentials())) == made
    again = copy.json(folder, where)
    assert (again["copied"], again["present"]) == (0, len(made))
    assert copy.json(where, back)["copied"] == len(made)
    assert files(back) == made


def test_from_bucket_to_bucket(store, source):
    folder, made = source
    one, other = (store.where(store.proxy.port) + f"&prefix=copy-{uuid.uuid4().hex}/" for _ in range(2))
    copy = Copy(store.credentials())
    copy.run(folder, one)
    copy.run(one, other)
    assert content(Tool(other, store.credentials())) == made


@pytest.mark.parametrize("point", ["copy.put:1", "copy.put:5", "copy.read_back:9", "blob.rename:4", "blob.folder_flush:13"])
def test_killed_and_run_again(copy, source, tmp_path, point):
    folder, made = source
    (tmp_path / "target").mkdir()
    copy.run(folder, tmp_path / "target", code=-signal.SIGKILL, PULUMI_FAULT_POINT=point)
    half = {k: v for k, v in files(tmp_path / "target").items() if not k.startswith("scratch/")}
    assert len(half) < len(made) and half.items() <= made.items()
    said = copy.json(folder, tmp_path / "target")
    assert (said["copied"], said["present"]) == (len(made) - len(half), len(half))
    assert {k: v for k, v in files(tmp_path / "target").items() if not k.startswith("scratch/")} == made


def test_damage_in_the_source_is_not_copied(copy, source, tmp_path):
    folder, made = source
    bad = sorted(key for key in made if key.startswith("stacks/"))[:3]
    (folder / bad[0]).write_bytes(made[bad[0]][:-1] + b"Z")
    (folder / bad[1]).write_bytes(made[bad[1]][:40])
    (folder / bad[2]).write_bytes(gzip.compress(b"another text"))
    (tmp_path / "target").mkdir()
    said = copy.run(folder, tmp_path / "target", code=1)
    assert all(f"{key}: is damaged" in said for key in bad) and "3 are damaged" in said, said
    assert files(tmp_path / "target") == {k: v for k, v in made.items() if k not in bad}


def test_damage_in_the_target_is_replaced(copy, source, tmp_path):
    folder, made = source
    target = tmp_path / "target"
    target.mkdir()
    copy.run(folder, target)
    same_size, shorter = sorted(made)[:2]
    (target / same_size).write_bytes(bytes(len(made[same_size])))
    (target / shorter).write_bytes(made[shorter][:-1])
    assert copy.json(folder, target)["replaced"] == 1, "of another size"
    assert files(target) != made
    assert copy.json(folder, target, "--compare", "--dry-run")["replaced"] == 1
    assert files(target) != made
    said = copy.json(folder, target, "--compare")
    assert (said["replaced"], said["present"], said["copied"]) == (1, len(made) - 1, 0)
    assert files(target) == made


def test_what_is_lost_on_the_way_there_is_seen(store, source):
    """The store says that it has it, and has something else."""
    folder, _ = source
    where = store.where(store.proxy.port) + f"&prefix=copy-{uuid.uuid4().hex}/"

    def other(request, reply):
        if request.method == "GET" and "/checkpoints/" in request.path:
            reply.body = b"Z" + reply.body[1:]
        return reply

    store.proxy.after = other
    said = Copy(store.credentials()).run(folder, where, code=1)
    assert "the bytes are not those of its checksum" in said, said


def stopped(process):
    with open(f"/proc/{process.pid}/stat", encoding="ascii") as stat:
        return stat.read().rpartition(")")[2].split()[0] == "T"


def test_an_object_that_is_swept_meanwhile(copy, source, tmp_path):
    folder, made = source
    (tmp_path / "target").mkdir()
    process = copy.start(folder, tmp_path / "target", "--json", PULUMI_FAULT_POINT="copy.put:1:stop")
    try:
        wait_for(lambda: stopped(process), 30, "it was not stopped", process)
        swept = sorted(made)
        for key in swept:
            (folder / key).unlink()
    finally:
        process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    said = json.loads(out)
    assert (said["copied"], said["vanished"]) == (1, len(made) - 1)


def test_a_source_that_goes_away(store, source, tmp_path):
    folder, made = source
    where = store.where(store.proxy.port) + f"&prefix=copy-{uuid.uuid4().hex}/"
    copy = Copy(store.credentials())
    copy.run(folder, where)
    reads = []

    def away(request):
        if request.method == "GET" and ("/checkpoints/" in request.path or "/journal/" in request.path):
            reads.append(request)
            return DROP if len(reads) > 5 else None
        return None

    (tmp_path / "back").mkdir()
    store.proxy.before = away
    assert "run it again when the store answers" in copy.run(where, tmp_path / "back", code=1)
    store.proxy.good()
    said = copy.json(where, tmp_path / "back")
    assert 0 < said["present"] < len(made) and said["present"] + said["copied"] == len(made)
    assert files(tmp_path / "back") == made


@pytest.mark.parametrize("source_, target, sentence", [
    ("/nowhere", "/tmp", "--from: cannot use folder /nowhere"),
    ("/tmp", "/nowhere", "--to: cannot use folder /nowhere"),
    ("folder", "/tmp", "--from: 'folder' is neither an absolute folder nor the URL"),
    ("s3://bucket?colour=red", "/tmp", "--from: there is no option 'colour'"),
])
def test_places_that_cannot_be(copy, source_, target, sentence):
    assert sentence in copy.run(source_, target, code=1)


def test_one_place_by_two_names(copy, source, tmp_path):
    folder, _ = source
    (tmp_path / "link").symlink_to(folder)
    assert "the same place" in copy.run(folder, folder, code=1)
    assert "the same place" in copy.run(folder, tmp_path / "link", code=1)


# --- the move of a whole installation ---

def save(stack, name):
    update = stack.begin(journal=1)
    update.append(entry(BEGIN, 1), entry(SUCCESS, 1, new=0, state=resource(stack, name)))
    update.complete().expect()


def names(stack):
    return sorted(r["urn"].rpartition("::")[2] for r in stack.state()["deployment"].get("resources", []))


class Configured(Installation):
    """Its file says where the states are: a reload reads that anew."""

    def environment(self, **more):
        return {name: value for name, value in super().environment(**more).items() if name != "PULUMI_LOCAL_OBJECTS"}


def test_an_installation_moves(store, tmp_path):
    """Copy, switch and reload, copy the rest, verify: an update that runs through all of it loses nothing."""
    folder = tmp_path / "states"
    folder.mkdir()
    where = store.where(store.proxy.port) + f"&prefix=moved-{uuid.uuid4().hex}/"
    moved = Configured(BUILD, environment=store.credentials())
    moved.make_files()
    conf = moved.folder / "pulumi-api.conf"
    conf.write_text(f'pulumi_local_objects = "{folder}"\n')
    moved.start()
    try:
        access = Access(moved.access)
        stacks = [Stack(access.client(), access.organization).create() for _ in range(3)]
        for number, stack in enumerate(stacks):
            save(stack, f"before-{number}")
        runs = stacks[0].begin(journal=1)
        runs.append(entry(BEGIN, 1), entry(SUCCESS, 1, new=0, state=resource(stacks[0], "across")))
        copy = Copy(store.credentials())
        assert copy.json(folder, where)["copied"] == 3
        save(stacks[1], "between")
        conf.write_text(f'{SETTING.lower()} = "{where}"\n')
        moved.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "event=reloaded" in moved.log.read_text(), 60, "it did not reload", moved.process, moved.log)
        save(stacks[2], "behind")
        # A state of the minutes between the copy and the reload is not lost, and not readable yet.
        stacks[1].export().expect_problem(500)
        early = stacks[1].begin(journal=1)
        early.append(entry(BEGIN, 1), entry(SUCCESS, 1, new=0, state=resource(stacks[1], "early")))
        early.complete().expect_problem(500)
        assert copy.json(folder, where)["copied"] == 1
        early.complete().expect()
        runs.complete().expect()
        assert [names(s) for s in stacks] == [["across", "before-0"], ["before-1", "between", "early"], ["before-2", "behind"]]
        said = subprocess.run([BUILD / "sql/pulumi-admin", "verify", "--json"], env=moved.environment(), capture_output=True, text=True,
                              check=False, timeout=120)
        assert said.returncode == 0 and json.loads(said.stdout)["good"], said.stdout + said.stderr
        assert len(files(folder)) == 4, "the old place was written to behind the reload"
    finally:
        moved.stop()
        problems = moved.problems()
        moved.remove()
    assert not problems
