# SPDX-License-Identifier: Apache-2.0
"""HAProxy, as the sample sets it up, in front of two hosts of the API and between these and three nodes of Galera."""

import http.client
import itertools
import json
import os
import shutil
import signal
import ssl
import threading
import time
import urllib.request

import pytest
from balancer import PROGRAM, SAMPLE, Balancer, checked
from galera import PROVIDER, Cluster
from scenario import LIVES, Life, insist
from test_client import VERSION, chain, tools  # noqa: F401 (a fixture)
from test_cluster import creation

from commandline import CommandLine, Project, Server, wait_until
from conftest import BUILD, several_hosts
from lib.client import Access, Client, Stack, document, resource, root
from lib.policies import policy
from lib.server import Installation, children_of, wait_for

PROXY, STRANGER = "127.0.0.1", "198.51.100.7"


class Behind:
    """Where a host finds its database: at the balancer, with the passwords that a node of it knows."""

    def __init__(self, balancer, node):
        self.balancer, self.node = balancer, node

    @property
    def endpoint(self):
        return f"127.0.0.1:{self.balancer.database_port}"

    def __getattr__(self, name):
        return getattr(self.node, name)


class Balanced:
    """Two hosts behind a balancer, with the same objects and keys, over one database or over a cluster behind the balancer too."""

    def __init__(self, folder, clustered):
        self.folder = folder
        self.hosts = [Installation(BUILD, folder=folder / name) for name in "ab"]
        self.cluster = Cluster(folder / "nodes", folder / "s", networking=True) if clustered else None
        self.database = self.hosts[0].database if not clustered else None
        self.balancer = Balancer(folder, self.hosts, list(self.cluster.nodes.values()) if clustered else ())
        for host in self.hosts:
            host.database = Behind(self.balancer, self.cluster.nodes["a"]) if clustered else self.database
            host.objects, host.packs, host.keys = self.hosts[0].objects, self.hosts[0].packs, self.hosts[0].keys
            host.more.update(PULUMI_API_DOMAIN=f"127.0.0.1:{self.balancer.port}", PULUMI_TRUSTED_PROXIES=PROXY)

    def start(self):
        (self.cluster or self.database).start()
        if self.cluster:
            self.cluster.nodes["a"].sql("CREATE USER haproxy@'127.0.0.1' IDENTIFIED VIA mysql_native_password", "mysql")
        self.balancer.start()
        if self.cluster:
            for name in self.balancer.servers("database"):
                self.balancer.wait_until("database", name, "UP")
        for host in self.hosts:
            host.make_files()
            host.migrate()
            host.start_serve()
        for name in self.balancer.servers("hosts"):
            self.balancer.wait_until("hosts", name, "UP")
        self.hosts[0].make_access()
        described = json.loads(self.hosts[0].access.read_text())
        self.access_file = self.folder / "access.json"
        self.access_file.write_text(json.dumps({**described, "url": self.balancer.url}))
        self.access = Access(self.access_file)
        self.client = self.access.client()
        self.each = [Client(host.url, self.access.token) for host in self.hosts]

    def stop(self):
        for host in self.hosts:
            host.stop_serve()
        self.balancer.stop()
        (self.cluster or self.database).stop()

    def restart(self, host):
        host.start_serve()
        self.balancer.wait_until("hosts", f"api-{self.hosts.index(host) + 1}", "UP")


def balanced(request, clustered):
    if not request.config.getoption("--all-points"):
        pytest.skip("a load balancer belongs to the long matrix: --all-points")
    if not PROGRAM or not shutil.which("openssl") or (clustered and not (PROVIDER.exists() and shutil.which("rsync"))):
        pytest.skip("there is no haproxy, no openssl, no galera-4 or no rsync")
    with several_hosts("balanced-", lambda folder: Balanced(folder, clustered)) as made:
        yield made


@pytest.fixture(scope="module")
def hosts(request):
    yield from balanced(request, False)


@pytest.fixture(scope="module")
def cluster(request):
    yield from balanced(request, True)


class Callers:
    """Clients that read and write through the balancer on kept connections, and remember what did not go well."""

    def __init__(self, made, count=4):
        self.path = Stack(made.client, made.access.organization).create().path
        self.address, self.token = ("127.0.0.1", made.balancer.port), made.access.token
        self.ending, self.asked, self.failures = threading.Event(), 0, []
        self.threads = [threading.Thread(target=self.call, args=(i % 2,)) for i in range(count)]

    def call(self, writes):
        connection, request = None, ("GET", self.path, None)
        if writes:
            request = "POST", f"{self.path}/encrypt", json.dumps({"plaintext": "c2VjcmV0"})
        while not self.ending.is_set():
            try:
                connection = connection or http.client.HTTPConnection(*self.address, timeout=30)
                connection.request(*request, {"Authorization": f"token {self.token}", "Content-Type": "application/json"})
                answer = connection.getresponse()
                answer.read()
                if answer.status != 200:
                    self.failures.append((request[0], answer.status))
            except (OSError, http.client.HTTPException) as reason:
                self.failures.append((request[0], repr(reason)))
                connection = None
            self.asked += 1

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        for thread in self.threads:
            thread.join()

    def go_on(self, count=100):
        wanted = self.asked + count
        wait_for(lambda: self.asked >= wanted, 60, "the callers do not get on")


def stopped(host):
    host.stop_serve()


def reloaded(host):
    before = host.log.read_text().count("event=reloaded")
    host.process.send_signal(signal.SIGHUP)
    wait_for(lambda: host.log.read_text().count("event=reloaded") > before, 30, "no reload", host.process, host.log)


def killed(host):
    host.kill_serve()


# --- clients to the hosts ---


def test_the_sample_is_accepted(hosts):
    for path in (SAMPLE, hosts.balancer.config):
        assert checked(path)[0] == 0, checked(path)[1]


@pytest.mark.parametrize("action, most", [(stopped, 0), (reloaded, 0), (killed, 4)])
def test_a_host_takes_its_own_requests_with_it(hosts, action, most):
    """None when it ends in order; when it is killed, those that were at it: a client has one at a time, and what only reads is asked again."""
    for host in hosts.hosts:
        with Callers(hosts) as callers:
            callers.go_on()
            action(host)
            callers.go_on()
            if host.process.poll() is not None:
                hosts.restart(host)
            callers.go_on()
        assert len(callers.failures) <= most, callers.failures
        assert not [failure for failure in callers.failures if failure[0] == "GET"], callers.failures


def test_a_host_that_hangs_is_left(hosts):
    """Its port takes connections, but nothing answers the checks."""
    stuck = hosts.hosts[0]
    web = next(pid for pid, name in children_of(stuck.process.pid).items() if name == "lighttpd")
    os.kill(web, signal.SIGSTOP)
    try:
        hosts.balancer.wait_until("hosts", "api-1", "DOWN")
        for _ in range(10):
            hosts.client.get("/api/user", timeout=10).expect(200)
    finally:
        os.kill(web, signal.SIGCONT)
    hosts.balancer.wait_until("hosts", "api-1", "UP")


def test_without_any_host_the_balancer_answers_in_json(hosts):
    for host in hosts.hosts:
        host.kill_serve()
    answer = hosts.client.get("/api/user").expect_problem(503)
    assert answer.headers["Retry-After"] == "1"
    for host in hosts.hosts:
        hosts.restart(host)


def test_long_headers_and_large_bodies_pass(hosts):
    hosts.client.get("/api/user", headers={"X-Long": "x" * 20_000}).expect(200)
    stack = Stack(hosts.client, hosts.access.organization).create()
    large = document(root(stack), resource(stack, "large", outputs={"text": os.urandom(3 << 20).hex()}))
    stack.import_(large).expect(200)
    assert stack.state()["deployment"]["resources"] == large["deployment"]["resources"]


def test_the_audit_log_has_the_client_and_not_the_balancer(hosts):
    """Whatever the client itself writes into X-Forwarded-For, through the balancer or past it."""
    def ask(port, source, said):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30, source_address=(source, 0))
        project = f"t-{source}-{port}"
        connection.request("POST", f"/api/stacks/{hosts.access.organization}/{project}", json.dumps({"stackName": "dev"}),
                           {"Authorization": f"token {hosts.access.token}", "Content-Type": "application/json", "X-Forwarded-For": said})
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        connection.close()
        found = [event for event in hosts.client.get(f"/api/orgs/{hosts.access.organization}/auditlogs").expect(200).json()["auditLogEvents"]
                 if project in event["description"]]
        return [event["sourceIP"] for event in found]

    assert ask(hosts.balancer.port, "127.0.0.3", STRANGER) == ["127.0.0.3"]
    assert ask(hosts.hosts[0].port, "127.0.0.3", STRANGER) == ["127.0.0.3"]


class Rotation(threading.Thread):
    """Does something to one after the other, and waits until all is well again, until it is told to end."""

    def __init__(self, actions):
        super().__init__(daemon=True)
        self.actions, self.ending, self.times, self.failure = itertools.cycle(actions), threading.Event(), 0, None

    def run(self):
        try:
            while not self.ending.wait(0.3):
                next(self.actions)()
                self.times += 1
        except Exception as reason:  # pylint: disable=broad-except
            self.failure = reason

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.join()
        assert self.failure is None, self.failure


def up_succeeds(made, tools, tmp_path, actions, count, **environment):
    cli = CommandLine(tools, VERSION, tmp_path / "home", Server(made.access_file))
    cli.environment.update(environment)
    project = Project(cli, tmp_path / "project")
    project.init()
    project.program(chain(count))
    process = cli.start("up", "--yes", "--skip-preview", "--stack", project.reference(), cwd=project.folder)
    wait_until(lambda: len(list(cli.cloud.iterdir())) >= 2, 60)
    with Rotation(actions) as rotation:
        out, err = process.communicate(timeout=300)
    assert process.returncode == 0, out + err
    assert rotation.times >= 2
    assert sorted(project.resources()) == sorted(f"t{n}" for n in range(count))
    assert all(len(records) == 1 for records in project.resources().values())
    assert "no changes" not in project.on("preview", "--expect-no-changes").err


@pytest.mark.parametrize("action", [stopped, reloaded, killed])
def test_up_succeeds_while_hosts_come_and_go(hosts, tools, tmp_path, action):  # noqa: F811
    def actions():
        for host in hosts.hosts:
            def act(host=host):
                action(host)
                if host.process.poll() is not None:
                    hosts.restart(host)
            yield act

    up_succeeds(hosts, tools, tmp_path, actions(), 60)


def test_up_succeeds_over_tls(hosts, tools, tmp_path):  # noqa: F811
    """The command line speaks HTTP/2 then, and addresses that it is given are https."""
    def actions():
        for host in hosts.hosts:
            def act(host=host):
                stopped(host)
                hosts.restart(host)
            yield act

    balancer = hosts.balancer
    url = f"https://127.0.0.1:{balancer.tls_port}"
    up_succeeds(hosts, tools, tmp_path, actions(), 60, PULUMI_BACKEND_URL=url, SSL_CERT_FILE=str(balancer.authority))
    frontend = next(row for row in balancer.statistics("api") if row["svname"] == "FRONTEND")
    assert int(frontend["h2_headers_rcvd"]) > 60
    request = urllib.request.Request(f"{url}/api/orgs/{hosts.access.organization}/policypacks", method="POST",
                                     data=json.dumps({"name": "rules", "displayName": "Rules", "policies": [policy()]}).encode(),
                                     headers={"Authorization": f"token {hosts.access.token}", "Content-Type": "application/json"})
    with urllib.request.urlopen(request, context=ssl.create_default_context(cafile=balancer.authority)) as answer:
        assert json.loads(answer.read())["uploadURI"].startswith(f"https://127.0.0.1:{balancer.port}/")


# --- hosts to the nodes ---


@pytest.mark.parametrize("name", LIVES)
def test_sessions_on_several_nodes(cluster, name):
    for _ in range(2):
        life = Life(cluster.client, cluster.access.organization)
        life.run(name)
        assert life.ended
        life.check()


def test_responders_are_spread_over_the_nodes(cluster):
    assert all(cluster.balancer.sessions(f"node-{n}") >= 1 for n in (1, 2, 3))


def test_a_session_that_ended_while_idle_fails_nothing(cluster):
    """Not even what must not be sent twice: the responder notices before it sends."""
    stack = Stack(cluster.client, cluster.access.organization).create()
    update = stack.begin(journal=1)
    for number in range(1, 21):
        for node in (1, 2, 3):
            cluster.balancer.ask(f"shutdown sessions server database/node-{node}")
        time.sleep(0.05)
        update.journal(*creation(stack, number, 2 * number - 1)).expect()
    update.complete().expect()


def isolated(node, on):
    node.sql(f"SET GLOBAL wsrep_provider_options='gmcast.isolate={int(on)}'", "mysql")


# What befalls a node, and how it is undone.
BLOWS = {
    "killed": (lambda node: node.kill(), lambda node: node.start()),
    "stopped": (lambda node: node.stop(), lambda node: node.start()),
    "hung": (lambda node: node.process.send_signal(signal.SIGSTOP), lambda node: node.process.send_signal(signal.SIGCONT)),
    "desynced": (lambda node: node.sql("SET GLOBAL wsrep_desync=ON", "mysql"), lambda node: node.sql("SET GLOBAL wsrep_desync=OFF", "mysql")),
    "read-only": (lambda node: node.sql("SET GLOBAL read_only=ON", "mysql"), lambda node: node.sql("SET GLOBAL read_only=OFF", "mysql")),
    "isolated": (lambda node: isolated(node, True), lambda node: isolated(node, False)),
}


@pytest.mark.parametrize("blow", BLOWS)
def test_a_node_is_lost_under_an_update(cluster, blow):
    """The check notices, responders go on at other nodes, and nothing acknowledged is lost. Then the node comes back."""
    hit, undo = BLOWS[blow]
    stack = Stack(cluster.client, cluster.access.organization).create()
    update = stack.begin(journal=1)
    for number in range(1, 31):
        insist(lambda n=number: update.journal(*creation(stack, n, 2 * n - 1)))
        if number == 10:
            hit(cluster.cluster.nodes["b"])
        if number == 20:
            cluster.balancer.wait_until("database", "node-2", "DOWN")
    insist(update.complete)
    assert len(insist(stack.export).json()["deployment"]["resources"]) == 30
    assert cluster.balancer.sessions("node-2") == 0
    undo(cluster.cluster.nodes["b"])
    cluster.cluster.wait_until_settled()
    cluster.balancer.wait_until("database", "node-2", "UP", 60)
    following = stack.begin(journal=1)
    following.complete().expect()


def test_up_succeeds_while_nodes_die(cluster, tools, tmp_path):  # noqa: F811
    def actions():
        for number, node in enumerate(cluster.cluster.nodes.values(), 1):
            def act(number=number, node=node):
                node.kill()
                cluster.balancer.wait_until("database", f"node-{number}", "DOWN")
                node.start()
                cluster.cluster.wait_until_settled()
                cluster.balancer.wait_until("database", f"node-{number}", "UP", 60)
            yield act

    up_succeeds(cluster, tools, tmp_path, actions(), 60)
