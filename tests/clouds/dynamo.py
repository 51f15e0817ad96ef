# SPDX-License-Identifier: Apache-2.0
"""Tables of DynamoDB in two published stand-ins: moto, which checks signatures, and DynamoDB Local, which is Amazon's own engine."""

import http.client
import json
import os
import socket
import subprocess
import sys
import uuid

from aws import REGION, signed
from lib.server import wait_for
from proxy import Proxy

SETTING = "PULUMI_AUDIT_LOGS_DYNAMO_TABLE"

# DynamoDB Local listens on every address and cannot be told otherwise: it gets a network of its own, and this passes
# what arrives on a socket in the file system on to it.
RELAY = """
import socket, sys, threading
def copy(a, b):
    while data := a.recv(65536):
        b.sendall(data)
    b.shutdown(socket.SHUT_WR)
def both(a):
    b = socket.create_connection(("127.0.0.1", 8000))
    threading.Thread(target=copy, args=(a, b), daemon=True).start()
    copy(b, a)
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen(64)
while True:
    threading.Thread(target=both, args=(s.accept()[0],), daemon=True).start()
"""


def keys(hash_name, range_name):
    return [{"AttributeName": hash_name, "KeyType": "HASH"}] + ([{"AttributeName": range_name, "KeyType": "RANGE"}] if range_name else [])


def table_of(name, hash_name="org_id", range_name="timestamp_id", index="org_user", index_hash="org_user_id", index_range="timestamp_id",
             projection="ALL", types=None):
    """The body of CreateTable; without arguments the right one."""
    names = {hash_name, range_name, *((index_hash, index_range) if index else ())} - {None}
    body = {"TableName": name, "BillingMode": "PAY_PER_REQUEST", "KeySchema": keys(hash_name, range_name),
            "AttributeDefinitions": [{"AttributeName": n, "AttributeType": (types or {}).get(n, "S")} for n in sorted(names)]}
    if index:
        body["GlobalSecondaryIndexes"] = [{"IndexName": index, "KeySchema": keys(index_hash, index_range),
                                           "Projection": {"ProjectionType": projection}}]
    return body


class Keeper:
    """A service with a table, and a proxy between it and the server."""

    def call(self, operation, **body):
        """Status and answer of one call past the proxy, signed by code of its own."""
        data = json.dumps(body).encode()
        headers = {**signed("POST", "127.0.0.1", "/", "", data, "dynamodb", self.keys), "X-Amz-Target": f"DynamoDB_20120810.{operation}",
                   "Content-Type": "application/x-amz-json-1.0"}
        connection = self.proxy.connection()
        connection.request("POST", "/", data, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text or b"{}")

    def make(self, **shape):
        """A new table; its name."""
        name = f"t{uuid.uuid4().hex[:12]}"
        status, answer = self.call("CreateTable", **table_of(name, **shape))
        assert status == 200, answer
        return name

    def items(self, table):
        """All items, each as a dictionary of texts."""
        found, more = [], {}
        while True:
            status, answer = self.call("Scan", TableName=table, ConsistentRead=True, **more)
            assert status == 200, answer
            found += [{name: next(iter(value.values())) for name, value in item.items()} for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                return found
            more = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}

    def settings(self, table, port=None):
        return {SETTING: table, "AWS_REGION": REGION, "AWS_ENDPOINT_URL_DYNAMODB": f"http://127.0.0.1:{port or self.proxy.port}",
                "AWS_ACCESS_KEY_ID": self.keys[0], "AWS_SECRET_ACCESS_KEY": self.keys[1], "AWS_EC2_METADATA_DISABLED": "true"}


def operation(request):
    return request.headers.get("X-Amz-Target", "").rpartition(".")[2]


class InMoto(Keeper):
    name = "moto"

    def __init__(self, moto):
        self.keys, self.proxy = moto.keys, Proxy(moto.port)

    def stop(self):
        self.proxy.close()


class SocketProxy(Proxy):
    """Its service is behind a socket in the file system."""

    def connection(self):
        made = http.client.HTTPConnection("127.0.0.1", 80, timeout=60)
        made.sock = socket.socket(socket.AF_UNIX)
        made.sock.settimeout(60)
        made.sock.connect(str(self.target))
        return made


class Local(Keeper):
    name, keys = "local", ("AKIALOCAL", "a-secret-of-the-tests")

    def __init__(self, cache, folder):
        self.folder, self.lib = folder, cache / "dynamodb-local/lib"
        self.socket = folder / "dynamodb.sock"
        self.process = self.proxy = None

    def start(self):
        script = ('ip link set lo up && { "$PYTHON" -c "$RELAY" "$SOCKET" & '
                  'exec java -Xmx256m -Djava.library.path="$LIB" -cp "$LIB/*" com.amazonaws.services.dynamodbv2.local.main.ServerRunner '
                  '-inMemory -sharedDb -port 8000 -disableTelemetry; }')
        log = open(self.folder / "dynamodb.log", "wb")
        self.process = subprocess.Popen(
            ["unshare", *(["--net"] if os.geteuid() == 0 else ["--map-root-user", "--net"]), "--pid", "--fork", "--kill-child", "sh", "-c", script],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, start_new_session=True,
            env={**os.environ, "PYTHON": sys.executable, "RELAY": RELAY, "SOCKET": str(self.socket), "LIB": str(self.lib)})
        self.proxy = SocketProxy(self.socket)
        wait_for(self.answers, 60, "DynamoDB Local did not start", self.process, self.folder / "dynamodb.log", every=0.2)

    def answers(self):
        try:
            return self.call("ListTables")[0] == 200
        except (OSError, ValueError, http.client.HTTPException):
            return False

    def stop(self):
        self.proxy.close()
        self.process.kill()
        self.process.wait(20)
