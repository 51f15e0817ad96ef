# SPDX-License-Identifier: Apache-2.0
"""Calls to AWS's services, signed by code of their own, and the stand-in moto that checks signatures."""

import datetime
import hashlib
import hmac
import http.client
import json
import os
import re
import subprocess
import urllib.parse

from lib.server import free_port, wait_for

REGION = "eu-central-1"
BUCKET = "pulumi-checkpoints"
ALLOW_ALL = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
TRUST_ALL = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}'


def signed(method, host, path, query, body, service, keys, now=None):
    """Headers of a request; keys None: only what tells moto which service is meant."""
    now = now or datetime.datetime.now(datetime.timezone.utc)
    stamp, day = now.strftime("%Y%m%dT%H%M%SZ"), now.strftime("%Y%m%d")
    digest = hashlib.sha256(body).hexdigest()
    headers = {"host": host, "x-amz-content-sha256": digest, "x-amz-date": stamp}
    names = ";".join(headers)
    canonical = "\n".join([method, path, query, *(f"{k}:{v}" for k, v in headers.items()), "", names, digest])
    scope = f"{day}/{REGION}/{service}/aws4_request"
    key = ("AWS4" + (keys[1] if keys else "none")).encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = "\n".join(["AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    headers["Authorization"] = (f"AWS4-HMAC-SHA256 Credential={keys[0] if keys else 'none'}/{scope}, SignedHeaders={names}, "
                                f"Signature={signature}")
    return headers


def ask(port, method, path, query, body, service, keys, more=None):
    """Status and text of one call."""
    host = f"127.0.0.1:{port}"
    connection = http.client.HTTPConnection(host, timeout=60)
    headers = signed(method, host, path, query, body, service, keys)
    if service != "s3":
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    headers.update(more or {})
    connection.request(method, path + ("?" + query if query else ""), body, headers)
    answer = connection.getresponse()
    text = answer.read().decode(errors="replace")
    connection.close()
    return answer.status, text


class S3:
    """What both S3 stand-ins share: a bucket, keys that may use it, and the settings of a server that does."""

    name, scheme = "s3", "s3"
    compares_digests = True

    def form(self, service, **values):
        status, text = ask(self.port, "POST", "/", "", urllib.parse.urlencode(values).encode(), service, self.keys)
        assert status == 200, f"{values}: {status} {text}"
        return text

    def make_bucket(self):
        configuration = f"<CreateBucketConfiguration><LocationConstraint>{REGION}</LocationConstraint></CreateBucketConfiguration>"
        status, text = ask(self.port, "PUT", f"/{BUCKET}", "", configuration.encode(), "s3", self.keys)
        assert status == 200, text

    def where(self, port=None, bucket=BUCKET):
        return f"s3://{bucket}?region={REGION}&endpoint=127.0.0.1:{port or self.port}&disableSSL=true&s3ForcePathStyle=true"

    def credentials(self):
        return {"AWS_ACCESS_KEY_ID": self.keys[0], "AWS_SECRET_ACCESS_KEY": self.keys[1], "AWS_EC2_METADATA_DISABLED": "true"}

    def wrong_credentials(self):
        """Settings that are wrong, and what must be said about them."""
        good = self.credentials()
        return [({**good, "AWS_SECRET_ACCESS_KEY": "wrong"}, "SignatureDoesNotMatch"),
                ({**good, "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE"}, "InvalidAccessKeyId"),
                ({"AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent"}, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")]

    @staticmethod
    def short_pages(_):
        """A page has a thousand keys by itself."""

    @staticmethod
    def is_object_call(request):
        return request.path.startswith(f"/{BUCKET}/")

    @staticmethod
    def is_last_call(request):
        return request.method == "POST" and "uploadId=" in request.path

    @staticmethod
    def is_part_call(request):
        return request.method == "PUT" and "partNumber=" in request.path


class Moto(S3):
    name = "moto"
    compares_digests = False

    def __init__(self, cache, folder):
        self.program, self.folder, self.port = cache / "moto/bin/moto_server", folder, free_port()
        self.process = self.keys = None

    # The first calls are not checked: they make the account with which everything else is signed.
    def start(self):
        log = open(self.folder / "moto.log", "wb")
        self.process = subprocess.Popen([self.program, "-H", "127.0.0.1", "-p", str(self.port)], stdout=log, stderr=log,
                                        env={**os.environ, "INITIAL_NO_AUTH_ACTION_COUNT": "3"})
        wait_for(self.answers, 60, "moto did not start", self.process, self.folder / "moto.log", every=0.2)
        self.form("iam", Action="CreateUser", UserName="pulumi")
        text = self.form("iam", Action="CreateAccessKey", UserName="pulumi")
        self.form("iam", Action="PutUserPolicy", UserName="pulumi", PolicyName="all", PolicyDocument=ALLOW_ALL)
        self.keys = (re.search("<AccessKeyId>(.*?)<", text)[1], re.search("<SecretAccessKey>(.*?)<", text)[1])
        self.make_bucket()
        self.form("iam", Action="CreateRole", RoleName="keeper", AssumeRolePolicyDocument=TRUST_ALL)
        self.form("iam", Action="PutRolePolicy", RoleName="keeper", PolicyName="all", PolicyDocument=ALLOW_ALL)

    role = "arn:aws:iam::123456789012:role/keeper"

    def deny(self, what="s3:*"):
        """From now on the account may not do that."""
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": what, "Resource": "*"}]}
        self.form("iam", Action="PutUserPolicy", UserName="pulumi", PolicyName="less", PolicyDocument=json.dumps(policy))

    def allow(self):
        ask(self.port, "POST", "/", "", b"Action=DeleteUserPolicy&UserName=pulumi&PolicyName=less", "iam", self.keys)

    def kms(self, operation, **values):
        status, text = ask(self.port, "POST", "/", "", json.dumps(values).encode(), "kms", self.keys,
                           {"X-Amz-Target": f"TrentService.{operation}", "Content-Type": "application/x-amz-json-1.1"})
        assert status == 200, f"{operation} {values}: {status} {text}"
        return json.loads(text or "{}")

    def make_key(self):
        """The ARN of a new key."""
        return self.kms("CreateKey", Description="seals data keys")["KeyMetadata"]["Arn"]

    def answers(self):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/moto-api/data.json")
            return connection.getresponse().status == 200
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait(20)


class Minio(S3):
    name = "minio"
    keys = ("pulumi", "a-secret-of-the-tests")

    def __init__(self, cache, folder):
        self.program, self.folder, self.port = cache / "minio", folder, free_port()
        self.process = None

    def start(self):
        log = open(self.folder / "minio.log", "ab")
        self.process = subprocess.Popen(
            [self.program, "server", "--address", f"127.0.0.1:{self.port}", self.folder / "minio"], stdout=log, stderr=log,
            env={**os.environ, "MINIO_ROOT_USER": self.keys[0], "MINIO_ROOT_PASSWORD": self.keys[1], "MINIO_BROWSER": "off",
                 "MINIO_SITE_REGION": REGION})
        wait_for(self.answers, 60, "MinIO did not start", self.process, self.folder / "minio.log", every=0.2)
        if not (self.folder / "minio" / BUCKET).is_dir():
            self.make_bucket()

    def change(self, secret):
        self.stop()
        self.keys = (self.keys[0], secret)
        self.start()

    def deny(self):
        """From now on the key is no key."""
        self.change("another-secret-of-the-tests")

    def allow(self):
        if self.keys != Minio.keys:
            self.change(Minio.keys[1])

    def answers(self):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            connection.request("GET", "/minio/health/ready")
            return connection.getresponse().status == 200
        except OSError:
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
