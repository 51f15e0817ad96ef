# SPDX-License-Identifier: Apache-2.0
"""A whole installation for tests: a private MariaDB, lighttpd or Apache, responders out of a build folder.

Everything lives under one folder and on free ports. Single parts can be killed and started again, which is what
the fault tests do. What the sanitizers say about a responder is kept in files of its own; see problems().
"""

import hashlib
import json
import os
import pathlib
import pwd
import random
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
CACHE = pathlib.Path(os.environ.get("PULUMI_TEST_CACHE", pathlib.Path.home() / ".cache/pulumi-api-tests"))
LONGEST_SOCKET_FOLDER = 80  # bytes: a unix socket's path has 107
# 1 is an end with a sentence (no database at the start), 9 and 15 are signals that tests send.
CRASH = re.compile(r" what=responder pid=\d+ (?:code=(?![01]$)|signal=(?!9$|15$))")
LEAK_SETTINGS = "detect_leaks=1:handle_abort=1:exitcode=99:allocator_may_return_null=0"


class Broken(Exception):
    """The installation did not come up, or a part of it ended; the message has the log that explains it."""


def free_port():
    """One that the system gives to no outgoing connection: while a server is down, its port would be taken by another test."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def tail(path, lines=25):
    try:
        return "\n".join(pathlib.Path(path).read_text(errors="replace").splitlines()[-lines:])
    except OSError as reason:
        return f"(no log: {reason})"


def wait_for(question, seconds, otherwise, alive=None, log=None, every=0.02):
    """The first true answer. Fails with a sentence when time is up or the process ends."""
    until = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        ended = alive is not None and alive.poll() is not None
        if ended or time.monotonic() > until:
            raise Broken(f"{otherwise} ({'it ended' if ended else f'not within {seconds} s'})\n{tail(log) if log else ''}")
        time.sleep(every)


def children_of(pid):
    """Pids and names of the direct children."""
    found = {}
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            text = (entry / "stat").read_text()
        except OSError:
            continue
        name, rest = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()
        if int(rest[1]) == pid and rest[0] != "Z":
            found[int(entry.name)] = name
    return found


class Database:
    """A private MariaDB."""

    def __init__(self, folder, socket_folder):
        self.folder, self.log = folder, folder / "error.log"
        self.socket = socket_folder / "mariadb.sock"
        self.password, self.service_password = secrets.token_hex(16), secrets.token_hex(16)
        self.process, self.more = None, []
        self.user = "mysql" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name

    @property
    def endpoint(self):
        return f"unix:{self.socket}"

    def environment(self):
        """A starting MariaDB removes all temporary tables of its temporary folder, a stranger's too: each has its own."""
        return {**os.environ, "TMPDIR": str(self.folder / "tmp")}

    def own(self, path):
        if os.geteuid() == 0:
            shutil.chown(path, self.user, self.user)

    def template(self):
        """The folder of a database as mariadb-install-db makes it, which takes long: kept for this version and this account."""
        version = subprocess.run(["mariadbd", "--version"], stdout=subprocess.PIPE, check=True).stdout
        made = CACHE / f"mariadb-{hashlib.sha256(version + self.user.encode()).hexdigest()[:12]}"
        if not made.is_dir():
            CACHE.mkdir(parents=True, exist_ok=True)
            new = self.folder / "new"
            done = subprocess.run(
                ["mariadb-install-db", "--no-defaults", f"--datadir={new}", f"--user={self.user}", "--skip-test-db",
                 "--skip-name-resolve", "--auth-root-authentication-method=normal", "--innodb-log-file-size=16M"],
                env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            if done.returncode:
                raise Broken(f"mariadb-install-db failed:\n{done.stdout}")
            copied = pathlib.Path(tempfile.mkdtemp(dir=CACHE))
            subprocess.run(["cp", "-a", new, copied / "data"], check=True)
            shutil.rmtree(new)
            try:
                (copied / "data").rename(made)
            except OSError:  # another was faster
                shutil.rmtree(copied / "data")
            copied.rmdir()
        return made

    def install(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.own(self.folder)
        self.own(self.socket.parent)
        subprocess.run(["cp", "-a", "--reflink=auto", self.template(), self.folder / "data"], check=True)
        accounts = self.folder / "accounts.sql"
        accounts.touch(mode=0o600)
        accounts.write_text("".join(
            f"CREATE USER IF NOT EXISTS root@{host};\n"
            f"ALTER USER root@{host} IDENTIFIED BY '{self.password}';\n"
            f"GRANT ALL ON *.* TO root@{host} WITH GRANT OPTION;\n"
            f"CREATE USER IF NOT EXISTS pulumi_service@{host} IDENTIFIED BY '{self.service_password}';\n"
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON `pulumi`.* TO pulumi_service@{host};\n"
            for host in ("localhost", "127.0.0.1")))
        self.own(accounts)

    def start(self):
        (self.folder / "tmp").mkdir(parents=True, exist_ok=True)
        self.own(self.folder / "tmp")
        if not (self.folder / "data").is_dir():
            self.install()
        self.socket.unlink(missing_ok=True)
        self.process = subprocess.Popen(
            ["mariadbd", "--no-defaults", f"--user={self.user}", f"--datadir={self.folder}/data", f"--socket={self.socket}",
             f"--pid-file={self.folder}/mariadb.pid", "--skip-networking", "--skip-name-resolve",
             "--character-set-server=utf8mb4", "--innodb-log-file-size=16M", "--innodb-buffer-pool-size=64M",
             "--max-allowed-packet=64M", "--max-connections=200", f"--init-file={self.folder}/accounts.sql",
             f"--log-error={self.log}", *self.more],
            env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        wait_for(self.answers, 60, "MariaDB did not start", self.process, self.log)

    def answers(self):
        with socket.socket(socket.AF_UNIX) as s:
            try:
                s.connect(str(self.socket))
                return len(s.recv(1)) == 1
            except OSError:
                return False

    def sql(self, text, database="pulumi"):
        """Rows of one statement, as lists of text; run by root."""
        done = subprocess.run(["mariadb", "--no-defaults", f"--socket={self.socket}", "-uroot", "-N", "-B", database, "-e", text],
                              env={**os.environ, "MYSQL_PWD": self.password}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, check=False)
        if done.returncode:
            raise Broken(f"{text}: {done.stderr}")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def checksum(self, table):
        """The same for the same rows."""
        return self.sql(f"CHECKSUM TABLE {table}")[0][1]

    def kill(self):
        """As power loss would: nothing is flushed that was not flushed before."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()


def make_database(folder, socket_folder):
    """What PULUMI_TEST_DATABASE says: mariadb, mysql, or tidb."""
    chosen = os.environ.get("PULUMI_TEST_DATABASE", "mariadb")
    if chosen == "mysql":
        from lib.mysql import MySQL
        return MySQL(folder, socket_folder)
    if chosen == "tidb":
        from lib.tidb import TiDB
        return TiDB(folder, socket_folder)
    return Database(folder, socket_folder)


class Installation:
    """One server with everything it needs. Use it with `with`, or start() and stop()."""

    def __init__(self, build, folder=None, responders=4, web="lighttpd", environment=None, keep=False):
        self.build = pathlib.Path(build).resolve()
        self.keep = keep
        self.own_folder = folder is None
        self.folder = pathlib.Path(folder or tempfile.mkdtemp(prefix="pulumi-api-test-")).resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o711)
        self.run = self.folder / "run"
        if len(str(self.run)) > LONGEST_SOCKET_FOLDER:
            self.run = pathlib.Path(tempfile.mkdtemp(prefix="pulumi-api-run-"))
        self.objects, self.keys, self.logs = self.folder / "objects", self.folder / "keys", self.folder / "log"
        self.packs = self.folder / "policypacks"
        for path in (self.run, self.run / "db", self.objects, self.packs, self.keys, self.logs):
            path.mkdir(exist_ok=True)
        self.run.chmod(0o711)
        self.database = make_database(self.folder / "mariadb", self.run / "db")
        self.log = self.logs / "serve.log"
        self.access = self.folder / "access.json"
        self.responder_count, self.web, self.more = responders, web, dict(environment or {})
        self.port, self.process = free_port(), None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def environment(self, **more):
        """What the responders and the tools of this installation need."""
        log = f"log_path={self.logs}/sanitizer"
        return {
            **{k: v for k, v in os.environ.items() if not k.startswith(("PULUMI_", "MYSQL_"))},
            "PULUMI_DATABASE_ENDPOINT": self.database.endpoint,
            "PULUMI_DATABASE_USER_PASSWORD": self.database.service_password,
            "PULUMI_LOCAL_OBJECTS": str(self.objects),
            "PULUMI_POLICY_PACK_LOCAL_HTTP_OBJECTS": str(self.packs),
            "PULUMI_LOCAL_KEYS": str(self.keys),
            "PULUMI_MIGRATIONS_DIR": str(ROOT / "sql" / "migrations"),
            "PULUMI_API_CONFIG": str(self.folder / "pulumi-api.conf"),
            "PULUMI_API_DOMAIN": f"127.0.0.1:{self.port}",
            "PULUMI_LIBEXEC_DIR": str(self.build / "fcgi"),
            "PULUMI_BIND_ADDRESS": "127.0.0.1",
            "PULUMI_RUN_DIR": str(self.run),
            "PULUMI_ACCESS_LOG": str(self.logs / "access.log"),
            "PULUMI_WEB_SERVER": self.web,
            "PULUMI_RESPONDERS": str(self.responder_count),
            "PULUMI_API_CONTAINER_MODE": "API",
            "PULUMI_STOP_SECONDS": "10",
            "PORT": str(self.port),
            "ASAN_OPTIONS": f"{LEAK_SETTINGS}:{log}",
            "UBSAN_OPTIONS": f"print_stacktrace=1:{log}",
            **self.more, **more,
        }

    # --- parts ---

    def migrate(self, *arguments):
        done = subprocess.run([self.build / "sql" / "pulumi-migrate", *(arguments or ["up"])],
                              env=self.environment(MYSQL_ROOT_PASSWORD=self.database.password),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        if done.returncode:
            raise Broken(f"pulumi-migrate failed:\n{done.stdout}")
        return done.stdout

    def make_files(self):
        key = self.keys / "master.key"
        if not key.exists():
            key.write_bytes(secrets.token_bytes(32))
            key.chmod(0o600)
        (self.folder / "pulumi-api.conf").touch()

    def start_serve(self, **more):
        """The web server and the responders, with further settings for this run."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.build / "fcgi" / "pulumi-serve"], env=self.environment(**more), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)
        wait_for(self.serves, 60, "pulumi-serve did not come up", self.process, self.log)

    def serves(self):
        try:
            with urllib.request.urlopen(f"{self.url}/api/status", timeout=5) as answer:
                return answer.status == 200
        except (OSError, urllib.error.URLError):
            return False

    def stop_serve(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(40)
            except subprocess.TimeoutExpired:
                self.kill_serve()
                raise Broken(f"pulumi-serve did not end within 40 s of SIGTERM\n{tail(self.log)}") from None

    def responders(self):
        """Pids of the living responders."""
        return [pid for pid, name in children_of(self.process.pid).items() if name.startswith("pulumi-api.fcgi"[:15])]

    def kill_responder(self):
        pid = self.responders()[0]
        os.kill(pid, signal.SIGKILL)
        return pid

    def kill_serve(self):
        """SIGKILL to the supervisor, the web server and the responders."""
        if self.process and self.process.poll() is None:
            family = [self.process.pid, *children_of(self.process.pid)]
            for pid in family:
                try:
                    os.kill(pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            self.process.wait()
            wait_for(lambda: not any(pathlib.Path(f"/proc/{pid}").exists() and state(pid) != "Z" for pid in family), 10,
                     "killed processes are still there")

    # --- the whole ---

    def start(self, **more):
        try:
            self.make_files()
            self.database.start()
            self.migrate()
            self.start_serve(**more)
            self.make_access()
        except BaseException:
            self.keep = True
            self.stop()
            raise
        return self

    def stop(self):
        """Ends everything; what sanitizers found on the way out is in problems() afterwards."""
        try:
            self.stop_serve()
        finally:
            self.database.stop()
            if self.run.parent != self.folder:
                shutil.rmtree(self.run, ignore_errors=True)

    def kill(self):
        """As if the machine had lost its power."""
        self.kill_serve()
        self.database.kill()

    def remove(self):
        if self.own_folder and not self.keep:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()
        self.remove()

    def problems(self):
        """What the sanitizers reported, and responders that crashed."""
        found = [f"{path.name}:\n{path.read_text(errors='replace')}" for path in sorted(self.logs.glob("sanitizer.*"))
                 if re.search(r"ERROR: |runtime error: ", path.read_text(errors="replace"))]
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        for number, line in enumerate(lines):
            if "runtime error:" in line or CRASH.search(line):
                found.append("\n".join(lines[number:number + 12]))
        return found

    # --- people ---

    def post(self, path, body, token=None):
        headers = {"Content-Type": "application/json", **({"Authorization": f"token {token}"} if token else {})}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), headers, method="POST")
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as refusal:
            raise Broken(f"POST {path}: {refusal.code} {refusal.read().decode(errors='replace')}") from None

    def sign_up(self, login, organization):
        """A person with an organization of their own, as access.json describes them."""
        answer = self.post("/api/console/email/signup", {"name": login.capitalize(), "loginName": login,
                                                         "email": f"{login}@example.com", "password": secrets.token_hex(12)})
        token = answer["pulumiAccessToken"]
        self.post("/api/console/actions/new-organization", {"orgName": organization}, token)
        return {"user": login, "organization": organization, "token": token}

    def make_access(self):
        """The first user administers the installation; the second shares nothing with the first."""
        if self.access.exists():
            described = json.loads(self.access.read_text())
        else:
            described = {**self.sign_up("alice", "acme"), "other": self.sign_up("mallory", "elsewhere")}
        described.update(url=self.url, folder=str(self.folder), build=str(self.build), web=self.web,
                         database={"socket": str(self.database.socket), "password": self.database.password})
        if "PULUMI_MAX_BODY_BYTES" in self.more:
            described["max_body"] = int(self.more["PULUMI_MAX_BODY_BYTES"])
        self.access.touch(mode=0o600)
        self.access.write_text(json.dumps(described, indent=1))


def state(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"
