# SPDX-License-Identifier: Apache-2.0
"""login with the token of an identity provider instead of an access token."""

import json
import pathlib

import pytest

from commandline import thing
from lib.client import Client
from lib.issuer import Issuer, allow, exchange, register

pytestmark = [pytest.mark.newest, pytest.mark.since("3.259.0")]
LOGGED_OUT = {"PULUMI_BACKEND_URL": None, "PULUMI_ACCESS_TOKEN": None}


@pytest.fixture
def issuer(server, tmp_path):
    return Issuer(tmp_path, server.organization)


@pytest.fixture
def administrator(server):
    return Client(server.url, server.token)


def login(project, issuer, *more, fails=False, **claims):
    return project.run("login", project.cli.server.url, "--oidc-token", issuer.token(**claims), "--oidc-org", project.organization, *more, fails=fails,
                       **LOGGED_OUT)


def credentials_of(pulumi):
    return pathlib.Path(pulumi.home / ".pulumi" / "credentials.json")


def token_of(pulumi):
    return json.loads(credentials_of(pulumi).read_text())["accounts"][pulumi.server.url]["accessToken"]


def test_a_whole_life_with_an_organization_token(pulumi, project, issuer, administrator):
    register(administrator, issuer, allow())
    login(project, issuer)
    assert token_of(pulumi).startswith("pul-") and token_of(pulumi) != pulumi.server.token

    said = project.run("whoami", "-v", **LOGGED_OUT).out
    assert f"User: {project.organization}" in said and f"Token type: organization: {project.organization}" in said

    project.program({"a": thing("one"), "b": thing("two")}, {"out": "${a.value}"})
    project.init(**LOGGED_OUT)
    project.up(**LOGGED_OUT)
    project.run("config", "set", "--secret", "word", "hidden", "--stack", project.reference(), **LOGGED_OUT)
    assert project.run("config", "get", "word", "--stack", project.reference(), **LOGGED_OUT).out.strip() == "hidden"
    project.program({"a": thing("three")})
    project.up(**LOGGED_OUT)
    assert [u["result"] for u in json.loads(project.on("stack", "history", "--json", **LOGGED_OUT).out)] == ["succeeded"] * 2
    assert administrator.get(f"{project.path}/updates/1").expect(200).json()["requestedBy"]["githubLogin"] == project.organization
    assert [s["name"] for s in project.run("stack", "ls", "--json", **LOGGED_OUT).json()] == [project.stack]
    project.destroy(**LOGGED_OUT)
    project.on("stack", "rm", "--yes", **LOGGED_OUT)


def test_a_stack_without_an_owner_goes_to_the_organization(project, issuer, administrator):
    register(administrator, issuer, allow())
    login(project, issuer)
    project.run("stack", "init", "dev", **LOGGED_OUT)
    administrator.get(project.path).expect(200)


def test_personal_token(pulumi, project, issuer, administrator):
    register(administrator, issuer, allow("personal", userLogin=pulumi.server.user))
    login(project, issuer, "--oidc-user", pulumi.server.user)
    said = project.run("whoami", "-v", **LOGGED_OUT).out
    assert f"User: {pulumi.server.user}" in said and f"Organizations: {project.organization}" in said
    project.init(**LOGGED_OUT)


def test_the_command_line_refreshes(pulumi, project, issuer, administrator, server):
    """It does not keep the refresh token of an exchange; once it has one, an access token that is not good any more is replaced."""
    register(administrator, issuer, allow())
    login(project, issuer)
    kept = json.loads(credentials_of(pulumi).read_text())
    kept["accounts"][server.url]["refreshToken"] = exchange(administrator, server.organization, issuer.token()).expect(200).json()["refresh_token"]
    seen = {token_of(pulumi)}
    for _ in range(2):
        kept["accounts"][server.url]["accessToken"] = kept["accessTokens"][server.url] = "pul-" + "0" * 40
        credentials_of(pulumi).write_text(json.dumps(kept))
        project.run("stack", "ls", **LOGGED_OUT)
        kept = json.loads(credentials_of(pulumi).read_text())
        seen.add(token_of(pulumi))
    assert len(seen) == 3


def test_refusals_reach_the_terminal(project, issuer, administrator, server):
    _, policy = register(administrator, issuer)
    assert "policies of the OIDC issuer do not allow" in login(project, issuer, fails=True).text
    path = f"/api/orgs/{server.organization}/auth/policies/{policy['id']}"
    administrator.patch(path, {"policies": [allow()]}).expect(200)
    assert "no tokens of teams" in login(project, issuer, "--oidc-team", "web", fails=True).text
    login(project, issuer, "--oidc-expiration", "10m")
    assert "has expired" in login(project, issuer, fails=True, exp=1).text
