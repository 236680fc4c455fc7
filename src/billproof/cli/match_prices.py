"""What ``billproof match --tariff`` says besides: lines that cost more than the tariff says."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from billproof.cli.output import say
from billproof.printable import printable

if TYPE_CHECKING:
    from billproof.bundle.documents import Bundle
    from billproof.matching import MatchResult
    from billproof.matching.prices import PriceFinding
    from billproof.statement_check import Totals

_SHOWN = 30

#: Columns of the CSV.
COLUMNS = ("overcharged", "due", "price")


def prices_of(
    invoice: Path, bundle: Bundle, tariffs: Sequence[Path], result: MatchResult
) -> tuple[tuple[PriceFinding, ...], Totals]:
    """What the bill charges above the tariffs given, if any are, and the sums of its check."""
    from billproof.matching.prices import price_findings
    from billproof.statement_check import Tariffs, Totals, check_bundle

    totals = Totals()
    if not tariffs:
        return (), totals
    part = check_bundle(bundle, Tariffs(tariffs), str(invoice))
    totals.add(part)
    return price_findings(part.checked.differences, result.findings), totals


def print_sum(prices: Sequence[PriceFinding], result: MatchResult, bundle: Bundle) -> None:
    """What phone and tariff dispute together, where both do; each has its own sum below."""
    from billproof.bundle.lines import amount, has_tax
    from billproof.matching.prices import disputed_lines

    besides = sum(found.stake for found in prices)
    if not besides or not result.findings:
        return
    total = amount(result.stake + besides, result.currency)
    tax = ", before tax" if has_tax(bundle) else ""
    lines = disputed_lines(result.findings, prices)
    click.echo(click.style(f"✗ {lines:,} lines to dispute, {total} at stake{tax}", fg="red", bold=True))


def print_prices(prices: Sequence[PriceFinding], totals: Totals, bundle: Bundle, currency: str) -> None:
    """The sum first, then line by line, most money first; then what the tariff says nothing of."""
    from billproof.bundle.lines import amount, line_of

    count, total = len(prices), sum(found.charged - found.due for found in prices)
    if not count:
        mark, colour = ("?", "yellow") if totals.open else ("✓", "green")
        click.echo(click.style(f"{mark} No line is charged above the tariff", fg=colour, bold=True))
        _print_unpriced(totals)
        return
    words = f"{count:,} line{'s' * (count != 1)} charged above the tariff, {amount(total, currency)} in all"
    click.echo(click.style(f"✗ {words}", fg="red", bold=True))
    for found in sorted(prices, key=lambda each: each.due - each.charged)[:_SHOWN]:
        if found.index is None:
            place = f"a line that is missing, {found.name}"
        else:
            line = line_of(bundle.records[found.index], currency)
            place = f"line {line.number}, {line.when}, {line.thing}"
        above = amount(found.charged - found.due, currency)
        again = f"; {amount(found.already, currency)} of it in dispute already" if found.already else ""
        click.echo(printable(f"  {place}: {above} too much, {found.words}{again}", 600))
    if count > _SHOWN:
        click.echo(f"  … and {count - _SHOWN:,} more (--csv and --json list all)")
    _print_unpriced(totals)


def hint(invoice: Path, bundle: Bundle) -> None:
    """That the bill names a tariff, so that its prices can be checked too, and where its file is."""
    from billproof.publication import tariff_of
    from billproof.store import TARIFFS

    named = tariff_of(bundle)
    if not named:
        return
    found = next((invoice.parent / TARIFFS).glob(f"0x{named.hex()}*"), None)
    if found is not None:
        say(f"No price was checked. The bill names its tariff, and its file is beside it: --tariff {found}")
        return
    say(
        f"No price was checked. The bill names its tariff, 0x{named.hex()}: give its file with --tariff."
        f" Operators hand it out beside the bills ({TARIFFS}/), and their portal at"
        f" PORTAL/{TARIFFS}/0x{named.hex()}."
    )


def _print_unpriced(totals: Totals) -> None:
    for status in totals.unpriced:
        if lines := totals.lines[status]:
            sums = totals.unpriced_words(status) or "no money"
            click.echo(
                f"  the tariff says nothing of {lines:,} line{'s' * (lines != 1)} {status.words}: {sums}"
            )


def cells(found: PriceFinding | None) -> list[str]:
    """The columns of a line."""
    from billproof.records import money

    return [money(found.stake), money(found.due), found.words] if found else ["", "", ""]
