# SPDX-License-Identifier: Apache-2.0
"""Azurite, the published stand-in for Azure Blob Storage, with shared keys over HTTP or with tokens over HTTPS."""

import base64
import datetime
import hashlib
import hmac
import http.client
import json
import os
import ssl
import subprocess
import time
import urllib.parse
import uuid

from lib.server import free_port, wait_for
from proxy import Reply

ACCOUNT = "pulumistate"
CONTAINER = "pulumi-checkpoints"
AUDIENCE = "https://storage.azure.com"


def token(seconds=3600):
    """A token with claims that Azurite takes; it does not look at the signature."""
    now = int(time.time())
    claims = {"aud": AUDIENCE, "iss": f"https://sts.windows-ppe.net/{uuid.uuid4()}/", "iat": now - 10, "nbf": now - 10,
              "exp": now + seconds, "oid": str(uuid.uuid4()), "tid": str(uuid.uuid4())}
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, claims)] + [b"unsigned"]
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


class Azurite:
    name, scheme = "azurite", "azblob"
    compares_digests = True

    def __init__(self, cache, folder, certificate=None):
        self.program, self.folder, self.port = cache / "azurite/node_modules/azurite/dist/src/blob/main.js", folder, free_port()
        self.key = base64.b64encode(os.urandom(64)).decode()
        self.good_key, self.certificate, self.process = self.key, certificate, None

    def start(self):
        more = ["--oauth", "basic", "--cert", self.certificate.file, "--key", self.certificate.key] if self.certificate else []
        (self.folder / "azurite").mkdir(exist_ok=True)
        log = open(self.folder / "azurite.log", "ab")
        self.process = subprocess.Popen(
            ["node", self.program, "--blobHost", "127.0.0.1", "--blobPort", str(self.port), "-l", self.folder / "azurite",
             "--disableTelemetry", *more], stdout=log, stderr=log, env={**os.environ, "AZURITE_ACCOUNTS": f"{ACCOUNT}:{self.key}"})
        wait_for(self.answers, 60, "Azurite did not start", self.process, self.folder / "azurite.log", every=0.2)
        self.make_container()

    def connection(self):
        if not self.certificate:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        context = ssl.create_default_context(cafile=self.certificate.ca)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=30, context=context)

    def answers(self):
        try:
            connection = self.connection()
            connection.request("GET", "/")
            return connection.getresponse().status > 0
        except OSError:
            return False

    def call(self, method, path, query):
        """A call without a body, signed by code of its own; query: encoded, in the order of its names."""
        date = datetime.datetime.now(datetime.timezone.utc).strftime("%a, %d %b %Y %H:%M:%S GMT")
        fields = "".join(f"\n{name}:{urllib.parse.unquote(value)}" for name, _, value in (q.partition("=") for q in query.split("&")))
        text = f"{method}{chr(10) * 12}x-ms-date:{date}\nx-ms-version:2021-12-02\n/{ACCOUNT}{path}{fields}"
        signature = base64.b64encode(hmac.digest(base64.b64decode(self.key), text.encode(), hashlib.sha256)).decode()
        connection = self.connection()
        connection.request(method, f"{path}?{query}", None, {
            "x-ms-date": date, "x-ms-version": "2021-12-02", "Authorization": f"SharedKey {ACCOUNT}:{signature}"})
        answer = connection.getresponse()
        return answer.status, answer.read()

    def make_container(self):
        status, text = self.call("PUT", f"/{ACCOUNT}/{CONTAINER}", "restype=container")
        assert status in (201, 409), text

    def change(self, key):
        self.stop()
        self.key = key
        self.start()

    def deny(self):
        """From now on the key is no key."""
        self.change(base64.b64encode(os.urandom(64)).decode())

    def allow(self):
        if self.key != self.good_key:
            self.change(self.good_key)

    def short_pages(self, request):
        """For the proxy: the same list, in pages of 400."""
        path, _, query = request.path.partition("?")
        if "comp=list" not in query or "maxresults" in query:
            return None
        return Reply(*self.call("GET", path, "&".join(sorted([*query.split("&"), "maxresults=400"]))))

    def where(self, port=None, bucket=CONTAINER):
        return (f"azblob://{bucket}?domain=127.0.0.1:{port or self.port}&protocol={'https' if self.certificate else 'http'}"
                f"&localemu=true&storage_account={ACCOUNT}")

    def credentials(self):
        return {"AZURE_STORAGE_KEY": self.key}

    def wrong_credentials(self):
        other = base64.b64encode(b"x" * 64).decode()
        return [({"AZURE_STORAGE_KEY": other}, "answer 403"),
                ({"AZURE_STORAGE_KEY": "not base64!"}, "AZURE_STORAGE_KEY is not a storage account's key"),
                ({"AZURE_POD_IDENTITY_AUTHORITY_HOST": f"http://127.0.0.1:{free_port()}"}, "/metadata/identity/oauth2/token")]

    @staticmethod
    def is_object_call(request):
        return request.path.startswith(f"/{ACCOUNT}/{CONTAINER}/")

    @staticmethod
    def is_last_call(request):
        return request.method == "PUT" and "comp=blocklist" in request.path

    @staticmethod
    def is_part_call(request):
        return request.method == "PUT" and "comp=block&" in request.path + "&"

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
