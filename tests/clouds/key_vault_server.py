# SPDX-License-Identifier: Apache-2.0
"""A stand-in for Azure Key Vault, for want of a published one: keys after the REST reference, version 7.4, with real RSA.

    key_vault_server.py FOLDER PORT CERTIFICATE KEY MACHINE_PORT

HTTPS on PORT is the vault https://NAME.vault.localhost:PORT and the authority https://login.localhost:PORT; HTTP on
MACHINE_PORT is the machine's identity service, and /stand-in, by which a test says what shall go wrong and reads what was
asked. Keys are kept in FOLDER. It is run by the Python that has `cryptography`; what that does not need is in vault.py.
"""

import base64
import binascii
import hmac
import http.server
import json
import pathlib
import secrets
import ssl
import sys
import threading
import time
import urllib.parse

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

TENANT = "11111111-2222-3333-4444-555555555555"
VERSIONS = ("7.0", "7.1", "7.2", "7.3", "7.4", "7.5", "7.6", "2025-07-01")
EVERYTHING = ["get", "list", "create", "update", "encrypt", "decrypt", "wrapKey", "unwrapKey", "sign", "verify"]
OPERATIONS = {"encrypt": "encrypt", "decrypt": "decrypt", "wrapkey": "wrapKey", "unwrapkey": "unwrapKey"}
OAEP256 = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
OAEP = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)
PADDINGS = {"RSA-OAEP-256": OAEP256, "RSA-OAEP": OAEP, "RSA1_5": padding.PKCS1v15()}
CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1()}
NEW_PLANS = {"fail": [], "delay": 0, "token_fail": [], "token_seconds": 3600, "resource": None, "challenge": True,
             "encryptions": None}


def text_of(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def bytes_of(text):
    if not isinstance(text, str) or any(c in text for c in "+/="):
        raise ValueError("no base64url")
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)


def number_of(value):
    return text_of(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Refusal(Exception):
    def __init__(self, status, code, message, inner=None, headers=()):
        super().__init__(message)
        self.status, self.headers = status, list(headers)
        self.body = {"error": {"code": code, "message": message, **({"innererror": {"code": inner}} if inner else {})}}


class Tokens:
    """JSON web tokens of this authority; only it can make and check them."""

    def __init__(self):
        self.secret = secrets.token_bytes(32)

    def mac(self, text):
        return text_of(hmac.digest(self.secret, text.encode(), "sha256"))

    def make(self, application, audience, seconds):
        now = int(time.time())
        claims = {"aud": audience, "appid": application, "tid": TENANT, "iat": now, "nbf": now, "exp": now + seconds}
        text = ".".join(text_of(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT"}, claims))
        return f"{text}.{self.mac(text)}"

    def application(self, token, audience):
        """Who asks. A refusal says what is wrong with the token."""
        text, _, mac = token.rpartition(".")
        if not secrets.compare_digest(self.mac(text), mac):
            raise Refusal(401, "Unauthorized", "AKV10032: Invalid issuer or signature of the token.")
        claims = json.loads(bytes_of(text.split(".")[1]))
        if claims["aud"] != audience:
            raise Refusal(401, "Unauthorized", f"AKV10022: Invalid audience. Expected {audience}, found: {claims['aud']}.")
        if claims["exp"] <= time.time():
            raise Refusal(401, "Unauthorized", "AKV10046: The token has expired.")
        return claims["appid"]


class Keys:
    """What the vault has, in a file, so that it is there after a restart."""

    def __init__(self, folder):
        self.file, self.lock = folder / "keys.json", threading.Lock()
        self.keys = json.loads(self.file.read_text()) if self.file.exists() else {}
        self.opened = {}

    def save(self):
        self.file.write_text(json.dumps(self.keys))

    def create(self, name, body):
        kind = body.get("kty", "")
        if kind in ("RSA", "RSA-HSM"):
            private = rsa.generate_private_key(65537, body.get("key_size", 2048))
        elif kind in ("EC", "EC-HSM"):
            private = ec.generate_private_key(CURVES[body.get("crv", "P-256")])
        else:
            raise Refusal(400, "BadParameter", "Property kty has an invalid value.")
        pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
        default = [o for o in EVERYTHING[4:] if kind.startswith("RSA") or o in ("sign", "verify")]
        now = int(time.time())
        version = {"version": secrets.token_hex(16), "kty": kind, "pem": pem, "key_ops": body.get("key_ops") or default,
                   "attributes": {"enabled": True, "created": now, "updated": now, "recoveryLevel": "Recoverable+Purgeable",
                                  **(body.get("attributes") or {})}}
        with self.lock:
            self.keys.setdefault(name.lower(), []).append(version)
            self.save()
        return version

    def find(self, name, version=""):
        found = [v for v in self.keys.get(name.lower(), []) if version in ("", v["version"])]
        if not found:
            raise Refusal(404, "KeyNotFound", f"A key with (name/id) {name}{'/' if version else ''}{version} was not found in this key vault.")
        return found[-1]

    def private(self, version):
        if version["version"] not in self.opened:
            self.opened[version["version"]] = serialization.load_pem_private_key(version["pem"].encode(), None)
        return self.opened[version["version"]]

    def update(self, version, body):
        with self.lock:
            version["attributes"].update(body.get("attributes") or {}, updated=int(time.time()))
            version["key_ops"] = body.get("key_ops") or version["key_ops"]
            self.save()

    def web_key(self, version):
        public = self.private(version).public_key().public_numbers()
        numbers = ({"n": number_of(public.n), "e": number_of(public.e)} if version["kty"].startswith("RSA")
                   else {"x": number_of(public.x), "y": number_of(public.y), "crv": "P-256"})
        return {"kty": version["kty"], "key_ops": version["key_ops"], **numbers}

    def operate(self, version, operation, body):
        self.allow(version, operation)
        if not version["kty"].startswith("RSA") or body.get("alg") not in PADDINGS:
            raise Refusal(400, "BadParameter", "The key type and the algorithm do not fit together.")
        private, used = self.private(version), PADDINGS[body["alg"]]
        try:
            data = bytes_of(body.get("value"))
            if operation in ("encrypt", "wrapKey"):
                return private.public_key().encrypt(data, used)
            return private.decrypt(data, used)
        except (ValueError, binascii.Error):
            raise Refusal(400, "BadParameter", "The parameter is incorrect.") from None

    @staticmethod
    def allow(version, operation):
        attributes, now = version["attributes"], time.time()
        if not attributes["enabled"]:
            raise Refusal(403, "Forbidden", f"Operation {operation} is not allowed on a disabled key.", "KeyDisabled")
        if operation in ("encrypt", "wrapKey") and attributes.get("exp", now + 1) <= now:
            raise Refusal(403, "Forbidden", f"Operation {operation} is not allowed on an expired key.", "KeyExpired")
        if attributes.get("nbf", 0) > now:
            raise Refusal(403, "Forbidden", f"Operation {operation} is not allowed before the key becomes valid.", "KeyNotYetValid")
        if operation not in version["key_ops"]:
            raise Refusal(403, "Forbidden", f"Operation {operation} is not permitted on this key.", "KeyOperationForbidden")


class StandIn:
    def __init__(self, folder, port, machine_port):
        self.keys, self.tokens, self.port, self.machine_port = Keys(folder), Tokens(), port, machine_port
        self.resource = f"https://vault.localhost:{port}"
        self.plans, self.seen = dict(NEW_PLANS), []
        # Applications: their secret, until when it is good, what they may do. The machine's identity is one of them.
        self.applications = {"app": {"secret": "s&cret", "until": None, "may": EVERYTHING}, "machine": {"secret": None, "may": EVERYTHING}}

    # --- what a test says ---

    def control(self, method, path, body):
        if path == "/stand-in/seen":
            seen = list(self.seen)
            if method == "DELETE":
                self.seen.clear()
            return seen
        if path == "/stand-in/plans":
            self.plans.update(body)
        elif path == "/stand-in/good":
            self.plans = dict(NEW_PLANS)
        elif path == "/stand-in/revoke":
            self.tokens = Tokens()
        elif path == "/stand-in/versions":
            return [version["version"] for version in self.keys.keys[body["name"]]]
        elif path == "/stand-in/create":
            return self.keys.create(body.pop("name"), body)["version"]
        elif path == "/stand-in/update":
            self.keys.update(self.keys.find(body.pop("name"), body.pop("version", "")), body)
        elif path == "/stand-in/application":
            self.applications.setdefault(body.pop("id"), {"secret": None, "until": None, "may": EVERYTHING}).update(body)
        elif path != "/stand-in":
            raise Refusal(404, "NotFound", path)
        return {}

    def misbehave(self, which):
        time.sleep(self.plans["delay"])
        plan = self.plans[which]
        if plan:
            status, headers = plan.pop(0)
            raise Refusal(status, "ServiceError", "as the test asked", headers=headers.items())

    def count(self, operation):
        """After so many encryptions the service is away."""
        left = self.plans["encryptions"]
        if operation != "encrypt" or left is None:
            return
        if left == 0:
            raise Refusal(503, "ServiceUnavailable", "The service is away.")
        self.plans["encryptions"] = left - 1

    # --- who gives tokens ---

    def token(self, tenant, form):
        application = self.applications.get(form.get("client_id", ""))
        self.misbehave("token_fail")
        if tenant != TENANT:
            return 400, {"error": "invalid_request", "error_description": f"AADSTS90002: Tenant '{tenant}' not found."}
        if form.get("grant_type") != "client_credentials":
            return 400, {"error": "unsupported_grant_type", "error_description": "AADSTS70003: The app requested an unsupported grant type."}
        if not application or not application["secret"]:
            return 400, {"error": "unauthorized_client", "error_description": "AADSTS700016: Application was not found in the directory."}
        if form.get("client_secret") != application["secret"]:
            return 401, {"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided.\r\nTrace ID: 1"}
        if application["until"] and application["until"] <= time.time():
            return 401, {"error": "invalid_client", "error_description": "AADSTS7000222: The provided client secret keys are expired."}
        if not form.get("scope", "").endswith("/.default"):
            return 400, {"error": "invalid_scope", "error_description": "AADSTS70011: The provided value for 'scope' is not valid."}
        seconds = self.plans["token_seconds"]
        return 200, {"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds,
                     "access_token": self.tokens.make(form["client_id"], form["scope"][:-len("/.default")], seconds)}

    def machine_token(self, headers, query):
        self.misbehave("token_fail")
        if headers.get("Metadata") != "true":
            return 400, {"error": "invalid_request", "error_description": "Required metadata header not specified"}
        if query.get("api-version") != "2018-02-01" or "resource" not in query:
            return 400, {"error": "invalid_request", "error_description": "Required query parameters not specified"}
        seconds = self.plans["token_seconds"]
        return 200, {"token_type": "Bearer", "expires_in": str(seconds), "expires_on": str(int(time.time()) + seconds),
                     "resource": query["resource"], "access_token": self.tokens.make("machine", query["resource"], seconds)}

    # --- the vault ---

    def challenge(self):
        resource = self.plans["resource"] or self.resource
        if not self.plans["challenge"]:
            return []
        return [("WWW-Authenticate", f'Bearer authorization="https://login.localhost:{self.port}/{TENANT}", resource="{resource}"')]

    def authenticate(self, headers):
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not token:
            raise Refusal(401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.", headers=self.challenge())
        try:
            return self.tokens.application(token, self.resource)
        except Refusal as refusal:
            refusal.headers = self.challenge()
            raise

    def allow(self, application, operation, vault):
        if operation not in self.applications[application]["may"]:
            raise Refusal(403, "Forbidden", f"The user, group or application 'appid={application}' does not have keys {operation.lower()} "
                                            f"permission on key vault '{vault};location=test'.", "AccessDenied")

    def vault(self, method, host, path, query, headers, body):
        """The status and the answer of a call to /keys/NAME[/VERSION][/OPERATION]."""
        name = host.partition(".")[0]
        self.misbehave("fail")
        application = self.authenticate(headers)
        if query.get("api-version") not in VERSIONS:
            raise Refusal(400, "BadParameter", "The api-version parameter is missing or not supported.")
        parts = path.strip("/").split("/")
        if parts[0] != "keys" or not 2 <= len(parts) <= 4:
            raise Refusal(404, "NotFound", "There is no such resource.")
        return self.key_call(method, f"https://{host}/keys/{parts[1]}", parts[1:], query, body,
                             lambda operation: self.allow(application, operation, name))

    def key_call(self, method, base, parts, query, body, allow):
        name, rest = parts[0], parts[1:]
        if method == "POST" and rest == ["create"]:
            allow("create")
            return self.bundle(base, self.keys.create(name, body))
        if method == "GET" and rest == ["versions"]:
            allow("list")
            return self.page(base, name, int(query.get("$skiptoken", 0)), min(int(query.get("maxresults", 25)), 25))
        if method == "POST" and rest and rest[-1] in OPERATIONS:
            operation = OPERATIONS[rest[-1]]
            allow(operation)
            self.count(operation)
            version = self.keys.find(name, "".join(rest[:-1]))
            return {"kid": f"{base}/{version['version']}", "value": text_of(self.keys.operate(version, operation, body))}
        if method in ("GET", "PATCH") and len(rest) <= 1:
            allow("get" if method == "GET" else "update")
            version = self.keys.find(name, "".join(rest))
            if method == "PATCH":
                self.keys.update(version, body)
            return self.bundle(base, version)
        raise Refusal(405, "MethodNotAllowed", "The method is not allowed.")

    def bundle(self, base, version):
        kid = f"{base}/{version['version']}"
        return {"key": {"kid": kid, **self.keys.web_key(version)}, "attributes": version["attributes"], "tags": {}}

    def page(self, base, name, skip, count):
        self.keys.find(name)
        versions = self.keys.keys[name.lower()]
        more = f"{base}/versions?api-version=7.4&$skiptoken={skip + count}&maxresults={count}" if len(versions) > skip + count else None
        return {"value": [{"kid": f"{base}/{v['version']}", "attributes": v["attributes"]} for v in versions[skip:skip + count]],
                "nextLink": more}


def handler(stand_in, machine):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_any(self):
            data = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path, _, query = self.path.partition("?")
            query = dict(urllib.parse.parse_qsl(query))
            host = self.headers.get("Host", "")
            if not path.startswith("/stand-in"):
                stand_in.seen.append({"at": time.time(), "method": self.command, "host": host, "path": path,
                                      "authorized": "Authorization" in self.headers})
            try:
                self.reply(*self.answer(host, path, query, data))
            except Refusal as refusal:
                self.reply(refusal.status, refusal.body, refusal.headers)
            except (ValueError, KeyError) as reason:
                self.reply(400, {"error": {"code": "BadParameter", "message": repr(reason)}})

        do_GET = do_POST = do_PATCH = do_DELETE = handle_any

        def answer(self, host, path, query, data):
            if machine and path.startswith("/stand-in"):
                return 200, stand_in.control(self.command, path, json.loads(data or b"{}"))
            if machine:
                return stand_in.machine_token(self.headers, query)
            if host.startswith("login."):
                tenant = path.split("/")[1]
                return stand_in.token(tenant, dict(urllib.parse.parse_qsl(data.decode())))
            return 200, stand_in.vault(self.command, host, path, query, self.headers, json.loads(data or b"{}"))

        def reply(self, status, body, headers=()):
            text = json.dumps(body).encode()
            self.send_response(status)
            for name, value in [*headers, ("Content-Type", "application/json; charset=utf-8"), ("Content-Length", str(len(text)))]:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, form, *values):
            sys.stderr.write(f"{self.headers.get('Host') if hasattr(self, 'headers') else ''} {form % values}\n")

    return Handler


def serve(port, made, context=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), made)
    server.daemon_threads = True
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    return server


def main():
    folder, port, certificate, key, machine_port = sys.argv[1:]
    stand_in = StandIn(pathlib.Path(folder), int(port), int(machine_port))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    machine = serve(int(machine_port), handler(stand_in, True))
    threading.Thread(target=machine.serve_forever, daemon=True).start()
    serve(int(port), handler(stand_in, False), context).serve_forever()


if __name__ == "__main__":
    main()
