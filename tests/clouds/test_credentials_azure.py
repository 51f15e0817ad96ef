# SPDX-License-Identifier: Apache-2.0
"""How Azure is called without a storage key: as an application and as the machine, and that tokens are renewed."""

import json
import urllib.parse

import pytest

from azurite import Azurite, token
from certificate import Certificate
from conftest import Tool, start
from lib.server import free_port
from proxy import Proxy, Reply

TENANT = "11111111-2222-3333-4444-555555555555"


@pytest.fixture(scope="module")
def azurite(tmp_path_factory):
    folder = tmp_path_factory.mktemp("azurite-tls")
    made = start(Azurite, folder, certificate=Certificate(folder))
    yield made
    made.stop()


@pytest.fixture
def issuer():
    """Answers tokens; a test changes what."""
    made = Proxy(free_port())
    made.seconds = 3600
    made.before = lambda request: Reply(200, json.dumps({"access_token": token(), "expires_in": made.seconds}).encode())
    yield made
    made.close()


def tool_of(azurite, settings):
    return Tool(azurite.where(), {"SSL_CERT_FILE": str(azurite.certificate.ca), **settings})


def application(issuer):
    return {"AZURE_CLIENT_ID": "app", "AZURE_CLIENT_SECRET": "s&cret", "AZURE_TENANT_ID": TENANT,
            "AZURE_AUTHORITY_HOST": f"http://127.0.0.1:{issuer.port}/"}


def works(azurite, settings):
    tool = tool_of(azurite, settings)
    tool.run("put", "credentials/object", data=b"bytes")
    assert tool.run("get", "credentials/object") == b"bytes"


def test_client_secret(azurite, issuer):
    works(azurite, application(issuer))
    asked = issuer.seen[0]
    assert asked.path == f"/{TENANT}/oauth2/v2.0/token" and asked.method == "POST"
    assert urllib.parse.parse_qs(asked.body.decode()) == {
        "grant_type": ["client_credentials"], "client_id": ["app"], "client_secret": ["s&cret"],
        "scope": ["https://storage.azure.com/.default"]}


def test_federated_token(azurite, issuer, tmp_path):
    (tmp_path / "token").write_text("federated\n")
    settings = {**application(issuer), "AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "token")}
    del settings["AZURE_CLIENT_SECRET"]
    works(azurite, settings)
    assert urllib.parse.parse_qs(issuer.seen[0].body.decode())["client_assertion"] == ["federated"]


def test_managed_identity(azurite, issuer):
    works(azurite, {"AZURE_POD_IDENTITY_AUTHORITY_HOST": f"http://127.0.0.1:{issuer.port}", "AZURE_CLIENT_ID": "mine"})
    assert issuer.seen[0].headers["Metadata"] == "true"
    assert "resource=https%3A%2F%2Fstorage.azure.com&client_id=mine" in issuer.seen[0].path
    works(azurite, {"IDENTITY_ENDPOINT": f"http://127.0.0.1:{issuer.port}/msi", "IDENTITY_HEADER": "secret"})
    assert issuer.seen[-1].headers["X-IDENTITY-HEADER"] == "secret" and issuer.seen[-1].path.startswith("/msi?")


def test_a_token_is_used_again_and_renewed_early(azurite, issuer):
    tool_of(azurite, application(issuer)).run("wait-put", "credentials/kept", 0, 5)
    assert len(issuer.seen) == 1
    issuer.seconds = 302
    tool_of(azurite, application(issuer)).run("wait-put", "credentials/renewed", 1, 6)
    assert 4 <= len(issuer.seen) <= 7


def test_wrong_tokens(azurite, issuer):
    wrong = token(-5)
    issuer.before = lambda request: Reply(200, json.dumps({"access_token": wrong, "expires_in": 3600}).encode())
    said = tool_of(azurite, application(issuer)).run("list", "x", code=2)
    assert "answer 40" in said, said
    issuer.before = lambda request: Reply(401, b'{"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret\\r\\nTrace"}')
    said = tool_of(azurite, application(issuer)).run("list", "x", code=2)
    assert "Azure gives no token to AZURE_CLIENT_ID: answer 401: AADSTS7000215: Invalid client secret\n" in said, said


def test_the_certificate_is_verified(azurite, issuer):
    tool = Tool(azurite.where(), application(issuer))
    assert "certificate" in tool.run("list", "x", code=2)
