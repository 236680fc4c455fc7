"""``billproof tariff check`` and ``billproof tariff explain``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from billproof.cli import options
from billproof.cli.output import emit, facts
from billproof.errors import InputError
from billproof.printable import printable

if TYPE_CHECKING:
    from billproof.tariff.explaining import Usage


@click.command(short_help="Check a tariff's file.")
@click.argument("file", type=options.FILE)
@options.json_option
def check(file: Path, as_json: bool) -> None:
    """Check that FILE, TOML or JSON, is a tariff without gaps, overlaps or unknown names (docs/tariff.md).

    Prints the hash by which statements name it, and which services have no rate in a zone: what is charged
    for them there is not what the tariff says. Exit codes: 0 it can be used, 2 it cannot.
    """
    from billproof.tariff import load_tariff, values
    from billproof.tariff.coherence import without_rate

    tariff = load_tariff(file)
    missing = {values.word_of(service): zones for service, zones in without_rate(tariff).items()}
    if as_json:
        emit(
            "tariff-check",
            {
                "file": str(file),
                "hash": "0x" + tariff.hash.hex(),
                "name": tariff.name,
                "version": tariff.version,
                "currency": tariff.currency,
                "rates": len(tariff.rates),
                "allowances": len(tariff.allowances),
                "prefixes": sum(map(len, tariff.destinations.values())),
                "withoutRate": missing,
            },
        )
        return
    facts(
        f"✓ {tariff.words} can be used",
        [
            ("hash", "0x" + tariff.hash.hex()),
            ("currency", tariff.currency),
            ("rates", f"{len(tariff.rates):,}"),
            ("prefixes", f"{sum(map(len, tariff.destinations.values())):,}"),
            ("allowances", f"{len(tariff.allowances):,}"),
            ("other lines", f"{len(tariff.fees) + len(tariff.discounts) + len(tariff.taxes):,}"),
        ],
    )
    if missing:
        facts("Without a rate, which is no error", list(_unrated(missing, len(tariff.zones) + 2)))


def _unrated(missing: dict[str, tuple[str, ...]], everywhere: int) -> Iterator[tuple[str, str]]:
    """Each service that has a rate in some zones only, then those that have none in any."""
    for service, zones in missing.items():
        if len(zones) < everywhere:
            yield service, ", ".join(printable(zone, 64) for zone in zones)
    if never := [service for service, zones in missing.items() if len(zones) == everywhere]:
        yield "in any zone", ", ".join(never)


@click.command(short_help="Say in words what a tariff charges, or how one price comes about.")
@click.argument("file", type=options.FILE)
@click.option("--service", help="Of one record: voice-originated, message-sent, data …")
@click.option("--usage", help='Of one record: seconds, messages or bytes, or "85 s", "2 min", "3 MB".')
@click.option("--at", "moment", metavar="TIME", help="Of one record: local time, 2026-10-03T14:00.")
@click.option("--number", default="", help="Of one record: +44…, or as dialled.")
@click.option("--network", default="", metavar="MCC-MNC", help="Of one record. [default: home]")
@options.json_option
def explain(
    file: Path,
    service: str | None,
    usage: str | None,
    moment: str | None,
    number: str,
    network: str,
    as_json: bool,
) -> None:
    """Say in words what the tariff in FILE charges; with --service, how one record's price comes about."""
    from billproof.tariff import load_tariff
    from billproof.tariff.explaining import describe, steps

    tariff = load_tariff(file)
    if service is None:
        if usage or moment or number or network:
            raise click.UsageError("a record also needs --service")
        found = describe(tariff)
    else:
        found = steps(tariff, _usage(service, usage or "1", moment, number, network, tariff.valid_from))
    if as_json:
        emit("tariff-explanation", {"steps": [{"name": name, "words": said} for name, said in found]})
        return
    facts(tariff.words, list(found))


def _usage(service: str, usage: str, moment: str | None, number: str, network: str, first_day: int) -> Usage:
    from billproof.intake.keys import nearest
    from billproof.tariff import values
    from billproof.tariff.explaining import Usage

    known = {values.word_of(each): each for each in values.KINDS}
    if service not in known:
        raise InputError(
            f"{service!r} is no service with usage", field="--service", advice=nearest(service, tuple(known))
        )
    try:
        at = datetime.fromisoformat(moment) if moment else datetime.fromordinal(719_163 + first_day)
    except ValueError:
        raise InputError(
            f"{moment!r} is no time", field="--at", advice="Write local time: 2026-10-03T14:00"
        ) from None
    if network and not re.fullmatch(r"\d{3}-?\d{2,3}", network):
        raise InputError(f"{network!r} is no network", field="--network", advice="Write MCC-MNC: 272-01")
    return Usage(
        known[service], _amount(usage, values.KINDS[known[service]]), at.replace(tzinfo=None), number, network
    )


def _amount(text: str, kind: str) -> int:
    from billproof.tariff import values

    if re.fullmatch("[0-9]{1,18}", text):
        return int(text)
    try:
        found, amount = values.quantity(text) if re.fullmatch("[0-9]{1,18} [A-Za-z]+", text) else ("", 0)
    except KeyError:
        found, amount = "", 0
    if found != kind or amount >= 1 << 62:
        raise InputError(
            f"{printable(text, 60)!r} is no amount of {kind}",
            field="--usage",
            advice='Write a number, or "85 s", "3 MB".',
        )
    return amount
