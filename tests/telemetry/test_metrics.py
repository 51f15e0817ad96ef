# SPDX-License-Identifier: Apache-2.0
"""GET /metrics: who may read it, what promtool and a real Prometheus say, and that no count is lost or made up."""

import concurrent.futures
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.parse
import urllib.request

import pytest

from conftest import BUILD, SECRET, Samples, our_port
from lib.client import BEGIN, SUCCESS, Client, Stack, document, entry, root, resource
from lib.server import wait_for

HTTP = "http_server_request_duration_seconds"
DATABASE = "db_client_operation_duration_seconds"


def settled(server, question, wanted):
    """Counts are made after the answer has gone: the value is there a moment later."""
    until = time.monotonic() + 5
    while question(server.samples()) != wanted and time.monotonic() < until:
        time.sleep(0.02)
    time.sleep(0.1)
    assert question(server.samples()) == wanted


# --- who ---

def test_without_a_secret_there_is_nothing(make_server):
    server = make_server()
    for secret in (SECRET, "", None):
        assert server.scrape(secret=secret)[0] == 404
    server.stop()


@pytest.mark.parametrize("secret", [None, "", "wrong", SECRET + "x", SECRET[:-1], SECRET.upper()])
def test_the_secret_is_asked_for(server, secret):
    status, _, text = server.scrape(secret=secret)
    assert status == 401, text
    assert "pulumi_" not in text


@pytest.mark.parametrize("scheme", ["Bearer", "token", "webhook-tokenx"])
def test_another_scheme(server, scheme):
    assert server.scrape(scheme=scheme)[0] == 401


def test_no_user_may_read_it(server):
    assert server.scrape(secret=server.people["alice"]["token"], scheme="token")[0] == 401


# --- the formats ---

def test_promtool_has_nothing_to_say(server, stack):
    update = stack.begin(journal=1)
    update.append(entry(BEGIN, 1), entry(SUCCESS, 1, state=root(stack)))
    update.complete().expect()
    status, kind, text = server.scrape()
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), text


def test_open_metrics(server):
    status, kind, text = server.scrape(accept="application/openmetrics-text;version=1.0.0,text/plain;q=0.5")
    assert (status, kind) == (200, "application/openmetrics-text; version=1.0.0; charset=utf-8")
    assert text.endswith("\n# EOF\n") and text.count("# EOF") == 1
    assert "# TYPE pulumi_updates_started counter\n" in text and "pulumi_updates_started_total{" in text
    assert 'le="10.0"' in text and 'le="10"' not in text


def test_histograms_add_up(server):
    server.client().get("/api/user").expect(200)
    samples = server.samples()
    assert samples.names() >= {f"{HTTP}_bucket", f"{HTTP}_sum", f"{HTTP}_count", f"{DATABASE}_count"}
    for (name, labels), count in samples.items():
        if not name.endswith("_count"):
            continue
        buckets = [(float(dict(have)["le"].replace("+Inf", "inf")), value) for (n, have), value in samples.items()
                   if n == name.replace("_count", "_bucket") and set(labels) <= set(have) and len(have) == len(labels) + 1]
        values = [value for _, value in sorted(buckets)]
        assert len(values) == 20 and values == sorted(values) and values[-1] == count


def test_a_real_prometheus(server, tmp_path):
    """With the secret, without it, and through a restart of the server."""
    (tmp_path / "prometheus.yml").write_text(json.dumps({
        "scrape_configs": [{"job_name": name, "scrape_interval": "1s",
                            "authorization": {"type": "webhook-token", "credentials": secret},
                            "static_configs": [{"targets": [f"127.0.0.1:{server.port}"]}]} for name, secret in (("good", SECRET), ("bad", "wrong"))]}))
    port = our_port()
    log = open(tmp_path / "log", "wb")
    process = subprocess.Popen(["prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/data",
                                f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)

    def get(path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{path}", timeout=5) as answer:
                return json.load(answer)["data"]
        except OSError:
            return None

    def ask(query):
        answer = get(f"query?query={urllib.parse.quote(query)}")
        return answer and [float(one["value"][1]) for one in answer["result"]]

    def problem(name):
        targets = (get("targets") or {"activeTargets": []})["activeTargets"]
        return next((one["lastError"] for one in targets if one["labels"]["job"] == name), "")

    try:
        wait_for(lambda: ask('up{job="good"}') == [1.0], 60, "Prometheus did not scrape", process, tmp_path / "log", every=0.2)
        assert ask("pulumi_database_up") == [1.0]
        assert ask("pulumi_stacks")[0] >= 0
        assert ask('sum(http_server_request_duration_seconds_count{operation="get_status"})')[0] >= 1
        assert ask('histogram_quantile(0.5, sum by (le) (http_server_request_duration_seconds_bucket))')[0] > 0
        wait_for(lambda: ask('up{job="bad"}') == [0.0] and "401" in problem("bad"), 20, "it may read with another secret", every=0.2)
        server.stop_serve()
        wait_for(lambda: ask('up{job="good"}') == [0.0] and "refused" in problem("good"), 20, "it does not see that nobody answers", every=0.2)
        server.start_serve()
        wait_for(lambda: ask('up{job="good"}') == [1.0], 20, "it does not go on", every=0.2)
        assert ask('sum(resets(http_server_request_duration_seconds_count[1m]))') == [0.0]
    finally:
        process.terminate()
        process.wait(20)


# --- the counts ---

def test_every_request_counts_once(server):
    def of_users(samples):
        return samples.total(f"{HTTP}_count", operation="get_current_user", http_response_status_code="200", http_request_method="GET")

    before = of_users(server.samples())
    with concurrent.futures.ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: server.client().get("/api/user").status, range(240)))
    assert answers == [200] * 240
    settled(server, of_users, before + 240)


def test_failures_and_strangers(server):
    before = server.samples()
    anybody = Client(server.url)
    anybody.get("/api/user").expect(401)
    anybody.get("/no/such/path").expect(404)
    anybody.call("BREW", "/api/status").expect(405, 501)
    anybody.get("/api/stacks/%22%0A%5C/x/y").expect(401)

    def seen(samples):
        return [samples.total(f"{HTTP}_count", operation="get_current_user", http_response_status_code="401"),
                samples.total(f"{HTTP}_count", http_response_status_code="404", http_request_method="GET")]

    settled(server, seen, [seen(before)[0] + 1, seen(before)[1] + 1])
    assert not [labels for _, labels in server.samples() if dict(labels).get("http_request_method") == "BREW"]


def test_statements_have_their_names(server, stack):
    before = server.samples()
    stack.get()
    after = server.samples()
    grown = {dict(labels)["db_query_summary"] for (name, labels), value in after.items()
             if name == f"{DATABASE}_count" and value > before.get((name, labels), 0)}
    assert "gauge.all" in grown and any(name.startswith("stack.") for name in grown), grown


def test_an_update_in_numbers(server, stack):
    before = server.samples()
    update = stack.begin(journal=1)
    during = server.samples()
    assert during.total("pulumi_updates_running") == before.total("pulumi_updates_running") + 1
    assert during.total("pulumi_leases_active") == before.total("pulumi_leases_active") + 1
    update.append(entry(BEGIN, 1), entry(SUCCESS, 1, state=root(stack)))
    update.append(entry(BEGIN, 2), entry(SUCCESS, 2, state=resource(stack, "a")))
    update.journal({**entry(BEGIN, 1), "sequenceID": 1}).status  # another batch with a number that was there
    stored = stack.path
    update.complete().expect()
    update.complete().expect()
    after = server.samples()

    def more(name, **labels):
        return after.total(name, **labels) - before.total(name, **labels)

    assert more("pulumi_updates_started_total", kind="update") == 1, stored
    assert more("pulumi_updates_ended_total", kind="update", result="succeeded") == 1
    assert more("pulumi_updates_ended_total") == 1
    assert more("pulumi_journal_batches_total") == 3
    assert more("pulumi_journal_entries_total") == 5
    assert more("pulumi_journal_stored_bytes_total") > 100
    assert more("pulumi_journal_replay_duration_seconds_count") == 1
    assert more("pulumi_object_store_operation_duration_seconds_count", operation="put") == 1
    assert more("pulumi_resources") == 2
    assert more("pulumi_updates_running") == 0


def test_a_repeated_batch_counts_once(server, stack):
    update = stack.begin(journal=1)
    first = update.append(entry(BEGIN, 1))
    before = server.samples()
    update.journal(*first).expect()
    assert server.samples().total("pulumi_journal_batches_total") == before.total("pulumi_journal_batches_total")


def test_what_did_not_happen_does_not_count(server, stack):
    running, other = stack.begin(), stack.announce()
    before = server.samples().total("pulumi_updates_started_total")
    other.start().expect(409)
    running.cancel().expect()
    preview = stack.begin("preview")
    preview.complete("failed").expect()
    after = server.samples()
    assert after.total("pulumi_updates_started_total") == before + 1
    assert after.total("pulumi_updates_ended_total", kind="update", result="cancelled") >= 1
    assert after.total("pulumi_updates_ended_total", kind="preview", result="failed") >= 1


def test_imports_and_keys(server, stack):
    before = server.samples()
    stack.import_(document(root(stack), resource(stack, "a"))).expect(200)
    stack.client.post(f"{stack.path}/encrypt", {"plaintext": "c2VjcmV0"}).expect(200)
    after = server.samples()
    assert after.total("pulumi_updates_ended_total", kind="import") == before.total("pulumi_updates_ended_total", kind="import") + 1
    name = "pulumi_key_service_operation_duration_seconds_count"
    assert after.total(name, operation="seal") == before.total(name, operation="seal") + 1


def test_a_job_counts(server):
    before = server.samples()
    subprocess.run([BUILD / "cron" / "pulumi-job-purge-tokens", "--once"], env=server.environment(), check=True, capture_output=True)
    after = server.samples()
    name = "pulumi_job_duration_seconds_count"
    assert after.total(name, job_name="purge-tokens", result="succeeded") == before.total(name, job_name="purge-tokens", result="succeeded") + 1


# --- nothing is forgotten ---

def counters(samples):
    """All that may only grow."""
    return {key: value for key, value in samples.items() if key[0].endswith(("_total", "_count", "_bucket", "_sum"))}


def nothing_fell(before, after):
    fallen = {key: (value, after.get(key)) for key, value in counters(before).items() if after.get(key, -1) < value}
    assert not fallen, fallen


def test_responders_die_and_the_counts_stay(server):
    before = server.samples()
    for pid in server.responders():
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(server.responders()) == 3 and server.serves(), 30, "no new responders", server.process, server.log)
    nothing_fell(before, server.samples())


def test_killed_while_counting(server):
    """Clients all the time, and a responder is killed again and again: the counts are there and can be read."""
    before = server.samples()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        work = [pool.submit(lambda: server.client().get("/api/user").status) for _ in range(400)]
        for _ in range(6):
            time.sleep(0.1)
            server.kill_responder()
        answers = [one.result() for one in work]
    after = server.samples()
    nothing_fell(before, after)
    good = answers.count(200)
    counted = after.total(f"{HTTP}_count", operation="get_current_user", http_response_status_code="200") \
        - before.total(f"{HTTP}_count", operation="get_current_user", http_response_status_code="200")
    assert good - 6 <= counted <= 400


def test_a_reload_and_a_restart(server):
    before = server.samples()
    server.process.send_signal(signal.SIGHUP)
    time.sleep(1.5)
    nothing_fell(before, server.samples())
    server.stop_serve()
    server.start_serve()
    nothing_fell(before, server.samples())


def test_a_database_that_is_away(server):
    server.database.kill()
    try:
        status, _, text = server.scrape()
        assert status == 200
        samples = Samples(text)
        assert samples.total("pulumi_database_up") == 0
        assert "pulumi_stacks" not in samples.names()
        assert samples.total(f"{DATABASE}_count", error_type="error") > 0
    finally:
        server.database.start()
    assert server.samples().total("pulumi_database_up") == 1


def test_a_file_of_another_version_is_replaced(server):
    server.stop_serve()
    path = server.run / "metrics"
    size = path.stat().st_size
    for broken in (b"", b"x" * size, b"pulumi\0\1"):
        path.write_bytes(broken)
        server.start_serve()
        wait_for(lambda: server.samples().total(f"{HTTP}_count", operation="get_status") >= 1, 5, "nothing was counted")
        assert path.stat().st_size == size and path.stat().st_mode & 0o777 == 0o600
        server.stop_serve()
    server.start_serve()


def test_without_the_file_there_is_only_what_the_database_knows(server):
    server.stop_serve()
    path = server.run / "metrics"
    path.unlink()
    path.mkdir()
    try:
        server.start_serve()
        samples = server.samples()
        assert samples.total("pulumi_database_up") == 1 and f"{HTTP}_count" not in samples.names()
        assert "event=no_metrics" in server.log.read_text()
        server.stop_serve()
    finally:
        shutil.rmtree(path)
    server.start_serve()
