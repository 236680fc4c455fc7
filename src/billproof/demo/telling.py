"""What the demo tells at its end: on the screen, and in the file that says what lies where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

if TYPE_CHECKING:
    from billproof.demo.cases import Outcome
    from billproof.demo.phone import Compared
    from billproof.demo.run import Demo
    from billproof.simulate import Simulation

MARKER = "DEMO.txt"
ERRORS = 0.02  # share of usage lines that are billed wrongly: a phone log or the tariff finds them


def describe(demo: Demo, simulation: Simulation, compared: Compared) -> None:
    """What lies where, and what is wrong on purpose, for whoever opens the directory."""
    text = f"""Made by `billproof demo`, which replaces this directory when it runs again.

store/, secrets/      what the two operators keep: the batches of {demo.period}, their secrets
operator-1/bundles/   what their subscribers get, a proof file each; tariffs/ beside them: the price plans
phone/                the phone logs of account {compared.account}, with a report and a letter
month/                what the operators' switches wrote, and what the phones logged
cases/                what cheats made, with books of their own: nothing in store/ is theirs
chain.jsonl           the chain; trust.json: the operators that this demo's subscriber has pinned

{ERRORS:.0%} of the usage lines are billed wrongly on purpose (month/{simulation.labels} lists them): a
verdict "valid" says that a bill is the one that the operator committed to, not that it is right. What is
wrong, its subscriber's phone log and its price plan tell:
    {compared.command}
"""
    (demo.out / MARKER).write_text(text)


def show(
    demo: Demo, summary: dict[str, Any], outcomes: list[Outcome], bundle: Path, compared: Compared
) -> None:
    """The cases as a table, the figures, and what to try next."""
    console = demo.stage.console
    table = Table(title="\nWhat somebody might try, and what the subscriber is told", title_justify="left")
    for name in ("case", "verdict", "because"):
        table.add_column(name, overflow="fold")
    for outcome in outcomes:
        colour = "green" if outcome.expected else "red"
        words = escape(outcome.report.verdict.words)
        table.add_row(outcome.words, f"[{colour}]{words}[/{colour}]", escape(outcome.because))
    console.print(table)
    console.print(
        f"\nBill and phone of account {compared.account}: {compared.words}\n"
        f"  {compared.home / 'report.html'}, {compared.home / 'letter.txt'}\n"
        f"{ERRORS:.0%} of the usage lines are billed wrongly on purpose: `verify` proves that a bill is the\n"
        "one that the operator committed to; what is wrong on it, the phone's log and the tariff tell.",
        highlight=False,
        soft_wrap=True,
    )
    gas = sum(summary["gas"].values())
    console.print(
        f"\n[bold]{summary['records']:,} records, {summary['accounts']:,} accounts,"
        f" {summary['batches']} batches, {gas:,} gas, {summary['seconds']['total']:.1f} s.[/bold]"
        f"  Everything is in {demo.out}",
        soft_wrap=True,
    )
    console.print(
        "\nTry it yourself:\n"
        f"  ./run billproof verify --rpc {demo.rpc} --trust {demo.out / 'trust.json'} {bundle}\n"
        f"  {compared.command}\n"
        f"  ./run billproof tariff published --operator 1 --rpc {demo.rpc}\n"
        f"  ./run billproof audit {demo.store} --secrets {demo.secrets} --rpc {demo.rpc}\n"
        f"  ./run billproof status {demo.period} --operator 1 --store {demo.store} --rpc {demo.rpc}\n",
        highlight=False,
        soft_wrap=True,
    )
