# SPDX-License-Identifier: Apache-2.0
"""Walks every operation that the server describes through every kind of bad input.

Whatever is wrong, the answer is a 4xx with a JSON body whose code is the status and whose message is a sentence,
nothing changes, and nobody learns what exists. A new row of routes.def is walked without a new test.
"""

import json
import os
import re
import time

import pytest

from lib.client import Access, Stack, deployment

import walk

BOMB = 10 << 20


def pytest_generate_tests(metafunc):
    if "op" not in metafunc.fixturenames:
        return
    path = os.environ.get("PULUMI_API_ACCESS")
    if not path:
        pytest.exit("PULUMI_API_ACCESS must name the access.json of a running server; tests/stack -- pytest tests/api starts one", 2)
    found = walk.operations(Access(path).client())
    # The kinds of update share everything behind their paths: one is walked through, the others through their doors.
    if not metafunc.definition.get_closest_marker("every_kind"):
        found = [op for op in found if op.id == op.base or op.id.endswith("_update")]
    if metafunc.definition.get_closest_marker("with_body"):
        found = [op for op in found if op.schema is not None]
    for name in ("token", "lease"):
        if metafunc.definition.get_closest_marker(f"with_{name}"):
            found = [op for op in found if op.access == name]
    metafunc.parametrize("op", found, ids=[f"{op.method}-{op.id}" + ("-preview-family" if "/preview/registry" in op.path else "") for op in found])


@pytest.fixture(scope="module")
def worlds(client, organization):
    """The world that the tests share; one that a finding has changed is replaced. seen: how the last test left it."""
    made, current = [], []

    def new_stack():
        made.append(Stack(client, organization).create())
        return made[-1]

    def world():
        if not current:
            current.append(walk.World(client, new_stack))
            world.seen = current[0].snapshot()
        current[0].keep_alive()
        return current[0]

    world.spoil = current.clear
    yield world
    for stack in made:
        stack.cleanup()


@pytest.fixture
def world(worlds):
    return worlds()


class Findings(list):
    """Every answer that was not as it must be; they are shown together at the end."""

    def check(self, label, answer, *statuses):
        try:
            if answer.method == "HEAD":
                answer.expect(*(statuses or range(400, 500)))
                assert answer.raw == b"", f"HEAD with a body: {answer}"
            else:
                answer.expect_problem(*(statuses or range(400, 500)))
        except (AssertionError, ValueError, KeyError) as reason:
            self.append(f"{label}: {reason}"[:500])

    def done(self):
        assert not self, f"{len(self)} of them:\n" + "\n".join(self[:25])


@pytest.fixture
def findings(world, worlds):
    """At the end nothing may have changed since the test before ended."""
    found, before = Findings(), worlds.seen
    yield found
    after = worlds.seen = world.snapshot()
    if found or after != before:
        worlds.spoil()
    found.done()
    assert after == before


@pytest.mark.with_body
class TestBodies:
    def test_text_that_is_no_json(self, op, world, findings):
        for body in walk.NOT_JSON:
            findings.check(repr(body), world.call(op, raw=body), 400)
            findings.check(f"compressed {body!r}", world.call(op, raw=body, compress=True), 400)

    def test_json_that_is_no_object(self, op, world, findings):
        for body in walk.NOT_AN_OBJECT:
            findings.check(repr(body), world.call(op, raw=body), 400)

    def test_broken_utf8(self, op, world, findings):
        good = json.dumps(world.sample(op)).encode()
        for bad in walk.BROKEN_UTF8:
            findings.check(f"in a name: {bad!r}", world.call(op, raw=good[:-1] + b',"' + bad + b'":1}'), 400)
            findings.check(f"in a value: {bad!r}", world.call(op, raw=good[:-1] + b',"a":"' + bad + b'"}'), 400)
            findings.check(f"between: {bad!r}", world.call(op, raw=good[:-1] + bad + b"}"), 400)

    def test_absurd_nesting(self, op, world, findings):
        good = json.dumps(world.sample(op)).encode()
        for bad in walk.NESTED:
            findings.check(f"{len(bad)} bytes of {bad[:8]!r}", world.call(op, raw=bad, compress=True), 400)
            findings.check(f"in a member: {len(bad)} bytes of {bad[:8]!r}", world.call(op, raw=good[:-1] + b',"a":' + bad + b"}", compress=True), 400)

    def test_every_member_of_the_wrong_type_missing_or_too_large(self, op, world, findings):
        for label, body in walk.spoilt(op, world.sample(op)):
            findings.check(label, world.call(op, body, compress=op.raw), 400, 409, 413)

    def test_duplicate_members(self, op, world, findings):
        """Two values for one name: nobody can know which was meant."""
        sample = world.sample(op)
        if not isinstance(sample, dict):
            return
        for name, value in sample.items():
            body = json.dumps(sample)[:-1] + f",{json.dumps(name)}:{json.dumps(value)}}}"
            findings.check(name, world.call(op, raw=body.encode()), 400)

    def test_content_encodings(self, op, world, findings):
        good = json.dumps(world.sample(op)).encode()
        for encoding in ("br", "deflate", "zstd", "compress", "gzip, gzip", "gzip,br", "xgzip", "utf-8", "*", "gzip;q=1"):
            findings.check(encoding, world.call(op, raw=good, headers={"Content-Encoding": encoding}), 415)

    def test_broken_gzip(self, op, world, findings):
        for label, body in walk.bad_gzip(json.dumps(world.sample(op)).encode()):
            findings.check(label, world.call(op, raw=body, headers={"Content-Encoding": "gzip"}), 400, 413)

    def test_gzip_bombs(self, op, world, findings):
        """Ten megabytes in ten kilobytes: too much for a body that is parsed into a tree; others must be whole documents."""
        started = time.monotonic()
        findings.check("bomb", world.call(op, raw=walk.bomb(BOMB, not op.large), headers={"Content-Encoding": "gzip"}), *((400, 413) if op.large else (413,)))
        findings.check("plain", world.call(op, raw=b'{"a":"' + b"x" * BOMB), 400, 413)
        assert time.monotonic() - started < 20

    def test_more_than_the_limit(self, op, world, findings, access):
        """Where ./check sets a limit that can be reached in a test."""
        if not access.max_body or not op.raw:
            return
        findings.check("bomb", world.call(op, raw=walk.bomb(access.max_body + (2 << 20)), headers={"Content-Encoding": "gzip"}), 413)
        findings.check("plain", world.call(op, raw=b'{"a":"' + b"x" * access.max_body + b'"}'), 413)


@pytest.fixture(scope="module")
def stale_tokens(client):
    """Access tokens that were good: one revoked, one run out."""
    def make(expires):
        return client.post("/api/user/tokens", {"description": "soon stale", "expires": expires}).expect(200).json()

    revoked, expiring = make(0), make(int(time.time()) + 2)
    client.delete(f"/api/user/tokens/{revoked['id']}").expect(204)
    time.sleep(3)
    return [revoked["tokenValue"], expiring["tokenValue"]]


class TestCredentials:
    GARBAGE = ["x", "pul-" + "0" * 40, "0" * 40, "pul-" + "0" * 3000, "' OR 1=1 --", "%00", "é".encode().decode("latin-1"), "a b"]

    @pytest.mark.every_kind
    @pytest.mark.with_token
    def test_no_token_or_garbage(self, op, world, anybody, findings, stale_tokens):
        findings.check("none", world.call(op, {}, client=anybody), 401)
        for value in self.GARBAGE + stale_tokens:
            findings.check(value, world.call(op, {}, client=anybody.with_token(value)), 401)
        for header in ("", "token", "token ", "Bearer " + world.client.token, "Basic YTpi", world.client.token, "Token " + world.client.token,
                       "update-token " + world.client.token):
            findings.check(header[:16], world.call(op, {}, client=anybody, headers={"Authorization": header}), 401)

    @pytest.mark.with_token
    def test_lease_tokens_are_no_access_tokens(self, op, world, findings):
        findings.check("as token", world.call(op, {}, client=world.client.with_token(world.running.token)), 401)
        findings.check("as update-token", world.call(op, {}, client=world.running.holder), 401)

    @pytest.mark.every_kind
    @pytest.mark.with_lease
    def test_no_lease_or_garbage(self, op, world, anybody, findings):
        body = world.sample(op)
        findings.check("none", world.call(op, body, client=anybody), 401)
        findings.check("access token", world.call(op, body, client=world.client), 401)
        findings.check("access token as lease", world.call(op, body, client=anybody.with_token(world.client.token, "update-token")), 403)
        for value in self.GARBAGE:
            findings.check(value, world.call(op, body, client=anybody.with_token(value, "update-token")), 403)

    @pytest.mark.with_lease
    def test_leases_of_other_updates(self, op, world, stranger, access, findings):
        other = world.journal if world.update_for(op) is world.running else world.running
        findings.check("of one's own", world.call(op, world.sample(op), client=other.holder), 403)
        theirs = Stack(stranger, access.other["organization"]).create()
        findings.check("of somebody else's", world.call(op, world.sample(op), client=theirs.begin().holder), 403)
        theirs.cleanup()

    @pytest.mark.with_lease
    def test_leases_that_have_ended(self, op, world, new_stack, findings):
        """Completed, cancelled, superseded. An event that arrives a little late is still taken, a completion twice too."""
        stack = new_stack()
        cancelled = stack.begin()
        cancelled.cancel().expect()
        superseded = stack.begin()
        superseded.renew(1).expect(200)
        time.sleep(1.05)
        ended = stack.begin()
        ended.complete("failed").expect()
        taken_late = op.base in ("RecordEngineEvent", "RecordEngineEventBatch")
        for label, update in (("cancelled", cancelled), ("superseded", superseded), ("ended", ended)):
            if taken_late and label != "superseded":
                continue
            values = {**world.values(op), "project": stack.project, "stack": stack.name, "update": update.id}
            answer = world.call(op, world.sample(op), client=update.holder, values=values)
            findings.check(label, answer, *((403, 409) if label == "ended" else (403,)))


class TestOtherPeoplesThings:
    """What is somebody else's looks exactly like what does not exist."""

    @pytest.mark.every_kind
    @pytest.mark.with_token
    def test_a_stranger_learns_nothing(self, op, world, stranger, findings):
        if "org" not in op.placeholders:
            return
        values = world.values(op)
        body = world.sample(op) if op.schema is not None else None
        nowhere = {**values, "org": "nowhere", "project": "nothing", "stack": "none", "update": walk.NOBODY}
        seen = []
        for label, target in (("theirs", values), ("no such organization", nowhere), ("no such stack", {**nowhere, "org": values["org"]}),
                              ("no such update", {**values, "update": walk.NOBODY})):
            answer = world.call(op, body, client=stranger, values=target)
            findings.check(label, answer, 404)
            seen.append(forget_names(answer.message, target))
        assert len(set(seen)) == 1, seen

    @pytest.mark.with_token
    def test_names_that_do_not_exist(self, op, world, findings):
        values = world.values(op)
        body = world.sample(op) if op.schema is not None else None
        for name in ("org", "project", "stack", "update", "version"):
            if name not in op.placeholders or (name == "project" and op.base == "CreateStack"):
                continue
            findings.check(f"unknown {name}", world.call(op, body, values={**values, name: 999 if name == "version" else f"no-such-{name}"}), 404)

    @pytest.mark.with_token
    def test_updates_of_another_stack(self, op, world, findings):
        if "update" not in op.placeholders:
            return
        body = world.sample(op) if op.schema is not None else None
        other = world.journal_stack if world.update_for(op).stack is world.stack else world.stack
        findings.check("update of another stack", world.call(op, body, values={**world.values(op), "project": other.project}), 404)


def forget_names(message, values):
    for name, value in values.items():
        message = message.replace(str(value), f"<{name}>")
    return message


SEGMENTS = ["%00", "%2F", "%2e%2e", "..%2f..%2fetc%2fpasswd", "a%2Fb", "%", "%zz", "%f", "%ff", "%C0%AF", "a b".replace(" ", "%20"), "a'b", "a%22b",
            "a;b", "a%0d%0ab", "%E2%82%AC", "x" * 101, "x" * 1024, "x" * 3000, "*", "%25s%25n", "-1", "0", "1e3", "99999999999999999999", "null",
            "{stack}", "a+b", "%F0%9F%92%A9", "~", "$where", "A" * 36, "0" * 36]


# Apache refuses these itself, with a page of its own.
REFUSED_BY_APACHE = re.compile(r"%(?![0-9A-Fa-f]{2})|%00|%2[fF]")


def by_apache(access, address, answer):
    return access.web == "apache" and REFUSED_BY_APACHE.search(address) and answer.status in (400, 404)


def test_names_outside_the_rules(op, world, findings, access):
    values = world.values(op)
    body = world.sample(op) if op.schema is not None else None
    for name in op.placeholders:
        if op.access == "lease" and name != "update":
            continue  # the lease names the one update; the path's other names are not looked at
        for segment in SEGMENTS:
            if op.base == "CreateStack" and name == "project" and re.fullmatch(r"[A-Za-z0-9_.-]{1,100}", segment):
                continue
            answer = world.call(op, body, values={**values, name: segment})
            if not by_apache(access, segment, answer):
                findings.check(f"{name} = {segment[:40]}", answer, 400, 401, 403, 404, 405, 409)


def test_query_parameters(op, world, findings, access):
    """Any of them may be refused or ignored; none may break the server."""
    if op.method not in ("GET", "HEAD"):
        return
    for name in [*op.queries, "unheard-of"]:
        for value in ("", "x", "%C3%A9", "-1", "0", "99999999999999999999", "1.5", "%00", "%zz", "%ff", "x" * 5000, "%27", "%25", "a%0ab", walk.NOBODY, "2147483648"):
            answer = world.caller(op).call(op.method, f"{op.url(world.values(op))}?{name}={value}")
            if answer.status >= 400 and not by_apache(access, value, answer):
                findings.check(f"{name}={value[:30]}", answer)
        answer = world.caller(op).call(op.method, op.url(world.values(op)) + "?" + "&".join(f"{name}={n}" for n in range(200)))
        findings.check(f"200 times {name}", answer, 400)
    findings.check("a long address", world.caller(op).call(op.method, op.url(world.values(op)) + "?x=" + "x" * 9000), 400, 414)


class TestMethodsAndPaths:
    METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]

    def test_methods_that_a_path_does_not_have(self, world, findings):
        served = {}
        for op in walk.operations(world.client):
            served.setdefault(op.path, []).append(op)
        for path, ops in served.items():
            url = ops[0].url(world.values(ops[0]))
            matching = {op.method for other, same in served.items() if matches(other, url) for op in same}
            for method in set(self.METHODS) - matching:
                findings.check(f"{method} {path}", world.client.call(method, url, {} if method != "GET" else None), 405)

    @pytest.mark.parametrize("path", [
        "/", "/api", "/api/", "/favicon.ico", "/api/nothing", "/api/user/", "/api/stacks", "/api/stacks/a", "/api/stacks/a/b/c/d/e/f/g/h",
        "/api/stacks/a/b/c/nothing", "/api//user", "/api/./user", "/api/user/..", "/API/USER", "/api/user%2Fstacks", "/api/stacks/a/b/c/import/1",
        "/api/stacks/a/b/c/update/1/nothing", "/api/stacks/a/b/c/unknownkind", "/%", "/api/%zz", "/.git/config", "/api/stacks///"])
    def test_paths_that_are_not_served(self, client, anybody, access, path):
        for who in (client, anybody):
            answer = who.get(path)
            if not by_apache(access, path, answer):
                answer.expect_problem(404, 405, 401, 400)
        assert client.get(path).status in (404, 405, 400)

    def test_head_has_no_body(self, client, stack):
        for path, status in ((f"/api/stacks/{stack.organization}/{stack.project}", 200), (f"/api/stacks/{stack.organization}/nothing", 404),
                             ("/api/nothing", 404)):
            answer = client.call("HEAD", path)
            assert answer.status == status and answer.raw == b"", answer

    def test_every_answer_has_a_request_id(self, client, anybody):
        seen = {client.get("/api/user").headers["X-Pulumi-Request-ID"], client.get("/api/nothing").headers["X-Pulumi-Request-ID"],
                anybody.get("/api/user").headers["X-Pulumi-Request-ID"], anybody.get("/api/status").headers["X-Pulumi-Request-ID"]}
        assert len(seen) == 4 and None not in seen


def matches(template, url):
    want, have = template.split("/"), url.split("/")
    return len(want) == len(have) and all(w.startswith("{") or w == h for w, h in zip(want, have))


class TestCompressedAnswers:
    @pytest.fixture
    def big(self, stack):
        update = stack.begin()
        update.checkpoint(deployment(*({"urn": f"urn:pulumi:dev::p::t:i:T::r{n}", "type": "t:i:T", "custom": True} for n in range(500)))).expect()
        update.complete().expect()
        return stack

    def test_only_when_the_client_takes_it(self, big):
        plain = big.client.get(f"{big.path}/export")
        packed = big.client.get(f"{big.path}/export", headers={"Accept-Encoding": "gzip"})
        assert plain.headers.get("Content-Encoding") is None and packed.headers.get_all("Content-Encoding") == ["gzip"]
        assert plain.body == packed.body and len(packed.raw) < len(plain.raw) / 5
        for refusal in ("identity", "br", "gzip;q=0", "*;q=0", "deflate, br", "gzip; q=0", "gzip;q=0.0"):
            assert big.client.get(f"{big.path}/export", headers={"Accept-Encoding": refusal}).headers.get("Content-Encoding") is None, refusal

    def test_large_lists_too(self, client):
        for path in ("/api/openapi/pulumi-spec.json",):
            packed = client.get(path, headers={"Accept-Encoding": "gzip"})
            assert packed.headers["Content-Encoding"] == "gzip" and packed.body == client.get(path).body

    def test_never_errors_nor_empty_bodies(self, client, stack):
        for method, path in (("GET", "/api/nothing"), ("HEAD", f"/api/stacks/{stack.organization}/{stack.project}"),
                             ("GET", f"/api/stacks/{stack.organization}/{'x' * 1000}/dev")):
            answer = client.call(method, path, headers={"Accept-Encoding": "gzip"})
            assert answer.headers.get("Content-Encoding") is None, answer


def test_unknown_members_are_ignored_and_names_match_without_case(client, organization, new_stack):
    stack = Stack(client, organization)
    client.post(f"/api/stacks/{organization}/{stack.project}", {"STACKNAME": "dev", "brandNew": [{"a": 1}], "Tags": {"a": "b"}}).expect(200)
    assert stack.get()["tags"]["a"] == "b"
    update = stack.announce()
    update.begin(JOURNALVERSION=1, brandNew=None)
    assert update.started["journalVersion"] == 1
    stack.cleanup()


def test_versions_of_accept_headers_do_not_matter(client):
    for accept in ("application/vnd.pulumi+1", "application/vnd.pulumi+99", "text/html", "", None):
        client.get("/api/user", headers={"Accept": accept}).expect(200)
