# SPDX-License-Identifier: Apache-2.0
"""org member, org role, org audit-log: who belongs to an organization, and what happened in it."""

import csv
import io
import uuid

import pytest

pytestmark = pytest.mark.since("3.242.0")


@pytest.fixture
def organization(server):
    """An organization of the test's own."""
    name = f"o{uuid.uuid4().hex[:12]}"
    status, _ = server.call("POST", "/api/console/actions/new-organization", {"orgName": name})
    assert status == 200
    return name


@pytest.fixture
def member(server, organization):
    login = f"p{uuid.uuid4().hex[:12]}"
    server.call("POST", "/api/console/email/signup", {"name": "Some Body", "loginName": login, "email": f"{login}@example.com",
                                                      "password": uuid.uuid4().hex})
    status, _ = server.call("POST", f"/api/orgs/{organization}/members/{login}", {"role": "member"})
    assert status == 200
    return login


@pytest.fixture
def org(pulumi, organization, tmp_path):
    """Runs a command of `pulumi org` about the organization."""
    return lambda *arguments, **options: pulumi.run("org", *arguments, "--org", organization, cwd=tmp_path, **options)


def roles(org):
    return {m["user"]["githubLogin"]: m["role"] for m in org("member", "ls", "--output", "json").json()["members"]}


def test_members(org, server, member):
    said = org("member", "ls").out
    assert member in said and "Some Body" in said and "2 member(s)" in said
    assert roles(org) == {server.user: "admin", member: "member"}


def test_members_of_many_pages(org, server, organization, member):
    for _ in range(100):
        login = f"p{uuid.uuid4().hex[:12]}"
        server.call("POST", "/api/console/email/signup", {"name": login, "loginName": login, "email": f"{login}@example.com",
                                                          "password": uuid.uuid4().hex})
        server.call("POST", f"/api/orgs/{organization}/members/{login}", {"role": "member"})
    assert len(org("member", "ls", "--all", "--output", "json").json()["members"]) == 102
    assert len(org("member", "ls", "--count", "101", "--output", "json").json()["members"]) == 101


def test_roles_of_members(org, server, member):
    assert "Admin" in org("member", "edit", member, "--role", "admin").out
    assert roles(org)[member] == "admin"
    org("member", "edit", member, "--fga-role-name", "Member")
    assert roles(org)[member] == "member"
    org("member", "edit", member, "--fga-role-id", "admin")
    assert roles(org)[member] == "admin"
    org("member", "edit", member, "--role", "member")
    assert "only administrator" in org("member", "edit", server.user, "--role", "member", fails=True).text
    assert "the roles are admin and member" in org("member", "edit", member, "--role", "billing-manager", fails=True).text
    assert "Admin" in org("role", "ls").out


def test_removal(org, server, member):
    assert member in org("member", "rm", member, "--yes").text
    assert roles(org) == {server.user: "admin"}
    assert f"User '{member}' not found" in org("member", "rm", member, "--yes", fails=True).text
    assert "yourself" in org("member", "rm", server.user, "--yes", fails=True).text


def test_audit_log(org, server, member):
    org("member", "edit", member, "--role", "admin")
    said = org("audit-log", "ls").out
    assert "member-added" in said and "member-role-changed" in said and server.user in said
    found = org("audit-log", "ls", "--event-type", "member-added", "--user", server.user, "--output", "json").json()
    assert [e["event"] for e in found["events"]] == ["member-added"]
    assert "No audit log events found" in org("audit-log", "ls", "--user", member).out
    assert "No audit log events found" in org("audit-log", "ls", "--start-time", "1000000000").out
    assert "not found" in org("audit-log", "ls", "--user", "no-such-person", fails=True).text
    assert "whole number" in org("audit-log", "ls", "--start-time", "yesterday", fails=True).text


def test_audit_log_of_many_pages(org, server, organization, member):
    for i in range(110):
        server.call("PATCH", f"/api/orgs/{organization}/members/{member}", {"role": "member" if i % 2 else "admin"})
    assert len(org("audit-log", "ls", "--output", "json").json()["events"]) == 100
    assert len(org("audit-log", "ls", "--all", "--output", "json").json()["events"]) == 112
    assert len(org("audit-log", "ls", "--count", "105", "--output", "json").json()["events"]) == 105


def test_audit_log_export(org, server, member):
    rows = list(csv.DictReader(io.StringIO(org("audit-log", "export").out)))
    assert [r["Event"] for r in rows] == ["Member added", "Organization created"] and {r["Login"] for r in rows} == {server.user}
    lines = org("audit-log", "export", "--format", "cef", "--event-type", "member-added").out.splitlines()
    assert len(lines) == 1 and lines[0].startswith("CEF:0|") and member in lines[0]
