# SPDX-License-Identifier: Apache-2.0
"""What pulumi-serve does when its processes die, reload and stop."""

import json
import os
import pathlib
import signal
import socket
import threading
import time

from conftest import Load, alive, ask, until


def test_a_killed_responder_costs_its_own_request_only(serve, web_server):
    one = serve(PULUMI_WEB_SERVER=web_server).start()
    with Load(one.port, "/x?sleep=0.05") as load:
        for _ in range(6):
            time.sleep(0.3)
            os.kill(one.pids("responder")[0], signal.SIGKILL)
        time.sleep(0.5)
    assert 1 <= len(load.failures) <= 6, load.failures
    assert load.answers[200] > 100
    assert len(one.pids("responder")) == 4


def test_reload_replaces_responders_without_a_failed_request(serve, web_server):
    one = serve(PULUMI_WEB_SERVER=web_server).start()
    before = set(one.pids("responder"))
    with Load(one.port, "/x?sleep=0.02") as load:
        for _ in range(3):
            one.reload()
            time.sleep(0.3)
    assert load.failures == []
    until(lambda: len(one.pids("responder")) == 4, "the old responders to end")
    assert before.isdisjoint(one.pids("responder"))


def test_reload_lets_a_slow_request_end(serve):
    one = serve().start()
    answers = []
    thread = threading.Thread(target=lambda: answers.append(ask(one.port, "GET", "/x?sleep=2")))
    thread.start()
    time.sleep(0.3)
    one.reload()
    thread.join()
    assert answers[0][0] == 200


def test_reload_with_uploads_under_way(serve, web_server, real_settings, token):
    """The real responder: a signal must not end the read of a body."""
    one = serve(PULUMI_WEB_SERVER=web_server, **real_settings).start()
    body = json.dumps({"version": 3, "deployment": {"padding": "x" * 3_000_000}})
    headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
    with Load(one.port, "/api/stacks/acme/none/none/import", 6, "POST", body, headers) as load:
        for _ in range(4):
            one.reload()
            time.sleep(0.2)
    assert load.failures == []
    assert set(load.answers) == {404}


def test_reload_takes_new_settings(serve):
    one = serve(PULUMI_RESPONDERS=None).start()
    assert len(one.pids("responder")) >= 8
    (one.folder / "pulumi-api.conf").write_text("pulumi_responders = 3\n")
    one.reload()
    until(lambda: len(one.pids("responder")) == 3, "three responders")
    (one.folder / "pulumi-api.conf").write_text("pulumi_responders = many\n")
    one.reload()
    assert "PULUMI_RESPONDERS: 'many'" in one.log()
    assert ask(one.port, "GET", "/x")[0] == 200


def test_reload_keeps_the_old_responders_when_new_ones_fail(serve):
    one = serve().start()
    before = one.pids("responder")
    (one.run / "break-responders").touch()
    one.reload()
    assert "event=reload_failed" in one.log()
    until(lambda: one.pids("responder") == before, "the failed ones to be gone")
    assert ask(one.port, "GET", "/x")[0] == 200


def test_reload_waits_for_responders_that_start_slowly(serve):
    """What they need may be slow to answer, and the answer may be that they cannot serve."""
    one = serve().start()
    before = one.pids("responder")
    (one.run / "break-responders-slowly").touch()
    one.reload()
    assert "event=reload_failed" in one.log()
    until(lambda: one.pids("responder") == before, "the failed ones to be gone")
    assert ask(one.port, "GET", "/x")[0] == 200
    (one.run / "break-responders-slowly").unlink()
    (one.run / "start-slowly").touch()
    one.reload()
    assert one.log().count("event=reloaded") == 1
    new = [pid for pid in one.pids("responder") if pid not in before]
    assert len(new) == 4 and all((one.run / f"up-{pid}").exists() for pid in new), "it did not wait"
    until(lambda: one.pids("responder") == new, "the old ones to be gone")
    assert ask(one.port, "GET", "/x")[0] == 200


def test_responders_that_fail_are_started_with_back_off(serve):
    one = serve().start()
    (one.run / "break-responders").touch()
    for pid in one.pids("responder"):
        os.kill(pid, signal.SIGKILL)
    time.sleep(2)
    assert 8 <= one.log().count("event=started what=responder") <= 40
    (one.run / "break-responders").unlink()
    until(lambda: len(one.pids("responder")) == 4, "four responders")
    assert ask(one.port, "GET", "/x")[0] == 200


def group(leader):
    """Pids of its process group."""
    def of(pid):
        try:
            return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[2])
        except (FileNotFoundError, ProcessLookupError):
            return 0
    return [int(each) for each in os.listdir("/proc") if each.isdigit() and of(each) == leader]


def test_a_dead_web_server_is_started_again(serve, web_server):
    one = serve(PULUMI_WEB_SERVER=web_server).start()
    first = group(one.pids("web")[0])
    os.kill(one.pids("web")[0], signal.SIGKILL)
    until(lambda: not any(alive(pid) for pid in first), "its processes to end")

    def answers():
        try:
            return ask(one.port, "GET", "/x")[0] == 200
        except OSError:
            return False
    until(lambda: one.log().count("event=started what=web") >= 2 and answers(), "an answer")


def test_stop_answers_what_was_asked_and_leaves_nothing(serve, web_server):
    one = serve(PULUMI_WEB_SERVER=web_server).start()
    children = one.pids("responder") + one.pids("web")
    assert len(children) == 5
    answers = []
    thread = threading.Thread(target=lambda: answers.append(ask(one.port, "GET", "/x?sleep=1")))
    thread.start()
    time.sleep(0.3)
    assert one.stop() == 0
    thread.join()
    assert answers[0][0] == 200
    assert not [pid for pid in children if alive(pid)]
    assert not (one.run / "api.sock").exists()
    assert "event=stopped" in one.log()


def test_stop_has_a_limit(serve):
    one = serve(PULUMI_STOP_SECONDS=1).start()
    client = socket.create_connection(("127.0.0.1", one.port))
    client.sendall(b"GET /x?sleep=60 HTTP/1.0\r\n\r\n")
    time.sleep(0.3)
    began = time.monotonic()
    one.signal(signal.SIGTERM)
    time.sleep(0.1)
    one.signal(signal.SIGINT)
    one.process.wait(20)
    assert time.monotonic() - began < 15
    client.close()


def test_children_end_when_pulumi_serve_is_killed(serve):
    one = serve().start()
    children = one.pids("responder") + one.pids("web")
    one.process.kill()
    one.process.wait()
    until(lambda: not [pid for pid in children if alive(pid)], "the children to end")


def test_the_web_server_is_not_given_the_settings(serve, web_server):
    one = serve(PULUMI_WEB_SERVER=web_server, PULUMI_DATABASE_USER_PASSWORD="hidden-9f2c").start()
    assert b"hidden-9f2c" in pathlib.Path(f"/proc/{one.pids('responder')[0]}/environ").read_bytes()
    assert b"hidden-9f2c" not in pathlib.Path(f"/proc/{one.pids('web')[0]}/environ").read_bytes()


def job(one, name, text):
    file = one.folder / "libexec" / f"pulumi-job-{name}"
    file.write_text(f"#!/bin/sh\n{text}\n")
    file.chmod(0o755)


def test_modes(serve):
    for mode, web, jobs in (("FULL", 1, 1), ("API", 1, 0), ("JOBS", 0, 1), ("everything", 1, 1)):
        one = serve(PULUMI_API_CONTAINER_MODE=mode)
        one.log_file.unlink(missing_ok=True)
        ran = one.folder / "ran"
        ran.unlink(missing_ok=True)
        job(one, "something", f"echo run >>{ran}")
        one.start()
        time.sleep(3)
        assert len(one.pids("web")) == web
        assert len(one.pids("responder")) == 4 * web
        assert (ran.read_text().count("run") if ran.exists() else 0) == jobs
        assert one.stop() == 0
        assert ("PULUMI_API_CONTAINER_MODE: 'everything' is not" in one.log()) == (mode == "everything")


def test_the_exporter_runs_all_the_time(serve):
    """In every mode, again when it ended, and with new settings after a reload; one that ends at once waits for its minute."""
    for mode in ("FULL", "API", "JOBS"):
        one = serve(PULUMI_API_CONTAINER_MODE=mode)
        one.log_file.unlink(missing_ok=True)
        ran = one.folder / "ran"
        ran.unlink(missing_ok=True)
        job(one, "export-telemetry", f"echo $* >>{ran}; trap 'exit 0' TERM; while :; do sleep 0.1; done")
        one.start()
        until(lambda: ran.exists() and ran.read_text() == "--for 24h\n", "the exporter")
        time.sleep(2.2)
        one.process.send_signal(signal.SIGHUP)
        until(lambda: ran.read_text() == "--for 24h\n" * 2, "another one")
        assert one.stop() == 0
        assert "event=killed" not in one.log()
    ran.unlink()
    job(one, "export-telemetry", f"echo $* >>{ran}")
    one.start()
    time.sleep(4)
    assert ran.read_text() == "--for 24h\n"
    assert one.stop() == 0


def test_a_job_is_told_to_stop(serve):
    one = serve(PULUMI_API_CONTAINER_MODE="JOBS")
    job(one, "long", f"trap 'echo told >{one.folder}/told; exit 0' TERM; while :; do sleep 0.1; done")
    one.start()
    until(lambda: one.pids("job"), "the job")
    time.sleep(0.2)
    assert one.stop() == 0
    assert (one.folder / "told").read_text() == "told\n"


def test_systemd_is_told(serve, tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "notify"))
        ear.settimeout(5)
        one = serve(NOTIFY_SOCKET=tmp_path / "notify").start()
        assert ear.recv(100) == b"READY=1"
        one.reload()
        assert ear.recv(100).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
        assert ear.recv(100) == b"READY=1"
        one.stop()
        assert ear.recv(100) == b"STOPPING=1"
