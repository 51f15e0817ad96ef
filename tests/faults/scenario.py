# SPDX-License-Identifier: Apache-2.0
"""Lives of a stack that may be cut off anywhere, and what must be true afterwards.

The client here does as the command line does: what may be repeated is repeated until it is answered, what may not is
given up. Every level of progress is a set of resources; what was acknowledged must be there afterwards, and at most
one level more: the one that was on its way.
"""

import http.client
import json
import secrets
import time

from lib.client import BEGIN, SUCCESS, Stack, Update, deployment, document, entry, resource, root

PATIENCE = 60


class CutOff(Exception):
    """A call that may not be repeated got no answer."""


def once(call):
    try:
        answer = call()
    except (OSError, http.client.HTTPException) as reason:
        raise CutOff(str(reason)) from None
    if answer.status >= 500:
        raise CutOff(str(answer))
    return answer.expect()


def insist(call, patience=PATIENCE):
    """Repeats while there is no answer of the API; fails on a refusal."""
    until, answer = time.monotonic() + patience, None
    while time.monotonic() < until:
        try:
            answer = call()
        except (OSError, http.client.HTTPException) as reason:
            answer = reason
        else:
            if answer.status < 500:
                return answer.expect()
        time.sleep(0.05)
    raise AssertionError(f"no answer within {patience} s: {answer}")


class Life:
    """One stack, what was acknowledged about it, and the checks afterwards."""

    def __init__(self, client, organization):
        self.stack = Stack(client, organization).create()
        self.base = [self.thing("root"), self.thing("base")]
        self.stack.import_(document(*self.base)).expect(200)
        self.levels, self.acknowledged, self.attempted, self.ended, self.versions = [self.base], 0, 0, False, 1

    def thing(self, name):
        made = root(self.stack) if name == "root" else resource(self.stack, name)
        return {**made, "outputs": {"noise": secrets.token_hex(20), "number": 12345678901234567890}}

    def say(self, resources, call, repeat=insist):
        """One step: the level that it leads to is on its way, then acknowledged."""
        self.levels.append(resources)
        self.attempted = len(self.levels) - 1
        repeat(call)
        self.acknowledged = self.attempted

    def begin(self, journal=None):
        created = once(lambda: self.stack.client.post(f"{self.stack.path}/update", {"name": self.stack.project, "runtime": "yaml"}))
        update = Update(self.stack, created.json()["updateID"])
        answer = once(lambda: update.start(journal)).json()
        update.token, update.version = answer["token"], answer["version"]
        self.versions = update.version
        return update

    # --- lives ---

    def journal(self):
        update = self.begin(journal=1)
        made, base = [], self.base
        for n in range(1, 4):
            new = self.thing(f"r{n}")
            made = [*made, new]
            entries = [{**entry(BEGIN, n), "sequenceID": 2 * n - 1}, {**entry(SUCCESS, n, state=new), "sequenceID": 2 * n}]
            self.say(made + base, lambda entries=entries: update.journal(*entries))
        insist(lambda: update.events({"sequence": 0, "timestamp": 1, "summaryEvent": {"resourceChanges": {"create": 3}}}))
        insist(lambda: update.renew())
        insist(lambda: update.complete())
        self.ended = True

    def checkpoints(self):
        update = self.begin()
        for m in (1, 2):
            resources = [*self.base, *(self.thing(f"c{n}") for n in range(m))]
            self.say(resources, lambda resources=resources: update.checkpoint(deployment(*resources)))
        insist(lambda: update.complete("failed"))
        self.ended = True

    def deltas(self):
        update = self.begin()
        resources = [*self.base, self.thing("c1")]
        text = json.dumps(document(*resources), separators=(",", ":")).encode()
        self.say(resources, lambda: update.verbatim(text, 1))
        for n in (2, 3):
            resources = [*resources, self.thing(f"c{n}")]
            added = "," + json.dumps(resources[-1], separators=(",", ":"))
            at = text.rindex(b"]}}")
            after = text[:at] + added.encode() + text[at:]
            self.say(resources, lambda at=at, added=added, after=after, n=n: update.delta([(at, at, added)], after, n))
            text = after
        insist(lambda: update.complete())
        self.ended = True

    def imported(self):
        new = [*self.base, self.thing("i")]
        self.say(new, lambda: self.stack.import_(document(*new)), once)
        self.versions += 1
        self.ended = True

    def cancelled(self):
        update = self.begin(journal=1)
        new = self.thing("x")
        self.say([new, *self.base], lambda: update.journal({**entry(BEGIN, 1), "sequenceID": 1}, {**entry(SUCCESS, 1, state=new), "sequenceID": 2}))
        insist(update.cancel)
        self.ended = True

    def superseded(self):
        first = self.begin(journal=1)
        new = self.thing("x")
        self.say([new, *self.base], lambda: first.journal({**entry(BEGIN, 1), "sequenceID": 1}, {**entry(SUCCESS, 1, state=new), "sequenceID": 2}))
        insist(lambda: first.renew(1))
        self.wait_for_lapse()
        second = self.begin()
        insist(second.complete)
        self.ended = True

    def wait_for_lapse(self):
        """A renewal whose answer was lost may still be on its way, and move the end of the lease once more."""
        until = time.monotonic() + 10
        while "currentOperation" in insist(lambda: self.stack.client.get(self.stack.path)).json():
            assert time.monotonic() < until, "a lease of one second lives on"
            time.sleep(0.05)

    # --- afterwards ---

    def run(self, name):
        try:
            getattr(self, name)()
        except CutOff:
            pass

    def state(self):
        return insist(lambda: self.stack.export()).json()["deployment"].get("resources", [])

    def cancel_what_runs(self):
        described = insist(lambda: self.stack.client.get(self.stack.path)).json()
        if "currentOperation" in described:
            assert not self.ended
            insist(Update(self.stack, described["activeUpdate"]).cancel)

    def follow(self):
        """The next update. A start that was cut off may still be on its way, in a responder that outlived its web server, and come first."""
        try:
            return self.stack.begin(journal=1)
        except AssertionError:
            if self.ended:
                raise
            self.cancel_what_runs()
            return self.stack.begin(journal=1)

    def check(self):
        """Nothing acknowledged is lost, nothing is there that nobody sent, and the stack is free for the next update."""
        wanted = self.levels[self.acknowledged:self.attempted + 1]
        assert self.state() in wanted, f"acknowledged {self.acknowledged} of {self.attempted}: {self.state()}"
        self.cancel_what_runs()
        before = self.state()
        assert before in wanted
        following = self.follow()
        found = self.state()
        assert found == before or (found in wanted and not self.ended)
        new = self.thing("next")
        following.append(entry(BEGIN, 1), entry(SUCCESS, 1, state=new))
        following.complete().expect()
        assert self.state() == [new, *found]
        self.check_versions()

    def check_versions(self):
        """Dense, each with its end and its state; one may have been started without an answer, one was made here."""
        history = self.stack.history()
        assert [u["version"] for u in history] == list(range(len(history), 0, -1))
        assert all(u["result"] in ("succeeded", "failed") for u in history), history
        assert len(history) in (self.versions + 1, self.versions + 2)
        for update in history:
            assert insist(lambda u=update: self.stack.export(u["version"])).json()["deployment"]["resources"]


LIVES = ["journal", "checkpoints", "deltas", "imported", "cancelled", "superseded"]


def spread(count, most, everything):
    """The points 1 to count, or a spread of them with both ends."""
    if everything or count <= most:
        return list(range(1, count + 1))
    return sorted({1 + round(i * (count - 1) / (most - 1)) for i in range(most)})
