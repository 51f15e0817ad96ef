# SPDX-License-Identifier: Apache-2.0
"""preview, up, refresh, destroy: a stack's life as the engine lives it."""

import pytest

from commandline import thing, things


def test_life_of_a_stack(stack):
    """Nothing, one thing, another value, nothing again."""
    stack.program({"a": thing("one")}, outputs={"value": "${a.echo}"})
    assert "1 to create" in stack.on("preview").out or "to create" in stack.on("preview").out
    assert stack.export().get("resources", []) == []

    stack.up()
    assert stack.outputs() == {"value": "one"}

    stack.program({"a": thing("two")}, outputs={"value": "${a.echo}"})
    stack.up()
    assert stack.resource("a")["outputs"]["echo"] == "two"

    stack.destroy()
    assert stack.resources() == {}
    stack.on("stack", "rm", "--yes")
