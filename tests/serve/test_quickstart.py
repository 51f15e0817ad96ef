# SPDX-License-Identifier: Apache-2.0
"""./quickstart from the outside: what a newcomer types, and what scripts rely on."""

import json
import os
import pathlib
import pty
import select
import signal
import stat
import subprocess
import time

import pytest

from conftest import BUILD, ROOT, alive, ask, free_port, quickstart, until

pytestmark = pytest.mark.slow


@pytest.fixture
def data(short_folder):
    yield short_folder / "data"
    quickstart("--stop", "--data", short_folder / "data")


def database_pid(data):
    return int((data / "mariadb" / "mariadb.pid").read_text())


def test_background_status_stop_and_again(data):
    port = str(free_port())
    done = quickstart("--background", "--port", port, "--data", data)
    assert done.returncode == 0, done.stderr
    access = json.loads((data / "access.json").read_text())
    assert sorted(access) == ["organization", "token", "url", "user"]
    assert access["url"] == f"http://127.0.0.1:{port}"
    assert f"PULUMI_ACCESS_TOKEN={access['token']} pulumi login {access['url']}" in done.stdout
    for secret in ("access.json", "keys/master.key", "passwords/root", "passwords/pulumi_service"):
        assert stat.S_IMODE((data / secret).stat().st_mode) == 0o600
    key = (data / "keys" / "master.key").read_bytes()
    assert len(key) == 32
    headers = {"Authorization": f"token {access['token']}"}
    user = json.loads(ask(int(port), "GET", "/api/user", headers=headers)[2])
    assert access["organization"] in [each["githubLogin"] for each in user["organizations"]]
    default = json.loads(ask(int(port), "GET", "/api/user/organizations/default", headers=headers)[2])
    assert default["gitHubLogin"] == access["organization"]

    assert quickstart("--status", "--data", data).returncode == 0
    again = quickstart("--background", "--port", port, "--data", data)
    assert again.returncode == 0 and access["token"] in again.stdout
    other = quickstart("--background", "--port", str(free_port()), "--data", data)
    assert other.returncode == 1 and "it runs already" in other.stderr

    database = database_pid(data)
    assert quickstart("--stop", "--data", data).returncode == 0
    assert not alive(database)
    status = quickstart("--status", "--data", data)
    assert status.returncode == 3 and "not running" in status.stdout

    began = time.monotonic()
    done = quickstart("--background", "--port", port, "--data", data)
    took = time.monotonic() - began
    assert done.returncode == 0, done.stderr
    assert took <= 3, f"start to first answer took {took:.2f} s"
    assert json.loads((data / "access.json").read_text()) == access
    assert (data / "keys" / "master.key").read_bytes() == key
    assert ask(int(port), "GET", "/api/user", headers=headers)[0] == 200


def test_a_stack_without_an_owner_goes_to_the_organization(installation, tmp_path):
    """With the real command line, as a newcomer does it."""
    access = json.loads((installation / "access.json").read_text())
    tools = subprocess.run([ROOT / "tests/clients/get-tools", "3.259.0"], capture_output=True, text=True, check=True).stdout.split()[0]
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: yaml\n")
    done = subprocess.run([f"{tools}/pulumi", "stack", "init", "dev", "--non-interactive"], cwd=tmp_path, capture_output=True, text=True,
                          env={**os.environ, "PULUMI_HOME": str(tmp_path / "home"), "PULUMI_BACKEND_URL": access["url"],
                               "PULUMI_ACCESS_TOKEN": access["token"], "PULUMI_SKIP_UPDATE_CHECK": "true"}, check=False)
    assert done.returncode == 0, done.stderr
    headers = {"Authorization": f"token {access['token']}"}
    port = int(access["url"].rpartition(":")[2])
    assert ask(port, "GET", f"/api/stacks/{access['organization']}/shop/dev", headers=headers)[0] == 200
    assert ask(port, "GET", f"/api/stacks/{access['user']}/shop/dev", headers=headers)[0] == 404


def test_it_comes_back_after_everything_was_killed(data):
    port = str(free_port())
    assert quickstart("--background", "--port", port, "--data", data).returncode == 0
    access = (data / "access.json").read_text()
    for pid in (int((data / "run" / "pulumi-serve.pid").read_text()), database_pid(data)):
        os.kill(pid, signal.SIGKILL)
    until(lambda: quickstart("--status", "--data", data).returncode == 3, "everything to be gone")
    done = quickstart("--background", "--port", port, "--data", data)
    assert done.returncode == 0, done.stderr
    assert (data / "access.json").read_text() == access


def test_control_c_stops_all(data):
    pid, terminal = pty.fork()
    if pid == 0:
        signal.signal(signal.SIGINT, signal.SIG_DFL)  # a shell that was started without it cannot have it
        os.execv(ROOT / "quickstart", ["quickstart", "--no-install", "--build", str(BUILD), "--port", str(free_port()),
                                       "--data", str(data)])
    said = b""
    while b"Ctrl-C stops it" not in said:
        assert select.select([terminal], [], [], 60)[0], said.decode()
        said += os.read(terminal, 4096)
    database, server = database_pid(data), int((data / "run" / "pulumi-serve.pid").read_text())
    os.write(terminal, b"\x03")
    try:
        while select.select([terminal], [], [], 30)[0] and os.read(terminal, 4096):
            pass
    except OSError:
        pass
    until(lambda: not alive(pid), "quickstart to end")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130
    assert not alive(database) and not alive(server)


def test_a_long_path_with_spaces(short_folder):
    data = pathlib.Path(short_folder) / ("a long name " * 6).strip() / ("and another one " * 3).strip()
    done = quickstart("--background", "--port", str(free_port()), "--data", data)
    assert done.returncode == 0, done.stderr
    assert quickstart("--status", "--data", data).returncode == 0
    assert quickstart("--stop", "--data", data).returncode == 0


def test_a_port_in_use(data, installation):
    port = json.loads((installation / "access.json").read_text())["url"].rpartition(":")[2]
    done = quickstart("--background", "--port", port, "--data", data)
    assert done.returncode == 1
    assert f"--port: {port} on 127.0.0.1 is in use" in done.stderr
    assert quickstart("--status", "--data", data).returncode == 3


@pytest.mark.parametrize("arguments,words", [
    (["--port", "http"], "--port: 'http' must be a number from 1 to 65535"),
    (["--port"], "--port needs a value"),
    (["--frobnicate"], "'--frobnicate' is not an option"),
    (["--data", "a$b"], "use another path"),
    (["--data", "/proc/nowhere"], "cannot make /proc/nowhere"),
])
def test_wrong_usage(arguments, words):
    done = quickstart(*arguments)
    assert done.returncode == 1
    assert words in done.stderr


def test_help():
    done = quickstart("--help")
    assert done.returncode == 0 and "--background" in done.stdout
