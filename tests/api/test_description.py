# SPDX-License-Identifier: Apache-2.0
"""GET /api/openapi/pulumi-spec.json: what generators of clients, and `pulumi api`, need to be true of it."""

import collections
import re

import pytest


@pytest.fixture(scope="module")
def description(client):
    return client.get("/api/openapi/pulumi-spec.json").expect(200).json()


def operations(description):
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_operation_ids_are_unique(description):
    seen = collections.Counter(operation["operationId"] for _, operation in operations(description))

    assert [name for name, times in seen.items() if times > 1] == []


def test_the_parameters_of_a_path_are_those_in_its_text(description):
    for where, operation in operations(description):
        declared = [p["name"] for p in operation["parameters"] if p["in"] == "path"]
        assert declared == re.findall(r"\{([^}]+)\}", where), where
        assert all(p["required"] for p in operation["parameters"] if p["in"] == "path"), where


def test_every_reference_is_there(description):
    for name in re.findall(r"'\$ref': '#/components/schemas/(\w+)'", str(description)):
        assert name in description["components"]["schemas"], name
    for where, operation in operations(description):
        for scheme in operation.get("security", []):
            assert set(scheme) <= set(description["components"]["securitySchemes"]), where
