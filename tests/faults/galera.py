# SPDX-License-Identifier: Apache-2.0
"""A Galera cluster of three nodes on this machine: MariaDB's own, with Debian's galera-4 and rsync."""

import pathlib

from lib.server import Broken, Database, free_port, wait_for

PROVIDER = pathlib.Path("/usr/lib/galera/libgalera_smm.so")


class Node(Database):
    """One node; the first one started makes the cluster."""

    def __init__(self, folder, socket_folder, name, addresses, leader):
        super().__init__(folder, socket_folder)
        self.name, self.leader = name, leader
        listen = addresses[name]
        if leader:
            self.password, self.service_password = leader.password, leader.service_password
        self.more = ["--binlog-format=ROW", "--innodb-autoinc-lock-mode=2", "--wsrep-on=ON", f"--wsrep-provider={PROVIDER}",
                     "--wsrep-cluster-name=tests", "--wsrep-cluster-address=gcomm://" + ",".join(f"127.0.0.1:{p}" for p in addresses.values()),
                     f"--wsrep-node-name={name}", f"--wsrep-node-address=127.0.0.1:{listen}", "--wsrep-sst-method=rsync",
                     f"--wsrep-sst-receive-address=127.0.0.1:{free_port()}",
                     f"--wsrep-provider-options=gmcast.listen_addr=tcp://127.0.0.1:{listen};ist.recv_addr=127.0.0.1:{free_port()};gcache.size=32M"]

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


class Cluster:
    """Nodes a, b and c under one folder."""

    def __init__(self, folder, socket_folder):
        addresses = {name: free_port() for name in "abc"}
        self.nodes = {}
        for name in addresses:
            sockets = socket_folder / name
            sockets.mkdir(parents=True)
            self.nodes[name] = Node(folder / name, sockets, name, addresses, self.nodes.get("a"))

    def start(self):
        for node in self.nodes.values():
            node.start()

    def stop(self):
        for node in self.nodes.values():
            node.stop()
