# SPDX-License-Identifier: Apache-2.0
"""Buckets as settings and addresses name them: options, prefixes, and what is refused before anything is served."""

import http.server
import os
import re
import signal
import threading
import uuid

import pytest

from conftest import BUILD, SETTING, Tool, settings_of
from lib.client import BEGIN, SUCCESS, Access, Stack, entry, resource, root
from lib.server import Installation, free_port, wait_for
from proxy import Proxy, Reply
from test_stores import started

PACKS = "PULUMI_POLICY_PACK_BLOB_STORAGE_ENDPOINT"
EVENTS = "PULUMI_ENGINE_EVENTS_BLOB_STORAGE_ENDPOINT"
OTHERS = [EVENTS, "PULUMI_SERVICE_METADATA_BLOB_STORAGE_ENDPOINT", "PULUMI_REGISTRY_PUBLIC_BLOB_STORAGE_ENDPOINT",
          "PULUMI_REGISTRY_PRIVATE_BLOB_STORAGE_ENDPOINT"]


def keys(tool, prefix=""):
    return sorted(line.split()[0] for line in tool.run("list", prefix).decode().splitlines())


def under(store, prefix):
    return Tool(store.where(store.proxy.port) + f"&prefix={prefix}", store.credentials())


# --- prefixes ---

def test_prefixes_share_a_bucket(store, tool):
    one, other = under(store, "prefixed/one/"), under(store, "prefixed/two.")
    one.run("put", "a/object", data=b"of one")
    other.run("put", "a/object", data=b"of two")
    assert one.run("get", "a/object") == b"of one" and other.run("get", "a/object") == b"of two"
    assert keys(one) == ["a/object"] == keys(other, "a/")
    assert keys(tool, "prefixed/") == ["prefixed/one/a/object", "prefixed/two.a/object"]
    assert one.run("delete", "a/object") == b""
    one.run("get", "a/object", code=1)
    assert keys(one) == [] and keys(other) == ["a/object"]
    other.run("delete-older", "a/object", 4102444800 * 1000000)
    assert keys(tool, "prefixed/") == []


@pytest.mark.parametrize("prefix", ["../up", "/root", "a//b", "sp%20ace"])
def test_a_prefix_that_no_key_can_have(store, prefix):
    assert "option prefix" in under(store, prefix).run("list", "x", code=2)


# --- options of S3 ---

@pytest.mark.parametrize("option, sentence", [
    ("awssdk=v3", "option awssdk: 'v3' must be v1 or v2"),
    ("disableSSL=perhaps", "option disableSSL: 'perhaps' must be true or false"),
    ("s3ForcePathStyle=2", "option s3ForcePathStyle: '2' must be true or false"),
    ("anonymous=true", "option anonymous"),
    ("accelerate=true", "option accelerate does not go with a path style"),
    ("ssetype=rot13", "option ssetype: 'rot13' must be AES256, aws:kms or aws:kms:dsse"),
    ("kmskeyid=some", "option kmskeyid needs ssetype"),
    ("key=one", "there is no option 'key'"),
    ("colour=red", "there is no option 'colour'"),
])
def test_an_option_of_s3_that_is_refused(moto, option, sentence):
    assert sentence in Tool(moto.where() + "&" + option, moto.credentials()).run("list", "x", code=2)


@pytest.mark.parametrize("option", ["awssdk=v1", "awssdk=V2", "use_path_style=TRUE", "disable_https=1", "hostname_immutable=true",
                                    "anonymous=false", "dualstack=false", "fips=false", "rate_limiter_capacity=0",
                                    "request_checksum_calculation=when_required", "response_checksum_validation=when_required"])
def test_an_option_of_s3_that_is_taken(moto, option):
    tool = Tool(moto.where() + "&" + option, moto.credentials())
    tool.run("put", "options/object", data=b"bytes")
    assert tool.run("get", "options/object") == b"bytes"


@pytest.fixture
def tunnels():
    """A proxy for HTTPS that refuses every tunnel, and tells which host was meant."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_CONNECT(self):  # pylint: disable=invalid-name
            asked.append(self.path)
            self.send_error(403)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1], asked
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("bucket, options, host", [
    ("bucket", "", "bucket.s3.eu-central-1.amazonaws.com"),
    ("bucket", "&s3ForcePathStyle=true", "s3.eu-central-1.amazonaws.com"),
    ("a.bucket", "", "s3.eu-central-1.amazonaws.com"),
    ("bucket", "&dualstack=true&fips=true", "bucket.s3-fips.dualstack.eu-central-1.amazonaws.com"),
    ("bucket", "&accelerate=true&dualstack=true", "bucket.s3-accelerate.dualstack.amazonaws.com"),
])
def test_hosts_of_amazon(tunnels, bucket, options, host):
    port, asked = tunnels
    environment = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "https_proxy": f"http://127.0.0.1:{port}"}
    assert f"https://{host}/" in Tool(f"s3://{bucket}?region=eu-central-1{options}", environment).run("list", "x", code=2)
    assert set(asked) == {f"{host}:443"}


def test_the_server_is_asked_to_encrypt(moto):
    proxy = Proxy(moto.port)
    tool = Tool(moto.where(proxy.port) + "&ssetype=aws:kms&kmskeyid=a-key-id", moto.credentials())
    tool.run("put", "encrypted/object", data=b"bytes")
    tool.run("put", "encrypted/parts", data=bytes(70 << 20))
    asked = [r for r in proxy.seen if r.headers.get("x-amz-server-side-encryption")]
    assert [(r.method, r.headers["x-amz-server-side-encryption"], r.headers["x-amz-server-side-encryption-aws-kms-key-id"])
            for r in asked] == [("PUT", "aws:kms", "a-key-id"), ("POST", "aws:kms", "a-key-id")]
    proxy.close()


# --- options of Azure ---

@pytest.mark.parametrize("option, sentence", [
    ("protocol=ftp", "option protocol: 'ftp' must be http or https"),
    ("localemu=maybe", "option localemu: 'maybe' must be true or false"),
    ("cdn=maybe", "option cdn: 'maybe' must be true or false"),
    ("storage_account=", "no storage account"),
    ("endpoint=x", "there is no option 'endpoint'"),
])
def test_an_option_of_azure_that_is_refused(option, sentence):
    where = "azblob://container?domain=127.0.0.1:1&storage_account=account&" + option
    assert sentence in Tool(where, {"AZURE_STORAGE_KEY": "a2V5"}).run("list", "x", code=2)


@pytest.mark.parametrize("options, host", [
    ("storage_account=account", "account.blob.core.windows.net"),
    ("storage_account=account&domain=blob.core.chinacloudapi.cn", "account.blob.core.chinacloudapi.cn"),
    ("storage_account=account&domain=cdn.example.com&cdn=true", "cdn.example.com"),
])
def test_hosts_of_azure(tunnels, options, host):
    port, asked = tunnels
    environment = {"AZURE_STORAGE_KEY": "a2V5", "https_proxy": f"http://127.0.0.1:{port}"}
    assert f"https://{host}/container" in Tool(f"azblob://container?{options}", environment).run("list", "x", code=2)
    assert set(asked) == {f"{host}:443"}


# --- settings ---

def refused(environment):
    code, said = started(environment)
    assert code, f"it started: {said}"
    return said


def without_folder(installation):
    """Its settings, so that an address for policy packs can be added."""
    return {**installation.environment(), "PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS": ""}


def test_every_bucket_is_tried_at_start(installation, store, tmp_path):
    environment = {**without_folder(installation), PACKS: store.where(store.proxy.port) + "&prefix=packs/",
                   **{name: store.where(store.proxy.port) + f"&prefix=other-{number}/" for number, name in enumerate(OTHERS)}}
    store.proxy.seen.clear()
    assert started(environment)[0] == 0
    for prefix in ("packs/", *(f"other-{number}/" for number in range(len(OTHERS)))):
        methods = [r.method for r in store.proxy.seen if f"/{prefix}scratch/" in r.path]
        assert {"PUT", "GET", "DELETE"} <= set(methods), (prefix, methods)
    assert keys(under(store, "packs/")) == []


@pytest.mark.parametrize("name", [PACKS, *OTHERS])
def test_a_bucket_that_cannot_be_used_is_named(installation, store, name):
    said = refused({**without_folder(installation), name: store.where(bucket="there-is-none")})
    assert said.startswith(f"pulumi-api.fcgi: {name}: ") and "404" in said, said
    said = refused({**without_folder(installation), name: store.where(free_port())})
    assert said.startswith(f"pulumi-api.fcgi: {name}: ") and "connect" in said, said
    assert name in refused({**without_folder(installation), name: "ftp://bucket"})


def test_a_bucket_that_cannot_be_written_is_named(installation, store):
    """A list alone would not show it."""
    store.proxy.before = lambda r: Reply(403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>") if r.method == "PUT" else None
    said = refused({**installation.environment(), OTHERS[2]: store.where(store.proxy.port) + "&prefix=public/"})
    assert "403" in said and SETTING in said, said
    store.proxy.before = lambda r: Reply(403, b"<Error><Code>AccessDenied</Code></Error>") if r.method == "PUT" and "/public/" in r.path else None
    said = refused({**installation.environment(), OTHERS[2]: store.where(store.proxy.port) + "&prefix=public/"})
    assert "403" in said and OTHERS[2] in said, said


def test_states_and_policy_packs_need_a_place_each(installation, store):
    same = store.where(store.proxy.port)
    for where in (same, store.where()):     # the second is the same bucket by another address
        said = refused({**without_folder(installation), PACKS: where})
        assert SETTING in said and PACKS in said and "prefix" in said, said
    assert started({**without_folder(installation), PACKS: same + "&prefix=packs/"})[0] == 0
    said = refused({**without_folder(installation), PACKS: same + "&prefix=packs/", SETTING: same + "&prefix=packs/"})
    assert SETTING in said and PACKS in said, said


def test_two_places_for_policy_packs_are_refused(installation, store, tmp_path):
    said = refused({**installation.environment(), PACKS: store.where() + "&prefix=packs/", "PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS": str(tmp_path)})
    assert PACKS in said and "PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS" in said, said


def test_the_older_form_of_an_address(installation, moto, tmp_path):
    """A bare name: the rest comes from the environment, as Amazon's tools have it."""
    environment = {**installation.environment(), SETTING: "", **moto.credentials(), "AWS_REGION": "eu-central-1",
                   "AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{free_port()}", "PULUMI_OBJECTS_BUCKET": "pulumi-checkpoints"}
    said = refused(environment)
    assert said.startswith("pulumi-api.fcgi: PULUMI_OBJECTS_BUCKET: "), said
    assert "PULUMI_OBJECTS_BUCKET" in refused({**environment, SETTING: moto.where()})


def test_a_reload_with_a_bucket_that_cannot_be_used_changes_nothing(store):
    """To find out takes the new responders longer than to start: the old ones go on until it is known."""
    with Installation(BUILD, responders=2, environment=settings_of(store)) as installation:
        before = set(installation.responders())
        conf = installation.folder / "pulumi-api.conf"
        conf.write_text(f'{OTHERS[3].lower()} = "{store.where(free_port())}"\n')
        installation.process.send_signal(signal.SIGHUP)
        wait_for(lambda: re.search("event=reload(ed|_failed)", installation.log.read_text()), 90, "it did not reload")
        assert "event=reload_failed" in installation.log.read_text() and OTHERS[3] in installation.log.read_text()
        assert installation.serves() and before <= set(installation.responders())
        conf.write_text("")
        installation.process.send_signal(signal.SIGHUP)
        wait_for(lambda: "event=reloaded" in installation.log.read_text(), 90, "it did not reload")
        assert installation.serves()


# --- an update ---

def test_two_calls_complete_an_update(installation, store):
    """One that reads the state before, where there is one, and one that writes the state behind it."""
    access = Access(installation.access)
    stack = Stack(access.client(), access.organization).create()
    for number, most in ((1, [("PUT", True)]), (2, [("GET", True), ("PUT", True)]), (3, [("GET", True), ("PUT", True)])):
        update = stack.begin(journal=1)
        for index in range(20):
            update.append(entry(BEGIN, index + 1), entry(SUCCESS, index + 1, new=0, state=resource(stack, f"r{number}-{index}")))
        store.proxy.seen.clear()
        update.complete().expect()
        assert [(r.method, store.is_object_call(r)) for r in store.proxy.seen] == most, [str(r) for r in store.proxy.seen]
    for _ in range(2):
        update = stack.begin()
        update.checkpoint({"manifest": {}, "resources": [root(stack)]}).expect()
        store.proxy.seen.clear()
        update.complete().expect()
        assert len(store.proxy.seen) <= 2, [str(r) for r in store.proxy.seen]


# --- engine events ---

def event(sequence, size=10):
    return {"sequence": sequence, "timestamp": 1, "stdoutEvent": {"message": os.urandom(size).hex(), "color": "raw"}}


def test_engine_events_in_a_bucket(store):
    prefix = f"events-{uuid.uuid4().hex}/"
    settings = {**settings_of(store), EVENTS: store.where(store.proxy.port) + f"&prefix={prefix}"}
    with Installation(BUILD, responders=2, environment=settings) as installation:
        access = Access(installation.access)
        update = Stack(access.client(), access.organization).create().begin(journal=1)
        sent = [event(0), event(1, 300_000), event(2), event(3, 300_000)]
        store.proxy.seen.clear()
        for one in sent:
            update.events(one).expect()
        assert [r.method for r in store.proxy.seen] == ["PUT", "PUT"], "one call for a large batch, none for a small one"
        assert all(f"/{prefix}stacks/" in r.path and f"/events/{update.id}/" in r.path for r in store.proxy.seen)
        assert update.read_events()["events"] == sent
        store.proxy.before = lambda request: Reply(503, b"<Error><Code>SlowDown</Code></Error>")
        update.events(event(4, 300_000)).expect_problem(503)
        update.events(event(4)).expect()
        store.proxy.good()
        update.complete().expect()
        assert [e["sequence"] for e in update.read_events()["events"]] == [0, 1, 2, 3, 4]
        installation.stop()
        assert not installation.problems()
