# SPDX-License-Identifier: Apache-2.0
"""config and secrets: what is kept in the project's file, and the keys that only the server has."""

import pytest

from commandline import thing


def settings(project):
    return (project.folder / f"Pulumi.{project.stack}.yaml").read_text()


def test_plain_values(stack):
    stack.on("config", "set", "greeting", "hello")
    stack.on("config", "set", "--path", "servers[0].name", "one")
    assert stack.on("config", "get", "greeting").out.strip() == "hello"
    told = stack.on("config", "--json").json()
    assert told[f"{stack.name}:greeting"]["value"] == "hello"
    assert "one" in told[f"{stack.name}:servers"]["value"]
    stack.on("config", "rm", "greeting")
    stack.on("config", "get", "greeting", fails=True)


@pytest.mark.parametrize("secret", ["s3cret", "", "ünïcödé \U0001f600", "x" * 100_000])
def test_secret_values(stack, secret):
    """Only ciphertext is on disk; the value comes back as it was."""
    (stack.folder / "value").write_text(secret)
    with_stdin = stack.cli.start("config", "set", "--secret", "pw", "--stack", stack.reference(), "--", secret or "",
                                 cwd=stack.folder)
    out, err = with_stdin.communicate(timeout=60)
    assert with_stdin.returncode == 0, out + err
    assert "secure:" in settings(stack)
    if secret:
        assert secret not in settings(stack)
    assert stack.on("config", "get", "pw").out == secret + "\n"


@pytest.mark.core
def test_many_secrets(stack):
    """Set together, shown together."""
    arguments = []
    for i in range(30):
        arguments += ["--secret", f"pw{i}=value {i}"]
    stack.on("config", "set-all", *arguments, "--plaintext", "open=yes")
    told = stack.on("config", "--json", "--show-secrets").json()
    assert all(told[f"{stack.name}:pw{i}"]["value"] == f"value {i}" for i in range(30))
    hidden = stack.on("config", "--json").json()
    assert hidden[f"{stack.name}:pw3"]["secret"] is True and "value" not in hidden[f"{stack.name}:pw3"]


def test_a_secret_of_another_stack_does_not_open(stack):
    stack.on("config", "set", "--secret", "pw", "s3cret")
    stack.run("stack", "init", stack.reference("other"))
    (stack.folder / "Pulumi.other.yaml").write_text(settings(stack))
    said = stack.run("config", "get", "pw", "--stack", stack.reference("other"), fails=True)
    assert "s3cret" not in said.text


def test_copy_encrypts_again(stack):
    stack.on("config", "set", "--secret", "pw", "s3cret")
    stack.run("stack", "init", stack.reference("other"))
    stack.on("config", "cp", "--dest", stack.reference("other"))
    said = stack.run("config", "get", "pw", "--stack", stack.reference("other"))
    assert said.out.strip() == "s3cret"


@pytest.mark.core
def test_refresh_from_the_last_update(stack):
    """A lost settings file comes back from the last update, secrets included."""
    stack.on("config", "set", "greeting", "hello")
    stack.on("config", "set", "--secret", "pw", "s3cret")
    stack.program({"a": thing("one")})
    stack.up()
    (stack.folder / "Pulumi.dev.yaml").unlink()
    stack.on("config", "refresh", "--force")
    assert stack.on("config", "get", "greeting").out.strip() == "hello"
    assert stack.on("config", "get", "pw").out.strip() == "s3cret"


@pytest.mark.core
def test_large_config_comes_back(stack):
    """300 KB of configuration: from the history, and to a settings file that lost it."""
    values = {f"part{i}": f"{i}" + "v" * 59_999 for i in range(5)}
    for name, value in values.items():
        stack.on("config", "set", name, value)
    stack.up()
    listed = stack.history()[0]["config"]
    assert {name: listed[f"{stack.name}:{name}"]["value"] for name in values} == values
    (stack.folder / f"Pulumi.{stack.stack}.yaml").unlink()
    stack.on("config", "refresh", "--force")
    told = stack.on("config", "--json").json()
    assert {name: told[f"{stack.name}:{name}"]["value"] for name in values} == values


def test_refresh_without_an_update(stack):
    said = stack.on("config", "refresh", "--force", fails=True)
    assert "no previous deployment" in said.text


@pytest.mark.core
def test_config_in_programs(stack):
    stack.on("config", "set", "greeting", "hello")
    stack.on("config", "set", "--secret", "pw", "s3cret")
    stack.program({"a": thing("${greeting}", secret="${pw}")}, outputs={"pw": "${pw}", "greeting": "${greeting}"},
                  config={"greeting": {"type": "string"}, "pw": {"type": "string", "secret": True}})
    stack.up()
    assert stack.outputs() == {"greeting": "hello", "pw": "[secret]"}
    assert stack.outputs("--show-secrets")["pw"] == "s3cret"
    listed = stack.history()[0]["config"]
    assert listed[f"{stack.name}:greeting"]["value"] == "hello"
    assert listed[f"{stack.name}:pw"].get("value") in (None, "[secret]")
    listed = stack.history("--show-secrets")[0]["config"]
    assert listed[f"{stack.name}:pw"]["value"] == "s3cret"


def test_secrets_in_state(stack):
    stack.program({"a": thing("one", secret="s3cret")}, outputs={"hidden": "${a.hidden}", "secret": "${a.secret}"})
    stack.up()
    stored = stack.on("stack", "export").out
    assert "s3cret" not in stored and "hidden one" not in stored and "ciphertext" in stored
    shown = stack.on("stack", "export", "--show-secrets").out
    assert "s3cret" in shown and "hidden one" in shown
    assert stack.outputs("--show-secrets") == {"hidden": "hidden one", "secret": "s3cret"}

    stack.up("--expect-no-changes")
    assert stack.outputs("--show-secrets") == {"hidden": "hidden one", "secret": "s3cret"}


@pytest.mark.newest
def test_many_secrets_in_state(stack):
    """More than the thousand that the command line sends in one batch."""
    count = 510  # each has two
    stack.program({f"t{i}": thing(f"v{i}", secret=f"s{i}") for i in range(count)})
    stack.up()
    shown = {r["urn"]: r for r in stack.export("--show-secrets")["resources"]}
    assert shown[stack.urn("t509")]["outputs"]["secret"]["plaintext"] == '"s509"'
    stack.up("--expect-no-changes")


@pytest.mark.core
def test_change_secrets_provider(stack):
    """To a passphrase and back: the values survive both ways."""
    stack.on("config", "set", "--secret", "pw", "s3cret")
    stack.program({"a": thing("one", secret="s3cret")}, outputs={"secret": "${a.secret}"})
    stack.up()
    typed = stack.cli.environment["PULUMI_CONFIG_PASSPHRASE"] + "\n"
    for provider, kind in (("passphrase", "passphrase"), ("default", "service")):
        stack.on("stack", "change-secrets-provider", provider, typed=typed * 2)
        assert stack.export()["secrets_providers"]["type"] == kind
        assert stack.on("config", "get", "pw").out.strip() == "s3cret"
        assert stack.outputs("--show-secrets") == {"secret": "s3cret"}
        stack.up("--expect-no-changes")


@pytest.mark.core
def test_passphrase_from_the_start(project):
    """The state given at init must come back, or the passphrase is asked for in vain."""
    project.init("--secrets-provider", "passphrase")
    assert project.export()["secrets_providers"]["type"] == "passphrase"
    project.on("config", "set", "--secret", "pw", "s3cret")
    project.program({"a": thing("one", secret="s3cret")}, outputs={"secret": "${a.secret}"})
    project.up()
    assert project.outputs("--show-secrets") == {"secret": "s3cret"}
    said = project.on("stack", "output", "--show-secrets", fails=None, PULUMI_CONFIG_PASSPHRASE="wrong")
    assert "s3cret" not in said.text
