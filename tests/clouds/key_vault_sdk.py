# SPDX-License-Identifier: Apache-2.0
"""The official SDK against the stand-in: what the vendor's own client understands is as the vendor's service answers it.

    key_vault_sdk.py VAULT_URL AUTHORITY TENANT CA       (run by the Python that has azure-keyvault-keys)
"""

import json
import socket
import ssl
import sys
import time
import urllib.parse
import urllib.request

from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from azure.keyvault.keys import KeyClient
from azure.keyvault.keys.crypto import CryptographyClient, EncryptionAlgorithm, KeyWrapAlgorithm

url, authority, tenant, ca = sys.argv[1:]
look_up = socket.getaddrinfo
socket.getaddrinfo = lambda host, *more, **named: look_up("127.0.0.1" if host.endswith(".localhost") else host, *more, **named)


class Credential:
    """A client secret, as azure-identity sends it."""

    def get_token(self, *scopes, **_):
        form = {"grant_type": "client_credentials", "client_id": "app", "client_secret": "s&cret", "scope": scopes[0]}
        request = urllib.request.Request(f"{authority.rstrip('/')}/{tenant}/oauth2/v2.0/token", urllib.parse.urlencode(form).encode())
        with urllib.request.urlopen(request, timeout=30, context=ssl.create_default_context(cafile=ca)) as answer:
            return AccessToken(json.loads(answer.read())["access_token"], int(time.time()) + 3600)


def refused(kind, code, call, *arguments, **named):
    try:
        call(*arguments, **named)
    except kind as refusal:
        assert code in str(refusal), refusal
        return
    raise AssertionError(f"{call} was not refused")


keys = KeyClient(url, Credential(), connection_verify=ca, retry_total=0)
made = keys.create_rsa_key("sdk", size=2048)
assert made.name == "sdk" and made.key_type == "RSA" and made.properties.enabled and "encrypt" in made.key_operations
assert keys.get_key("sdk", made.properties.version).key.n == made.key.n
client = CryptographyClient(made, Credential(), connection_verify=ca, retry_total=0)
remote = CryptographyClient(made.id, Credential(), connection_verify=ca, retry_total=0)
here = client.encrypt(EncryptionAlgorithm.rsa_oaep_256, b"encrypted by the SDK itself")
assert remote.decrypt(EncryptionAlgorithm.rsa_oaep_256, here.ciphertext).plaintext == b"encrypted by the SDK itself"
wrapped = client.wrap_key(KeyWrapAlgorithm.rsa_oaep_256, b"k" * 32)
assert client.unwrap_key(KeyWrapAlgorithm.rsa_oaep_256, wrapped.encrypted_key).key == b"k" * 32
refused(HttpResponseError, "BadParameter", client.decrypt, EncryptionAlgorithm.rsa_oaep_256, b"x" * 256)
for _ in range(29):
    keys.create_key("sdk", "EC")
assert len(list(keys.list_properties_of_key_versions("sdk"))) == 30
keys.update_key_properties("sdk", made.properties.version, enabled=False)
refused(HttpResponseError, "disabled", client.decrypt, EncryptionAlgorithm.rsa_oaep_256, here.ciphertext)
refused(ResourceNotFoundError, "KeyNotFound", keys.get_key, "none")
refused(ClientAuthenticationError, "AKV10022", KeyClient(url, type("Wrong", (Credential,), {
    "get_token": lambda self, *_, **__: Credential.get_token(self, "https://other.localhost/.default")})(), connection_verify=ca,
    retry_total=0).get_key, "sdk")
print("good")
