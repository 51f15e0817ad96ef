# SPDX-License-Identifier: Apache-2.0
"""People: who the caller is, sign-up, access tokens, the default organization."""

import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import time
import uuid

import pytest

from lib.client import Client

YEAR = 365 * 86400


def name():
    return f"p{uuid.uuid4().hex[:12]}"


def signup(anybody, login=None, **more):
    login = login or name()
    body = {"name": "A Person", "loginName": login, "email": f"{login}@example.com", "password": "correct horse", **more}
    return anybody.post("/api/console/email/signup", {k: v for k, v in body.items() if v is not None})


@pytest.fixture
def person(access, new_person):
    """A client of a person that nobody else uses; `.user` and `.organization` are its names."""
    described = new_person()
    made = Client(access.url, described["token"])
    made.user, made.organization = described["user"], described["organization"]
    return made


@pytest.fixture
def sql(access):
    """Statements to the database; only where tests/stack started it."""
    described = json.loads(pathlib.Path(os.environ["PULUMI_API_ACCESS"]).read_text()).get("database")
    if not described:
        pytest.skip("the access file names no database")

    def run(text):
        done = subprocess.run(["mariadb", "--no-defaults", f"--socket={described['socket']}", "-uroot", "-N", "-B", "pulumi", "-e", text],
                              env={**os.environ, "MYSQL_PWD": described["password"]}, stdout=subprocess.PIPE, text=True, check=True)
        return [line.split("\t") for line in done.stdout.splitlines()]

    return run


def make_token(client, description="a token", expires=0):
    answer = client.post("/api/user/tokens", {"description": description, "expires": expires}).expect(200).json()
    assert re.fullmatch("pul-[0-9a-f]{40}", answer["tokenValue"])
    return answer["id"], answer["tokenValue"]


def tokens(client, query=""):
    return client.get(f"/api/user/tokens{query}").expect(200).json()["tokens"]


# --- the caller ---

def test_the_caller_sees_itself_and_its_organizations(person):
    user = person.get("/api/user").expect(200).json()
    assert (user["githubLogin"], user["email"], user["identities"]) == (person.user, f"{person.user}@example.com", ["Pulumi"])
    assert [(o["githubLogin"], o["role"]) for o in user["organizations"]] == [(person.user, "admin"), (person.organization, "admin")]
    assert user["siteAdmin"] is False and user["hasMFA"] is False and user["isOrgManaged"] is False
    assert "tokenInfo" not in user, "that is how clients know tokens of organizations and teams"


# --- sign-up ---

def test_sign_up_takes_what_installers_send(anybody, access):
    login = name()
    answer = signup(anybody, login, token="", unknown={"a": 1}).expect(200).json()
    user = Client(access.url, answer["pulumiAccessToken"]).get("/api/user").expect(200).json()
    assert (user["githubLogin"], user["name"], user["siteAdmin"]) == (login, "A Person", False)
    assert [t["description"] for t in tokens(Client(access.url, answer["pulumiAccessToken"]))] == ["made at sign-up"]


def test_a_sign_up_is_recorded(anybody, sql):
    login = name()
    signup(anybody, login).expect(200)
    signup(anybody, login).expect_problem(409)
    assert sql(f"SELECT event, source_ip FROM audit_events WHERE description LIKE '%: {login}'") == [["user-signed-up", "127.0.0.1"]]


def test_sign_up_tells_nobody_which_of_name_and_address_is_taken(anybody, person):
    seen = {signup(anybody, person.user, email=f"{name()}@example.com").expect_problem(409).message,
            signup(anybody, person.user.upper(), email=f"{name()}@example.com").expect_problem(409).message,
            signup(anybody, email=f"{person.user}@example.com").expect_problem(409).message,
            signup(anybody, email=f"{person.user}@EXAMPLE.com").expect_problem(409).message,
            signup(anybody, person.organization).expect_problem(409).message}
    assert len(seen) == 1


def test_a_refused_sign_up_leaves_nothing_behind(anybody, person):
    """The user was made before its organization turned out to be taken."""
    email = f"{name()}@example.com"
    signup(anybody, person.organization, email=email).expect_problem(409)
    signup(anybody, email=email).expect(200)


@pytest.mark.parametrize("more, words", [
    ({"password": "123456789"}, "10 to 160"), ({"password": "x" * 161}, "10 to 160"), ({"password": "é" * 9}, "9 characters"),
    ({"password": "A Person"}, "10 to 160"), ({"name": "Long Enough", "password": "long enough"}, "differ"),
    ({"email": "nobody"}, "e-mail"), ({"email": "a b@c.d"}, "e-mail"), ({"email": "a@b\n"}, "e-mail"), ({"loginName": "a"}, "3 to 40"),
    ({"loginName": "a" * 41}, "40"), ({"loginName": "-ab"}, "letter or digit"), ({"loginName": "ä-ö"}, "letters"), ({"name": ""}, "name"),
    ({"name": None}, "name"), ({"email": None}, "email"), ({"password": None}, "password")])
def test_sign_up_says_which_rule_was_broken(anybody, more, words):
    assert words in signup(anybody, **more).expect_problem(400).message


def test_a_password_of_characters_beyond_ascii_counts_them(anybody):
    signup(anybody, password="é" * 10).expect(200)
    signup(anybody, password="é" * 160).expect(200)


def test_the_same_sign_up_at_once_makes_one_user(anybody):
    login = name()
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        statuses = sorted(a.status for a in pool.map(lambda _: signup(anybody, login), range(6)))
    assert statuses == [200] + [409] * 5


def once(access, path, body, **settings):
    """What a responder of its own with these settings answers, or says when it does not start."""
    described = json.loads(pathlib.Path(os.environ["PULUMI_API_ACCESS"]).read_text())
    body = json.dumps(body)
    request = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    folder = pathlib.Path(access.folder)
    environment = {**os.environ, "PULUMI_DATABASE_ENDPOINT": f"unix:{described['database']['socket']}", "PULUMI_DATABASE_USER_NAME": "root",
                   "PULUMI_DATABASE_USER_PASSWORD": described["database"]["password"], "PULUMI_LOCAL_OBJECTS": str(folder / "objects"),
                   "PULUMI_LOCAL_KEYS": str(folder / "keys"), "PULUMI_API_CONFIG": os.devnull, **settings}
    done = subprocess.run([pathlib.Path(access.build) / "fcgi" / "pulumi-api.fcgi", "--once"], input=request, env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.stdout


def test_sign_up_can_be_switched_off(access, sql, anybody):
    body = {"name": "N", "loginName": name(), "email": f"{name()}@example.com", "password": "correct horse"}
    said = once(access, "/api/console/email/signup", body, PULUMI_DISABLE_EMAIL_SIGNUP="true")
    assert "Status: 403 Forbidden" in said.splitlines() and "switched off" in said, said
    assert "PULUMI_DISABLE_EMAIL_SIGNUP: 'perhaps' must be true or false" in once(access, "/api/status", {}, PULUMI_DISABLE_EMAIL_SIGNUP="perhaps")


def test_ways_in_by_mail_can_be_switched_off(access):
    """A link in a mail would let in whoever reads the mails."""
    for path, body in (("forgot-password", {"email": "a@example.com"}), ("reset-password", {"token": "x", "password": "correct horse"})):
        said = once(access, f"/api/console/email/{path}", body, PULUMI_DISABLE_EMAIL_LOGIN="true")
        assert "Status: 403 Forbidden" in said.splitlines() and "access token" in said, said
        assert "passwords let nobody in" in said
        assert "passwords let nobody in" not in once(access, f"/api/console/email/{path}", body, PULUMI_DISABLE_EMAIL_LOGIN="false")
    assert "PULUMI_DISABLE_EMAIL_LOGIN: 'perhaps' must be true or false" in once(access, "/api/status", {}, PULUMI_DISABLE_EMAIL_LOGIN="perhaps")


def test_settings_of_other_installations(access):
    """What would have an effect elsewhere is told; what would have none, or is empty, is not."""
    said = once(access, "/api/status", {}, PULUMI_ENTERPRISE="true", SAML_CERTIFICATE_PUBLIC_KEY="/a/file", PULUMI_SEARCH_DOMAIN="", PULUMI_SAERCH="x")
    assert 'level=warning msg="setting without effect" name=SAML_CERTIFICATE_PUBLIC_KEY why="nobody signs in by SAML here"' in said, said
    assert 'level=warning msg="unknown setting" name=PULUMI_SAERCH' in said
    assert "PULUMI_ENTERPRISE" not in said and "PULUMI_SEARCH_DOMAIN" not in said and "/a/file" not in said


# --- tokens ---

def test_a_token_speaks_for_its_user_until_it_is_deleted(access, person):
    token_id, value = make_token(person, "for a machine")
    machine = Client(access.url, value)
    assert machine.get("/api/user").expect(200).json()["githubLogin"] == person.user
    listed = tokens(person)[0]
    assert (listed["id"], listed["description"], listed["createdBy"], listed["expires"]) == (token_id, "for a machine", person.user, 0)
    assert (listed["type"], listed["admin"], listed["name"]) == ("personal", False, "")
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", listed["created"])
    assert value not in json.dumps(tokens(person)), "the value is shown once"
    person.delete(f"/api/user/tokens/{token_id}").expect(204)
    machine.get("/api/user").expect_problem(401)
    assert token_id not in [t["id"] for t in tokens(person, "?filter=all")]
    person.delete(f"/api/user/tokens/{token_id}").expect_problem(404)


def test_a_token_can_delete_itself(access, person):
    token_id, value = make_token(person)
    machine = Client(access.url, value)
    machine.delete(f"/api/user/tokens/{token_id}").expect(204)
    machine.delete(f"/api/user/tokens/{token_id}").expect_problem(401)


def test_tokens_of_others_are_out_of_sight(person, stranger):
    token_id, _ = make_token(person)
    assert token_id not in [t["id"] for t in tokens(stranger, "?filter=all&maxResults=1000")]
    stranger.delete(f"/api/user/tokens/{token_id}").expect_problem(404)
    assert token_id in [t["id"] for t in tokens(person)]


def test_an_expired_token_is_unknown(access, person):
    expires = int(time.time()) + 2
    token_id, value = make_token(person, expires=expires)
    forever, _ = make_token(person)
    machine = Client(access.url, value)
    machine.get("/api/user").expect(200)
    assert tokens(person, "?filter=expired") == []
    assert next(t for t in tokens(person) if t["id"] == token_id)["expires"] == expires
    time.sleep(max(0, expires - time.time()) + 0.05)
    machine.get("/api/user").expect_problem(401)
    assert [t["id"] for t in tokens(person, "?filter=expired")] == [token_id]
    assert token_id not in [t["id"] for t in tokens(person)] and forever in [t["id"] for t in tokens(person, "?filter=active")]
    assert {token_id, forever} <= {t["id"] for t in tokens(person, "?filter=all")}


@pytest.mark.parametrize("body", [
    {"description": "x" * 257, "expires": 0}, {"description": "€" * 257, "expires": 0}, {"expires": 0}, {"description": "x", "expires": 1},
    {"description": "x", "expires": -1}, {"description": "x", "expires": 9223372036854775807}, {"description": "x", "expires": 1.5},
    {"description": "x", "expires": "0"}, {"description": 5, "expires": 0}])
def test_tokens_outside_the_rules(person, body):
    person.post("/api/user/tokens", body).expect_problem(400)
    assert len(tokens(person)) == 1


def test_a_token_lives_two_years_at_most(person):
    make_token(person, expires=int(time.time()) + 2 * YEAR)
    assert "two years" in person.post("/api/user/tokens", {"description": "x", "expires": int(time.time()) + 2 * YEAR + 10 * 86400}) \
        .expect_problem(400).message


def test_a_description_keeps_its_characters(person):
    description = "€\"\\\n\t</script> 💩" + "é" * 230
    make_token(person, description)
    assert tokens(person)[0]["description"] == description


def test_tokens_page_by_key(person):
    made = [make_token(person, str(i))[0] for i in range(7)]
    expected = [*reversed(made), tokens(person)[-1]["id"]]
    for page in (1, 3, 4, 8):
        found, token, pages = [], None, 0
        while True:
            answer = person.get(f"/api/user/tokens?maxResults={page}" + (f"&continuationToken={token}" if token else "")).expect(200).json()
            found += [t["id"] for t in answer["tokens"]]
            pages += 1
            token = answer.get("continuationToken")
            if "continuationToken" not in answer:
                break
            assert re.fullmatch("[A-Za-z0-9_-]+", token)
        assert found == expected and pages == -(-8 // page)


@pytest.mark.parametrize("query", ["filter=x", "maxResults=0", "maxResults=1001", "maxResults=x", "continuationToken=x", "continuationToken=%27",
                                   "continuationToken=" + "0" * 36])
def test_token_lists_refuse_what_they_do_not_know(person, query):
    person.get(f"/api/user/tokens?{query}").expect_problem(400)


def test_a_user_has_a_thousand_tokens_at_most(person, sql):
    user_id = person.get("/api/user").json()["id"]
    sql("INSERT INTO access_tokens (id, user_id, token_sha256, created_at) SELECT CONCAT('00000000-0000-7000-8000-', LPAD(seq, 12, '0')), "
        f"'{user_id}', UNHEX(SHA2(CONCAT('{user_id}', seq), 256)), NOW(6) FROM "
        "(WITH RECURSIVE numbers (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM numbers WHERE seq < 998) SELECT seq FROM numbers) AS n")
    make_token(person)
    assert "1000" in person.post("/api/user/tokens", {"description": "x", "expires": 0}).expect_problem(400).message
    sql(f"DELETE FROM access_tokens WHERE user_id = '{user_id}' AND id LIKE '00000000-0000-7000-8000-%'")


def test_use_is_remembered_to_the_hour(access, person, sql):
    token_id, value = make_token(person)

    def used():
        return next(t for t in tokens(person) if t["id"] == token_id)["lastUsed"]

    assert used() == 0
    machine = Client(access.url, value)
    machine.get("/api/user").expect(200)
    assert abs(used() - time.time()) < 60
    sql(f"UPDATE access_tokens SET last_used_at = UTC_TIMESTAMP() - INTERVAL 50 MINUTE WHERE id = '{token_id}'")
    machine.get("/api/user").expect(200)
    assert time.time() - used() > 2900, "nothing is written within the hour"
    sql(f"UPDATE access_tokens SET last_used_at = UTC_TIMESTAMP() - INTERVAL 61 MINUTE WHERE id = '{token_id}'")
    machine.get("/api/user").expect(200)
    assert abs(used() - time.time()) < 60


def test_making_and_deleting_tokens_is_recorded_without_the_value(person, sql):
    token_id, value = make_token(person)
    person.delete(f"/api/user/tokens/{token_id}").expect(204)
    user_id = person.get("/api/user").json()["id"]
    rows = sql(f"SELECT event, description FROM audit_events WHERE user_id = '{user_id}' AND event LIKE '%token%' ORDER BY id")
    assert rows == [["personal-token-created", f"/api/user/tokens: {token_id}"], ["personal-token-deleted", f"/api/user/tokens/{token_id}"]]
    assert value not in json.dumps(sql(f"SELECT * FROM audit_events WHERE user_id = '{user_id}'"))


# --- the default organization ---

def default(client):
    return client.get("/api/user/organizations/default").expect(200).json()["gitHubLogin"]


def test_the_default_organization_is_none_until_it_is_set(person):
    assert person.get("/api/user/organizations/default").expect(200).json() == {"gitHubLogin": "", "messages": []}
    person.post(f"/api/user/organizations/{person.organization}/default").expect(204)
    assert default(person) == person.organization
    person.post(f"/api/user/organizations/{person.user}/default").expect(204)
    assert default(person) == person.user
    person.post(f"/api/user/organizations/{person.organization.upper()}/default").expect(204)
    assert default(person) == person.organization, "names match without case, and are spelt as they were made"


def test_only_a_member_has_an_organization_as_default(person, organization):
    theirs = person.post(f"/api/user/organizations/{organization}/default").expect_problem(404).message
    nowhere = person.post("/api/user/organizations/nowhere/default").expect_problem(404).message
    assert theirs.replace(organization, "X") == nowhere.replace("nowhere", "X")
    assert default(person) == ""
