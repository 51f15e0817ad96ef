# SPDX-License-Identifier: Apache-2.0
"""Verbatim checkpoints and deltas: the text is kept byte for byte, sequence numbers decide what counts."""

import hashlib
import json

import pytest

from lib.client import document, edit, resource, root

EMPTY = b'{"version":3,"deployment":{"a":["x"]}}'


@pytest.fixture
def update(stack):
    return stack.begin()


def test_verbatim_keeps_every_byte(update):
    text = (b'{ "version":3 ,"deployment":{"manifest":{"magic":"","version":"","time":"0001-01-01T00:00:00Z"},'
            b'"x":[1.0,1E9,"\\u003c\\/\xc3\xa9"]} ,"features":[ ]}')
    update.verbatim(text, 1).expect()
    assert update.stack.text() == text
    update.complete().expect()
    assert update.stack.text() == text


def test_the_vector(update):
    after = b'{"version":3,"deployment":{"a":["x","y"]}}'
    update.verbatim(EMPTY, 1).expect()
    update.delta([(32, 35, '"x","y"')], after, 2).expect()
    assert update.stack.text() == after
    update.complete().expect()
    assert update.stack.text() == after


def test_offsets_refer_to_the_text_before(update):
    before = b'{"version":3,"deployment":{"a":1,"b":2}}'
    update.verbatim(before, 1).expect()
    a, b = before.index(b"1,"), before.index(b"2}")
    after = b'{"version":3,"deployment":{"a":111,"b":22}}'
    update.delta([(a, a + 1, "111"), (b, b + 1, "22")], after, 2).expect()
    assert update.stack.text() == after


def test_insertion_deletion_and_bytes_not_characters(update):
    before = '{"version":3,"deployment":{"é":"ü","drop":1}}'.encode()
    update.verbatim(before, 1).expect()
    drop, end = before.index(b',"drop"'), before.index(b"}}")
    insert = before.index(b'"deployment"')
    after = '{"version":3,"features":[],"deployment":{"é":"ü"}}'.encode()
    update.delta([(insert, insert, '"features":[],'), (drop, end, "")], after, 2).expect()
    assert update.stack.text() == after


def test_new_text_is_a_json_string(update):
    update.verbatim(EMPTY, 1).expect()
    after = '{"version":3,"deployment":{"a":["<é>"]}}'.encode()
    raw = ('{"version":3,"checkpointHash":"%s","sequenceNumber":2,"deploymentDelta":'
           '[{"Span":{"start":{"offset":32},"end":{"offset":35}},"NewText":"\\"\\u003c\\u00e9\\u003e\\""}]}'
           % hashlib.sha256(after).hexdigest()).encode()
    update.holder.patch(f"{update.path}/checkpointdelta", raw=raw, compress=True).expect()
    assert update.stack.text() == after


def test_a_long_chain(update):
    text = json.dumps(document(root(update.stack)), separators=(",", ":")).encode()
    update.verbatim(text, 1).expect()
    for n in range(2, 30):
        added = json.dumps(resource(update.stack, f"r{n}"), separators=(",", ":"))
        at = text.rindex(b"]}}")
        after = text[:at] + b"," + added.encode() + text[at:]
        update.delta([(at, at, "," + added)], after, n).expect()
        text = after
    update.complete().expect()
    assert update.stack.text() == text
    assert update.stack.history()[0]["resourceCount"] == 29


class TestSequence:
    AFTER = b'{"version":3,"deployment":{"a":["z"]}}'

    def test_a_repeated_delta_is_done(self, update):
        update.verbatim(EMPTY, 1).expect()
        for _ in range(2):
            update.delta([(32, 35, '"z"')], self.AFTER, 2).expect()
        assert update.stack.text() == self.AFTER

    def test_the_same_number_with_another_result_conflicts(self, update):
        update.verbatim(EMPTY, 1).expect()
        update.delta([(32, 35, '"z"')], self.AFTER, 2).expect()
        other = EMPTY.replace(b"x", b"q")
        update.delta([(32, 35, '"q"')], other, 2).expect_problem(409)
        assert update.stack.text() == self.AFTER

    def test_verbatim_replaces_a_delta_of_the_same_number(self, update):
        update.verbatim(EMPTY, 1).expect()
        update.delta([(32, 35, '"z"')], self.AFTER, 2, digest="0" * 64).expect_problem(409, 400)
        assert update.stack.text() == EMPTY
        update.verbatim(self.AFTER, 2).expect()
        assert update.stack.text() == self.AFTER

    def test_an_old_number_is_ignored(self, update):
        update.verbatim(EMPTY, 1).expect()
        update.verbatim(self.AFTER, 2).expect()
        update.verbatim(EMPTY, 1).expect()
        update.delta([(32, 35, '"q"')], EMPTY.replace(b"x", b"q"), 1).expect()
        assert update.stack.text() == self.AFTER

    def test_a_gap(self, update):
        update.verbatim(EMPTY, 1).expect()
        update.delta([(32, 35, '"z"')], self.AFTER, 5).expect_problem(409, 400)
        update.verbatim(self.AFTER, 5).expect()
        assert update.stack.text() == self.AFTER

    def test_a_delta_needs_a_text_before(self, update):
        update.delta([], EMPTY, 1).expect_problem(409, 400)

    def test_numbers_start_again_with_each_update(self, update):
        update.verbatim(EMPTY, 1).expect()
        update.complete().expect()
        following = update.stack.begin()
        following.delta([(32, 35, '"z"')], self.AFTER, 2).expect_problem(409, 400)
        following.verbatim(self.AFTER, 1).expect()
        assert update.stack.text() == self.AFTER and update.stack.text(1) == EMPTY


@pytest.mark.parametrize("edits", [
    [edit(35, 32, "")], [edit(-1, 0, "")], [edit(0, 39, "")], [edit(30, 34, ""), edit(33, 35, "")], [edit(33, 34, ""), edit(30, 31, "")],
    [{"Span": {"start": {"offset": "1"}, "end": {"offset": 2}}, "NewText": ""}], [{"NewText": "x"}], ["x"], [None], {"a": 1}, "x", 5,
    [edit(0, 1, 7)], [edit(2 ** 63 - 1, 2 ** 63 - 1, "")], [edit(1e3, 1e3, "")],
], ids=json.dumps)
def test_bad_edits_change_nothing(update, edits):
    update.verbatim(EMPTY, 1).expect()
    body = {"version": 3, "checkpointHash": hashlib.sha256(EMPTY).hexdigest(), "sequenceNumber": 2, "deploymentDelta": edits}
    update.holder.patch(f"{update.path}/checkpointdelta", body, compress=True).expect_problem(400, 409)
    assert update.stack.text() == EMPTY
    update.complete().expect()
    assert update.stack.text() == EMPTY


def test_an_edit_that_breaks_the_document_changes_nothing(update):
    update.verbatim(EMPTY, 1).expect()
    broken = EMPTY[:-1]
    update.delta([(len(EMPTY) - 1, len(EMPTY), "")], broken, 2).expect_problem(400)
    assert update.stack.text() == EMPTY


def test_edits_cannot_make_more_than_a_body_may_have(update):
    """A small request must not blow up: the sum of the edits is bounded like a body."""
    update.verbatim(EMPTY, 1).expect()
    update.delta([(32, 35, "[" * 100000)], b"", 2, digest="0" * 64).expect_problem(400, 409, 413)
    assert update.stack.text() == EMPTY


@pytest.mark.parametrize("body", [
    {}, {"sequenceNumber": 1}, {"untypedDeployment": {"version": 3, "deployment": {}}}, {"sequenceNumber": 0, "untypedDeployment": {}},
    {"sequenceNumber": "1", "untypedDeployment": {"version": 3, "deployment": {}}},
    {"sequenceNumber": 1, "untypedDeployment": []}, {"sequenceNumber": 1, "untypedDeployment": {"version": 9, "deployment": {}}},
    {"sequenceNumber": 1, "untypedDeployment": {"version": 3}}, {"sequenceNumber": 1, "untypedDeployment": {"version": 3, "deployment": []}},
], ids=json.dumps)
def test_bad_verbatim(update, body):
    update.holder.patch(f"{update.path}/checkpointverbatim", body, compress=True).expect_problem(400)
