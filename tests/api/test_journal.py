# SPDX-License-Identifier: Apache-2.0
"""Journals: the replay of known vectors, repetitions, refusals, what survives an end of any kind."""

import gzip
import hashlib
import json
import time

import pytest

from lib.client import (BEGIN, EXTENSION, FAILURE, OUTPUTS, REBUILT_BASE, REFRESH_SUCCESS, SECRETS_MANAGER, SNIPPETS, SUCCESS, WRITE,
                        deployment, document, entry, resource, root, urn)


def names(stack, version=None):
    return [r["urn"].rsplit("::", 1)[1] for r in stack.state(version)["deployment"].get("resources", [])]


def operation(state, kind):
    return {"resource": state, "type": kind}


@pytest.fixture
def vector(stack):
    """Base [S, P, A, B(depends on A)]; an update of it up to the deletion of A, which is under way."""
    s, p = root(stack), resource(stack, "p", "pulumi:providers:test", id="0")
    a, b = resource(stack, "a"), resource(stack, "b")
    b["dependencies"] = [a["urn"]]
    provider = {"type": "service", "state": {"url": "http://x", "owner": "o", "project": "p", "stack": "s"}}
    stack.import_(document(s, p, a, b, secrets_providers=provider)).expect(200)
    update = stack.begin(journal=1)
    assert update.started["journalVersion"] == 1
    a2 = {**a, "id": "a2"}
    update.append(
        entry(SECRETS_MANAGER, secretsProvider=provider),
        entry(BEGIN, 1), entry(SUCCESS, 1, old=0, state={**s, "outputs": {"new": "s"}}),
        entry(BEGIN, 2), entry(SUCCESS, 2, old=1, state={**p, "outputs": {"new": "p"}}))
    update.append(
        entry(BEGIN, 3, operation=operation(a2, "creating")), entry(SUCCESS, 3, state=a2, deleteOld=2),
        entry(BEGIN, 4, operation=operation(b, "updating")), entry(SUCCESS, 4, old=3, state={**b, "outputs": {"new": "b"}}),
        entry(BEGIN, 5, operation=operation(a, "deleting")))
    return update


def summary(stack):
    """(name, id, delete) of every resource, and (name, type) of every pending operation."""
    d = stack.state()["deployment"]
    return ([(r["urn"].rsplit("::", 1)[1], r.get("id"), r.get("delete", False)) for r in d["resources"]],
            [(o["resource"]["urn"].rsplit("::", 1)[1], o["type"]) for o in d.get("pending_operations", [])])


class TestVector:
    def fresh(self, stack):
        return [(f"{stack.project}-dev", None, False), ("p", "0", False), ("a", "a2", False), ("b", "id-b", False)]

    @pytest.mark.parametrize("end", ["succeeded", "failed", "cancel", "expiry", "while running"])
    def test_crash_in_the_deletion(self, vector, end):
        stack = vector.stack
        if end == "cancel":
            vector.cancel().expect()
        elif end == "expiry":
            vector.renew(1).expect(200)
            time.sleep(1.1)
            stack.begin()
        elif end != "while running":
            vector.complete(end).expect()
        assert summary(stack) == (self.fresh(stack) + [("a", "id-a", True)], [("a", "deleting")])

    def test_deletion_succeeds(self, vector):
        vector.append(entry(SUCCESS, 5, old=2))
        vector.complete().expect()
        assert summary(vector.stack) == (self.fresh(vector.stack), [])

    def test_deletion_fails(self, vector):
        vector.append(entry(FAILURE, 5, old=2))
        vector.complete("failed").expect()
        assert summary(vector.stack) == (self.fresh(vector.stack) + [("a", "id-a", True)], [])

    def test_the_document_is_whole(self, vector):
        vector.append(entry(SUCCESS, 5, old=2))
        vector.complete().expect()
        state = vector.stack.state()
        found = state["deployment"]["manifest"]
        assert found["magic"] == hashlib.sha256(found["version"].encode()).hexdigest()
        assert found["time"].startswith(time.strftime("%Y-", time.gmtime()))
        assert state["version"] == 3 and "features" not in state
        assert state["deployment"]["secrets_providers"]["type"] == "service"
        assert "integrity_error" not in state["deployment"].get("metadata", {})
        assert vector.stack.get()["version"] == 2
        assert vector.stack.history()[0]["resourceCount"] == 4


def test_refresh_repairs_references_and_rebuilds_the_base(stack):
    s, a, b = root(stack), resource(stack, "a"), resource(stack, "b")
    b["dependencies"] = [a["urn"]]
    stack.import_(document(s, a, b)).expect(200)
    update = stack.begin("refresh", journal=1)
    update.append(entry(BEGIN, 1), entry(REFRESH_SUCCESS, 1, old=1, isRefresh=True),
                  entry(BEGIN, 2), entry(REFRESH_SUCCESS, 2, old=2, state={**b, "outputs": {"seen": 1}}, isRefresh=True))
    found = stack.state()["deployment"]["resources"]
    assert [r["urn"] for r in found] == [s["urn"], b["urn"]]
    assert not found[1].get("dependencies")
    update.append(entry(REBUILT_BASE), entry(BEGIN, 3), entry(SUCCESS, 3, old=0, state={**s, "outputs": {"n": 2}}))
    update.append(entry(BEGIN, 4), entry(SUCCESS, 4, old=1))
    update.complete().expect()
    assert names(stack) == [f"{stack.project}-dev"]
    assert stack.state()["deployment"]["resources"][0]["outputs"] == {"n": 2}


def test_outputs_replace_what_they_belong_to(stack):
    s = root(stack)
    stack.import_(document(s)).expect(200)
    update = stack.begin(journal=1)
    update.append(entry(BEGIN, 1), entry(SUCCESS, 1, old=0, state={**s, "outputs": {"v": 1}}))
    update.append(entry(OUTPUTS, 2, new=1, state={**s, "outputs": {"v": 2}}))
    update.complete().expect()
    (found,) = stack.state()["deployment"]["resources"]
    assert found["outputs"] == {"v": 2}


def test_outputs_of_a_resource_of_the_base(stack):
    s = root(stack)
    stack.import_(document(s)).expect(200)
    update = stack.begin(journal=1)
    update.append(entry(OUTPUTS, 1, old=0, state={**s, "outputs": {"v": 2}}))
    update.complete().expect()
    assert stack.state()["deployment"]["resources"][0]["outputs"] == {"v": 2}


def test_a_write_replaces_the_base(stack):
    stack.import_(document(root(stack))).expect(200)
    update = stack.begin(journal=1)
    new_base = deployment(root(stack), resource(stack, "x"))
    update.append(entry(WRITE, newSnapshot=new_base), entry(BEGIN, 1), entry(SUCCESS, 1, old=1))
    update.complete().expect()
    assert names(stack) == [f"{stack.project}-dev"]


def test_pending_replacement(stack):
    s, a = root(stack), resource(stack, "a")
    stack.import_(document(s, a)).expect(200)
    update = stack.begin(journal=1)
    update.append(entry(BEGIN, 1), entry(SUCCESS, 1, pendingReplacementOld=1))
    marked = stack.state()["deployment"]["resources"]
    assert [r.get("pendingReplacement", False) for r in marked] == [False, True]
    update.append(entry(BEGIN, 2), entry(SUCCESS, 2, old=1, state={**a, "id": "again"}))
    update.complete().expect()
    found = stack.state()["deployment"]["resources"]
    assert [r.get("id") for r in found] == ["again", None]


def test_snippets_and_extensions(stack):
    update = stack.begin(journal=1)
    update.append(entry(EXTENSION, 1, extensionRef="r", extension={"name": "n", "version": "1.0.0", "value": "AA=="}),
                  entry(SNIPPETS, snippets=[{"id": "1"}]))
    update.complete().expect()
    state = stack.state()
    assert state["deployment"]["extensions"] == {"r": {"name": "n", "version": "1.0.0", "value": "AA=="}}
    assert state["deployment"]["snippets"] == [{"id": "1"}]
    assert state["version"] == 4 and "snippets-prototype" in state["features"]


def test_no_entries_leave_the_state(stack):
    stack.import_(document(root(stack))).expect(200)
    before = stack.text()
    update = stack.begin(journal=1)
    update.holder.patch(f"{update.path}/journalentries", {"entries": []}, compress=True).expect()
    update.holder.patch(f"{update.path}/journalentries", {}, compress=True).expect()
    assert stack.text() == before
    update.complete().expect()
    assert stack.text() == before


def test_values_survive_byte_for_byte(stack):
    """Number spellings, key order, escapes and members nobody knows."""
    inputs = b'{"z":1.0,"a":123456789012345678901234567890,"e":1E+5,"s":"\\u003cb\\u003e\xc3\xa9\\/","f":-0.0}'
    state = (b'{"urn":"%s","custom":true,"id":"1","type":"test:index:Thing","inputs":%s,"brandNew":[null,{"k":0.10}]}'
             % (urn(stack, "a").encode(), inputs))
    raw = (b'{"entries":[{"version":1,"kind":0,"sequenceID":1,"operationID":1,"removeOld":null,"removeNew":null},'
           b'{"version":1,"kind":1,"sequenceID":2,"operationID":1,"removeOld":null,"removeNew":null,"state":%s}]}' % state)
    update = stack.begin(journal=1)
    update.holder.patch(f"{update.path}/journalentries", raw=raw, compress=True).expect()
    assert inputs in stack.text()
    update.complete().expect()
    assert inputs in stack.text() and b'"brandNew":[null,{"k":0.10}]' in stack.text()


class TestArrival:
    def creations(self, stack, count):
        found = [entry(BEGIN, 1), entry(SUCCESS, 1, state=root(stack))]
        for n in range(2, count + 1):
            found += [entry(BEGIN, n), entry(SUCCESS, n, state=resource(stack, f"r{n}"))]
        return [{**e, "sequenceID": i + 1} for i, e in enumerate(found)]

    def test_any_order_of_batches(self, stack):
        update, entries = stack.begin(journal=1), self.creations(stack, 5)
        for e in reversed(entries):
            update.journal(e).expect()
        update.complete().expect()
        assert names(stack) == [f"{stack.project}-dev", "r2", "r3", "r4", "r5"]

    def test_the_same_batch_twice(self, stack):
        update, entries = stack.begin(journal=1), self.creations(stack, 3)
        for _ in range(2):
            update.journal(*entries[:3]).expect()
            update.journal(*entries[3:]).expect()
        update.complete().expect()
        assert len(names(stack)) == 3

    def test_batches_that_overlap(self, stack):
        update, entries = stack.begin(journal=1), self.creations(stack, 3)
        update.journal(*entries[:4]).expect()
        update.journal(*entries[2:]).expect()
        update.journal(*entries[2:4]).expect()
        update.complete().expect()
        assert len(names(stack)) == 3

    def test_two_contents_of_one_sequence(self, stack):
        """No client does this. One of the two counts, whole; the batch is not refused."""
        update, entries = stack.begin(journal=1), self.creations(stack, 1)
        update.journal(*entries).expect()
        changed = {**entries[1], "state": root(stack, outputs={"late": 1})}
        update.journal(entries[0], changed).expect()
        update.complete().expect()
        (found,) = stack.state()["deployment"]["resources"]
        assert found in (entries[1]["state"], changed["state"])

    def test_a_repetition_after_the_end_is_success(self, stack):
        update, entries = stack.begin(journal=1), self.creations(stack, 2)
        update.journal(*entries).expect()
        update.complete().expect()
        before = stack.text()
        update.journal(*entries).expect()
        assert stack.text() == before
        update.journal({**entries[0], "sequenceID": 99}).expect_problem(403)

    def test_one_batch_of_many_resources(self, stack):
        update, entries = stack.begin(journal=1), self.creations(stack, 3000)
        update.journal(*entries).expect()
        update.complete().expect()
        assert len(names(stack)) == 3000

    def test_a_batch_too_large_for_a_row(self, stack):
        """Larger than what the database takes in a row: an object holds it."""
        import os
        update = stack.begin(journal=1)
        noise = os.urandom(6 << 20).hex()
        batch = [{**entry(BEGIN, 1), "sequenceID": 1}, {**entry(SUCCESS, 1, state=root(stack, outputs={"noise": noise})), "sequenceID": 2}]
        update.journal(*batch).expect()
        assert stack.state()["deployment"]["resources"][0]["outputs"]["noise"] == noise
        update.complete().expect()
        update.journal(*batch).expect()
        update.journal(batch[1]).expect_problem(403)
        assert stack.state()["deployment"]["resources"][0]["outputs"]["noise"] == noise


def test_an_export_never_goes_back(stack):
    """Read again and again while updates save, end and begin: what was seen once stays."""
    import threading
    seen, stop = [[], [], []], threading.Event()

    def reader(mine):
        while not stop.is_set():
            mine.append(len(stack.state()["deployment"].get("resources", [])))

    readers = [threading.Thread(target=reader, args=(mine,), daemon=True) for mine in seen]
    for thread in readers:
        thread.start()
    try:
        for n in range(60):
            update = stack.begin(journal=1)
            update.append(entry(BEGIN, 1), entry(SUCCESS, 1, state=resource(stack, f"r{n}")))
            update.complete().expect()
    finally:
        stop.set()
        for thread in readers:
            thread.join()
    backward = [(a, b) for mine in seen for a, b in zip(mine, mine[1:]) if b < a]
    assert not backward, backward


class TestRefusals:
    def test_a_journal_must_have_been_asked_for(self, stack):
        update = stack.begin()
        update.journal({**entry(BEGIN, 1), "sequenceID": 1}).expect_problem(403, 409)
        update.checkpoint(deployment(root(stack))).expect()

    def test_checkpoints_are_refused_with_a_journal(self, stack):
        update = stack.begin(journal=1)
        update.checkpoint(deployment(root(stack))).expect_problem(409, 403)
        update.verbatim(json.dumps(document()).encode(), 1).expect_problem(409, 403)

    def test_version_is_one_at_most(self, stack):
        assert stack.begin(journal=7).started["journalVersion"] == 1

    def test_previews_get_no_journal(self, stack):
        assert not stack.begin("preview", journal=1).started.get("journalVersion")
        assert not stack.begin("destroy", journal=1, dry_run=True).started.get("journalVersion")

    @pytest.mark.parametrize("bad", [
        {"kind": 10}, {"kind": -1}, {"kind": "1"}, {"kind": None}, {"version": 2}, {"version": 0}, {"sequenceID": 0}, {"sequenceID": -5},
        {"sequenceID": "1"}, {"sequenceID": None}, {"sequenceID": 1.5}, {"operationID": "x"}, {"removeOld": -1}, {"removeOld": "0"},
        {"removeNew": 1.5}, {"state": []}, {"state": "x"}, {"operation": 1}, {"kind": 5, "newSnapshot": 1}, {"kind": 6, "secretsProvider": []},
        {"kind": 9, "snippets": {}}, {"kind": 8, "extension": 1}, {"isRefresh": "yes"}, {"deleteOld": "1"}, {"pendingReplacementNew": []},
    ], ids=json.dumps)
    def test_one_bad_entry_refuses_the_batch(self, stack, bad):
        update = stack.begin(journal=1)
        good = [{**entry(BEGIN, 1), "sequenceID": 1}, {**entry(SUCCESS, 1, state=root(stack)), "sequenceID": 2}]
        update.journal(*good).expect()
        before = stack.state()["deployment"]["resources"]
        update.journal({**entry(BEGIN, 2), "sequenceID": 3}, {**entry(SUCCESS, 2, state=resource(stack, "a")), "sequenceID": 4, **bad}
                       ).expect_problem(400)
        assert stack.state()["deployment"]["resources"] == before
        update.complete().expect()
        assert stack.state()["deployment"]["resources"] == before

    def test_plain_bodies_are_taken_too(self, stack):
        update = stack.begin(journal=1)
        raw = json.dumps({"entries": [{**entry(BEGIN, 1), "sequenceID": 1}]}).encode()
        update.holder.patch(f"{update.path}/journalentries", raw=raw).expect()
        update.holder.patch(f"{update.path}/journalentries", raw=gzip.compress(raw), headers={"Content-Encoding": "x-gzip"}).expect()
