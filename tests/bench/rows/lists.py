# SPDX-License-Identifier: Apache-2.0
"""Pages of lists on two installations: 100 stacks with 100 updates each, and 10 000 stacks with 100 each."""

import json
import random
import time

from rows.measure import Row, Series
from rows.stage import Connection, fail

HISTORY = "history, first page"
PROJECTS = 50
EVENTS = 20	# of one batch
AT_ONCE = 50000	# rows of one statement
POOL = 1 << 30	# the database keeps in memory what is read; 10 000 stacks with a million updates take 0.9 GB

# Identifiers that sort by arrival, as UUIDv7 does: '01900000' + kind + number.
STACK_ID = "CONCAT('01900000-0000-7000-8000-', LPAD({n}, 12, '0'))"
UPDATE_ID = "CONCAT('01900001-0000-7000-8000-', LPAD({n}, 12, '0'))"

STACKS = f"""INSERT INTO stacks (id, organization_id, project, name, unique_name, version, active_update_id, resource_count,
  tags_json, created_by, created_at, last_update_at)
SELECT {STACK_ID.format(n='seq')}, (SELECT id FROM organizations WHERE login = '%(organization)s'),
  CONCAT('project', seq %% {PROJECTS}), CONCAT('stack', seq), CONCAT('project', seq %% {PROJECTS}, '/stack', seq), %(each)d,
  {UPDATE_ID.format(n='%(stacks)d * (%(each)d - 1) + seq')}, 20, '{{"team":"blue"}}', (SELECT MIN(id) FROM users),
  UTC_TIMESTAMP(6), UTC_TIMESTAMP(6) FROM seq_%(from)d_to_%(to)d"""

TAGS = f"""INSERT INTO stack_tags (stack_id, name, organization_id, value)
SELECT {STACK_ID.format(n='seq')}, 'team', (SELECT id FROM organizations WHERE login = '%(organization)s'), 'blue'
FROM seq_%(from)d_to_%(to)d"""

UPDATES = f"""INSERT INTO updates (id, organization_id, stack_id, kind, preview, status, version, journal_version, message,
  environment_json, config_json, program_json, requested_by, client, resource_changes_json, resource_count, created_at, started_at,
  ended_at)
SELECT {UPDATE_ID.format(n='seq')}, (SELECT id FROM organizations WHERE login = '%(organization)s'),
  {STACK_ID.format(n='(seq - 1) %% %(stacks)d + 1')}, 'update', FALSE, 'succeeded', (seq - 1) DIV %(stacks)d + 1, 1, 'a message of some words',
  CONCAT('{{"exec.kind":"cli","git.head":"', SHA2(seq, 256), '","git.author":"Somebody","vcs.repo":"a-repository"}}'), '{{}}', '{{}}',
  (SELECT MIN(id) FROM users), 'v3.259.0', '{{"same":20}}', 20, UTC_TIMESTAMP(6), UTC_TIMESTAMP(6), UTC_TIMESTAMP(6)
FROM seq_%(from)d_to_%(to)d"""

# Of each stack's last update.
BATCHES = f"""INSERT INTO event_batches (update_id, first_sequence, last_sequence, digest, body, gzip)
SELECT {UPDATE_ID.format(n='%(stacks)d * (%(each)d - 1) + seq')}, 0, {EVENTS - 1}, UNHEX(SHA2(seq, 256)), '%(events)s', FALSE
FROM seq_%(from)d_to_%(to)d"""


def events():
    text = "a line of what the engine said about a resource " * 4
    each = [{"sequence": i, "timestamp": 1700000000, "stdoutEvent": {"message": text, "color": "raw"}} for i in range(EVENTS)]
    return json.dumps({"events": each})


def fill(server, stacks, each):
    """Straight into the tables, in pieces: one transaction for all would outgrow the log."""
    values = {"organization": server.organization, "stacks": stacks, "each": each, "events": events()}
    for statement, count in ((STACKS, stacks), (TAGS, stacks), (UPDATES, stacks * each), (BATCHES, stacks)):
        for begin in range(1, count + 1, AT_ONCE):
            server.sql("SET unique_checks = 0, foreign_key_checks = 0; " +
                       statement % {**values, "from": begin, "to": min(count, begin + AT_ONCE - 1)})
    server.sql("ANALYZE TABLE stacks, stack_tags, updates, event_batches")


class Reader:
    """Times pages of one installation; each page is of another stack, or further in the list."""

    def __init__(self, server, stacks, each):
        self.server, self.stacks, self.each = server, stacks, each
        self.connection, self.random = Connection(server.url, server.token), random.Random(1)
        self.middle = self.list_token(stacks // 2)

    def list_token(self, after):
        organization = self.server.sql(f"SELECT id FROM organizations WHERE login = '{self.server.organization}'")
        return f"{organization}_01900000-0000-7000-8000-{after:012}"

    def path(self, number):
        return f"/api/stacks/{self.server.organization}/project{number % PROJECTS}/stack{number}"

    def any_stack(self):
        return self.random.randint(1, self.stacks)

    def events_path(self):
        number = self.any_stack()
        return f"{self.path(number)}/update/01900001-0000-7000-8000-{self.stacks * (self.each - 1) + number:012}/events"

    def pages(self):
        """The pages by name: each call gives an address."""
        return {
            "stack list, first page": lambda: "/api/user/stacks?maxResults=50",
            "stack list, a page in the middle": lambda: f"/api/user/stacks?maxResults=50&continuationToken={self.middle}",
            "stack list by tag": lambda: "/api/user/stacks?maxResults=50&tagName=team&tagValue=blue",
            "stack list of a project": lambda: "/api/user/stacks?maxResults=2&project=project7",
            "one stack": lambda: self.path(self.any_stack()),
            HISTORY: lambda: self.path(self.any_stack()) + "/updates?pageSize=10&page=1",
            "history, last page": lambda: self.path(self.any_stack()) + f"/updates?pageSize=10&page={self.each // 10}",
            "events of an update": self.events_path,
        }

    def warm(self):
        """Reads the tables once."""
        self.server.sql("SELECT COUNT(environment_json) FROM updates; SELECT COUNT(tags_json) FROM stacks; "
                        "SELECT COUNT(body) FROM event_batches; SELECT COUNT(*) FROM updates FORCE INDEX (updates_version)")

    def time(self, address):
        path = address()
        began = time.perf_counter()
        text = self.connection.call("GET", path)
        taken = time.perf_counter() - began
        if len(text) < 100:
            fail(f"{path}: {text!r} is no page")
        return 1000 * taken


def compare(small, large, name, rounds, times, reach="≤ 2"):
    """The medians of each round; the two installations take turns at every request."""
    sides = {reader: ([], reader.pages()[name]) for reader in (small, large)}
    for _ in range(rounds):
        taken = {reader: [] for reader in sides}
        for _ in range(times):
            for reader, (_, address) in sides.items():
                taken[reader].append(reader.time(address))
        for reader, (medians, _) in sides.items():
            medians.append(Series(taken[reader]).median)
    few, many = Series(sides[small][0]), Series(sides[large][0])
    return Row(f"{name}: {large.stacks} stacks / {small.stacks}", reach, many.over(few), f"{many.median:.2f} ms; {few.median:.2f} ms")


def pages(stage, rounds):
    each = 20 if stage.quick else 100
    readers = []
    for name, stacks in (("few", 100), ("many", 1000 if stage.quick else 10000)):
        server = stage.install(name)
        began = time.monotonic()
        fill(server, stacks, each)
        print(f"lists: {stacks} stacks, {stacks * each} updates made in {time.monotonic() - began:.0f} s", flush=True)
        readers.append(Reader(server, stacks, each))
    times = 20 if stage.quick else 100
    from_disk = compare(*readers, HISTORY, rounds, times, "")
    from_disk.work += ", MariaDB's default of 128 MB of memory"
    for reader in readers:
        reader.server.sql(f"SET GLOBAL innodb_buffer_pool_size = {POOL}")
        reader.warm()
    return [compare(*readers, name, rounds, times) for name in readers[0].pages()] + [from_disk]
