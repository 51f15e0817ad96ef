# SPDX-License-Identifier: Apache-2.0
"""The real command line in a world of its own: one home, one project folder, one environment per test."""

import json
import os
import pathlib
import pty
import select
import signal
import subprocess
import time
import urllib.error
import urllib.request
import uuid


# How a command line can be told to save state. Journals are what newer ones do by themselves; a delta of the
# state, or the whole of it, is what older ones do.
JOURNAL = {"PULUMI_ENABLE_JOURNALING": "true"}
CHECKPOINTS = {"PULUMI_DISABLE_JOURNALING": "1"}
WHOLE = {"PULUMI_DISABLE_JOURNALING": "1", "PULUMI_OPTIMIZED_CHECKPOINT_PATCH": "false"}


class Failed(AssertionError):
    """A command ended otherwise than the test expected; the message shows all that it said."""


class Finished:
    """What a command said and how it ended."""

    def __init__(self, arguments, status, out, err):
        self.arguments, self.status, self.out, self.err = arguments, status, out, err

    @property
    def text(self):
        return self.out + self.err

    def json(self):
        return json.loads(self.out)

    def __str__(self):
        return f"pulumi {' '.join(self.arguments)} -> {self.status}\n--- out\n{self.out}\n--- err\n{self.err}"


class Server:
    """The server under test, as access.json describes it, and plain calls to it."""

    def __init__(self, path):
        access = json.loads(pathlib.Path(path).read_text())
        self.url = access["url"].rstrip("/")
        self.organization, self.user, self.token = access["organization"], access["user"], access["token"]

    def call(self, method, path, body=None, token=None, scheme="token", timeout=60):
        """The status and the decoded answer of one request."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"{scheme} {token or self.token}", "Accept": "application/vnd.pulumi+9",
                   "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, decoded(answer.read())
        except urllib.error.HTTPError as refusal:
            return refusal.code, decoded(refusal.read())


def decoded(body):
    try:
        return json.loads(body)
    except ValueError:
        return body.decode(errors="replace")


class CommandLine:
    """One version of pulumi with its own home, logged in through its environment."""

    def __init__(self, folder, version, home, server):
        self.folder, self.version, self.home, self.server = pathlib.Path(folder), version, pathlib.Path(home), server
        self.environment = {
            "PATH": f"{self.folder}:{os.environ['PATH']}",
            "HOME": str(self.home),
            "PULUMI_HOME": str(self.home / ".pulumi"),
            "PULUMI_BACKEND_URL": server.url,
            "PULUMI_ACCESS_TOKEN": server.token,
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_CONFIG_PASSPHRASE": "a passphrase",
            "PULUMI_TESTING_CLOUD": str(self.home / "cloud"),
            "NO_COLOR": "1",
            "LANG": "C.UTF-8",
            "GOGC": "off", "GOMEMLIMIT": "1GiB",  # lives of a second: most need not look for what is no longer used
        }
        (self.home / ".pulumi").mkdir(parents=True, exist_ok=True)
        (self.home / "cloud").mkdir(exist_ok=True)

    @property
    def number(self):
        """The version as a tuple, to say which features it has."""
        return tuple(int(part) for part in self.version.split("."))

    @property
    def cloud(self):
        """The provider's world outside: a file per thing."""
        return self.home / "cloud"

    def start(self, *arguments, cwd, typed=None, **extra):
        """The command, running; the caller waits for it. typed is what its standard input says."""
        environment = {**self.environment, **{k: v for k, v in extra.items() if v is not None}}
        for name in [k for k, v in extra.items() if v is None]:
            environment.pop(name, None)
        return subprocess.Popen([self.folder / "pulumi", *arguments], cwd=cwd, env=environment,
                                stdin=subprocess.DEVNULL if typed is None else subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)

    def at_terminal(self, *arguments, cwd, answers, timeout=60, **extra):
        """What a command says at a terminal of its own, where each question gets its answer."""
        master, slave = pty.openpty()
        process = subprocess.Popen([self.folder / "pulumi", *arguments], cwd=cwd, start_new_session=True,
                                   env={**self.environment, "TERM": "xterm", **extra},
                                   stdin=slave, stdout=slave, stderr=slave)
        os.close(slave)
        said, until = "", time.monotonic() + timeout
        try:
            while time.monotonic() < until and process.poll() is None:
                said += received(master)
                for question in [q for q in answers if q in said]:
                    os.write(master, answers.pop(question).encode())
            process.wait(1)
        except subprocess.TimeoutExpired:
            kill(process)
            raise Failed(f"no end after {timeout} s; it said {said!r}") from None
        finally:
            said += received(master)
            os.close(master)
        return said

    def run(self, *arguments, cwd, fails=False, timeout=300, typed=None, **extra):
        """The command's end. fails: False it must succeed, True it must fail, None either."""
        process = self.start(*arguments, cwd=cwd, typed=typed, **extra)
        try:
            out, err = process.communicate(typed, timeout=timeout)
        except subprocess.TimeoutExpired:
            kill(process)
            out, err = process.communicate()
            raise Failed(f"no end after {timeout} s: {Finished(arguments, None, out, err)}") from None
        finished = Finished(arguments, process.returncode, out, err)
        if fails is not None and fails != (process.returncode != 0):
            raise Failed(str(finished))
        if "panic:" in err or "goroutine 1 [" in err:
            raise Failed(f"the command line crashed: {finished}")
        return finished


def received(terminal):
    """What has come from a terminal within a moment."""
    if not select.select([terminal], [], [], 0.2)[0]:
        return ""
    try:
        return os.read(terminal, 65536).decode(errors="replace")
    except OSError:  # the other end is closed
        return ""


def kill(process):
    """SIGKILL to a command and the plugins that it started, which have process groups of their own."""
    for pid in [process.pid, *descendants(process.pid)]:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def descendants(pid):
    """The processes below this one."""
    below = {}
    for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = status.read_text().rsplit(")", 1)[1].split()[1]
        except OSError:
            continue
        below.setdefault(int(parent), []).append(int(status.parent.name))
    found, look = [], [pid]
    while look:
        children = below.get(look.pop(), [])
        found += children
        look += children
    return found


class Project:
    """A folder with a YAML program, and the commands on one stack of it."""

    def __init__(self, command_line, folder, name=None):
        self.cli, self.folder = command_line, pathlib.Path(folder)
        self.name = name or f"p-{uuid.uuid4().hex[:10]}"
        self.stack = "dev"
        self.folder.mkdir(parents=True, exist_ok=True)
        self.program({})

    @property
    def organization(self):
        return self.cli.server.organization

    def reference(self, stack=None):
        return f"{self.organization}/{self.name}/{stack or self.stack}"

    @property
    def path(self):
        """The stack's path in the API."""
        return f"/api/stacks/{self.reference()}"

    def program(self, resources, outputs=None, **more):
        """Writes Pulumi.yaml: JSON, which is YAML too."""
        document = {"name": self.name, "runtime": "yaml", "description": "a project of the client tests", **more}
        if resources:
            document["resources"] = resources
        if outputs:
            document["outputs"] = outputs
        (self.folder / "Pulumi.yaml").write_text(json.dumps(document, indent=1))

    def run(self, *arguments, **options):
        return self.cli.run(*arguments, cwd=self.folder, **options)

    def on(self, *arguments, **options):
        """A command with --stack."""
        return self.run(*arguments, "--stack", self.reference(), **options)

    def init(self, *arguments, **options):
        return self.run("stack", "init", self.reference(), *arguments, **options)

    def up(self, *arguments, **options):
        return self.on("up", "--yes", "--skip-preview", *arguments, **options)

    def destroy(self, *arguments, **options):
        return self.on("destroy", "--yes", "--skip-preview", *arguments, **options)

    def refresh(self, *arguments, **options):
        return self.on("refresh", "--yes", "--skip-preview", *arguments, **options)

    def export(self, *arguments):
        """The deployment that the server answers; through the command line, which takes longer, when arguments say which."""
        if arguments:
            return self.on("stack", "export", *arguments).json()["deployment"]
        status, answer = self.call("GET", "/export")
        if status != 200:
            raise Failed(f"export of {self.path}: {status} {answer}")
        return answer["deployment"]

    def resources(self):
        """The state's resources by the name in their URN, the root stack left out."""
        found = {}
        for resource in self.export().get("resources", []):
            if resource["type"] != "pulumi:pulumi:Stack" and not resource["type"].startswith("pulumi:providers:"):
                found.setdefault(name_of(resource["urn"]), []).append(resource)
        return found

    def resource(self, name):
        """The one record that the state has of this resource."""
        records = self.resources().get(name, [])
        assert len(records) == 1, f"expected one record of {name}, found {records}"
        return records[0]

    def urn(self, name, kind="testing:index:Thing"):
        return f"urn:pulumi:{self.stack}::{self.name}::{kind}::{name}"

    def outputs(self, *arguments):
        return self.on("stack", "output", "--json", *arguments).json()

    def history(self, *arguments):
        return self.on("stack", "history", "--json", *arguments).json()

    def call(self, method, suffix="", body=None, **options):
        """A plain call about this stack."""
        return self.cli.server.call(method, self.path + suffix, body, **options)


def name_of(urn):
    return urn.split("::", 3)[3]


def thing(value, options=None, **inputs):
    """A Thing of the test provider, for Project.program."""
    resource = {"type": "testing:Thing", "properties": {"value": value, **inputs}}
    if options:
        resource["options"] = options
    return resource


def things(count, size=200, value="v"):
    """Many Things with padding."""
    return {f"t{i}": thing(f"{value}{i}", size=size) for i in range(count)}


def wait_until(question, seconds=30, every=0.2):
    """The first true answer to the question."""
    until = time.monotonic() + seconds
    while True:
        answer = question()
        if answer:
            return answer
        assert time.monotonic() < until, f"not so within {seconds} s: {question}"
        time.sleep(every)
