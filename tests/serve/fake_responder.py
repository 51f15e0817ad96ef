#!/usr/bin/env -S python3 -SE
# SPDX-License-Identifier: Apache-2.0
"""A responder for tests of pulumi-serve: no database, and slow on demand.

GET /anything?sleep=SECONDS answers after that time with a JSON object: pid, method, uri, authorization, length, caller
(its address) and sendfile (the environment's). SIGTERM ends it after the request at hand.
"""

import os
import sys

# Before what takes long to load: pulumi-serve gives a new responder half a second to end.
if os.path.exists(os.path.join(os.environ["PULUMI_RUN_DIR"], "break-responders")):
    sys.exit(1)

import json  # noqa: E402
import signal  # noqa: E402
import socket  # noqa: E402
import struct  # noqa: E402
import time  # noqa: E402
import urllib.parse  # noqa: E402

stopping = False
listener = socket.socket(fileno=os.dup(0))


def on_term(_number, _frame):
    global stopping
    stopping = True
    listener.close()


def read_exactly(connection, size):
    data = b""
    while len(data) < size:
        piece = connection.recv(size - len(data))
        if not piece:
            raise ConnectionError("the web server went away")
        data += piece
    return data


def read_record(connection):
    _version, kind, _request, size, padding, _reserved = struct.unpack("!BBHHBB", read_exactly(connection, 8))
    return kind, read_exactly(connection, size + padding)[:size]


def parse_parameters(data):
    parameters, at = {}, 0

    def length():
        nonlocal at
        if data[at] < 128:
            at += 1
            return data[at - 1]
        at += 4
        return struct.unpack("!I", data[at - 4:at])[0] & 0x7FFFFFFF

    while at < len(data):
        name_length, value_length = length(), length()
        name, value = data[at:at + name_length], data[at + name_length:at + name_length + value_length]
        parameters[name.decode()] = value.decode()
        at += name_length + value_length
    return parameters


def serve(connection):
    parameters, length = b"", 0
    while True:
        kind, data = read_record(connection)
        if kind == 4:
            parameters += data
        elif kind == 5 and data:
            length += len(data)
        elif kind == 5:
            break
    asked = parse_parameters(parameters)
    query = urllib.parse.parse_qs(urllib.parse.urlparse(asked["REQUEST_URI"]).query)
    time.sleep(float(query.get("sleep", ["0"])[0]))
    body = json.dumps({"pid": os.getpid(), "method": asked["REQUEST_METHOD"], "uri": asked["REQUEST_URI"],
                       "authorization": asked.get("HTTP_AUTHORIZATION"), "length": length, "caller": asked["REMOTE_ADDR"],
                       "sendfile": os.environ.get("PULUMI_SENDFILE")}).encode()
    head = b"Status: 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    text = head + (b"" if asked["REQUEST_METHOD"] == "HEAD" else body)
    connection.sendall(struct.pack("!BBHHBB", 1, 6, 1, len(text), 0, 0) + text +
                       struct.pack("!BBHHBB", 1, 6, 1, 0, 0, 0) + struct.pack("!BBHHBB", 1, 3, 1, 8, 0, 0) + bytes(8))


signal.signal(signal.SIGTERM, on_term)
for name, code in (("start-slowly", 0), ("break-responders-slowly", 1)):
    if os.path.exists(os.path.join(os.environ["PULUMI_RUN_DIR"], name)):
        time.sleep(2)
        if code:
            os._exit(code)
os.dup2(2, 1)
open(os.path.join(os.environ["PULUMI_RUN_DIR"], f"up-{os.getpid()}"), "w").close()
while not stopping:
    try:
        with listener.accept()[0] as one:
            serve(one)
    except OSError:
        pass
