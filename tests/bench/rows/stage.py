# SPDX-License-Identifier: Apache-2.0
"""What the rows need: programs, installations of the server, a second web server, looks into /proc."""

import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse

HERE = pathlib.Path(__file__).resolve().parent.parent
ROOT = HERE.parent.parent
CACHE = pathlib.Path(os.environ.get("PULUMI_TEST_CACHE", pathlib.Path.home() / ".cache/pulumi-api-tests"))
PULUMI = CACHE / "v3.259.0/pulumi"


def fail(sentence):
    sys.exit(f"bench: {sentence}")


def run(*command, **options):
    """What the command prints; ends the measurement when it fails."""
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, **options)
    if done.returncode:
        fail(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


class Installation:
    """A server that ./quickstart started on a folder of its own."""

    def __init__(self, folder, build, port, settings):
        self.folder, self.build, self.port, self.settings = folder, build, port, settings
        self.start()
        access = json.loads((folder / "access.json").read_text())
        self.url, self.organization, self.token = access["url"], access["organization"], access["token"]

    def quickstart(self, *options):
        return run(ROOT / "quickstart", *options, "--port", self.port, "--data", self.folder, "--build", self.build, cwd=ROOT,
                   env={**os.environ, **self.settings})

    def start(self):
        self.quickstart("--background")

    def stop(self):
        self.quickstart("--stop")

    def database(self):
        """Socket, user, password, name: as the programs here take them."""
        return [self.folder / "mariadb/mariadb.sock", "root", (self.folder / "passwords/root").read_text().strip(), "pulumi"]

    def sql(self, text):
        where, user, password, name = self.database()
        environment = dict(os.environ, MYSQL_PWD=password)
        return run("mariadb", "--no-defaults", "-S", where, "-u", user, "-N", name, "-e", text, env=environment).strip()

    def forget_updates(self):
        """No journal, no lock: each load begins on the same database."""
        self.sql("SET foreign_key_checks = 0; TRUNCATE journal_batches; TRUNCATE event_batches; DELETE FROM stack_locks; "
                 "UPDATE updates SET status = 'cancelled' WHERE status = 'running'")

    def responders(self):
        """Processes of this installation, from the one that keeps them."""
        parent = (self.folder / "run/pulumi-serve.pid").read_text().strip()
        return [pid for pid in processes() if parent_of(pid) == parent and name_of(pid) == "pulumi-api.fcgi"]


    def family(self):
        """All processes that a request may need: the database, and what pulumi-serve keeps."""
        parent = (self.folder / "run/pulumi-serve.pid").read_text().strip()
        return [(self.folder / "mariadb/mariadb.pid").read_text().strip(), parent] + [pid for pid in processes() if parent_of(pid) == parent]


class Connection:
    """Calls over one kept connection."""

    def __init__(self, url, token, scheme="token"):
        parts = urllib.parse.urlsplit(url)
        self.http = http.client.HTTPConnection(parts.hostname, parts.port, timeout=300)
        self.prefix, self.authorization = parts.path.rstrip("/"), f"{scheme} {token}"

    def call(self, method, path, body=None, headers=None):
        """The bytes of a 2xx answer as they arrive."""
        self.http.request(method, self.prefix + path, body, {"Authorization": self.authorization, "Content-Type": "application/json",
                                                              **(headers or {})})
        answer = self.http.getresponse()
        text = answer.read()
        if answer.status >= 300:
            fail(f"{method} {path}: {answer.status} {text[:300]!r}")
        return text


class Stage:
    """Work folder, ports and processes of one measurement."""

    def __init__(self, work, build, port, quick, other):
        self.work, self.build, self.quick, self.other = work, build, quick, other
        self.next_port, self.installations, self.children = port, [], []
        self.main = self.plain_url = None
        for name in ("files", "static", "upload"):
            (work / name).mkdir(parents=True, exist_ok=True)

    def free_port(self):
        """The next port that nothing listens on."""
        while True:
            self.next_port += 1
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.next_port - 1)):
                    return self.next_port - 1

    def compile(self):
        """The programs beside this folder."""
        for tool in ("go", "gcc", "wrk", "mariadb_config"):
            if not shutil.which(tool):
                fail(f"'{tool}' is not installed; Debian has it in golang, gcc, wrk or libmariadb-dev")
        for name in ("load", "instant"):
            run("go", "build", "-o", self.work / name, f"./{name}", cwd=HERE)
        flags = run("mariadb_config", "--cflags", "--libs").split()
        run("gcc", "-O2", HERE / "floor/floor.c", *flags, "-lpthread", "-o", self.work / "floor")
        run("gcc", "-O2", HERE / "hello/hello.c", "-lfcgi", "-o", self.work / "hello")

    def install(self, name, **settings):
        """A server with a database of its own."""
        installation = Installation(self.work / name, self.build, self.free_port(), settings)
        self.installations.append(installation)
        return installation

    @property
    def server(self):
        """The installation that most rows use."""
        if not self.main:
            self.main = self.install("server")
        return self.main

    def child(self, *command, **options):
        """A process that ends with the measurement."""
        process = subprocess.Popen([str(c) for c in command], **options)
        self.children.append(process)
        return process

    def instant(self):
        """The address of a new instant server."""
        command = self.child(self.work / "instant", "-organization", self.server.organization, stdout=subprocess.PIPE, text=True)
        return command.stdout.readline().strip()

    def plain(self):
        """The address of a web server configured like the server's own: it has the files of /static, and /hello is a hello."""
        if self.plain_url:
            return self.plain_url
        port, where = self.free_port(), self.work / "hello.sock"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(where))
            listener.listen(1024)
            for _ in range(2):
                self.child(self.work / "hello", self.work / "static", stdin=listener)
        config = self.work / "plain.conf"
        config.write_text(plain_config((self.server.folder / "run/lighttpd.conf").read_text(), self.work, where, port))
        self.child("lighttpd", "-D", "-f", config, stderr=(self.work / "plain-error.log").open("w"))
        wait_for(port)
        self.plain_url = f"http://127.0.0.1:{port}"
        return self.plain_url

    def close(self):
        for child in self.children:
            child.terminate()
            child.wait()
        for installation in self.installations:
            installation.stop()


def plain_config(text, work, where, port):
    """The server's own configuration with other addresses."""
    text = re.sub(r"server\.port = \d+", f"server.port = {port}", text)
    text = re.sub(r'server\.document-root = "[^"]*"', f'server.document-root = "{work}/static"', text)
    text = re.sub(r'server\.upload-dirs = \("[^"]*"\)', f'server.upload-dirs = ("{work}/upload")', text)
    text = re.sub(r'accesslog\.filename = "[^"]*"', f'accesslog.filename = "{work}/plain.log"', text)
    return text[:text.index("$HTTP")] + (
        f'fastcgi.server = ("/hello" => (("socket" => "{where}", "check-local" => "disable", "disable-time" => 0, '
        f'"x-sendfile" => "enable", "x-sendfile-docroot" => ("{work}/static"))))\n')


def wait_for(port):
    for _ in range(200):
        with socket.socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port)):
                return
        time.sleep(0.02)
    fail(f"nothing answers on port {port}")


# --- /proc ---

def processes():
    return [p.name for p in pathlib.Path("/proc").glob("[0-9]*")]


def stat_of(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return ""


def name_of(pid):
    """The first 15 characters are all that the kernel keeps."""
    found = re.search(r"\((.*)\)", stat_of(pid))
    return found.group(1) if found else ""


def parent_of(pid):
    fields = stat_of(pid).rpartition(")")[2].split()
    return fields[1] if fields else ""


def processor_seconds(pids):
    """What the processes have used so far."""
    return sum(int(pathlib.Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in pids) / 1e9


def ticks(pids):
    """The same for all their threads, in steps of ten milliseconds; a process that ended counts nothing."""
    fields = [stat_of(pid).rpartition(")")[2].split() for pid in pids]
    return sum(int(each[11]) + int(each[12]) for each in fields if each) / os.sysconf("SC_CLK_TCK")


def memory(pid, name):
    """VmRSS or VmHWM in bytes."""
    return int(re.search(rf"{name}:\s+(\d+)", pathlib.Path(f"/proc/{pid}/status").read_text()).group(1)) * 1024


def forget_peaks(pids):
    """VmHWM begins anew at what is resident now."""
    for pid in pids:
        pathlib.Path(f"/proc/{pid}/clear_refs").write_text("5")
