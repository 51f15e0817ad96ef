# SPDX-License-Identifier: Apache-2.0
"""Mail to a real SMTP server: what is sent, how, how often, and what people do with the links in it."""

import json
import os
import pathlib
import re
import signal
import subprocess
import time
import uuid
from email.utils import parsedate_to_datetime

import pytest
from certificate import Certificate
from conftest import BUILD, CACHE
from lib.client import Access, Client
from lib.server import Installation, state, wait_for
from mails import MailServer

SENDER = "Pülümi, \"Inc.\" <pulumi@mail.example.com>"
CONSOLE = "app.example.com"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    return Certificate(tmp_path_factory.mktemp("certificate") / "c", "IP:127.0.0.1,IP:127.0.0.7,DNS:localhost")


@pytest.fixture(scope="session")
def server_started(certificate, tmp_path_factory):
    made = MailServer(CACHE / "clouds", tmp_path_factory.mktemp("mail"), certificate).start()
    yield made
    made.stop()


@pytest.fixture
def server(server_started):
    if server_started.process.poll() is not None:
        server_started.start()
    server_started.answer()
    return server_started


def settings_for(server, certificate, **more):
    return {"SMTP_SERVER": server.where, "SMTP_USERNAME": server.options["user"] or "", "SMTP_PASSWORD": server.options["password"] if server.options["user"] else "",
            "SMTP_GENERIC_SENDER": SENDER, "SSL_CERT_FILE": str(certificate.ca), "PULUMI_CONSOLE_DOMAIN": CONSOLE,
            "METRICS_WEBHOOK_SECRET": "scraper", **more}


@pytest.fixture(scope="session")
def mailing(server_started, certificate):
    """An installation that sends mail."""
    with Installation(BUILD, responders=2, environment=settings_for(server_started, certificate)) as started:
        yield started
        started.stop()
        assert not started.problems()


@pytest.fixture
def sql(mailing):
    return mailing.database.sql


@pytest.fixture
def no_mails(sql):
    """Nothing waits, nothing was counted."""
    sql("DELETE FROM mail_messages; DELETE FROM mail_limits")


@pytest.fixture
def access(mailing):
    return Access(mailing.access)


@pytest.fixture
def anybody(access):
    return Client(access.url)


@pytest.fixture
def job(mailing):
    def run(code=0, **settings):
        done = start_job(mailing, **settings)
        out, _ = done.communicate(timeout=120)
        assert done.returncode == code, f"exit {done.returncode}: {out}"
        return out
    return run


def start_job(mailing, **settings):
    return subprocess.Popen([BUILD / "cron/pulumi-job-send-mail"], env=mailing.environment(**settings), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.fixture
def admin(mailing):
    def run(*arguments, code=0, **settings):
        done = subprocess.run([BUILD / "sql/pulumi-admin", *arguments], env=mailing.environment(**settings), stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, timeout=120)
        assert done.returncode == code, f"{arguments}: exit {done.returncode}: {done.stdout}"
        return done.stdout
    return run


class Person:
    def __init__(self, anybody, login=None):
        self.login = login or f"p{uuid.uuid4().hex[:10]}"
        self.email = f"{self.login}@example.com"
        answer = anybody.post("/api/console/email/signup", {"name": "N", "loginName": self.login, "email": self.email, "password": uuid.uuid4().hex})
        self.client = anybody.with_token(answer.expect(200).json()["pulumiAccessToken"])
        self.organization = f"o{uuid.uuid4().hex[:10]}"
        self.client.post("/api/console/actions/new-organization", {"orgName": self.organization}).expect(200)


@pytest.fixture
def new_person(anybody):
    return lambda: Person(anybody)


@pytest.fixture
def person(new_person, no_mails):
    """Somebody who has just signed up: the mail with the link waits."""
    return new_person()


def state_of(sql, email):
    return sql(f"SELECT state, attempts, next_attempt_at > UTC_TIMESTAMP(6), message IS NULL, problem FROM mail_messages WHERE recipient = '{email}' "
               "ORDER BY id DESC LIMIT 1")[0]


def counted(mailing):
    """What Prometheus would see."""
    answer = Client(mailing.url).get("/metrics", headers={"Authorization": "webhook-token scraper"}).expect(200)
    return {name: int(value) for name, value in re.findall(r"^pulumi_mails_(\w+) (\d+)$", answer.body.decode(), re.M)}


def statements(mailing):
    """How many were run so far for requests."""
    answer = Client(mailing.url).get("/metrics", headers={"Authorization": "webhook-token scraper"}).expect(200)
    found = re.findall(r"^db_client_operation_duration_seconds_count\{[^}]*\} (\d+)$", answer.body.decode(), re.M)
    assert found
    return sum(map(int, found))


def make_due(sql):
    sql("UPDATE mail_messages SET next_attempt_at = UTC_TIMESTAMP(6) WHERE state = 'waiting'")


def verified(server, job, person):
    job()
    person.client.with_token(None).post("/api/console/email/verify", {"token": server.taken_for(person.email)[-1].secret}).expect(204)
    return person


class TestSending:
    def test_what_is_sent(self, server, job, person, sql):
        assert "sent=1 later=0 failed=0" in job()
        [mail] = server.taken_for(person.email)
        assert mail.tls and mail.user == "mailer" and mail.sender == "pulumi@mail.example.com"
        assert str(mail["From"]) == '"Pülümi, \\"Inc.\\"" <pulumi@mail.example.com>'
        assert mail["To"] == person.email and mail["Subject"] == "Confirm your e-mail address"
        assert abs(parsedate_to_datetime(mail["Date"]).timestamp() - time.time()) < 60
        [[row_id]] = sql(f"SELECT id FROM mail_messages WHERE recipient = '{person.email}'")
        assert mail["Message-ID"] == f"<{row_id}@mail.example.com>"
        assert mail.message.get_content_type() == "text/plain" and mail.message.get_content_charset() == "utf-8"
        assert mail.link.startswith(f"https://{CONSOLE}/verify-email?token=") and person.login in mail.text
        assert all(len(line) <= 76 and line.isascii() for line in mail.raw.split(b"\r\n"))
        assert state_of(sql, person.email)[0] == "sent" and state_of(sql, person.email)[3] == "1", "the link must not stay"
        assert job() == ""

    def test_tls_from_the_first_byte(self, admin, certificate, tmp_path):
        try:
            other = MailServer(CACHE / "clouds", tmp_path, certificate, tls="implicit", user=None, host="127.0.0.7", port=465).start()
        except Exception as reason:
            if os.geteuid() == 0:
                raise
            pytest.skip(f"only root may listen on port 465: {reason}")
        try:
            assert "250 2.0.0 taken" in admin("mail", "test", "--to", "x@example.com", **settings_for(other, certificate))
            assert other.taken()[0].tls
            told = json.loads(admin("mail", "test", "--to", "x@example.com", "--json", **settings_for(other, certificate)))
            assert told == {"server": f"smtps://{other.where}", "answer": "250 2.0.0 taken"}
            assert "not an e-mail address" in admin("mail", "test", "--to", "x", code=1, **settings_for(other, certificate))
        finally:
            other.stop()

    def test_a_certificate_of_another_authority(self, server, job, person, sql, tmp_path):
        other = Certificate(tmp_path / "c")
        before = len(server.taken())
        assert "certificate" in job(code=1, SSL_CERT_FILE=str(other.ca))
        assert len(server.taken()) == before and state_of(sql, person.email)[:3] == ["waiting", "1", "1"]
        make_due(sql)
        job()
        assert len(server.taken_for(person.email)) == 1

    def test_a_certificate_for_another_name(self, admin, certificate, tmp_path):
        other = MailServer(CACHE / "clouds", tmp_path, certificate, user=None, host="127.0.0.3").start()
        try:
            assert "certificate" in admin("mail", "test", "--to", "x@example.com", code=1, **settings_for(other, certificate))
            assert not other.taken()
        finally:
            other.stop()

    def test_a_wrong_password(self, server, job, person, sql):
        said = job(code=1, SMTP_PASSWORD="not this one")
        assert "535" in said and "not this one" not in said
        assert state_of(sql, person.email)[:2] == ["waiting", "1"] and not server.taken_for(person.email)

    def test_a_server_that_wants_a_password_which_is_not_set(self, server, job, person, sql):
        assert "530" in job(code=1, SMTP_USERNAME="", SMTP_PASSWORD="")
        assert state_of(sql, person.email)[:2] == ["waiting", "1"]

    def test_a_server_without_tls(self, job, person, sql, certificate, tmp_path):
        plain = MailServer(CACHE / "clouds", tmp_path, certificate, tls="", user=None).start()
        try:
            job(code=1, SMTP_SERVER=plain.where, SMTP_USERNAME="", SMTP_PASSWORD="")
            assert not plain.taken() and state_of(sql, person.email)[0] == "waiting"
            make_due(sql)
            job(SMTP_SERVER=plain.where, SMTP_USERNAME="", SMTP_PASSWORD="", PULUMI_SMTP_PLAIN="true")
            assert not plain.taken()[0].tls
        finally:
            plain.stop()

    def test_a_server_that_is_down(self, server, job, person, new_person, sql, admin):
        new_person()
        server.stop()
        assert server.where in job(code=1)
        states = sorted(row[0] for row in sql("SELECT attempts FROM mail_messages"))
        assert states == ["0", "1"], "one attempt shows that there is no server"
        server.start()
        admin("mail", "retry", "--id", sql("SELECT id FROM mail_messages WHERE attempts = 1")[0][0])
        assert "sent=2" in job()
        assert len(server.taken_for(person.email)) == 1

    @pytest.mark.parametrize("answer, times", [("rcpt drop", 1), ("data drop", 1), ("data lose", 2)])
    def test_a_connection_that_ends_in_the_middle(self, server, job, person, sql, answer, times):
        """Nobody knows whether it was taken: it is sent again under the same name, by which a reader sees one."""
        server.answer(answer)
        assert server.where in job(code=1)
        assert state_of(sql, person.email)[:4] == ["waiting", "1", "1", "0"]
        make_due(sql)
        assert "sent=1" in job()
        mails = server.taken_for(person.email)
        assert len(mails) == times and len({mail["Message-ID"] for mail in mails}) == 1

    def test_a_slow_server(self, server, job, person):
        server.answer("rcpt slow 2", "data slow 2")
        assert "sent=1" in job()
        assert len(server.taken_for(person.email)) == 1

    @pytest.mark.slow
    def test_a_server_that_says_nothing_more(self, server, job, person, sql, mailing):
        """It is given up after a minute; meanwhile nobody who calls the API waits for it."""
        server.answer("rcpt slow 90")
        waiting = start_job(mailing)
        time.sleep(1)
        began = time.monotonic()
        person.client.get("/api/user").expect(200)
        assert time.monotonic() - began < 5 and waiting.poll() is None
        out, _ = waiting.communicate(timeout=100)
        assert waiting.returncode == 1 and server.where in out, out
        assert state_of(sql, person.email)[:2] == ["waiting", "1"]
        make_due(sql)
        assert "sent=1" in job()
        assert len(server.taken_for(person.email)) == 1

    @pytest.mark.parametrize("command", ["rcpt", "data"])
    def test_not_now(self, server, job, person, sql, command):
        server.answer(f"{command} 451 4.7.1 greylisted")
        assert "sent=0 later=1 failed=0" in job()
        assert state_of(sql, person.email) == ["waiting", "1", "1", "0", "451 4.7.1 greylisted"]
        assert job() == "", "not before its time"
        make_due(sql)
        assert "sent=1" in job()
        assert len(server.taken_for(person.email)) == 1

    @pytest.mark.parametrize("command", ["rcpt", "data"])
    def test_never(self, server, job, person, mailing, admin, command):
        assert counted(mailing) == {"waiting": 1, "failed": 0}
        server.answer(f"{command} 550 5.1.1 no such user")
        assert "failed=1" in job()
        assert counted(mailing) == {"waiting": 0, "failed": 1}
        [failed] = json.loads(admin("mail", "list", "--state", "failed", "--json"))
        assert failed["recipient"] == person.email and failed["problem"] == "550 5.1.1 no such user"
        assert person.email in admin("mail", "show", "--id", failed["id"])
        assert server.answer() is None and job() == ""
        admin("mail", "retry", "--all-failed")
        assert "sent=1" in job()
        admin("mail", "drop", "--id", failed["id"])
        assert json.loads(admin("mail", "list", "--json")) == []

    def test_one_that_is_refused_does_not_stop_the_next(self, server, job, person, new_person):
        other = new_person()
        server.answer("rcpt 550 5.1.1 no")
        assert "sent=1 later=0 failed=1" in job()
        assert len(server.taken_for(person.email) + server.taken_for(other.email)) == 1

    def test_it_gives_up(self, server, job, person, sql):
        sql("UPDATE mail_messages SET give_up_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND")
        server.answer("rcpt 451 4.7.1 later")
        assert "failed=1" in job()
        assert state_of(sql, person.email)[0] == "failed"

    def test_two_at_once_send_once(self, server, mailing, new_person, no_mails, sql):
        people = [new_person() for _ in range(12)]
        jobs = [start_job(mailing) for _ in range(3)]
        for one in jobs:
            out, _ = one.communicate(timeout=120)
            assert one.returncode == 0, out
        assert [len(server.taken_for(p.email)) for p in people] == [1] * 12
        assert sql("SELECT DISTINCT state, attempts FROM mail_messages") == [["sent", "1"]]

    def test_who_found_a_mail_comes_too_late(self, server, mailing, job, person):
        slow = start_job(mailing, PULUMI_FAULT_POINT="mail.found:1:stop")
        wait_for(lambda: state(slow.pid) == "T", 30, "the job did not stop where it was told", slow)
        assert "sent=1" in job()
        slow.send_signal(signal.SIGCONT)
        out, _ = slow.communicate(timeout=60)
        assert (slow.returncode, out) == (0, "") and len(server.taken_for(person.email)) == 1

    @pytest.mark.parametrize("point,times", [("mail.claimed", 1), ("mail.sent", 2)])
    def test_a_job_that_is_killed(self, server, mailing, job, person, sql, point, times):
        killed = start_job(mailing, PULUMI_FAULT_POINT=f"{point}:1")
        killed.communicate(timeout=60)
        assert killed.returncode == -signal.SIGKILL
        assert job() == "", "whoever claimed it may be about to send it"
        make_due(sql)
        assert "sent=1" in job()
        mails = server.taken_for(person.email)
        assert len(mails) == times and len({mail["Message-ID"] for mail in mails}) == 1

    def test_old_rows_go(self, server, job, person, sql):
        job()
        sql("UPDATE mail_messages SET created_at = UTC_TIMESTAMP(6) - INTERVAL 31 DAY; UPDATE mail_limits SET period = period - 48; "
            "UPDATE email_tokens SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND")
        job()
        assert sql("SELECT (SELECT COUNT(*) FROM mail_messages), (SELECT COUNT(*) FROM mail_limits), (SELECT COUNT(*) FROM email_tokens)") == [["0", "0", "0"]]

    @pytest.mark.parametrize("settings,named", [({"SMTP_SERVER": "mail.example.com"}, "SMTP_SERVER"), ({"SMTP_GENERIC_SENDER": "nobody"}, "SMTP_GENERIC_SENDER"),
                                                ({"SMTP_PASSWORD": ""}, "SMTP_PASSWORD"), ({"SMTP_SERVER": ""}, "SMTP_USERNAME"),
                                                ({"SMTP_SERVER": "mail.example.com:25", "PULUMI_SMTP_PLAIN": "true"}, "PULUMI_SMTP_PLAIN")])
    def test_wrong_settings_stop_the_start(self, job, admin, settings, named, server, sql, mailing):
        assert named in job(code=1, **settings)
        request = b"GET /api/status HTTP/1.1\r\n\r\n"
        done = subprocess.run([BUILD / "fcgi/pulumi-api.fcgi", "--once"], input=request, env=mailing.environment(**settings),
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=60)
        assert done.returncode != 0 and named in done.stderr.decode()


def test_pulumi_serve_sends_what_waits(server, certificate, tmp_path):
    """The whole way, without anybody starting a job."""
    libexec = tmp_path / "libexec"
    libexec.mkdir()
    for program in ("fcgi/pulumi-api.fcgi", "cron/pulumi-job-send-mail"):
        (libexec / program.partition("/")[2]).symlink_to(BUILD / program)
    more = {"PULUMI_API_CONTAINER_MODE": "FULL", "PULUMI_LIBEXEC_DIR": str(libexec)}
    with Installation(BUILD, responders=1, environment=settings_for(server, certificate, **more)) as started:
        someone = Person(Client(started.url))
        wait_for(lambda: server.taken_for(someone.email), 60, "the mail did not arrive", started.process, started.log)


class TestVerification:
    def test_a_link_works_once(self, server, job, person, anybody):
        person.client.get("/api/user/verified-email").expect_problem(404)
        assert person.client.get("/api/user/pending-emails").expect(200).json() == {"email": person.email}
        person.client.delete("/api/user/pending-emails").expect_problem(400)
        job()
        token = server.taken_for(person.email)[0].secret
        for wrong in ("", "x", token[:-1], token.upper() if token.upper() != token else "0" * 40, "0" * 40):
            anybody.post("/api/console/email/verify", {"token": wrong}).expect_problem(400)
        anybody.post("/api/console/email/verify", {"token": token}).expect(204)
        assert person.client.get("/api/user/verified-email").expect(200).json() is True
        person.client.get("/api/user/pending-emails").expect(204)
        person.client.delete("/api/user/pending-emails").expect(204)
        anybody.post("/api/console/email/verify", {"token": token}).expect_problem(400)
        person.client.post("/api/console/email/verification").expect_problem(409)

    def test_a_link_expires(self, server, job, person, anybody, sql):
        job()
        sql("UPDATE email_tokens SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND")
        anybody.post("/api/console/email/verify", {"token": server.taken_for(person.email)[0].secret}).expect_problem(400)
        person.client.get("/api/user/verified-email").expect_problem(404)

    def test_a_link_is_for_the_address_it_was_sent_to(self, server, job, person, anybody, sql):
        job()
        sql(f"UPDATE users SET email = 'new-{person.email}' WHERE login = '{person.login}'")
        anybody.post("/api/console/email/verify", {"token": server.taken_for(person.email)[0].secret}).expect_problem(400)

    def test_another_link(self, server, job, person, anybody):
        for _ in range(4):
            person.client.post("/api/console/email/verification").expect(204)
        person.client.post("/api/console/email/verification").expect_problem(429)
        job()
        first, *_, last = server.taken_for(person.email)
        anybody.post("/api/console/email/verify", {"token": last.secret}).expect(204)
        anybody.post("/api/console/email/verify", {"token": first.secret}).expect_problem(400)

    def test_tokens_are_stored_as_digests(self, server, job, person, sql, mailing):
        job()
        secret = server.taken_for(person.email)[0].secret
        [[stored]] = sql(f"SELECT HEX(t.token_sha256) FROM email_tokens t JOIN users u ON u.id = t.user_id WHERE u.login = '{person.login}'")
        assert stored == sql(f"SELECT UPPER(SHA2('{secret}', 256))")[0][0]
        for log in pathlib.Path(mailing.logs).glob("*"):
            assert secret not in log.read_text(errors="replace")

    def test_an_address_that_mail_cannot_reach_signs_up_all_the_same(self, anybody, sql, no_mails):
        login = f"p{uuid.uuid4().hex[:10]}"
        answer = anybody.post("/api/console/email/signup", {"name": "N", "loginName": login, "email": f"ü{login}@example.com", "password": "long enough 1"})
        assert answer.expect(200).json()["pulumiAccessToken"].startswith("pul-")
        assert sql("SELECT COUNT(*) FROM mail_messages") == [["0"]]


class TestReset:
    def ask(self, anybody, address):
        return anybody.post("/api/console/email/forgot-password", {"email": address})

    @pytest.fixture(autouse=True)
    def sent(self, job, person):
        job()

    def test_a_new_password(self, server, job, person, anybody, sql):
        password = "a new password"
        self.ask(anybody, person.email.upper()).expect(204)
        job()
        mail = server.taken_for(person.email)[-1]
        assert mail["Subject"] == "Choose a new password" and mail.link.startswith(f"https://{CONSOLE}/reset-password?token=")
        before = sql(f"SELECT password FROM users WHERE login = '{person.login}'")
        for bad in ("short", person.login, person.email, "x" * 161):
            anybody.post("/api/console/email/reset-password", {"token": mail.secret, "password": bad}).expect_problem(400)
        assert sql(f"SELECT password FROM users WHERE login = '{person.login}'") == before
        answer = anybody.post("/api/console/email/reset-password", {"token": mail.secret, "password": password}).expect(200).json()
        assert anybody.with_token(answer["pulumiAccessToken"]).get("/api/user").expect(200).json()["githubLogin"] == person.login
        after = sql(f"SELECT password FROM users WHERE login = '{person.login}'")
        assert after != before and after[0][0].startswith("$argon2id$")
        anybody.post("/api/console/email/reset-password", {"token": mail.secret, "password": password}).expect_problem(400)
        person.client.get("/api/user").expect(200)
        person.client.get("/api/user/verified-email").expect(200)

    def test_links_are_not_for_each_other(self, server, job, person, anybody):
        self.ask(anybody, person.email).expect(204)
        job()
        verify, reset = server.taken_for(person.email)[-2:]
        anybody.post("/api/console/email/verify", {"token": reset.secret}).expect_problem(400)
        anybody.post("/api/console/email/reset-password", {"token": verify.secret, "password": "long enough 1"}).expect_problem(400)

    def test_nobody_learns_who_has_an_account(self, person, anybody, sql):
        known, unknown = self.ask(anybody, person.email), self.ask(anybody, "nobody@example.com")
        assert (known.status, known.raw) == (unknown.status, unknown.raw) == (204, b"")
        assert {name for name in known.headers} == {name for name in unknown.headers}
        assert sql("SELECT COUNT(*) FROM mail_messages WHERE kind = 'reset-password'") == [["1"]]
        for bad in ("", "x", "a@b@c", "a b@c", "a@b\r\nBcc: c@d"):
            self.ask(anybody, bad).expect_problem(400)

    def test_an_address_that_the_database_takes_for_the_same(self, anybody, new_person, sql):
        """'é' is 'e' to the database; the mail goes to who signed up, or nowhere."""
        other = new_person()
        sql(f"UPDATE users SET email = REPLACE(email, '@', 'é@') WHERE login = '{other.login}'")
        self.ask(anybody, other.email.replace("@", "e@")).expect(204)
        assert sql("SELECT COUNT(*) FROM mail_messages WHERE kind = 'reset-password'") == [["0"]]

    def test_accounts_without_a_password(self, server, job, person, anybody, sql):
        """An administrator let them in by tokens only."""
        self.ask(anybody, person.email).expect(204)
        job()
        secret = server.taken_for(person.email)[-1].secret
        sql(f"UPDATE users SET password = NULL WHERE login = '{person.login}'; DELETE FROM mail_messages")
        anybody.post("/api/console/email/reset-password", {"token": secret, "password": "long enough 1"}).expect_problem(400)
        self.ask(anybody, person.email).expect(204)
        assert sql("SELECT COUNT(*) FROM mail_messages") == [["0"]]
        assert sql(f"SELECT password IS NULL FROM users WHERE login = '{person.login}'") == [["1"]]

    def test_limits(self, person, anybody, sql):
        for _ in range(7):
            self.ask(anybody, person.email).expect(204)
        assert sql("SELECT COUNT(*) FROM mail_messages WHERE kind = 'reset-password'") == [["5"]]
        statuses = [self.ask(anybody, f"n{n}@example.com").status for n in range(20)]
        assert statuses[0] == 204 and statuses[-1] == 429
        assert "hour" in self.ask(anybody, "n@example.com").message
        sql("UPDATE mail_limits SET period = period - 1")
        self.ask(anybody, person.email).expect(204)


class TestInvites:
    @pytest.fixture
    def host(self, server, job, person):
        return verified(server, job, person)

    def invite(self, host, *addresses, role="member", unverified=False):
        path = f"/api/orgs/{host.organization}/invites/{'unverified/' if unverified else ''}batch"
        return host.client.post(path, {"invites": [{"email": a, "role": role} for a in addresses]})

    def test_from_mail_to_member(self, server, job, host, new_person):
        guest = new_person()
        made = self.invite(host, guest.email, role="admin").expect(200).json()
        assert len(made["sentInvites"]) == 1 and made["failedInvites"] == []
        job()
        mail = server.taken_for(guest.email)[-1]
        assert mail.link == made["sentInvites"][0]["acceptInviteUrl"] and host.organization in mail["Subject"]
        path = f"/api/orgs/{host.organization}/invites/{mail.secret}"
        shown = guest.client.get(path).expect(200).json()
        assert (shown["githubLogin"], shown["role"]) == (host.organization, "admin")
        [listed] = host.client.get(f"/api/orgs/{host.organization}/invites").expect(200).json()["invites"]
        assert (listed["email"], listed["role"], listed["status"], listed["sentBy"]["githubLogin"]) == (guest.email, "admin", "pending", host.login)
        assert mail.secret not in json.dumps(listed) and abs(listed["sentAt"] - time.time()) < 60
        guest.client.patch(path).expect(204)
        roles = {o["githubLogin"]: o["role"] for o in guest.client.get("/api/user").json()["organizations"]}
        assert roles[host.organization] == "admin"
        guest.client.get(path).expect_problem(404)
        new_person().client.patch(path).expect_problem(409)
        assert host.client.get(f"/api/orgs/{host.organization}/invites").json()["invites"] == []
        events = host.client.get(f"/api/orgs/{host.organization}/auditlogs").expect(200).json()["auditLogEvents"]
        assert {"organization-invite-sent", "organization-invite-accepted"} <= {one["event"] for one in events}
        assert mail.secret not in json.dumps([one for one in events if one["event"] == "organization-invite-sent"])

    def test_by_the_addressee_once_verified(self, server, job, host, new_person):
        guest = new_person()
        invite = self.invite(host, guest.email).expect(200).json()["sentInvites"][0]
        path = f"/api/orgs/{host.organization}/invites/{invite['id']}"
        assert guest.client.get("/api/user/pending-invites").expect(200).json() == {"invites": []}
        guest.client.patch(path).expect_problem(404)
        verified(server, job, guest) if server.taken_for(guest.email) else job()
        mail = [m for m in server.taken_for(guest.email) if "verify-email" in m.link][-1]
        guest.client.with_token(None).post("/api/console/email/verify", {"token": mail.secret})
        [pending] = guest.client.get("/api/user/pending-invites").expect(200).json()["invites"]
        assert pending["id"] == invite["id"] and pending["acceptInviteUrl"].endswith(invite["id"])
        new_person().client.patch(path).expect_problem(404)
        guest.client.patch(path).expect(204)

    def test_who_may_invite(self, host, new_person, job, server):
        other = new_person()
        self.invite(other, "x@example.com").expect_problem(403)
        self.invite(other, "x@example.com", unverified=True).expect(200)
        other.client.get(f"/api/orgs/{host.organization}/invites").expect_problem(404)
        host.client.post(f"/api/orgs/{host.organization}/members/{other.login}", {"role": "member"}).expect(200)
        other.client.get(f"/api/orgs/{host.organization}/invites").expect_problem(403)
        other.client.post(f"/api/orgs/{host.organization}/invites/link", {"role": "admin"}).expect_problem(403)

    def test_what_cannot_be_sent(self, host, sql):
        before = sql("SELECT COUNT(*) FROM mail_messages")
        for bad in ("", "x", "a@b@c", "a@b\r\nBcc: c@d", "a@b,c@d", "ü@example.com"):
            self.invite(host, "good@example.com", bad).expect_problem(400)
        self.invite(host, "good@example.com", role="owner").expect_problem(400)
        self.invite(host).expect_problem(400)
        self.invite(host, *[f"x{n}@example.com" for n in range(101)]).expect_problem(400)
        for body in ({"invites": {}}, {"invites": "x"}, {"invites": [5]}, {"invites": [{"email": "a@b"}]}, {"invites": [{"email": 5, "role": "member"}]}):
            host.client.post(f"/api/orgs/{host.organization}/invites/batch", body).expect_problem(400)
        assert sql("SELECT COUNT(*) FROM mail_messages") == before
        host.client.post(f"/api/orgs/{host.login}/invites/batch", {"invites": [{"email": "a@b", "role": "member"}]}).expect_problem(400)

    def test_members_and_repetitions(self, host, new_person):
        member = new_person()
        host.client.post(f"/api/orgs/{host.organization}/members/{member.login}", {"role": "member"}).expect(200)
        made = self.invite(host, member.email, "other@example.com").expect(200).json()
        assert [one["email"] for one in made["failedInvites"]] == [member.email] and len(made["sentInvites"]) == 1
        again = self.invite(host, "OTHER@example.com").expect(200).json()["sentInvites"][0]
        [listed] = host.client.get(f"/api/orgs/{host.organization}/invites").json()["invites"]
        assert listed["id"] == again["id"]

    @pytest.mark.slow
    def test_many_at_once_as_if_one_after_the_other(self, server, job, host, new_person, sql, mailing):
        """Members, addresses that come again, earlier invites of which another's stay; a batch takes no statement for each."""
        member, other = new_person(), new_person()
        host.client.post(f"/api/orgs/{host.organization}/members/{member.login}", {"role": "member"}).expect(200)
        sql("DELETE FROM mail_messages; DELETE FROM mail_limits")
        old = self.invite(host, "x3@example.com", "kept@example.com").expect(200).json()["sentInvites"]
        theirs = self.invite(other, "x3@example.com", unverified=True).expect(200).json()["sentInvites"]
        addresses = [f"x{n}@example.com" for n in range(52)] + [member.email.upper(), "X7@Example.com", "x7@EXAMPLE.com", member.email]
        before = statements(mailing)
        made = self.invite(host, *addresses, role="admin").expect(200).json()
        assert statements(mailing) - before < 60
        assert [one["email"] for one in made["failedInvites"]] == [member.email.upper(), member.email]
        assert len({one["id"] for one in made["sentInvites"]}) == 54
        listed = {one["id"]: one for one in host.client.get(f"/api/orgs/{host.organization}/invites").expect(200).json()["invites"]}
        assert sorted(one["email"].lower() for one in listed.values()) == sorted(["kept@example.com", *addresses[:52]])
        assert old[0]["id"] not in listed and listed[old[1]["id"]]["role"] == "member"
        assert {one["role"] for one in listed.values() if one["email"] != "kept@example.com"} == {"admin"}
        sevens = [one for one in made["sentInvites"] if listed.get(one["id"], {}).get("email", "").lower() == "x7@example.com"]
        assert sevens == [made["sentInvites"][53]], "the last one of an address counts"
        assert [one["id"] for one in other.client.get(f"/api/orgs/{other.organization}/invites").json()["invites"]] == [theirs[0]["id"]]
        job()
        links = {mail.link for address in {a for a in addresses} for mail in server.taken_for(address)}
        assert {one["acceptInviteUrl"] for one in made["sentInvites"]} <= links
        assert sql("SELECT COUNT(*), COUNT(DISTINCT id) FROM mail_messages WHERE state = 'sent'") == [["57", "57"]]

    def test_an_address_again_and_again_in_one_batch(self, host, sql):
        """Some mails go to it in an hour; what is too much for it is no harm to the others."""
        sql("DELETE FROM mail_limits")
        made = self.invite(host, *["one@example.com", "ONE@example.com"] * 4, "two@example.com").expect(200).json()
        assert len(made["sentInvites"]) == 6 and [one["email"] for one in made["failedInvites"]] == ["ONE@example.com", "one@example.com", "ONE@example.com"]
        assert len(self.invite(host, "one@example.com", "two@example.com").expect(200).json()["failedInvites"]) == 1
        listed = host.client.get(f"/api/orgs/{host.organization}/invites").json()["invites"]
        assert sorted(one["email"].lower() for one in listed) == ["one@example.com", "two@example.com"]

    def test_an_address_that_the_database_takes_for_a_members(self, host, new_person, sql):
        member = new_person()
        host.client.post(f"/api/orgs/{host.organization}/members/{member.login}", {"role": "member"}).expect(200)
        sql(f"UPDATE users SET email = REPLACE(email, '@', 'é@') WHERE login = '{member.login}'")
        assert self.invite(host, member.email.replace("@", "e@")).expect(200).json()["failedInvites"] == []

    def test_too_many_are_pending(self, host, sql):
        """With those that a batch takes the place of there may be a thousand; what is refused changes nothing."""
        sql("DELETE FROM mail_limits")
        made = self.invite(host, *[f"x{n}@example.com" for n in range(10)]).expect(200).json()["sentInvites"]
        sql("INSERT INTO organization_invites (id, organization_id, token_sha256, email, role, state, sender_user_id, created_at, sent_at, expires_at) "
            "WITH RECURSIVE s (seq) AS (SELECT 1 UNION ALL SELECT seq + 1 FROM s WHERE seq < 985) SELECT UUID(), i.organization_id, UNHEX(SHA2(CONCAT(i.id, s.seq), 256)), CONCAT('y', s.seq, '@example.com'), 'member', 'pending', "
            "i.sender_user_id, i.created_at, i.sent_at, i.expires_at FROM organization_invites i JOIN s "
            f"WHERE i.id = '{made[0]['id']}'")
        before = sql("SELECT id, state FROM organization_invites ORDER BY id"), sql("SELECT COUNT(*) FROM mail_messages")
        assert "995 pending" in self.invite(host, *[f"z{n}@example.com" for n in range(6)]).expect_problem(400).message
        assert (sql("SELECT id, state FROM organization_invites ORDER BY id"), sql("SELECT COUNT(*) FROM mail_messages")) == before
        self.invite(host, *[f"z{n}@example.com" for n in range(5)], "x1@example.com", "y1@example.com").expect(200)
        host.client.post(f"/api/orgs/{host.organization}/invites/link", {"role": "member"}).expect_problem(400)

    def test_resend_and_cancel(self, server, job, host, new_person, sql):
        guest = new_person()
        invite = self.invite(host, guest.email).expect(200).json()["sentInvites"][0]
        path = f"/api/orgs/{host.organization}/invites/{invite['id']}"
        host.client.post(f"{path}/resend").expect(204)
        job()
        first, second = [m for m in server.taken_for(guest.email) if "/invites/" in m.link]
        assert first.secret != second.secret
        guest.client.get(f"/api/orgs/{host.organization}/invites/{first.secret}").expect_problem(404)
        guest.client.get(f"/api/orgs/{host.organization}/invites/{second.secret}").expect(200)
        host.client.delete(path).expect(204)
        host.client.delete(path).expect_problem(404)
        host.client.post(f"{path}/resend", {}).expect_problem(404)
        guest.client.patch(f"/api/orgs/{host.organization}/invites/{second.secret}").expect_problem(409)

    def test_it_expires(self, server, job, host, new_person, sql):
        guest = new_person()
        self.invite(host, guest.email).expect(200)
        job()
        secret = server.taken_for(guest.email)[-1].secret
        sql("UPDATE organization_invites SET expires_at = UTC_TIMESTAMP(6) - INTERVAL 1 SECOND WHERE expires_at IS NOT NULL")
        guest.client.get(f"/api/orgs/{host.organization}/invites/{secret}").expect_problem(404)
        assert "expired" in guest.client.patch(f"/api/orgs/{host.organization}/invites/{secret}").expect_problem(409).message
        assert host.client.get(f"/api/orgs/{host.organization}/invites").json()["invites"] == []

    def test_limits(self, host, sql):
        sql("DELETE FROM mail_limits")
        for _ in range(5):
            assert self.invite(host, "one@example.com").expect(200).json()["failedInvites"] == []
        assert len(self.invite(host, "one@example.com").expect(200).json()["failedInvites"]) == 1
        self.invite(host, *[f"x{n}@example.com" for n in range(90)]).expect(200)
        self.invite(host, *[f"y{n}@example.com" for n in range(10)]).expect_problem(429)
