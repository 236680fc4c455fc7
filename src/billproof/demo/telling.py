"""What the demo tells at its end: on the screen, and in the file that says what lies where."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from billproof.records import NANO, money

if TYPE_CHECKING:
    from billproof.demo.cases import Outcome
    from billproof.demo.clearing import Cleared
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
partners/             what the two hand to each other, as both have booked it, with what is wrong in it
clearing/             how they clear it: a folder for what each got, found and signed; operator-1/report.html
cases/                what cheats made, with books of their own: nothing in store/ is theirs
chain.jsonl           the chain; trust.json: the operators that this demo's subscriber has pinned

{ERRORS:.0%} of the usage lines are billed wrongly on purpose (month/{simulation.labels} lists them): a
verdict "valid" says that a bill is the one that the operator committed to, not that it is right. What is
wrong, its subscriber's phone log and its price plan tell:
    {compared.command}
"""
    (demo.out / MARKER).write_text(text)


def show(
    demo: Demo,
    summary: dict[str, Any],
    outcomes: list[Outcome],
    bundle: Path,
    compared: Compared,
    cleared: Cleared,
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
    _show_clearing(console, cleared)
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
        f"  ./run billproof status {demo.period} --operator 1 --store {demo.store} --rpc {demo.rpc}\n"
        f"  ./run billproof house status {summary['clearing']['id']} --rpc {demo.rpc}\n"
        f"  ./run billproof disputes check {cleared.home}/disputes-*.jsonl --rpc {demo.rpc}"
        f" --agreement {cleared.agreement} --settlement {cleared.home / 'settlement.json'}\n",
        highlight=False,
        soft_wrap=True,
    )


def _show_clearing(console: Console, cleared: Cleared) -> None:
    """What a partner might try, then the net amount, what is open, and why the books differ."""
    table = Table(title="\nWhat a partner might try, and who refuses it", title_justify="left")
    for name in ("case", "refused by", "because"):
        table.add_column(name, overflow="fold")
    for refusal in cleared.refusals:
        by = f"[green]{refusal.by}[/green]" if refusal.expected else "[red]nobody[/red]"
        table.add_row(refusal.words, by, escape(refusal.because))
    console.print(table)
    settlement, part = cleared.settlement, cleared.part.status.word.lower()
    net, currency = settlement.net, settlement.currency
    lines = [
        f"{net.payer.name} pays {net.payee.name} {money(net.amount)} {currency}: signed by both,"
        f" {part} on the chain",
        f"{_cents(settlement.disputed)} {currency} stay open in {len(settlement.disputes)} claims; the books"
        f" differ ({' less '.join(each.name for each in settlement.parties)}), because",
    ]
    causes = [(abs(int(cause.money)), cause) for each in cleared.found for cause in each.causes]
    for _, cause in sorted(causes, key=lambda entry: -entry[0]):
        lines.append(f"  {cause.words}: {cause.count:,} records, {_cents(int(cause.money))} {currency}")
    if cleared.problems:
        lines += ["[not as partners/labels.csv has it]", *cleared.problems]
    else:
        lines.append("Causes, counts, money and the net amount are those that partners/labels.csv leads to.")
    lines.append(f"{cleared.home / 'report.html'}; settlement.pdf and settlement.xlsx beside it")
    console.print("\n[bold]The two operators' month[/bold]", highlight=False)
    for line in lines:
        console.print(f"  {escape(line)}", highlight=False, soft_wrap=True)


def _cents(billionths: int) -> str:
    """Money to whole cents, for people who look at many sums."""
    return f"{Decimal(billionths) / NANO:,.2f}"
