# SPDX-License-Identifier: Apache-2.0
"""HAProxy as etc/haproxy.cfg sets it up, with the addresses of this machine in the place of those in it."""

import os
import re
import shutil
import signal
import socket
import subprocess

from clouds.certificate import Certificate
from lib.server import ROOT, Broken, free_port, wait_for

SAMPLE = ROOT / "etc" / "haproxy.cfg"
PROGRAM = shutil.which("haproxy")


def checked(path):
    """What HAProxy says of a configuration: exit code and words."""
    done = subprocess.run([PROGRAM, "-c", "-f", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    return done.returncode, done.stdout


class Balancer:
    """In front of hosts of the API, with and without TLS, and of nodes of a database when there are some."""

    def __init__(self, folder, hosts, nodes=()):
        self.folder, self.config, self.log = folder, folder / "haproxy.cfg", folder / "haproxy.log"
        self.port, self.tls_port, self.database_port = free_port(), free_port(), free_port()
        self.hosts, self.nodes, self.process = hosts, nodes, None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def text(self):
        """The sample; without its part for the database when there are no nodes."""
        text = SAMPLE.read_text()
        if not self.nodes:
            text = text[:text.index("# --- hosts of the API to the nodes")]
        changes = [(r"bind 192\.0\.2\.10:3306$", f"bind 127.0.0.1:{self.database_port}")] if self.nodes else []
        changes += [(r"bind :80$", f"bind 127.0.0.1:{self.port}"),
                    (r"# bind :443 ssl crt /etc/haproxy/api.example.com.pem", f"bind 127.0.0.1:{self.tls_port} ssl crt {self.folder}/api.pem"),
                    (r"log /dev/log local0$", f"log {self.folder}/log.sock local0\n\tstats socket {self.folder}/stats.sock level admin")]
        changes += [(rf"192\.0\.2\.{21 + i}:8080$", f"127.0.0.1:{host.port}") for i, host in enumerate(self.hosts)]
        changes += [(rf"192\.0\.2\.{31 + i}:3306$", f"127.0.0.1:{node.port}") for i, node in enumerate(self.nodes)]
        if os.geteuid():
            changes += [(r"^\t(chroot|user|group) .*$", "")]
        for pattern, replacement in changes:
            text, count = re.subn(pattern, replacement, text, flags=re.MULTILINE)
            if not count:
                raise Broken(f"etc/haproxy.cfg has no {pattern}")
        return text

    def start(self):
        made = Certificate(self.folder / "certificate")
        self.authority = made.ca
        (self.folder / "api.pem").write_text(made.file.read_text() + made.key.read_text())
        self.config.write_text(self.text())
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([PROGRAM, "-db", "-W", "-f", self.config], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            start_new_session=True)
        wait_for(lambda: self.servers("hosts") or None, 10, "HAProxy did not start", self.process, self.log)

    def stop(self):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            self.process.wait(20)

    def ask(self, command):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(f"{self.folder}/stats.sock")
            s.sendall(command.encode() + b"\n")
            return b"".join(iter(lambda: s.recv(65536), b"")).decode()

    def statistics(self, proxy):
        """Rows of one part: a dictionary of HAProxy's names for each."""
        try:
            names, *rows = [line.split(",") for line in self.ask("show stat").splitlines() if line]
        except OSError:
            return []
        return [row for row in (dict(zip([names[0].lstrip("# "), *names[1:]], values)) for values in rows) if row["pxname"] == proxy]

    def servers(self, proxy):
        """What the checks say of each server: UP, DOWN, or on the way."""
        return {row["svname"]: row["status"] for row in self.statistics(proxy) if row["svname"] not in ("FRONTEND", "BACKEND")}

    def wait_until(self, proxy, server, status, seconds=30):
        wait_for(lambda: self.servers(proxy).get(server) == status, seconds, f"{server} is not {status}: {self.servers(proxy)}", self.process)

    def sessions(self, server):
        """How many sessions of responders are on a node at this moment."""
        return next(int(row["scur"]) for row in self.statistics("database") if row["svname"] == server)
