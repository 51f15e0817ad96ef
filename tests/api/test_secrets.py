# SPDX-License-Identifier: Apache-2.0
"""Secrets of a stack: encrypt and decrypt, one by one and many at once."""

import base64
import concurrent.futures
import json
import os

import pytest

MOST = 10000  # values of one call, LIMIT_SECRETS


def b64(data):
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()


def encrypt(stack, data):
    return stack.client.post(f"{stack.path}/encrypt", {"plaintext": b64(data)}).expect(200).json()["ciphertext"]


def decrypt(stack, ciphertext):
    answer = stack.client.post(f"{stack.path}/decrypt", {"ciphertext": ciphertext}).expect(200).json()
    assert list(answer) == ["plaintext"]
    return base64.b64decode(answer["plaintext"], validate=True)


def batch_encrypt(stack, values):
    return stack.client.post(f"{stack.path}/batch-encrypt", {"plaintexts": values}, compress=True)


def batch_decrypt(stack, values):
    return stack.client.post(f"{stack.path}/batch-decrypt", {"ciphertexts": values}, compress=True)


@pytest.mark.parametrize("data", [b"s3cret", b"", b"\x00\xff\xfe\r\n", "ünïcödé".encode(), b"x", b"xy", os.urandom(100_000)],
                         ids=["text", "empty", "bytes", "utf-8", "1", "2", "100 kB"])
def test_what_is_encrypted_comes_back(stack, data):
    ciphertext = encrypt(stack, data)
    assert b64(base64.b64decode(ciphertext, validate=True)) == ciphertext
    assert data == b"" or len(data) < 6 or data not in base64.b64decode(ciphertext)
    assert decrypt(stack, ciphertext) == data
    assert encrypt(stack, data) != ciphertext


def test_null_is_the_empty_value(stack):
    """What a Go client makes of a nil slice."""
    ciphertext = stack.client.post(f"{stack.path}/encrypt", {"plaintext": None}).expect(200).json()["ciphertext"]
    assert decrypt(stack, ciphertext) == b""
    made = batch_encrypt(stack, [None, ""]).expect(200).json()["ciphertexts"]
    assert batch_decrypt(stack, made).expect(200).json() == {"plaintexts": {made[0]: "", made[1]: ""}}
    assert batch_encrypt(stack, None).expect(200).json() == {"ciphertexts": []}
    assert batch_encrypt(stack, []).expect(200).json() == {"ciphertexts": []}
    assert batch_decrypt(stack, None).expect(200).json() == {"plaintexts": {}}
    assert batch_decrypt(stack, []).expect(200).json() == {"plaintexts": {}}


def test_names_match_without_case(stack):
    ciphertext = stack.client.post(f"{stack.path}/encrypt", {"PlainText": b64("a"), "more": 1}).expect(200).json()["ciphertext"]
    assert decrypt(stack, ciphertext) == b"a"


@pytest.mark.parametrize("name, body", [("encrypt", {"plain": "QQ=="}), ("decrypt", {"plaintext": "QQ=="}), ("encrypt", {}),
                                        ("batch-encrypt", {"plaintext": []}), ("batch-decrypt", {"plaintexts": []})])
def test_a_missing_member_is_not_an_empty_one(stack, name, body):
    answer = stack.client.post(f"{stack.path}/{name}", body).expect_problem(400)
    assert "is required" in answer.message


@pytest.mark.parametrize("text", ["QQ", "QQ=", "Q Q=", "QR==", "QQ==\n", "-_-_", "QQ==QQ==", "QQ===", "=", "s3cret-value!"])
def test_base64_is_strict(stack, text):
    for name, body in (("encrypt", {"plaintext": text}), ("batch-encrypt", {"plaintexts": ["QQ==", text]}),
                       ("decrypt", {"ciphertext": text}), ("batch-decrypt", {"ciphertexts": [text]})):
        answer = stack.client.post(f"{stack.path}/{name}", body).expect_problem(400)
        assert "s3cret" not in answer.message


@pytest.mark.parametrize("count", [1, 1000, MOST])
def test_batches_keep_their_order(stack, count):
    values = [b64(f"value {i}") for i in range(count)]
    made = batch_encrypt(stack, values).expect(200).json()["ciphertexts"]
    assert len(made) == len(set(made)) == count
    assert batch_decrypt(stack, made).expect(200).json()["plaintexts"] == dict(zip(made, values))
    assert decrypt(stack, made[-1]) == f"value {count - 1}".encode()


def test_too_many_values(stack):
    for name, member in (("batch-encrypt", "plaintexts"), ("batch-decrypt", "ciphertexts")):
        answer = stack.client.post(f"{stack.path}/{name}", {member: ["QQ=="] * (MOST + 1)}, compress=True).expect_problem(400)
        assert str(MOST) in answer.message


def test_repeated_ciphertexts_collapse(stack):
    one, two = encrypt(stack, "1"), encrypt(stack, "2")
    assert batch_decrypt(stack, [one, two, one, one]).expect(200).json() == {"plaintexts": {one: b64("1"), two: b64("2")}}


def test_the_key_of_the_answer_is_the_text_that_was_sent(stack):
    """Escapes included: they are the same text."""
    ciphertext = next(c for c in iter(lambda: encrypt(stack, "1"), None) if "/" in c)
    raw = json.dumps({"ciphertexts": [ciphertext]}).replace("/", "\\/").encode()
    answer = stack.client.post(f"{stack.path}/batch-decrypt", raw=raw).expect(200)
    assert answer.json() == {"plaintexts": {ciphertext: b64("1")}}


def test_one_that_does_not_open_fails_all(stack):
    good = [encrypt(stack, f"{i}") for i in range(3)]
    bad = bytearray(base64.b64decode(good[1]))
    bad[-1] ^= 1
    for strange in (b64(bytes(bad)), "", "AQ==", b64(b"\x01" + bytes(28)), b64(b"\x02" + base64.b64decode(good[0])[1:])):
        answer = batch_decrypt(stack, [good[0], strange, good[2]]).expect_problem(400)
        assert "plaintexts" not in answer.json() and "not made for this stack" in answer.message
        stack.client.post(f"{stack.path}/decrypt", {"ciphertext": strange}).expect_problem(400)


def test_no_byte_can_be_changed(stack):
    sealed = base64.b64decode(encrypt(stack, "s3cret"))
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 0x40]) + sealed[at + 1:]
        stack.client.post(f"{stack.path}/decrypt", {"ciphertext": b64(changed)}).expect_problem(400)
        stack.client.post(f"{stack.path}/decrypt", {"ciphertext": b64(sealed[:at])}).expect_problem(400)


def test_another_stack_opens_nothing(stack, new_stack):
    """Neither one that has a key nor one that never made a secret."""
    ciphertext = encrypt(stack, "s3cret")
    other, fresh = new_stack(stack.project, "other"), new_stack(stack.project, "fresh")
    encrypt(other, "its own")
    for there in (other, fresh):
        answer = there.client.post(f"{there.path}/decrypt", {"ciphertext": ciphertext}).expect_problem(400)
        assert "not made for this stack" in answer.message and "s3cret" not in answer.message
        batch_decrypt(there, [ciphertext]).expect_problem(400)
    assert decrypt(stack, ciphertext) == b"s3cret"


def test_a_stack_of_the_same_name_is_another_stack(stack):
    ciphertext = encrypt(stack, "s3cret")
    stack.delete().expect(204)
    stack.create()
    stack.client.post(f"{stack.path}/decrypt", {"ciphertext": ciphertext}).expect_problem(400)
    assert decrypt(stack, encrypt(stack, "new")) == b"new"


def test_strangers_see_no_stack(stack, stranger, anybody):
    ciphertext = encrypt(stack, "s3cret")
    for name, body in (("encrypt", {"plaintext": "QQ=="}), ("decrypt", {"ciphertext": ciphertext}),
                       ("batch-encrypt", {"plaintexts": []}), ("batch-decrypt", {"ciphertexts": [ciphertext]}),
                       ("decrypt/log-decryption", {"secretName": "a"}), ("decrypt/log-batch-decryption", {"commandName": "a"})):
        stranger.post(f"{stack.path}/{name}", body).expect_problem(404)
        anybody.post(f"{stack.path}/{name}", body).expect_problem(401)
        stack.client.post(f"{stack.path}x/{name}", body).expect_problem(404)


def test_first_secrets_at_once(stack, new_stack):
    """Many responders make the key of a stack at the same moment: one key remains, and all opens."""
    for there in [stack] + [new_stack() for _ in range(7)]:
        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            made = list(pool.map(lambda i, there=there: encrypt(there, f"value {i}"), range(12)))
        opened = batch_decrypt(there, made).expect(200).json()["plaintexts"]
        assert opened == {c: b64(f"value {i}") for i, c in enumerate(made)}


def test_large_values(stack):
    """40 MB of base64 in one call."""
    values = [b64(os.urandom(1 << 20)) for _ in range(30)]
    made = batch_encrypt(stack, values).expect(200).json()["ciphertexts"]
    assert batch_decrypt(stack, made).expect(200).json()["plaintexts"] == dict(zip(made, values))


def test_decryptions_elsewhere_are_noted(stack):
    stack.client.post(f"{stack.path}/decrypt/log-decryption", {"secretName": "proj:pw"}).expect(200, 204)
    stack.client.post(f"{stack.path}/decrypt/log-batch-decryption", {"commandName": "pulumi config"}).expect(200, 204)
    stack.client.post(f"{stack.path}/decrypt/log-decryption", {"secretName": 1}).expect_problem(400)
