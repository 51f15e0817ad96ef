# SPDX-License-Identifier: Apache-2.0
"""An authority of its own, and a certificate of a server by it."""

import subprocess


class Certificate:
    def __init__(self, folder, names="IP:127.0.0.1,DNS:localhost", days=2):
        """days: how long it is good; with -1 it has ended."""
        folder.mkdir(exist_ok=True)
        self.ca, self.file, self.key = folder / "ca.pem", folder / "server.pem", folder / "server.key"
        ca_key, request, extensions = folder / "ca.key", folder / "server.csr", folder / "extensions"
        extensions.write_text(f"subjectAltName={names}\n")
        new = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj"]
        run(*new, "/CN=tests", "-x509", "-days", "2", "-keyout", ca_key, "-out", self.ca)
        run(*new, "/CN=server", "-keyout", self.key, "-out", request)
        run("openssl", "x509", "-req", "-in", request, "-CA", self.ca, "-CAkey", ca_key, "-CAcreateserial", "-days", str(days),
            "-extfile", extensions, "-out", self.file)
        self.key.chmod(0o644)  # the database's account reads it too


def run(*command):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
