"""``billproof demo``."""

from __future__ import annotations

from pathlib import Path

import click

from billproof.cli import options

_WIDTH = 120


@click.command(short_help="Take two operators through a month, and show what verification catches.")
@click.option("--out", type=options.FOLDER, default=Path("out/demo"), show_default=True)
@click.option("--subscribers", type=click.IntRange(20), default=200, show_default=True, help="Per operator.")
@click.option("--serve", is_flag=True, help="Leave the portal running with the month.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Where the portal listens.")
@click.option("--port", type=click.IntRange(1, 65535), default=8000, show_default=True)
def demo(out: Path, subscribers: int, serve: bool, host: str, port: int) -> int:
    """Take two operators through a month on the embedded chain, and show what verification catches.

    Then they clear what they have handed to each other, to a net amount that both sign. An earlier demo in
    the same directory is replaced. Exit code 1 when a verdict was not the expected one, or something was
    cleared otherwise than the simulated traffic is labelled.
    """
    from rich.console import Console

    from billproof.demo import run

    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)  # a log takes long lines
    return 0 if run(out, subscribers, console, serve=serve, host=host, port=port) else 1
