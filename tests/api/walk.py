# SPDX-License-Identifier: Apache-2.0
"""The operations that the server describes, a valid body for each, and every way of spoiling it."""

import copy
import functools
import gzip
import json
import re
import time
import zlib

from lib.client import BEGIN, SUCCESS, deployment, document, entry, resource, root, urn

NOBODY = "00000000-0000-7000-8000-000000000000"
KINDS = ("update", "preview", "refresh", "destroy")


LARGE = {"CreateStack", "EncryptValue", "DecryptValue", "BatchEncryptValue", "BatchDecryptValue"}


class Operation:
    """One method of one path of the served description."""

    def __init__(self, path, method, described):
        self.path, self.method, self.id = path, method.upper(), described["operationId"]
        self.base = re.sub(rf"_({'|'.join(KINDS)}|alias)$", "", self.id)
        self.queries = [p["name"] for p in described.get("parameters", []) if p["in"] == "query"]
        security = described.get("security")
        self.access = "public" if not security else "lease" if "updateToken" in security[0] else "token"
        body = described.get("requestBody")
        self.schema = body["content"]["application/json"]["schema"] if body else None

    @property
    def placeholders(self):
        return re.findall(r"\{([^}]+)\}", self.path)

    @property
    def large(self):
        """Bodies beyond LIMIT_PLAIN_BODY are ordinary here."""
        return self.raw or self.base in LARGE

    @property
    def raw(self):
        """The body is read by a scanner and not by a field table."""
        return self.schema is not None and not self.schema.get("properties") and "additionalProperties" not in self.schema

    def url(self, values):
        return re.sub(r"\{([^}]+)\}", lambda m: str(values.get(m.group(1), NOBODY)), self.path)

    def __str__(self):
        return f"{self.method} {self.path}"


def operations(client):
    spec = client.get("/api/openapi/pulumi-spec.json").expect(200).json()
    return [Operation(path, method, described) for path, methods in spec["paths"].items() for method, described in methods.items()]


class World:
    """Stacks and updates in the states that the operations need, and what must not change."""

    def __init__(self, client, new_stack):
        self.client = client
        self.stack, self.journal_stack = new_stack(), new_stack()
        self.stack.import_(document(root(self.stack), resource(self.stack, "a"))).expect(200)
        self.preview = self.stack.begin("preview")
        self.preview.complete().expect()
        self.running = self.stack.begin()
        self.running.verbatim(json.dumps(document(root(self.stack))).encode(), 1).expect()
        self.waiting = self.stack.announce()
        self.journal = self.journal_stack.begin(journal=1)
        self.journal.append(entry(BEGIN, 1), entry(SUCCESS, 1, state=root(self.journal_stack)))
        self.renew_at = time.monotonic() + 60
        self.ciphertext = self.encrypt(self.stack)
        self.invites = f"/api/orgs/{self.stack.organization}/invites"
        self.invite = client.post(f"{self.invites}/link", {"role": "member"}).expect(200).json()["id"]

    def keep_alive(self):
        """Renews the leases now and then, as a client that lives does: the walk may take longer than a lease."""
        if time.monotonic() < self.renew_at:
            return
        for update in (self.running, self.journal):
            update.renew().expect()
        self.renew_at = time.monotonic() + 60

    @staticmethod
    def encrypt(stack):
        answer = stack.client.post(f"{stack.path}/encrypt", {"plaintext": "c2VjcmV0"})
        return answer.json()["ciphertext"] if answer.status == 200 else "AAAA"

    def update_for(self, op):
        if op.base == "CreateJournalEntries":
            return self.journal
        if op.base in ("StartUpdate", "CancelUpdate"):
            return self.waiting
        return self.preview if "/previews/" in op.path else self.running

    def values(self, op):
        update = self.update_for(op)
        stack = update.stack
        return {"org": stack.organization, "project": stack.project, "stack": stack.name, "update": update.id, "version": 1, "invite": self.invite,
                "group": "default-policy-group"}

    def caller(self, op):
        if op.access == "public":
            return self.client.with_token(None)
        return self.update_for(op).holder if op.access == "lease" else self.client

    def call(self, op, body=None, client=None, values=None, **options):
        if op.schema is None:
            body = None
        return (client or self.caller(op)).call(op.method, op.url(values or self.values(op)), body, **options)

    def snapshot(self):
        """What a client can see of everything here."""
        seen = {}
        for stack in (self.stack, self.journal_stack):
            seen[stack.path] = (stack.get(), stack.history(), without_time(stack.state()))
        for update in (self.running, self.waiting, self.journal, self.preview):
            seen[update.id] = (update.status(), update.read_events())
        seen["user"] = self.client.get("/api/user").expect(200).json()
        seen["default"] = self.client.get("/api/user/organizations/default").expect(200).json()
        seen["invite"] = [one for one in self.client.get(self.invites).expect(200).json()["invites"] if one["id"] == self.invite]
        seen["version 1"] = self.stack.text(1)
        return seen

    def sample(self, op):
        """A body that the operation would take."""
        given = SAMPLES.get(op.base)
        return given(self) if given else from_schema(op.schema)


def without_time(state):
    """A journal is replayed anew for each export, and the time is that of the replay."""
    state["deployment"]["manifest"].pop("time", None)
    return state


SAMPLES = {
    "EmailSignup": lambda w: {"name": "N", "loginName": "walker", "email": "walker@example.com", "password": "long enough 1"},
    "ForgotPassword": lambda w: {"email": "walker@example.com"},
    "BatchCreateOrgInviteEmail": lambda w: {"invites": [{"email": "walker@example.com", "role": "member"}]},
    "BatchCreateOrgUnverifiedInviteEmail": lambda w: {"invites": [{"email": "walker@example.com", "role": "member"}]},
    "CreateOrgInviteLink": lambda w: {"email": "", "role": "member"},
    "NewOrganization": lambda w: {"orgName": "walkers"},
    "CreateStack": lambda w: {"stackName": "walked", "tags": {"a": "b"}},
    "RenameStack": lambda w: {"newName": "other", "newProject": "other"},
    "UpdateStackTags": lambda w: {"a": "b"},
    "UpdateStackConfig": lambda w: {"environment": "project/name"},
    "ImportStack": lambda w: document(root(w.stack)),
    "EncryptValue": lambda w: {"plaintext": "c2VjcmV0"},
    "DecryptValue": lambda w: {"ciphertext": w.ciphertext},
    "BatchEncryptValue": lambda w: {"plaintexts": ["c2VjcmV0"]},
    "BatchDecryptValue": lambda w: {"ciphertexts": [w.ciphertext]},
    "CreatePolicyPack": lambda w: {"name": "walked", "displayName": "W", "versionTag": "1", "policies": [
        {"name": "p", "displayName": "P", "description": "d", "enforcementLevel": "advisory", "message": "m"}]},
    "NewPolicyGroup": lambda w: {"name": "walked", "entityType": "stacks"},
    "UpdatePolicyGroup": lambda w: {"newName": "default-policy-group"},
    "BatchUpdatePolicyGroup": lambda w: [{"newName": "default-policy-group"}],
    "CreateUpdate": lambda w: {"name": "n", "runtime": "yaml", "main": "", "description": "", "options": {"dryRun": False},
                               "config": {"a:b": {"string": "x"}}, "metadata": {"message": "m", "environment": {"a": "b"}}},
    "StartUpdate": lambda w: {"tags": {"a": "b"}, "journalVersion": 1},
    "RecordEngineEvent": lambda w: {"sequence": 0, "timestamp": 1, "preludeEvent": {"config": {}}},
    "RecordEngineEventBatch": lambda w: {"events": [{"sequence": 0, "timestamp": 1, "preludeEvent": {"config": {}}}]},
    "RenewUpdateLease": lambda w: {"token": "", "duration": 300},
    "AppendUpdateLogEntry": lambda w: {"kind": "stdout", "fields": {"text": "t"}},
    "PatchUpdateCheckpoint": lambda w: {"isInvalid": False, "version": 3, "features": [], "deployment": deployment(root(w.stack))},
    "PatchUpdateVerbatimCheckpoint": lambda w: {"version": 3, "sequenceNumber": 2, "untypedDeployment": document(root(w.stack))},
    "PatchUpdateCheckpointDelta": lambda w: {"version": 3, "sequenceNumber": 2, "checkpointHash": "0" * 64, "deploymentDelta": []},
    "CreateJournalEntries": lambda w: {"entries": [{**entry(BEGIN, 2), "sequenceID": 3}]},
    "CompleteUpdate": lambda w: {"status": "succeeded"},
}

MISSING = object()
STATE = [(("version",), ["3", 0, 5, -1, 3.5, True, [], {}, MISSING]), (("deployment",), ["x", 5, [], True, MISSING]),
         (("deployment", "resources"), [{}, "x", 5, True]), (("deployment", "resources", 0), [5, [], "x", {}]),
         (("deployment", "resources", 0, "urn"), [5, [], {}, MISSING]), (("features",), ["x", 5, {}, [5]])]
SEQUENCE = (("sequenceNumber",), ["2", 0, -1, 1.5, True, [], {}, MISSING])

# Bodies that scanners read: the members that mean something to the server, and what they must not be.
CHECKED = {
    "ImportStack": STATE,
    "PatchUpdateCheckpoint": STATE + [(("isInvalid",), ["yes", 1, [], {}])],
    "PatchUpdateVerbatimCheckpoint": [SEQUENCE, (("untypedDeployment",), ["x", 5, [], True, MISSING])]
    + [(("untypedDeployment", *path), values) for path, values in STATE],
    "PatchUpdateCheckpointDelta": [SEQUENCE, (("checkpointHash",), [5, "", "xyz", "g" * 64, [], MISSING]),
                                   (("deploymentDelta",), ["x", 5, {}, [5], [{}], [{"Span": {}, "NewText": ""}]])],
    "CreateJournalEntries": [(("entries",), ["x", 5, {}, True]), (("entries", 0), [5, "x", [], None]),
                             (("entries", 0, "sequenceID"), ["1", 0, -1, 1.5, True, [], MISSING]),
                             (("entries", 0, "kind"), ["1", -1, 10, 99, 1.5, [], MISSING]),
                             (("entries", 0, "version"), ["1", 0, 2, 99, [], MISSING]),
                             (("entries", 0, "removeOld"), ["0", -1, 1.5, [], True]),
                             (("entries", 0, "state"), ["x", 5, []])],
    "UpdatePolicyGroup": [(("newName",), [5, True, [], {}, "", "a b", "a\x00b", "x" * 500, MISSING]), (("addStack",), ["x", 5, True, [], {}, {"name": 5}]),
                          (("addPolicyPack",), ["x", 5, True, [], {}, {"name": []}]), (("stacks",), ["x", 5, True, {}, [5]]),
                          (("policyPacks",), ["x", 5, True, {}, [[]]]), (("insightsAccounts",), ["x", 5, True, {}, [5]]), (("agentPoolId",), [5, [], {}])],
    "BatchUpdatePolicyGroup": [((0,), [5, "x", [], True, None, {}]), ((0, "newName"), [5, True, [], {}])],
    "RecordEngineEvent": [(("sequence",), ["0", -1, 1.5, [], {}, MISSING])],
    "RecordEngineEventBatch": [(("events",), ["x", 5, {}, True]), (("events", 0), [5, "x", [], None]),
                               (("events", 0, "sequence"), ["0", -1, 1.5, [], {}, MISSING])],
}

WRONG = {
    "string": [5, True, [], {}, ["x"]],
    "integer": ["1", 1.5, True, [], {}],
    "boolean": ["true", 1, 0, [], {}],
    "object": ["x", 5, [], True, [{}]],
    "array": ["x", 5, {}, True],
}


def from_schema(schema):
    kind = schema.get("type")
    if kind == "object":
        return {name: from_schema(s) for name, s in schema.get("properties", {}).items()}
    return {"string": "eHh4", "integer": 1, "boolean": False, "array": []}.get(kind)


def replaced(body, path, value):
    """A copy of the body with one member changed or left out."""
    changed = copy.deepcopy(body)
    at = changed
    for step in path[:-1]:
        if isinstance(at, dict) and step not in at:
            at[step] = {}
        at = at[step]
    if value is MISSING:
        at.pop(path[-1], None) if isinstance(at, dict) else at.pop(path[-1])
    else:
        at[path[-1]] = value
    return changed


def spoilt_by_schema(schema, path=()):
    """(path, value): every member of the wrong type, too long, or missing when it must be there."""
    kind = schema.get("type")
    if path:
        yield from ((path, value) for value in WRONG.get(kind, []))
    if kind == "string":
        yield from text_too_far(schema, path)
    for name, member in schema.get("properties", {}).items():
        yield from spoilt_by_schema(member, (*path, name))
    if isinstance(schema.get("additionalProperties"), dict) and schema["additionalProperties"].get("type"):
        yield from (((*path, "a"), value) for value in WRONG[schema["additionalProperties"]["type"]])
    if kind == "array" and schema.get("items", {}).get("type"):
        yield from ((path, [value]) for value in WRONG[schema["items"]["type"]])
    yield from (((*path, name), MISSING) for name in schema.get("required", []))


def text_too_far(schema, path):
    yield path, "a\x00b"
    if "maxLength" in schema:
        yield path, "x" * (schema["maxLength"] + 1)


def spoilt(op, sample):
    """(label, body) of every bad value for the operation."""
    if op.raw:
        table = [(path, value) for path, values in CHECKED.get(op.base, []) for value in values]
    else:
        table = list(spoilt_by_schema(op.schema))
    for path, value in table:
        label = f"{'.'.join(map(str, path))} {'missing' if value is MISSING else repr(value)[:60]}"
        yield label, replaced(sample, path, value)


NOT_JSON = [b'{"sequence":0},{"sequence":1}', b'{"sequence":0}],"events":[{"sequence":1}', b"{", b"}", b"[", b"nul", b"tru", b"'a'", b"{'a':1}", b'{"a":}', b'{"a" 1}', b'{"a":1,}', b'{"a":1}}', b"{} {}", b"[1,]", b'{"a":01}',
            b'{"a":+1}', b'{"a":.5}', b'{"a":1.}', b'{"a":0x1}', b'{"a":NaN}', b'{"a":Infinity}', b'{"a":"\n"}', b'{"a":"\\x"}', b'{"a":"\\u12"}',
            b'{"a', b'{"a":"', b"\x00", b"\xef\xbb\xbf{}", b"// c\n{}", b"{,}", b'{"a":1 "b":2}', b"\xff\xfe{\x00}\x00", b'{"a":tru}', b"-", b'{"a":1e}']
NOT_AN_OBJECT = [b"[]", b"5", b'"x"', b"true", b"[{}]"]
BROKEN_UTF8 = [b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x80", b"\xf8\x88\x80\x80\x80"]


def nested(depth, opening=b"[", closing=b"]"):
    return opening * depth + closing * depth


NESTED = [nested(3000), nested(100000), b'{"a":' * 5000 + b"1" + b"}" * 5000, b'{"a":' + nested(3000) + b"}", b"[" * 300000, b'{"a":[' * 100000]


def bad_gzip(good):
    """(label, bytes) of compressed bodies that are not whole, valid gzip of the text."""
    packed = gzip.compress(good)
    yield "plain text called gzip", good
    for keep in (1, 5, 10, len(packed) // 2, len(packed) - 8, len(packed) - 1):
        yield f"cut off after {keep} of {len(packed)} bytes", packed[:keep]
    yield "wrong checksum", packed[:-8] + bytes(4) + packed[-4:]
    yield "wrong length", packed[:-4] + b"\xff\xff\xff\x00"
    yield "garbage behind it", packed + b"garbage that is no gzip member"
    yield "half a member behind it", packed + packed[:12]
    yield "zlib instead", zlib.compress(good)
    yield "a reserved block type", packed[:10] + b"\x07" + packed[11:]
    yield "compressed twice", gzip.compress(packed)


@functools.cache
def bomb(size, whole=True):
    """`size` bytes of JSON in a thousandth of them; without its end when it is not to be `whole`."""
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    piece = b"x" * (1 << 20)
    out = [pack.compress(b'{"a":"')] + [pack.compress(piece) for _ in range(size >> 20)]
    return b"".join([*out, pack.compress(b'"}' if whole else b""), pack.flush()])
