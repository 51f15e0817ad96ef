# SPDX-License-Identifier: Apache-2.0
"""The real OpenTelemetry Collector, and what it hands on; and servers that behave as no collector should."""

import gzip
import http.server
import json
import pathlib
import socket
import subprocess
import threading

from conftest import our_port
from lib.server import wait_for

HERE = pathlib.Path(__file__).parent
PORTS = iter(range(19200, 19400))  # each is given away once: a collector that is not started yet has its own, too


def program():
    return subprocess.run([HERE / "get-collector"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


class Sink:
    """Takes OTLP/HTTP as JSON, which is what the collector makes of what it got, and keeps it."""

    def __init__(self):
        sink = self
        self.status = 200
        self.bodies, self.headers, self.lock = {"/v1/traces": [], "/v1/metrics": []}, [], threading.Lock()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                body = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
                if sink.status == 200:
                    with sink.lock:
                        sink.bodies[self.path].append(json.loads(body))
                self.send_response(sink.status)
                self.send_header("Content-Length", "2")
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def taken(self, path):
        with self.lock:
            return list(self.bodies[path])

    def text(self):
        return json.dumps(self.taken("/v1/traces") + self.taken("/v1/metrics"))

    def spans(self):
        return [Span(span, values(resource["resource"]["attributes"])) for body in self.taken("/v1/traces")
                for resource in body["resourceSpans"] for scope in resource["scopeSpans"] for span in scope["spans"]]

    def metrics(self):
        """{name: metric} of the last export."""
        bodies = self.taken("/v1/metrics")
        return {m["name"]: m for resource in (bodies[-1]["resourceMetrics"] if bodies else []) for scope in resource["scopeMetrics"] for m in scope["metrics"]}


def values(attributes):
    """{key: value} of a list of attributes."""
    found = {}
    for one in attributes:
        kind, value = next(iter(one["value"].items()))
        assert one["key"] not in found, f"twice: {one['key']}"
        found[one["key"]] = int(value) if kind == "intValue" else value
    return found


class Span:
    INTERNAL, SERVER, CLIENT = 1, 2, 3

    def __init__(self, raw, resource):
        self.trace, self.id, self.parent = raw["traceId"], raw["spanId"], raw.get("parentSpanId", "")
        self.name, self.kind, self.state = raw["name"], raw["kind"], raw.get("traceState", "")
        self.began, self.ended = int(raw["startTimeUnixNano"]), int(raw["endTimeUnixNano"])
        self.attributes, self.failed = values(raw.get("attributes", [])), raw.get("status", {}).get("code") == 2
        self.resource = resource

    def __repr__(self):
        return f"{self.name} {self.attributes}"


class Collector:
    """Listens for gRPC and HTTP, plain and, given a certificate, with TLS; hands everything to a sink."""

    def __init__(self, folder, certificate=None, pipelines=("traces", "metrics")):
        self.folder, self.certificate, self.pipelines = folder, certificate, pipelines
        self.sink, self.process, self.log = Sink(), None, folder / "collector.log"
        names = ["grpc", "http"] + (["grpc-tls", "http-tls"] if certificate else [])
        self.ports = {name: our_port(PORTS) for name in names}

    def url(self, name):
        return f"{'https' if name.endswith('tls') else 'http'}://127.0.0.1:{self.ports[name]}"

    def config(self):
        def receiver(suffix, **more):
            return {"protocols": {protocol: {"endpoint": f"127.0.0.1:{self.ports[protocol + suffix]}", **more} for protocol in ("grpc", "http")}}

        receivers = {"otlp": receiver("")}
        if self.certificate:
            receivers["otlp/tls"] = receiver("-tls", tls={"cert_file": str(self.certificate.file), "key_file": str(self.certificate.key)})
        return {
            "receivers": receivers,
            "exporters": {"otlphttp": {"endpoint": f"http://127.0.0.1:{self.sink.port}", "encoding": "json", "sending_queue": {"enabled": False},
                                        "retry_on_failure": {"enabled": False}}},
            "service": {"telemetry": {"metrics": {"level": "none"}},
                        "pipelines": {name: {"receivers": list(receivers), "exporters": ["otlphttp"]} for name in self.pipelines}},
        }

    def start(self):
        (self.folder / "collector.yaml").write_text(json.dumps(self.config()))
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([program(), "--config", self.folder / "collector.yaml"], stdout=log, stderr=log)
        wait_for(lambda: all(listens(port) for port in self.ports.values()), 60, "the collector did not start", self.process, self.log)
        return self

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)

    def close(self):
        self.stop()
        self.sink.close()


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


class Refusing:
    """An HTTP server that answers every export with `status`, which may be changed, and counts."""

    def __init__(self, status):
        one = self
        self.status, self.body, self.asked, self.headers = status, b"", [], None

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                one.asked.append(self.path)
                one.headers = dict(self.headers)
                self.send_response(one.status)
                self.send_header("Content-Length", str(len(one.body)))
                self.end_headers()
                self.wfile.write(one.body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Silent:
    """Takes connections and says nothing."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=100)
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        self.held = []
        threading.Thread(target=self.hold, daemon=True).start()

    def hold(self):
        while True:
            try:
                self.held.append(self.socket.accept()[0])
            except OSError:
                return

    def close(self):
        self.socket.close()
        for one in self.held:
            one.close()
