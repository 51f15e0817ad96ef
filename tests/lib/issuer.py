# SPDX-License-Identifier: Apache-2.0
"""An identity provider's keys and tokens, made with openssl: good ones, and ones that nobody should take."""

import base64
import hashlib
import hmac
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.parse
import uuid

from lib.server import CACHE

GRANT = "urn:ietf:params:oauth:grant-type:token-exchange"
ID_TOKEN = "urn:ietf:params:oauth:token-type:id_token"
ACCESS_TOKEN = "urn:pulumi:token-type:access_token:"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def openssl(*arguments, given=None):
    return subprocess.run(["openssl", *map(str, arguments)], input=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True).stdout


def rsa_keys():
    """Files of RSA keys, no two the same; kept for the next run, since each takes long to find."""
    folder = CACHE / "rsa-keys"
    folder.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(1):
        file = folder / f"{number}.pem"
        if not file.exists():
            with tempfile.TemporaryDirectory(dir=folder) as new:
                openssl("genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", f"{new}/key")
                os.replace(f"{new}/key", file)
        yield file


RSA_KEYS = rsa_keys()


class Key:
    """One key of one algorithm; no other of this process is the same."""

    def __init__(self, folder, algorithm="RS256", name="one"):
        self.algorithm, self.name, self.file = algorithm, name, folder / f"{algorithm}-{name}.pem"
        self.elliptic = algorithm.startswith("ES")
        if self.elliptic:
            curve = "prime256v1" if algorithm == "ES256" else "secp384r1"
            openssl("ecparam", "-name", curve, "-genkey", "-noout", "-out", self.file)
        else:
            shutil.copyfile(next(RSA_KEYS), self.file)

    @property
    def half(self):
        return 32 if self.algorithm == "ES256" else 48

    def jwk(self, **more):
        return {**self.numbers(), "kid": self.name, "use": "sig", "alg": self.algorithm, **more}

    def numbers(self):
        if self.elliptic:
            point = openssl("ec", "-in", self.file, "-pubout", "-outform", "DER")[-2 * self.half:]
            return {"kty": "EC", "crv": "P-256" if self.half == 32 else "P-384", "x": base64url(point[:self.half]), "y": base64url(point[self.half:])}
        modulus = openssl("rsa", "-in", self.file, "-noout", "-modulus").decode().strip().removeprefix("Modulus=")
        return {"kty": "RSA", "n": base64url(bytes.fromhex(modulus)), "e": "AQAB"}

    def signature(self, data):
        digest = f"-sha{self.algorithm[2:]}"
        more = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"] if self.algorithm.startswith("PS") else []
        signed = openssl("dgst", digest, *more, "-sign", self.file, given=data)
        return b"".join(n.to_bytes(self.half, "big") for n in two_numbers(signed)) if self.elliptic else signed


def two_numbers(der):
    """r and s of an ECDSA signature."""
    at, found = 2 if der[1] < 0x80 else 3, []
    for _ in range(2):
        length = der[at + 1]
        found.append(int.from_bytes(der[at + 2:at + 2 + length], "big"))
        at += 2 + length
    return found


class Issuer:
    """Who signs; `url` need not answer when its keys are registered."""

    def __init__(self, folder, organization, url=None, algorithm="RS256"):
        self.url = url or f"https://{uuid.uuid4().hex[:12]}.issuer.example"
        self.organization, self.key = organization, Key(folder, algorithm, uuid.uuid4().hex[:8])

    def jwks(self):
        return {"keys": [self.key.jwk()]}

    def claims(self, **more):
        """None leaves a claim out."""
        now = int(time.time())
        found = {"iss": self.url, "sub": "repo:acme/web:ref:refs/heads/main", "aud": f"urn:pulumi:org:{self.organization}", "iat": now, "nbf": now,
                 "exp": now + 600, "jti": uuid.uuid4().hex, **more}
        return {k: v for k, v in found.items() if v is not None}

    def token(self, key=None, header=None, **claims):
        return self.signed(json.dumps(self.claims(**claims)).encode(), key, header)

    def signed(self, payload, key=None, header=None):
        """Any bytes as claims; a header member that is None is left out."""
        key = key or self.key
        head = {k: v for k, v in {"alg": key.algorithm, "typ": "JWT", "kid": key.name, **(header or {})}.items() if v is not None}
        signed = f"{base64url(json.dumps(head).encode())}.{base64url(payload)}"
        return f"{signed}.{base64url(key.signature(signed.encode()))}"

    def confused(self):
        """Signed with HS256, the secret being what everybody knows."""
        public = openssl("pkey", "-in", self.key.file, "-pubout")
        signed = f"{base64url(json.dumps({'alg': 'HS256', 'kid': self.key.name}).encode())}.{base64url(json.dumps(self.claims()).encode())}"
        return f"{signed}.{base64url(hmac.new(public, signed.encode(), hashlib.sha256).digest())}"

    def unsigned(self, signature=""):
        return f"{base64url(json.dumps({'alg': 'none'}).encode())}.{base64url(json.dumps(self.claims()).encode())}.{signature}"


def allow(token_type="organization", rules=None, **more):
    return {"decision": "allow", "tokenType": token_type, "authorizedPermissions": [], "rules": rules or {"sub": "repo:acme/*"}, **more}


def register(client, issuer, *policies, **more):
    """Registers the issuer with its keys, and a policy of these definitions; (issuer, policy) as the API shows them."""
    path = f"/api/orgs/{issuer.organization}"
    made = client.post(f"{path}/oidc/issuers", {"name": f"issuer {uuid.uuid4().hex[:8]}", "url": issuer.url, "jwks": issuer.jwks(), **more}).expect(200).json()
    policy = client.get(f"{path}/auth/policies/oidcissuers/{made['id']}").expect(200).json()
    if policies:
        policy = client.patch(f"{path}/auth/policies/{policy['id']}", {"policies": list(policies)}).expect(200).json()
    return made, policy


def exchange(client, organization, token, kind="organization", scope="", form=True, **more):
    """The answer of POST /api/oauth/token. A parameter that is None is left out."""
    given = {"audience": f"urn:pulumi:org:{organization}", "grant_type": GRANT, "subject_token_type": ID_TOKEN, "subject_token": token,
             "requested_token_type": ACCESS_TOKEN + kind, "scope": scope, "expiration": 0, **more}
    given = {k: v for k, v in given.items() if v is not None}
    anybody = client.with_token(None)
    if not form:
        return anybody.post("/api/oauth/token", given)
    return anybody.post("/api/oauth/token", raw=urllib.parse.urlencode(given).encode(), headers={"Content-Type": "application/x-www-form-urlencoded"})
