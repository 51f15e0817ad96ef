# SPDX-License-Identifier: Apache-2.0
"""The Debian package: built from a release, checked by lintian, installed and run in a small Debian."""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import urllib.request

import pytest

from lib.server import Database, children_of, free_port, wait_for

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("PULUMI_TEST_BUILD", ROOT / "build" / "check"))
LIBEXEC = "usr/libexec/pulumi-api"


def run(*command, **more):
    done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          stdin=subprocess.DEVNULL, **more)
    assert done.returncode == 0, f"{command}: exit code {done.returncode}\n{done.stdout[-6000:]}"
    return done.stdout


@pytest.fixture(scope="session")
def folder():
    with tempfile.TemporaryDirectory(prefix="package-") as name:
        os.chmod(name, 0o755)
        yield pathlib.Path(name)


@pytest.fixture(scope="session")
def release(folder):
    """What `make dist` packs, unpacked."""
    run("make", "-s", "-C", BUILD, "distdir", f"distdir={folder}/pulumi-api")
    missing = [name for name in ("debian/rules", "debian/control", "etc/container/Dockerfile", "check", "quickstart", "tests/serve/conftest.py")
               if not (folder / "pulumi-api" / name).exists()]
    assert not missing
    return folder / "pulumi-api"


@pytest.fixture(scope="session")
def package(release):
    """The .deb; unit tests have a suite of their own."""
    run("dpkg-buildpackage", "-us", "-uc", "-b", cwd=release, env={**os.environ, "DEB_BUILD_OPTIONS": "nocheck"})
    (found,) = [path for path in release.parent.glob("pulumi-api_*.deb")]
    return found


def test_lintian_has_nothing_to_say(package):
    (changes,) = package.parent.glob("pulumi-api_*.changes")
    done = subprocess.run(["lintian", "--fail-on", "error,warning", "--allow-root", changes],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_what_is_in_it(package):
    listed = run("dpkg-deb", "--contents", package)
    files = {line.split()[5].removeprefix("./") for line in listed.splitlines()}
    jobs = [path.stem for path in (ROOT / "cron").glob("pulumi-job-*.c")]
    wanted = ["usr/sbin/pulumi-serve", "usr/sbin/pulumi-admin", "usr/sbin/pulumi-migrate", f"{LIBEXEC}/pulumi-api.fcgi",
              "etc/pulumi-api/pulumi-api.conf", "etc/logrotate.d/pulumi-api", "usr/lib/sysusers.d/pulumi-api.conf",
              "usr/lib/tmpfiles.d/pulumi-api.conf", "lib/systemd/system/pulumi-api.service", "lib/systemd/system/pulumi-job@.service",
              "lib/systemd/system/pulumi-job@.timer", "usr/share/doc/pulumi-api/administration.md.gz",
              "usr/share/man/man8/pulumi-serve.8.gz", *(f"{LIBEXEC}/{job}" for job in jobs),
              *(f"usr/share/man/man8/{job}.8.gz" for job in jobs),
              *(f"usr/share/pulumi-api/migrations/{path.name}" for path in (ROOT / "sql" / "migrations").iterdir())]
    assert jobs and not [name for name in wanted if name not in files]
    assert not [name for name in files if name.startswith(("usr/local", "root", "tmp", "home", "build"))]


class Chroot:
    """A small Debian. What runs in it sees the network of this machine and has a /dev and /proc of its own namespace."""

    def __init__(self, folder, tar):
        self.folder = folder
        folder.mkdir()
        run("tar", "-xf", tar, "-C", folder)
        (folder / "usr/sbin/policy-rc.d").write_text("#!/bin/sh\nexit 101\n")
        (folder / "usr/sbin/policy-rc.d").chmod(0o755)

    def command(self, *words, user=None):
        inside = ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", *words] if user else words
        script = 'mount --rbind /dev "$0/dev" && mount -t proc proc "$0/proc" && exec chroot "$0" "$@"'
        return ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", script, str(self.folder), *map(str, inside)]

    def run(self, *words, user=None, env=None):
        return run(*self.command(*words, user=user), env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C", **(env or {})})


@pytest.fixture(scope="session")
def system(package, folder):
    """The Debian with the package in it."""
    if os.geteuid() != 0:
        pytest.skip("a root of its own needs the user root")
    if subprocess.run(["unshare", "--mount", "--pid", "--fork", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody make namespaces")
    # The first of alternatives, without versions.
    needed = [re.split(r"[ (|:]", each.strip())[0] for each in run("dpkg-deb", "--field", package, "Depends").split(",")]
    tar = run(ROOT / "tests" / "package" / "get-root", ",".join(sorted({*needed, "systemd", "util-linux"}))).splitlines()[-1]
    made = Chroot(folder / "root", tar)
    shutil.copy(package, made.folder / "tmp")
    made.run("dpkg", "-i", f"/tmp/{package.name}")
    return made


def test_installing_makes_the_user_and_its_folders_and_starts_nothing(system):
    assert system.run("getent", "passwd", "pulumi-api").split(":")[5:] == ["/var/lib/pulumi-api", "/usr/sbin/nologin\n"]
    for path, mode in (("/etc/pulumi-api/keys", "700 pulumi-api pulumi-api"), ("/var/lib/pulumi-api", "750 pulumi-api pulumi-api"),
                       ("/etc/pulumi-api/pulumi-api.conf", "644 root root")):
        assert system.run("stat", "-c", "%a %U %G", path).strip() == mode
    state = subprocess.run(system.command("systemctl", "is-enabled", "pulumi-api.service"), capture_output=True, text=True, check=False)
    assert state.stdout == "disabled\n"
    assert system.run("cat", "/var/lib/dpkg/info/pulumi-api.conffiles").split() == ["/etc/logrotate.d/pulumi-api", "/etc/pulumi-api/pulumi-api.conf"]


@pytest.fixture(scope="session")
def configured(system, folder):
    """As README.Debian says: schema, key, settings. The database is this machine's, with a socket that the small Debian can reach."""
    made = Database(folder / "mariadb", system.folder / "srv")
    made.start()
    endpoint = f"unix:/srv/{made.socket.name}"
    system.run("pulumi-migrate", "up", env={"PULUMI_DATABASE_ENDPOINT": endpoint, "MYSQL_ROOT_PASSWORD": made.password,
                                            "PULUMI_DATABASE_USER_PASSWORD": made.service_password})
    system.run("sh", "-c", "umask 077; head -c 32 /dev/urandom >/etc/pulumi-api/keys/master.key; chown pulumi-api: /etc/pulumi-api/keys/master.key")
    system.run("install", "-d", "-o", "pulumi-api", "-g", "pulumi-api", "-m", "0750", "/var/lib/pulumi-api/objects")
    port = free_port()
    with open(system.folder / "etc/pulumi-api/pulumi-api.conf", "a", encoding="ascii") as conf:
        conf.write(f'pulumi_database_endpoint = "{endpoint}"\npulumi_local_objects = "/var/lib/pulumi-api/objects"\n'
                   f'pulumi_local_keys = "/etc/pulumi-api/keys"\nport = "{port}"\npulumi_bind_address = "127.0.0.1"\n')
    secrets = system.folder / "etc/pulumi-api/environment"
    secrets.touch(mode=0o600)
    secrets.write_text(f"PULUMI_DATABASE_USER_PASSWORD={made.service_password}\n")
    yield port, made.service_password
    made.stop()


def answers(port):
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/status", timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def test_it_serves(system, configured):
    """Without systemd, with what the unit sets."""
    port, password = configured
    system.run("install", "-d", "-o", "pulumi-api", "-g", "pulumi-api", "-m", "0750", "/var/cache/pulumi-api", "/var/log/pulumi-api")
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "PULUMI_DATABASE_USER_PASSWORD": password,
                   "PULUMI_RUN_DIR": "/var/cache/pulumi-api", "PULUMI_ACCESS_LOG": "/var/log/pulumi-api/access.log"}
    log = system.folder / "var/log/serve.log"
    with open(log, "w", encoding="utf-8") as out:
        process = subprocess.Popen(system.command("pulumi-serve", user="pulumi-api"), env=environment, stdin=subprocess.DEVNULL,
                                   stdout=out, stderr=out)
    try:
        wait_for(lambda: answers(port), 30, "the installed pulumi-serve does not answer", process, log)
        assert system.run("pulumi-serve", "--status", user="pulumi-api", env=environment) == ""
        assert "database" in system.run("pulumi-admin", "check", user="pulumi-api", env=environment)
        wait_for(lambda: "event=ended what=job" in log.read_text(), 20, "no job ran", process, log)
        assert "level=error" not in log.read_text()
    finally:
        for pid in children_of(process.pid):
            os.kill(pid, signal.SIGTERM)
        process.wait(30)


@pytest.fixture
def booted(system, folder):
    """Runs a command where the small Debian's own systemd runs."""
    tree = next((line.split()[1] for line in pathlib.Path("/proc/mounts").read_text().splitlines()
                 if line.split()[2] == "cgroup2" and "rw" in line.split()[3].split(",")), None)
    group = pathlib.Path(tree or "/nowhere") / f"package-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as reason:
        pytest.skip(f"no systemd can be started here: {reason}")
    log = folder / "systemd.log"
    with open(log, "w", encoding="utf-8") as out:
        process = subprocess.Popen([ROOT / "tests" / "package" / "boot-systemd", system.folder, group], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
    (pid,) = wait_for(lambda: list(children_of(process.pid)), 10, "systemd did not start", process, log)
    enter = ["nsenter", f"--target={pid}", "--mount", "--pid", "--uts", "--cgroup", "--root", "--wd"]
    state = ["systemctl", "is-system-running"]
    wait_for(lambda: subprocess.run([*enter, *state], capture_output=True, text=True, check=False).stdout.strip() in ("running", "degraded"),
             30, "systemd did not come up", process, log)
    yield lambda *words: run(*enter, *words, timeout=100)
    os.kill(pid, signal.SIGKILL)
    process.wait(30)
    for each in sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True):
        each.rmdir()
    group.rmdir()


class Asking(threading.Thread):
    """Asks GET /api/status again and again; False for each answer that was not 200."""

    def __init__(self, port):
        super().__init__()
        self.port, self.ending, self.answers = port, False, []

    def run(self):
        while not self.ending:
            self.answers.append(answers(self.port))

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ending = True
        self.join()


def test_systemd_runs_it(booted, configured):
    """The units as they are installed, with their sandbox: start, reload, each job, stop."""
    port, _ = configured
    booted("systemctl", "start", "pulumi-api.service")
    assert answers(port)
    pid = booted("systemctl", "show", "--property=MainPID", "--value", "pulumi-api.service").strip()
    status = dict(line.split(":\t", 1) for line in booted("cat", f"/proc/{pid}/status").splitlines() if ":\t" in line)
    assert (status["NoNewPrivs"], status["Seccomp"], int(status["CapEff"], 16)) == ("1", "2", 0)
    mounts = {line.split()[4]: line.split()[5].split(",") for line in booted("cat", f"/proc/{pid}/mountinfo").splitlines()}
    assert "ro" in mounts["/"] and "rw" in mounts["/var/lib/pulumi-api"]
    with Asking(port) as asking:
        booted("systemctl", "reload", "pulumi-api.service")
        wait_for(lambda: "event=reloaded" in booted("journalctl", "--no-pager", "--unit=pulumi-api.service"), 20, "no reload")
    assert len(asking.answers) > 10 and all(asking.answers)
    for job in (ROOT / "cron").glob("pulumi-job-*.c"):
        booted("systemctl", "start", f"pulumi-job@{job.stem.removeprefix('pulumi-job-')}.service")
    assert "level=error" not in booted("journalctl", "--no-pager")
    booted("systemctl", "stop", "pulumi-api.service")
    assert not answers(port)


def test_purging_leaves_no_settings_behind(system):
    system.run("dpkg", "--purge", "pulumi-api")
    assert not (system.folder / "etc/pulumi-api/pulumi-api.conf").exists()
    assert not (system.folder / "usr/sbin/pulumi-serve").exists()

