"""Every command of the README is one: its name, its options, what it takes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from billproof.cli import cli

README = Path(__file__).parents[2] / "README.md"


def commands() -> list[str]:
    """What follows `run billproof` in the README's blocks of commands, lines that go on joined."""
    blocks = "\n".join(line for line in README.read_text().splitlines() if line.startswith("    "))
    found = re.findall(r"run billproof ([^\n]+)", re.sub(r"\\\n\s+", "", blocks))
    return [re.split(r"; done|\)$", line)[0] for line in found]


def parsed(words: list[str]) -> click.Context:
    """The context of a command line, its values converted and nothing of it run."""
    context = cli.make_context("billproof", words)
    while isinstance(context.command, click.Group):
        name, command, rest = context.command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        assert command is not None
        context = command.make_context(name, rest, parent=context)
    return context


@pytest.mark.parametrize("line", commands())
def test_a_command_of_the_readme_is_one(line: str) -> None:
    words = shlex.split(line.replace("$id", "0x" + "1" * 64).replace("$region", "1"), comments=True)
    assert parsed(words).params


def test_the_readme_has_commands() -> None:
    found = commands()
    assert len(found) > 40
    assert any(line.startswith("house confirm") for line in found)
    with pytest.raises(click.UsageError, match="No such option"):
        parsed(["house", "status", "0x" + "1" * 64, "--no-such"])
