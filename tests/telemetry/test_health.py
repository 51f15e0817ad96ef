# SPDX-License-Identifier: Apache-2.0
"""GET /api/admin/health: for administrators of the installation, and true."""

import pytest

from lib.client import Client

PATH = "/api/admin/health"


def test_all_is_well(server):
    answer = server.client().get(PATH).expect(200).json()
    assert answer["good"] is True
    assert [part["name"] for part in answer["parts"]] == ["database", "objects", "keys"]
    for part in answer["parts"]:
        assert part["good"] is True and 0 < part["microseconds"] < 10_000_000 and "problem" not in part


def test_it_leaves_nothing_behind(server):
    before = sorted(p for p in server.objects.rglob("*") if p.is_file())
    server.client().get(PATH).expect(200)
    assert sorted(p for p in server.objects.rglob("*") if p.is_file()) == before


def test_who_may_ask(server):
    Client(server.url).get(PATH).expect_problem(401)
    server.client("mallory").get(PATH).expect_problem(403)
    Client(server.url, "pul-" + "0" * 40).get(PATH).expect_problem(401)


def test_an_object_store_that_cannot_be_written(server):
    aside = server.objects.with_name("objects-aside")
    server.objects.rename(aside)
    server.objects.write_text("no folder")
    try:
        answer = server.client().get(PATH).expect(503).json()
    finally:
        server.objects.unlink()
        aside.rename(server.objects)
    assert answer["good"] is False
    good = {part["name"]: part["good"] for part in answer["parts"]}
    assert good == {"database": True, "objects": False, "keys": True}
    problem = next(part["problem"] for part in answer["parts"] if part["name"] == "objects")
    assert len(problem.split()) > 3
    server.client().get(PATH).expect(200)


@pytest.mark.parametrize("person", ["alice", None])
def test_status_stays_shallow(server, person):
    server.database.kill()
    try:
        (server.client(person) if person else Client(server.url)).get("/api/status").expect(200)
        server.client().get(PATH).expect_problem(503)
    finally:
        server.database.start()
    server.client().get(PATH).expect(200)
