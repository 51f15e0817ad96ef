#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes docs/configuration.md and etc/pulumi-api.conf out of src/base/settings.def; --check compares instead."""
import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 and sys.argv[1] != "--check" else ".")
TITLES = {"serving": "Serving", "database": "Database", "objects": "Objects", "keys": "Keys", "audit": "Audit log", "AWS": "AWS credentials",
          "Azure": "Azure credentials", "identity": "Identity", "migration": "Migrations (pulumi-migrate)", "telemetry": "Telemetry", "mail": "Mail", "jobs": "Jobs"}
NOTES = {"Objects": "Addresses of buckets, their options and who may use them: [object-stores.md](object-stores.md).",
         "Audit log": "The shape of the table, who may use it, and how the log moves: [administration.md](administration.md)."}
ROW = re.compile(r'^SETTING\((\w+),\s*(NULL|(?:PKG_\w+ )?"(?:[^"\\]|\\.)*"),\s*"((?:[^"\\]|\\.)*)"\)$')


STRANGER = re.compile(r'^(NEEDLESS|ABSENT)\((\w+),\s*"((?:[^"\\]|\\.)*)"\)$')


def plain(text):
    return text.replace('\\"', '"').replace("\\\\", "\\")


def rows():
    """Name, default or None, group, help."""
    for line in (ROOT / "src/base/settings.def").read_text().splitlines():
        if not line.startswith("SETTING("):
            continue
        match = ROW.match(line)
        if not match:
            sys.exit(f"settings.def: cannot read {line}")
        name, fallback, text = match.groups()
        group, colon, sentence = plain(text).partition(": ")
        if not colon or group not in TITLES:
            group, sentence = "other", plain(text)
        default = None if fallback == "NULL" else plain(fallback.replace('PKG_DATADIR "', '"PREFIX/share/pulumi-api').strip('"')) or '""'
        yield name, default, group, sentence


def strangers():
    """Name and reason of what other installations set."""
    own = {row[0] for row in rows()}
    for line in (ROOT / "src/base/settings.def").read_text().splitlines():
        if not line.startswith(("NEEDLESS(", "ABSENT(")):
            continue
        match = STRANGER.match(line)
        if not match or match[2] in own:
            sys.exit(f"settings.def: {'is a setting, too' if match else 'cannot read'}: {line}")
        yield match[2], plain(match[3]), match[1] == "ABSENT"


def grouped():
    groups = {}
    for row in rows():
        groups.setdefault(row[2], []).append(row)
    order = [g for g in TITLES if g in groups] + [g for g in groups if g not in TITLES]
    return [(TITLES.get(g, "Accepted"), groups[g]) for g in order]


def manual():
    lines = ["# Configuration", "",
             "Every setting, from the one table in `src/base/settings.def` (this page is generated: `tools/configuration.py`). They are",
             "environment variables; `pulumi-api.conf` has the same names in lower case, and the environment wins. Empty counts as unset.",
             "A value that cannot be used stops the start with a sentence that names it; an unknown `PULUMI_…` name is reported.", ""]
    for title, settings in grouped():
        lines += [f"## {title}", ""] + ([NOTES[title], ""] if title in NOTES else []) + ["| setting | default | what it is |", "| --- | --- | --- |"]
        lines += [f"| `{name}` | {f'`{default}`' if default else ''} | {text} |" for name, default, _, text in settings]
        lines.append("")
    lines += ["## Settings of other installations", "", "They have no effect here. Those with a mark are reported at start: what they ask for is not there.", "",
              "| name | reported | why |", "| --- | --- | --- |"]
    lines += [f"| `{name}` | {'x' if reported else ''} | {why} |" for name, why, reported in strangers()]
    return "\n".join(lines) + "\n"


def example():
    lines = ["# Settings of pulumi-api; the environment wins over this file. Lines with '#' show the defaults."]
    for title, settings in grouped():
        lines += ["", f"## {title}"]
        for name, default, _, text in settings:
            value = (default or "").strip('"').replace('"', '\\"')
            lines += [f"# {text}", f'# {name.lower()} = "{value}"']
    return "\n".join(lines) + "\n"


def main():
    stale = []
    for path, text in (("docs/configuration.md", manual()), ("etc/pulumi-api.conf", example())):
        file = ROOT / path
        if "--check" not in sys.argv:
            file.write_text(text)
        elif not file.exists() or file.read_text() != text:
            stale.append(path)
    if stale:
        sys.exit(f"{', '.join(stale)}: not what tools/configuration.py makes of settings.def; run it")


main()
