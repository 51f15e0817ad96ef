# SPDX-License-Identifier: Apache-2.0
"""The providers of objects by themselves: parts, pages, conditions, damage, on the way there and back."""

import os
import time
import urllib.error
import urllib.request

import pytest
from proxy import DROP, Reply

BIG = 70 << 20  # more than is sent in one request


def keys(tool, prefix):
    return [line.split()[0] for line in tool.run("list", prefix).decode().splitlines()]


def test_bytes_come_back(tool):
    data = bytes(range(256)) * 1000
    for number, content in enumerate((b"", b"x", data)):
        tool.run("put", f"bytes/{number}_a.b-c", data=content)
        assert tool.run("get", f"bytes/{number}_a.b-c") == content
    tool.run("put", "bytes/1_a.b-c", data=data)
    assert tool.run("get", "bytes/1_a.b-c") == data


def test_an_absent_object(tool):
    tool.run("get", "absent/object", code=1)
    tool.run("put", "absent/object", data=b"here")
    tool.run("delete", "absent/object")
    tool.run("get", "absent/object", code=1)
    assert keys(tool, "absent/") == []


def test_an_absent_bucket_is_no_absent_object(tool, store):
    """Whoever took the one for the other would think that a state is lost."""
    code = "NoSuchBucket" if store.scheme == "s3" else "ContainerNotFound"
    gone = Reply(404, f"<Error><Code>{code}</Code><Message>gone</Message></Error>".encode(), [("x-ms-error-code", code)])
    store.proxy.before = lambda request: gone if store.is_object_call(request) else None
    assert code in tool.run("get", "some/object", code=2)


def test_big_objects_go_in_parts(tool, store):
    data = os.urandom(BIG)
    tool.run("put", "big/parts", data=data)
    assert store.proxy.count(store.is_part_call) == 5
    assert store.proxy.count(store.is_last_call) == 1
    assert tool.run("get", "big/parts") == data
    tool.run("delete", "big/parts")


def test_a_lost_answer_to_the_last_call(tool, store):
    lost = []

    def lose(request, _):
        if store.is_last_call(request) and not lost:
            lost.append(request)
            return DROP
        return None

    data = os.urandom(BIG)
    store.proxy.after = lose
    tool.run("put", "big/lost", data=data)
    assert len(lost) == 1
    assert tool.run("get", "big/lost") == data


def test_a_part_that_fails_for_good_leaves_nothing(tool, store):
    store.proxy.before = lambda request: Reply(403, b"<Error><Code>AccessDenied</Code></Error>") if store.is_last_call(request) else None
    assert "403" in tool.run("put", "big/refused", data=os.urandom(BIG), code=2)
    store.proxy.good()
    assert keys(tool, "big/refused") == []


def damage(request):
    if request.method == "PUT":
        request.body = b"Z" + request.body[1:]


def test_damage_on_the_way_there_is_seen(tool, store):
    """A store compares the digest and refuses; one that does not gives back what does not fit its digest."""
    store.proxy.before = damage
    tool.run("put", "damage/there", data=b"a" * 1000, code=2 if store.compares_digests else 0)
    store.proxy.good()
    tool.run("get", "damage/there", code=1 if store.compares_digests else 2)


def damaged(reply):
    return Reply(reply.status, b"Z" + reply.body[1:], reply.headers)


def test_damage_on_the_way_back_is_seen(tool, store):
    tool.run("put", "damage/back", data=b"a" * 1000)
    reads = []

    def once(request, reply):
        if request.method == "GET" and store.is_object_call(request):
            reads.append(request)
            return damaged(reply) if len(reads) == 1 else None
        return None

    store.proxy.after = once
    assert tool.run("get", "damage/back") == b"a" * 1000
    assert len(reads) == 2
    store.proxy.after = lambda request, reply: damaged(reply) if store.is_object_call(request) else None
    assert "the bytes are not those of its checksum" in tool.run("get", "damage/back", code=2)


@pytest.mark.one_store
def test_damage_of_a_big_object_is_seen(tool, store):
    data = os.urandom(BIG)
    tool.run("put", "damage/big", data=data)
    store.proxy.after = lambda request, reply: damaged(reply) if store.is_object_call(request) else None
    assert "the bytes are not those of its checksum" in tool.run("get", "damage/big", code=2)
    store.proxy.good()
    assert tool.run("get", "damage/big") == data


def test_lists_have_pages(tool, store):
    type(tool)(store.where(), store.credentials()).run("put-many", "many/", 1003)  # past the proxy, which is slow
    store.proxy.before = store.short_pages
    store.proxy.seen.clear()
    assert sorted(keys(tool, "many/")) == [f"many/{i:05}" for i in range(1003)]
    assert store.proxy.count(lambda r: "marker=" in r.path or "continuation-token=" in r.path) >= 1
    assert keys(tool, "many/0000") == [f"many/{i:05}" for i in range(10)]


def test_only_older_objects_are_deleted(tool):
    tool.run("put", "older/one", data=b"1")
    time.sleep(2.1)
    between = int((time.time() - 0.5) * 1000000)
    tool.run("put", "older/two", data=b"2")
    tool.run("delete-older", "older/one", between)
    tool.run("delete-older", "older/two", between, code=1)
    tool.run("delete-older", "older/none", between, code=1)
    assert keys(tool, "older/") == ["older/two"]


def ask(url, method="GET", data=None, headers=()):
    """Status and bytes of a call that has nothing but its address."""
    request = urllib.request.Request(url, data, dict(headers), method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read()


def presigned(tool, key, method, seconds=60):
    url, *lines = tool.run("presign", key, method, seconds).decode().splitlines()
    return url, [line.split(": ", 1) for line in lines]


@pytest.mark.addresses
def test_addresses_that_need_no_credentials(tool):
    url, headers = presigned(tool, "signed/one", "PUT")
    # Without one of its own, urllib says that it sends a form.
    assert ask(url, "PUT", b"sent by somebody", [*headers, ("Content-Type", "")])[0] in (200, 201)
    assert tool.run("get", "signed/one") == b"sent by somebody"
    url, headers = presigned(tool, "signed/one", "GET")
    assert headers == [] and ask(url) == (200, b"sent by somebody")


@pytest.mark.addresses
def test_such_an_address_is_for_one_object_and_one_method(tool):
    tool.run("put", "signed/two", data=b"two")
    tool.run("put", "signed/other", data=b"other")
    url, _ = presigned(tool, "signed/two", "GET")
    assert ask(url)[0] == 200
    assert ask(url.replace("signed/two", "signed/other"))[0] == 403
    assert ask(url, "PUT", b"changed", [("x-ms-blob-type", "BlockBlob")])[0] == 403
    assert ask(url.replace("=", "=0", 1))[0] in (400, 403)
    assert tool.run("get", "signed/two") == b"two"


@pytest.mark.addresses
def test_such_an_address_ends(tool):
    tool.run("put", "signed/ending", data=b"x")
    url, _ = presigned(tool, "signed/ending", "GET", 2)
    assert ask(url)[0] == 200
    time.sleep(3.1)
    assert ask(url)[0] == 403
