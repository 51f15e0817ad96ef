# SPDX-License-Identifier: Apache-2.0
"""A setting that cannot be used stops the start with one sentence that names it."""

import socket

import pytest

from conftest import until


@pytest.mark.parametrize("name,value,words", [
    ("PORT", "abc", "'abc' must be a whole number from 1 to 65535"),
    ("PORT", "0", "'0' must be a whole number"),
    ("PORT", "65536", "'65536' must be a whole number"),
    ("PORT", "80 80", "'80 80' must be a whole number"),
    ("PULUMI_BIND_ADDRESS", "localhost", "'localhost' must be an IPv4 or IPv6 address"),
    ("PULUMI_BIND_ADDRESS", "192.0.2.1", "cannot listen on 192.0.2.1"),
    ("PULUMI_TRUSTED_PROXIES", "10.0.0.1/8", "'10.0.0.1/8' is no network"),
    ("PULUMI_TRUSTED_PROXIES", "balancer.example.com", "'balancer.example.com' is no network"),
    ("PULUMI_TRUSTED_PROXIES", '10.0.0.1"', "is no network"),
    ("PULUMI_WEB_SERVER", "nginx", "'nginx' is not known; use lighttpd, apache or none"),
    ("PULUMI_RESPONDERS", "0", "'0' must be a whole number from 1 to 1024"),
    ("PULUMI_MAX_BODY_BYTES", "1", "'1' must be a whole number"),
    ("PULUMI_ANSWER_SECONDS", "0", "'0' must be a whole number"),
    ("PULUMI_STOP_SECONDS", "-1", "'-1' must be a whole number"),
    ("PULUMI_RUN_DIR", "/tmp/" + "x" * 100, "too long for a unix socket"),
    ("PULUMI_RUN_DIR", '/tmp/a"b', "use another path"),
    ("PULUMI_RUN_DIR", "/nowhere/at/all", "cannot make the folder /nowhere/at/all"),
    ("PULUMI_LIBEXEC_DIR", "/nowhere", "cannot run /nowhere/pulumi-api.fcgi"),
    ("PULUMI_API_CONFIG", "/nowhere/pulumi-api.conf", "/nowhere/pulumi-api.conf"),
])
def test_a_bad_setting_stops_the_start(serve, name, value, words):
    code, _, said = serve(**{name: value}).run_once()
    assert code == 1
    assert words in said
    if not (name == "PULUMI_BIND_ADDRESS" and "listen" in words):
        assert name in said or name == "PULUMI_API_CONFIG"
    assert "event=started" not in said


def test_a_port_in_use(serve):
    one = serve()
    with socket.create_server(("127.0.0.1", one.port)):
        code, _, said = one.run_once()
    assert code == 1
    assert f"PORT: {one.port} on 127.0.0.1 is in use" in said


def test_a_run_folder_in_use(serve):
    one = serve().start()
    code, _, said = serve().run_once()
    assert code == 1
    assert f"pulumi-serve with pid {one.process.pid} runs in" in said


def test_check_and_usage(serve):
    assert serve().run_once("--check") == (0, "", "")
    assert serve(PORT="abc").run_once("--check")[0] == 1
    code, text, _ = serve().run_once("--help")
    assert code == 0 and "PULUMI_RESPONDERS" in text
    assert serve().run_once("--frobnicate")[0] == 2


def test_status(serve, web_server):
    one = serve(PULUMI_WEB_SERVER=web_server)
    code, _, said = one.run_once("--status")
    assert code == 1 and f"port {one.port}" in said
    one.start()
    assert one.run_once("--status") == (0, "", "")
    one.settings["PULUMI_WEB_SERVER"] = "none"
    code, _, said = one.run_once("--status")
    assert code == 1 and "no web server" in said


def test_write_config(serve, web_server):
    one = serve(PULUMI_WEB_SERVER=web_server)
    code, text, said = one.run_once("--write-config")
    assert (code, said) == (0, "")
    assert str(one.port) in text and f"{one.run}/api.sock" in text


def test_no_web_server(serve):
    """For people who have one: the socket and the responders only."""
    one = serve(PULUMI_WEB_SERVER="none").start()
    until(lambda: len(one.pids("responder")) == 4, "four responders")
    assert one.pids("web") == []
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(str(one.run / "api.sock"))
    assert (one.run / "api.sock").stat().st_mode & 0o777 == 0o660
    assert one.stop() == 0
