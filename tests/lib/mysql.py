# SPDX-License-Identifier: Apache-2.0
"""A private MySQL in the place of MariaDB, for PULUMI_TEST_DATABASE=mysql; tests/lib/get-mysql unpacks the server."""

import pathlib
import shutil
import subprocess

from lib.server import Broken, Database, wait_for


def unpacked():
    """The folder of the server; Broken when there is none to be had."""
    got = subprocess.run([pathlib.Path(__file__).with_name("get-mysql")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         check=False)
    if got.returncode:
        raise Broken(f"no MySQL here: {got.stderr}")
    return pathlib.Path(got.stdout.strip())


class MySQL(Database):
    def __init__(self, folder, socket_folder):
        super().__init__(folder, socket_folder)
        self.root = unpacked()
        # Whoever runs the tests can read the cache, the account of the database may not.
        self.user = pathlib.Path(self.folder.anchor).owner() if self.user == "mysql" else self.user

    def command(self, *arguments):
        """The server with the libraries that it was built for."""
        libraries = self.root / "usr/lib/x86_64-linux-gnu"
        loader = next(libraries.glob("ld-linux-*.so*"), None)
        if loader is None:
            raise Broken(f"{libraries} has no ld-linux-….so: not the machine that get-mysql knows")
        return [loader, "--library-path", libraries, self.root / "usr/sbin/mysqld", "--no-defaults", f"--basedir={self.root}/usr",
                f"--lc-messages-dir={self.root}/usr/share/mysql", f"--character-sets-dir={self.root}/usr/share/mysql/charsets",
                f"--plugin-dir={self.root}/usr/lib/mysql/plugin", f"--user={self.user}", f"--datadir={self.folder}/data",
                f"--log-error={self.log}", *arguments]

    def install(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(self.command("--initialize-insecure"), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode:
            shutil.rmtree(self.folder / "data", ignore_errors=True)
            raise Broken(f"mysqld --initialize-insecure failed:\n{done.stdout}{self.log.read_text() if self.log.exists() else ''}")
        accounts = self.folder / "accounts.sql"
        accounts.touch(mode=0o600)
        accounts.write_text("".join(
            f"CREATE USER IF NOT EXISTS 'root'@'{host}';\n"
            f"ALTER USER 'root'@'{host}' IDENTIFIED BY '{self.password}';\n"
            f"GRANT ALL ON *.* TO 'root'@'{host}' WITH GRANT OPTION;\n"
            f"CREATE USER IF NOT EXISTS 'pulumi_service'@'{host}' IDENTIFIED BY '{self.service_password}';\n"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON `pulumi`.* TO 'pulumi_service'@'{host}';\n"
            for host in ("localhost", "127.0.0.1")))

    def start(self):
        if not (self.folder / "data").is_dir():
            self.install()
        self.socket.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            self.command(f"--socket={self.socket}", f"--pid-file={self.folder}/mysql.pid", "--skip-networking", "--mysqlx=OFF",
                         "--secure-file-priv=NULL", f"--tmpdir={self.folder}", "--skip-name-resolve", "--performance-schema=OFF",
                         "--innodb-buffer-pool-size=64M", "--max-allowed-packet=64M", "--max-connections=200",
                         f"--init-file={self.folder}/accounts.sql", *self.more),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        wait_for(self.answers, 90, "MySQL did not start", self.process, self.log)
