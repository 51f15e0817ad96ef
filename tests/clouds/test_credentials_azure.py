# SPDX-License-Identifier: Apache-2.0
"""How Azure is called without a storage key: as an application and as the machine, and that tokens are renewed."""

import json
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from azurite import Azurite, token
from certificate import Certificate
from commandline import CommandLine, Project, Server, things
from conftest import BUILD, SETTING, VERSION, Tool, start
from lib.server import Installation, free_port
from proxy import DROP, Proxy, Reply

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


def short(seconds, said):
    """A token that ends after so many seconds, and what is said about it."""
    return Reply(200, json.dumps({"access_token": token(seconds), "expires_in": said}).encode())


def test_a_token_that_ended_early(azurite, issuer):
    """The store says so: another is asked for, and the call is made again."""
    first = []
    issuer.before = lambda request: first.append(request) or short(-5 if len(first) == 1 else 3600, 3600)
    tool_of(azurite, application(issuer)).run("put", "credentials/early", data=b"x")
    assert len(first) == 2


@pytest.mark.slow
def test_up_while_tokens_end(azurite, issuer, tools, tmp_path):
    """The issuer fails two of three times, then it is away; a token ends before its time; no state is lost."""
    calls = []

    def trouble(request):
        calls.append(request)
        return Reply(503, b"{}") if len(calls) % 3 else short(3, 3)

    issuer.before = trouble
    settings = {SETTING: azurite.where(), "PULUMI_LOCAL_OBJECTS": "", "SSL_CERT_FILE": str(azurite.certificate.ca), **application(issuer)}
    with Installation(BUILD, responders=1, environment=settings) as one:
        project = Project(CommandLine(tools, VERSION, tmp_path / "home", Server(one.access)), tmp_path / "project")
        project.init()
        project.program(things(4))
        project.up()
        calls.clear()
        issuer.before = lambda request: DROP
        time.sleep(3.1)
        status, answer = project.call("GET", "/export")
        assert status == 503 and answer["message"].startswith("Service Unavailable: "), answer
        issuer.before = lambda request: calls.append(request) or short(2, 3600)
        assert len(project.resources()) == 4
        time.sleep(2.1)
        project.program(things(6, value="w"))
        project.up()
        assert len(calls) >= 2, "the token that had ended was used on"
        assert sorted(project.resources()) == [f"t{n}" for n in range(6)]
        one.stop()
        assert not one.problems()


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


def ask(azurite, url, method="GET", data=None, headers=()):
    """Status and bytes of a call that has nothing but its address."""
    context = ssl.create_default_context(cafile=azurite.certificate.ca)
    request = urllib.request.Request(url, data, {"Content-Type": "", **dict(headers)}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60, context=context) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read()


def test_addresses_that_an_identity_signs(azurite, issuer):
    """Without the account's key: Azure gives one for that."""
    tool = tool_of(azurite, application(issuer))
    url, *lines = tool.run("presign", "delegated/one", "PUT", 60).decode().splitlines()
    assert "&skoid=" in url and lines == ["x-ms-blob-type: BlockBlob"]
    assert ask(azurite, url, "PUT", b"sent", [line.split(": ", 1) for line in lines])[0] == 201
    assert tool.run("get", "delegated/one") == b"sent"
    [url] = tool.run("presign", "delegated/one", "GET", 60).decode().splitlines()
    assert ask(azurite, url) == (200, b"sent")
    tool.run("put", "delegated/two", data=b"two")
    assert ask(azurite, url.replace("delegated/one", "delegated/two"))[0] == 403
    assert ask(azurite, url, "PUT", b"x", [("x-ms-blob-type", "BlockBlob")])[0] == 403



def test_an_identity_that_may_not_sign(issuer):
    """No address of the store then: this server passes the bytes on. Any other refusal is told."""
    store = Proxy(free_port())
    answers = {"userdelegationkey": Reply(403, b"<Error><Code>AuthorizationPermissionMismatch</Code></Error>")}
    store.before = lambda request: next((reply for part, reply in answers.items() if part in request.path),
                                        Reply(200, b"<EnumerationResults><Blobs/></EnumerationResults>"))
    tool = Tool(f"azblob://packs?domain=127.0.0.1:{store.port}&protocol=http&localemu=true&storage_account=acme", application(issuer))
    try:
        tool.run("presign", "some/object", "GET", 60, code=1)
        [asked] = [r for r in store.seen if "userdelegationkey" in r.path]
        assert asked.method == "POST" and b"<KeyInfo><Start>20" in asked.body and asked.headers["Authorization"].startswith("Bearer ")
        answers["userdelegationkey"] = Reply(400, b"<Error/>")
        assert "gives no key to sign addresses with: answer 400" in tool.run("presign", "some/object", "GET", 60, code=2)
        answers["userdelegationkey"] = Reply(200, b"<UserDelegationKey><Value>?</Value></UserDelegationKey>")
        assert "that cannot be read" in tool.run("presign", "some/object", "GET", 60, code=2)
    finally:
        store.close()
