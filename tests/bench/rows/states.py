# SPDX-License-Identifier: Apache-2.0
"""Large states: made through a journal, completed, exported; and the memory that it takes."""

import gzip
import re
import time

from rows.journal import load
from rows.measure import Row, Series, alternate
from rows.stage import Connection, forget_peaks, memory, processor_seconds, run

RESOURCES = 50	# of a batch: the 100 entries that the command line sends at most
SIZE = 800	# bytes of values: a resource of 1 KB
WARM_UP = 3	# completions for each responder before the first that counts: most find one that has done it before


class Completion:
    """One state: made, then completed under the clock."""

    def __init__(self, stage, count):
        server = stage.server
        server.forget_updates()
        made = load(stage, server.folder / "access.json", "-stacks", 1, "-resources", RESOURCES, "-size", SIZE,
                    "-count", count // RESOURCES, "-all")
        self.stack = re.sub("/update/.*", "", made["update"])
        responders = server.responders()
        forget_peaks(responders)
        before, began = processor_seconds(responders), time.monotonic()
        Connection(server.url, made["lease"], "update-token").call("POST", made["update"] + "/complete", '{"status":"succeeded"}')
        self.seconds = time.monotonic() - began
        self.processor = processor_seconds(responders) - before
        self.peak = max(memory(pid, "VmHWM") for pid in responders)
        self.measure_export(Connection(server.url, server.token))

    def measure_export(self, connection):
        began = time.monotonic()
        self.packed = connection.call("GET", self.stack + "/export", headers={"Accept-Encoding": "gzip"})
        self.export = time.monotonic() - began
        self.text = gzip.decompress(self.packed)
        self.size = len(self.text)


def sizes(stage):
    return [100, 500] if stage.quick else [1000, 10000, 50000]


def series(completions, value):
    return Series(value(c) for c in completions)


def completing(done):
    rows, smaller = [], None
    for count, completions in done.items():
        seconds, each = series(completions, lambda c: c.seconds), completions[0].size
        rows.append(Row(f"completing {count} resources, MB of state a second of one core", "≥ 150",
                        series(completions, lambda c: c.size / c.processor / 1e6),
                        f"{each / 1e6:.1f} MB; {series(completions, lambda c: 1000 * c.processor).median:.0f} ms of the responder's processor, "
                        f"{1000 * seconds.median:.0f} ms of time", "{:.0f}"))
        if smaller:
            growth = count / smaller[0]
            rows.append(Row(f"the time of {count} / {growth:.0f} × the time of {smaller[0]} resources", "≤ 1.1",
                            Series(v / growth for v in seconds.over(smaller[1]).values)))
        smaller = count, seconds
    return rows


def wrk(url, seconds, token=None):
    """Answers a second to a client that takes gzip."""
    headers = ["-H", "Accept-Encoding: gzip"] + (["-H", f"Authorization: token {token}"] if token else [])
    said = run("wrk", "-t1", "-c4", f"-d{seconds}s", *headers, url)
    if "Non-2xx" in said:
        raise RuntimeError(said)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1))


def exporting(stage, rounds, done, plain):
    rows, server, seconds = [], stage.server, 1 if stage.quick else 2
    for count, completions in done.items():
        last = completions[-1]
        (stage.work / f"static/{count}").write_bytes(last.packed)
        (stage.work / f"static/{count}.json").write_bytes(last.text)
        taken = alternate(rounds, {
            "server": lambda _: wrk(f"{server.url}{last.stack}/export", seconds, server.token),
            "text": lambda _: wrk(f"{plain}/{count}.json", seconds),
            "static": lambda _: wrk(f"{plain}/{count}", seconds),
            "hello": lambda _: wrk(f"{plain}/hello/{count}", seconds),
        })
        rows.append(Row(f"export of {count} resources / a static file of that size", "≥ 0.8", taken["server"].over(taken["text"]),
                        f"{last.size / 1e6:.1f} MB; {taken['server'].median:.0f}/s, file {taken['text'].median:.0f}/s; "
                        f"one export {1000 * series(completions, lambda c: c.export).median:.0f} ms"))
        rows.append(Row(f"export of {count} resources / a static file of the size that is sent", "≥ 0.8", taken["server"].over(taken["static"]),
                        f"{len(last.packed) / 1e6:.2f} MB compressed; file {taken['static'].median:.0f}/s"))
        rows.append(Row(f"export of {count} resources / a hello that names the file", "", taken["server"].over(taken["hello"]),
                        f"hello {taken['hello'].median:.0f}/s, {taken['hello'].over(taken['static']).median:.2f} of the file's rate"))
    return rows


def memories(stage, done):
    server = stage.server
    count, largest = list(done.items())[-1]
    peak = Series(c.peak / c.size for c in largest)
    after = Series(memory(pid, "VmRSS") / 1e6 for pid in server.responders())
    server.stop()
    server.start()
    Connection(server.url, server.token).call("GET", "/api/user")
    idle = Series(memory(pid, "VmRSS") / 1e6 for pid in server.responders())
    return [Row("memory of an idle responder, MB resident", "≤ 12", idle, f"after all these completions {after.text('{:.0f}')}", "{:.1f}"),
            Row(f"peak memory of completing {count} resources / the state", "≤ 3", peak, f"{largest[0].size / 1e6:.0f} MB of state")]


def warm_up(stage):
    for _ in range(WARM_UP * len(stage.server.responders())):
        Completion(stage, 1000)


def all_rows(stage, rounds):
    plain = stage.plain()
    if not stage.quick:
        warm_up(stage)
    done = {count: [Completion(stage, count) for _ in range(rounds)] for count in sizes(stage)}
    return completing(done) + exporting(stage, rounds, done, plain) + memories(stage, done)
