# SPDX-License-Identifier: Apache-2.0
"""The Automation API: programs that drive the command line and read its words."""

import os
import pathlib
import subprocess
import sys

import pytest

from commandline import kill, thing, wait_until

REQUIREMENTS = pathlib.Path(__file__).parent.parent / "requirements.txt"


@pytest.fixture(scope="session")
def automation():
    """The library, installed into the cache when this Python has none."""
    try:
        import pulumi.automation
    except ImportError:
        cache = os.environ.get("PULUMI_TEST_CACHE") or os.path.expanduser("~/.cache/pulumi-api-tests")
        folder = pathlib.Path(cache) / f"python-{sys.version_info.major}.{sys.version_info.minor}"
        if not (folder / "pulumi").is_dir():
            subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--target", folder, "-r", REQUIREMENTS],
                           check=True)
        sys.path.append(str(folder))
        import pulumi.automation
    return pulumi.automation


@pytest.fixture
def workspace(project, automation, monkeypatch):
    """A local workspace on the project, with the environment of its command line."""
    monkeypatch.setenv("PATH", project.cli.environment["PATH"])

    def settings():
        command = automation.PulumiCommand(root=None, skip_version_check=True)
        return automation.LocalWorkspaceOptions(env_vars=dict(project.cli.environment), pulumi_command=command)

    return lambda make=automation.create_stack: make(
        stack_name=project.reference(), work_dir=str(project.folder), opts=settings())


def test_life(project, automation, workspace):
    stack = workspace()
    project.program({"a": thing("${greeting}", secret="s3cret")}, outputs={"value": "${a.echo}", "hidden": "${a.hidden}"},
                    config={"greeting": {"type": "string"}})
    stack.set_config("greeting", automation.ConfigValue("hello"))
    stack.set_config("pw", automation.ConfigValue("s3cret", secret=True))
    assert stack.get_config("pw").value == "s3cret"
    assert stack.get_all_config()[f"{project.name}:greeting"].value == "hello"

    assert stack.preview().change_summary[automation.OpType.CREATE] >= 2
    result = stack.up(message="by a program")
    assert result.outputs["value"].value == "hello"
    assert result.outputs["hidden"].value == "hidden hello" and result.outputs["hidden"].secret
    assert result.summary.kind == "update" and result.summary.result == "succeeded" and result.summary.version == 1
    assert result.summary.message == "by a program"
    assert stack.outputs()["value"].value == "hello"

    assert stack.refresh().summary.kind == "refresh"
    assert [u.kind for u in stack.history()] == ["refresh", "update"]
    exported = stack.export_stack()
    assert stack.destroy().summary.kind == "destroy"
    stack.import_stack(exported)
    assert stack.outputs()["value"].value == "hello"
    stack.destroy()
    stack.workspace.remove_stack(project.reference())


def test_names_of_errors(project, automation, workspace):
    """The words that its exceptions are made from."""
    workspace()
    with pytest.raises(automation.StackAlreadyExistsError):
        workspace()
    project.stack = "never"
    with pytest.raises(automation.StackNotFoundError):
        workspace(automation.select_stack)
    assert workspace(automation.create_or_select_stack).info() is None


def test_a_concurrent_update(project, automation, workspace):
    stack = workspace()
    project.program({"a": thing("one", delayMs=6000)})
    process = project.cli.start("up", "--yes", "--skip-preview", "--stack", project.reference(), cwd=project.folder)
    try:
        wait_until(lambda: project.call("GET")[1].get("currentOperation"))
        with pytest.raises(automation.ConcurrentUpdateError):
            stack.up()
        stack.cancel()
    finally:
        kill(process)
        process.communicate()
    project.program({})
    assert stack.up().summary.result == "succeeded"


def test_lists_and_tags(project, workspace):
    stack = workspace()
    workspace_ = stack.workspace
    assert [s.name.split("/")[-1] for s in workspace_.list_stacks()] == ["dev"]
    workspace_.set_tag(project.reference(), "owner", "team")
    assert workspace_.get_tag(project.reference(), "owner").strip() == "team"
    assert workspace_.list_tags(project.reference())["owner"] == "team"
    workspace_.remove_tag(project.reference(), "owner")
    assert workspace_.who_am_i().user == project.cli.server.user


def test_events_arrive(project, workspace):
    stack = workspace()
    project.program({"a": thing("one")})
    events = []
    stack.up(on_event=events.append)
    assert any(event.summary_event for event in events)
    assert any(event.res_outputs_event for event in events)
