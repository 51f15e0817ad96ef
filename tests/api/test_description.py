# SPDX-License-Identifier: Apache-2.0
"""GET /api/openapi/pulumi-spec.json: sound in itself, and, where PULUMI_VENDOR_SPEC names the vendor's own description
(which is not in this tree), the same names, methods, paths and members."""

import json
import os
import re

import pytest

import walk

# An operation that exists for each kind of update, or under two families of paths, has a suffix; how it is spelt differs.
SUFFIX = re.compile(r"(?:_|For)(?:update|preview|refresh|destroy|alias)$", re.I)

# What this server has beside the vendor's description.
OWN_OPERATIONS = {"GetStatus", "GetMetrics", "GetHealth", "EmailSignup", "NewOrganization", "GetOpenapi",
                  "GetObject", "PutObject", "GetLatestPolicyPack", "VerifyEmail", "SendEmailVerification", "ForgotPassword", "ResetPassword"}


@pytest.fixture(scope="module")
def spec(client):
    return client.get("/api/openapi/pulumi-spec.json").expect(200).json()


@pytest.fixture(scope="module")
def vendor():
    path = os.environ.get("PULUMI_VENDOR_SPEC")
    if not path:
        pytest.skip("PULUMI_VENDOR_SPEC names no description to compare with")
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def shape(path):
    """The path without the names of its placeholders."""
    return re.sub(r"\{[^}]*\}", "{}", path)


def operations_of(spec):
    return {(method.upper(), shape(path)): (path, described) for path, methods in spec["paths"].items()
            for method, described in methods.items() if isinstance(described, dict)}


def bare(described):
    """Some of the vendor's names have underscores between their words."""
    return SUFFIX.sub("", described["operationId"]).replace("_", "").lower()


def body_schema(described):
    content = described.get("requestBody", {}).get("content", {})
    return next(iter(content.values()), {}).get("schema", {})


def reply_schema(described):
    for status, reply in described.get("responses", {}).items():
        if status.startswith("2"):
            return next(iter(reply.get("content", {}).values()), {}).get("schema", {})
    return {}


def resolved(schema, spec, depth=0):
    """A schema with its references and parts put together."""
    if depth > 8 or not isinstance(schema, dict):
        return {}
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return resolved(spec["components"]["schemas"].get(name, {}), spec, depth + 1)
    merged = {"properties": dict(schema.get("properties", {})), "required": set(schema.get("required", [])), "type": schema.get("type")}
    for part in schema.get("allOf", []) + schema.get("oneOf", []) + schema.get("anyOf", []):
        more = resolved(part, spec, depth + 1)
        merged["properties"].update(more.get("properties", {}))
        merged["required"] |= set(more.get("required", []))
    return merged


def test_every_operation_has_a_name_and_a_sentence(spec):
    names = [described["operationId"] for _, described in operations_of(spec).values()]
    for (method, path), (_, described) in operations_of(spec).items():
        assert re.fullmatch(r"[A-Z][A-Za-z0-9]*(_[a-z]+)?", described["operationId"]), described["operationId"]
        assert described["summary"].endswith(".") and len(described["summary"].split()) >= 2, (method, path)
        assert "200" in described["responses"] and "default" in described["responses"]
    doubled = {name for name in names if names.count(name) > 1}
    families = {name for name in doubled if len({shape(path).replace("/preview/", "/") for (_, path), (_, d) in operations_of(spec).items()
                                                 if d["operationId"] == name}) == 1}
    assert doubled == families, "one name for two operations"


def test_placeholders_are_parameters(spec):
    for path, methods in spec["paths"].items():
        for method, described in methods.items():
            named = [p["name"] for p in described["parameters"] if p["in"] == "path"]
            assert named == re.findall(r"\{([^}]+)\}", path), (method, path)


def test_tags_in_use_are_listed_once(spec):
    listed = [tag["name"] for tag in spec["tags"]]
    used = {tag for _, described in operations_of(spec).values() for tag in described["tags"]}
    assert listed == sorted(used)
    assert all(described["tags"] for _, described in operations_of(spec).values())


def test_every_described_operation_answers(client):
    """Whatever it says to a caller without rights: it is no unknown address."""
    for op in walk.operations(client):
        answer = client.with_token(None).call(op.method, op.url({}), {} if op.schema is not None else None)
        assert answer.status not in (404, 405) or "is not an operation" not in answer.message, f"{op}: {answer}"
        assert answer.status < 500, answer


def test_names_and_methods_are_the_vendors(spec, vendor):
    theirs = operations_of(vendor)
    wrong = []
    for key, (path, described) in operations_of(spec).items():
        if key in theirs and described["tags"] != theirs[key][1]["tags"]:
            wrong.append(f"{key[0]} {path} has the tags {described['tags']}, not {theirs[key][1]['tags']}")
        if described["operationId"] in OWN_OPERATIONS:
            continue
        kind = re.search(r"/\{stack\}/(preview|refresh|destroy)/", path)
        if kind and (key[0], key[1].replace(f"/{kind.group(1)}/", "/update/")) in theirs:
            continue  # the command line always says update; the other kinds are the same here
        if key not in theirs:
            wrong.append(f"{key[0]} {path} ({described['operationId']}) is not in the vendor's description")
        elif bare(theirs[key][1]) != bare(described):
            wrong.append(f"{key[0]} {path} is called {theirs[key][1]['operationId']}, not {described['operationId']}")
    assert not wrong, "\n".join(wrong)


def absent(ours, other, spec, vendor, path=""):
    """Members that the vendor's object, and each object in it, always has, and ours has not."""
    for name, member in other["properties"].items():
        mine = {n.lower(): m for n, m in ours["properties"].items()}.get(name.lower())
        if mine is None:
            if name in other["required"]:
                yield path + name
            continue
        mine, theirs = resolved(mine, spec), resolved(member, vendor)
        if mine["properties"] and theirs["properties"]:
            yield from absent(mine, theirs, spec, vendor, f"{path}{name}.")


@pytest.mark.parametrize("which, schema_of", [("request", body_schema), ("reply", reply_schema)])
def test_members_are_the_vendors(spec, vendor, which, schema_of):
    theirs = operations_of(vendor)
    wrong = []
    for key, (path, described) in operations_of(spec).items():
        if key not in theirs:
            continue
        ours, other = resolved(schema_of(described), spec), resolved(schema_of(theirs[key][1]), vendor)
        if not ours.get("properties") or not other.get("properties"):
            continue
        known = {name.lower(): name for name in other["properties"]}
        for name, member in ours["properties"].items():
            if name.lower() not in known:
                wrong.append(f"{which} of {described['operationId']}: '{name}' is not the vendor's")
                continue
            kinds = {resolved(member, spec).get("type"), resolved(other["properties"][known[name.lower()]], vendor).get("type")} - {None}
            # Bytes in base64 are a list of numbers in the vendor's words and a string on the wire.
            if len(kinds) > 1 and kinds not in ({"integer", "number"}, {"array", "string"}):
                wrong.append(f"{which} of {described['operationId']}: '{name}' has types {sorted(kinds)}")
        if which == "request":
            for name in ours["required"] - {known.get(n.lower(), n) for n in other["required"]} - other["required"]:
                wrong.append(f"request of {described['operationId']}: '{name}' is required here only")
        else:
            wrong += [f"reply of {described['operationId']}: '{name}' is always there at the vendor's" for name in absent(ours, other, spec, vendor)]
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong)
