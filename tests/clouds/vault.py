# SPDX-License-Identifier: Apache-2.0
"""Azure Key Vault as tests use it: key_vault_server.py, started, told what to do, and the settings of a server that uses it."""

import json
import pathlib
import subprocess
import urllib.request

from lib.server import free_port, wait_for

HERE = pathlib.Path(__file__).resolve().parent
NAMES = "DNS:*.vault.localhost,DNS:login.localhost,DNS:localhost,IP:127.0.0.1"
TENANT = "11111111-2222-3333-4444-555555555555"
KEY = "pulumi-master"


class Vault:
    def __init__(self, cache, folder, certificate):
        self.python, self.folder, self.certificate = cache / "vault/bin/python", folder, certificate
        self.port, self.machine_port, self.process = free_port(), free_port(), None

    @property
    def url(self):
        return f"https://pulumi.vault.localhost:{self.port}"

    def start(self):
        log = open(self.folder / "vault.log", "ab")
        self.process = subprocess.Popen(
            [self.python, HERE / "key_vault_server.py", self.folder, str(self.port), self.certificate.file, self.certificate.key,
             str(self.machine_port)], stdout=log, stderr=log)
        wait_for(self.answers, 30, "the vault did not start", self.process, self.folder / "vault.log", every=0.1)

    def stop(self):
        self.process.terminate()
        self.process.wait(20)

    def answers(self):
        try:
            return self.tell("") == {}
        except OSError:
            return False

    def tell(self, what, method="POST", **body):
        request = urllib.request.Request(f"http://127.0.0.1:{self.machine_port}/stand-in{what}", json.dumps(body).encode(), method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.loads(answer.read())

    # --- what a test wants ---

    def good(self):
        """No misbehaviour from now on, and nothing seen."""
        self.tell("/good")
        self.tell("/seen", "DELETE")
        self.tell("/application", id="app", secret="s&cret", until=None,
                  may=["get", "list", "create", "update", "encrypt", "decrypt", "wrapKey", "unwrapKey"])

    def plan(self, **plans):
        self.tell("/plans", **plans)

    def seen(self):
        return self.tell("/seen")

    def create(self, name=KEY, **more):
        """A new version; its name."""
        return self.tell("/create", name=name, **{"kty": "RSA", **more})

    def update(self, name=KEY, **more):
        self.tell("/update", name=name, **more)

    def place(self, name=KEY, version=""):
        return f"{self.url}/keys/{name}{'/' if version else ''}{version}"

    def credentials(self):
        return {"SSL_CERT_FILE": str(self.certificate.ca), "AZURE_CLIENT_ID": "app", "AZURE_CLIENT_SECRET": "s&cret",
                "AZURE_TENANT_ID": TENANT, "AZURE_AUTHORITY_HOST": f"https://login.localhost:{self.port}/"}

    def machine(self):
        """The settings of a machine with an identity, instead of credentials."""
        return {"SSL_CERT_FILE": str(self.certificate.ca), "AZURE_POD_IDENTITY_AUTHORITY_HOST": f"http://127.0.0.1:{self.machine_port}"}

    def settings(self, name=KEY, version=""):
        return {"PULUMI_AZURE_KV_URI": self.url + "/", "PULUMI_AZURE_KV_KEY_NAME": name, "PULUMI_AZURE_KV_KEY_VERSION": version}
