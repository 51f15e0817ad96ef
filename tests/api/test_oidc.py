# SPDX-License-Identifier: Apache-2.0
"""OIDC issuers and their policies, the exchange of their tokens, and what the tokens given out may do."""

import json
import time
import urllib.parse
import uuid

import pytest

from lib.client import Stack
from lib.issuer import ACCESS_TOKEN, GRANT, ID_TOKEN, Issuer, Key, allow, base64url, exchange, register

DENY = {"decision": "deny", "tokenType": "organization", "authorizedPermissions": [], "rules": {}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("issuers")


@pytest.fixture
def issuer(folder, organization):
    return Issuer(folder, organization)


@pytest.fixture
def issuers(organization):
    return f"/api/orgs/{organization}/oidc/issuers"


@pytest.fixture
def new_token(client, folder, organization):
    """A token of the organization, or of one of its members, as a client that calls with it."""
    def make(kind="organization", scope="", **more):
        signer = Issuer(folder, organization)
        name = {"userLogin": scope.removeprefix("user:")} if kind == "personal" else {"authorizedPermissions": ["admin"]}
        register(client, signer, allow(kind, **name))
        answer = exchange(client, organization, signer.token(), kind, scope, **more).expect(200).json()
        return client.with_token(answer["access_token"])
    return make


def refused(answer, error, *words):
    """An error of RFC 6749 §5.2 that is one of this server's as well."""
    told = answer.expect_problem(400).json()
    assert told["error"] == error, answer
    for word in words:
        assert word in told["error_description"], answer
    return told


def events(client, organization, event):
    return client.get(f"/api/orgs/{organization}/auditlogs?eventFilter={event}").expect(200).json()["auditLogEvents"]


class TestIssuers:
    def test_life(self, client, issuers, issuer, organization):
        body = {"name": "Ours", "url": issuer.url, "jwks": issuer.jwks(), "maxExpiration": 3600, "thumbprints": ["a" * 64]}
        made = client.post(issuers, body).expect(200).json()
        assert {k: made[k] for k in body} == body and made["issuer"] == issuer.url
        assert made["created"] == made["modified"] and "lastUsed" not in made
        assert client.get(f"{issuers}/{made['id']}").expect(200).json() == made
        assert made in client.get(issuers).expect(200).json()["oidcIssuers"]

        changed = client.patch(f"{issuers}/{made['id']}", {"name": "Renamed", "maxExpiration": 60}).expect(200).json()
        assert changed == {**made, "name": "Renamed", "maxExpiration": 60, "modified": changed["modified"]}
        changed = client.patch(f"{issuers}/{made['id']}", {"name": "Renamed", "thumbprints": []}).expect(200).json()
        assert changed["thumbprints"] == []

        client.delete(f"{issuers}/{made['id']}").expect(204)
        for call in (client.get, client.delete):
            call(f"{issuers}/{made['id']}").expect_problem(404)
        client.patch(f"{issuers}/{made['id']}", {"name": "x"}).expect_problem(404)
        client.post(f"{issuers}/{made['id']}/regenerate-thumbprints").expect_problem(404)
        client.get(f"/api/orgs/{organization}/auth/policies/oidcissuers/{made['id']}").expect_problem(404)
        for event in ("registered", "updated", "deleted"):
            assert events(client, organization, f"oidc-issuer-{event}"), event

    def test_without_optional_members(self, client, issuers, issuer):
        made = client.post(issuers, {"name": f"n {uuid.uuid4().hex}", "url": issuer.url, "jwks": issuer.jwks()}).expect(200).json()
        assert "maxExpiration" not in made and made["thumbprints"] == []

    def test_name_and_address_are_taken_once(self, client, folder, issuers, issuer, organization, stranger, access):
        made, _ = register(client, issuer)
        other = Issuer(folder, organization)
        for body in ({"name": made["name"], "url": other.url}, {"name": made["name"].upper(), "url": other.url}, {"name": "another", "url": issuer.url}):
            client.post(issuers, {**body, "jwks": issuer.jwks()}).expect_problem(409)
        second, _ = register(client, other)
        client.patch(f"{issuers}/{second['id']}", {"name": made["name"]}).expect_problem(409)
        # Another organization may trust the same one.
        issuer.organization = access.other["organization"]
        register(stranger, issuer)

    @pytest.mark.parametrize("change", [
        {"url": "http://issuer.example"}, {"url": "issuer.example"}, {"url": "https://"}, {"url": "https://a?b"}, {"url": "https://u:p@a"}, {"url": ""},
        {"name": ""}, {"name": "x" * 101}, {"name": "a\nb"}, {"thumbprints": ["abc"]}, {"thumbprints": ["a" * 64] * 21}, {"maxExpiration": -1},
        {"maxExpiration": 10 ** 12}, {"jwks": {"keys": []}}, {"jwks": {}}, {"jwks": {"keys": [{"kty": "oct", "k": "AAAA", "alg": "HS256"}]}}])
    def test_wrong_bodies(self, client, issuers, issuer, change):
        before = client.get(issuers).json()
        client.post(issuers, {"name": "Wrong", "url": issuer.url, "jwks": issuer.jwks(), **change}).expect_problem(400)
        assert client.get(issuers).json() == before

    def test_private_keys_are_refused(self, client, issuers, issuer):
        key = {**issuer.key.jwk(), "d": "AQAB"}
        answer = client.post(issuers, {"name": "Private", "url": issuer.url, "jwks": {"keys": [key]}}).expect_problem(400)
        assert "private" in answer.message

    def test_private_networks_are_refused(self, client, issuers):
        """Without registered keys the issuer is asked, wherever a name leads to."""
        for url in ("https://127.0.0.1", "https://localhost:1", "https://[::1]:8443", "https://169.254.169.254", "https://10.0.0.1", "https://0x7f.1",
                    "https://2130706433"):
            answer = client.post(issuers, {"name": "Inside", "url": url}).expect_problem(400)
            assert "private network" in answer.message, answer

    def test_thumbprints_of_registered_keys(self, client, issuers, issuer):
        made, _ = register(client, issuer)
        assert "statically configured" in client.post(f"{issuers}/{made['id']}/regenerate-thumbprints").expect_problem(400).message

    def test_members_may_not(self, client, issuers, issuer, organization, new_person):
        made, policy = register(client, issuer)
        person = new_person()
        client.post(f"/api/orgs/{organization}/members/{person['user']}", {"role": "member"}).expect(200)
        member = client.with_token(person["token"])
        member.get(issuers).expect_problem(403)
        member.get(f"{issuers}/{made['id']}").expect_problem(403)
        member.post(issuers, {"name": "x", "url": "https://x.example"}).expect_problem(403)
        member.delete(f"{issuers}/{made['id']}").expect_problem(403)
        member.get(f"/api/orgs/{organization}/auth/policies/oidcissuers/{made['id']}").expect_problem(403)
        member.patch(f"/api/orgs/{organization}/auth/policies/{policy['id']}", {"policies": [DENY]}).expect_problem(403)

    def test_of_another_organization(self, client, issuer, stranger, access):
        made, policy = register(client, issuer)
        theirs = f"/api/orgs/{access.other['organization']}"
        for call, path in ((stranger.get, f"oidc/issuers/{made['id']}"), (stranger.delete, f"oidc/issuers/{made['id']}"),
                           (stranger.get, f"auth/policies/oidcissuers/{made['id']}")):
            call(f"{theirs}/{path}").expect_problem(404)
        stranger.patch(f"{theirs}/auth/policies/{policy['id']}", {"policies": [DENY]}).expect_problem(404)
        stranger.patch(f"{theirs}/oidc/issuers/{made['id']}", {"name": "x"}).expect_problem(404)


class TestPolicies:
    def test_denies_at_first(self, client, issuer, organization):
        _, policy = register(client, issuer)
        assert policy["version"] == 1 and policy["policies"] == [DENY]
        refused(exchange(client, organization, issuer.token()), "invalid_request", "policies")

    def test_change(self, client, issuer, organization):
        _, policy = register(client, issuer)
        path = f"/api/orgs/{organization}/auth/policies"
        wanted = [allow(authorizedPermissions=["admin"], rules={'"kubernetes.io".namespace': "prod", "sub": "a*"}), allow("personal", userLogin="alice"), DENY]
        changed = client.patch(f"{path}/{policy['id']}", {"policies": wanted}).expect(200).json()
        assert changed["policies"] == wanted and changed["version"] == 2 and changed["created"] == policy["created"]
        assert client.get(f"{path}/oidcissuers/{issuer_of(client, organization, issuer)}").expect(200).json() == changed
        assert events(client, organization, "authorization-policy-updated")

    @pytest.mark.parametrize("policies", [
        [], {}, "x", [{}], [5], [{**DENY, "decision": "perhaps"}], [{**DENY, "tokenType": "org"}], [{**DENY, "decision": "allow"}], [allow("personal")],
        [allow("team")], [allow(roleID="owner")], [allow(rules={"a..b": "x"})], [allow(rules={"a": 5})], [allow(rules={"a": "x" * 1025})], [DENY] * 101])
    def test_wrong_policies(self, client, issuer, organization, policies):
        made, policy = register(client, issuer)
        client.patch(f"/api/orgs/{organization}/auth/policies/{policy['id']}", {"policies": policies}).expect_problem(400)
        assert client.get(f"/api/orgs/{organization}/auth/policies/oidcissuers/{made['id']}").json() == policy

    def test_deny_counts_before_allow(self, client, issuer, organization):
        register(client, issuer, allow(), {**DENY, "rules": {"actor": "mallory"}})
        exchange(client, organization, issuer.token()).expect(200)
        exchange(client, organization, issuer.token(actor="alice")).expect(200)
        refused(exchange(client, organization, issuer.token(actor="mallory")), "invalid_request", "policies")

    def test_rules_about_claims(self, client, issuer, organization):
        register(client, issuer, allow(rules={'"kubernetes.io".pod': "web-??", "groups": "deploy.rs", "n": "42"}))
        good = {"kubernetes.io": {"pod": "web-1"}, "groups": ["x", "deployers"], "n": 42}
        exchange(client, organization, issuer.token(**good)).expect(200)
        for change in ({"kubernetes.io": {"pod": "web-123"}}, {"groups": ["x"]}, {"n": 43}, {"n": None}, {"kubernetes.io": "web-1"}):
            refused(exchange(client, organization, issuer.token(**{**good, **change})), "invalid_request")

    def test_admin_needs_its_permission(self, client, issuer, organization):
        register(client, issuer, allow())
        exchange(client, organization, issuer.token()).expect(200)
        refused(exchange(client, organization, issuer.token(), scope="admin"), "invalid_request", "policies")


def issuer_of(client, organization, issuer):
    listed = client.get(f"/api/orgs/{organization}/oidc/issuers").expect(200).json()["oidcIssuers"]
    return next(i["id"] for i in listed if i["url"] == issuer.url)


class TestExchange:
    @pytest.mark.parametrize("algorithm", ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384"])
    def test_algorithms(self, client, folder, organization, algorithm):
        issuer = Issuer(folder, organization, algorithm=algorithm)
        register(client, issuer, allow())
        exchange(client, organization, issuer.token()).expect(200)

    @pytest.mark.parametrize("form", [True, False])
    def test_answer(self, client, issuer, organization, form):
        made, _ = register(client, issuer, allow(authorizedPermissions=["admin"]))
        answer = exchange(client, organization, issuer.token(), scope="admin", form=form).expect(200)
        told = answer.json()
        assert told.pop("access_token").startswith("pul-") and told.pop("refresh_token").startswith("pulr-")
        assert told == {"issued_token_type": ACCESS_TOKEN + "organization", "token_type": "token", "expires_in": 7200, "scope": "admin"}
        assert answer.headers["Cache-Control"] == "no-store" and not answer.headers.get("Content-Encoding")
        assert client.get(f"/api/orgs/{organization}/oidc/issuers/{made['id']}").json()["lastUsed"] >= made["created"]

    def test_lifetimes(self, client, folder, organization):
        for most, wanted, given in ((None, 0, 7200), (None, 60, 60), (None, 10 ** 9, 90000), (600, 0, 600), (600, 10, 10), (600, 601, 600), (180000, 0, 7200),
                                    (180000, 10 ** 9, 180000)):
            issuer = Issuer(folder, organization)
            register(client, issuer, allow(), **({"maxExpiration": most} if most else {}))
            for form in (True, False):
                assert exchange(client, organization, issuer.token(), expiration=wanted, form=form).expect(200).json()["expires_in"] == given

    def test_a_token_ends(self, new_token):
        token = new_token(expiration=2)
        token.get("/api/user").expect(200)
        time.sleep(2.1)
        token.get("/api/user").expect_problem(401)

    def test_deleting_the_issuer_revokes(self, client, issuer, organization):
        made, _ = register(client, issuer, allow())
        token = client.with_token(exchange(client, organization, issuer.token()).expect(200).json()["access_token"])
        token.get("/api/user").expect(200)
        client.delete(f"/api/orgs/{organization}/oidc/issuers/{made['id']}").expect(204)
        token.get("/api/user").expect_problem(401)
        refused(exchange(client, organization, issuer.token()), "invalid_request", "no OIDC issuer")

    @pytest.mark.parametrize("change, error", [
        ({"grant_type": None}, "invalid_request"), ({"grant_type": "password"}, "unsupported_grant_type"), ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "pulr-" + "0" * 40}, "invalid_grant"),
        ({"audience": None}, "invalid_target"), ({"audience": "acme"}, "invalid_target"), ({"audience": "urn:pulumi:org:"}, "invalid_target"),
        ({"audience": "urn:pulumi:org:a b"}, "invalid_target"), ({"subject_token_type": None}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:saml2"}, "invalid_request"), ({"subject_token": None}, "invalid_request"),
        ({"requested_token_type": None}, "invalid_request"), ({"requested_token_type": "x"}, "invalid_request"),
        ({"requested_token_type": ACCESS_TOKEN + "team", "scope": "team:web"}, "invalid_request"),
        ({"requested_token_type": ACCESS_TOKEN + "runner", "scope": "runner:a"}, "invalid_request"),
        ({"scope": "root"}, "invalid_scope"), ({"scope": "user:alice"}, "invalid_scope"), ({"requested_token_type": ACCESS_TOKEN + "personal"}, "invalid_scope"),
        ({"requested_token_type": ACCESS_TOKEN + "personal", "scope": "user:a b"}, "invalid_scope"),
        ({"expiration": -1}, "invalid_request"), ({"expiration": "soon"}, "invalid_request"), ({"expiration": 10 ** 25}, "invalid_request")])
    def test_wrong_parameters(self, client, issuer, organization, change, error):
        register(client, issuer, allow(authorizedPermissions=["admin"]))
        for form in (True, False):
            refused(exchange(client, organization, issuer.token(), form=form, **change), error)

    def test_broken_forms(self, anybody, client, issuer, organization):
        register(client, issuer, allow())
        good = urllib.parse.urlencode({"grant_type": GRANT, "audience": f"urn:pulumi:org:{organization}", "subject_token": issuer.token(),
                                       "subject_token_type": ID_TOKEN, "requested_token_type": ACCESS_TOKEN + "organization"})
        for raw in (good + "&scope=admin&scope=", good + "&grant_type=x", good + "&a=%zz", good + "&a=%00", good + "&a=\0", "&".join(f"a{i}=b" for i in range(70)),
                    "", "&&&", "=", good + "&a=" + "x" * 40000):
            answer = anybody.post("/api/oauth/token", raw=raw.encode(), headers={"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})
            assert answer.expect_problem(400).json()["error"] == "invalid_request"
        anybody.post("/api/oauth/token", raw=b"a=" + b"x" * (200 << 10), headers={"Content-Type": "application/x-www-form-urlencoded"}).expect_problem(413)
        anybody.post("/api/oauth/token", raw=good.encode(), headers={"Content-Type": "application/x-www-form-urlencoded"}).expect(200)

    def test_attacks(self, client, tmp_path, issuer, organization):
        """Each of them without a token given out, and none with the token repeated."""
        register(client, issuer, allow(rules={"sub": "*"}))
        foreign, now = Key(tmp_path, "RS256", issuer.key.name), int(time.time())
        good = issuer.token()
        head, claims, signature = good.split(".")
        attacks = {
            "not signed": issuer.unsigned(), "not signed, with a signature": issuer.unsigned(signature), "the signature cut off": f"{head}.{claims}.",
            "HS256 with the public key": issuer.confused(), "another's key under the same id": issuer.token(key=foreign), "another key id": issuer.token(header={"kid": "two"}),
            "its own key in the header": issuer.token(key=foreign, header={"jwk": foreign.jwk(), "jku": "https://evil.example/keys"}),
            "another algorithm's name": issuer.token(header={"alg": "RS512"}), "a critical extension": issuer.token(header={"crit": ["x"], "x": 1}),
            "other claims": f"{head}.{base64url(b'{}')}.{signature}", "expired": issuer.token(exp=now - 61), "without an end": issuer.token(exp=None),
            "not yet valid": issuer.token(nbf=now + 120), "from the future": issuer.token(iat=now + 120), "of another issuer": issuer.token(iss="https://evil.example"),
            "of the issuer with a slash": issuer.token(iss=issuer.url + "/"), "without an issuer": issuer.token(iss=None), "for another audience": issuer.token(aud="sts.amazonaws.com"),
            "for another organization": issuer.token(aud="urn:pulumi:org:elsewhere"), "for nobody": issuer.token(aud=None), "without a subject": issuer.token(sub=None),
            "a name twice": issuer.signed(b'{"iss":"x",' + issuer_claims(issuer)), "a name twice, escaped": issuer.signed(b'{"\\u0069ss":"x",' + issuer_claims(issuer)),
            "huge": issuer.token(x="y" * 40000), "no token": "x", "dots": "...", "five parts": "a.b.c.d.e", "garbage": "\u00e9\u0001"}
        for label, token in attacks.items():
            for form in (True, False):
                answer = exchange(client, organization, token, form=form)
                assert answer.status == 400 and answer.json()["error"] == "invalid_request" and "access_token" not in answer.json(), f"{label}: {answer}"
                assert len(token) < 8 or token.encode() not in answer.body, label
        exchange(client, organization, good).expect(200)

    def test_the_organization_must_trust_the_issuer(self, client, issuer, access, organization):
        register(client, issuer, allow())
        elsewhere = issuer.token(aud=f"urn:pulumi:org:{access.other['organization']}")
        told = {refused(exchange(client, name, elsewhere), "invalid_request")["error_description"].replace(name, "NAME")
                for name in (access.other["organization"], "no-such-organization")}
        assert len(told) == 1
        exchange(client, organization.upper(), issuer.token()).expect(200)

    @pytest.mark.parametrize("change, words", [({"sub": "somebody"}, ["somebody", "policy"]), ({"exp": 1}, ["repo:acme/web", "expired"])])
    def test_what_is_recorded(self, client, issuer, organization, change, words):
        made, _ = register(client, issuer, allow())
        exchange(client, organization, issuer.token()).expect(200)
        for _ in range(3):
            exchange(client, organization, issuer.token(**change)).expect(400)
        exchange(client, organization, issuer.confused()).expect(400)

        def mine(event):
            return [e for e in events(client, organization, event) if made["name"] in e["description"]]

        created = mine("organization-token-created-for-oidc-issuer")
        assert len(created) == 1 and "repo:acme/web" in created[0]["description"] and created[0]["tokenID"] and created[0]["tokenName"] == made["name"]
        failed = [e["description"] for e in mine("oidc-issuer-validation-failed")]
        assert len(failed) == 1 and all(word in failed[0] for word in words), failed


def issuer_claims(issuer):
    return json.dumps(issuer.claims()).encode()[1:]


def refresh(client, value, form=True):
    body = {"grant_type": "refresh_token", "refresh_token": value}
    anybody = client.with_token(None)
    if not form:
        return anybody.post("/api/oauth/token", body)
    return anybody.post("/api/oauth/token", raw=urllib.parse.urlencode(body).encode(), headers={"Content-Type": "application/x-www-form-urlencoded"})


def works(client, token):
    return client.with_token(token["access_token"]).get("/api/user").status == 200


class TestRefresh:
    """One use each; a second one revokes all that came out of the exchange."""

    @pytest.fixture
    def first(self, client, issuer, organization):
        register(client, issuer, allow(authorizedPermissions=["admin"]))
        return exchange(client, organization, issuer.token(), scope="admin").expect(200).json()

    @pytest.mark.parametrize("form", [True, False])
    def test_gives_the_next_pair(self, client, first, form):
        answer = refresh(client, first["refresh_token"], form).expect(200)
        second = answer.json()
        assert {k: v for k, v in second.items() if "_token" not in k or k == "issued_token_type"} == {
            "issued_token_type": ACCESS_TOKEN + "organization", "token_type": "token", "expires_in": 7200, "scope": "admin"}
        assert answer.headers["Cache-Control"] == "no-store"
        assert second["access_token"] != first["access_token"] and second["refresh_token"] != first["refresh_token"]
        assert works(client, first) and works(client, second)
        told = client.with_token(second["access_token"]).get("/api/user").json()
        assert told["organizations"][0]["role"] == "admin" and told["tokenInfo"]["organization"]
        third = refresh(client, second["refresh_token"]).expect(200).json()
        assert works(client, third)

    def test_it_is_no_access_token(self, client, first):
        client.with_token(first["refresh_token"]).get("/api/user").expect_problem(401)
        refused(refresh(client, first["access_token"]), "invalid_grant")

    def test_a_lost_answer(self, client, first):
        """The client never saw the second pair, and asks again."""
        second = refresh(client, first["refresh_token"]).expect(200).json()
        again = refresh(client, first["refresh_token"]).expect(200).json()
        assert works(client, again) and not works(client, second)
        refused(refresh(client, second["refresh_token"]), "invalid_grant")
        assert works(client, refresh(client, again["refresh_token"]).expect(200).json())

    def test_a_second_use_revokes_the_family(self, client, first, organization, issuer):
        second = refresh(client, first["refresh_token"]).expect(200).json()
        third = refresh(client, second["refresh_token"]).expect(200).json()
        refused(refresh(client, first["refresh_token"]), "invalid_grant", "used before")
        assert not any(works(client, token) for token in (first, second, third))
        for token in (first, second, third):
            refused(refresh(client, token["refresh_token"]), "invalid_grant", "unknown")
        assert any("used twice" in e["description"] for e in events(client, organization, "oidc-issuer-validation-failed"))
        # What another exchange gave is not concerned.
        assert works(client, exchange(client, organization, issuer.token()).expect(200).json())

    def test_who_wants_less_time_gets_none(self, client, first, issuer, organization):
        for wanted, given in ((60, False), (7199, False), (7200, True), (10000, True)):
            assert ("refresh_token" in exchange(client, organization, issuer.token(), expiration=wanted).expect(200).json()) == given

    def test_the_family_ends(self, client, folder, organization):
        """When the longest time of the issuer has passed since the exchange, whatever was refreshed meanwhile."""
        issuer = Issuer(folder, organization)
        register(client, issuer, allow(), maxExpiration=7203)
        first = exchange(client, organization, issuer.token()).expect(200).json()
        time.sleep(1.1)
        second = refresh(client, first["refresh_token"]).expect(200).json()
        assert second["expires_in"] == 7200
        time.sleep(3)
        assert refresh(client, second["refresh_token"]).expect(200).json()["expires_in"] < 7200
        issuer = Issuer(folder, organization)
        register(client, issuer, allow(), maxExpiration=600)
        assert "refresh_token" not in exchange(client, organization, issuer.token()).expect(200).json()

    def test_deleting_the_issuer_revokes(self, client, first, issuer, organization):
        client.delete(f"/api/orgs/{organization}/oidc/issuers/{issuer_of(client, organization, issuer)}").expect(204)
        refused(refresh(client, first["refresh_token"]), "invalid_grant")
        assert not works(client, first)

    def test_revoking_the_access_token(self, client, issuer, organization, access):
        register(client, issuer, allow("personal", userLogin=access.user))
        first = exchange(client, organization, issuer.token(), "personal", f"user:{access.user}").expect(200).json()
        newest = client.get("/api/user/tokens").expect(200).json()["tokens"][0]
        client.delete(f"/api/user/tokens/{newest['id']}").expect(204)
        assert not works(client, first)
        refused(refresh(client, first["refresh_token"]), "invalid_grant")

    def test_who_has_left(self, client, issuer, organization, new_person):
        person = new_person()
        register(client, issuer, allow("personal", userLogin=person["user"]))
        client.post(f"/api/orgs/{organization}/members/{person['user']}", {"role": "member"}).expect(200)
        first = exchange(client, organization, issuer.token(), "personal", f"user:{person['user']}").expect(200).json()
        second = refresh(client, first["refresh_token"]).expect(200).json()
        assert second["scope"] == f"user:{person['user']}" and second["issued_token_type"] == ACCESS_TOKEN + "personal"
        assert client.with_token(second["access_token"]).get("/api/user").expect(200).json()["githubLogin"] == person["user"]
        client.delete(f"/api/orgs/{organization}/members/{person['user']}").expect(204)
        refused(refresh(client, second["refresh_token"]), "invalid_grant")


class TestOrganizationTokens:
    """A token that speaks for the organization: there is no user behind it."""

    def test_who_it_is(self, new_token, organization):
        token = new_token()
        told = token.get("/api/user").expect(200).json()
        assert told["githubLogin"] == organization and told["email"] == "" and told["id"] and not told["siteAdmin"]
        assert told["tokenInfo"]["organization"] == organization and told["tokenInfo"]["name"].startswith("issuer ") and told["tokenInfo"]["team"] == ""
        assert [(o["githubLogin"], o["role"]) for o in told["organizations"]] == [(organization, "member")]
        assert token.get("/api/user/organizations/default").expect(200).json()["gitHubLogin"] == organization

    def test_personal_tokens_have_no_token_info(self, client):
        assert "tokenInfo" not in client.get("/api/user").expect(200).json()

    def test_stacks(self, client, new_token, organization):
        token = new_token()
        stack = Stack(token, organization).create()
        update = stack.begin(journal=1)
        assert stack.get()["currentOperation"]["author"] == organization
        # Who comes second is told who is at work.
        assert organization in Stack(client, organization, stack.project).announce().start().expect_problem(409).message
        update.complete().expect()
        assert token.get(f"{stack.path}/updates/latest/previews").status == 200
        assert token.get(f"{stack.path}/updates/1").expect(200).json()["requestedBy"]["githubLogin"] == organization
        assert stack.project in [s["projectName"] for s in token.get(f"/api/user/stacks?project={stack.project}").expect(200).json()["stacks"]]
        token.post(f"{stack.path}/rename", {"newName": "other"}).expect(200)
        client.delete(f"/api/stacks/{organization}/{stack.project}/other?force=true").expect(204)
        created = [e for e in events(client, organization, "stack-created") if stack.project in e["description"]]
        assert len(created) == 1 and created[0]["user"]["githubLogin"] == "" and created[0]["tokenID"]

    def test_what_is_a_users_is_refused(self, new_token, organization, client):
        token = new_token(scope="admin")
        for call, path, body in ((token.get, "/api/user/tokens", None), (token.post, "/api/user/tokens", {"description": "x"}),
                                 (token.delete, f"/api/user/tokens/{uuid.uuid4()}", None), (token.post, "/api/console/actions/new-organization", {"orgName": "mine"}),
                                 (token.post, f"/api/user/organizations/{organization}/default", None), (token.get, "/api/admin/health", None),
                                 (token.get, "/api/user/verified-email", None), (token.get, "/api/user/pending-emails", None),
                                 (token.get, "/api/user/pending-invites", None), (token.post, "/api/console/email/verification", None),
                                 (token.patch, f"/api/orgs/{organization}/invites/x", None)):
            answer = call(path, body) if body else call(path)
            answer.expect_problem(403)

    def test_invites(self, new_token, organization, new_person, client):
        """An organization can invite by itself, and join nothing."""
        token, person = new_token(scope="admin"), new_person()
        made = token.post(f"/api/orgs/{organization}/invites/link", {"role": "member"}).expect(200).json()
        assert token.get(f"/api/orgs/{organization}/invites").expect(200).json()["invites"]
        path = next(v for v in made.values() if isinstance(v, str) and "/" in v).partition("/orgs/")[2]
        token.patch(f"/api/orgs/{path}").expect_problem(403)
        client.with_token(person["token"]).patch(f"/api/orgs/{path}").expect()

    def test_other_organizations_do_not_exist(self, new_token, access, client, new_person, organization):
        token = new_token(scope="admin")
        for name in (access.other["organization"], access.user, "no-such-organization"):
            token.get(f"/api/orgs/{name}/members").expect_problem(404)
            token.post(f"/api/stacks/{name}/p", {"stackName": "s"}).expect_problem(404)
        stack = Stack(token, organization).create()
        token.post(f"{stack.path}/transfer", {"toOrg": access.user}).expect_problem(404)
        stack.cleanup()

    def test_roles(self, new_token, organization, new_person, client):
        person = new_person()
        member, admin = new_token(), new_token(scope="admin")
        assert [o["role"] for o in admin.get("/api/user").json()["organizations"]] == ["admin"]
        member.get(f"/api/orgs/{organization}/members").expect(200)
        member.post(f"/api/orgs/{organization}/members/{person['user']}", {"role": "member"}).expect_problem(403)
        member.get(f"/api/orgs/{organization}/oidc/issuers").expect_problem(403)
        admin.post(f"/api/orgs/{organization}/members/{person['user']}", {"role": "member"}).expect(200)
        admin.delete(f"/api/orgs/{organization}/members/{person['user']}").expect(204)
        admin.get(f"/api/orgs/{organization}/auditlogs").expect(200)
        admin.get(f"/api/orgs/{organization}/auditlogs/export?format=csv").expect(200)


class TestPersonalTokens:
    """A token that speaks for a member, and reaches the organization that decided about it only."""

    def test_who_it_is(self, new_token, access, organization):
        token = new_token("personal", f"user:{access.user}")
        told = token.get("/api/user").expect(200).json()
        assert told["githubLogin"] == access.user and "tokenInfo" not in told
        assert [o["githubLogin"] for o in told["organizations"]] == [organization]
        assert token.get("/api/user/organizations/default").json()["gitHubLogin"] == organization

    def test_reaches_one_organization(self, new_token, access, client, organization):
        """The first user administers the installation and has an organization of its own; neither with this token."""
        token = new_token("personal", f"user:{access.user}")
        stack = Stack(token, organization).create()
        stack.cleanup()
        client.get(f"/api/orgs/{access.user}/members").expect(200)
        token.get(f"/api/orgs/{access.user}/members").expect_problem(404)
        assert not token.get("/api/user").json()["siteAdmin"]
        for path in ("/api/admin/health", "/api/user/tokens"):
            token.get(path).expect_problem(403)
        token.post("/api/user/tokens", {"description": "a way out"}).expect_problem(403)
        token.post("/api/console/actions/new-organization", {"orgName": "mine"}).expect_problem(403)

    def test_the_user_sees_and_revokes_it(self, new_token, client, access):
        token = new_token("personal", f"user:{access.user}")
        listed = client.get("/api/user/tokens").expect(200).json()["tokens"]
        mine = [t for t in listed if "OIDC subject repo:acme/web" in t["description"]]
        client.delete(f"/api/user/tokens/{mine[0]['id']}").expect(204)
        token.get("/api/user").expect_problem(401)

    def test_only_members(self, client, issuer, organization, new_person):
        person = new_person()
        register(client, issuer, allow("personal", userLogin=person["user"]))
        refused(exchange(client, organization, issuer.token(), "personal", f"user:{person['user']}"), "invalid_scope", "member")
        refused(exchange(client, organization, issuer.token(), "personal", "user:nobody-at-all"), "invalid_request", "policies")
        client.post(f"/api/orgs/{organization}/members/{person['user']}", {"role": "member"}).expect(200)
        answer = exchange(client, organization, issuer.token(), "personal", f"user:{person['user']}").expect(200).json()
        token = client.with_token(answer["access_token"])
        token.get(f"/api/orgs/{organization}/members").expect(200)
        client.delete(f"/api/orgs/{organization}/members/{person['user']}").expect(204)
        token.get(f"/api/orgs/{organization}/members").expect_problem(404)
        assert token.get("/api/user").expect(200).json()["organizations"] == []
        assert token.get("/api/user/stacks").expect(200).json()["stacks"] == []
        assert not token.get("/api/user/organizations/default").expect(200).json()["gitHubLogin"]


class TestVersion:
    def test_nothing_newer_is_known(self, anybody):
        """Without settings the answer is what the client has, whatever that is."""
        for version in ("3.259.0", "3.190.0", "3.260.0-alpha.1"):
            told = anybody.get("/api/cli/version", headers={"User-Agent": f"pulumi-cli/1 (v{version}; linux)"}).expect(200).json()
            assert told == {"latestVersion": version, "oldestWithoutWarning": version, "latestDevVersion": version}

    @pytest.mark.parametrize("agent", [None, "curl/8", "pulumi-cli/1 (vx; linux)", "pulumi-cli/1 (v3.1.0\"; linux)", "pulumi-cli/1 ("])
    def test_who_does_not_say(self, anybody, agent):
        anybody.get("/api/cli/version", headers={"User-Agent": agent}).expect_problem(400)
