# SPDX-License-Identifier: Apache-2.0
"""The life of an update: create, start, save, renew, complete, cancel; who may when."""

import time

import pytest

from lib.client import EMPTY, deployment, document, resource, root

LARGEST_CONFIG = 1 << 20


@pytest.fixture
def lapsed(stack):
    """A running update whose lease has run out while nobody took the stack."""
    update = stack.begin()
    update.renew(1).expect(200)
    time.sleep(1.1)
    return update


def test_a_new_stack_exports_the_empty_deployment(stack):
    assert stack.state() == EMPTY
    assert stack.get()["version"] == 0 and stack.get()["activeUpdate"] == ""
    assert "config" not in stack.get() and "currentOperation" not in stack.get()


def test_whole_life_with_checkpoints(stack, access):
    update = stack.announce()
    assert stack.get()["activeUpdate"] == ""
    assert update.status() == "not started"
    update.begin(tags={"pulumi:project": stack.project, "owner": "me"})
    assert update.version == 1 and update.token and "journalVersion" not in update.started
    described = stack.get()
    assert described["activeUpdate"] == update.id and described["tags"]["owner"] == "me"
    assert described["currentOperation"]["kind"] == "update" and described["currentOperation"]["author"] == access.user
    assert abs(described["currentOperation"]["started"] - time.time()) < 60

    update.checkpoint(deployment(root(stack))).expect()
    update.checkpoint(deployment(root(stack), resource(stack, "a"))).expect()
    update.renew().expect(200)
    update.complete().expect()

    described = stack.get()
    assert described["version"] == 1 and "currentOperation" not in described and described["activeUpdate"] == update.id
    assert [r["urn"] for r in stack.state()["deployment"]["resources"]] == [root(stack)["urn"], resource(stack, "a")["urn"]]
    assert update.status() == "succeeded"


def test_history_tells_what_happened(stack):
    update = stack.begin()
    update.checkpoint(deployment(root(stack), resource(stack, "a"))).expect()
    update.events({"sequence": 0, "timestamp": 1, "summaryEvent": {"resourceChanges": {"create": 2}, "durationSeconds": 1}}).expect()
    update.complete("failed").expect()
    (info,) = stack.history()
    assert info["kind"] == "update" and info["version"] == 1 and info["result"] == "failed"
    assert info["message"] == "a message" and info["environment"] == {"exec.kind": "cli"} and info["config"] == {}
    assert info["resourceChanges"] == {"create": 2} and info["resourceCount"] == 2
    assert info["startTime"] <= info["endTime"] <= time.time() + 1


def test_large_configuration_comes_back(stack):
    def config(size):
        return {"a:b": {"string": "c" * (size - len('{"a:b":{"string":""}}'))}}

    for size in (64 << 10, (64 << 10) + 1, LARGEST_CONFIG):
        stack.announce(config=config(size)).begin().complete().expect()
        assert stack.history()[0]["config"] == config(size)
    body = {"name": stack.project, "runtime": "yaml", "options": {}, "config": config(LARGEST_CONFIG + 1), "metadata": {}}
    refused = stack.client.post(f"{stack.path}/update", body).expect_problem(413)
    assert str(LARGEST_CONFIG) in refused.json()["message"]
    assert len(stack.history()) == 3 and stack.get()["version"] == 3


def test_history_pages_newest_first(stack):
    for _ in range(5):
        stack.import_(document(root(stack))).expect(200)
    assert [u["version"] for u in stack.history()] == [5, 4, 3, 2, 1]
    assert [u["version"] for u in stack.history("?pageSize=2&page=2")] == [3, 2]
    assert stack.history("?pageSize=2&page=9") == []
    assert {u["kind"] for u in stack.history()} == {"import"}


def test_latest_update_is_404_before_the_first(stack):
    stack.client.get(f"{stack.path}/updates/latest").expect_problem(404)
    stack.import_(document(root(stack))).expect(200)
    assert stack.client.get(f"{stack.path}/updates/latest").expect(200).json()["info"]["version"] == 1


@pytest.mark.parametrize("status", ["succeeded", "failed", "cancelled"])
def test_every_end_keeps_what_was_saved(stack, status):
    update = stack.begin()
    update.checkpoint(deployment(root(stack))).expect()
    update.complete(status).expect()
    assert len(stack.state()["deployment"]["resources"]) == 1


def test_an_update_without_a_checkpoint_leaves_the_state(stack):
    stack.import_(document(root(stack))).expect(200)
    before = stack.text()
    stack.begin().complete().expect()
    assert stack.text() == before and stack.text(2) == before


def test_versions_are_dense_and_previews_take_none(stack):
    stack.begin().complete().expect()
    preview = stack.begin("preview")
    assert preview.token and preview.version == 1
    preview.complete().expect()
    dry = stack.begin("destroy", dry_run=True)
    assert dry.token and dry.version == 1
    dry.complete().expect()
    assert stack.begin("refresh").version == 2
    assert [u["version"] for u in stack.history()] == [2, 1]


def test_previews_run_beside_an_update_and_write_nothing(stack):
    update = stack.begin()
    update.checkpoint(deployment(root(stack))).expect()
    preview = stack.begin("preview")
    preview.checkpoint(deployment()).expect_problem(403)
    preview.events({"sequence": 0, "timestamp": 1, "preludeEvent": {"config": {}}}).expect()
    preview.complete().expect()
    assert stack.get()["currentOperation"]["kind"] == "update"
    update.complete().expect()
    assert len(stack.state()["deployment"]["resources"]) == 1


def test_import_and_export_keep_every_byte(stack):
    text = (b'{ "deployment" : {"manifest":{"time":"2026-01-01T00:00:00Z","magic":"","version":""},"resources":[{"urn":"urn:pulumi:d::p::t:i:T::x",'
            b'"type":"t:i:T","custom":true,"id":"\\u003ci\\u003e","inputs":{"z":1.0,"a":123456789012345678901234567890,"e":1E5,"s":"\xc3\xa9\\/"}}],'
            b'"unknown":[]},"version":3 ,"features":[]}')
    answer = stack.import_(raw=text).expect(200).json()
    assert set(answer) == {"updateId"}
    status = stack.client.get(f"{stack.path}/update/{answer['updateId']}").expect(200).json()
    assert status["status"] == "succeeded" and status.get("continuationToken") is None
    assert stack.text() == text and stack.text(1) == text
    stack.export(2).expect_problem(404)
    stack.export("x").expect_problem(404)


def test_a_checkpoint_keeps_the_bytes_of_its_deployment(stack):
    update = stack.begin()
    deployment_text = b'{"manifest":{"time":"0001-01-01T00:00:00Z", "magic":"","version":""},"resources":[],"n":[1.50,1e400]}'
    raw = b'{"isInvalid":false,"version":3,"features":[],"deployment":' + deployment_text + b"}"
    update.holder.patch(f"{update.path}/checkpoint", raw=raw).expect()
    assert deployment_text in stack.text()
    update.complete().expect()
    assert deployment_text in stack.text()


def test_export_while_running_shows_what_was_saved(stack):
    stack.import_(document(root(stack))).expect(200)
    base = stack.text()
    update = stack.begin()
    assert stack.text() == base
    update.checkpoint(deployment(root(stack), resource(stack, "a"))).expect()
    assert len(stack.state()["deployment"]["resources"]) == 2
    assert stack.text(1) == base


class TestLocking:
    def test_the_second_start_says_who_holds_the_stack(self, stack, access):
        stack.begin("destroy")
        second = stack.announce()
        refusal = second.start().expect_problem(409)
        assert refusal.message.startswith("Conflict: Another update is currently in progress.")
        assert access.user in refusal.message and "destroy" in refusal.message and "pulumi cancel" in refusal.message

    def test_an_update_starts_once(self, stack):
        update = stack.begin()
        update.start().expect_problem(409)
        update.complete().expect()
        update.start().expect_problem(409)

    def test_cancel_gives_the_stack_away(self, stack):
        first = stack.begin()
        first.checkpoint(deployment(root(stack))).expect()
        first.cancel().expect()
        second = stack.begin()
        first.checkpoint(deployment()).expect_problem(403)
        first.complete().expect_problem(403)
        first.renew().expect_problem(403)
        assert len(stack.state()["deployment"]["resources"]) == 1
        second.complete().expect()
        assert [u["result"] for u in stack.history()] == ["succeeded", "failed"]

    def test_cancel_is_idempotent(self, stack):
        update = stack.begin()
        update.cancel().expect()
        update.cancel().expect()

    def test_an_import_is_refused_while_an_update_runs(self, stack):
        update = stack.begin()
        stack.import_(document()).expect_problem(409)
        update.complete().expect()
        stack.import_(document()).expect(200)

    def test_a_delete_is_refused_while_an_update_runs(self, stack):
        update = stack.begin()
        stack.delete().expect_problem(409)
        update.complete().expect()

    def test_tokens_are_of_one_update(self, stack, new_stack):
        first, second = stack.begin(), new_stack().begin()
        first.token, second.token = second.token, first.token
        first.renew().expect_problem(403)
        first.checkpoint(deployment()).expect_problem(403)
        first.complete().expect_problem(403)

    def test_access_tokens_and_lease_tokens_do_not_stand_in_for_each_other(self, stack):
        update = stack.begin()
        lease = stack.client.with_token(update.token)
        lease.get(stack.path).expect_problem(401)
        stack.client.post(f"{update.path}/complete", {"status": "succeeded"}).expect_problem(401)
        assert update.status() == "running"


class TestLapsedLease:
    """The client slept; nobody took the stack: everything it sends is welcome."""

    def test_renewal_revives(self, lapsed):
        lapsed.renew().expect(200)
        lapsed.stack.announce().start().expect_problem(409)

    def test_late_checkpoint_and_completion_are_taken(self, lapsed):
        lapsed.checkpoint(deployment(root(lapsed.stack))).expect()
        lapsed.complete().expect()
        assert len(lapsed.stack.state()["deployment"]["resources"]) == 1

    def test_the_next_update_ends_it_as_failed(self, lapsed):
        stack = lapsed.stack
        lapsed.checkpoint(deployment(root(stack))).expect()
        following = stack.begin()
        assert following.version == 2
        assert len(stack.state()["deployment"]["resources"]) == 1
        assert [u["result"] for u in stack.history()] == ["in-progress", "failed"]
        lapsed.checkpoint(deployment()).expect_problem(403)
        lapsed.complete().expect_problem(403)
        lapsed.complete("failed").expect_problem(403)
        lapsed.renew().expect_problem(403)
        following.complete().expect()

    def test_it_does_not_show_as_current_operation(self, lapsed):
        assert "currentOperation" not in lapsed.stack.get()

    def test_it_does_not_hinder_a_delete(self, lapsed):
        lapsed.stack.delete().expect()

    def test_it_can_be_cancelled(self, lapsed):
        lapsed.cancel().expect()


def states_of(stack):
    """Updates of one stack in every state, each with the token that it has or had."""
    not_started = stack.announce()
    not_started.token = "0" * 40
    ended = stack.begin()
    ended.complete("succeeded").expect()
    cancelled = stack.begin()
    cancelled.cancel().expect()
    return {"not started": not_started, "ended": ended, "cancelled": cancelled}


CALLS = {
    "start": lambda u: u.start(),
    "renew": lambda u: u.renew(),
    "checkpoint": lambda u: u.checkpoint(deployment()),
    "verbatim": lambda u: u.verbatim(b'{"version":3,"deployment":{}}', 1),
    "journal": lambda u: u.journal({"version": 1, "kind": 2, "sequenceID": 1, "operationID": 1, "removeOld": None, "removeNew": None}),
    "events": lambda u: u.events({"sequence": 0, "timestamp": 1, "preludeEvent": {"config": {}}}),
    "complete": lambda u: u.complete("succeeded"),
    "complete otherwise": lambda u: u.complete("failed"),
    "cancel": lambda u: u.cancel(),
    "status": lambda u: u.stack.client.get(u.path),
    "read events": lambda u: u.stack.client.get(f"{u.path}/events"),
}

MATRIX = {
    "not started": {"start": 200, "renew": 403, "checkpoint": 403, "verbatim": 403, "journal": 403, "events": 403, "complete": 403,
                    "complete otherwise": 403, "cancel": 200, "status": 200, "read events": 200},
    "ended": {"start": 409, "renew": 403, "checkpoint": 403, "verbatim": 403, "journal": 403, "events": 200, "complete": 200,
              "complete otherwise": 409, "cancel": 409, "status": 200, "read events": 200},
    "cancelled": {"start": 409, "renew": 403, "checkpoint": 403, "verbatim": 403, "journal": 403, "complete": 403,
                  "complete otherwise": 403, "cancel": 200, "status": 200, "read events": 200},
}


@pytest.mark.parametrize("state, call", [(state, call) for state, row in MATRIX.items() for call in row])
def test_response_matrix(stack, state, call):
    update = states_of(stack)[state]
    before = stack.text()
    answer = CALLS[call](update)
    expected = MATRIX[state][call]
    answer.expect() if expected == 200 else answer.expect_problem(expected)
    assert stack.text() == before


class TestIdempotency:
    def test_a_completion_that_arrives_twice(self, stack):
        update = stack.begin()
        update.checkpoint(deployment(root(stack))).expect()
        update.complete().expect()
        before = stack.text()
        update.complete().expect()
        assert stack.text() == before and len(stack.history()) == 1

    def test_events_that_arrive_twice_are_kept_once(self, stack):
        update = stack.begin()
        batch = [{"sequence": n, "timestamp": 1, "stdoutEvent": {"message": f"m{n}", "color": "raw"}} for n in range(3)]
        update.events(*batch).expect()
        update.events(*batch).expect()
        update.events(*batch[1:], {"sequence": 3, "timestamp": 1, "stdoutEvent": {"message": "m3", "color": "raw"}}).expect()
        update.complete().expect()
        assert [e["sequence"] for e in update.read_events()["events"]] == [0, 1, 2, 3]


class TestEvents:
    def test_they_come_back_in_order_whatever_the_order_of_arrival(self, stack):
        update = stack.begin()
        events = [{"sequence": n, "timestamp": 1, "stdoutEvent": {"message": "<{%reset%}>" + str(n), "color": "raw"}} for n in range(6)]
        update.events(*events[4:]).expect()
        update.events(*events[:2]).expect()
        update.events(*events[2:4]).expect()
        update.complete().expect()
        assert update.read_events()["events"] == events

    def test_a_running_update_always_has_a_token(self, stack):
        update = stack.begin()
        page = update.read_events()
        assert page["events"] == [] and page["continuationToken"]
        update.events({"sequence": 0, "timestamp": 1, "preludeEvent": {"config": {}}}).expect()
        page = update.read_events(page["continuationToken"])
        assert len(page["events"]) == 1
        token = page["continuationToken"]
        assert update.read_events(token)["events"] == []
        update.complete().expect()
        page = update.read_events(token)
        assert page["events"] == [] and page.get("continuationToken") is None

    def test_paging_reaches_every_event(self, stack):
        update = stack.begin()
        for start in range(0, 1500, 50):
            update.events(*({"sequence": n, "timestamp": 1, "stdoutEvent": {"message": "m", "color": "raw"}}
                            for n in range(start, start + 50))).expect()
        update.complete().expect()
        found, token = [], None
        while True:
            page = update.read_events(token)
            found += [e["sequence"] for e in page["events"]]
            token = page.get("continuationToken")
            if not token:
                break
            assert all(c.isalnum() or c in "-_" for c in token)
        assert found == list(range(1500))
