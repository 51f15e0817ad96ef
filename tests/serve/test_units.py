# SPDX-License-Identifier: Apache-2.0
"""The systemd units: no unknown key in them, and no more that the processes may do than today."""

import pathlib
import re
import subprocess

import pytest

from conftest import BUILD, ROOT

# Tenths of systemd-analyze's exposure. Lower a figure when the unit has become tighter.
EXPOSURE = {"pulumi-api.service": 11, "pulumi-job@.service": 11}


def test_there_is_a_figure_for_each_service():
    assert {path.name.removesuffix(".in") for path in (ROOT / "etc" / "systemd").glob("*.service*")} == set(EXPOSURE)


@pytest.mark.parametrize("unit", EXPOSURE)
def test_exposure(unit):
    done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--no-pager", f"--threshold={EXPOSURE[unit]}",
                           BUILD / "etc" / "systemd" / unit], capture_output=True, text=True, timeout=60, check=False)
    assert "Overall exposure level" in done.stdout, done.stderr
    assert done.returncode == 0, done.stdout


@pytest.fixture
def units(tmp_path):
    """The units as they are installed, with programs that exist here; a name for the instance of each job."""
    for source in [*(BUILD / "etc" / "systemd").glob("*.service"), *(ROOT / "etc" / "systemd").glob("*.timer")]:
        text = re.sub(r"^ExecStart=.*$", "ExecStart=/bin/true", source.read_text(), flags=re.M)
        (tmp_path / source.name.replace("@", "@expire-leases")).write_text(text)
    return sorted(tmp_path.iterdir())


def verify(*units):
    return subprocess.run(["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, timeout=60, check=False)


def test_systemd_understands_them(units):
    assert len(units) == 3
    done = verify(*units)
    assert (done.returncode, done.stderr) == (0, "")
    units[0].write_text(units[0].read_text() + "[Service]\nNoSuchKey=yes\n")
    assert "NoSuchKey" in verify(*units).stderr


def test_the_programs_they_name_are_those_that_are_built():
    named = {word for path in (BUILD / "etc" / "systemd").glob("*.service")
             for word in re.findall(r"^ExecStart=(\S+)", path.read_text(), re.M)}
    assert {pathlib.Path(word).name for word in named} == {"pulumi-serve", "pulumi-job-%i"}
    assert (BUILD / "fcgi" / "pulumi-serve").exists()
    jobs = {path.name.removesuffix(".c") for path in (ROOT / "cron").glob("pulumi-job-*.c")}
    assert jobs and all((BUILD / "cron" / job).exists() for job in jobs)
