# SPDX-License-Identifier: Apache-2.0
"""pulumi-admin user, org, token: what it makes is what the API knows."""

import re
import time

import pytest

from lib.client import Client


def audited(installation, event):
    return [row[0] for row in installation.database.sql(f"SELECT description FROM audit_events WHERE event = '{event}' ORDER BY id")]


def caller(installation, admin, login):
    return Client(installation.url, admin.run("token", "create", "--user", login, "--description", "test").strip())


@pytest.fixture
def user(admin, name):
    admin.run("user", "create", "--login", name, "--email", f"{name}@example.com")
    return name


def test_first_steps_of_an_installation(installation, admin, name):
    """What ./quickstart does."""
    organization = f"o{name}"
    admin.run("user", "create", "--login", name, "--email", f"{name}@example.com", "--name", "Ada Lovelace", "--site-admin", "--password-stdin",
              stdin="correct horse battery\n")
    admin.run("org", "create", "--login", organization, "--owner", name)
    token = admin.run("token", "create", "--user", name, "--description", "first")
    assert re.fullmatch(r"pul-[0-9a-f]{40}\n", token)
    me = Client(installation.url, token.strip()).get("/api/user").expect(200).json()
    assert (me["githubLogin"], me["name"], me["email"], me["siteAdmin"]) == (name, "Ada Lovelace", f"{name}@example.com", True)
    assert [o["githubLogin"] for o in me["organizations"]] == [name, organization]
    stored = installation.database.sql(f"SELECT password FROM users WHERE login = '{name}'")[0][0]
    assert stored.startswith("$argon2id$") and "correct" not in stored
    assert name in audited(installation, "admin_create_user")
    assert installation.database.sql(f"SELECT COUNT(*) FROM access_tokens WHERE token_sha256 = UNHEX(SHA2('{token.strip()}', 256))") == [["1"]]


def test_user_that_cannot_be(admin, user):
    assert "already" in admin.refused("user", "create", "--login", user.upper(), "--email", "other@example.com")
    assert "already" in admin.refused("user", "create", "--login", f"x{user}", "--email", f"{user}@example.com")
    assert "organization 'acme' already" in admin.refused("user", "create", "--login", "acme", "--email", f"a{user}@example.com")
    for login in ("a", "-abc", "abc-", "a" * 41, "ab/c", "äbc"):
        assert "--login" in admin.refused("user", "create", "--login", login, "--email", f"y{user}@example.com")
    assert "--email" in admin.refused("user", "create", "--login", f"x{user}", "--email", "nobody")
    assert "10 to 160" in admin.refused("user", "create", "--login", f"x{user}", "--email", f"x{user}@example.com", "--password-stdin",
                                        stdin="short\n")
    assert [u["login"] for u in admin.json("user", "list") if user in u["login"]] == [user]


def test_dry_run_changes_nothing(installation, admin, user, name):
    tables = ("users", "organizations", "organization_members", "access_tokens", "audit_events")
    before = [installation.database.checksum(t) for t in tables]
    admin.run("user", "create", "--login", f"x{name}", "--email", f"{name}x@example.com", "--dry-run")
    assert "already" in admin.refused("user", "create", "--login", user, "--email", "z@example.com", "--dry-run")
    admin.run("org", "create", "--login", f"o{name}", "--owner", user, "--dry-run")
    assert "pul-" not in admin.run("token", "create", "--user", user, "--description", "x", "--dry-run")
    admin.run("user", "admin", "--login", user, "--dry-run")
    admin.run("user", "delete", "--login", user, "--dry-run")
    assert before == [installation.database.checksum(t) for t in tables]


def test_password_and_site_admin(installation, admin, user):
    def stored():
        return installation.database.sql(f"SELECT COALESCE(password, 'none'), site_admin FROM users WHERE login = '{user}'")[0]

    assert stored() == ["none", "0"]
    admin.run("user", "password", "--login", user, "--password-stdin", stdin="a new password\r\n")
    first = stored()[0]
    assert first.startswith("$argon2id$")
    admin.run("user", "password", "--login", user, "--password-stdin", stdin="a new password")
    assert stored()[0] not in (first, "none")
    admin.run("user", "password", "--login", user, "--remove")
    assert stored()[0] == "none"
    assert "either" in admin.refused("user", "password", "--login", user)
    admin.run("user", "admin", "--login", user)
    assert stored()[1] == "1"
    admin.run("user", "admin", "--login", user, "--off")
    assert stored()[1] == "0"
    assert "no user" in admin.refused("user", "admin", "--login", "nobody-of-this-name")


def test_delete_user(installation, admin, user):
    client = caller(installation, admin, user)
    client.get("/api/user").expect(200)
    admin.run("user", "delete", "--login", user)
    client.get("/api/user").expect(401)
    assert not [u for u in admin.json("user", "list") if u["login"] == user]
    assert not [o for o in admin.json("org", "list") if o["login"] == user]
    admin.run("user", "create", "--login", user, "--email", f"{user}@example.com")


def test_user_that_is_needed_stays(installation, admin, user, name):
    admin.run("org", "create", "--login", f"o{name}", "--owner", user)
    assert f"only administrator of the organization o{name}" in admin.refused("user", "delete", "--login", user)
    admin.run("org", "add-member", "--organization", f"o{name}", "--user", "alice", "--role", "admin")
    caller(installation, admin, user).post(f"/api/stacks/{user}/project", {"stackName": "dev"}).expect(200)
    assert f"organization {user}, which goes with its user, has stacks" in admin.refused("user", "delete", "--login", user)
    assert [m["login"] for m in admin.json("org", "members", "--organization", f"o{name}")] == ["alice", user]


def test_members(installation, admin, user, name):
    organization = f"o{name}"
    client = caller(installation, admin, user)
    admin.run("org", "create", "--login", organization, "--owner", "alice", "--name", "Some People")
    client.get(f"/api/stacks/{organization}/p/s").expect(404)
    admin.run("org", "add-member", "--organization", organization, "--user", user)
    client.post(f"/api/stacks/{organization}/project", {"stackName": "dev"}).expect(200)
    assert {(m["login"], m["role"]) for m in admin.json("org", "members", "--organization", organization)} == {("alice", "admin"), (user, "member")}
    admin.run("org", "add-member", "--organization", organization, "--user", user, "--role", "admin")
    admin.run("org", "remove-member", "--organization", organization, "--user", "alice")
    for arguments in (("remove-member",), ("add-member", "--role", "member")):
        assert "only administrator" in admin.refused("org", *arguments, "--organization", organization, "--user", user)
    assert "not found" in admin.refused("org", "remove-member", "--organization", organization, "--user", "mallory")
    assert "always has that one member" in admin.refused("org", "remove-member", "--organization", user, "--user", user)
    assert "no role 'king'" in admin.refused("org", "add-member", "--organization", organization, "--user", "mallory", "--role", "king")
    assert "no organization" in admin.refused("org", "members", "--organization", "nowhere-at-all")
    assert "already" in admin.refused("org", "create", "--login", organization, "--owner", user)
    listed = {o["login"]: o for o in admin.json("org", "list")}[organization]
    assert (listed["name"], listed["members"], listed["stacks"]) == ("Some People", 1, 1)


def test_tokens(installation, admin, user):
    forever = caller(installation, admin, user)
    made = admin.json("token", "create", "--user", user, "--description", "for a month", "--days", 30)
    assert made["user"] == user and 29 * 86400 < made["expiresAt"] - time.time() <= 30 * 86400 + 5
    month = Client(installation.url, made["token"])
    month.get("/api/user").expect(200)
    listed = admin.json("token", "list", "--user", user)
    assert [t["description"] for t in listed] == ["test", "for a month"] and made["token"] not in str(listed)
    admin.run("token", "revoke", "--id", made["id"])
    month.get("/api/user").expect(401)
    forever.get("/api/user").expect(200)
    assert "no token" in admin.refused("token", "revoke", "--id", made["id"])
    assert "revoked 1 token" in admin.run("token", "revoke", "--all-of", user)
    forever.get("/api/user").expect(401)
    assert "either" in admin.refused("token", "revoke")
    assert "no user" in admin.refused("token", "create", "--user", "nobody-of-this-name", "--description", "x")


# --- usage ---

@pytest.mark.parametrize("arguments, says", [
    (["user", "create", "--login", "abc"], "--email is missing"),
    (["user", "create", "--login"], "--login needs a value"),
    (["user", "create", "--login="], "--login needs a value"),
    (["user", "create", "--nonsense"], "--nonsense is no option here"),
    (["user", "create", "stray"], "stray is no option here"),
    (["user", "create", "--site-admin=yes"], "--site-admin takes no value"),
    (["user", "list", "--dry-run"], "--dry-run is no option here"),
    (["user", "nonsense"], "'user nonsense' is no command"),
    (["nonsense"], "'nonsense' is no command"),
    ([], "usage: pulumi-admin"),
])
def test_wrong_usage(admin, arguments, says):
    assert says in admin.refused(*arguments, code=2)


def test_help_of_every_command(admin):
    said = admin.run("--help")
    names = re.findall(r"^  ((?:user|org|token|stack|key) [a-z-]+|[a-z]+)  ", said, re.M)
    assert len(names) >= 20
    for command in names:
        assert f"usage: pulumi-admin {command}" in admin.run(*command.split(), "--help")


@pytest.mark.parametrize("group", ["user", "org", "token", "stack", "key"])
def test_help_of_every_group(admin, group):
    """The same lines as in the whole list."""
    lines = [line for line in admin.run("--help").splitlines() if line.startswith(f"  {group} ")]
    assert len(lines) >= 3
    said = admin.run(group, "--help")
    assert said.startswith(f"usage: pulumi-admin {group} COMMAND")
    assert [line for line in said.splitlines() if line.startswith("  ")] == lines
    assert lines[0] in admin.refused(group, code=2)


def test_numbers_are_checked(admin, user):
    for days in ("0", "-1", "1.5", "many", "99999"):
        assert "--days" in admin.refused("token", "create", "--user", user, "--description", "x", "--days", days)
