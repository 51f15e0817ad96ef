# SPDX-License-Identifier: Apache-2.0
"""login, whoami, logout, org: who the command line thinks it is."""

import json

import pytest

UNSET = {"PULUMI_BACKEND_URL": None}


@pytest.mark.core
def test_login_keeps_the_credential(pulumi, tmp_path):
    """After login the home alone is enough."""
    said = pulumi.run("login", pulumi.server.url, cwd=tmp_path, **UNSET)
    assert f"as {pulumi.server.user}" in said.text

    credentials = json.loads((pulumi.home / ".pulumi" / "credentials.json").read_text())
    assert credentials["current"] == pulumi.server.url
    assert credentials["accounts"][pulumi.server.url]["username"] == pulumi.server.user

    said = pulumi.run("whoami", cwd=tmp_path, PULUMI_ACCESS_TOKEN=None, **UNSET)
    assert said.out.strip() == pulumi.server.user
    pulumi.run("logout", cwd=tmp_path, PULUMI_ACCESS_TOKEN=None, **UNSET)
    pulumi.run("whoami", cwd=tmp_path, fails=True, PULUMI_ACCESS_TOKEN=None, **UNSET)


def test_login_with_a_trailing_slash(pulumi, tmp_path):
    pulumi.run("login", pulumi.server.url + "/", cwd=tmp_path, **UNSET)
    assert pulumi.run("whoami", cwd=tmp_path, **UNSET).out.strip() == pulumi.server.user


@pytest.mark.core
def test_login_with_a_wrong_token(pulumi, tmp_path):
    said = pulumi.run("login", pulumi.server.url, cwd=tmp_path, fails=True,
                      PULUMI_ACCESS_TOKEN="pul-0000000000000000000000000000000000000000", **UNSET)
    assert "No credentials provided or are invalid" in said.text or "invalid access token" in said.text


@pytest.mark.core
def test_whoami_verbose(pulumi, tmp_path):
    told = pulumi.run("whoami", "--json", cwd=tmp_path).json()
    assert told["user"] == pulumi.server.user
    assert pulumi.server.organization in told["organizations"]

    said = pulumi.run("whoami", "-v", cwd=tmp_path)
    assert f"User: {pulumi.server.user}" in said.out
    assert pulumi.server.organization in said.out


def test_default_organization(pulumi, tmp_path):
    """get-default tells what a stack without an organization would get; set-default is kept at home."""
    pulumi.run("org", "get-default", cwd=tmp_path)
    pulumi.run("org", "set-default", pulumi.server.organization, cwd=tmp_path)
    assert pulumi.run("org", "get-default", cwd=tmp_path).out.strip() == pulumi.server.organization


def test_about(pulumi, project):
    told = project.run("about", "--json").json()
    assert told["backend"]["user"] == pulumi.server.user


@pytest.mark.since("3.259.0")
def test_api_command(pulumi, tmp_path):
    """Any operation by hand, with the credential of the login."""
    pulumi.run("login", pulumi.server.url, cwd=tmp_path, **UNSET)
    said = pulumi.run("api", "/api/user", cwd=tmp_path, **UNSET)
    assert said.json()["githubLogin"] == pulumi.server.user
