"""What commands print: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from billproof.errors import InputError
from billproof.printable import printable

MAX_SAFE_INTEGER = 1 << 53

#: Characters of one line that a person is shown.
_LONGEST = 4000
_WIDE = 200


def emit(kind: str, document: dict[str, Any]) -> None:
    """Prints one JSON object of schema ``billproof/<kind>/1`` on standard output."""
    text = json.dumps({"schema": f"billproof/{kind}/1", **_portable(document)}, indent=2, ensure_ascii=False)
    click.echo("".join(_escaped(c) for c in text))


def say(message: str = "") -> None:
    """A message for the person at the terminal, a line of it at a time."""
    for line in message.split("\n"):
        click.echo(printable(line, _LONGEST), err=True)


def table(columns: list[str], rows: list[list[Any]], *, title: str | None = None) -> None:
    """Prints a table on standard output."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDE)  # a pipe takes whole paths

    drawn = Table(title=title, title_justify="left", header_style="bold", pad_edge=False)
    for name in columns:
        drawn.add_column(name, overflow="fold")
    for row in rows:
        drawn.add_row(*(escape(printable(str(cell), _LONGEST)) for cell in row))
    console.print(drawn)


def facts(title: str, rows: list[tuple[str, Any]]) -> None:
    """Prints a title and named values below it on standard output."""
    width = max(len(name) for name, _ in rows)
    click.echo(click.style(title, bold=True))
    for name, value in rows:
        click.echo(f"  {name.ljust(width)}  {printable(str(value), _LONGEST)}")


def report_error(message: str, advice: str, code: int, as_json: bool) -> int:
    """Prints an error and returns its exit code."""
    if as_json:
        emit("error", {"message": message, "advice": advice, "exitCode": code})
    click.echo(click.style("error: ", fg="red", bold=True) + printable(message, _LONGEST), err=True)
    if advice:
        click.echo(f"  → {printable(advice, _LONGEST)}", err=True)
    return code


@contextmanager
def progress(quiet: bool) -> Iterator[Any]:
    """A callback ``(step, done)`` that draws one bar a step on standard error, if a person watches."""
    if quiet:  # as for --json: nothing to load, and no thread
        yield lambda step, done, total=None: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bars:
        tasks: dict[str, Any] = {}

        def update(step: str, done: int, total: int | None = None) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total)
            bars.update(tasks[step], completed=done, total=total)

        yield update


def _escaped(character: str) -> str:
    """JSON's own escape for what a terminal would obey; line ends are those between JSON's tokens."""
    if character.isprintable() or character == "\n":
        return character
    return json.dumps(character)[1:-1]


def _portable(value: Any) -> Any:
    """The value with integers that JavaScript cannot hold written as strings."""
    if isinstance(value, dict):
        return {key: _portable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_portable(inner) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > MAX_SAFE_INTEGER:
        return str(value)
    return value


def check_free(paths: Iterable[Path], force: bool) -> None:
    """Raises InputError where one of the files to be written is there already, unless ``force``."""
    for path in paths:
        if path.exists() and not force:
            raise InputError("is there already", file=path, advice="Use --force to overwrite.")
