# SPDX-License-Identifier: Apache-2.0
"""A Galera cluster of three nodes on this machine: MariaDB's own, with Debian's galera-4 and rsync."""

import pathlib

from lib.server import Broken, Database, free_port, wait_for

PROVIDER = pathlib.Path("/usr/lib/galera/libgalera_smm.so")


class Node(Database):
    """One node; the first one started makes the cluster."""

    def __init__(self, folder, socket_folder, name, addresses, leader, networking=False):
        super().__init__(folder, socket_folder)
        self.name, self.leader, self.port = name, leader, free_port() if networking else None
        listen = addresses[name]
        if leader:
            self.password, self.service_password = leader.password, leader.service_password
        self.more = ["--binlog-format=ROW", "--innodb-autoinc-lock-mode=2", "--wsrep-on=ON", f"--wsrep-provider={PROVIDER}",
                     "--wsrep-cluster-name=tests", "--wsrep-cluster-address=gcomm://" + ",".join(f"127.0.0.1:{p}" for p in addresses.values()),
                     f"--wsrep-node-name={name}", f"--wsrep-node-address=127.0.0.1:{listen}", "--wsrep-sst-method=rsync",
                     f"--wsrep-sst-receive-address=127.0.0.1:{free_port()}",
                     f"--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:{listen};ist.recv_addr=127.0.0.1:{free_port()};gcache.size=32M"]
        if networking:
            self.more += ["--skip-networking=0", "--bind-address=127.0.0.1", f"--port={self.port}"]

    def start(self):
        new = self.leader is None and not (self.folder / "data").is_dir()
        options = self.more
        self.more = [*options, *(["--wsrep-new-cluster"] if new else [])]
        super().start()
        self.more = options
        wait_for(self.ready, 60, f"node {self.name} did not join", self.process, self.log, every=0.2)

    def ready(self):
        try:
            return self.sql("SHOW STATUS LIKE 'wsrep_ready'", "mysql") == [["wsrep_ready", "ON"]]
        except Broken:
            return False


    def settled(self, size):
        """Synced, and in a cluster of that many: a node that hung does not know at once that it was left."""
        try:
            rows = self.sql("SHOW STATUS WHERE Variable_name IN ('wsrep_cluster_size', 'wsrep_local_state_comment')", "mysql")
        except Broken:
            return False
        return rows == [["wsrep_local_state_comment", "Synced"], ["wsrep_cluster_size", str(size)]]


class Cluster:
    """Nodes a, b and c under one folder; with networking each has a port, too."""

    def __init__(self, folder, socket_folder, networking=False):
        addresses = {name: free_port() for name in "abc"}
        self.nodes = {}
        for name in addresses:
            sockets = socket_folder / name
            sockets.mkdir(parents=True)
            self.nodes[name] = Node(folder / name, sockets, name, addresses, self.nodes.get("a"), networking)

    def start(self):
        for node in self.nodes.values():
            node.start()

    def wait_until_settled(self):
        for node in self.nodes.values():
            wait_for(lambda node=node: node.settled(len(self.nodes)), 60, f"node {node.name} is not where it was", node.process, node.log)

    def stop(self):
        for node in self.nodes.values():
            node.stop()
