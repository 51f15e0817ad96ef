# SPDX-License-Identifier: Apache-2.0
"""Policy packs and groups, and the addresses at which archives are uploaded and downloaded."""

import gzip
import threading
import time
import urllib.parse
import uuid

import pytest

from lib.client import Stack
from lib.policies import DEFAULT, Packs, archive, local, policy, reference

SCHEMA = {"type": "object", "properties": {"most": {"type": "integer", "default": 3}, "owner": {"type": "string"},
                                           "size": {"type": "string", "enum": ["small", "large"]}}, "required": ["owner", "most"]}


@pytest.fixture
def admin(new_person, access):
    """An organization of its own: groups and packs hold for all stacks of one."""
    person = new_person()
    return Packs(access.client().with_token(person["token"]), person["organization"])


@pytest.fixture
def member(admin, access, client):
    """Somebody who belongs to the organization and does not administer it."""
    admin.client.post(f"/api/orgs/{admin.organization}/members/{access.user}", {"role": "member"}).expect()
    return Packs(client, admin.organization)


@pytest.fixture
def stack(admin):
    return Stack(admin.client, admin.organization).create()


class TestPublishing:
    def test_life(self, admin):
        made = admin.begin("rules", "1.0.0", policy(), policy("tidy", "advisory", configSchema=SCHEMA), metadata={"a": "b"}, runtime="python",
                           tags=["x"], readme="r").expect(201).json()
        assert made["version"] == 1 and "requiredHeaders" not in made
        assert admin.list() == {}
        admin.client.get(f"{admin.path}/rules/versions/1.0.0").expect_problem(400)
        assert admin.complete("rules", "1.0.0").expect_problem(400).message.startswith("Bad Request: nothing was uploaded")
        admin.upload(made["uploadURI"], archive()).expect(200)
        admin.complete("rules", "1.0.0").expect(204)
        assert admin.list() == {"rules": {"name": "rules", "displayName": "Rules", "versions": [1], "versionTags": ["1.0.0"]}}
        for version in ("1.0.0", "1", "latest"):
            shown = admin.client.get(f"{admin.path}/rules/versions/{version}").expect(200).json()
            assert (shown["version"], shown["versionTag"], shown["applied"]) == (1, "1.0.0", False)
            assert shown["policies"] == [policy(), policy("tidy", "advisory", configSchema=SCHEMA)]
        assert admin.client.get(f"{admin.path}/rules/latest").expect(200).json() == shown
        schema = admin.client.get(f"{admin.path}/rules/versions/1.0.0/schema").expect(200).json()
        assert schema == {"configSchema": {"tidy": SCHEMA}}
        assert "already published" in admin.complete("rules", "1.0.0").expect_problem(400).message

    def test_versions_count_up_and_tags_are_used_once(self, admin):
        admin.publish("rules", "1.0.0")
        assert admin.publish("rules")["version"] == 2
        assert admin.publish("rules", "0.9")["version"] == 3
        admin.publish("other", "1.0.0")
        assert admin.list()["rules"] == {"name": "rules", "displayName": "Rules", "versions": [1, 2, 3], "versionTags": ["1.0.0", "", "0.9"]}
        assert list(admin.list("?policypack=other")) == ["other"] and admin.list("?policypack=none") == {}
        admin.begin("rules", "1.0.0").expect_problem(409)
        admin.client.delete(f"{admin.path}/rules/versions/1.0.0").expect(200)
        assert admin.list()["rules"]["versions"] == [2, 3]
        # Who downloaded it has it for good: another one of that name would never arrive there.
        admin.begin("rules", "1.0.0").expect_problem(409)
        admin.client.delete(f"{admin.path}/rules").expect(200)
        assert "rules" not in admin.list()
        admin.client.delete(f"{admin.path}/rules").expect_problem(404)
        assert admin.publish("rules", "2.0.0")["version"] == 4

    def test_a_failed_upload_can_be_begun_again(self, admin):
        first = admin.begin("rules", "1.0.0").expect(201).json()
        second = admin.begin("rules", "1.0.0").expect(201).json()
        assert second["version"] == first["version"] + 1
        admin.upload(first["uploadURI"], archive("old")).expect(200)
        admin.complete("rules", "1.0.0").expect_problem(400)
        admin.upload(second["uploadURI"], archive("new")).expect(200)
        admin.complete("rules", "1.0.0").expect(204)
        third = admin.begin("rules", "1.1.0").expect(201).json()
        admin.client.delete(f"{admin.path}/rules/versions/{third['version']}").expect(200)
        admin.begin("rules", "1.1.0").expect(201)

    @pytest.mark.parametrize("data", [b"", b"no archive", archive()[:-5], archive() + b"more", gzip.compress(b"x")[:12]])
    def test_what_is_no_whole_archive(self, admin, data):
        made = admin.begin("rules", "1").expect(201).json()
        admin.upload(made["uploadURI"], data).expect(200)
        assert "no whole gzip archive" in admin.complete("rules", "1").expect_problem(400).message
        assert admin.list() == {}
        admin.upload(made["uploadURI"], archive()).expect(200)
        admin.complete("rules", "1").expect(204)

    def test_completed_twice_at_once(self, admin):
        made = admin.begin("rules", "1").expect(201).json()
        admin.upload(made["uploadURI"], archive()).expect(200)
        answers = []
        threads = [threading.Thread(target=lambda: answers.append(admin.complete("rules", "1").status)) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert answers.count(204) == 1 and set(answers) <= {204, 400, 409}, answers

    @pytest.mark.parametrize("change, word", [
        ({"policies": []}, "at least one policy"), ({"policies": [policy(), policy()]}, "twice"), ({"policies": [policy(level="strict")]}, "enforcementLevel"),
        ({"policies": [policy(severity="awful")]}, "severity"), ({"policies": [{"name": ""}]}, "name"), ({"policies": [5]}, "object"),
        ({"policies": [policy(configSchema=[])]}, "configSchema"), ({"policies": [policy(configSchema={"properties": {"a": 5}})]}, "properties"),
        ({"policies": [policy(configSchema={"required": "a"})]}, "required"), ({"policies": {}}, "list"), ({"name": "a b"}, "name"), ({"name": ".."}, "name"),
        ({"name": "x" * 101}, "name"), ({"versionTag": "1 0"}, "versionTag"), ({"versionTag": "latest"}, "versionTag"), ({"displayName": "x" * 256}, "displayName")])
    def test_bad_packs(self, admin, change, word):
        body = {"name": "rules", "displayName": "R", "versionTag": "1", "policies": [policy()], **change}
        assert word in admin.client.post(admin.path, body).expect_problem(400).message
        assert admin.begin("rules", "1").expect(201).json()["version"] == 1


class TestAddresses:
    def test_a_published_pack_never_changes(self, admin, stack):
        made = admin.publish("rules", "1", data=archive("first"))
        admin.change(addPolicyPack={"name": "rules"}).expect(204)
        admin.upload(made["uploadURI"], archive("second")).expect(200)
        admin.complete("rules", "1").expect_problem(400)
        [required] = admin.required(stack)
        answer = admin.client.with_token(None).get(local(required["packLocation"]), headers={"Accept-Encoding": "gzip"}).expect(200)
        assert answer.raw == archive("first") and answer.headers.get("Content-Encoding") is None
        assert int(answer.headers["Content-Length"]) == len(answer.raw)

    def test_only_what_it_was_made_for(self, admin, stack):
        anybody = admin.client.with_token(None)
        put = local(admin.begin("other", "1").expect(201).json()["uploadURI"])
        admin.publish("rules", "1")
        admin.change(addPolicyPack={"name": "rules"}).expect(204)
        get = local(admin.required(stack)[0]["packLocation"])
        anybody.call("PUT", get, raw=b"x").expect_problem(403)
        anybody.get(put).expect_problem(403)
        fields = dict(urllib.parse.parse_qsl(get.partition("?")[2]))
        assert set(fields) == {"store", "object", "expires", "key", "signature"}
        wrong = {"store": "checkpoints", "object": dict(urllib.parse.parse_qsl(put.partition("?")[2]))["object"], "expires": str(int(fields["expires"]) + 1),
                 "key": str(uuid.uuid4()), "signature": fields["signature"][:-1] + ("0" if fields["signature"][-1] != "0" else "1")}
        for name, value in wrong.items():
            anybody.get(f"/api/objects?{urllib.parse.urlencode({**fields, name: value})}").expect_problem(403)
            without = {k: v for k, v in fields.items() if k != name}
            assert name in anybody.get(f"/api/objects?{urllib.parse.urlencode(without)}").expect_problem(400).message
        for value in ("../../etc/passwd", "/etc/passwd", "", "x" * 3000, "a\nb"):
            anybody.get(f"/api/objects?{urllib.parse.urlencode({**fields, 'object': value})}").expect_problem(400, 403)
        anybody.get(get).expect(200)

    def test_a_token_is_neither_needed_nor_enough(self, admin):
        made = admin.begin("rules", "1").expect(201).json()
        broken = local(made["uploadURI"])[:-1] + "x"
        admin.client.call("PUT", broken, raw=archive()).expect_problem(403)

    def test_more_than_a_pack_may_have(self, admin):
        made = admin.begin("rules", "1").expect(201).json()
        admin.upload(made["uploadURI"], bytes((64 << 20) + 1)).expect_problem(413)
        admin.complete("rules", "1").expect_problem(400)


class TestGroups:
    def test_every_organization_has_the_default_one(self, admin, stack):
        expected = {"name": DEFAULT, "isOrgDefault": True, "numStacks": 1, "entityType": "stacks", "mode": "preventative", "numEnabledPolicyPacks": 0}
        assert admin.client.get(admin.groups).expect(200).json()["policyGroups"] == [expected]
        assert admin.group() == {"name": DEFAULT, "isOrgDefault": True, "entityType": "stacks", "mode": "preventative", "stacks": [reference(stack)],
                                 "appliedPolicyPacks": [], "accounts": []}
        assert admin.client.get(f"{stack.path}/policygroups").expect(200).json()["policyGroups"] == [expected]

    def test_life(self, admin, stack):
        admin.client.post(admin.groups, {"name": "strict", "entityType": "stacks"}).expect(204)
        admin.client.post(admin.groups, {"name": "strict", "entityType": "stacks"}).expect_problem(409)
        admin.client.post(admin.groups, {"name": DEFAULT, "entityType": "stacks"}).expect_problem(409)
        admin.client.post(admin.groups, {"name": "clouds", "entityType": "accounts", "agentPoolId": "pool"}).expect(204)
        assert (admin.group("clouds")["mode"], admin.group("clouds")["agentPoolId"]) == ("audit", "pool")
        admin.change("strict", addStack=reference(stack)).expect(204)
        admin.change("strict", addStack=reference(stack)).expect(204)
        assert admin.group("strict")["stacks"] == [reference(stack)]
        names = [g["name"] for g in admin.client.get(f"{stack.path}/policygroups").expect(200).json()["policyGroups"]]
        assert names == [DEFAULT, "strict"]
        admin.change("strict", newName="stricter").expect(204)
        admin.client.get(f"{admin.groups}/strict").expect_problem(404)
        admin.change("stricter", removeStack=reference(stack)).expect(204)
        admin.change("stricter", removeStack=reference(stack)).expect_problem(404)
        admin.client.delete(f"{admin.groups}/stricter").expect(204)
        admin.client.delete(f"{admin.groups}/stricter").expect_problem(404)
        admin.client.delete(f"{admin.groups}/{DEFAULT}").expect_problem(400)
        admin.change(newName="mine").expect_problem(400)

    def test_stacks_leave_the_default_group_and_come_back(self, admin, stack):
        second = Stack(admin.client, admin.organization).create()
        admin.change(removeStack=reference(stack)).expect(204)
        assert admin.group()["stacks"] == [reference(second)]
        admin.change(addStack=reference(stack)).expect(204)
        assert len(admin.group()["stacks"]) == 2
        admin.change(stacks=[reference(second)]).expect(204)
        assert admin.group()["stacks"] == [reference(second)]
        admin.change(stacks=[]).expect(204)
        assert admin.group()["stacks"] == []
        third = Stack(admin.client, admin.organization).create()
        assert admin.group()["stacks"] == [reference(third)]
        [listed] = admin.client.get(admin.groups).expect(200).json()["policyGroups"]
        assert listed["numStacks"] == 1

    def test_packs_of_a_group(self, admin):
        admin.publish("rules", "1", policy("tidy", "advisory", configSchema=SCHEMA))
        admin.publish("rules", "2")
        config = {"tidy": {"enforcementLevel": "mandatory", "owner": "me"}}
        admin.change(addPolicyPack={"name": "rules", "versionTag": "1", "config": config, "environments": ["a/b"]}).expect(204)
        [applied] = admin.group()["appliedPolicyPacks"]
        assert applied == {"name": "rules", "displayName": "Rules", "version": 1, "versionTag": "1", "config": config, "environments": ["a/b"]}
        assert admin.client.get(f"{admin.path}/rules/versions/1").json()["applied"] is True
        admin.client.delete(f"{admin.path}/rules/versions/1").expect_problem(409)
        admin.client.delete(f"{admin.path}/rules").expect_problem(400)
        admin.change(addPolicyPack={"name": "rules", "versionTag": ""}).expect(204)
        [applied] = admin.group()["appliedPolicyPacks"]
        assert applied == {"name": "rules", "displayName": "Rules", "version": 2, "versionTag": "2"}
        admin.change(removePolicyPack={"name": "rules", "versionTag": "1"}).expect_problem(404)
        admin.change(removePolicyPack={"name": "rules"}).expect(204)
        admin.change(removePolicyPack={"name": "rules"}).expect_problem(404)
        admin.change(policyPacks=[{"name": "rules", "version": 2}]).expect(204)
        assert [p["version"] for p in admin.group()["appliedPolicyPacks"]] == [2]
        admin.change(policyPacks=[]).expect(204)
        assert admin.group()["appliedPolicyPacks"] == []
        admin.client.delete(f"{admin.path}/rules").expect(200)

    def test_many_changes_or_none(self, admin, stack):
        admin.publish("rules", "1")
        path = f"{admin.groups}/{DEFAULT}/batch"
        admin.client.patch(path, [{"addPolicyPack": {"name": "rules"}}, {"removeStack": reference(stack)}, {"addPolicyPack": {"name": "none"}}]).expect_problem(404)
        assert admin.group()["appliedPolicyPacks"] == [] and admin.group()["stacks"] == [reference(stack)]
        admin.client.patch(path, [{"addPolicyPack": {"name": "rules"}}, {"removeStack": reference(stack)}]).expect(204)
        assert len(admin.group()["appliedPolicyPacks"]) == 1 and admin.group()["stacks"] == []
        for body in ([], [5], {}, [{"newName": 5}], [{}]):
            admin.client.patch(path, body).expect_problem(400)

    @pytest.mark.parametrize("group", [DEFAULT, "others"])
    def test_many_stacks(self, admin, stack, group):
        """More than one statement takes; added and taken out by turns, named twice, and one that is not there, or not in."""
        stacks = [Stack(admin.client, admin.organization, stack.project, f"s{n}").create() for n in range(103)]
        everyone, path = [reference(s) for s in stacks], f"{admin.groups}/{group}/batch"

        def there():
            return sorted(s["name"] for s in admin.group(group)["stacks"] if s["name"] != "dev")

        def names(few):
            return sorted(s.name for s in few)

        if group == DEFAULT:
            admin.client.patch(path, [{"stacks": []}]).expect(204)
        else:
            admin.client.post(admin.groups, {"name": group, "entityType": "stacks"}).expect(204)
        assert there() == []
        admin.client.patch(path, [{"addStack": one} for one in everyone + everyone[:2]]).expect(204)
        assert there() == names(stacks)
        turns = [{"removeStack": everyone[0]}, {"addStack": everyone[0]}, {"removeStack": everyone[1]}, {"stacks": everyone[:60]}, {"removeStack": everyone[0]},
                 {"addStack": everyone[61]}, {"newName": group}, {"removeStack": everyone[5]}]
        admin.client.patch(path, turns).expect(204)
        kept = stacks[1:5] + stacks[6:60] + stacks[61:62]
        assert there() == names(kept)
        gone = {"name": "none", "routingProject": stack.project}
        for change in ([{"addStack": one} for one in everyone[:70] + [gone]], [{"removeStack": everyone[1]}, {"addStack": gone}], [{"stacks": everyone + [gone]}]):
            assert "none" in admin.client.patch(path, change).expect_problem(404).message
            assert there() == names(kept)
        for change in ([{"removeStack": everyone[1]}] * 2, [{"removeStack": one} for one in everyone[1:5] + everyone[:1]]):
            answer = admin.client.patch(path, change)
            assert answer.status == (204 if group == DEFAULT else 404), answer
            assert group == DEFAULT or f"{stack.project}/{(everyone[1] if len(change) == 2 else everyone[0])['name']}" in answer.message
        assert there() == names(kept if group != DEFAULT else stacks[6:60] + stacks[61:62])

    @pytest.mark.parametrize("config, word", [
        ({"tidy": "mandatory"}, "object"), ({"tidy": {"owner": 5}}, "owner"), ({"tidy": {"owner": "o", "most": 1.5}}, "most"), ({"tidy": {"most": 1}}, "owner"),
        ({"tidy": {"owner": "o", "size": "huge"}}, "size"), ({"none": {}}, "none"), ({"tidy": {"owner": "o", "enforcementLevel": "strict"}}, "enforcementLevel"),
        ({"all": {"enforcementLevel": 5}}, "enforcementLevel"), (None, "owner"), ({}, "owner")])
    def test_configurations_that_the_command_line_would_refuse_later(self, admin, config, word):
        admin.publish("rules", "1", policy("tidy", "advisory", configSchema=SCHEMA), policy())
        answer = admin.change(addPolicyPack={"name": "rules", **({} if config is None else {"config": config})}).expect_problem(400)
        assert word in answer.message
        assert admin.group()["appliedPolicyPacks"] == []
        good = {"tidy": {"owner": "o", "size": "small", "unknown": [1]}, "all": {"enforcementLevel": "disabled"}, "no-public": None}
        admin.change(addPolicyPack={"name": "rules", "config": good}).expect(204)

    @pytest.mark.parametrize("change, status", [
        ({}, 400), ({"addStack": {"name": "none", "routingProject": "none"}}, 404), ({"addStack": "x"}, 400), ({"addStack": {"name": "dev"}}, 400),
        ({"addPolicyPack": {"name": "none"}}, 404), ({"addPolicyPack": {"name": "rules", "versionTag": "9"}}, 404), ({"addPolicyPack": []}, 400),
        ({"addPolicyPack": {"name": "begun"}}, 404), ({"addPolicyPack": {"name": "begun", "version": 1}}, 400), ({"addPolicyPack": {"name": "rules", "config": []}}, 400),
        ({"addInsightsAccount": {"name": "a"}}, 404), ({"insightsAccounts": ["a"]}, 404), ({"stacks": {}}, 400), ({"stacks": [5]}, 400), ({"newName": "a b"}, 400),
        ({"policyPacks": [{"name": "none"}]}, 404), ({"agentPoolId": "a b"}, 400)])
    def test_bad_changes(self, admin, stack, change, status):
        admin.publish("rules", "1")
        admin.begin("begun", "1").expect(201)
        admin.change(addPolicyPack={"name": "rules"}).expect(204)
        before = admin.group()
        admin.change(**change).expect_problem(status)
        assert admin.group() == before

    def test_an_account_group_has_no_stacks(self, admin, stack):
        admin.client.post(admin.groups, {"name": "clouds", "entityType": "accounts"}).expect(204)
        admin.change("clouds", addStack=reference(stack)).expect_problem(400)
        admin.change("clouds", insightsAccounts=[]).expect(204)


class TestRequirements:
    def test_in_the_answer_that_announces_an_update(self, admin, stack):
        def announce(kind="update"):
            body = {"name": stack.project, "runtime": "yaml", "options": {}, "config": {}, "metadata": {}}
            return admin.client.post(f"{stack.path}/{kind}", body).expect(200).json()

        assert "requiredPolicies" not in announce()
        admin.publish("rules", "1")
        admin.change(addPolicyPack={"name": "rules", "config": {"no-public": {"enforcementLevel": "advisory"}}}).expect(204)
        for kind in ("update", "preview", "refresh", "destroy"):
            [required] = announce(kind)["requiredPolicies"]
            location = required.pop("packLocation")
            assert required == {"name": "rules", "version": 1, "versionTag": "1", "displayName": "Rules", "config": {"no-public": {"enforcementLevel": "advisory"}}}
            assert admin.client.with_token(None).get(local(location)).expect(200).raw == archive()
        admin.change(removeStack=reference(stack)).expect(204)
        assert "requiredPolicies" not in announce()
        stack.cleanup()

    def test_one_version_of_each_pack(self, admin, stack):
        for tag in ("1", "2"):
            admin.publish("rules", tag)
        admin.publish("more")
        for name in ("a", "b"):
            admin.client.post(admin.groups, {"name": name, "entityType": "stacks"}).expect(204)
            admin.change(name, addStack=reference(stack)).expect(204)
        admin.change(addPolicyPack={"name": "rules", "versionTag": "2", "config": {"all": {"enforcementLevel": "disabled"}}}).expect(204)
        admin.change("a", addPolicyPack={"name": "rules", "versionTag": "1"}).expect(204)
        admin.change("b", addPolicyPack={"name": "more"}).expect(204)
        assert [(r["name"], r["version"], r["versionTag"], "config" in r) for r in admin.required(stack)] == [("more", 1, "", False), ("rules", 2, "2", True)]
        admin.change("b", addPolicyPack={"name": "rules", "versionTag": "2"}).expect(204)
        assert [(r["name"], "config" in r) for r in admin.required(stack)] == [("more", False), ("rules", False)]

    def test_modes(self, admin, stack):
        admin.publish("rules", "1")
        admin.client.post(admin.groups, {"name": "watched", "entityType": "stacks", "mode": "audit"}).expect(204)
        admin.change("watched", addStack=reference(stack), addPolicyPack={"name": "rules"}).expect(204)
        assert len(admin.required(stack)) == len(admin.required(stack, "?mode=audit")) == 1 and admin.required(stack, "?mode=preventative") == []
        admin.client.get(f"{stack.path}/policypacks?mode=x").expect_problem(400)
        body = {"name": stack.project, "runtime": "yaml", "options": {}, "config": {}, "metadata": {}}
        assert "requiredPolicies" not in admin.client.post(f"{stack.path}/update", body).expect(200).json()
        stack.cleanup()

    def test_a_stack_that_leaves_the_organization(self, admin, new_person, access):
        other = new_person()
        stack = Stack(admin.client, admin.organization).create()
        admin.client.post(admin.groups, {"name": "strict", "entityType": "stacks"}).expect(204)
        admin.publish("rules", "1")
        admin.change("strict", addStack=reference(stack), addPolicyPack={"name": "rules"}).expect(204)
        me = admin.client.get("/api/user").expect(200).json()["githubLogin"]
        theirs = access.client().with_token(other["token"])
        theirs.post(f"/api/orgs/{other['organization']}/members/{me}", {"role": "admin"}).expect()
        admin.client.post(f"{stack.path}/transfer", {"toOrg": other["organization"]}).expect(204)
        assert admin.group("strict")["stacks"] == []
        moved = Stack(theirs, other["organization"], stack.project, stack.name)
        assert Packs(theirs, other["organization"]).required(moved) == []


class TestRights:
    def test_a_member_reads_and_changes_nothing(self, admin, member, stack):
        made = admin.publish("rules", "1")
        admin.change(addPolicyPack={"name": "rules"}).expect(204)
        assert "rules" in member.list() and member.group()["appliedPolicyPacks"] and member.required(stack)
        member.client.get(f"{member.path}/rules/versions/1/schema").expect(200)
        member.begin("rules", "2").expect_problem(403)
        member.complete("rules", "1").expect_problem(403)
        member.client.delete(f"{member.path}/rules").expect_problem(403)
        member.client.delete(f"{member.path}/rules/versions/1").expect_problem(403)
        member.client.post(member.groups, {"name": "g", "entityType": "stacks"}).expect_problem(403)
        member.change(removePolicyPack={"name": "rules"}).expect_problem(403)
        member.client.patch(f"{member.groups}/{DEFAULT}/batch", [{"removePolicyPack": {"name": "rules"}}]).expect_problem(403)
        member.client.delete(f"{member.groups}/{DEFAULT}").expect_problem(403)
        assert made["version"] == 1 and admin.group()["appliedPolicyPacks"]

    def test_names_of_others_are_not_found(self, admin, new_person, access, stack):
        person = new_person()
        other = Packs(access.client().with_token(person["token"]), person["organization"])
        admin.publish("rules", "1")
        assert other.list() == {}
        other.client.get(f"{other.path}/rules/versions/1").expect_problem(404)
        other.change(addPolicyPack={"name": "rules"}).expect_problem(404)
        other.change(addStack=reference(stack)).expect_problem(404)
        other.publish("rules", "1")
        assert other.list()["rules"]["versions"] == [1]

    def test_what_the_audit_log_says(self, admin):
        admin.publish("rules", "1")
        admin.change(addPolicyPack={"name": "rules"}).expect(204)
        admin.change(removePolicyPack={"name": "rules"}).expect(204)
        admin.client.delete(f"{admin.path}/rules/versions/1").expect(200)
        log = admin.client.get(f"/api/orgs/{admin.organization}/auditlogs?startTime={int(time.time()) + 60}").expect(200).json()["auditLogEvents"]
        events = [e["event"] for e in log]
        for event in ("policy-pack-created", "policy-pack-enabled", "policy-pack-disabled", "policy-pack-deleted", "policy-group-updated"):
            assert event in events, events
        assert not [e for e in log if "signature" in str(e)], log

    def test_the_registry(self, admin, member):
        admin.publish("rules", "1", policy("a"), policy("b", "advisory"), policy("c"))
        admin.publish("other")
        shown = admin.client.get(f"/api/orgs/{admin.organization}/registry/policypacks/rules").expect(200).json()
        pack = shown["policyPack"]
        assert len(shown["policies"]) == 3 and uuid.UUID(pack.pop("id"))
        assert pack == {"source": "private", "publisher": admin.organization, "name": "rules", "displayName": "Rules", "version": "1", "accessLevel": "full",
                        "enforcementLevels": ["advisory", "mandatory"]}
        admin.client.get(f"/api/orgs/{admin.organization}/registry/policypacks/rules?tag=7").expect_problem(404)

        def listed(**body):
            return [p["name"] for p in admin.client.post("/api/registry/policypacks", body).expect(200).json()["policyPacks"]]

        assert listed() == [] and listed(access="private") == ["other", "rules"]
        admin.publish("rules", "2")
        [newest] = [p for p in admin.client.post("/api/registry/policypacks", {"access": "private"}).expect(200).json()["policyPacks"] if p["name"] == "rules"]
        assert (newest["version"], newest["publisher"], newest["enforcementLevels"]) == ("2", admin.organization, ["mandatory"])
        admin.change(addPolicyPack={"name": "rules"}).expect(204)
        assert listed(orgLogin=admin.organization) == ["rules"] and listed(orgLogin="nobody") == [] and listed(ids=["x"]) == []
        admin.client.post("/api/registry/policypacks", {"access": "all"}).expect_problem(400)
