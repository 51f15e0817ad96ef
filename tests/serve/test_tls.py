# SPDX-License-Identifier: Apache-2.0
"""HTTPS: both web servers show the certificate, refuse old clients, and read a renewed one on a reload."""

import os
import ssl
import socket
import subprocess

import pytest

from conftest import WEB_SERVERS, until


class Authority:
    def __init__(self, folder):
        self.folder, self.ca = folder, folder / "ca.pem"
        self.openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
                     "-subj", "/CN=test authority")
        (folder / "names").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1")

    def openssl(self, *command):
        subprocess.run(["openssl", *command], cwd=self.folder, check=True, capture_output=True)

    def issue(self, name):
        """Certificate and key for localhost, as paths."""
        self.openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}")
        self.openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-out",
                     f"{name}.pem", "-days", "2", "-extfile", "names")
        return self.folder / f"{name}.pem", self.folder / f"{name}.key"


@pytest.fixture(scope="session")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority"))


def connect(port, authority, highest=None):
    """The common name that the server shows, and the protocol that was agreed on."""
    context = ssl.create_default_context(cafile=str(authority.ca))
    if highest:
        context.maximum_version = highest
    with socket.create_connection(("127.0.0.1", port), 10) as plain, context.wrap_socket(plain, server_hostname="localhost") as s:
        s.sendall(b"GET /api/status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert b" 200" in s.recv(64)
        subject = dict(pair for group in s.getpeercert()["subject"] for pair in group)
        return subject["commonName"], s.version()


@pytest.mark.parametrize("web", WEB_SERVERS)
def test_certificates_in_files(serve, authority, web):
    certificate, key = authority.issue(f"path-{web}")
    by_path = serve(PULUMI_WEB_SERVER=web, API_TLS_CERTIFICATE=certificate, API_TLS_PRIVATE_KEY=key).start()
    assert connect(by_path.port, authority) == (f"path-{web}", "TLSv1.3")
    assert connect(by_path.port, authority, ssl.TLSVersion.TLSv1_2)[1] == "TLSv1.2"
    for name in ("tls.crt", "tls.key"):
        assert os.stat(by_path.run / name).st_mode & 0o777 == 0o600


@pytest.mark.parametrize("web", WEB_SERVERS)
def test_certificates_as_text_and_a_lowest_version(serve, authority, web):
    certificate, key = authority.issue(f"text-{web}")
    by_text = serve(PULUMI_WEB_SERVER=web, API_TLS_CERTIFICATE=certificate.read_text(), API_TLS_PRIVATE_KEY=key.read_text(),
                    API_MIN_TLS_VERSION="1.3").start()
    assert connect(by_text.port, authority)[1] == "TLSv1.3"
    with pytest.raises((ssl.SSLError, OSError)):
        connect(by_text.port, authority, ssl.TLSVersion.TLSv1_2)


@pytest.mark.parametrize("web", WEB_SERVERS)
def test_a_renewed_certificate_is_shown_after_a_reload(serve, authority, web):
    certificate, key = authority.issue(f"old-{web}")
    one = serve(PULUMI_WEB_SERVER=web, API_TLS_CERTIFICATE=certificate, API_TLS_PRIVATE_KEY=key).start()
    assert connect(one.port, authority)[0] == f"old-{web}"
    new_certificate, new_key = authority.issue(f"new-{web}")
    certificate.write_bytes(new_certificate.read_bytes())
    key.write_bytes(new_key.read_bytes())
    one.reload()

    def shows_the_new_one():
        try:
            return connect(one.port, authority)[0] == f"new-{web}"
        except OSError:
            return False

    until(shows_the_new_one, "the renewed certificate", 20)


@pytest.mark.parametrize("change,words", [
    ({"API_TLS_PRIVATE_KEY": ""}, "API_TLS_PRIVATE_KEY is not set although API_TLS_CERTIFICATE is"),
    ({"API_TLS_CERTIFICATE": ""}, "API_TLS_CERTIFICATE is not set although API_TLS_PRIVATE_KEY is"),
    ({"API_TLS_CERTIFICATE": "/nowhere.pem"}, "API_TLS_CERTIFICATE: cannot read /nowhere.pem"),
    ({"API_TLS_CERTIFICATE": "/etc/passwd"}, "API_TLS_CERTIFICATE: /etc/passwd holds no PEM"),
    ({"API_MIN_TLS_VERSION": "1.1"}, "API_MIN_TLS_VERSION: '1.1' must be 1.2 or 1.3"),
])
def test_a_bad_setting_stops_the_start(serve, authority, change, words):
    certificate, key = authority.issue("settings")
    code, _, said = serve(**{"API_TLS_CERTIFICATE": certificate, "API_TLS_PRIVATE_KEY": key, **change}).run_once()
    assert code == 1 and words in said


def test_a_key_of_another_certificate(serve, authority):
    certificate, _ = authority.issue("one")
    _, key = authority.issue("other")
    code, _, said = serve(API_TLS_CERTIFICATE=certificate, API_TLS_PRIVATE_KEY=key).run_once()
    assert code == 1 and "API_TLS_PRIVATE_KEY: the key does not belong to API_TLS_CERTIFICATE" in said
