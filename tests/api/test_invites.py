# SPDX-License-Identifier: Apache-2.0
"""Invites by a link that is handed over, and what the operations say that need mail, on a server that sends none."""

import uuid

import pytest


@pytest.fixture
def path(organization):
    return f"/api/orgs/{organization}/invites"


def roles_of(person):
    return {o["githubLogin"]: o["role"] for o in person.get("/api/user").expect(200).json()["organizations"]}


@pytest.mark.parametrize("role", ["member", "admin"])
def test_a_link_works_once(client, organization, anybody, new_person, path, role):
    made = client.post(f"{path}/link", {"role": role}).expect(200).json()
    secret = made["acceptInviteUrl"].rpartition("/")[2]
    assert [one["id"] for one in client.get(path).expect(200).json()["invites"] if one["id"] == made["id"]] == [made["id"]]
    assert secret not in client.get(path).body.decode()
    guest, other = (anybody.with_token(new_person()["token"]) for _ in range(2))
    assert guest.get(f"{path}/{secret}").expect(200).json() == {"name": organization, "githubLogin": organization, "avatarUrl": "", "role": role}
    guest.get(f"/api/orgs/nowhere/invites/{secret}").expect_problem(404)
    guest.patch(f"{path}/{made['id']}").expect_problem(404)
    guest.patch(f"{path}/{secret}").expect(204)
    assert roles_of(guest)[organization] == role
    other.patch(f"{path}/{secret}").expect_problem(409)
    assert organization not in roles_of(other)
    other.get(f"{path}/{secret}").expect_problem(404)


def test_a_member_does_not_use_it_up(client, anybody, new_person, path):
    secret = client.post(f"{path}/link", {"role": "member"}).expect(200).json()["acceptInviteUrl"].rpartition("/")[2]
    client.patch(f"{path}/{secret}").expect_problem(409)
    anybody.with_token(new_person()["token"]).patch(f"{path}/{secret}").expect(204)


def test_a_canceled_link(client, anybody, new_person, path):
    made = client.post(f"{path}/link", {"role": "member"}).expect(200).json()
    secret = made["acceptInviteUrl"].rpartition("/")[2]
    client.delete(f"{path}/{secret}").expect_problem(404)
    client.delete(f"{path}/{made['id']}").expect(204)
    anybody.with_token(new_person()["token"]).patch(f"{path}/{secret}").expect_problem(409)


def test_roles(client, path):
    for role in ("billing-manager", "owner", "", "Admin"):
        client.post(f"{path}/link", {"role": role}).expect_problem(400)
    client.post(f"{path}/link", {"role": "owner", "roleId": "member"}).expect(200)


def test_a_persons_own_organization_has_one_member(access, client):
    client.post(f"/api/orgs/{access.user}/invites/link", {"role": "member"}).expect_problem(400)


def test_without_mail(client, anybody, path):
    """A sentence that says who has to do what; sign-up works as ever."""
    one = {"invites": [{"email": "a@example.com", "role": "member"}]}
    for answer in (client.post(f"{path}/batch", one), client.post(f"{path}/unverified/batch", one), client.post(f"{path}/{uuid.uuid4()}/resend"),
                   client.post("/api/console/email/verification"), anybody.post("/api/console/email/forgot-password", {"email": "a@example.com"})):
        assert "SMTP_SERVER" in answer.expect_problem(403).message
    anybody.post("/api/console/email/verify", {"token": "0" * 40}).expect_problem(400)
    anybody.post("/api/console/email/reset-password", {"token": "0" * 40, "password": "long enough 1"}).expect_problem(400)
    client.get("/api/user/verified-email").expect_problem(404)
    client.get("/api/user/pending-emails").expect(204)
    assert client.get("/api/user/pending-invites").expect(200).json() == {"invites": []}
