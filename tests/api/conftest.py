# SPDX-License-Identifier: Apache-2.0
"""Black-box tests over HTTP against the server that the file named by PULUMI_API_ACCESS describes.

tests/stack starts such a server; ./check api does both. Without a second person in that file (a server that
./quickstart started) one is signed up.
"""

import os
import pathlib
import sys
import uuid

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from lib.client import Access, Client, Stack  # noqa: E402


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes more than ten seconds")
    config.addinivalue_line("markers", "every_kind: once for each of update, preview, refresh and destroy")
    config.addinivalue_line("markers", "with_body: only operations that take a body")
    config.addinivalue_line("markers", "with_token: only operations for the holder of an access token")
    config.addinivalue_line("markers", "with_lease: only operations for the holder of an update's lease")


@pytest.fixture(scope="session")
def access():
    path = os.environ.get("PULUMI_API_ACCESS")
    if not path:
        pytest.exit("PULUMI_API_ACCESS must name the access.json of a running server; "
                    "tests/stack -- pytest tests/api starts one", 2)
    described = Access(path)
    if not described.other:
        described.other = sign_up(described, f"m{uuid.uuid4().hex[:10]}")
    return described


def sign_up(access, login):
    anybody = Client(access.url)
    answer = anybody.post("/api/console/email/signup", {"name": login, "loginName": login, "email": f"{login}@example.com",
                                                        "password": uuid.uuid4().hex}).expect(200).json()
    person = {"user": login, "organization": f"o{uuid.uuid4().hex[:10]}", "token": answer["pulumiAccessToken"]}
    anybody.with_token(person["token"]).post("/api/console/actions/new-organization",
                                             {"orgName": person["organization"]}).expect(200)
    return person


@pytest.fixture(scope="session")
def client(access):
    """Calls as the first user, an administrator of `organization`."""
    return access.client()


@pytest.fixture(scope="session")
def organization(access):
    return access.organization


@pytest.fixture(scope="session")
def anybody(access):
    """Calls without credentials."""
    return Client(access.url)


@pytest.fixture(scope="session")
def stranger(access):
    """Calls as a user who shares nothing with the first."""
    return access.other_client()


@pytest.fixture
def new_person(access):
    """Makes further people, each with an organization: {"user", "organization", "token"}."""
    return lambda: sign_up(access, f"p{uuid.uuid4().hex[:10]}")


@pytest.fixture
def new_stack(client, organization):
    """Makes further stacks; they are removed at the end."""
    made = []

    def make(project=None, name="dev", **more):
        made.append(Stack(client, organization, project, name).create(**more))
        return made[-1]

    yield make
    for stack in made:
        stack.cleanup()


@pytest.fixture
def stack(new_stack):
    """A new stack in a project of its own."""
    return new_stack()
