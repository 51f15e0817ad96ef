# SPDX-License-Identifier: Apache-2.0
"""Installations whose master key is in Azure Key Vault or AWS KMS: what the real command line sees, whatever the service does."""

import json
import subprocess
import threading
import time
import uuid

import pytest

from commandline import CommandLine, Project, Server, thing
from conftest import BUILD, HERE, VERSION, started
from lib.server import Installation, free_port, wait_for
from proxy import DROP, Proxy, Reply
from vault import KEY, TENANT

CACHE_SECONDS, OUTAGE_SECONDS = 2, 12
LIMITS = {"PULUMI_KEY_CACHE_SECONDS": str(CACHE_SECONDS), "PULUMI_KEY_OUTAGE_SECONDS": str(OUTAGE_SECONDS)}


class ByVault:
    """Key Vault as an application with a secret."""

    def __init__(self, vault):
        self.vault = vault

    def settings(self):
        return {**self.vault.settings(), **self.vault.credentials()}

    def away(self):
        self.vault.stop()

    def good(self):
        if self.vault.process.poll() is not None:
            self.vault.start()
        self.vault.good()

    def slow(self, seconds):
        self.vault.plan(delay=seconds)

    def fail(self, statuses):
        self.vault.plan(fail=[[status, {}] for status in statuses])

    def deny(self):
        self.vault.tell("/application", id="app", may=["get"])

    def end_credentials(self):
        """The secret has ended, and so have the tokens that it gave."""
        self.vault.tell("/application", id="app", until=time.time() - 1)
        self.vault.tell("/revoke")

    def seen(self):
        return [s for s in self.vault.seen() if s["path"].startswith("/keys/")]


class ByKms:
    def __init__(self, moto):
        self.moto, self.proxy, self.arn = moto, Proxy(moto.port), moto.make_key()

    def settings(self):
        return {"PULUMI_KMS_KEY": self.arn, "AWS_ENDPOINT_URL_KMS": f"http://127.0.0.1:{self.proxy.port}", **self.moto.credentials()}

    def away(self):
        self.proxy.before = lambda request: DROP

    def good(self):
        self.moto.allow()
        self.proxy.good()
        self.proxy.seen.clear()

    def slow(self, seconds):
        self.proxy.before = lambda request: time.sleep(seconds)

    def fail(self, statuses):
        left = list(statuses)
        self.proxy.before = lambda request: Reply(left.pop(0), b"{}") if left else None

    def deny(self):
        self.moto.deny("kms:*")

    def end_credentials(self):
        """moto's never end: it is said for it."""
        self.proxy.before = lambda request: Reply(400, b'{"__type": "ExpiredTokenException", "message": "The security token included in the request is expired"}')

    def seen(self):
        return self.proxy.seen


KINDS = {"vault": lambda request: ByVault(request.getfixturevalue("vault")),
         "kms": lambda request: ByKms(request.getfixturevalue("moto"))}


def pytest_generate_tests(metafunc):
    """What one of them has shown is slow with the other, where a test says so."""
    if "by_kind" in metafunc.fixturenames:
        kinds = ["kms", *([pytest.param("vault", marks=pytest.mark.slow)] if metafunc.definition.get_closest_marker("one_kind") else ["vault"])]
        metafunc.parametrize("by_kind", kinds, indirect=True, scope="module")


@pytest.fixture(scope="module")
def by_kind(request):
    return KINDS[request.param](request)


@pytest.fixture
def by(by_kind):
    """The service, which behaves before and after."""
    by_kind.good()
    yield by_kind
    by_kind.good()


def installed(settings, **more):
    return Installation(BUILD, responders=1, environment={"PULUMI_LOCAL_KEYS": "", **LIMITS, **settings}, **more)


def ended(installation):
    installation.stop()
    assert not installation.problems(), installation.problems()
    installation.remove()


@pytest.fixture
def runs():
    """Starts installations, and ends them with the test."""
    made = []

    def run(installation):
        made.append(installation)
        return installation.start()

    yield run
    for one in made:
        ended(one)


@pytest.fixture(scope="module")
def sealed(by_kind):
    """One responder, so that what it remembers is known."""
    by_kind.good()
    made = installed(by_kind.settings()).start()
    yield made
    by_kind.good()
    ended(made)


def project_on(installation, tools, folder):
    made = Project(CommandLine(tools, VERSION, folder / "home", Server(installation.access)), folder / "project")
    made.init()
    return made


@pytest.fixture
def stack(by, sealed, tools, tmp_path):
    return project_on(sealed, tools, tmp_path)


def up_with_secret(stack, value):
    stack.on("config", "set", "--secret", "pw", value)
    stack.program({"a": thing("one", secret="${pw}")}, outputs={"pw": "${pw}"}, config={"pw": {"type": "string", "secret": True}})
    stack.up()


def encrypt(stack, text="c2VjcmV0"):
    return stack.call("POST", "/encrypt", {"plaintext": text})


def decrypt(stack, ciphertext):
    return stack.call("POST", "/decrypt", {"ciphertext": ciphertext})


def opens(stack, ciphertext, text="c2VjcmV0"):
    status, answer = decrypt(stack, ciphertext)
    assert (status, answer.get("plaintext")) == (200, text), (status, answer)


def sealed_secret(stack):
    status, answer = encrypt(stack)
    assert status == 200, answer
    return answer["ciphertext"]


def forget():
    """What was opened is no longer fresh."""
    time.sleep(CACHE_SECONDS + 0.5)


# --- whatever seals ---

def test_up_with_a_secret(stack):
    up_with_secret(stack, "s3cret")
    assert stack.outputs() == {"pw": "[secret]"}
    assert stack.outputs("--show-secrets") == {"pw": "s3cret"}
    assert "s3cret" not in json.dumps(stack.export())
    forget()
    up_with_secret(stack, "another")
    assert stack.outputs("--show-secrets") == {"pw": "another"}
    stack.destroy()


def test_the_service_is_asked_once_in_a_while(stack, by):
    ciphertext = sealed_secret(stack)
    opens(stack, ciphertext)
    before = len(by.seen())
    until = time.monotonic() + CACHE_SECONDS / 2
    while time.monotonic() < until:
        opens(stack, ciphertext)
    assert len(by.seen()) <= before + 1
    forget()
    opens(stack, ciphertext)
    assert len(by.seen()) > before


@pytest.mark.slow
def test_slow_answers(stack, by):
    ciphertext = sealed_secret(stack)
    forget()
    by.slow(2)
    opens(stack, ciphertext)


def test_500_in_the_middle(stack, by):
    ciphertext = sealed_secret(stack)
    forget()
    before = len(by.seen())
    by.fail([500, 503])
    opens(stack, ciphertext)
    assert len(by.seen()) >= before + 3
    by.fail([500] * 2)
    up_with_secret(stack, "s3cret")
    assert stack.outputs("--show-secrets") == {"pw": "s3cret"}


@pytest.mark.one_kind
def test_an_outage_is_not_felt_for_a_while(stack, by, sealed, tools, tmp_path):
    """A known stack opens within the limit, an unknown one does not; after it neither; both when the service is back."""
    other = project_on(sealed, tools, tmp_path / "other")
    ciphertext = sealed_secret(stack)
    opens(stack, ciphertext)
    opened_at = time.monotonic()
    by.away()
    opens(stack, ciphertext)
    forget()
    opens(stack, ciphertext)
    assert encrypt(stack)[0] == 200
    assert encrypt(other)[0] == 503
    time.sleep(max(0, opened_at + OUTAGE_SECONDS + 1 - time.monotonic()))
    assert decrypt(stack, ciphertext)[0] == 503
    by.good()
    opens(stack, ciphertext)
    assert encrypt(other)[0] == 200


@pytest.mark.one_kind
def test_credentials_that_end(stack, by, sealed, tools, tmp_path):
    """As in an outage: what is known serves for a while, what is not is answered with 503, and all is well with good ones."""
    other = project_on(sealed, tools, tmp_path / "other")
    up_with_secret(stack, "s3cret")
    by.end_credentials()
    forget()
    assert stack.outputs("--show-secrets") == {"pw": "s3cret"}
    status, answer = encrypt(other)
    assert status == 503 and answer["message"].startswith("Service Unavailable: "), answer
    by.good()
    up_with_secret(other, "another")
    assert other.outputs("--show-secrets") == {"pw": "another"}


@pytest.mark.one_kind
def test_access_is_taken_away(stack, by):
    """A refusal is obeyed: nothing is opened, and nothing is lost by it."""
    up_with_secret(stack, "s3cret")
    ciphertext = sealed_secret(stack)
    by.deny()
    forget()
    assert decrypt(stack, ciphertext)[0] == 500
    by.good()
    opens(stack, ciphertext)
    assert stack.outputs("--show-secrets") == {"pw": "s3cret"}
    up_with_secret(stack, "another")
    assert stack.outputs("--show-secrets") == {"pw": "another"}


def test_an_outage_may_be_felt_at_once(by, sealed):
    """With a limit of 0 nothing serves beyond the cache."""
    settings = sealed.environment(PULUMI_KEY_CACHE_SECONDS="0", PULUMI_KEY_OUTAGE_SECONDS="0")
    assert started(settings)[0] == 0
    for name, wrong in (("PULUMI_KEY_CACHE_SECONDS", "3601"), ("PULUMI_KEY_OUTAGE_SECONDS", "long")):
        code, said = started({**settings, name: wrong})
        assert code and name in said, said


def test_a_service_that_is_away_at_start(by, sealed):
    by.away()
    code, said = started(sealed.environment())
    assert code and ("PULUMI_AZURE_KV_URI" in said or "PULUMI_KMS_KEY" in said), said
    by.good()
    assert started(sealed.environment())[0] == 0


# --- what stops a start ---

@pytest.fixture(scope="module")
def plain(vault):
    """An installation whose database a start needs; its keys are files."""
    made = Installation(BUILD, responders=1).start()
    yield made
    ended(made)


@pytest.fixture
def good_vault(vault):
    vault.good()
    yield vault
    vault.good()


def at_start(plain, vault, name=KEY, version="", **settings):
    """What a start with these settings says; None when it starts. It knows the keys of the installation, too."""
    code, said = started({**plain.environment(PULUMI_LOCAL_KEYS="", PULUMI_OTHER_KEYS=str(plain.keys)), **vault.settings(name, version),
                          **vault.credentials(), **settings})
    return said if code else None


def test_the_vault_by_itself(plain, good_vault):
    name = f"k-{uuid.uuid4().hex}"
    version = good_vault.create(name)
    assert at_start(plain, good_vault, name) is None
    assert at_start(plain, good_vault, name, version) is None
    assert at_start(plain, good_vault, name.upper(), version.upper()) is None
    assert at_start(plain, good_vault, name, "0" * 32).count(f"PULUMI_AZURE_KV_KEY_VERSION: {good_vault.url} has no key '{name}' with the version")
    assert "PULUMI_AZURE_KV_KEY_NAME" in at_start(plain, good_vault, "none")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["RSA", "RSA-HSM"])
@pytest.mark.parametrize("size", [2048, 4096])
def test_every_kind_of_rsa_key(plain, good_vault, kind, size):
    name = f"{kind}-{size}"
    good_vault.create(name, kty=kind, key_size=size)
    assert at_start(plain, good_vault, name) is None


def test_a_key_of_no_use(plain, good_vault):
    good_vault.create("curve", kty="EC")
    assert "PULUMI_AZURE_KV_KEY_NAME: the key 'curve'" in (said := at_start(plain, good_vault, "curve")) and "type EC; it must be RSA" in said
    good_vault.create("one-way", key_ops=["encrypt", "sign"])
    assert "PULUMI_AZURE_KV_KEY_NAME: the key 'one-way'" in at_start(plain, good_vault, "one-way")
    version = good_vault.create("disabled", attributes={"enabled": False})
    assert "PULUMI_AZURE_KV_KEY_NAME: the key 'disabled'" in at_start(plain, good_vault, "disabled")
    said = at_start(plain, good_vault, "disabled", version)
    assert f"PULUMI_AZURE_KV_KEY_VERSION: the key 'disabled' in {good_vault.url}, version {version} is disabled" in said, said
    good_vault.create("expired", attributes={"exp": int(time.time()) - 10})
    assert "KeyExpired" in at_start(plain, good_vault, "expired")


def test_permissions(plain, good_vault):
    """Encrypt and decrypt are enough; without one of them there is no start."""
    good_vault.tell("/application", id="app", may=["encrypt", "decrypt"])
    assert at_start(plain, good_vault) is None
    for may in (["get", "encrypt"], ["get", "decrypt"], []):
        good_vault.tell("/application", id="app", may=may)
        said = at_start(plain, good_vault)
        assert "PULUMI_AZURE_KV_KEY_NAME: the key must be able to encrypt and decrypt" in said and "AccessDenied" in said, said


def test_wrong_credentials(plain, good_vault):
    for settings, words in (({"AZURE_CLIENT_SECRET": "wrong"}, "AADSTS7000215: Invalid client secret"), ({"AZURE_CLIENT_ID": "x"}, "AADSTS700016"),
                            ({"AZURE_TENANT_ID": TENANT[::-1]}, "AADSTS90002"),
                            ({"AZURE_AUTHORITY_HOST": f"https://login.localhost:{free_port()}"}, "connect"),
                            ({"AZURE_CLIENT_SECRET": "", "AZURE_POD_IDENTITY_AUTHORITY_HOST": f"http://127.0.0.1:{free_port()}"}, "connect")):
        said = at_start(plain, good_vault, **settings)
        assert "PULUMI_AZURE_KV_URI" in said and words in said and "s&cret" not in said, said
    good_vault.tell("/application", id="app", until=time.time() - 1)
    assert "AADSTS7000222" in at_start(plain, good_vault)


def test_wrong_addresses(plain, good_vault):
    def said(uri, **settings):
        return at_start(plain, good_vault, **{"PULUMI_AZURE_KV_URI": uri, **settings})

    assert "PULUMI_AZURE_KV_URI" in (text := said(f"https://pulumi.vault.localhost:{free_port()}")) and "connect" in text
    assert "certificate" in said(good_vault.url, SSL_CERT_FILE="")
    for uri in (good_vault.url.replace("https", "http"), good_vault.url + "/more", "https://", good_vault.url + "?x=y", "pulumi"):
        assert "PULUMI_AZURE_KV_URI: " in (text := said(uri)) and " must be " in text, (uri, text)
    assert "PULUMI_AZURE_KV_KEY_NAME is not set" in said(good_vault.url, PULUMI_AZURE_KV_KEY_NAME="")
    assert "PULUMI_AZURE_KV_KEY_NAME: 'a/b' must be a name" in said(good_vault.url, PULUMI_AZURE_KV_KEY_NAME="a/b")
    assert "PULUMI_AZURE_KV_KEY_VERSION: 'a/b' must be a name" in said(good_vault.url, PULUMI_AZURE_KV_KEY_VERSION="a/b")


def test_no_token_for_anything_else(plain, good_vault):
    """A vault that asks for a token of another service gets none: nobody is even asked for one."""
    port = good_vault.port
    for resource in ("https://management.localhost", "https://localhost", f"https://evil.example/vault.localhost:{port}", "https://storage.azure.com",
                     f"http://vault.localhost:{port}", f"https://xvault.localhost:{port}", "https://pulumi.vault.localhost", f"https://vault.localhost:{port}1"):
        good_vault.tell("/seen", "DELETE")
        good_vault.plan(resource=resource)
        said = at_start(plain, good_vault)
        assert f"PULUMI_AZURE_KV_URI: {good_vault.url} asks for a token for '{resource}'" in said, said
        assert [s for s in good_vault.seen() if s["host"].startswith("login.") or s["authorized"]] == []
    good_vault.plan(resource="https://vault.localhost", challenge=False)
    assert "does not answer like a Key Vault" in at_start(plain, good_vault)


def test_one_provider_seals(plain, good_vault, moto):
    arn = moto.make_key()
    for settings in ({"PULUMI_LOCAL_KEYS": str(plain.keys)}, {"PULUMI_KMS_KEY": arn}):
        said = at_start(plain, good_vault, **settings)
        assert "PULUMI_AZURE_KV_URI: only one of them can seal" in said and next(iter(settings)) in said, said
    no_vault = {"PULUMI_AZURE_KV_URI": "", "PULUMI_AZURE_KV_KEY_NAME": ""}
    said = at_start(plain, good_vault, **no_vault, PULUMI_LOCAL_KEYS=str(plain.keys), PULUMI_KMS_KEY=arn)
    assert "PULUMI_LOCAL_KEYS, PULUMI_KMS_KEY: only one of them can seal" in said, said
    assert "PULUMI_LOCAL_KEYS, PULUMI_KMS_KEY, PULUMI_AZURE_KV_URI: set one of them" in at_start(plain, good_vault, **no_vault)
    said = at_start(plain, good_vault, PULUMI_AZURE_KV_URI="", PULUMI_LOCAL_KEYS=str(plain.keys))
    assert "PULUMI_AZURE_KV_KEY_NAME is set, but PULUMI_AZURE_KV_URI" in said, said


def test_other_places_are_checked(plain, good_vault, tmp_path):
    for place, words in (("relative", "must be an absolute path"), (str(tmp_path / "none"), "none"), (good_vault.place("none"), "has no key 'none'"),
                         (good_vault.place() + "/a/b", "is no key"), (" ".join([str(plain.keys)] * 8), "more than 8 places")):
        said = at_start(plain, good_vault, PULUMI_OTHER_KEYS=place)
        assert "PULUMI_OTHER_KEYS: " in said and words in said, said
    name = f"k-{uuid.uuid4().hex}"
    version = good_vault.create(name, attributes={"exp": int(time.time()) - 10})  # encrypts no more, and still decrypts
    assert at_start(plain, good_vault, PULUMI_OTHER_KEYS=f"{plain.keys} {good_vault.place(name, version)}\n {good_vault.place(name)} ") is None
    good_vault.update(name, attributes={"enabled": False})
    assert f"PULUMI_OTHER_KEYS: the key '{name}'" in at_start(plain, good_vault, PULUMI_OTHER_KEYS=f"{plain.keys} {good_vault.place(name)}")


def test_wrong_kms_keys(plain, moto):
    arn = moto.make_key()

    def said(**settings):
        code, text = started({**plain.environment(PULUMI_LOCAL_KEYS="", PULUMI_OTHER_KEYS=str(plain.keys), PULUMI_KMS_KEY=arn), **moto.credentials(),
                              "AWS_ENDPOINT_URL_KMS": f"http://127.0.0.1:{moto.port}", **settings})
        assert not code or "PULUMI_KMS_KEY" in text, text
        return text if code else None

    assert said() is None
    assert "must be the ARN of a key" in said(PULUMI_KMS_KEY="arn:aws:s3:::bucket")
    assert "NotFoundException" in said(PULUMI_KMS_KEY=arn[:-4] + "0000")
    assert "SignatureDoesNotMatch" in said(AWS_SECRET_ACCESS_KEY="wrong")
    assert "connect" in said(AWS_ENDPOINT_URL_KMS=f"http://127.0.0.1:{free_port()}")


def test_credentials_for_kms_that_ended(plain, moto):
    """The service says so: others are asked for, and the call is made again."""
    proxy, refused = Proxy(moto.port), []

    def refuse(request):
        if "X-Amz-Target" in request.headers and not refused:
            refused.append(request)
            return Reply(400, b'{"__type": "ExpiredTokenException", "message": "The security token included in the request is expired"}')
        return None

    proxy.before = refuse
    where = f"http://127.0.0.1:{proxy.port}"
    code, said = started({**plain.environment(PULUMI_LOCAL_KEYS="", PULUMI_OTHER_KEYS=str(plain.keys), PULUMI_KMS_KEY=moto.make_key()),
                          **moto.credentials(), "AWS_ROLE_ARN": moto.role, "AWS_ENDPOINT_URL_KMS": where, "AWS_ENDPOINT_URL_STS": where})
    assert code == 0 and refused, said
    assert proxy.count(lambda request: b"Action=AssumeRole" in request.body) == 2
    proxy.close()


# --- the vault only ---

@pytest.fixture(scope="module")
def in_vault(vault):
    by = ByVault(vault)
    by.good()
    vault.create("changing")
    made = installed({**by.settings(), "PULUMI_AZURE_KV_KEY_NAME": "changing", "PULUMI_KEY_OUTAGE_SECONDS": "60"}).start()
    yield made
    by.good()
    ended(made)


@pytest.fixture
def vault_stack(good_vault, in_vault, tools, tmp_path):
    return project_on(in_vault, tools, tmp_path)


def test_the_identity_of_the_machine(good_vault, runs, tools, tmp_path):
    made = runs(installed({**good_vault.settings(), **good_vault.machine()}))
    stack = project_on(made, tools, tmp_path)
    up_with_secret(stack, "s3cret")
    good_vault.tell("/revoke")
    forget()
    assert stack.outputs("--show-secrets") == {"pw": "s3cret"}
    assert not [s for s in good_vault.seen() if s["host"].startswith("login.")]


@pytest.mark.slow
def test_a_vault_that_does_not_answer(vault_stack, good_vault, in_vault):
    """Nobody waits for it for long, and what is remembered serves."""
    ciphertext = sealed_secret(vault_stack)
    opens(vault_stack, ciphertext)
    forget()
    good_vault.plan(delay=30)
    opens(vault_stack, ciphertext)
    before = len(good_vault.seen())
    opens(vault_stack, ciphertext)
    assert len(good_vault.seen()) == before
    good_vault.good()
    in_vault.stop_serve()
    in_vault.start_serve()


@pytest.mark.slow
def test_throttling(vault_stack, good_vault):
    """It says when it wants to be asked again, and is not asked before."""
    ciphertext = sealed_secret(vault_stack)
    forget()
    good_vault.tell("/seen", "DELETE")
    good_vault.plan(fail=[[429, {"Retry-After": "2"}]])
    opens(vault_stack, ciphertext)
    times = [s["at"] for s in good_vault.seen() if s["path"].endswith("/decrypt")]
    assert len(times) == 2 and times[1] - times[0] >= 2, times


@pytest.mark.slow
def test_tokens_that_end(vault_stack, good_vault):
    """Before their time, and early: another is asked for, and the call is made again."""
    ciphertext = sealed_secret(vault_stack)
    forget()
    good_vault.tell("/revoke")
    good_vault.plan(token_seconds=1)
    opens(vault_stack, ciphertext)
    forget()
    opens(vault_stack, ciphertext)
    good_vault.plan(token_seconds=3600)
    opens(vault_stack, ciphertext)
    forget()
    good_vault.tell("/revoke")
    good_vault.plan(token_fail=[[500, {}]] * 2)
    opens(vault_stack, ciphertext)


def test_a_refusal_is_obeyed(vault_stack, good_vault):
    """A key that was disabled opens nothing, although it was open a moment ago."""
    ciphertext = sealed_secret(vault_stack)
    opens(vault_stack, ciphertext)
    good_vault.update("changing", attributes={"enabled": False})
    forget()
    assert decrypt(vault_stack, ciphertext)[0] == 500
    good_vault.update("changing", attributes={"enabled": True})
    opens(vault_stack, ciphertext)
    good_vault.tell("/application", id="app", may=["get"])
    forget()
    assert decrypt(vault_stack, ciphertext)[0] == 500


def admin(installation, *arguments):
    done = subprocess.run([BUILD / "sql/pulumi-admin", *arguments, "--json"], capture_output=True, text=True, check=False, timeout=300,
                          env=installation.environment())
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_new_version_of_the_key(vault_stack, good_vault, in_vault):
    """The old one opens until everything is sealed by the new one, for responders that never heard of it, too."""
    ciphertext = sealed_secret(vault_stack)
    old = [k for k in admin(in_vault, "key", "status") if k["use"] == "seals and opens"]
    good_vault.create("changing")
    assert [k["id"] for k in admin(in_vault, "key", "status") if k["use"] == "seals and opens"] != [old[0]["id"]]
    opens(vault_stack, ciphertext)
    assert admin(in_vault, "key", "rotate")["dataKeys"] == old[0]["stacks"]
    old_version = good_vault.tell("/versions", name="changing")[0]
    good_vault.update("changing", version=old_version, attributes={"enabled": False})
    forget()
    opens(vault_stack, ciphertext)
    opens(vault_stack, sealed_secret(vault_stack))
    assert admin(in_vault, "key", "rotate")["dataKeys"] == 0


def test_a_data_key_of_another_stack(vault_stack, good_vault, in_vault, tools, tmp_path):
    """RSA binds nothing by itself: the digest in what it encrypts does."""
    other = project_on(in_vault, tools, tmp_path / "other")
    mine, theirs = sealed_secret(vault_stack), sealed_secret(other)
    rows = dict(in_vault.database.sql("SELECT s.project, k.stack_id FROM stack_keys k JOIN stacks s ON s.id = k.stack_id"))
    pair = rows[vault_stack.name], rows[other.name]
    in_vault.database.sql(f"UPDATE stack_keys a, stack_keys b SET a.sealed = b.sealed WHERE a.stack_id = '{pair[0]}' AND b.stack_id = '{pair[1]}'")
    assert decrypt(vault_stack, mine)[0] == 500
    opens(other, theirs)
    in_vault.database.sql(f"DELETE FROM stack_keys WHERE stack_id = '{pair[0]}'")


def test_the_official_client(good_vault):
    """What the vendor's own client makes of the stand-in."""
    done = subprocess.run([good_vault.python, HERE / "key_vault_sdk.py", good_vault.url, f"https://login.localhost:{good_vault.port}", TENANT,
                           good_vault.certificate.ca], capture_output=True, text=True, check=False, timeout=120)
    assert done.stdout == "good\n", done.stderr


# --- from one to the other ---

class Moving(Installation):
    """Its keys stand in the configuration file, which a reload reads again."""

    def environment(self, **more):
        return {k: v for k, v in super().environment(**more).items() if k != "PULUMI_LOCAL_KEYS"}

    def seals(self, **settings):
        lines = [f'{name.lower()} = "{value}"' for name, value in settings.items()]
        (self.folder / "pulumi-api.conf").write_text("\n".join(lines) + "\n")
        if not self.process:
            return
        before = self.log.read_text().count("event=reloaded")
        self.process.send_signal(1)
        wait_for(lambda: self.log.read_text().count("event=reloaded") > before, 60, "no reload", self.process, self.log)


class Updates:
    """`pulumi up` with a secret, again and again, until the end of the block."""

    def __init__(self, stack):
        self.stack, self.count, self.ends, self.problem = stack, 0, threading.Event(), None
        self.thread = threading.Thread(target=self.work)

    def work(self):
        try:
            while not self.ends.is_set():
                up_with_secret(self.stack, f"value {self.count}")
                assert self.stack.outputs("--show-secrets") == {"pw": f"value {self.count}"}
                self.count += 1
        except BaseException as problem:  # pylint: disable=broad-except
            self.problem = problem

    def __enter__(self):
        self.thread.start()
        return self

    def more(self):
        before = self.count
        wait_for(lambda: self.count > before + 1 or self.problem, 120, "no update")
        assert not self.problem, self.problem

    def __exit__(self, *_):
        self.ends.set()
        self.thread.join()
        assert not self.problem, self.problem


def moved(installation, updates, old, new):
    """Both places are known before one seals; then the data keys move, and the old place is forgotten."""
    installation.seals(**old[0], PULUMI_OTHER_KEYS=new[1])
    installation.seals(**new[0], PULUMI_OTHER_KEYS=old[1])
    updates.more()
    count = admin(installation, "key", "move")["dataKeys"]
    status = admin(installation, "key", "status")
    assert [k["use"] for k in status if k["stacks"]] == ["seals and opens"], status
    assert count >= 1 and admin(installation, "key", "move")["dataKeys"] == 0
    installation.seals(**new[0])
    updates.more()


def test_moves_while_updates_run(good_vault, moto, runs, tools, tmp_path):
    arn, name = moto.make_key(), f"k-{uuid.uuid4().hex}"
    good_vault.create(name)
    made = Moving(BUILD, responders=2, environment={**good_vault.credentials(), **moto.credentials(), **LIMITS,
                                                    "AWS_ENDPOINT_URL_KMS": f"http://127.0.0.1:{moto.port}"})
    old, new = made.folder / "keys", made.folder / "new-keys"
    new.mkdir()
    (new / "master.key").write_bytes(uuid.uuid4().bytes * 2)
    files = {"PULUMI_LOCAL_KEYS": str(old)}, str(old)
    vault = {k: v for k, v in good_vault.settings(name).items() if v}, good_vault.place(name)
    kms = {"PULUMI_KMS_KEY": arn}, arn
    again = {"PULUMI_LOCAL_KEYS": str(new)}, str(new)
    made.seals(**files[0])
    runs(made)
    stack, idle = project_on(made, tools, tmp_path), project_on(made, tools, tmp_path / "idle")
    kept = sealed_secret(idle)
    with Updates(stack) as updates:
        updates.more()
        for one, other in ((files, vault), (vault, kms), (kms, again)):
            moved(made, updates, one, other)
            opens(idle, kept)
    assert started({**made.environment(), "PULUMI_LOCAL_KEYS": str(old)})[0]


@pytest.mark.slow
def test_a_move_is_interrupted_by_an_outage(good_vault, runs, tools, tmp_path):
    """It stops with a sentence, everything opens as before, and the next one goes on."""
    name = f"k-{uuid.uuid4().hex}"
    good_vault.create(name)
    made = runs(Installation(BUILD, responders=1, environment={**good_vault.credentials(), **LIMITS}))
    stacks = [project_on(made, tools, tmp_path / str(i)) for i in range(6)]
    sealed_by_file = [sealed_secret(s) for s in stacks]
    made.more.update(good_vault.settings(name), PULUMI_LOCAL_KEYS="", PULUMI_OTHER_KEYS=str(made.keys))
    made.stop_serve()
    made.start_serve()
    good_vault.plan(encryptions=5)  # two when pulumi-admin looks which version is the current one, three data keys
    done = subprocess.run([BUILD / "sql/pulumi-admin", "key", "move"], capture_output=True, text=True, check=False, env=made.environment())
    assert done.returncode == 1 and "Key Vault encrypt" in done.stderr, done
    good_vault.good()
    for stack, ciphertext in zip(stacks, sealed_by_file):
        opens(stack, ciphertext)
    assert admin(made, "key", "move")["dataKeys"] == 3
    for stack, ciphertext in zip(stacks, sealed_by_file):
        opens(stack, ciphertext)
