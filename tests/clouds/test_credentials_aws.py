# SPDX-License-Identifier: Apache-2.0
"""Where AWS credentials come from, and that temporary ones are renewed before they end."""

import calendar
import datetime
import hashlib
import json
import pathlib
import re
import signal
import stat
import subprocess
import time

import pytest

from aws import Moto
from conftest import BUILD, Tool
from lib.server import free_port, wait_for
from proxy import DROP, Proxy, Reply

BASE = {"AWS_EC2_METADATA_DISABLED": "true"}


@pytest.fixture
def proxy(moto):
    made = Proxy(moto.port)
    yield made
    made.close()


def files(folder, config="", credentials=""):
    """The shared files, as settings."""
    (folder / "config").write_text(config)
    (folder / "credentials").write_text(credentials)
    return {**BASE, "AWS_CONFIG_FILE": str(folder / "config"), "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials")}


def section(name, keys):
    return f"[{name}]\naws_access_key_id = {keys[0]}\naws_secret_access_key={keys[1]}  # of the tests\n"


def works(moto, settings, more="", port=None):
    tool = Tool(moto.where(port) + more, settings)
    tool.run("put", "credentials/object", data=b"bytes")
    assert tool.run("get", "credentials/object") == b"bytes"


def is_sts(request):
    return request.path == "/" and b"AssumeRole" in request.body


def test_profile_of_the_credentials_file(moto, tmp_path):
    settings = files(tmp_path, "", section("other", ("AKIAWRONG", "wrong")) + section("keeper", moto.keys))
    works(moto, {**settings, "AWS_PROFILE": "keeper"})
    works(moto, settings, "&profile=keeper")
    assert "InvalidAccessKeyId" in Tool(moto.where() + "&profile=other", settings).run("list", "x", code=2)
    wrong = {**settings, "AWS_ACCESS_KEY_ID": "AKIAWRONG", "AWS_SECRET_ACCESS_KEY": "wrong"}
    works(moto, wrong, "&profile=keeper")


def test_the_environment_goes_before_a_default_profile(moto, tmp_path):
    settings = files(tmp_path, "", section("default", ("AKIAWRONG", "wrong")))
    works(moto, {**settings, **moto.credentials()})


def test_region_of_a_profile(moto, tmp_path):
    settings = files(tmp_path, "[profile keeper]\nregion = eu-central-1\ns3 =\n  region = nowhere\n", section("keeper", moto.keys))
    where = re.sub("region=[^&]*&", "", moto.where())
    Tool(where, {**settings, "AWS_PROFILE": "keeper"}).run("list", "x")
    assert "no region: add ?region=" in Tool(where, settings).run("list", "x", code=2)


def command(path, text):
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def test_credential_process(moto, tmp_path):
    answer = {"Version": 1, "AccessKeyId": moto.keys[0], "SecretAccessKey": moto.keys[1]}
    good = command(tmp_path / "good", f"test \"$1\" = 'two words' && echo '{json.dumps(answer)}'")
    settings = files(tmp_path, f"[profile keeper]\ncredential_process = {good} 'two words'\n"
                               f"[profile bad]\ncredential_process = {command(tmp_path / 'bad', 'exit 3')}\n"
                               f"[profile silent]\ncredential_process = {command(tmp_path / 'silent', 'exit 0')}\n")
    works(moto, settings, "&profile=keeper")
    assert "bad' failed" in Tool(moto.where() + "&profile=bad", settings).run("list", "x", code=2)
    assert "printed no AccessKeyId" in Tool(moto.where() + "&profile=silent", settings).run("list", "x", code=2)


def alive(pid_file):
    try:
        return pathlib.Path(f"/proc/{pid_file.read_text().strip()}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@pytest.mark.slow
@pytest.mark.parametrize("text", ["echo $$ >{pid}; sleep 600", "echo $$ >{pid}; exec >/dev/null; sleep 600", "sleep 600 & echo $! >{pid}",
                                  "echo $$ >{pid}; exec yes"])
def test_a_credential_process_that_does_not_end(moto, tmp_path, text):
    """It is killed with all that it started, whether it says nothing, has closed its output, left it to another, or says too much."""
    program, pid = tmp_path / "endless", tmp_path / "pid"
    command(program, text.format(pid=pid))
    settings = files(tmp_path, f"[profile keeper]\ncredential_process = {program} a-secret-argument\n")
    said = Tool(moto.where() + "&profile=keeper", settings).run("list", "x", code=2)
    assert f"credential_process '{program}' did not end within 20 seconds" in said and "a-secret-argument" not in said, said
    assert pid.exists()
    wait_for(lambda: not alive(pid), 5, "it still runs")


# --- IAM Identity Center ---

SESSION = ("[profile keeper]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = Keeper & Co\n"
           "[profile corp]\nsso_region = nowhere\n[sso-session corp]\nsso_region = eu-central-1\nsso_start_url = https://corp.example/start\n")


def logged_in(folder, name, **token):
    """What `aws sso login` leaves."""
    cache = folder / ".aws/sso/cache"
    cache.mkdir(parents=True, exist_ok=True)
    (cache / f"{hashlib.sha1(name.encode()).hexdigest()}.json").write_text(json.dumps(
        {"accessToken": "token", "expiresAt": "2099-01-01T00:00:00Z", "region": "eu-central-1", "startUrl": "https://corp.example/start", **token}))


def portal(moto, token="token", **more):
    """Answers as the SSO portal does: keys for the token."""
    def answer(request):
        if request.headers.get("x-amz-sso_bearer_token") != token:
            return Reply(401, b'{"message": "Session token not found or invalid", "__type": "com.amazonaws.switchboard.portal#UnauthorizedException"}')
        return Reply(200, json.dumps({"roleCredentials": {"accessKeyId": moto.keys[0], "secretAccessKey": moto.keys[1], "sessionToken": "",
                                                          "expiration": 4070908800000, **more}}).encode())
    return answer


def sso_settings(folder, proxy, config):
    return {**files(folder, config), "HOME": str(folder), "AWS_PROFILE": "keeper", "AWS_ENDPOINT_URL_SSO": f"http://127.0.0.1:{proxy.port}",
            "AWS_ENDPOINT_URL_SSO_OIDC": f"http://127.0.0.1:{proxy.port}/oidc/"}


def test_sso_session(moto, proxy, tmp_path):
    proxy.before = portal(moto)
    logged_in(tmp_path, "corp")
    works(moto, sso_settings(tmp_path, proxy, SESSION))
    assert proxy.seen[0].path == "/federation/credentials?role_name=Keeper%20%26%20Co&account_id=123456789012"


def test_sso_without_a_session(moto, proxy, tmp_path):
    proxy.before = portal(moto)
    logged_in(tmp_path, "https://corp.example/start")
    config = ("[profile keeper]\nsso_start_url = https://corp.example/start\nsso_region = eu-central-1\nsso_account_id = 123456789012\n"
              "sso_role_name = Keeper\n")
    works(moto, sso_settings(tmp_path, proxy, config))
    role = f"[profile first]\nrole_arn = {Moto.role}\nsource_profile = keeper\n"
    works(moto, {**sso_settings(tmp_path, proxy, config + role), "AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{moto.port}"}, "&profile=first")


def test_sso_keys_are_renewed(moto, proxy, tmp_path):
    proxy.before = portal(moto)
    logged_in(tmp_path, "corp")
    proxy.before = portal(moto, expiration=int(time.time() + 302) * 1000)
    Tool(moto.where(), sso_settings(tmp_path, proxy, SESSION)).run("wait-put", "credentials/sso", 1, 6)
    assert 3 <= len(proxy.seen) <= 6


REGISTERED = {"clientId": "client", "clientSecret": "secret-of-client", "refreshToken": "refresh-1", "registrationExpiresAt": "2099-01-01T00:00:00Z"}
ENDED = "2020-01-01T00:00:00Z"


class TokenService:
    """Answers CreateToken as https://docs.aws.amazon.com/singlesignon/latest/OIDCAPIReference/API_CreateToken.html has it: no stand-in
    knows it. A refresh token is good for one use. Other requests go to the portal."""

    def __init__(self, moto, expires=3600):
        self.moto, self.expires, self.count, self.asked = moto, expires, 1, []

    def __call__(self, request):
        if request.path != "/oidc/token":
            return portal(self.moto, token=f"token-{self.count}")(request)
        said = json.loads(request.body)
        self.asked.append((request.method, request.headers["Content-Type"], said))
        if said != {"grantType": "refresh_token", "clientId": "client", "clientSecret": "secret-of-client", "refreshToken": f"refresh-{self.count}"}:
            return Reply(400, b'{"error": "invalid_grant", "error_description": "Invalid refresh token provided"}')
        self.count += 1
        return Reply(200, json.dumps({"accessToken": f"token-{self.count}", "tokenType": "Bearer", "expiresIn": self.expires,
                                      "refreshToken": f"refresh-{self.count}"}).encode())


def cache_file(folder):
    return next((folder / ".aws/sso/cache").iterdir())


def test_sso_token_is_refreshed(moto, proxy, tmp_path):
    """When it has ended or is about to; what is new is written for everybody, and nothing else in the file changes."""
    proxy.before = service = TokenService(moto)
    for ends in (ENDED, time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 200))):
        logged_in(tmp_path, "corp", expiresAt=ends, **{**REGISTERED, "refreshToken": f"refresh-{service.count}"})
        before = json.loads(cache_file(tmp_path).read_text())
        began = int(time.time())
        works(moto, sso_settings(tmp_path, proxy, SESSION))
        after = json.loads(cache_file(tmp_path).read_text())
        new = {"accessToken": f"token-{service.count}", "refreshToken": f"refresh-{service.count}", "expiresAt": after["expiresAt"]}
        assert after == {**before, **new}
        written = calendar.timegm(time.strptime(after["expiresAt"], "%Y-%m-%dT%H:%M:%SZ"))
        assert began + 3600 <= written <= time.time() + 3600
        assert cache_file(tmp_path).stat().st_mode & 0o777 == 0o600
        assert len(list((tmp_path / ".aws/sso/cache").iterdir())) == 1
    assert len(service.asked) == 2 and service.asked[0][:2] == ("POST", "application/json")
    works(moto, sso_settings(tmp_path, proxy, SESSION))
    assert len(service.asked) == 2, "a good token needs none"


def test_sso_token_is_refreshed_once_for_all(moto, proxy, tmp_path):
    service = TokenService(moto)

    def slowly(request):
        time.sleep(0.5)
        return service(request)

    proxy.before = slowly
    logged_in(tmp_path, "corp", expiresAt=ENDED, **REGISTERED)
    settings = sso_settings(tmp_path, proxy, SESSION)
    tools = [Tool(moto.where(), settings).start("list", "x") for _ in range(5)]
    ended = [(tool.communicate(timeout=60)[1], tool.returncode) for tool in tools]
    assert not [said for said, code in ended if code], ended
    assert len(service.asked) == 1


def test_sso_token_that_cannot_be_refreshed(moto, proxy, tmp_path):
    proxy.before = service = TokenService(moto)

    def said(**token):
        logged_in(tmp_path, "corp", **{"expiresAt": ENDED, **REGISTERED, **token})
        before = cache_file(tmp_path).read_bytes()
        text = Tool(moto.where(), sso_settings(tmp_path, proxy, SESSION)).run("list", "x", code=2)
        assert "AWS profile 'keeper': its SSO token " in text and "aws sso login --profile keeper" in text, text
        assert not [secret for secret in ("secret-of-client", "refresh-1", "refresh-9") if secret in text], text
        assert cache_file(tmp_path).read_bytes() == before
        return text

    for lacking in ({"refreshToken": None}, {"clientSecret": None}, {"registrationExpiresAt": ENDED}):
        assert f"ended at {ENDED}" in said(**lacking)
    assert not service.asked
    assert "answer 400 invalid_grant: Invalid refresh token provided" in said(refreshToken="refresh-9")
    proxy.before = lambda request: Reply(200, b'{"accessToken": "x"}')
    assert "is not refreshed: answer 200" in said()
    service = TokenService(moto)
    service.count = 5
    proxy.before = service
    soon = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 200))
    logged_in(tmp_path, "corp", expiresAt=soon, accessToken="token-5", **REGISTERED)
    works(moto, sso_settings(tmp_path, proxy, SESSION))
    assert service.asked, "it was tried, and the old one is good until its end"


def test_sso_token_where_nothing_can_be_written(moto, proxy, tmp_path):
    """It serves the process that asked. Root may write everywhere: what stops it is the largest size of a file."""
    proxy.before = service = TokenService(moto)
    logged_in(tmp_path, "corp", expiresAt=ENDED, **REGISTERED)
    before = cache_file(tmp_path).read_bytes()
    settings = sso_settings(tmp_path, proxy, SESSION)
    limited = ["bash", "-c", 'ulimit -f 0; exec "$@"', "bash", str(BUILD / "tests/clouds/object-tool"), moto.where(), "list", "x"]
    done = subprocess.run(limited, env=Tool(moto.where(), settings).environment, capture_output=True, check=False, timeout=60,
                          preexec_fn=lambda: signal.signal(signal.SIGXFSZ, signal.SIG_IGN))
    assert done.returncode == 0, done.stderr
    assert len(service.asked) == 1 and cache_file(tmp_path).read_bytes() == before


def test_sso_that_does_not_work(moto, proxy, tmp_path):
    """Each sentence names the profile; without a good token it says what to do."""
    def said(config=SESSION, **settings):
        text = Tool(moto.where(), {**sso_settings(tmp_path, proxy, config), **settings}).run("list", "x", code=2)
        assert "AWS profile 'keeper': " in text, text
        return text

    proxy.before = portal(moto, token="another")
    for token in (None, {"accessToken": None}, {"expiresAt": "soon"}, {"expiresAt": "2020-01-01T00:00:00Z"}):
        if token:
            logged_in(tmp_path, "corp", **token)
        text = said()
        assert "aws sso login --profile keeper" in text and "AWS_WEB_IDENTITY_TOKEN_FILE or access keys" in text, text
    assert not proxy.seen
    logged_in(tmp_path, "corp", accessToken="secret-token")
    text = said()
    assert "answer 401: Session token not found or invalid" in text and "secret-token" not in text, text
    for wrong in ("sso_account_id", "sso_role_name"):
        assert "SSO needs sso_account_id, sso_role_name, and sso_region" in said(SESSION.replace(wrong, "x"))
    for region in ("", "evil.example/", "eu-central-1@evil.example"):
        assert "sso_region in its [sso-session]" in said(SESSION.replace("eu-central-1", region))
    proxy.before = lambda request: Reply(200, b"x" * 100000)
    assert "127.0.0.1" in Tool(moto.where(), sso_settings(tmp_path, proxy, SESSION)).run("list", "x", code=2)
    proxy.before = lambda request: Reply(302, b"", [("Location", f"http://127.0.0.1:{moto.port}/")])
    assert "answer 302" in said()


def test_a_chain_of_roles(moto, proxy, tmp_path):
    config = (f"[profile first]\nrole_arn = {Moto.role}\nsource_profile = base\n"
              f"[profile second]\nrole_arn = {Moto.role}\nsource_profile = first\nrole_session_name = chained\nexternal_id = 17\n"
              "[profile circle]\nrole_arn = x\nsource_profile = circle2\n[profile circle2]\nrole_arn = x\nsource_profile = circle\n"
              f"[profile self]\nrole_arn = {Moto.role}\nsource_profile = self\n{section('profile self', moto.keys).partition(chr(10))[2]}"
              f"[profile environment]\nrole_arn = {Moto.role}\ncredential_source = Environment\n")
    settings = {**files(tmp_path, config, section("base", moto.keys)), "AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{proxy.port}"}
    works(moto, settings, "&profile=second")
    calls = [request.body for request in proxy.seen if is_sts(request)]
    assert len(calls) == 4 and b"ExternalId=17" in calls[1] and b"RoleSessionName=chained" in calls[1]
    works(moto, settings, "&profile=self")
    works(moto, {**settings, **moto.credentials()}, "&profile=environment")
    assert "circle" in Tool(moto.where() + "&profile=circle", settings).run("list", "x", code=2)


def role_settings(moto, proxy):
    return {**moto.credentials(), "AWS_ROLE_ARN": Moto.role, "AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{proxy.port}"}


def test_a_role_is_assumed(moto, proxy):
    works(moto, role_settings(moto, proxy))
    assert proxy.count(is_sts) == 2  # one in each process
    wrong = {**role_settings(moto, proxy), "AWS_SECRET_ACCESS_KEY": "wrong"}
    said = Tool(moto.where(), wrong).run("list", "x", code=2)
    assert "AWS STS does not let the role" in said and "SignatureDoesNotMatch" in said, said
    away = {**role_settings(moto, proxy), "AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{free_port()}"}
    assert "connect" in Tool(moto.where(), away).run("list", "x", code=2)


def ends_in(seconds):
    """The answer of STS with an earlier end."""
    def change(request, reply):
        if not is_sts(request) or reply.status != 200:
            return None
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)
        return Reply(200, re.sub(rb"<Expiration>.*?<", end.strftime("<Expiration>%Y-%m-%dT%H:%M:%SZ<").encode(), reply.body), reply.headers)
    return change


def test_a_role_is_renewed_before_it_ends(moto, proxy):
    proxy.after = ends_in(302)
    Tool(moto.where(), role_settings(moto, proxy)).run("wait-put", "credentials/renewed", 1, 6)
    assert 3 <= proxy.count(is_sts) <= 6, proxy.count(is_sts)


def test_a_role_serves_while_the_token_service_is_away(moto, proxy):
    proxy.after = ends_in(302)
    tool = Tool(moto.where(), role_settings(moto, proxy))
    process = tool.start("wait-put", "credentials/away", 1, 5)
    wait_for(lambda: proxy.count(is_sts), 20, "the role was not assumed", process)
    proxy.before = lambda request: DROP
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, (out, err)
    assert proxy.count(is_sts) > 1


def test_a_token_that_ended_early(moto, proxy):
    """The store says that it has ended: others are asked for, and the call is made again."""
    refused = []

    def refuse(request):
        if not is_sts(request) and "early" in request.path and not refused:
            refused.append(request)
            return Reply(400, b"<Error><Code>ExpiredToken</Code><Message>The provided token has expired.</Message></Error>")
        return None

    proxy.before = refuse
    Tool(moto.where(proxy.port), role_settings(moto, proxy)).run("put", "credentials/early", data=b"x")
    assert proxy.count(is_sts) == 2 and refused
    proxy.before = lambda request: None if is_sts(request) else Reply(400, b"<Error><Code>ExpiredToken</Code></Error>")
    assert "ExpiredToken" in Tool(moto.where(proxy.port), role_settings(moto, proxy)).run("list", "x", code=2)


def test_web_identity(moto, proxy, tmp_path):
    """moto takes no call without a signature here: the answer is that to a signed call."""
    def assume(request):
        assert b"Action=AssumeRoleWithWebIdentity" in request.body
        return Reply(200, moto.form("sts", Action="AssumeRole", Version="2011-06-15", RoleArn=Moto.role, RoleSessionName="x").encode())

    proxy.before = assume
    token = tmp_path / "token"
    token.write_text("header.payload.signature\n")
    settings = {**BASE, "AWS_ROLE_ARN": Moto.role, "AWS_WEB_IDENTITY_TOKEN_FILE": str(token),
                "AWS_ENDPOINT_URL_STS": f"http://127.0.0.1:{proxy.port}"}
    works(moto, settings)
    assert all(b"WebIdentityToken=header.payload.signature" in r.body and "Authorization" not in r.headers for r in proxy.seen)
    assert f"cannot read {token}x" in Tool(moto.where(), {**settings, "AWS_WEB_IDENTITY_TOKEN_FILE": f"{token}x"}).run("list", "x", code=2)


def keys_as_json(moto):
    return json.dumps({"Code": "Success", "AccessKeyId": moto.keys[0], "SecretAccessKey": moto.keys[1],
                       "Expiration": "2099-01-01T00:00:00Z"}).encode()


def test_keys_of_a_container(moto, proxy, tmp_path):
    token = tmp_path / "token"
    token.write_text("secret")
    proxy.before = lambda r: Reply(200 if r.headers.get("Authorization") == "secret" else 403, keys_as_json(moto))
    settings = {**BASE, "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"http://127.0.0.1:{proxy.port}/keys"}
    works(moto, {**settings, "AWS_CONTAINER_AUTHORIZATION_TOKEN": "secret"})
    works(moto, {**settings, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": str(token)})
    assert "answer 403" in Tool(moto.where(), settings).run("list", "x", code=2)


def test_keys_of_an_instance(moto, proxy):
    def answer(request):
        if request.method == "PUT":
            good = request.headers.get("Content-Length") == "0" and request.headers.get("X-aws-ec2-metadata-token-ttl-seconds")
            return Reply(200 if good else 400, b"session")
        if request.headers.get("X-aws-ec2-metadata-token") != "session":
            return Reply(401)
        return Reply(200, b"keeper" if request.path.endswith("/security-credentials/") else keys_as_json(moto))

    proxy.before = answer
    works(moto, {"AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://127.0.0.1:{proxy.port}"})
    assert proxy.seen[2].path.endswith("/security-credentials/keeper")
