# SPDX-License-Identifier: Apache-2.0
"""A private TiDB in the place of MariaDB, for PULUMI_TEST_DATABASE=tidb; tests/lib/get-tidb builds the server."""

import hashlib
import os
import pathlib
import subprocess

from lib.server import Broken, Database, free_port, tail, wait_for


def built():
    """The server; Broken when there is none to be had."""
    got = subprocess.run([pathlib.Path(__file__).with_name("get-tidb")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         check=False)
    if got.returncode:
        raise Broken(f"no TiDB here: {got.stderr}")
    return pathlib.Path(got.stdout.strip())


class TiDB(Database):
    """One server with its storage inside: what was committed is on disk. There are no TiKV and no PD."""

    def __init__(self, folder, socket_folder):
        super().__init__(folder, socket_folder)
        self.program, self.port, self.status_port = built(), free_port(), free_port()
        self.log = self.folder / "tidb.log"

    @property
    def endpoint(self):
        return f"127.0.0.1:{self.port}"

    def start(self):
        new = not (self.folder / "data").is_dir()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.socket.unlink(missing_ok=True)
        with open(self.folder / "output.log", "ab") as output:
            self.process = subprocess.Popen(
                [self.program, "-store", "unistore", "-path", self.folder / "data", "-host", "127.0.0.1", "-P", str(self.port),
                 "-status", str(self.status_port), "-status-host", "127.0.0.1", "-socket", self.socket, "-log-file", self.log, "-L", "error",
                 *self.more],
                cwd=self.folder, env=self.environment(), stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True)
        wait_for(self.answers, 90, "TiDB did not start", self.process, self.folder / "output.log")
        if new:
            self.make_accounts()

    def kill(self):
        """
        SIGTERM: connections end in the middle of what they do, but what was acknowledged stays. After SIGKILL the storage inside
        this program has forgotten acknowledged commits, with nothing but SQL in play; that is TiKV's to keep, which is not here.
        """
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                super().kill()

    def checksum(self, table):
        """It has no CHECKSUM TABLE; what it calls so depends on the number of the table."""
        done = subprocess.run(["mariadb", "--no-defaults", f"--socket={self.socket}", "-uroot", "-N", "-B", "pulumi", "-e", f"SELECT * FROM {table}"],
                              env={**os.environ, "MYSQL_PWD": self.password}, stdout=subprocess.PIPE, check=True)
        return hashlib.sha256(b"\n".join(sorted(done.stdout.splitlines()))).hexdigest()

    def make_accounts(self):
        """Its root has no password at first. The account of the server is made by pulumi-migrate."""
        done = subprocess.run(["mariadb", "--no-defaults", f"--socket={self.socket}", "-uroot", "-e",
                               f"ALTER USER 'root'@'%' IDENTIFIED BY '{self.password}'"],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode:
            raise Broken(f"the password of root: {done.stdout}\n{tail(self.log)}")
