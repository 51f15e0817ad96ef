# SPDX-License-Identifier: Apache-2.0
"""Traces and metrics in a real OpenTelemetry Collector; and collectors that are away, slow, or refuse."""

import json
import mmap
import os
import pathlib
import re
import signal
import struct
import subprocess
import time

import pytest

from clouds.aws import Moto
from clouds.certificate import Certificate
from collector import Collector, Refusing, Silent, Span
from conftest import BUILD, SECRET
from lib.client import BEGIN, SUCCESS, Client, Stack, document, entry, resource, root
from lib.server import ROOT, wait_for

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
EXPORTER = "pulumi-job-export-telemetry"
QUICK = {"OTEL_METRIC_EXPORT_INTERVAL": "1000"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return Certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(scope="module")
def collector(tmp_path_factory, certificate):
    one = Collector(tmp_path_factory.mktemp("collector"), certificate).start()
    yield one
    one.close()


@pytest.fixture(scope="module")
def traced(make_server, collector):
    """A server whose exporter speaks gRPC to the collector."""
    one = make_server(exporter=True, METRICS_WEBHOOK_SECRET=SECRET, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url("grpc"), **QUICK)
    yield one
    one.stop()


@pytest.fixture
def make_collector(tmp_path):
    """Makes collectors of a test's own; not started yet."""
    made = []

    def make(**options):
        made.append(Collector(tmp_path, **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def exporters(server):
    """Pids of the exporter of a server."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().split(b"\0")
        except OSError:
            continue
        if words[0].endswith(EXPORTER.encode()) and str(server.folder).encode() in words[0]:
            found.append(int(path.parent.name))
    return found


def request_id(answer):
    return answer.headers["X-Pulumi-Request-ID"]


def spans_of(sink, trace, count=1, seconds=30):
    """All spans of one trace, when there are so many of them."""
    def found():
        spans = [span for span in sink.spans() if span.trace == trace]
        return spans if len(spans) >= count else None

    return wait_for(found, seconds, f"no {count} spans of {trace}", every=0.1)


def trace_of(sink, answer, count=1):
    return spans_of(sink, request_id(answer).replace("-", ""), count)


def server_span(spans):
    return next(span for span in spans if span.kind == Span.SERVER)


def log_of(server):
    return server.log.read_text(errors="replace")


# --- what a trace says ---

def test_a_request_is_a_span(traced, collector):
    answer = traced.client().get("/api/user?secret=of-a-query").expect(200)
    spans = trace_of(collector.sink, answer, 2)
    span = server_span(spans)
    assert (span.name, span.kind, span.parent, span.failed) == ("get_current_user", Span.SERVER, "", False)
    told = dict(span.attributes)
    assert told.pop("user_agent.original").startswith("pulumi-cli/")
    assert told == {"http.request.method": "GET", "http.route": "/api/user", "url.scheme": "http", "http.response.status_code": 200,
                    "pulumi.request.id": request_id(answer)}
    assert span.resource["service.name"] == "pulumi-api" and span.resource["host.name"] and span.resource["service.version"]
    assert time.time() - 60 < span.began / 1e9 <= span.ended / 1e9 <= time.time() + 1
    children = [one for one in spans if one is not span]
    assert children and all(one.parent == span.id and one.kind == Span.CLIENT for one in children)
    assert all(span.began <= one.began <= one.ended <= span.ended for one in children)
    for one in children:
        assert one.attributes["db.system.name"] == "mysql" and one.attributes["db.query.summary"] == one.name
        assert re.fullmatch(r"[a-z_]+\.[a-z_]+", one.name)


def test_the_trace_of_the_caller_goes_on(traced, collector):
    headers = {"Traceparent": f"00-{TRACE}-{PARENT}-01", "Tracestate": "vendor=value,other=1"}
    traced.client().get("/api/user", headers=headers).expect(200)
    spans = spans_of(collector.sink, TRACE, 2)
    span = server_span(spans)
    assert (span.parent, span.state) == (PARENT, "vendor=value,other=1")
    assert all(one.state == span.state for one in spans)


def test_a_good_collector_is_not_worth_a_word(traced, collector):
    """Several exports on and on: over HTTP/2 the second one on a connection is where things go wrong."""
    for _ in range(3):
        trace_of(collector.sink, traced.client().get("/api/user").expect(200))
    assert "event=collector_" not in log_of(traced)


def test_who_is_not_sampled_is_not_traced(traced, collector):
    other = "5" * 32
    answer = traced.client().get("/api/user", headers={"Traceparent": f"00-{other}-{PARENT}-00"}).expect(200)
    last = traced.client().get("/api/user").expect(200)
    trace_of(collector.sink, last)
    known = {span.trace for span in collector.sink.spans()}
    assert other not in known and request_id(answer).replace("-", "") not in known


@pytest.mark.parametrize("header", ["", "nonsense", f"00-{'0' * 32}-{PARENT}-01", f"ff-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-01-more", "00-" + "x" * 5000])
def test_a_header_that_is_none_begins_a_trace(traced, collector, header):
    answer = traced.client().get("/api/status", headers={"Traceparent": header}).expect(200)
    assert server_span(trace_of(collector.sink, answer)).parent == ""


def test_failures_and_strangers(traced, collector):
    anybody = Client(traced.url)
    refused = server_span(trace_of(collector.sink, anybody.get("/api/user").expect(401)))
    assert refused.attributes["http.response.status_code"] == 401 and not refused.failed
    lost = server_span(trace_of(collector.sink, anybody.get("/no/such/path%ff").expect(404)))
    assert lost.name == "GET" and "http.route" not in lost.attributes
    odd = anybody.call("PROPFIND", "/api/status").expect(405)
    assert server_span(trace_of(collector.sink, odd)).attributes["http.request.method"] == "_OTHER"
    binary = anybody.get("/api/stacks/%ff%fe/%22/dev").expect(404)
    assert "pulumi.stack" not in server_span(trace_of(collector.sink, binary)).attributes
    odd = anybody.get("/api/stacks/%C3%A9/%22/dev", headers={"User-Agent": "caf\xe9"}).expect(401, 404)
    span = server_span(trace_of(collector.sink, odd))
    assert span.attributes["user_agent.original"] == "caf?" and span.attributes["pulumi.stack"] == "dev"


def test_a_request_that_fails(traced, collector):
    traced.database.kill()
    try:
        answer = traced.client().get("/api/user").expect_problem(503)
    finally:
        traced.database.start()
    spans = trace_of(collector.sink, answer, 2)
    span = server_span(spans)
    assert span.failed and span.attributes["error.type"] == "503"
    assert [one for one in spans if one.failed and one.attributes.get("error.type") == "error" and "db.query.summary" in one.attributes]


def test_states_and_keys_are_spans(traced, collector):
    stack = Stack(traced.client(), "acme").create()
    imported = stack.import_(document(root(stack), resource(stack, "a"))).expect(200)
    spans = trace_of(collector.sink, imported, 3)
    span = server_span(spans)
    assert span.attributes["pulumi.stack"] == "dev" and span.attributes["pulumi.project"] == stack.project
    assert [one for one in spans if one.name == "object store put" and one.kind == Span.INTERNAL and one.attributes["pulumi.operation"] == "put"]
    sealed = stack.client.post(f"{stack.path}/encrypt", {"plaintext": "c2VjcmV0"}).expect(200)
    assert [one for one in trace_of(collector.sink, sealed, 2) if one.name == "key service seal"]


def test_nothing_secret(traced, collector):
    stack = Stack(traced.client(), "acme").create()
    stack.client.post(f"{stack.path}/encrypt", {"plaintext": "cGxhaW50ZXh0"}).expect(200)
    update = stack.begin(journal=1)
    answer = update.complete().expect()
    trace_of(collector.sink, answer)
    text = collector.sink.text()
    assert "SELECT" not in text and "INSERT" not in text and "cGxhaW50ZXh0" not in text
    assert "of-a-query" not in text
    for secret in (traced.people["alice"]["token"], traced.people["alice"]["token"].removeprefix("pul-"), traced.database.service_password, SECRET, update.token):
        assert secret and secret not in text


def real_up(server, collector, folder, name):
    """The real command line makes three things; the spans of the operations that it called, by name."""
    from clients.commandline import CommandLine
    tools = subprocess.run([ROOT / "tests/clients/get-tools", "3.259.0"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    server.organization, server.token = "acme", server.people["alice"]["token"]
    pulumi = CommandLine(tools, "3.259.0", folder / "home", server)
    project = folder / "project"
    project.mkdir()
    (project / "Pulumi.yaml").write_text(json.dumps({"name": name, "runtime": "yaml", "resources": {
        f"r{i}": {"type": "pulumi:index:Stash", "properties": {"input": f"hidden-{i}"}} for i in range(3)}}))
    pulumi.run("stack", "init", f"acme/{name}/dev", cwd=project)
    pulumi.run("up", "--yes", "--skip-preview", cwd=project)

    def servers_told():
        servers = {span.name: span for span in collector.sink.spans() if span.attributes.get("pulumi.project") == name and span.kind == Span.SERVER}
        return servers if "create_journal_entries" in servers and [name for name in servers if name.startswith("complete")] else None

    return wait_for(servers_told, 30, "no spans of an update", every=0.2)


def test_a_real_up(traced, collector, tmp_path):
    servers = real_up(traced, collector, tmp_path, "traced")
    batch = servers["create_journal_entries"]
    assert batch.attributes["pulumi.update.id"] and batch.attributes["http.route"].endswith("/journalentries")
    children = [span for span in collector.sink.spans() if span.trace == batch.trace and span.parent == batch.id]
    assert [one.name for one in children] == ["journal_batch.append"]
    ended = next(span for name, span in servers.items() if name.startswith("complete"))
    below = {span.name for span in collector.sink.spans() if span.trace == ended.trace and span.parent}
    assert "object store put" in below and "transaction.commit" in below
    assert "hidden-1" not in collector.sink.text()


@pytest.fixture
def bucket(tmp_path):
    subprocess.run([ROOT / "tests/clouds/get-stand-ins"], check=True, stdout=subprocess.DEVNULL)
    cache = pathlib.Path(os.environ.get("PULUMI_TEST_CACHE", pathlib.Path.home() / ".cache/pulumi-api-tests"))
    made = Moto(cache / "clouds", tmp_path)
    made.start()
    yield made
    made.stop()


def test_calls_of_other_services_are_below_what_needs_them(make_server, collector, bucket):
    server = make_server(exporter=True, METRICS_WEBHOOK_SECRET=SECRET, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url("grpc"), PULUMI_LOCAL_OBJECTS="",
                         PULUMI_CHECKPOINT_BLOB_STORAGE_ENDPOINT=bucket.where(), **bucket.credentials(), **QUICK)
    stack = Stack(server.client(), "acme").create()
    imported = stack.import_(document(root(stack), resource(stack, "a"))).expect(200)
    spans = trace_of(collector.sink, imported, 4)
    put = next(span for span in spans if span.name == "object store put")
    calls = [span for span in spans if span.parent == put.id]
    assert calls and all(span.kind == Span.CLIENT and span.name == span.attributes["http.request.method"] for span in calls)
    assert calls[-1].attributes == {"http.request.method": "PUT", "server.address": "127.0.0.1", "server.port": bucket.port,
                                    "http.response.status_code": 200}
    assert put.began <= calls[0].began and calls[-1].ended <= put.ended
    samples = server.samples()
    assert samples.total("http_client_request_duration_seconds_count", http_request_method="PUT", server_address="127.0.0.1") >= 1
    bucket.stop()
    failed = server.client().get("/api/admin/health").expect(503)
    spans = trace_of(collector.sink, failed, 3)
    assert [span for span in spans if span.name == "PUT" and span.failed and span.attributes["error.type"] == "error"]
    text = collector.sink.text()
    assert bucket.credentials()["AWS_SECRET_ACCESS_KEY"] not in text and "AWS4-HMAC" not in text
    server.stop()


# --- what the metrics say ---

def points(metrics, name):
    metric = metrics[name]
    data = metric.get("histogram") or metric.get("sum") or metric["gauge"]
    return data["dataPoints"]


def told(point):
    return {one["key"]: one["value"]["stringValue"] for one in point.get("attributes", [])}


def test_metrics_are_those_of_the_scrape(traced, collector):
    for _ in range(5):
        traced.client().get("/api/user").expect(200)
    wanted = traced.samples().total("http_server_request_duration_seconds_count", operation="get_current_user", http_response_status_code="200")

    def number():
        metrics = collector.sink.metrics()
        return "http.server.request.duration" in metrics and sum(
            int(point["count"]) for point in points(metrics, "http.server.request.duration")
            if (told(point).get("operation"), told(point)["http.response.status_code"]) == ("get_current_user", "200"))

    wait_for(lambda: number() == wanted, 20, f"not {wanted}", every=0.2)
    metrics = collector.sink.metrics()
    histogram = metrics["http.server.request.duration"]
    assert histogram["unit"] == "s" and histogram["histogram"]["aggregationTemporality"] == 2
    for point in points(metrics, "http.server.request.duration"):
        assert len(point["bucketCounts"]) == 20 and len(point["explicitBounds"]) == 19 and point["explicitBounds"][0] == 0.0005
        assert sum(map(int, point["bucketCounts"])) == int(point["count"])
        assert 0 < int(point["startTimeUnixNano"]) < int(point["timeUnixNano"]) < time.time() * 1e9 + 1e9
        assert point["sum"] > 0
    counter = metrics["pulumi.journal_batches"]
    assert counter["sum"]["isMonotonic"] and counter["sum"]["aggregationTemporality"] == 2
    assert "pulumi.journal_stored" in metrics and metrics["pulumi.journal_stored"]["unit"] == "By"
    assert points(metrics, "pulumi.database_up")[0]["asInt"] == "1"
    assert "pulumi.stacks" in metrics and told(points(metrics, "pulumi.build_info")[0])["version"]


def test_metrics_without_a_database(traced, collector):
    traced.database.kill()
    try:
        wait_for(lambda: points(collector.sink.metrics(), "pulumi.database_up")[0]["asInt"] == "0", 20, "the gauge stayed", every=0.2)
        assert "pulumi.stacks" not in collector.sink.metrics()
    finally:
        traced.database.start()
    wait_for(lambda: points(collector.sink.metrics(), "pulumi.database_up")[0]["asInt"] == "1", 20, "the gauge stayed", every=0.2)


# --- every way there ---

@pytest.mark.parametrize("way", ["http", "grpc-tls", "http-tls"])
def test_ways(make_server, collector, certificate, way, tmp_path):
    server = make_server(exporter=True, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url(way), OTEL_EXPORTER_OTLP_PROTOCOL=way.partition("-")[0],
                         OTEL_EXPORTER_OTLP_CERTIFICATE=str(certificate.ca), OTEL_SERVICE_NAME=f"by {way}",
                         OTEL_RESOURCE_ATTRIBUTES="service.name=lost,deployment.environment.name=a%20test", **QUICK)
    for _ in range(3):
        spans = trace_of(collector.sink, server.client().get("/api/user").expect(200), 2)
    assert spans[0].resource["service.name"] == f"by {way}" and spans[0].resource["deployment.environment.name"] == "a test"
    if way == "http":
        assert {span.resource["service.name"] for span in real_up(server, collector, tmp_path, "by-http").values()} == {"by http"}
    wait_for(lambda: f'"by {way}"' in json.dumps(collector.sink.taken("/v1/metrics")), 20, "no metrics", every=0.2)
    assert "collector_" not in log_of(server)
    server.stop()


@pytest.mark.parametrize("way", ["grpc-tls", "http-tls"])
def test_a_certificate_of_a_stranger(make_server, collector, way):
    server = make_server(exporter=True, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url(way), OTEL_EXPORTER_OTLP_PROTOCOL=way.partition("-")[0])
    answer = server.client().get("/api/user").expect(200)
    wait_for(lambda: "event=collector_away" in log_of(server), 20, "no word of it")
    assert "certificate" in log_of(server).lower()
    assert request_id(answer).replace("-", "") not in {span.trace for span in collector.sink.spans()}
    server.stop()


def test_headers_are_sent(make_server):
    refusing = Refusing(200)
    server = make_server(exporter=True, OTEL_EXPORTER_OTLP_ENDPOINT=f"{refusing.url}/base/", OTEL_EXPORTER_OTLP_PROTOCOL="http/protobuf",
                         OTEL_EXPORTER_OTLP_HEADERS="Authorization=Bearer%20very-hidden,x-tenant=42", **QUICK)
    server.client().get("/api/user").expect(200)
    wait_for(lambda: {"/base/v1/traces", "/base/v1/metrics"} <= set(refusing.asked), 20, "nothing came")
    assert refusing.headers["Authorization"] == "Bearer very-hidden" and refusing.headers["x-tenant"] == "42"
    assert refusing.headers["Content-Type"] == "application/x-protobuf"
    server.stop()
    assert "very-hidden" not in log_of(server)
    refusing.close()


# --- jobs ---

def run_job(server, name, *arguments, **more):
    return subprocess.run([BUILD / "cron" / f"pulumi-job-{name}", *arguments], env=server.environment(**more), capture_output=True, text=True, timeout=60)


def jobs_of(collector, name):
    return [span for span in collector.sink.spans() if span.name == f"job {name}"]


def test_what_a_job_did_is_a_trace(traced, collector):
    """The journal of an update that ended long ago is deleted; what then finds nothing to do leaves no span."""
    stack = Stack(traced.client(), "acme").create()
    update = stack.begin(journal=1)
    for i in range(3):
        update.append(entry(BEGIN, i + 1), entry(SUCCESS, i + 1, new=0, state=resource(stack, f"r{i}")))
    update.complete().expect()
    traced.database.sql("UPDATE updates SET ended_at = ended_at - INTERVAL 2 HOUR WHERE ended_at IS NOT NULL")
    done = run_job(traced, "compact-journals")
    assert done.returncode == 0 and "updates=" in done.stdout, done
    job = wait_for(lambda: jobs_of(collector, "compact-journals"), 30, "no span of the job", every=0.1)[0]
    spans = spans_of(collector.sink, job.trace, 2)
    assert (job.kind, job.parent, job.failed) == (Span.INTERNAL, "", False)
    assert job.attributes == {"pulumi.job.name": "compact-journals"}
    children = [span for span in spans if span.id != job.id]
    assert children and all(span.parent == job.id and job.began <= span.began <= span.ended <= job.ended for span in children)
    assert all(span.attributes["db.system.name"] == "mysql" for span in children)
    assert run_job(traced, "compact-journals").stdout == ""
    trace_of(collector.sink, traced.client().get("/api/user").expect(200))
    assert len(jobs_of(collector, "compact-journals")) == 1


def test_objects_of_a_job(traced, collector):
    digest = "0" * 64
    old = traced.objects / "stacks" / "0199f3c2-7a11-7abc-8def-0123456789ab" / "checkpoints" / f"{digest}.json.gz"
    old.parent.mkdir(parents=True, exist_ok=True)
    old.write_bytes(b"x")
    os.utime(old, (time.time() - 5 * 86400,) * 2)
    done = run_job(traced, "sweep-objects", "--once")
    assert done.returncode == 0, done
    job = wait_for(lambda: jobs_of(collector, "sweep-objects"), 30, "no span of the job", every=0.1)[0]
    names = {span.name for span in spans_of(collector.sink, job.trace, 2)}
    assert "object store list" in names and len(names) >= 3, names


def test_a_job_that_fails(traced, collector):
    """Nobody takes the records of the audit log."""
    Stack(traced.client(), "acme").create()
    done = run_job(traced, "ship-audit", PULUMI_AUDIT_LOGS_DYNAMO_TABLE="records", AWS_REGION="eu-west-1", AWS_ACCESS_KEY_ID="AKIAEXAMPLE",
                   AWS_SECRET_ACCESS_KEY="hidden-key", AWS_ENDPOINT_URL="http://127.0.0.1:1")
    assert done.returncode == 1 and "127.0.0.1:1" in done.stderr, done
    job = wait_for(lambda: jobs_of(collector, "ship-audit"), 30, "no span of the job", every=0.1)[0]
    assert job.failed and job.attributes["error.type"] == "error"
    assert "hidden-key" not in collector.sink.text()


# --- collectors that are away, slow, or refuse ---

def sends(server, **labels):
    return server.samples().total("pulumi_telemetry_sends_total", **labels)


def lost(server, result):
    return server.samples().total("pulumi_traces_total", result=result)


def test_away_and_back(make_server, make_collector):
    collector = make_collector()
    server = make_server(exporter=True, METRICS_WEBHOOK_SECRET=SECRET, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url("grpc"), **QUICK)
    answers = [server.client().get("/api/user").expect(200) for _ in range(20)]
    wait_for(lambda: "event=collector_away" in log_of(server), 20, "no word of it")
    time.sleep(3)
    assert log_of(server).count("event=collector_away") == 1
    assert sends(server, signal="traces", result="failed") > 0 and sends(server, result="accepted") == 0
    assert ("pulumi_traces_total", (("result", "overwritten"),)) in server.samples()
    collector.start()
    for answer in answers:
        trace_of(collector.sink, answer)
    wait_for(lambda: "event=collector_back" in log_of(server), 40, "no word of it")
    wait_for(lambda: sends(server, signal="metrics", result="accepted") and sends(server, signal="traces", result="accepted"), 20, "nothing is counted")
    collector.stop()
    later = server.client().get("/api/user").expect(200)
    wait_for(lambda: log_of(server).count("event=collector_away") == 2, 40, "no word of it")
    server.stop_serve()
    collector.start()
    server.start_serve()
    trace_of(collector.sink, later)
    assert lost(server, "overwritten") == 0 and lost(server, "refused") == 0
    server.stop()


def test_the_oldest_are_lost_and_counted(make_server, make_collector):
    """The exporter is held while more happens than there is room for."""
    collector = make_collector().start()
    server = make_server(exporter=True, METRICS_WEBHOOK_SECRET=SECRET, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url("grpc"), **QUICK)
    first = server.client().get("/api/status").expect(200)
    trace_of(collector.sink, first)
    pid = wait_for(lambda: exporters(server), 10, "no exporter")[0]
    os.kill(pid, signal.SIGSTOP)
    try:
        with open(server.run / "traces", "r+b") as file, mmap.mmap(file.fileno(), 4096) as head:
            def written():
                return struct.unpack_from("<Q", head, 8)[0]

            before = written()
            early = server.client().get("/api/status").expect(200)
            wait_for(lambda: written() > before, 10, "no record")
            struct.pack_into("<Q", head, 8, written() + 9000)  # as if so many more had come
    finally:
        os.kill(pid, signal.SIGCONT)
    wait_for(lambda: lost(server, "overwritten") > 500, 20, "nothing was counted")
    late = server.client().get("/api/status").expect(200)
    trace_of(collector.sink, late)
    assert request_id(early).replace("-", "") not in {span.trace for span in collector.sink.spans()}
    server.stop()


def test_slow(make_server):
    """One that never answers: requests do not wait for it, and neither does a stop."""
    silent = Silent()
    server = make_server(exporter=True, OTEL_EXPORTER_OTLP_ENDPOINT=silent.url, OTEL_EXPORTER_OTLP_TIMEOUT="60000", **QUICK)
    wait_for(lambda: silent.held, 20, "nobody came")
    for _ in range(20):
        server.client().get("/api/user").expect(200)
    pid = exporters(server)[0]
    began = time.monotonic()
    server.stop_serve()
    assert time.monotonic() - began < 8 and not pathlib.Path(f"/proc/{pid}").exists()
    assert "event=killed" not in log_of(server)
    server.start_serve(OTEL_EXPORTER_OTLP_TIMEOUT="300")
    wait_for(lambda: "event=collector_away" in log_of(server), 20, "no word of it")
    silent.close()
    server.stop()


def test_refused_for_now(make_server):
    refusing = Refusing(503)
    server = make_server(exporter=True, METRICS_WEBHOOK_SECRET=SECRET, OTEL_EXPORTER_OTLP_ENDPOINT=refusing.url, OTEL_EXPORTER_OTLP_PROTOCOL="http", **QUICK)
    server.client().get("/api/user").expect(200)
    wait_for(lambda: "HTTP status 503" in log_of(server), 20, "no word of it")
    assert lost(server, "refused") == 0 and lost(server, "exported") == 0
    refusing.status = 200
    wait_for(lambda: lost(server, "exported") > 0, 40, "it was not sent again")
    assert lost(server, "refused") == 0
    refusing.close()
    server.stop()


def test_refused_for_good(make_server):
    refusing = Refusing(401)
    server = make_server(exporter=True, METRICS_WEBHOOK_SECRET=SECRET, OTEL_EXPORTER_OTLP_ENDPOINT=refusing.url, OTEL_EXPORTER_OTLP_PROTOCOL="http", **QUICK)
    server.client().get("/api/user").expect(200)
    wait_for(lambda: "event=collector_refuses" in log_of(server), 20, "no word of it")
    assert "HTTP status 401" in log_of(server)
    wait_for(lambda: lost(server, "refused") > 0, 20, "nothing was counted")
    assert lost(server, "exported") == 0
    refusing.close()
    server.stop()


def test_refused_in_part(make_server):
    """Its words are told; that it took the rest is not forgotten."""
    refusing = Refusing(200)
    refusing.body = b"\x0a\x0b\x08\x05\x12\x07too old"  # ExportTracePartialSuccess
    server = make_server(exporter=True, METRICS_WEBHOOK_SECRET=SECRET, OTEL_EXPORTER_OTLP_ENDPOINT=refusing.url, OTEL_EXPORTER_OTLP_PROTOCOL="http", **QUICK)
    server.client().get("/api/user").expect(200)
    wait_for(lambda: "did not take 5: too old" in log_of(server), 20, "no word of it")
    wait_for(lambda: lost(server, "exported") > 0, 20, "nothing was counted")
    refusing.close()
    server.stop()


def test_a_collector_that_cannot_hand_it_on(make_server, make_collector):
    """It answers UNAVAILABLE: the same is sent again."""
    collector = make_collector().start()
    collector.sink.status = 503
    server = make_server(exporter=True, METRICS_WEBHOOK_SECRET=SECRET, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url("grpc"), **QUICK)
    answer = server.client().get("/api/user").expect(200)
    wait_for(lambda: "grpc-status 14" in log_of(server), 20, "no word of it")
    assert lost(server, "refused") == 0
    collector.sink.status = 200
    trace_of(collector.sink, answer, 2)
    assert lost(server, "refused") == 0
    server.stop()


def test_refused_by_grpc(make_server, make_collector):
    """A collector that takes metrics only does not know the method for traces."""
    collector = make_collector(pipelines=("metrics",)).start()
    server = make_server(exporter=True, METRICS_WEBHOOK_SECRET=SECRET, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url("grpc"), **QUICK)
    server.client().get("/api/user").expect(200)
    wait_for(lambda: "grpc-status 12" in log_of(server), 20, "no word of it")
    wait_for(lambda: collector.sink.metrics(), 20, "no metrics")
    wait_for(lambda: lost(server, "refused") > 0, 20, "nothing was counted")
    server.stop()


def test_the_port_for_http_is_not_the_one_for_grpc(make_server, make_collector):
    collector = make_collector().start()
    server = make_server(exporter=True, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url("http"))
    server.client().get("/api/user").expect(200)
    wait_for(lambda: re.search(r"event=collector_\w+ detail=\"[^\"]{20,}\"", log_of(server)), 20, "no word of it")
    server.stop()


# --- one exporter, kept running ---

def test_the_exporter_is_kept_and_is_alone(traced, collector):
    pid = wait_for(lambda: exporters(traced), 10, "no exporter")[0]
    alone = subprocess.run([BUILD / "cron" / EXPORTER], env=traced.environment(), capture_output=True, text=True, timeout=60)
    assert (alone.returncode, alone.stdout) == (0, ""), alone.stderr
    time.sleep(2)  # one that ends at once is started later
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: exporters(traced) and exporters(traced) != [pid], 20, "no new exporter")
    trace_of(collector.sink, traced.client().get("/api/user").expect(200))


def test_by_hand(make_server, collector):
    """Without pulumi-serve's help: what is there is sent, then it ends."""
    server = make_server(OTEL_EXPORTER_OTLP_ENDPOINT=collector.url("grpc"))
    answer = server.client().get("/api/user").expect(200)
    done = subprocess.run([BUILD / "cron" / EXPORTER], env=server.environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and re.search(r"job=export-telemetry traces=\d+ lost=0", done.stdout), done
    trace_of(collector.sink, answer)
    away = subprocess.run([BUILD / "cron" / EXPORTER], env=server.environment(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1"), capture_output=True,
                          text=True, timeout=60)
    assert away.returncode == 1 and "127.0.0.1:1" in away.stderr
    server.stop()


def test_a_reload_switches_it_on_and_off(make_server, collector):
    server = make_server(exporter=True, PULUMI_ENABLE_DEPRECATED_METRICS="false")
    assert not exporters(server) and not (server.run / "traces").exists()
    config = server.folder / "pulumi-api.conf"
    config.write_text(f'otel_exporter_otlp_endpoint = "{collector.url("grpc")}"\n')
    old = server.responders()
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: len(server.responders()) == 3 and not set(old) & set(server.responders()), 30, "no new responders")
    answer = server.client().get("/api/user").expect(200)
    done = subprocess.run([BUILD / "cron" / EXPORTER], env=server.environment(), capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done
    trace_of(collector.sink, answer)
    config.write_text("")
    old = server.responders()
    server.process.send_signal(signal.SIGHUP)
    wait_for(lambda: len(server.responders()) == 3 and not set(old) & set(server.responders()), 30, "no new responders")
    assert not (server.run / "traces").exists()
    server.stop()


# --- switched off, and settings ---

def test_nothing_without_an_endpoint(server):
    """No file, no header looked at, nobody called."""
    assert not (server.run / "traces").exists()
    server.client().get("/api/user", headers={"Traceparent": f"00-{TRACE}-{PARENT}-01"}).expect(200)
    for pid in server.responders():
        assert "/traces" not in pathlib.Path(f"/proc/{pid}/maps").read_text()
    done = subprocess.run([BUILD / "cron" / EXPORTER, "--for", "60s"], env=server.environment(PULUMI_ENABLE_DEPRECATED_METRICS="false"),
                          capture_output=True, text=True, timeout=20)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


WRONG = [("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a:b@c"),
         ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"), ("OTEL_EXPORTER_OTLP_HEADERS", "no-value"), ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
         ("OTEL_EXPORTER_OTLP_CERTIFICATE", "/no/such/file"), ("OTEL_RESOURCE_ATTRIBUTES", "=x"), ("OTEL_METRIC_EXPORT_INTERVAL", "0"),
         ("PULUMI_ENABLE_DEPRECATED_METRICS", "perhaps")]


@pytest.mark.parametrize("name,value", WRONG)
@pytest.mark.parametrize("program", ["fcgi/pulumi-serve", "fcgi/pulumi-api.fcgi", f"cron/{EXPORTER}"])
def test_a_wrong_value_stops_the_start(server, name, value, program):
    if name.startswith("PULUMI_") and program.endswith("fcgi"):
        return  # responders do not read it
    arguments = ["--check"] if program.endswith("serve") else ["--for", "5s"] if program.startswith("cron") else ["--once"]
    done = subprocess.run([BUILD / program, *arguments], env=server.environment(**{name: value}), stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 1
    line = next(line for line in done.stderr.splitlines() if name in line)
    assert len(line.split()) > 5 and "a:b@c" not in line


# --- metrics as lines ---

def test_lines_of_metrics(server):
    """Gauges at once; what increased after a minute."""
    process = subprocess.Popen([BUILD / "cron" / EXPORTER, "--for", "90s"], env=server.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        first = [process.stdout.readline() for _ in range(3)]
        assert all(re.fullmatch(r"level=info event=metric name=pulumi_\w+ (version=\S+ )?value=\d+\n", line) for line in first), first
        for _ in range(4):
            server.client().get("/api/user").expect(200)
        lines = {}
        while "http_server_request_duration_seconds" not in lines:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            lines[re.search(r" name=(\w+) ", line)[1]] = line
        said = re.fullmatch(r"level=info event=metric name=\w+ count=(\d+) mean=\d+\.\d{6} p50=>?[\d.]+ p99=>?[\d.]+ failed=0\n",
                            lines["http_server_request_duration_seconds"])
        assert said and int(said[1]) >= 4, lines
    finally:
        process.terminate()
        assert process.wait(20) == 0
