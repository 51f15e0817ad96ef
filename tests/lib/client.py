# SPDX-License-Identifier: Apache-2.0
"""HTTP with every byte under control, and the life of an update in the words of the API."""

import gzip
import hashlib
import http.client
import json
import pathlib
import urllib.parse
import uuid

AGENT = "pulumi-cli/1 (v3.259.0; linux)"
EMPTY = {"version": 3, "deployment": {"manifest": {"time": "0001-01-01T00:00:00Z", "magic": "", "version": ""}}}


class Answer:
    """Status, headers and bytes of one answer. `body` is decompressed, `raw` is not."""

    def __init__(self, method, path, status, headers, raw):
        self.method, self.path, self.status, self.headers, self.raw = method, path, status, headers, raw
        self.body = gzip.decompress(raw) if headers.get("Content-Encoding") == "gzip" and raw else raw

    def json(self):
        return json.loads(self.body)

    @property
    def message(self):
        try:
            return self.json().get("message", "")
        except (ValueError, AttributeError):
            return ""

    def __str__(self):
        return f"{self.method} {self.path} -> {self.status} {self.body[:400]!r}"

    def expect(self, *statuses):
        """This answer, when its status is one of these (2xx without any)."""
        assert self.status in statuses if statuses else 200 <= self.status < 300, f"expected {statuses or '2xx'}: {self}"
        return self

    def expect_problem(self, *statuses):
        """An error as every client expects it: JSON, code equal to the status, a sentence."""
        self.expect(*statuses)
        assert self.headers.get("Content-Type", "").startswith("application/json"), self
        body = self.json()
        assert body["code"] == self.status and isinstance(body["message"], str), self
        assert len(body["message"].split()) >= 2, f"no sentence: {self}"
        return self


class Client:
    """Calls as one person. A connection is opened for each call, so that a broken one hurts nobody else."""

    def __init__(self, url, token=None, scheme="token"):
        parts = urllib.parse.urlsplit(url)
        self.host, self.port, self.prefix = parts.hostname, parts.port, parts.path.rstrip("/")
        self.token, self.scheme = token, scheme

    def with_token(self, token, scheme="token"):
        return Client(f"http://{self.host}:{self.port}{self.prefix}", token, scheme)

    def call(self, method, path, body=None, *, raw=None, compress=False, headers=None, timeout=120):
        """`body` is sent as JSON, `raw` as it is. A header whose value is None is left out."""
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", "Accept": "application/vnd.pulumi+9", "User-Agent": AGENT}
        if self.token is not None:
            sent["Authorization"] = f"{self.scheme} {self.token}"
        if compress and data is not None:
            data = gzip.compress(data, 1)
            sent["Content-Encoding"] = "gzip"
        sent.update(headers or {})
        return self.send(method, path, {k: v for k, v in sent.items() if v is not None}, data, timeout)

    def send(self, method, path, headers, data, timeout):
        connection = http.client.HTTPConnection(self.host, self.port, timeout=timeout)
        try:
            connection.putrequest(method, self.prefix + path, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            if data is not None or method in ("POST", "PUT", "PATCH"):
                connection.putheader("Content-Length", str(len(data or b"")))
            connection.endheaders(data)
            answer = connection.getresponse()
            return Answer(method, path, answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def get(self, path, **options):
        return self.call("GET", path, **options)

    def post(self, path, body=None, **options):
        return self.call("POST", path, body, **options)

    def patch(self, path, body=None, **options):
        return self.call("PATCH", path, body, **options)

    def delete(self, path, **options):
        return self.call("DELETE", path, **options)


class Access:
    """The server under test, as access.json describes it."""

    def __init__(self, path):
        described = json.loads(pathlib.Path(path).read_text())
        self.url = described["url"].rstrip("/")
        self.organization, self.user, self.token = described["organization"], described["user"], described["token"]
        self.other = described.get("other")
        self.folder, self.build = described.get("folder"), described.get("build")
        self.web = described.get("web", "lighttpd")
        self.max_body = described.get("max_body")

    def client(self):
        return Client(self.url, self.token)

    def other_client(self):
        return Client(self.url, self.other["token"])


class Stack:
    """A stack and calls about it."""

    def __init__(self, client, organization, project=None, name="dev"):
        self.client, self.organization, self.name = client, organization, name
        self.project = project or f"t-{uuid.uuid4().hex[:12]}"

    @property
    def path(self):
        return f"/api/stacks/{self.organization}/{self.project}/{self.name}"

    def create(self, **more):
        self.client.post(f"/api/stacks/{self.organization}/{self.project}", {"stackName": self.name, **more}).expect(200)
        return self

    def get(self):
        return self.client.get(self.path).expect(200).json()

    def delete(self, force=True):
        return self.client.delete(f"{self.path}?force={'true' if force else 'false'}")

    def export(self, version=None):
        return self.client.get(f"{self.path}/export" + (f"/{version}" if version else ""))

    def text(self, version=None):
        """The bytes of the state."""
        return self.export(version).expect(200).body

    def state(self, version=None):
        return json.loads(self.text(version))

    def import_(self, document=None, raw=None):
        return self.client.post(f"{self.path}/import", document, raw=raw, compress=True)

    def history(self, query=""):
        return self.client.get(f"{self.path}/updates{query}").expect(200).json()["updates"]

    def announce(self, kind="update", dry_run=False, **more):
        """An update that is created and not yet started."""
        body = {"name": self.project, "runtime": "yaml", "main": "", "description": "",
                "options": {"dryRun": dry_run, "color": "raw", "parallel": 16}, "config": {},
                "metadata": {"message": "a message", "environment": {"exec.kind": "cli"}}, **more}
        return Update(self, self.client.post(f"{self.path}/{kind}", body).expect(200).json()["updateID"])

    def begin(self, kind="update", journal=None, dry_run=False, **more):
        """A running update."""
        return self.announce(kind, dry_run).begin(journal, **more)

    def cleanup(self):
        described = self.client.get(self.path)
        if described.status == 200 and described.json().get("activeUpdate"):
            self.client.post(f"{self.path}/update/{described.json()['activeUpdate']}/cancel")
        self.delete()


class Update:
    """One update and the calls that its lease token allows."""

    def __init__(self, stack, update_id):
        self.stack, self.id, self.token, self.version, self.sequence = stack, update_id, None, None, 0

    @property
    def path(self):
        return f"{self.stack.path}/update/{self.id}"

    @property
    def holder(self):
        return self.stack.client.with_token(self.token, "update-token")

    def start(self, journal=None, **more):
        body = {**({"journalVersion": journal} if journal is not None else {}), **more}
        return self.stack.client.post(self.path, body)

    def begin(self, journal=None, **more):
        answer = self.start(journal, **more).expect(200).json()
        self.token, self.version, self.started = answer["token"], answer["version"], answer
        return self

    def status(self):
        return self.stack.client.get(self.path).expect(200).json()["status"]

    def renew(self, duration=300):
        return self.holder.post(f"{self.path}/renew_lease", {"token": "", "duration": duration})

    def checkpoint(self, deployment, version=3, **more):
        return self.holder.patch(f"{self.path}/checkpoint", {"isInvalid": False, "version": version, "deployment": deployment, **more},
                                 compress=True)

    def verbatim(self, text, sequence, version=3):
        """`text` is embedded byte for byte."""
        raw = b'{"version":%d,"untypedDeployment":%s,"sequenceNumber":%d}' % (version, text, sequence)
        return self.holder.patch(f"{self.path}/checkpointverbatim", raw=raw, compress=True)

    def delta(self, edits, after, sequence, version=3, digest=None):
        """edits: (start, end, new text) in bytes of the text before; `after` is the text that they make."""
        body = {"version": version, "checkpointHash": digest or hashlib.sha256(after).hexdigest(), "sequenceNumber": sequence,
                "deploymentDelta": [edit(*e) for e in edits]}
        return self.holder.patch(f"{self.path}/checkpointdelta", body, compress=True)

    def journal(self, *entries):
        return self.holder.patch(f"{self.path}/journalentries", {"entries": list(entries)}, compress=True)

    def append(self, *entries):
        """Entries with the next sequence ids; must be taken."""
        numbered = []
        for entry in entries:
            self.sequence += 1
            numbered.append({**entry, "sequenceID": self.sequence})
        self.journal(*numbered).expect()
        return numbered

    def events(self, *events):
        return self.holder.post(f"{self.path}/events/batch", {"events": list(events)}, compress=True)

    def read_events(self, token=None):
        query = f"?continuationToken={token}" if token else ""
        return self.stack.client.get(f"{self.path}/events{query}").expect(200).json()

    def complete(self, status="succeeded"):
        return self.holder.post(f"{self.path}/complete", {"status": status})

    def cancel(self):
        return self.stack.client.post(f"{self.path}/cancel")


def edit(start, end, text):
    def position(offset):
        return {"line": 1, "column": 1, "offset": offset}

    return {"Span": {"uri": "", "start": position(start), "end": position(end)}, "NewText": text}


def entry(kind, operation_id=0, old=None, new=None, **more):
    """A journal entry without its sequence id."""
    return {"version": 1, "kind": kind, "operationID": operation_id, "removeOld": old, "removeNew": new, **more}


BEGIN, SUCCESS, FAILURE, REFRESH_SUCCESS, OUTPUTS, WRITE, SECRETS_MANAGER, REBUILT_BASE, EXTENSION, SNIPPETS = range(10)


def urn(stack, name, kind="test:index:Thing"):
    return f"urn:pulumi:{stack.name}::{stack.project}::{kind}::{name}"


def resource(stack, name, kind="test:index:Thing", **more):
    return {"urn": urn(stack, name, kind), "custom": kind != "pulumi:pulumi:Stack", "type": kind,
            **({"id": f"id-{name}"} if kind != "pulumi:pulumi:Stack" else {}), **more}


def root(stack, **more):
    return resource(stack, f"{stack.project}-{stack.name}", "pulumi:pulumi:Stack", **more)


def manifest(version="v3.259.0"):
    return {"time": "2026-08-21T10:00:00Z", "magic": hashlib.sha256(version.encode()).hexdigest(), "version": version}


def deployment(*resources, **more):
    return {"manifest": manifest(), **({"resources": list(resources)} if resources else {}), **more}


def document(*resources, version=3, **more):
    return {"version": version, "deployment": deployment(*resources, **more)}
