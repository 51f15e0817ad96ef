# SPDX-License-Identifier: Apache-2.0
"""What the server lives on goes away for a while: the disk is full, a folder read-only, the database gone."""

import os
import subprocess
import threading
import time

import pytest
from lib.client import BEGIN, SUCCESS, deployment, document, entry, resource, root
from lib.server import Installation
from scenario import Life, insist


@pytest.fixture
def small_disk(tmp_path):
    """A file system of one megabyte, where this process may mount one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        pytest.skip(f"cannot mount a small file system here: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder):
    """Takes what is left, down to the last block."""
    filler = folder / "filler"
    try:
        with open(filler, "wb", buffering=0) as f:
            while True:
                f.write(b"x" * 4096)
    except OSError:
        return filler


@pytest.fixture
def tight(own_server, small_disk):
    """A server whose objects are on the small disk."""
    return own_server(environment={"PULUMI_LOCAL_OBJECTS": str(small_disk)}), small_disk


def new_stack(server):
    return Life(server.client, server.described.organization)


def noise(stack, size):
    return resource(stack, "noise", outputs={"noise": os.urandom(size // 2).hex()})


class TestFullDisk:
    def test_saving_fails_with_a_sentence_and_goes_on_later(self, tight):
        server, disk = tight
        stack = new_stack(server).stack
        update = stack.begin()
        first = deployment(root(stack), resource(stack, "kept"))
        update.checkpoint(first).expect()
        before = stack.state()
        filler = fill(disk)
        refusal = update.checkpoint(deployment(root(stack), noise(stack, 300_000))).expect_problem(503, 507)
        assert "disk" in refusal.message.lower() or "try" in refusal.message.lower() or "unavailable" in refusal.message.lower(), refusal.message
        assert stack.state() == before
        filler.unlink()
        second = deployment(root(stack), resource(stack, "kept"), resource(stack, "later"))
        update.checkpoint(second).expect()
        update.complete().expect()
        assert stack.state()["deployment"] == second

    def test_a_journal_is_completed_when_there_is_room_again(self, tight):
        """The journal is in the database: only its end needs the disk."""
        server, disk = tight
        life = new_stack(server)
        update = life.begin(journal=1)
        filler = fill(disk)
        new = life.thing("r1")
        update.journal({**entry(BEGIN, 1), "sequenceID": 1}, {**entry(SUCCESS, 1, state=new), "sequenceID": 2}).expect()
        update.complete().expect_problem(503, 507)
        assert update.status() == "running"
        assert life.state() == [new, *life.base]
        filler.unlink()
        update.complete().expect()
        assert life.state() == [new, *life.base]

    def test_nothing_half_written_is_left(self, tight):
        server, disk = tight
        stack = new_stack(server).stack
        update = stack.begin()
        filler = fill(disk)
        for _ in range(3):
            update.checkpoint(deployment(root(stack), noise(stack, 300_000))).expect_problem(503, 507)
        assert not list((disk / "scratch").iterdir())
        filler.unlink()
        update.complete().expect()

    def test_an_import_is_refused_whole(self, tight):
        server, disk = tight
        life = new_stack(server)
        history = life.stack.history()
        filler = fill(disk)
        life.stack.import_(document(root(life.stack), noise(life.stack, 400_000))).expect_problem(503, 507)
        filler.unlink()
        assert life.state() == life.base and life.stack.history() == history
        life.stack.import_(document(root(life.stack))).expect(200)


@pytest.fixture
def database_disk():
    """Mounts a file system of its own for the data of an installation's database."""
    mounted = []

    def mount(installation):
        folder = installation.database.folder
        folder.mkdir()
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=420m,mode=755", "tmpfs", folder], stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            pytest.skip(f"cannot mount a small file system here: {done.stderr.strip()}")
        mounted.append(folder)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.skipif(os.environ.get("PULUMI_TEST_DATABASE") == "tidb", reason="the storage inside this TiDB is none that an installation has")
def test_a_full_disk_of_the_database(database_disk, own_server):
    """What it does then differs, MariaDB ends itself: the client hears 503, and all that was acknowledged is there when there is room again."""
    server = own_server(prepare=database_disk)
    disk = server.database.folder
    life = new_stack(server)
    update = life.begin(journal=1)
    with open(disk / "filler", "wb", buffering=0) as filler:
        while os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize > 12 << 20:
            filler.write(b"x" * 65536)

    def batch(number):
        new = {**life.thing(f"r{number}"), "outputs": {"noise": os.urandom(200_000).hex()}}
        return update.journal({**entry(BEGIN, number), "sequenceID": 2 * number - 1}, {**entry(SUCCESS, number, state=new), "sequenceID": 2 * number})

    number = 1
    while (answer := batch(number)).status < 300:
        number += 1
        assert number < 200, "its disk does not get full"
    answer.expect_problem(503)
    assert answer.headers["Retry-After"] and number > 1
    (disk / "filler").unlink()
    if server.database.process.poll() is not None:
        server.database.start()
    insist(lambda: batch(number), 20)
    insist(update.complete, 20)
    assert len(life.state()) == number + len(life.base)


class TestReadOnlyFolder:
    def test_saving_fails_and_goes_on_later(self, tight):
        server, disk = tight
        life = new_stack(server)
        update = life.begin(journal=1)
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        try:
            new = life.thing("r1")
            update.journal({**entry(BEGIN, 1), "sequenceID": 1}, {**entry(SUCCESS, 1, state=new), "sequenceID": 2}).expect()
            update.complete().expect_problem(503)
            assert life.state() == [new, *life.base]
        finally:
            subprocess.run(["mount", "-o", "remount,rw", disk], check=True)
        update.complete().expect()
        assert life.state() == [new, *life.base]
        life.ended, life.levels, life.versions = True, [life.state()], 2
        life.check()

    def test_a_server_that_cannot_write_does_not_start(self, small_disk, server):
        subprocess.run(["mount", "-o", "remount,ro", small_disk], check=True)
        done = subprocess.run([server.build / "fcgi" / "pulumi-api.fcgi"], env=server.environment(PULUMI_LOCAL_OBJECTS=str(small_disk)),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        assert done.returncode == 1 and "PULUMI_LOCAL_OBJECTS" in done.stderr and str(small_disk) in done.stderr


class TestLostDatabase:
    def test_gone_for_a_while(self, server, request):
        """Every call is answered with 503 and a sentence; when it is back, the same responders go on."""
        seconds = 30 if request.config.getoption("--all-points") else 5
        life = new_stack(server)
        update = life.begin(journal=1)
        made = life.thing("r1")
        update.journal({**entry(BEGIN, 1), "sequenceID": 1}, {**entry(SUCCESS, 1, state=made), "sequenceID": 2}).expect()
        responders = set(server.responders())
        server.database.kill()
        gone_at, slowest = time.monotonic(), 0
        second = life.thing("r2")
        late = [{**entry(BEGIN, 2), "sequenceID": 3}, {**entry(SUCCESS, 2, state=second), "sequenceID": 4}]
        while time.monotonic() - gone_at < seconds:
            for call in (lambda: update.journal(*late), update.renew, life.stack.export, lambda: server.client.get("/api/user"),
                         lambda: life.stack.client.post(f"{life.stack.path}/update", {})):
                started = time.monotonic()
                call().expect_problem(503)
                slowest = max(slowest, time.monotonic() - started)
            time.sleep(0.2)
        assert slowest < 5
        server.database.start()
        insist(lambda: update.journal(*late), 10)
        insist(lambda: update.complete(), 10)
        assert life.state() == [second, made, *life.base] or life.state() == [made, second, *life.base]
        assert set(server.responders()) == responders, "a responder did not outlive the database"

    def test_restarted_between_requests(self, server):
        """Idle connections are dead; nobody notices."""
        life = new_stack(server)
        for _ in range(server.responder_count * 2):
            life.stack.get()
        server.database.stop()
        server.database.start()
        for _ in range(server.responder_count * 2):
            assert server.client.get("/api/user").status == 200
            life.stack.import_(document(*life.base)).expect(200)

    def test_started_before_the_database(self, server):
        """Responders wait for it, or end with a sentence and are started again."""
        server.stop_serve()
        server.database.stop()
        starting = Installation.start_serve
        import threading
        failures = []

        def start():
            try:
                starting(server)
            except Exception as reason:  # pylint: disable=broad-except
                failures.append(reason)

        thread = threading.Thread(target=start)
        thread.start()
        time.sleep(2)
        server.database.start()
        thread.join(60)
        assert not failures, failures
        assert insist(lambda: server.client.get("/api/user")).status == 200


def test_a_batch_that_waits_too_long_for_a_lock_is_tried_again(server):
    """The database gives up a statement after ten seconds; that is no failure of the client's."""
    life = Life(server.client, server.described.organization)
    update = life.stack.begin(journal=1)
    update.append(entry(BEGIN, 1))
    holder = threading.Thread(target=server.database.sql, args=(
        f"BEGIN; SELECT id FROM updates WHERE id = '{update.id}' FOR UPDATE; SELECT SLEEP(12); COMMIT",))
    holder.start()
    time.sleep(0.5)
    began = time.monotonic()
    update.append(entry(SUCCESS, 1, state=root(life.stack)))
    assert time.monotonic() - began > 9, "it did not meet the lock"
    holder.join()
    update.complete().expect()
    assert len(life.stack.state()["deployment"]["resources"]) == 3
