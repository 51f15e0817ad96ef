# SPDX-License-Identifier: Apache-2.0
"""Two hosts over a Galera cluster: each writes to a node of its own, and the next request may reach the other host."""

import itertools
import shutil
import threading

import pytest
from galera import PROVIDER, Cluster
from scenario import LIVES, Life, insist

from conftest import BUILD, several_hosts
from lib.client import BEGIN, SUCCESS, Access, Client, Stack, entry, resource, root
from lib.server import Installation, wait_for


class Hosts(Client):
    """A client behind a load balancer: each request goes to the next host."""

    def __init__(self, ports, token, scheme="token", turns=None):
        super().__init__(f"http://127.0.0.1:{ports[0]}", token, scheme)
        self.ports, self.turns = ports, turns or itertools.cycle(ports)

    def with_token(self, token, scheme="token"):
        return Hosts(self.ports, token, scheme, self.turns)

    def send(self, *arguments):
        self.port = next(self.turns)
        return super().send(*arguments)


class TwoHosts:
    """Hosts on the nodes a and b, with the same objects and keys."""

    def __init__(self, folder):
        self.cluster = Cluster(folder / "nodes", folder / "s")
        self.hosts = [Installation(BUILD, folder=folder / name) for name in "ab"]
        for host, node in zip(self.hosts, "ab"):
            host.database, host.objects, host.keys = self.cluster.nodes[node], self.hosts[0].objects, self.hosts[0].keys

    def start(self):
        self.cluster.start()
        for host in self.hosts:
            host.make_files()
            host.migrate()
            host.start_serve()
        self.hosts[0].make_access()
        self.access = Access(self.hosts[0].access)
        self.client = Hosts([host.port for host in self.hosts], self.access.token)
        self.each = [Client(host.url, self.access.token) for host in self.hosts]

    def stop(self):
        for host in self.hosts:
            host.stop_serve()
        self.cluster.stop()


@pytest.fixture(scope="module")
def two(request):
    if not request.config.getoption("--all-points"):
        pytest.skip("a cluster belongs to the long matrix: --all-points")
    if not PROVIDER.exists() or not shutil.which("rsync"):
        pytest.skip("there is no galera-4 or no rsync")
    with several_hosts("galera-", TwoHosts) as made:
        yield made


def creation(stack, number, sequence):
    made = root(stack) if number == 1 else resource(stack, f"r{number}")
    return [{**entry(BEGIN, number), "sequenceID": sequence}, {**entry(SUCCESS, number, state=made), "sequenceID": sequence + 1}]


@pytest.mark.parametrize("name", LIVES)
def test_each_request_reaches_another_host(two, name):
    for _ in range(5):
        life = Life(two.client, two.access.organization)
        life.run(name)
        assert life.ended
        life.check()
        texts = [Stack(client, life.stack.organization, life.stack.project).text() for client in two.each]
        assert texts[0] == texts[1]


def test_batches_of_one_update_through_both_hosts_at_once(two):
    stack = Stack(two.client, two.access.organization).create()
    update = stack.begin(journal=1)
    failures = []

    def send(first):
        for number in range(first, 41, 2):
            try:
                insist(lambda n=number: update.journal(*creation(stack, n, 2 * n - 1)))
            except AssertionError as reason:
                failures.append(str(reason))

    threads = [threading.Thread(target=send, args=(first,)) for first in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    insist(update.complete)
    assert len(stack.state()["deployment"]["resources"]) == 40


def test_one_update_of_a_stack_runs_at_a_time(two):
    """Both hosts start one at the same moment: the certification of the cluster decides, and the loser hears it."""
    for _ in range(10):
        stack = Stack(two.client, two.access.organization).create()
        updates = [stack.announce() for _ in range(2)]
        answers = [None, None]

        def start(i):
            answers[i] = two.each[i].post(updates[i].path, {})

        threads = [threading.Thread(target=start, args=(i,)) for i in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(answer.status for answer in answers) == [200, 409], [str(answer) for answer in answers]


def test_a_node_dies_under_an_update(two):
    """The host on it says 503 meanwhile; the client goes on through the other. Then the node comes back."""
    stack = Stack(two.client, two.access.organization).create()
    update = stack.begin(journal=1)
    for number in range(1, 21):
        insist(lambda n=number: update.journal(*creation(stack, n, 2 * n - 1)))
        if number == 10:
            two.cluster.nodes["a"].kill()
    insist(update.complete)
    assert len(insist(stack.export).json()["deployment"]["resources"]) == 20
    assert two.each[0].get(stack.path).status == 503
    two.cluster.nodes["a"].start()
    wait_for(lambda: two.each[0].get(stack.path).status == 200, 30, "the host did not find its node again")
    assert Stack(two.each[0], stack.organization, stack.project).text() == Stack(two.each[1], stack.organization, stack.project).text()
    following = stack.begin(journal=1)
    following.complete().expect()
