# SPDX-License-Identifier: Apache-2.0
"""Organizations: members and their roles, and the audit log."""

import concurrent.futures
import csv
import io
import re
import time
import uuid

import pytest

from lib.client import Client, Stack


class Person(Client):
    def __init__(self, access, described):
        super().__init__(access.url, described["token"])
        self.user, self.organization = described["user"], described["organization"]


@pytest.fixture
def people(access, new_person):
    """Makes people; the first one's organization is the one that a test is about."""
    return lambda count: [Person(access, new_person()) for _ in range(count)]


@pytest.fixture
def team(people):
    """An administrator and a member of the administrator's organization."""
    admin, member = people(2)
    add(admin, member).expect(200)
    return admin, member


def members_of(client, organization=None, query=""):
    answer = client.get(f"/api/orgs/{organization or client.organization}/members{query}").expect(200).json()
    return {m["user"]["githubLogin"]: m["role"] for m in answer["members"]}


def at(organization, user):
    return f"/api/orgs/{organization}/members/{user}"


def add(admin, user, role="member"):
    return admin.post(at(admin.organization, getattr(user, "user", user)), {"role": role})


def change(admin, user, **body):
    return admin.patch(at(admin.organization, user.user), body)


def remove(admin, user):
    return admin.delete(at(admin.organization, user.user))


# --- making an organization ---

def test_an_organization_is_made_as_installers_ask_for_it(people):
    person, = people(1)
    name = f"o{uuid.uuid4().hex[:12]}"
    body = {"product": "enterprise", "interval": "year", "maxUnits": 10, "orgName": name, "idProvider": "Pulumi", "backingOrgName": name}
    person.post("/api/console/actions/new-organization", body).expect(200)
    assert members_of(person, name) == {person.user: "admin"}
    assert name in person.post("/api/console/actions/new-organization", body).expect_problem(409).message
    person.post("/api/console/actions/new-organization", {"orgName": person.user}).expect_problem(409)


@pytest.mark.parametrize("name", ["", "ab", "a" * 41, "-ab", "ab-", "a b", "a/b", "ünï", "a\nb"])
def test_names_that_no_organization_has(client, name):
    client.post("/api/console/actions/new-organization", {"orgName": name}).expect_problem(400)


# --- an organization at a glance ---

def metadata(client, organization=None):
    return client.get(f"/api/orgs/{organization or client.organization}/metadata").expect(200).json()


def test_metadata_tells_what_there_is(team):
    admin, member = team
    first = metadata(admin)
    assert (first["kind"], first["userRole"], first["memberCount"], first["stackCount"]) == ("pulumi", "admin", 2, 0)
    assert re.fullmatch(r"[0-9a-f-]{36}", first["id"]) and re.fullmatch(r"20\d\d-\d\d-\d\dT[0-9:.]{8,}Z", first["created"])
    assert "subscriptionPeriodEnd" not in first, "no licence key, no end"
    kept, deleted = Stack(admin, admin.organization).create(), Stack(admin, admin.organization).create()
    deleted.delete().expect(204)
    assert metadata(admin)["stackCount"] == 1
    assert metadata(member, admin.organization) == {**first, "userRole": "member", "stackCount": 1}
    remove(admin, member).expect(204)
    assert metadata(admin)["memberCount"] == 1
    member.get(f"/api/orgs/{admin.organization}/metadata").expect_problem(404)
    kept.cleanup()


def test_metadata_of_the_organization_of_one_user(people):
    person, = people(1)
    own = metadata(person, person.user)
    assert (own["kind"], own["userRole"], own["memberCount"]) == ("single-user", "admin", 1)


def test_metadata_says_what_members_may_do_and_they_may(team):
    admin, member = team
    says = metadata(admin)
    stack = Stack(member, admin.organization)
    assert says["membersCanCreateStacks"] == (member.post(f"/api/stacks/{admin.organization}/{stack.project}", {"stackName": "dev"}).status == 200)
    transfer = member.post(f"{stack.path}/transfer", {"toOrg": member.organization})
    assert says["membersCanTransferStacks"] == (transfer.status == 204), transfer
    assert says["membersCanDeleteStacks"] == (stack.delete().status == 204)
    assert says["defaultStackPermission"] == (103 if says["membersCanDeleteStacks"] else 102)


def test_features_are_on_where_operations_are_served(client, organization):
    served = {(method, re.sub(r"\{[^}]*\}", "{}", path)) for path, methods in client.get("/api/openapi/pulumi-spec.json").json()["paths"].items()
              for method in methods}
    says = metadata(client, organization)
    features = says["features"]
    for name, method, path in [("auditLogsEnabled", "get", "/api/orgs/{}/auditlogs"), ("aleEnabled", "post", "/api/orgs/{}/auditlogs/export/config"),
                               ("crossGuardEnabled", "post", "/api/orgs/{}/policygroups"), ("restoreStacksEnabled", "post", "/api/orgs/{}/restore-stack/{}"),
                               ("webhooksEnabled", "post", "/api/orgs/{}/hooks"), ("environmentsEnabled", "post", "/api/esc/environments/{}"),
                               ("resourceSearchEnabled", "get", "/api/orgs/{}/search/resourcesv2"), ("teamsEnabled", "post", "/api/orgs/{}/teams/pulumi")]:
        assert features[name] == ((method, path) in served), name
    assert features["auditLogsEnabled"] and features["restoreStacksEnabled"] and not features["aiAgentsEnabled"]
    assert (says["auditLogsEnabled"], says["webhooksEnabled"]) == (features["auditLogsEnabled"], features["webhooksEnabled"])


# --- members ---

def test_a_member_as_clients_read_it(team):
    admin, member = team
    listed = admin.get(f"/api/orgs/{admin.organization}/members").expect(200).json()
    assert "continuationToken" not in listed
    one = next(m for m in listed["members"] if m["user"]["githubLogin"] == member.user)
    date = r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
    assert re.fullmatch(date, one["created"]) and re.fullmatch(date, one["fgaRole"]["modifiedAt"])
    assert (one["role"], one["knownToPulumi"], one["virtualAdmin"]) == ("member", True, False)
    assert (one["fgaRole"]["id"], one["fgaRole"]["name"]) == ("member", "Member")
    assert one["user"] == {"name": member.user, "githubLogin": member.user, "avatarUrl": ""}, "no e-mail address"


def test_both_rosters_are_this_servers(team):
    admin, member = team
    expected = {admin.user: "admin", member.user: "member"}
    assert members_of(admin, query="?type=frontend") == members_of(admin, query="?type=backend") == members_of(admin) == expected
    assert members_of(member, admin.organization) == expected, "members see each other"
    admin.get(f"/api/orgs/{admin.organization}/members?type=x").expect_problem(400)
    admin.get(f"/api/orgs/{admin.organization}/members?continuationToken=x").expect_problem(400)


def test_members_page_by_key(people):
    admin, *others = people(2)
    organization = admin.organization
    # Whoever has signed up before can be added; the page is a hundred.
    anybody = admin.with_token(None)
    made = [f"p{uuid.uuid4().hex[:12]}" for _ in range(101)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda login: anybody.post("/api/console/email/signup", {
            "name": login, "loginName": login, "email": f"{login}@example.com", "password": uuid.uuid4().hex}).expect(200), made))
    for login in made:
        add(admin, login).expect(200)
    first = admin.get(f"/api/orgs/{organization}/members").expect(200).json()
    assert len(first["members"]) == 100 and re.fullmatch("[A-Za-z0-9_-]+", first["continuationToken"])
    second = admin.get(f"/api/orgs/{organization}/members?continuationToken={first['continuationToken']}").expect(200).json()
    assert "continuationToken" not in second and len(second["members"]) == 2
    assert {m["user"]["githubLogin"] for m in first["members"] + second["members"]} == {admin.user, *made}


def test_adding_somebody(people):
    admin, other = people(2)
    answer = add(admin, other, "admin").expect(200).json()
    assert (answer["user"]["githubLogin"], answer["role"], answer["fgaRole"]["id"]) == (other.user, "admin", "admin")
    assert [o["githubLogin"] for o in other.get("/api/user").json()["organizations"]].count(admin.organization) == 1
    assert "already" in add(admin, other).expect_problem(409).message
    assert members_of(admin)[other.user] == "admin"
    assert "User 'no-such-person' not found" in add(admin, "no-such-person").expect_problem(404).message
    for role in ("owner", "billing-manager", "none", "Admin", "", 5, None):
        admin.post(at(admin.organization, "no-such-person"), {"role": role}).expect_problem(400)


def test_roles_change(team):
    admin, member = team
    member.patch(at(admin.organization, admin.user), {"role": "member"}).expect_problem(403)
    change(admin, member, role="admin").expect(204)
    assert members_of(member, admin.organization)[member.user] == "admin"
    change(admin, member, role="admin", fgaRoleId="member").expect(204)
    assert members_of(admin)[member.user] == "member", "the id of a role counts before its name"
    change(admin, member, role="admin", fgaRoleId=None).expect(204)
    assert members_of(admin)[member.user] == "admin"
    for body in ({}, {"role": "x"}, {"role": "billing-manager"}, {"fgaRoleId": "x"}, {"fgaRoleId": str(uuid.uuid4())}, {"role": ["admin"]}):
        change(admin, member, **body).expect_problem(400)
    assert "User 'no-such-person' not found" in admin.patch(at(admin.organization, "no-such-person"), {"role": "admin"}).expect_problem(404).message


def test_what_a_role_may_do_follows_at_once(team):
    admin, member = team
    log = f"/api/orgs/{admin.organization}/auditlogs"
    assert "audit_logs:read" in member.get(log).expect_problem(403).message
    change(admin, member, role="admin").expect(204)
    member.get(log).expect(200)
    change(admin, member, role="member").expect(204)
    member.get(log).expect_problem(403)


@pytest.mark.parametrize("act", ["add", "change", "remove"])
def test_a_member_changes_no_members(team, people, act):
    admin, member = team
    third, = people(1)
    add(admin, third).expect(200)
    calls = {"add": lambda: member.post(at(admin.organization, third.user), {"role": "member"}),
             "change": lambda: member.patch(at(admin.organization, third.user), {"role": "admin"}),
             "remove": lambda: member.delete(at(admin.organization, third.user))}
    assert "org_member:" in calls[act]().expect_problem(403).message
    assert members_of(admin)[third.user] == "member"


def test_outside_an_organization_its_members_are_out_of_sight(team, people):
    admin, member = team
    outsider, = people(1)
    for call in (lambda o: outsider.get(f"/api/orgs/{o}/members"), lambda o: outsider.post(at(o, outsider.user), {"role": "admin"}),
                 lambda o: outsider.patch(at(o, member.user), {"role": "admin"}), lambda o: outsider.delete(at(o, member.user)),
                 lambda o: outsider.get(f"/api/orgs/{o}/roles"), lambda o: outsider.get(f"/api/orgs/{o}/metadata"), lambda o: outsider.get(f"/api/orgs/{o}/auditlogs"),
                 lambda o: outsider.get(f"/api/orgs/{o}/auditlogs/export")):
        theirs, nowhere = call(admin.organization).expect_problem(404), call("nowhere").expect_problem(404)
        assert theirs.message.replace(admin.organization, "X") == nowhere.message.replace("nowhere", "X")
    assert members_of(admin) == {admin.user: "admin", member.user: "member"}


def test_removal_ends_access_and_keeps_what_was_done(team):
    admin, member = team
    stack = Stack(member, admin.organization).create()
    member.post(f"/api/user/organizations/{admin.organization}/default").expect(204)
    update = stack.begin()
    remove(admin, member).expect(204)
    assert members_of(admin) == {admin.user: "admin"}
    member.get(stack.path).expect_problem(404)
    assert admin.organization not in [o["githubLogin"] for o in member.get("/api/user").json()["organizations"]]
    assert member.get("/api/user/organizations/default").json()["gitHubLogin"] == ""
    # The update that runs may end; its history says who it was.
    update.complete().expect()
    seen = Stack(admin, admin.organization, stack.project)
    assert seen.get()["version"] == 1
    assert member.user in [e["user"]["githubLogin"] for e in events(admin)]
    assert member.user in [e["user"]["githubLogin"] for e in events(admin, f"?userFilter={member.user}")]
    remove(admin, member).expect_problem(404)
    # Back again, the organization is not the default by itself.
    add(admin, member).expect(200)
    assert member.get("/api/user/organizations/default").json()["gitHubLogin"] == ""
    seen.cleanup()


def test_nobody_removes_himself(team):
    admin, member = team
    assert "yourself" in remove(admin, admin).expect_problem(400).message
    change(admin, member, role="admin").expect(204)
    remove(admin, admin).expect_problem(400)
    assert members_of(admin) == {admin.user: "admin", member.user: "admin"}


def test_the_last_administrator_stays_one(team):
    admin, member = team
    assert "only administrator" in change(admin, admin, role="member").expect_problem(409).message
    change(admin, admin, role="admin").expect(204)
    change(admin, member, role="admin").expect(204)
    change(admin, admin, role="member").expect(204)
    member.patch(at(admin.organization, member.user), {"role": "member"}).expect_problem(409)
    assert members_of(admin) == {admin.user: "member", member.user: "admin"}


@pytest.mark.parametrize("act", ["demote", "remove"])
def test_two_administrators_who_turn_on_each_other_leave_one(team, act):
    one, other = team
    organization = one.organization

    def attack(by, victim):
        where = at(organization, victim.user)
        return by.patch(where, {"role": "member"}) if act == "demote" else by.delete(where)

    change(one, other, role="admin").expect(204)
    for _ in range(12):
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            answers = [f.result() for f in (pool.submit(attack, one, other), pool.submit(attack, other, one))]
        assert sorted(a.status for a in answers)[0] == 204 and {a.status for a in answers} - {204} <= {403, 404, 409}
        winner, loser = (one, other) if answers[0].status == 204 else (other, one)
        left = members_of(winner, organization)
        assert left[winner.user] == "admin" and left.get(loser.user) in (None, "member")
        where = at(organization, loser.user)
        (winner.patch(where, {"role": "admin"}) if loser.user in left else winner.post(where, {"role": "admin"})).expect(200, 204)


def test_the_individual_organization_has_its_user_only(people):
    person, other = people(2)
    for call in (person.post(at(person.user, other.user), {"role": "member"}), person.patch(at(person.user, person.user), {"role": "member"}),
                 person.delete(at(person.user, person.user))):
        assert "individual organization" in call.expect_problem(400).message
    assert members_of(person, person.user) == {person.user: "admin"}


def test_the_same_member_added_at_once(people):
    admin, other = people(2)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        statuses = sorted(a.status for a in pool.map(lambda _: add(admin, other), range(4)))
    assert statuses == [200, 409, 409, 409]


# --- roles ---

def test_the_roles_that_the_provider_looks_for(team):
    admin, member = team
    for query in ("", "?uxPurpose=role"):
        roles = member.get(f"/api/orgs/{admin.organization}/roles{query}").expect(200).json()["roles"]
        assert [(r["id"], r["name"], r["defaultIdentifier"], r["isOrgDefault"]) for r in roles] == [
            ("admin", "Admin", "admin", False), ("member", "Member", "member", True)]
    assert admin.get(f"/api/orgs/{admin.organization}/roles?uxPurpose=policy").expect(200).json() == {"roles": []}
    admin.get(f"/api/orgs/{admin.organization}/roles?uxPurpose=x").expect_problem(400)


# --- the audit log ---

def events(client, query="", organization=None, version=""):
    return client.get(f"/api/orgs/{organization or client.organization}/auditlogs{version}{query}").expect(200).json()["auditLogEvents"]


def names(found):
    return [e["event"] for e in found]


def test_what_happened_newest_first(team):
    admin, member = team
    stack = Stack(member, admin.organization).create()
    stack.delete().expect()
    found = events(admin)
    assert names(found) == ["stack-deleted", "stack-created", "member-added", "organization-created"]
    newest = found[0]
    assert abs(newest["timestamp"] - time.time()) < 60 and newest["sourceIP"] == "127.0.0.1" and stack.project in newest["description"]
    assert newest["user"] == {"name": member.user, "githubLogin": member.user, "avatarUrl": ""}
    assert newest["tokenName"] == "sign-up" and newest["reqStackAdmin"] is True and "reqOrgAdmin" not in newest
    assert found[2]["reqOrgAdmin"] is True and "reqStackAdmin" not in found[2]
    own = member.get("/api/user/tokens").json()["tokens"][0]["id"]
    assert newest["tokenID"] == own


def test_the_end_of_an_update_is_recorded_once_with_who_started_it(team):
    admin, member = team
    stack = Stack(member, admin.organization).create()
    update = stack.begin()
    for _ in range(2):
        update.complete("failed").expect()
    cancelled = stack.begin("destroy")
    for _ in range(2):
        cancelled.cancel().expect()
    found = events(admin)[:4]
    assert names(found) == ["stack-update-canceled", "stack-update-started", "stack-update-completed", "stack-update-started"]
    assert all(event["user"]["githubLogin"] == member.user for event in found)
    assert update.path in found[2]["description"] and found[2]["description"].endswith(": failed") and "tokenID" not in found[2]


def test_nothing_is_recorded_of_what_was_refused(team):
    admin, member = team
    before = events(admin)
    add(admin, member).expect_problem(409)
    remove(admin, admin).expect_problem(400)
    member.delete(at(admin.organization, admin.user)).expect_problem(403)
    assert events(admin) == before


def test_filters(team):
    admin, member = team
    for _ in range(2):
        Stack(member, admin.organization).create().delete().expect()
    Stack(admin, admin.organization).create().delete().expect()
    for event, user in (("eventType", "user"), ("eventFilter", "userFilter")):
        assert names(events(admin, f"?{event}=stack-created")) == ["stack-created"] * 3
        assert names(events(admin, f"?{user}={member.user}")) == ["stack-deleted", "stack-created"] * 2
        assert names(events(admin, f"?{event}=stack-created&{user}={admin.user.upper()}")) == ["stack-created"]
    assert events(admin, "?eventType=nothing") == [] and events(admin, "?eventType=%27%20OR%201%3D1") == []
    assert "User 'no-such-person' not found" in admin.get(f"/api/orgs/{admin.organization}/auditlogs?user=no-such-person").expect_problem(404).message
    for query in ("startTime=x", "startTime=-1", "endTime=99999999999999", "format=xml", "continuationToken=x"):
        for version in ("", "/v2"):
            admin.get(f"/api/orgs/{admin.organization}/auditlogs{version}?{query}").expect_problem(400)
    admin.get(f"/api/orgs/{admin.organization}/auditlogs?format=json").expect(200)


def test_times(team):
    admin, member = team
    between = int(time.time()) + 1
    time.sleep(between - time.time() + 0.01)
    change(admin, member, role="admin").expect(204)
    after = int(time.time()) + 1
    early, late = ["member-added", "organization-created"], ["member-role-changed"]
    assert names(events(admin, f"?startTime={between}")) == early, "what is older"
    assert names(events(admin, f"?startTime={after}")) == late + early
    assert names(events(admin, f"?endTime={between - 1}")) == early
    assert names(events(admin, f"?startTime={after}&endTime={between - 1}")) == early
    assert names(events(admin, f"?startTime={between}", version="/v2")) == late, "what is not older"
    assert names(events(admin, f"?endTime={between - 1}", version="/v2")) == early
    assert names(events(admin, f"?startTime=0&endTime={after}", version="/v2")) == late + early
    assert events(admin, f"?startTime={after + 1}", version="/v2") == []


def test_the_log_pages_by_key(team):
    admin, member = team
    for i in range(99):
        change(admin, member, role="admin" if i % 2 else "member").expect(204)
    for query, count in (("", 101), ("?eventType=member-role-changed", 99), (f"?user={admin.user}", 101),
                         (f"?user={admin.user}&eventType=member-role-changed", 99)):
        first = admin.get(f"/api/orgs/{admin.organization}/auditlogs{query}").expect(200).json()
        assert len(first["auditLogEvents"]) == min(count, 100)
        if count < 101:
            assert "continuationToken" not in first
            continue
        assert re.fullmatch("[A-Za-z0-9_-]+", first["continuationToken"])
        rest = admin.get(f"/api/orgs/{admin.organization}/auditlogs{query or '?'}&continuationToken={first['continuationToken']}").expect(200).json()
        assert names(rest["auditLogEvents"]) == ["organization-created"] and "continuationToken" not in rest


def test_the_log_of_another_organization_is_another(team, people):
    admin, _ = team
    other, = people(1)
    assert names(events(other)) == ["organization-created"]
    token = admin.get(f"/api/orgs/{admin.organization}/auditlogs").json()["auditLogEvents"]
    assert len(token) == 2 and events(other, f"?user={admin.user}") == []


def export(client, query="", version="", **options):
    return client.get(f"/api/orgs/{client.organization}/auditlogs{version}/export{query}", **options).expect(200)


def test_export_as_csv(team):
    admin, member = team
    answer = export(admin)
    assert answer.headers["Content-Type"].startswith("text/plain")
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert [(r["Login"], r["Event"], r["RequireOrgAdmin"], r["AuthenticationFailure"]) for r in rows] == [
        (admin.user, "Member added", "true", "false"), (admin.user, "Organization created", "false", "false")]
    assert member.user in rows[0]["Description"] and re.fullmatch(r"20\S+Z", rows[0]["Timestamp"])
    packed = export(admin, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip" and packed.body == answer.body
    assert export(admin, f"?user={member.user}").body == answer.body.splitlines(True)[0]
    assert export(admin, "?eventType=member-added").body == b"".join(answer.body.splitlines(True)[:2])
    assert export(admin, "?startTime=1").body == answer.body.splitlines(True)[0] == export(admin, "?endTime=1", "/v2").body
    assert export(admin, "?startTime=1", "/v2").body == answer.body


def test_export_as_cef(team):
    admin, member = team
    lines = export(admin, "?format=cef").body.decode().splitlines()
    assert len(lines) == 2 and lines[0].startswith("CEF:0|pulumi-api|pulumi-api|")
    assert f" suser={admin.user} " in lines[0] and "|member-added|Member added|" in lines[0] and "requireOrgAdmin=true" in lines[0]
    admin.get(f"/api/orgs/{admin.organization}/auditlogs/export?format=json").expect_problem(400)
    member.get(f"/api/orgs/{admin.organization}/auditlogs/export").expect_problem(403)


def test_a_name_does_no_harm_in_a_spreadsheet(access, people):
    admin, = people(1)
    login = f"p{uuid.uuid4().hex[:12]}"
    nasty = '=HYPERLINK("http://x","y"),\r\n\u2028'
    answer = admin.with_token(None).post("/api/console/email/signup", {
        "name": nasty, "loginName": login, "email": f"{login}@example.com", "password": uuid.uuid4().hex}).expect(200).json()
    add(admin, login, "admin").expect(200)
    Client(access.url, answer["pulumiAccessToken"]).patch(at(admin.organization, login), {"role": "admin"}).expect(204)
    rows = list(csv.DictReader(io.StringIO(export(admin).body.decode(), newline="")))
    assert rows[0]["Name"] == "'" + nasty and len(rows) == 3
