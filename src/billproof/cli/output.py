"""What commands print: results on standard output, everything else on standard error."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

MAX_SAFE_INTEGER = 1 << 53


def emit(kind: str, document: dict[str, Any]) -> None:
    """Prints one JSON object of schema ``billproof/<kind>/1`` on standard output."""
    click.echo(
        json.dumps({"schema": f"billproof/{kind}/1", **_portable(document)}, indent=2, ensure_ascii=False)
    )


def say(message: str = "") -> None:
    """A message for the person at the terminal."""
    click.echo(message, err=True)


def table(columns: list[str], rows: list[list[Any]], *, title: str | None = None) -> None:
    """Prints a table on standard output."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    drawn = Table(title=title, title_justify="left", header_style="bold", pad_edge=False)
    for name in columns:
        drawn.add_column(name, overflow="fold")
    for row in rows:
        drawn.add_row(*(escape(str(cell)) for cell in row))
    Console().print(drawn)


def facts(title: str, rows: list[tuple[str, Any]]) -> None:
    """Prints a title and named values below it on standard output."""
    width = max(len(name) for name, _ in rows)
    click.echo(click.style(title, bold=True))
    for name, value in rows:
        click.echo(f"  {name.ljust(width)}  {value}")


def report_error(message: str, advice: str, code: int, as_json: bool) -> int:
    """Prints an error and returns its exit code."""
    if as_json:
        emit("error", {"message": message, "advice": advice, "exitCode": code})
    click.echo(click.style("error: ", fg="red", bold=True) + message, err=True)
    if advice:
        click.echo(f"  → {advice}", err=True)
    return code


@contextmanager
def progress(quiet: bool) -> Iterator[Any]:
    """A callback ``(step, done)`` that draws one bar a step on standard error, if a person watches."""
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
    with Progress(
        *columns, console=console, disable=quiet or not console.is_terminal, transient=True
    ) as bars:
        tasks: dict[str, Any] = {}

        def update(step: str, done: int, total: int | None = None) -> None:
            if step not in tasks:
                tasks[step] = bars.add_task(step, total=total)
            bars.update(tasks[step], completed=done, total=total)

        yield update


def _portable(value: Any) -> Any:
    """The value with integers that JavaScript cannot hold written as strings."""
    if isinstance(value, dict):
        return {key: _portable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_portable(inner) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > MAX_SAFE_INTEGER:
        return str(value)
    return value
