# SPDX-License-Identifier: Apache-2.0
"""Policy packs in the words of the API: metadata, archives, and what an administrator does with them."""

import gzip
import io
import tarfile
import urllib.parse

DEFAULT = "default-policy-group"


def policy(name="no-public", level="mandatory", **more):
    return {"name": name, "displayName": name.title(), "description": "d", "enforcementLevel": level, "message": "m", **more}


def archive(text="rules"):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        info = tarfile.TarInfo("package/PulumiPolicy.yaml")
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text.encode()))
    return gzip.compress(data.getvalue(), mtime=0)


def local(url):
    """The path of an address of the server under test."""
    parts = urllib.parse.urlsplit(url)
    return f"{parts.path}?{parts.query}"


class Packs:
    """What an administrator of an organization does with its policy packs."""

    def __init__(self, client, organization):
        self.client, self.organization = client, organization
        self.path, self.groups = f"/api/orgs/{organization}/policypacks", f"/api/orgs/{organization}/policygroups"

    def begin(self, name, tag=None, *policies, **more):
        body = {"name": name, "displayName": name.title(), "policies": list(policies) or [policy()], **({"versionTag": tag} if tag else {}), **more}
        return self.client.post(self.path, body)

    def upload(self, url, data, **options):
        return self.client.with_token(None).call("PUT", local(url), raw=data, headers={"Content-Type": None, "Accept": None}, **options)

    def complete(self, name, version):
        return self.client.post(f"{self.path}/{name}/versions/{version}/complete")

    def publish(self, name, tag=None, *policies, data=None):
        made = self.begin(name, tag, *policies).expect(201).json()
        self.upload(made["uploadURI"], data or archive()).expect(200)
        self.complete(name, tag or made["version"]).expect(204)
        return made

    def list(self, query=""):
        return {p["name"]: p for p in self.client.get(self.path + query).expect(200).json()["policyPacks"]}

    def change(self, group=DEFAULT, **change):
        return self.client.patch(f"{self.groups}/{group}", change)

    def group(self, name=DEFAULT):
        return self.client.get(f"{self.groups}/{name}").expect(200).json()

    def required(self, stack, query=""):
        return self.client.get(f"{stack.path}/policypacks{query}").expect(200).json().get("requiredPolicies", [])


def reference(stack):
    return {"name": stack.name, "routingProject": stack.project}
