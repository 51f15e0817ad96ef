#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""All of lint: the sources, the archives' writable symbols, and every statement against a freshly migrated database.

usage: tests/stack --build BUILD -- tests/lint/run.py --build BUILD
Finds the database through the access file that tests/stack writes. Ends with a line of totals.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tools" / "lint"), str(ROOT / "tests")]

import source  # noqa: E402

ROWS = 2000
# Kept out of the check for writable memory: what only the fault-point build has.
WRITABLE_ALLOWED = {("fault.o", "passes")}


class Statement:
    def __init__(self, line):
        self.name, self.constant, self.sql = line.split("\t", 2)

    @property
    def text(self):
        return re.sub(r"^/\*.*?\*/ ", "", self.sql)

    @property
    def verb(self):
        return self.text.split()[0]


class Lint:
    """The checks that need a build and a database."""

    def __init__(self, build, access):
        self.build = pathlib.Path(build)
        self.settings = json.loads(pathlib.Path(access).read_text())["database"]
        self.program = self.build / "tests" / "lint" / "statements"
        self.statements = [Statement(line) for line in self.call(self.program).splitlines()]
        self.places = self.find_places()
        self.columns = self.read_columns()
        self.scans = self.read_scans()

    def call(self, *command, **more):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **more)
        if done.returncode:
            raise SystemExit(f"{command[0]} failed: {done.stdout}")
        return done.stdout

    def sql(self, text, check=True):
        """Rows as dictionaries; run by root."""
        done = subprocess.run(["mariadb", "--no-defaults", f"--socket={self.settings['socket']}", "-uroot", "-B", "pulumi"], input=text,
                              env={**os.environ, "MYSQL_PWD": self.settings["password"]}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, check=False)
        if done.returncode and check:
            raise SystemExit(f"{text[:300]}: {done.stderr}")
        lines = [line.split("\t") for line in done.stdout.splitlines()]
        return ([dict(zip(lines[0], line)) for line in lines[1:]] if lines else []), done.stderr

    def find_places(self):
        """Where each statement is defined, and the comment above it."""
        places = {}
        for s in source.OWN:
            for match in re.finditer(r"^const struct stmt (\w+) = ", s.text, re.M):
                above = re.search(r"/\*(?:(?!\*/).)*\*/\s*$", s.text[:match.start()], re.S)
                places[match.group(1)] = (s.name, s.line(match.start()), above.group(0) if above else "")
        return places

    def where(self, statement):
        return self.places.get(statement.constant, ("?", 0, ""))[:2]

    def read_columns(self):
        """{table: {column: type}} of the live schema."""
        rows, _ = self.sql("SELECT TABLE_NAME t, COLUMN_NAME c, COLUMN_TYPE k FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = 'pulumi' "
                           "ORDER BY TABLE_NAME, ORDINAL_POSITION")
        found = {}
        for row in rows:
            found.setdefault(row["t"], {})[row["c"]] = row["k"]
        return found

    @staticmethod
    def read_scans():
        """Statements that may read without an index, each with its reason."""
        found = {}
        for line in (ROOT / "tests/lint/scans.txt").read_text().splitlines():
            if line.strip() and not line.startswith("#"):
                name, _, reason = line.partition(" ")
                found[name] = reason.strip()
        return found

    # --- checks ---

    def check_every_statement_is_known(self):
        """Each statement of the sources is in an archive that is linked, and has a name of its own."""
        known = {s.constant for s in self.statements}
        for constant, (file, line, _) in self.places.items():
            if constant not in known and file.startswith("src/"):
                yield file, line, f"{constant} is in no archive of MODULE_LIBS: nothing checks it"
        names = [s.name for s in self.statements]
        for s in self.statements:
            if names.count(s.name) > 1:
                yield *self.where(s), f"the name {s.name} is used twice"

    def check_prepare(self):
        """Every statement is prepared against a freshly migrated database."""
        env = {**os.environ, "PULUMI_DATABASE_ENDPOINT": f"unix:{self.settings['socket']}", "PULUMI_DATABASE_USER_NAME": "root",
               "PULUMI_DATABASE_USER_PASSWORD": self.settings["password"], "PULUMI_API_CONFIG": os.devnull}
        done = subprocess.run([self.program, "prepare"], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        for line in done.stdout.splitlines():
            constant, _, reason = line.partition(": ")
            if constant in self.places:
                yield *self.places[constant][:2], f"{constant}: {reason}"
        if done.returncode and "prepared" not in done.stdout:
            yield str(self.program), 1, done.stdout.strip()[:500]

    def check_no_format_in_statements(self):
        """No % in a statement: none is put together at run time."""
        for s in self.statements:
            if "%" in s.text:
                yield *self.where(s), f"{s.name} has a %"

    def check_portable_statements(self):
        """What MySQL 8.0 and MariaDB 10.11 understand alike."""
        wrong = {r"\bRETURNING\b": "RETURNING", r"\bGET_LOCK\b": "GET_LOCK", r"\bLOCK TABLES\b": "LOCK TABLES", r"\bJSON_\w+": "a JSON function",
                 r"\bMATCH\s*\(": "full text", r"\bVALUES?\s*\(\w+\)\s*(?:,|$)(?<=UPDATE)": "VALUES() of a duplicate", r"\bOFFSET\b": "a growing OFFSET"}
        for s in self.statements:
            for pattern, what in wrong.items():
                if re.search(pattern, s.text) and not (what == "a growing OFFSET" and s.name in self.scans):
                    yield *self.where(s), f"{s.name} uses {what}"

    def tables_of(self, s):
        return [t for t in self.columns if re.search(rf"\b{t}\b", s.text)]

    def check_tenancy(self):
        """A statement on tenant data compares the organization, or a comment 'all tenants: reason' says why not."""
        for s in self.statements:
            tenant = [t for t in self.tables_of(s) if self.is_tenant_table(t)]
            if not tenant or "all tenants: " in re.sub(r"\s*\n\s*\*?\s*", " ", self.places.get(s.constant, ("", 0, ""))[2]):
                continue
            if s.verb == "INSERT" and re.search(r"\((?:[^()]*\b)?organization_id\b", s.text):
                continue
            if not re.search(r"\borganization_id\s*=\s*(?:\?|\w+\.\w+)|\bm\.user_id = \?|\borganization_id IN\b", s.text):
                yield *self.where(s), f"{s.name} touches {', '.join(tenant)} without the organization; compare it, or say 'all tenants: reason' above"

    def is_tenant_table(self, table):
        return any(c in self.columns[table] for c in ("organization_id", "stack_id", "update_id"))

    def check_indexes(self):
        """Every statement is served by an index, as EXPLAIN sees it with rows in each table; tests/lint/scans.txt lists the exceptions."""
        self.fill()
        used = set()
        for s in self.statements:
            if re.search(r"\bVALUES\s*\(", s.text) and s.verb in ("INSERT", "REPLACE"):
                continue
            rows, problem = self.sql("EXPLAIN " + self.with_values(s.text), check=False)
            if not rows:
                yield *self.where(s), f"EXPLAIN of {s.name} failed: {problem.strip()[:300]}"
                continue
            found = list(self.scans_in(rows))
            if found and s.name in self.scans:
                used.add(s.name)
            elif found:
                yield *self.where(s), f"{s.name}: {'; '.join(found)}"
        for name in set(self.scans) - used - {s.name for s in self.statements if re.search(r"\bOFFSET\b", s.text)}:
            yield "tests/lint/scans.txt", 1, f"{name} needs no exception (any more)"

    @staticmethod
    def scans_in(rows):
        for row in rows:
            table, kind, extra = row.get("table", ""), row.get("type", ""), row.get("Extra", "")
            if table == "NULL" or table.startswith("<"):
                continue
            if kind in ("ALL", "index"):
                yield f"reads all of {table}"
            if "filesort" in extra and row["rows"].isdigit() and int(row["rows"]) > 50:
                yield f"sorts {row['rows']} rows of {table}"

    def fill(self):
        """As many rows as make an index worth its while; the same number makes the same value everywhere, so that joins meet."""
        for table, columns in self.columns.items():
            if table == "schema_migrations":
                continue
            values = ", ".join(value_for(name, kind, "seq") for name, kind in columns.items())
            self.sql(f"SET foreign_key_checks = 0; SET unique_checks = 0; SET sql_mode = ''; "
                     f"INSERT IGNORE INTO `{table}` ({', '.join(f'`{c}`' for c in columns)}) SELECT {values} FROM seq_1_to_{ROWS}; "
                     f"ANALYZE TABLE `{table}`;")

    def with_values(self, text):
        """The statement with a value that exists for each parameter."""
        out, at = [], 0
        for match in re.finditer(r"\?", text):
            before = text[:match.start()]
            out += [text[at:match.start()], self.value_before(before)]
            at = match.end()
        return "".join([*out, text[at:]])

    def value_before(self, before):
        if re.search(r"\b(LIMIT|OFFSET)\s*$", before):
            return "10"
        match = (re.search(r"(\w+)\s*(?:=|<>|<=|>=|<|>|LIKE)\s*(?:LOWER\()?$", before) or re.search(r"(\w+)\s+BETWEEN\s*(?:'[^']*'|\d+|\S+\s+AND\s*)?$", before)
                 or re.search(r"(\w+)\s+BETWEEN\s+\?\s+AND\s*$", before) or re.search(r"(\w+)\s+IN\s*\((?:\s*\?\s*,)*\s*$", before))
        kinds = {kind for columns in self.columns.values() for name, kind in columns.items() if match and name == match.group(1)}
        if not kinds:
            return "'1'"
        return f"({value_for(match.group(1), sorted(kinds)[0], str(ROWS // 2))})"

    def check_nothing_writable(self):
        """One state, passed down: the archives have no writable memory of their own."""
        archives = sorted(self.build.glob("src/*/lib*.a"))
        member = ""
        for line in self.call("objdump", "-t", *map(str, archives), env={**os.environ, "LC_ALL": "C"}).splitlines():
            header = re.match(r"(\S+\.o):\s+file format", line)
            member = header.group(1).removeprefix("lib") if header else member
            match = re.search(r" O (\.data|\.bss|COMMON)\s+[0-9a-f]+ (?:\.hidden )?(\S+)$", line)
            if not match or match.group(2).startswith((".L", "__odr_asan", "__asan")):
                continue
            name = re.sub(r"\.\d+$", "", match.group(2))
            if (member, name) not in WRITABLE_ALLOWED:
                yield member, 1, f"'{name}' is writable; make it const, or a member of struct app"

    def checks(self):
        return [self.check_every_statement_is_known, self.check_prepare, self.check_no_format_in_statements, self.check_portable_statements,
                self.check_tenancy, self.check_nothing_writable, self.check_indexes]


def value_for(name, kind, n):
    """SQL that makes the n-th value of a column."""
    kind = kind.lower()
    size = re.search(r"\((\d+)", kind)
    if kind.startswith(("char", "varchar")):
        return f"LPAD({n}, {min(int(size.group(1)), 36)}, '0')"
    if kind.startswith(("binary", "varbinary")):
        return f"UNHEX(SHA2({n}, 256))" if int(size.group(1)) == 32 else f"UNHEX(LPAD(HEX({n}), {2 * min(int(size.group(1)), 16)}, '0'))"
    if kind.startswith("datetime"):
        return f"TIMESTAMP'2026-01-01 00:00:00' + INTERVAL {n} SECOND"
    if kind.startswith("tinyint(1)"):
        return f"{n} % 2"
    if "int" in kind:
        return n
    return "'{}'"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--access", default=os.environ.get("PULUMI_API_ACCESS"))
    o = parser.parse_args()
    passed, failed = source.run(source.CHECKS)
    more = source.run(Lint(o.build, o.access).checks())
    print(source.medians())
    print(f"{passed + more[0]} passed, {failed + more[1]} failed, 0 skipped")
    return 1 if failed + more[1] else 0


if __name__ == "__main__":
    sys.exit(main())
