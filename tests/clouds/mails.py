# SPDX-License-Identifier: Apache-2.0
"""A mail server that can be started, stopped and told what to answer, and the mails that it took."""

import email
import email.policy
import json
import pathlib
import re
import subprocess

from lib.server import free_port, wait_for

HERE = pathlib.Path(__file__).resolve().parent


class Mail:
    def __init__(self, taken):
        self.sender, self.recipients, self.tls, self.user = taken["from"], taken["to"], taken["tls"], taken["user"]
        self.raw = taken["data"].encode("latin-1")
        self.message = email.message_from_bytes(self.raw, policy=email.policy.default)
        self.text = self.message.get_content()

    def __getitem__(self, name):
        return self.message[name]

    @property
    def link(self):
        return re.search(r"https?://\S+", self.text).group(0)

    @property
    def secret(self):
        return re.split(r"[/=]", self.link)[-1]


class MailServer:
    def __init__(self, cache, folder, certificate, tls="starttls", user="mailer", password="s3cret pass", host="127.0.0.1", port=None):
        folder.mkdir(parents=True, exist_ok=True)
        self.python, self.folder = cache / "aiosmtpd/bin/python", folder
        self.options = {"host": host, "port": port or free_port(), "tls": tls, "certificate": str(certificate.file), "key": str(certificate.key),
                        "user": user, "password": password, "folder": str(folder)}
        self.process, self.log = None, folder / "log"

    @property
    def where(self):
        return f"{self.options['host']}:{self.options['port']}"

    def start(self):
        (self.folder / "ready").unlink(missing_ok=True)
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([self.python, HERE / "smtp_server.py", json.dumps(self.options)], stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        wait_for((self.folder / "ready").exists, 30, "the mail server did not start", self.process, self.log)
        return self

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    def answer(self, *lines):
        """What it says to the next commands instead of taking a mail."""
        (self.folder / "answers").write_text("\n".join(lines))

    def taken(self):
        path = self.folder / "taken"
        return [Mail(json.loads(line)) for line in path.read_text().splitlines()] if path.exists() else []

    def taken_for(self, address):
        return [mail for mail in self.taken() if mail.recipients == [address]]
