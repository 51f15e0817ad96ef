# SPDX-License-Identifier: Apache-2.0
"""A mail server out of aiosmtpd, run by the Python that has it: smtp_server.py OPTIONS-AS-JSON

port, host, tls ("", "starttls" or "implicit"), certificate, key, user and password (or null), folder. What it takes goes
into folder/taken, one JSON object a line; before it takes something it answers the next line of folder/answers, if there is
one: "rcpt 451 4.7.1 later", "data 550 5.7.1 no"; "slow 5" waits as many seconds and takes it, "drop" ends the connection without an
answer, "lose" takes it first. folder/ready appears when it listens.
"""

import asyncio
import json
import pathlib
import signal
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


class Handler:
    def __init__(self, folder):
        self.taken, self.answers = folder / "taken", folder / "answers"

    def next_answer(self, command):
        lines = self.answers.read_text().splitlines() if self.answers.exists() else []
        if not lines or not lines[0].startswith(command + " "):
            return None
        self.answers.write_text("\n".join(lines[1:]))
        return lines[0].partition(" ")[2]

    async def odd_answer(self, server, command):
        """None when all is well."""
        answer = self.next_answer(command)
        if answer == "drop":
            server.transport.abort()
            await asyncio.sleep(60)
        if answer and answer.startswith("slow "):
            await asyncio.sleep(float(answer.partition(" ")[2]))
            return None
        return answer

    async def handle_RCPT(self, server, session, envelope, address, options):
        answer = await self.odd_answer(server, "rcpt")
        if answer:
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        answer = await self.odd_answer(server, "data")
        if answer and answer != "lose":
            return answer
        with open(self.taken, "a", encoding="utf-8") as f:
            f.write(json.dumps({"from": envelope.mail_from, "to": envelope.rcpt_tos, "data": envelope.content.decode("latin-1"),
                                "tls": bool(server.transport.get_extra_info("ssl_object")), "user": session.auth_data}) + "\n")
        if answer:
            server.transport.abort()
        return "250 2.0.0 taken"


def main():
    o = json.loads(sys.argv[1])
    folder = pathlib.Path(o["folder"])
    more = {}
    if o["tls"]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(o["certificate"], o["key"])
        more = {"ssl_context": context} if o["tls"] == "implicit" else {"tls_context": context, "require_starttls": True}
    if o["user"]:
        def authenticate(server, session, envelope, mechanism, data):
            good = (data.login, data.password) == (o["user"].encode(), o["password"].encode())
            return AuthResult(success=good, handled=good, auth_data=data.login.decode() if good else None)
        more.update(authenticator=authenticate, auth_required=True, auth_require_tls=o["tls"] == "starttls")
    controller = Controller(Handler(folder), hostname=o["host"], port=o["port"], ready_timeout=20, **more)
    controller.start()
    (folder / "ready").touch()
    signal.sigwait([signal.SIGTERM, signal.SIGINT])
    controller.stop()


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])
    main()
