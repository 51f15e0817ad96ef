#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a program can check about the sources: layers, sizes, banned functions, SQL's place, comments, routes.

usage: tools/lint/source.py [ROOT]
Prints one line for each finding, FILE:LINE: SENTENCE, and ends with a line of totals, each check counting as one.
"""

import pathlib
import re
import statistics
import subprocess
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 and __name__ == "__main__" else __file__).resolve()
ROOT = ROOT if ROOT.is_dir() else ROOT.parents[2]

# From the bottom up. Each folder may use every layer before its own, and in its own the folders before it in its chain.
LAYERS = [
    [["base"]],
    [["text", "crypto", "net"], ["json"], ["db"]],
    [["http"], ["blob"], ["secret"], ["telemetry"], ["claim"], ["mail"]],
    [["event"], ["audit"], ["link"], ["object"]],
    [["identity", "org", "access"]],
    [["stack", "update", "policy", "retention", "verify", "backup"], ["integration"]],
    [["schedule"], ["deploy"], ["webhook"], ["registry"], ["environment"], ["search"], ["insights"], ["oidc"]],
    [["start"]],
    [["api"], ["console"]],
    [["fcgi"], ["cron"], ["sql"], ["tests"]],
]

FUNCTION_MOST, FILE_MOST = 100, 900
DATA_FILES = {"src/api/routes.def", "src/base/settings.def"}

BANNED = {
    "strcpy": "memcpy with a known length, or a buffer", "strcat": "a buffer", "sprintf": "snprintf or buffer_printf",
    "vsprintf": "vsnprintf", "gets": "a bounded read", "strtok": "strcspn and strspn", "system": "posix_spawn or execve",
    "popen": "posix_spawn or execve", "alloca": "an arena", "strncpy": "memcpy with a known length", "strncat": "a buffer",
    "atoi": "strtoll with its checks", "atol": "strtoll with its checks", "atof": "strtod with its checks",
    "rand": "random_bytes", "srand": "random_bytes", "random": "random_bytes", "tmpnam": "mkstemp", "mktemp": "mkstemp",
    "localtime": "gmtime_r: times are UTC", "gmtime": "gmtime_r", "ctime": "strftime", "asctime": "strftime",
    "strerror_r": "strerror", "vfork": "fork", "setlocale": "the C locale", "sscanf_s": "sscanf",
}
ALLOCATORS = {"malloc": "xmalloc", "calloc": "xcalloc", "realloc": "xrealloc", "strdup": "xstrdup", "strndup": "arena_strndup",
              "asprintf": "arena_printf"}
SPEAKERS = {"printf", "puts", "putchar", "perror", "syslog"}
SQL_START = re.compile(r'"(?:SELECT|INSERT|UPDATE|DELETE|REPLACE|CREATE|ALTER|DROP|GRANT|TRUNCATE|LOCK)\s+\S')
SQL_EXEMPT = ("sql/", "tests/", "src/db/")


class Source:
    """A C file without its comments and strings, so that words can be looked for."""

    def __init__(self, path):
        self.path, self.name = path, path.relative_to(ROOT).as_posix()
        self.text = path.read_text(errors="replace")
        self.lines = self.text.splitlines()
        self.code = blank(self.text)

    def line(self, offset):
        return self.text.count("\n", 0, offset) + 1


def blank(text, strings=True):
    """The text with comments (and strings) replaced by spaces; offsets stay."""
    def spaces(match):
        word = match.group(0)
        if word[0] in "\"'" and not strings:
            return word
        return re.sub(r"[^\n]", " ", word) if word[0] == "/" else word[0] + re.sub(r"[^\n]", " ", word[1:-1]) + word[-1]

    return re.sub(r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", spaces, text, flags=re.S)


def tracked():
    done = subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    names = done.stdout.splitlines() if done.returncode == 0 else []
    # A release has no history to ask: the folders that have nothing generated in them.
    found = [ROOT / name for name in names] or [p for folder in ("src", "fcgi", "cron", "sql", "tests", "tools") for p in (ROOT / folder).rglob("*")]
    return [p for p in found if p.is_file()]


FILES = tracked()
C = [Source(p) for p in FILES if p.suffix in (".c", ".h")]
OWN = [s for s in C if s.name.startswith(("src/", "fcgi/", "cron/", "sql/"))]


def layer_of(source):
    folder = source.name.split("/")[1] if source.name.startswith("src/") else source.name.split("/")[0]
    return "api" if source.name.endswith("_api.c") else folder


def place(folder):
    for level, chains in enumerate(LAYERS):
        for chain in chains:
            if folder in chain:
                return level, chain
    return None, None


def check_layers():
    """Includes point down."""
    for source in OWN:
        level, chain = place(layer_of(source))
        if level is None:
            yield source.name, 1, f"the folder '{layer_of(source)}' is in no layer; give it one in tools/lint/source.py"
            continue
        for match in re.finditer(r'^#include "([a-z]+)/', source.text, re.M):
            used = match.group(1)
            used_level, _ = place(used)
            same = used == layer_of(source) or (used in chain and chain.index(used) < chain.index(layer_of(source)))
            if used_level is not None and used_level >= level and not same:
                yield source.name, source.line(match.start()), f"{layer_of(source)} may not use {used}, which lies above or beside it"


# The answers of credential services; net lies beside json and cannot use it.
JANSSON_ALLOWED = ("src/json/", "src/net/aws_keys.c", "src/net/aws_sso.c", "src/net/aws_sso_token.c", "src/net/azure.c")


def check_json_stays_at_the_edge():
    """json_t appears only in src/json."""
    for source in OWN:
        if not source.name.startswith(JANSSON_ALLOWED):
            for match in re.finditer(r"\bjson_t\b|#include <jansson.h>", source.code):
                yield source.name, source.line(match.start()), "Jansson is used in src/json only"


def functions(source):
    """(name, first line, lines) of every function definition."""
    for match in re.finditer(r"^(?:[A-Za-z_][\w\s\*]*?)\b(\w+)\s*\([^;{}]*\)\s*\n\{\n(.*?)^\}", source.code, re.M | re.S):
        body = match.group(0)
        yield match.group(1), source.line(match.start()), body.count("\n") + 1


def check_sizes():
    """No function above 100 lines, no file above 900."""
    for source in C:
        if len(source.lines) > FILE_MOST and source.name not in DATA_FILES:
            yield source.name, 1, f"{len(source.lines)} lines; {FILE_MOST} at most, 250 is the aim"
        for name, line, size in functions(source):
            if size > FUNCTION_MOST:
                yield source.name, line, f"{name} has {size} lines; {FUNCTION_MOST} at most, 15 is the aim"


def check_banned_functions():
    """Nothing that writes without a bound, runs a shell, or hides state."""
    for source in OWN:
        for match in re.finditer(r"(?<![\w.>])(\w+)\s*\(", source.code):
            instead = BANNED.get(match.group(1))
            if instead:
                yield source.name, source.line(match.start()), f"{match.group(1)} is banned: use {instead}"


def check_allocation():
    """Allocation never returns NULL: the process-ending allocators of base/arena.h."""
    for source in OWN:
        if source.name == "src/base/arena.c":
            continue
        for match in re.finditer(r"(?<![\w.>])(\w+)\s*\(", source.code):
            if match.group(1) in ALLOCATORS:
                yield source.name, source.line(match.start()), f"{match.group(1)}: use {ALLOCATORS[match.group(1)]}"


def check_library_does_not_speak():
    """Modules return errors; they do not print."""
    for source in OWN:
        if not source.name.startswith("src/"):
            continue
        for match in re.finditer(r"(?<![\w.>])(\w+)\s*\(", source.code):
            if match.group(1) in SPEAKERS:
                yield source.name, source.line(match.start()), f"{match.group(1)}: a module returns its error"


def check_sql_has_a_home():
    """Statements live in _sql.c, whole."""
    for source in OWN:
        if source.name.endswith(("_sql.c", "_sql.h")) or source.name.startswith(SQL_EXEMPT):
            continue
        for match in SQL_START.finditer(blank(source.text, strings=False)):
            yield source.name, source.line(match.start()), "SQL outside a _sql.c file"


def check_comments():
    """No // comments."""
    for source in C:
        code = re.sub(r"/\*.*?\*/", lambda m: re.sub(r"[^\n]", " ", m.group(0)), source.text, flags=re.S)
        code = re.sub(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", '""', code)
        for number, text in enumerate(code.splitlines(), 1):
            if "//" in text:
                yield source.name, number, "a // comment: they are for temporary notes"


LICENSED = {".c", ".h", ".def", ".py", ".go", ".sh", ".ts", ".inc"}


def check_licence_line():
    """One SPDX line in every source file."""
    for path in FILES:
        name = path.relative_to(ROOT).as_posix()
        if name.startswith("tests/replay/cases") or path.suffix == ".inc" or path.stat().st_size == 0:
            continue
        with open(path, "rb") as f:
            head = f.read(300)
        if path.suffix in LICENSED or head.startswith(b"#!"):
            if b"SPDX-License-Identifier: Apache-2.0" not in head:
                yield name, 1, "no line 'SPDX-License-Identifier: Apache-2.0'"


# Put together here, so that this file is not a finding itself.
PLACES = re.compile("(?<![\\w.~-])/(?:" + "|".join(["work/", "root/", "home/[a-z]+/"]) + ")")


def check_no_machine_in_the_tree():
    """No path of the machine that somebody works on."""
    for path in FILES:
        name = path.relative_to(ROOT).as_posix()
        if path.suffix in (".tgz", ".gz", ".png") or name.endswith("lint/source.py"):
            continue
        for number, text in enumerate(path.read_text(errors="replace").splitlines(), 1):
            if PLACES.search(text):
                yield name, number, f"a path of some machine: {text.strip()[:80]}"


def check_routes():
    """One row, one function, one name; a row's function is in an _api.c file."""
    text = (ROOT / "src/api/routes.def").read_text()
    rows = set(re.findall(r'^OP\(\w+, "[^"]*", (\w+),', text, re.M))
    aliases = set(re.findall(r'^ALIAS\(\w+, "[^"]*", (\w+),', text, re.M))
    for name in aliases - rows:
        yield "src/api/routes.def", 1, f"ALIAS of '{name}', which has no row of its own"
    defined = {}
    for source in OWN:
        for match in re.finditer(r"^int api_(\w+)\(struct request", source.code, re.M):
            defined[match.group(1)] = (source.name, source.line(match.start()))
    for name, (file, line) in defined.items():
        if name not in rows:
            yield file, line, f"api_{name} has no row in routes.def"
        if not file.endswith("_api.c"):
            yield file, line, f"api_{name} belongs into an _api.c file"
    for name in rows - set(defined):
        yield "src/api/routes.def", 1, f"no function api_{name}"


def check_shape():
    """Tabs, and no space at the end of a line."""
    for source in C:
        for number, text in enumerate(source.lines, 1):
            if text != text.rstrip():
                yield source.name, number, "space at the end of the line"
            if re.match(r"^ {4,}\S", text) and not re.match(r"^ +\*", text) and source.name.startswith("src/") and not inside_text(source, number):
                yield source.name, number, "indented by spaces"


def inside_text(source, number):
    """Continuation lines align by spaces behind tabs; a line of spaces alone is part of a comment or a table."""
    return not source.code.splitlines()[number - 1].strip() or source.name.endswith(".def")


def check_configuration():
    """docs/configuration.md and etc/pulumi-api.conf are what settings.def says."""
    done = subprocess.run([sys.executable, str(ROOT / "tools/configuration.py"), str(ROOT), "--check"], capture_output=True, text=True, check=False)
    if done.returncode:
        yield "src/base/settings.def", 1, done.stderr.strip()


# Not linked into the server.
OTHER_LIBRARIES = {"libc6-dev", "libclang-rt-14-dev", "libcmocka-dev"}


def check_package_lists():
    """Whoever installs what the build needs installs the same libraries: quickstart, check, the Debian package, the container."""
    lists = {name: set(re.findall(r"\blib[a-z0-9.+-]+-dev\b", (ROOT / name).read_text())) - OTHER_LIBRARIES
             for name in ("quickstart", "check", "debian/control", "etc/container/Dockerfile")}
    for name, packages in lists.items():
        for package in sorted(set().union(*lists.values()) - packages):
            yield name, 1, f"{package} is missing here; {', '.join(n for n in lists if package in lists[n])} has it"


def check_tests_that_are_named():
    """The table of tests against services names tests that there are."""
    there = {name for folder in ("clouds", "faults", "telemetry") for file in (ROOT / "tests" / folder).glob("test_*.py")
             for name in re.findall(r"def test_(\w+)", file.read_text())}
    for number, line in enumerate((ROOT / "tests/clouds/README.md").read_text().splitlines(), 1):
        for name in re.findall(r"`([a-z0-9]+_\w+)[\[*]?[\w*]*\]?`", line) if line.startswith("| ") else ():
            if not any(one == name or (f"`{name}*`" in line and one.startswith(name)) for one in there):
                yield "tests/clouds/README.md", number, f"there is no test_{name}"


def medians():
    sizes = sorted(size for s in OWN for _, _, size in functions(s))
    files = sorted(len(s.lines) for s in OWN if s.name.endswith(".c"))
    return (f"functions: {len(sizes)}, median {statistics.median(sizes):.0f} lines, nine of ten up to {sizes[len(sizes) * 9 // 10]}, "
            f"longest {sizes[-1]}; files: {len(files)}, median {statistics.median(files):.0f} lines, longest {files[-1]}")


CHECKS = [check_layers, check_json_stays_at_the_edge, check_sizes, check_banned_functions, check_allocation, check_library_does_not_speak,
          check_sql_has_a_home, check_comments, check_licence_line, check_no_machine_in_the_tree, check_routes, check_shape, check_configuration,
          check_package_lists, check_tests_that_are_named]


def run(checks):
    """Prints what each check finds; (passed, failed)."""
    passed = failed = 0
    for check in checks:
        found = list(check())
        for file, line, sentence in found:
            print(f"{file}:{line}: {sentence}")
        print(f"{'ok' if not found else 'FAILED'}: {check.__name__.removeprefix('check_').replace('_', ' ')}: {check.__doc__.strip()}")
        passed, failed = passed + (not found), failed + bool(found)
    return passed, failed


def main():
    passed, failed = run(CHECKS)
    print(medians())
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
