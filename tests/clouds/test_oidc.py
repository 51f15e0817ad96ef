# SPDX-License-Identifier: Apache-2.0
"""OIDC issuers whose keys are fetched: who is believed, when they are asked again, and where the server does not look."""

import time

import pytest

from certificate import Certificate
from conftest import BUILD, CACHE
from lib.client import Access
from lib.issuer import allow, exchange
from lib.server import Installation
from provider import WELL_KNOWN, MockServer, Provider, Tunnel, fingerprint
from test_stores import started


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    return {"known": Certificate(folder / "known", "IP:127.0.0.1,DNS:issuer.example"), "unknown": Certificate(folder / "unknown"),
            "renewed": Certificate(folder / "renewed")}


@pytest.fixture(scope="module")
def server(certificates):
    """127.0.0.1 is allowed, and nothing else that is private."""
    with Installation(BUILD, responders=2, environment={
            "SSL_CERT_FILE": str(certificates["known"].ca), "PULUMI_ALLOWED_PRIVATE_NETWORKS": "127.0.0.1",
            "PULUMI_CLI_LATEST_VERSION": "v3.300.1", "PULUMI_CLI_OLDEST_VERSION": "3.200.0"}) as made:
        yield made
    assert not made.problems()


@pytest.fixture
def client(server):
    return Access(server.access).client()


@pytest.fixture
def new_provider(tmp_path, certificates):
    made = []

    def make(certificate="known", **more):
        made.append(Provider(tmp_path, "acme", certificates[certificate], **more))
        return made[-1]

    yield make
    for provider in made:
        provider.close()


def register(client, url, **more):
    return client.post("/api/orgs/acme/oidc/issuers", {"name": url, "url": url, **more})


def trust(client, url, **more):
    """Registered, with a policy that allows everything."""
    made = register(client, url, **more).expect(200).json()
    policy = client.get(f"/api/orgs/acme/auth/policies/oidcissuers/{made['id']}").expect(200).json()
    client.patch(f"/api/orgs/acme/auth/policies/{policy['id']}", {"policies": [allow(rules={"sub": "*"})]}).expect(200)
    return made


def test_the_published_stand_in(client, certificates, tmp_path):
    provider = MockServer(CACHE / "clouds", tmp_path, certificates["known"])
    try:
        made = trust(client, provider.url)
        assert made["issuer"] == provider.url and made["thumbprints"] == [fingerprint(certificates["known"])]
        token = provider.token(aud="urn:pulumi:org:acme", sub="machine")
        told = exchange(client, "acme", token).expect(200).json()
        client.with_token(told["access_token"]).get("/api/user").expect(200)
        exchange(client, "acme", provider.token(sub="machine")).expect_problem(400)
    finally:
        provider.stop()


def test_keys_are_kept(client, new_provider):
    provider = new_provider()
    trust(client, provider.url)
    assert provider.seen == [WELL_KNOWN, "/keys"]
    for _ in range(3):
        exchange(client, "acme", provider.token()).expect(200)
    assert len(provider.seen) == 2


def test_an_unknown_key_is_looked_for_once_a_minute(client, server, new_provider, tmp_path):
    provider = new_provider()
    made = trust(client, provider.url)
    old, provider.key = provider.key, type(provider.key)(tmp_path, "RS256", "next")
    exchange(client, "acme", provider.token()).expect(200)
    assert len(provider.seen) == 4
    # The old one is gone, and nobody looks again so soon.
    for _ in range(3):
        assert "asked again after a minute" in exchange(client, "acme", provider.token(key=old)).expect_problem(400).message
    assert len(provider.seen) == 4
    server.database.sql(f"UPDATE oidc_issuers SET keys_tried_at = keys_tried_at - INTERVAL 61 SECOND WHERE id = '{made['id']}'")
    exchange(client, "acme", provider.token(key=old)).expect_problem(400)
    assert len(provider.seen) == 6


def test_keys_grow_old(client, server, new_provider):
    """After an hour they are fetched again; while that fails the old ones do for a day."""
    provider = new_provider()
    made = trust(client, provider.url)

    def age(hours):
        server.database.sql(f"UPDATE oidc_issuers SET keys_fetched_at = UTC_TIMESTAMP(6) - INTERVAL {hours} HOUR, keys_tried_at = NULL WHERE id = '{made['id']}'")

    age(1)
    exchange(client, "acme", provider.token()).expect(200)
    assert len(provider.seen) == 4
    provider.answers[WELL_KNOWN] = (503, {}, b"")
    age(23)
    exchange(client, "acme", provider.token()).expect(200)
    age(24)
    assert "answers 503" in exchange(client, "acme", provider.token()).expect_problem(400).message
    provider.answers.clear()
    assert "try again in a minute" in exchange(client, "acme", provider.token()).expect_problem(400).message
    age(24)
    exchange(client, "acme", provider.token()).expect(200)


class TestCertificates:
    def test_thumbprints_count_when_no_authority_does(self, client, new_provider, certificates):
        for digest in ("sha256", "sha1"):
            provider = new_provider("unknown")
            assert "certificate" in register(client, provider.url).expect_problem(400).message
            assert "certificate" in register(client, provider.url, thumbprints=["0" * 64, fingerprint(certificates["known"])]).expect_problem(400).message
            thumbprints = ["0" * 40, fingerprint(certificates["unknown"], digest).upper()]
            assert trust(client, provider.url, thumbprints=thumbprints)["thumbprints"] == thumbprints
            exchange(client, "acme", provider.token()).expect(200)

    def test_another_certificate(self, client, server, new_provider, certificates):
        """What is shown later must be trusted as well, until an administrator says that it is."""
        provider = new_provider("unknown")
        made = trust(client, provider.url, thumbprints=[fingerprint(certificates["unknown"])])
        provider.show(certificates["renewed"])
        server.database.sql(f"UPDATE oidc_issuers SET keys_fetched_at = UTC_TIMESTAMP(6) - INTERVAL 2 DAY WHERE id = '{made['id']}'")
        assert "certificate" in exchange(client, "acme", provider.token()).expect_problem(400).message
        path = f"/api/orgs/acme/oidc/issuers/{made['id']}/regenerate-thumbprints"
        assert client.post(path).expect(200).json()["thumbprints"] == [fingerprint(certificates["renewed"])]
        exchange(client, "acme", provider.token()).expect(200)
        provider.answers[WELL_KNOWN] = (500, {}, b"")
        assert "answers 500" in client.post(path).expect_problem(400).message

    def test_a_name_that_is_not_in_the_certificate(self, client, new_provider):
        provider = new_provider(name="localhost")
        assert "certificate" in register(client, provider.url).expect_problem(400).message


class TestAnswers:
    def refused(self, client, provider, *words):
        told = register(client, provider.url).expect_problem(400).message
        assert all(word in told for word in words), told

    @pytest.mark.parametrize("configuration, word", [
        ({}, "issuer"), ({"issuer": "URL"}, "jwks_uri"), ({"issuer": "https://evil.example", "jwks_uri": "URL/keys"}, "calls itself"),
        ({"issuer": "URL/more", "jwks_uri": "URL/keys"}, "calls itself"), ({"issuer": 5, "jwks_uri": "URL/keys"}, "issuer"), ([], "object"),
        ({"issuer": "URL", "jwks_uri": "http://127.0.0.1:1/keys"}, "not https"), ({"issuer": "URL", "jwks_uri": "file:///etc/passwd"}, "not https"),
        ({"issuer": "URL", "jwks_uri": "https://127.0.0.2:1/keys"}, "private network"), ({"issuer": "URL", "jwks_uri": "https://169.254.169.254/latest"}, "private network"),
        ({"issuer": "URL", "jwks_uri": "URL/nothing"}, "answers 404"), ({"issuer": "URL", "jwks_uri": "https://[::1]/"}, "private network")])
    def test_configurations(self, client, new_provider, configuration, word):
        provider = new_provider()
        status, headers, body = provider.json(configuration)
        provider.answers[WELL_KNOWN] = status, headers, body.replace(b"URL", provider.url.encode())
        self.refused(client, provider, word)

    @pytest.mark.parametrize("answer, word", [
        ((302, {"Location": "https://169.254.169.254/"}, b""), "answers 302"), ((301, {"Location": "/keys"}, b""), "answers 301"), ((200, {}, b""), "no use"),
        ((200, {}, b"<html>"), "no use"), ((200, {}, b" " * 300000), "too long"), ((200, {}, b'{"keys":[]}'), "no use"),
        ((200, {}, b'{"keys":[{"kty":"oct","k":"AAAA"}]}'), "no use"), ((200, {}, b"["), "no use"), ((500, {}, b"secret words of some other service"), "answers 500")])
    def test_keys(self, client, new_provider, answer, word):
        provider = new_provider()
        provider.answers["/keys"] = answer
        self.refused(client, provider, word)
        assert "secret words" not in register(client, provider.url).expect_problem(400).message

    def test_nobody_is_there(self, client, new_provider):
        provider = new_provider()
        provider.close()
        self.refused(client, provider, "cannot be reached")

    def test_no_answer(self, client, new_provider):
        """The server gives up, and the request with it."""
        provider = new_provider()
        provider.good = lambda path: time.sleep(15)
        self.refused(client, provider, "too slow")


class TestNetworks:
    def test_only_what_is_allowed(self, client, new_provider):
        provider = new_provider(address="127.0.0.2")
        assert "private network" in register(client, provider.url).expect_problem(400).message
        assert not provider.seen


def test_proxy(certificates, new_provider):
    """It may be on a private network itself; it is not a way to the addresses inside."""
    provider = new_provider(name="issuer.example")
    tunnel = Tunnel("127.0.0.2", provider.server.server_port)
    with Installation(BUILD, responders=1, environment={"SSL_CERT_FILE": str(certificates["known"].ca), "HTTPS_PROXY": tunnel.url}) as made:
        client = Access(made.access).client()
        trust(client, provider.url)
        exchange(client, "acme", provider.token()).expect(200)
        assert set(tunnel.asked) == {provider.url.removeprefix("https://")}
        assert "private network" in register(client, f"https://127.0.0.1:{provider.server.server_port}").expect_problem(400).message
        assert len(tunnel.asked) == 2
    tunnel.close()
    assert not made.problems()


class TestVersions:
    def test_what_is_set_is_told(self, client):
        told = client.get("/api/cli/version", headers={"User-Agent": "pulumi-cli/1 (v3.259.0; linux)"}).expect(200).json()
        assert told == {"latestVersion": "3.300.1", "oldestWithoutWarning": "3.200.0", "latestDevVersion": "3.300.1"}
        assert client.get("/api/cli/version", headers={"User-Agent": "curl"}).expect(200).json() == told


@pytest.mark.parametrize("name, value, words", [
    ("PULUMI_ALLOWED_PRIVATE_NETWORKS", "10.0.0.0/33", "'10.0.0.0/33' is no network"), ("PULUMI_ALLOWED_PRIVATE_NETWORKS", "all", "'all' is no network"),
    ("PULUMI_CLI_LATEST_VERSION", "newest", "'newest' is no version"), ("PULUMI_CLI_OLDEST_VERSION", "3.1", "'3.1' is no version"),
    ("PULUMI_CLI_LATEST_DEV_VERSION", "3.1.0-", "'3.1.0-' is no version")])
def test_a_bad_setting_stops_the_start(server, name, value, words):
    assert started(server.environment())[0] == 0
    code, said = started(server.environment(**{name: value}))
    assert code == 1 and name in said and words in said, said
