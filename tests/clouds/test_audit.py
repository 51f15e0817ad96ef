# SPDX-License-Identifier: Apache-2.0
"""The audit log in DynamoDB: the same log as the database's, whatever the service does, and each record of it once."""

import datetime
import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid

import pytest

from commandline import CommandLine, Project, Server, things
from conftest import BUILD, CACHE, HERE, VERSION
from dynamo import SETTING, InMoto, Local, operation
from lib.client import Client
from lib.server import Installation, free_port
from proxy import DROP, Reply

JOB = BUILD / "cron/pulumi-job-ship-audit"
THROTTLED = Reply(400, b'{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow down"}')
BROKEN = Reply(500, b'{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"try again"}')
EXPIRED = Reply(400, b'{"__type":"com.amazon.coral.service#ExpiredTokenException","message":"The security token included in the request is expired"}')
VIEWS = ["/auditlogs", "/auditlogs/v2", "/auditlogs/export", "/auditlogs/v2/export", "/auditlogs/export?format=cef"]


@pytest.fixture(scope="module", params=[pytest.param("moto", marks=pytest.mark.slow), "local"])
def keeper(request, tmp_path_factory):
    if request.param == "moto":
        made = InMoto(request.getfixturevalue("moto"))
    else:
        made = Local(CACHE / "clouds", tmp_path_factory.mktemp("dynamodb"))
        made.start()
    yield made
    made.stop()


class Log:
    """An installation whose audit log is in a table."""

    def __init__(self, keeper):
        self.keeper, self.table = keeper, keeper.make()
        self.installation = Installation(BUILD, responders=2, environment=keeper.settings(self.table)).start()
        self.access = json.loads(self.installation.access.read_text())
        self.sql = self.installation.database.sql
        self.client = Client(self.installation.url, self.access["token"])

    def environment(self, **more):
        return {k: v for k, v in self.installation.environment(**more).items() if v is not None}

    def job(self, *arguments, code=0, **more):
        done = subprocess.run([JOB, *arguments], env=self.environment(**more), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=120, check=False)
        assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}"
        return done.stdout

    def restart(self, **more):
        self.installation.stop_serve()
        self.installation.start_serve(**more)

    def age(self):
        """As if eleven minutes had passed since the rows were shipped."""
        self.sql("UPDATE audit_shipped SET shipped_at = shipped_at - INTERVAL 11 MINUTE")

    def waiting(self):
        return int(self.sql("SELECT COUNT(*) FROM audit_events e LEFT JOIN audit_shipped s ON s.audit_event_id = e.id "
                            "WHERE s.audit_event_id IS NULL")[0][0])

    def rows(self):
        return {row[0] for row in self.sql("SELECT id FROM audit_events")}

    def items(self):
        return self.keeper.items(self.table)

    def move(self):
        """Everything there is goes to the table, and out of the database."""
        self.job()
        self.age()
        self.job()
        assert self.rows() == set()

    def record(self, count, organization=None, minutes=60, user=True):
        """Records of some past minutes, as rows; their ids, newest first."""
        organization = organization or self.organization_id()
        user_id, token_id = self.sql("SELECT u.id, t.id FROM users u JOIN access_tokens t ON t.user_id = u.id "
                                     f"WHERE u.login = '{self.access['user']}' LIMIT 1")[0]
        now, ids, values = int(time.time() * 1000) - 1000, [], []
        for i in range(count):
            ms = now - i * minutes * 60000 // count
            identifier = str(uuid.UUID(int=ms << 80 | 7 << 76 | int.from_bytes(os.urandom(9), "big") | 2 << 62))
            who = f"'{user_id}', '{token_id}'" if user and i % 3 else "NULL, NULL"
            event = "stack-created" if i % 2 else "member-added"
            values.append(f"('{identifier}', '{organization}', {who}, '{event}', 'path \"{i}\" =\\\\ \u00e9\u2028', '192.0.2.1', "
                          f"FROM_UNIXTIME({ms / 1000:.3f}))")
            ids.append(identifier)
        for at in range(0, count, 500):
            self.sql("SET time_zone = '+00:00'; INSERT INTO audit_events (id, organization_id, user_id, token_id, event, description, source_ip, "
                     f"created_at) VALUES {', '.join(values[at:at + 500])}")
        return ids

    def organization_id(self):
        return self.sql(f"SELECT id FROM organizations WHERE login = '{self.access['organization']}'")[0][0]

    def get(self, view, **more):
        """The answer of the server, or with further settings that of a responder of its own."""
        path = f"/api/orgs/{self.access['organization']}{view}"
        if not more:
            return self.client.get(path)
        code, head, body, said = once(self.environment(**more), path, self.access["token"])
        assert not code, said
        return Once(int(head.split()[1]), body, said)

    def pages(self, query="", version=""):
        """All events, page by page."""
        found, token = [], ""
        while True:
            page = self.get(f"/auditlogs{version}?{query}{token}").expect(200).json()
            found.append(page["auditLogEvents"])
            if "continuationToken" not in page:
                return found
            token = f"&continuationToken={page['continuationToken']}"

    def stop(self):
        self.installation.stop()
        problems = self.installation.problems()
        self.installation.remove()
        assert not problems, problems


class Once:
    def __init__(self, status, body, said):
        self.status, self.body, self.said = status, body, said

    def json(self):
        return json.loads(self.body)


def once(environment, path="/api/status", token=None):
    """One responder that answers one request: exit code, head, body, and what it said."""
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\n" + (f"Authorization: token {token}\r\n" if token else "") + "\r\n"
    done = subprocess.run([BUILD / "fcgi/pulumi-api.fcgi", "--once"], input=request.encode(), capture_output=True, env=environment, check=False,
                          timeout=120)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    return done.returncode, head.decode(), body, done.stderr.decode()


@pytest.fixture(scope="module")
def shared_log(keeper):
    made = Log(keeper)
    yield made
    made.stop()


@pytest.fixture
def log(shared_log):
    """A service that behaves, and no record that waits."""
    shared_log.keeper.proxy.good()
    shared_log.sql("DELETE FROM claims")
    shared_log.move()
    shared_log.keeper.proxy.seen.clear()
    yield shared_log
    shared_log.keeper.proxy.good()


def names(events):
    return [event["event"] for event in events]


def each_once(log, ids):
    """Every one of these records is in the table, and nothing is there twice."""
    items = log.items()
    assert len({item["id"] for item in items}) == len(items)
    assert set(ids) <= {item["id"] for item in items}


# --- the log ---

def test_what_a_real_update_leaves(log, tools, tmp_path):
    project = Project(CommandLine(tools, VERSION, tmp_path / "home", Server(log.installation.access)), tmp_path / "project")
    before = len(log.items())
    project.init()
    project.program(things(3))
    project.up()
    project.destroy()
    fresh = log.get("/auditlogs").expect(200).json()["auditLogEvents"]
    assert names(fresh)[:5] == ["stack-update-completed", "stack-update-started"] * 2 + ["stack-created"] and fresh[1]["tokenName"]
    waiting = log.rows()
    assert len(waiting) >= 5 and f"records={len(waiting)}" in log.job()
    assert log.get("/auditlogs").json()["auditLogEvents"] == fresh
    log.age()
    assert f"removed={len(waiting)}" in log.job()
    assert not log.rows() and log.get("/auditlogs").json()["auditLogEvents"] == fresh
    assert len(log.items()) == before + len(waiting)
    each_once(log, waiting)
    assert "nothing was due" in log.job("--once")


def test_what_an_item_is(log):
    identifier, = log.record(1, user=True)
    log.sql(f"UPDATE audit_events SET user_id = '{uuid.uuid4()}', token_id = NULL, event = 'x' WHERE id = '{identifier}'")
    user_id = log.sql("SELECT user_id FROM audit_events")[0][0]
    log.job()
    item, = [i for i in log.items() if i["id"] == identifier]
    when = datetime.datetime.fromtimestamp((uuid.UUID(identifier).int >> 80) / 1000, datetime.timezone.utc).isoformat(timespec="milliseconds")
    assert item == {"org_id": log.organization_id(), "timestamp_id": f"{when.replace('+00:00', 'Z')}_{identifier}",
                    "org_user_id": f"{log.organization_id()}_{user_id}", "id": identifier, "event": "x", "user_id": user_id,
                    "description": 'path "0" =\\ \u00e9\u2028', "source_ip": "192.0.2.1", "created_at": item["created_at"]}
    assert abs(int(item["created_at"]) / 1e6 - time.time()) < 60
    answer, = log.get("/auditlogs?eventType=x").json()["auditLogEvents"]
    assert answer["user"] == {"name": "", "githubLogin": "", "avatarUrl": ""}, "of a user who is gone"


def queries(ids):
    """Filters, with times inside of what is recorded."""
    middle, late = ((uuid.UUID(ids[n]).int >> 80) // 1000 for n in (len(ids) // 2, 3))
    times = ["", f"startTime={middle}", f"endTime={middle}", f"startTime={late}&endTime={middle}", f"startTime={middle}&endTime={late}",
             f"startTime={late + 500}", "startTime=0&endTime=253402300799"]
    who = ["", "user=alice", "user=mallory", "eventType=member-added", "user=alice&eventType=stack-created", "eventType=nothing"]
    return ["&".join(filter(None, (a, b))) for a in times for b in who]


def test_every_view_is_the_same(log):
    """What the database would have answered, the table answers, byte for byte; in the middle of the move too."""
    ids = log.record(130, organization=log.organization_id())
    paths = [f"{view}{'&' if '?' in view else '?'}{query}" for view in VIEWS for query in queries(ids)[::4 if "export" in view else 1]]
    log.job()                                           # all records are in the table, and in the database, which answers alone
    admin(log, "audit", "fetch")
    log.restart(**{SETTING: ""})
    wanted = {path: log.get(path).expect(200).body for path in paths}
    log.restart()
    assert len(set(wanted.values())) > 20
    for step in ("both", "table"):
        if step == "table":
            log.move()
        for path, body in wanted.items():
            assert log.get(path).expect(200).body == body, (step, path)


@pytest.mark.slow
def test_pages_across_the_seam(log):
    """Some records are in the table, some in both, some wait."""
    log.record(150, minutes=600)
    log.move()
    log.sql("DELETE FROM claims")
    both = log.record(120, minutes=200)
    log.job()
    waiting = log.record(90, minutes=100)
    every = log.pages()
    assert [len(page) for page in every[:-1]] == [100] * (len(every) - 1)
    shown = [(e["timestamp"], e["event"], e["description"]) for page in every for e in page]
    assert len(shown) == int(log.sql("SELECT COUNT(*) FROM audit_events WHERE id NOT IN (SELECT audit_event_id FROM audit_shipped) "
                                     f"AND organization_id = '{log.organization_id()}'")[0][0]) + sum(
        item["org_id"] == log.organization_id() for item in log.items())
    assert [s[0] for s in shown] == sorted((s[0] for s in shown), reverse=True)
    assert set(both) | set(waiting) <= log.rows()
    mine = [e for page in log.pages("user=alice") for e in page]
    assert mine == [e for page in every for e in page if e["user"]["githubLogin"] == "alice"]
    added = [e for page in log.pages("eventType=member-added") for e in page]
    assert added == [e for page in every for e in page if e["event"] == "member-added"]
    exported = log.get("/auditlogs/v2/export").expect(200).body.decode()
    assert exported.count(",192.0.2.1,") + exported.count(",127.0.0.1,") == len(shown)


@pytest.mark.parametrize("moment", ["before", "after"])
def test_records_that_move_while_they_are_read(log, moment):
    """They leave the database between its answer and the table's."""
    log.record(20)
    every = log.get("/auditlogs").body
    moved = []

    def move(request, *_):
        if operation(request) == "Query" and not moved:
            moved.append(request)
            log.move()

    setattr(log.keeper.proxy, moment, move)
    assert log.get("/auditlogs").body == every and moved and not log.rows()
    assert log.get("/auditlogs").body == every


def test_an_index_that_lags(log):
    """The table acknowledged records that its index does not show yet."""
    stale = []

    def keep(request, reply):
        if b"IndexName" in request.body:
            stale.append(reply.body)
        return Reply(200, stale[0]) if b"IndexName" in request.body else None

    log.keeper.proxy.after = keep
    log.get("/auditlogs?user=alice").expect(200)
    log.record(20)
    log.job()
    assert log.waiting() == 0
    shown = log.get("/auditlogs?user=alice").expect(200).body
    assert len(stale) == 2 and stale[0] != stale[1]
    log.keeper.proxy.good()
    assert log.get("/auditlogs?user=alice").body == shown


def test_a_filter_by_user_asks_the_index(log):
    log.get("/auditlogs?user=alice").expect(200)
    body = json.loads(log.keeper.proxy.seen[-1].body)
    assert operation(log.keeper.proxy.seen[-1]) == "Query" and body["IndexName"] == "org_user" and "ConsistentRead" not in body
    log.get("/auditlogs").expect(200)
    body = json.loads(log.keeper.proxy.seen[-1].body)
    assert "IndexName" not in body and body["ConsistentRead"] is True and body["Limit"] <= 102


def test_another_organization_sees_its_own(log):
    log.record(3)
    log.move()
    other = log.access["other"]
    answer = Client(log.installation.url, other["token"]).get(f"/api/orgs/{other['organization']}/auditlogs").expect(200).json()
    assert names(answer["auditLogEvents"]) == ["organization-created"]
    Client(log.installation.url, other["token"]).get(f"/api/orgs/{log.access['organization']}/auditlogs").expect(404)


def test_items_of_others_are_left_out(log):
    log.move()
    before = log.get("/auditlogs").json()
    for item in ({"kind": {"S": "of another program"}}, {"id": {"S": str(uuid.uuid4())}, "event": {"S": "x"}, "description": {"S": "x"},
                                                         "source_ip": {"S": ""}, "created_at": {"N": "1"}}):
        status, answer = log.keeper.call("PutItem", TableName=log.table, Item={
            "org_id": {"S": log.organization_id()}, "timestamp_id": {"S": f"2999_{len(item)}"}, **item})
        assert status == 200, answer
    assert log.get("/auditlogs").json() == before
    done = subprocess.run([BUILD / "sql/pulumi-admin", "verify"], env=log.environment(), text=True, capture_output=True, check=False)
    assert done.returncode == 1 and done.stdout.count("is no record of this server") == 2, done
    for number in (1, 5):
        log.keeper.call("DeleteItem", TableName=log.table, Key={"org_id": {"S": log.organization_id()}, "timestamp_id": {"S": f"2999_{number}"}})
    done = subprocess.run([BUILD / "sql/pulumi-admin", "verify"], env=log.environment(), text=True, capture_output=True, check=False)
    assert done.returncode == 0 and f"{len(log.items())} records in the table of the audit log" in done.stdout, done


@pytest.mark.slow
def test_the_tests_of_the_log_while_it_moves(log):
    """tests/api, while a job ships without a pause and rows go as soon as they are shipped."""
    moving = True

    def move():
        while moving:
            subprocess.run([JOB], env=log.environment(), stdout=subprocess.DEVNULL, check=True, timeout=60)
            log.age()

    thread = threading.Thread(target=move)
    thread.start()
    try:
        done = subprocess.run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", HERE.parent / "api/test_organizations.py", "-k",
                               "newest or refused or filters or times or pages or another or export or spreadsheet"],
                              env={**os.environ, "PULUMI_API_ACCESS": str(log.installation.access), "PYTHONPATH": str(HERE.parent)},
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=400)
    finally:
        moving = False
        thread.join()
    assert done.returncode == 0 and "passed" in done.stdout and not thread.is_alive(), done.stdout[-6000:]


# --- a service that is away ---

def outage(log, behaviour, message, code=1):
    """While the service does this, the log cannot be read, records wait, and the server works. Then all is there once."""
    ids = log.record(30)
    before = log.waiting()
    log.keeper.proxy.before = lambda request: behaviour
    said = log.job(code=code)
    assert message in said and "level=error job=ship-audit" in said, said
    assert log.waiting() == before, "a record left before it was acknowledged"
    answer = log.client.get(f"/api/orgs/{log.access['organization']}/auditlogs")
    answer.expect_problem(503)
    log.client.get("/api/user").expect(200)
    log.client.post("/api/user/tokens", {"description": uuid.uuid4().hex}).expect(200)
    assert log.waiting() == before + 1, "what is done now is recorded too"
    log.keeper.proxy.good()
    log.job()
    assert log.waiting() == 0
    each_once(log, ids)


@pytest.mark.parametrize("behaviour, message", [(DROP, "POST"), (BROKEN, "answer 500"), (THROTTLED, "ProvisionedThroughputExceeded"),
                                                (EXPIRED, "ExpiredTokenException")], ids=["dropped", "500", "throttled", "expired"])
def test_an_outage_loses_nothing(log, behaviour, message):
    outage(log, behaviour, message)


def test_an_update_does_not_need_the_service(log, tools, tmp_path):
    log.keeper.proxy.before = lambda request: DROP
    project = Project(CommandLine(tools, VERSION, tmp_path / "home", Server(log.installation.access)), tmp_path / "project")
    project.init()
    project.program(things(2))
    project.up()
    assert log.waiting() == 3
    log.keeper.proxy.good()
    log.move()
    assert names(log.get("/auditlogs").json()["auditLogEvents"])[:3] == ["stack-update-completed", "stack-update-started", "stack-created"]


@pytest.mark.parametrize("reply", [BROKEN, THROTTLED, DROP, Reply(503)], ids=["500", "throttled", "dropped", "503"])
def test_a_failure_in_the_middle(log, reply):
    """Two of three calls fail."""
    ids, calls = log.record(60), []

    def fail(request):
        calls.append(operation(request))
        return reply if len(calls) % 3 else None

    log.keeper.proxy.before = fail
    log.job()
    assert calls.count("BatchWriteItem") >= 2
    log.keeper.proxy.good()
    each_once(log, ids)
    assert log.waiting() == 0


def test_an_answer_that_says_nothing(log):
    """A record is acknowledged by an answer that says so, and by nothing else."""
    ids = log.record(5)
    for body in (b"<html>", b"{}", b'{"UnprocessedItems":[]}'):
        log.keeper.proxy.before = lambda request, body=body: Reply(200, body) if operation(request) == "BatchWriteItem" else None
        assert "the answer cannot be read" in log.job(code=1)
    assert log.waiting() == 5
    log.keeper.proxy.good()
    log.job()
    each_once(log, ids)


def test_answers_that_are_lost(log):
    """The service did what it was asked, and nobody heard of it."""
    ids, lost = log.record(40), []

    def lose(request, reply):
        if operation(request) == "BatchWriteItem" and len(lost) < 3:
            lost.append(request)
            return DROP
        return None

    log.keeper.proxy.after = lose
    log.job()
    assert len(lost) == 3 and log.waiting() == 0
    each_once(log, ids)


@pytest.mark.slow
def test_a_slow_service(log):
    ids = log.record(5)
    log.keeper.proxy.before = lambda request: time.sleep(2)
    log.job()
    assert len(log.get("/auditlogs").expect(200).json()["auditLogEvents"]) >= 5
    each_once(log, ids)


@pytest.mark.slow
def test_a_service_that_hangs(log):
    """A reader is told so, and its responder is free for others again."""
    log.keeper.proxy.before = lambda request: time.sleep(40) if operation(request) == "Query" else None
    log.client.get(f"/api/orgs/{log.access['organization']}/auditlogs").expect_problem(503)
    log.client.get("/api/user").expect(200)


def takes(log, at_once):
    """The table takes so many items of a batch, and gives the others back."""
    def take(request):
        body = json.loads(request.body)
        if operation(request) != "BatchWriteItem":
            return None
        wanted = body["RequestItems"][log.table]
        status, answer = log.keeper.call("BatchWriteItem", RequestItems={log.table: wanted[:at_once]}) if at_once else (200, {"UnprocessedItems": {}})
        assert status == 200 and not answer["UnprocessedItems"], answer
        return Reply(200, json.dumps({"UnprocessedItems": {log.table: wanted[at_once:]} if wanted[at_once:] else {}}).encode())
    return take


def test_a_table_that_takes_some(log):
    ids = log.record(50)
    log.keeper.proxy.before = takes(log, 9)
    log.job()
    assert log.waiting() == 0
    each_once(log, ids)
    batches = [json.loads(r.body)["RequestItems"][log.table] for r in log.keeper.proxy.seen if operation(r) == "BatchWriteItem"]
    assert [len(batch) for batch in batches] == [25, 16, 7] * 2, "what was taken is not sent again"


def test_a_table_that_takes_hardly_any(log):
    """What it took is marked, and not sent again by the next job."""
    ids = log.record(12)
    log.keeper.proxy.before = takes(log, 1)
    assert "the table is busy, 7 of 12 records wait" in log.job(code=1)
    assert log.waiting() == 7 and len({i["id"] for i in log.items()} & set(ids)) == 5
    log.job(code=1)
    assert log.waiting() == 2
    log.keeper.proxy.before = takes(log, 0)
    log.job(code=1)
    assert log.waiting() == 2
    log.keeper.proxy.good()
    log.job()
    assert log.waiting() == 0
    each_once(log, ids)


# --- jobs that die, jobs that meet ---

@pytest.mark.parametrize("point, marked", [("audit.put:1", 0), ("audit.put:2", 25), ("audit.marked:1", 25), ("commit.before:1", 0), ("commit.after:2", 50)])
def test_a_killed_job(log, point, marked):
    """Between the put and the mark, and elsewhere: the next one goes on, and nothing is there twice."""
    ids = log.record(60)
    every = log.get("/auditlogs/v2/export").body
    log.job(code=-signal.SIGKILL, PULUMI_FAULT_POINT=point)
    assert log.waiting() == 60 - marked
    assert log.get("/auditlogs/v2/export").body == every, "a record that is in both places is shown once"
    assert log.job() == "", "the dead job's claim holds for half a minute"
    log.sql("UPDATE claims SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND WHERE name = 'audit'")
    assert f"records={60 - marked}" in log.job()
    each_once(log, ids)
    assert log.get("/auditlogs/v2/export").body == every


def test_a_job_that_dies_while_rows_go(log):
    ids = log.record(40)
    every = log.get("/auditlogs/v2/export").body
    log.job()
    log.age()
    log.job(code=-signal.SIGKILL, PULUMI_FAULT_POINT="commit.before:1")
    assert log.rows() == set(ids) and log.get("/auditlogs/v2/export").body == every
    log.sql("DELETE FROM claims")
    assert "removed=40" in log.job() and not log.rows()
    assert log.get("/auditlogs/v2/export").body == every
    assert log.sql("SELECT COUNT(*) FROM audit_shipped") == [["0"]]


@pytest.mark.parametrize("claims", [True, False])
def test_two_hosts_at_once(log, claims):
    """One of them ships; and without the claim, as after a long pause of its holder, both do, and nothing is there twice."""
    ids = log.record(300)
    log.keeper.proxy.before = lambda request: time.sleep(0.02)
    both = []
    for _ in range(2):
        both.append(subprocess.Popen([JOB, "--once"], env=log.environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT))
        if not claims:
            while log.waiting() == 300:
                time.sleep(0.01)
            log.sql("DELETE FROM claims WHERE name = 'audit'")
    said = [process.communicate(timeout=120)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert log.waiting() == 0
    each_once(log, ids)
    if claims:
        assert sum("records=300" in text for text in said) == 1, said


def test_for_keeps_looking(log):
    process = subprocess.Popen([JOB, "--for", "1m"], env=log.environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        time.sleep(1)
        ids = log.record(3)
        ended = time.monotonic() + 20
        while log.waiting() and time.monotonic() < ended:
            time.sleep(0.1)
        each_once(log, ids)
    finally:
        process.send_signal(signal.SIGTERM)
        said = process.communicate(timeout=20)[0]
    assert process.returncode == 0 and "records=3" in said, said


# --- what stops the start ---

SHAPES = {
    "another hash key": (dict(hash_name="organization"), "the hash key of the table {} is organization, it must be org_id"),
    "another range key": (dict(range_name="id", index_range="id"), "the range key of the table {} is id, it must be timestamp_id"),
    "no range key": (dict(range_name=None), "the table {} has no range key, it must be timestamp_id"),
    "a number as key": (dict(types={"timestamp_id": "N"}), "the type of the key timestamp_id of the table {} is N, it must be S"),
    "no index": (dict(index=None), "the table {} has no global secondary index, it must be org_user"),
    "an index of another name": (dict(index="by_user"), "the table {} has no global secondary index, it must be org_user"),
    "an index of another key": (dict(index_hash="user_id"), "the hash key of the index org_user of the table {} is user_id, it must be org_user_id"),
    "an index that does not sort": (dict(index_range=None), "the index org_user of the table {} has no range key, it must be timestamp_id"),
    "an index of keys": (dict(projection="KEYS_ONLY"), "the projection of the index org_user of the table {} is KEYS_ONLY, it must be ALL"),
}


def refusal(log, **more):
    code, _, _, said = once(log.environment(**more))
    assert code == 1 and said.count("\n") == 1, f"it started: {said}"
    assert f"pulumi-api.fcgi: {SETTING}: " in said, said
    assert SETTING in log.job(code=1, **more)
    return said


@pytest.mark.parametrize("shape", SHAPES)
def test_a_table_of_another_shape(log, shape):
    arguments, sentence = SHAPES[shape]
    table = log.keeper.make(**arguments)
    assert sentence.format(table) in refusal(log, **{SETTING: table})


@pytest.mark.parametrize("where", ["TableStatus", "IndexStatus"])
def test_a_table_that_is_not_there_yet(log, where):
    def becomes(status):
        def change(request, reply):
            body = json.loads(reply.body)
            (body["Table"] if where == "TableStatus" else body["Table"]["GlobalSecondaryIndexes"][0])[where] = status
            return Reply(200, json.dumps(body).encode())
        return change

    log.keeper.proxy.after = becomes("CREATING")
    assert "is CREATING, it must be ACTIVE" in refusal(log)
    log.keeper.proxy.after = becomes("UPDATING")
    assert once(log.environment())[0] == 0, "its capacity changes"


def test_no_such_table(log):
    assert "ResourceNotFoundException" in refusal(log, **{SETTING: "there-is-none"})
    assert "must be the name of a DynamoDB table" in refusal(log, **{SETTING: "arn:aws:dynamodb:eu-central-1:123456789012:table/x"})
    assert "must be the name of a DynamoDB table" in refusal(log, **{SETTING: "ab"})


def test_wrong_credentials(log):
    if log.keeper.name == "moto":                       # the other one believes everybody
        assert "answer 40" in refusal(log, AWS_SECRET_ACCESS_KEY="wrong")
        assert "answer 40" in refusal(log, AWS_ACCESS_KEY_ID="AKIAIOSFODNN7EXAMPLE")
    nobody = dict(AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="", HOME="/nonexistent")
    assert "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY" in refusal(log, **nobody)
    log.keeper.proxy.before = lambda request: EXPIRED
    assert "ExpiredTokenException" in refusal(log)
    log.keeper.proxy.before = lambda request: Reply(200, b"{}")
    assert "does not answer like DynamoDB" in refusal(log)


def test_wrong_addresses(log):
    assert "AWS_ENDPOINT_URL_DYNAMODB is 'ftp://x', it must be http://HOST:PORT" in refusal(log, AWS_ENDPOINT_URL_DYNAMODB="ftp://x")
    assert "AWS_ENDPOINT_URL is 'http://x/y', it must be" in refusal(log, AWS_ENDPOINT_URL_DYNAMODB="", AWS_ENDPOINT_URL="http://x/y")
    assert "no region: set AWS_REGION" in refusal(log, AWS_REGION="", HOME="/nonexistent")


def test_credentials_that_ended_early(log):
    """The service says so once: others are looked for, and the call is made again."""
    refused = []

    def refuse(request):
        if refused:
            return None
        refused.append(request)
        return EXPIRED

    ids = log.record(3)
    log.keeper.proxy.before = refuse
    log.job()
    assert refused
    each_once(log, ids)


def test_a_refused_connection(log):
    """A service that is away stops nothing but reading the log."""
    nowhere = {"AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{free_port()}"}
    ids = log.record(2)
    assert log.get("/auditlogs/reader-kind", **nowhere).json() == "dynamodb"
    answer = log.get("/auditlogs", **nowhere)
    assert answer.status == 503 and "connect" in answer.said, answer.said
    assert "connect" in log.job(code=1, **nowhere)
    assert log.waiting() == 2
    log.job()
    each_once(log, ids)


def test_a_table_that_turned_out_wrong(log):
    """The start could not ask; the first use does."""
    table, calls = log.keeper.make(index=None), []

    def away_at_first(request):
        calls.append(request)
        return DROP if len(calls) == 1 else None

    log.keeper.proxy.before = away_at_first
    answer = log.get("/auditlogs", **{SETTING: table})
    assert answer.status == 500 and "it must be org_user" in answer.said, answer.said
    calls.clear()
    log.record(1)
    assert "it must be org_user" in log.job(code=1, **{SETTING: table})
    assert log.waiting() == 1 and log.keeper.items(table) == []


# --- the other programs ---

def admin(log, *arguments, code=0, **more):
    done = subprocess.run([BUILD / "sql/pulumi-admin", *map(str, arguments)], env=log.environment(**more), text=True, capture_output=True, check=False,
                          timeout=120)
    assert done.returncode == code, done
    return done.stdout


def test_check_and_health(log):
    def parts():
        return {part["name"]: part["good"] for part in log.client.get("/api/admin/health").expect(200, 503).json()["parts"]}

    assert "audit" in admin(log, "check") and parts()["audit"] is True
    assert log.client.get(f"/api/orgs/{log.access['organization']}/auditlogs/reader-kind").expect(200).json() == "dynamodb"
    assert "audit" not in admin(log, "check", **{SETTING: ""})
    assert log.get("/auditlogs/reader-kind", **{SETTING: ""}).json() == "mysql"
    log.keeper.proxy.before = lambda request: BROKEN
    assert "answer 500" in admin(log, "check", code=1) and parts()["audit"] is False


def test_records_that_wait_too_long(log):
    fresh = {SETTING: log.keeper.make()}
    log.record(2)
    assert "records wait since" not in admin(log, "verify", **fresh)
    log.sql("UPDATE audit_events SET created_at = created_at - INTERVAL 2 DAY")
    assert "records wait since" in admin(log, "verify", code=1, **fresh)
    log.job(**fresh)
    assert "2 records in the table" in admin(log, "verify", **fresh)


def test_there_and_back(log):
    """A log that goes to the table, back into the database, and into another table."""
    count = len(log.record(250))
    one, nothing, other = {SETTING: log.keeper.make()}, {SETTING: ""}, {SETTING: log.keeper.make()}
    every = {view: log.get(view, **nothing).body for view in VIEWS}
    assert f"records={count}" in log.job(**one)
    log.age()
    assert f"removed={count}" in log.job(**one)
    assert log.get("/auditlogs", **nothing).json()["auditLogEvents"] == []
    assert f"{count} records in the table, {count} of them" in admin(log, "audit", "fetch", "--dry-run", **one) and not log.rows()
    assert json.loads(admin(log, "audit", "fetch", "--json", **one))["fetched"] == count
    assert json.loads(admin(log, "audit", "fetch", "--json", **one))["fetched"] == 0
    assert {view: log.get(view, **nothing).body for view in VIEWS} == every
    log.job(**one)                                      # marks for the old table do not count for the new one
    assert f"records={count}" in log.job(**other)
    log.age()
    assert f"removed={count}" in log.job(**other)
    assert {view: log.get(view, **other).body for view in VIEWS} == every
    assert len(log.keeper.items(other[SETTING])) == count
    assert "is not set" in subprocess.run([BUILD / "sql/pulumi-admin", "audit", "fetch"], env=log.environment(**{SETTING: ""}), text=True,
                                          capture_output=True, check=False).stderr


def test_a_backup_says_what_it_has(log, tmp_path):
    log.move()
    ids = log.record(4)
    log.job()                                           # marked, and still rows: what is restored is shipped again
    folder = tmp_path / "backup"
    said = admin(log, "backup", "--to", folder)
    assert f"The audit log is in the DynamoDB table {log.table}: what is there is not in the backup" in said
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["auditTable"] == log.table and not [p for p in manifest["parts"] if p.get("table") == "audit_shipped"]
    assert [p["lines"] for p in manifest["parts"] if p.get("table") == "audit_events"] == [len(ids)]
    assert log.table in admin(log, "backup", "check", "--from", folder)
