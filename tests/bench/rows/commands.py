# SPDX-License-Identifier: Apache-2.0
"""The real command line: up and destroy of a program of Stash resources, on each side."""

import concurrent.futures
import gzip
import json
import os
import subprocess
import time
import urllib.request

from rows.measure import Row, Series, alternate
from rows.stage import PULUMI, Connection, fail

SAVING = "up and destroy"


def program(stage, name, count):
    """A folder with a program of so many resources with a value of 1 KB each."""
    folder = stage.work / name
    folder.mkdir(exist_ok=True)
    resources = {f"r{i}": {"type": "pulumi:index:Stash", "properties": {"input": f"{i:05} {hash_text(i)}{'ordinary words ' * 32}"[:1000]}}
                 for i in range(count)}
    (folder / "Pulumi.yaml").write_text(json.dumps({"name": name, "runtime": "yaml", "resources": resources}))
    return folder


def hash_text(number):
    """About 500 letters that hardly compress."""
    return "".join(f"{pow(7, number * 31 + i, 2**61 - 1):x}" for i in range(1, 34))


class Side:
    """One backend, with a home of its own for the command line. The stack is always `dev`."""

    def __init__(self, stage, name, url, organization, token):
        self.name, self.url, self.organization, self.token = name, url, organization, token
        self.home = stage.work / f"home-{name.replace(' ', '-')}"
        self.environment = dict(os.environ, HOME=str(self.home), PULUMI_HOME=str(self.home), PULUMI_BACKEND_URL=url,
                                PULUMI_ACCESS_TOKEN=token, PULUMI_SKIP_UPDATE_CHECK="true", PULUMI_CONFIG_PASSPHRASE="a passphrase",
                                PATH=f"{PULUMI.parent}:{os.environ['PATH']}", NO_COLOR="1")
        self.home.mkdir(exist_ok=True)

    def pulumi(self, folder, *command, **extra):
        """Seconds that the command took."""
        began = time.monotonic()
        done = subprocess.run([PULUMI, *command, "--non-interactive", "--stack", self.stack(folder)], cwd=folder,
                              env={**self.environment, **extra}, capture_output=True, text=True)
        if done.returncode:
            fail(f"{self.name}: pulumi {' '.join(command)}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        return time.monotonic() - began

    def stack(self, folder):
        return f"{self.organization}/{folder.name}/dev"

    def init(self, folder):
        began = time.monotonic()
        self.environment.pop("PULUMI_STACK", None)
        done = subprocess.run([PULUMI, "stack", "init", "--non-interactive", self.stack(folder)], cwd=folder, env=self.environment,
                              capture_output=True, text=True)
        if done.returncode:
            fail(f"{self.name}: pulumi stack init\n{done.stdout}{done.stderr}")
        return time.monotonic() - began

    def at_once(self, folders, *command, **extra):
        """Seconds until the last of the commands, one in each folder, has ended."""
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(len(folders)) as pool:
            list(pool.map(lambda folder: self.pulumi(folder, *command, **extra), folders))
        return time.monotonic() - began


def sides_of(stage):
    """Made once for a measurement: {name: Side}."""
    if not PULUMI.exists():
        fail(f"{PULUMI} is missing; tests/clients/get-tools 3.259.0 builds it")
    if not hasattr(stage, "sides"):
        server = stage.server
        sides = [Side(stage, "server", server.url, server.organization, server.token),
                 Side(stage, "instant", stage.instant(), server.organization, "any"),
                 Side(stage, "file", f"file://{stage.work}/files", "organization", "")]
        for path in stage.other:
            access = json.loads(path.read_text())
            sides.append(Side(stage, path.stem, access["url"], access["organization"], access["token"]))
        stage.sides = {side.name: side for side in sides}
    return stage.sides


def give_states(sides, folders):
    """The instant server is told the states that the server has: from them it lets a stack be destroyed."""
    server, instant = sides["server"], sides["instant"]
    for folder in folders:
        path = server.stack(folder)
        text = Connection(server.url, server.token).call("GET", f"/api/stacks/{path}/export", headers={"Accept-Encoding": "gzip"})
        text = gzip.decompress(text) if text[:2] == b"\x1f\x8b" else text
        text = text.replace(server.url.encode(), instant.url.encode())
        urllib.request.urlopen(urllib.request.Request(f"{instant.url}/state/{path}", text, method="PUT")).read()


def up_and_destroy(stage, rounds, folders, names, **extra):
    """Seconds of both together: {side: Series}. A first up on the server makes the states, and warms what caches."""
    sides = sides_of(stage)
    for name in names:
        for folder in folders:
            if not (folder / f".{name}").exists():
                sides[name].init(folder)
                (folder / f".{name}").touch()
    sides["server"].at_once(folders, "up", "--yes", "--skip-preview", **extra)
    give_states(sides, folders)
    sides["server"].at_once(folders, "destroy", "--yes", "--skip-preview", **extra)

    def one(side):
        return sum(side.at_once(folders, command, "--yes", "--skip-preview", **extra) for command in ("up", "destroy"))

    return alternate(rounds, {name: lambda _, side=sides[name]: one(side) for name in names})


def compare(work, taken, reaches):
    """A row for each other side."""
    ours = taken["server"]
    return [Row(f"{work} / {name}", reaches.get(name, ""), ours.over(series), f"{ours.median:.2f} s; {name} {series.median:.2f} s", "{:.3f}")
            for name, series in taken.items() if name != "server"]


def size(stage, count):
    return count // 10 if stage.quick else count


def default(stage, rounds):
    count = size(stage, 500)
    folder = program(stage, f"bench{count}", count)
    names = list(sides_of(stage))
    # The file:// backend takes longest by far: it has fewer rounds.
    taken = up_and_destroy(stage, rounds, [folder], [n for n in names if n != "file"])
    slow = up_and_destroy(stage, max(1, rounds // 2), [folder], ["server", "file"])
    work = f"{SAVING}, {count} resources"
    return compare(work, taken, {"instant": "≤ 1.03"}) + compare(work, slow, {"file": "≤ 0.25"})


def fast(stage, rounds):
    count = size(stage, 500)
    names = [n for n in sides_of(stage) if n != "file"]
    taken = up_and_destroy(stage, rounds, [program(stage, f"bench{count}", count)], names, PULUMI_JOURNALING_BATCH_PERIOD="2")
    return compare(f"the same with PULUMI_JOURNALING_BATCH_PERIOD=2", taken, {"instant": "≤ 1.25"})


def eight(stage, rounds):
    count = size(stage, 300)
    folders = [program(stage, f"eight{i}", count) for i in range(8)]
    names = [n for n in sides_of(stage) if n != "file"]
    taken = up_and_destroy(stage, max(1, rounds // 2), folders, names)
    return compare(f"eight command lines at once, {count} resources each", taken, {"instant": "≤ 1.15"})
