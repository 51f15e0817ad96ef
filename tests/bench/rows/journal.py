# SPDX-License-Identifier: Apache-2.0
"""Journal batches: how many a second, and how long one takes."""

import json

from rows.measure import Row, Series, alternate
from rows.stage import run

GO_SERVER = {16: 530, 64: 620}
"""Batches a second of an open Go server of the same protocol, on a machine like the first one measured."""


def load(stage, access, *options):
    return json.loads(run(stage.work / "load", "-access", access, *options))


def floor(stage, server, connections, seconds, size):
    """Commits of rows of that size over plain connections."""
    return json.loads(run(stage.work / "floor", *server.database(), connections, seconds, size))


def one_count(stage, rounds, stacks, seconds):
    server = stage.server
    count = max(500, int(12000 * seconds / stacks))
    results = []

    def ours(_):
        server.forget_updates()
        results.append(load(stage, server.folder / "access.json", "-stacks", stacks, "-seconds", seconds, "-count", count))
        return results[-1]["per_second"]

    def commits(which, otherwise):
        size = results[0][which] if results else otherwise
        return floor(stage, server, stacks, seconds, size)["per_second"]

    sides = {"server": ours, "commits": lambda _: commits("text_bytes", 25000), "packed": lambda _: commits("batch_bytes", 4000)}
    for path in stage.other:
        sides[path.stem] = lambda _, path=path: load(stage, path, "-stacks", stacks, "-seconds", seconds, "-count", count)["per_second"]
    return alternate(rounds, sides), results


def throughput(stage, rounds):
    """Stacks at once, each one batch after the other, for a fixed time."""
    seconds, rows = 1 if stage.quick else 5, []
    for stacks in (16, 64):
        taken, results = one_count(stage, rounds, stacks, seconds)
        ours, commits, packed = taken["server"], taken["commits"], taken["packed"]
        times = f"{ours.median:.0f}/s; median {Series(r['median_ms'] for r in results).median:.1f} ms, " \
                f"p99 {Series(r['p99_ms'] for r in results).median:.0f} ms; {results[0]['text_bytes'] / 1000:.0f} KB a batch, " \
                f"{results[0]['batch_bytes'] / 1000:.1f} KB compressed"
        rows.append(Row(f"durable journal batches, {stacks} stacks / commits of rows of that size", "≥ 0.35", ours.over(commits),
                        f"{times}; {commits.median:.0f} commits/s"))
        rows.append(Row(f"durable journal batches, {stacks} stacks / commits of rows of the size that is stored", "≥ 0.35", ours.over(packed),
                        f"{packed.median:.0f} commits/s"))
        known = Series([GO_SERVER[stacks]] * rounds)
        rows.append(Row(f"the same / {GO_SERVER[stacks]} a second of an open Go server", "≥ 3", ours.over(known)))
        for path in stage.other:
            rows.append(Row(f"the same / {path.stem}", "≥ 3", ours.over(taken[path.stem]), f"{taken[path.stem].median:.0f}/s"))
    return rows


def idle(stage, rounds):
    """One stack alone: the time of a batch, of a commit of its size (as text, and as it is stored), and of a FastCGI hello."""
    seconds, server, plain = 1 if stage.quick else 3, stage.server, stage.plain()
    count = 3000 * seconds
    batch = load(stage, server.folder / "access.json", "-stacks", 1, "-seconds", 0.2, "-count", count)

    def ours(_):
        server.forget_updates()
        return load(stage, server.folder / "access.json", "-stacks", 1, "-seconds", seconds, "-count", count)["median_ms"]

    def hello_ms(*more):
        command = [stage.work / "load", "-url", plain + "/hello", "-stacks", 1, "-seconds", seconds, "-count", 100]
        return json.loads(run(*command, *more))["median_ms"]

    taken = alternate(rounds, {
        "server": ours,
        "commit": lambda _: floor(stage, server, 1, seconds, batch["text_bytes"])["median_ms"],
        "commit as stored": lambda _: floor(stage, server, 1, seconds, batch["batch_bytes"])["median_ms"],
        "hello": lambda _: hello_ms("-bare"),
        "hello with the body": lambda _: hello_ms(),
    })
    detail = "; ".join(f"{name} {series.median:.3f} ms" for name, series in taken.items())
    rows = []
    for commit, hello, reach in (("commit", "hello", "≤ 1.2"), ("commit", "hello with the body", "≤ 1.2"), ("commit as stored", "hello", "≤ 1.2")):
        sums = Series(a + b for a, b in zip(taken[commit].values, taken[hello].values))
        rows.append(Row(f"one idle stack: journal batch / ({commit} + {hello})", reach, taken["server"].over(sums), detail))
        detail = ""
    return rows
