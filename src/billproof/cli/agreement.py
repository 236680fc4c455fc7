"""``billproof agreement``: what two operators have agreed, checked, and its discount models evaluated."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from billproof.cli import options
from billproof.cli.output import emit, facts, table
from billproof.errors import InputError
from billproof.files import write_file
from billproof.printable import printable

if TYPE_CHECKING:
    from billproof.clearing.discounts.models import Model
    from billproof.clearing.discounts.year import Evaluation, Line, Volume
    from billproof.clearing.settlement.settlement import Settlement


@click.group(short_help="Check an agreement of two operators, and evaluate its discounts.")
def agreement() -> None:
    """What two operators have agreed: tolerances, exchange rates, routes, discounts (docs/clearing.md)."""


@agreement.command(short_help="Check an agreement's file.")
@click.argument("file", type=options.FILE)
@options.json_option
def check(file: Path, as_json: bool) -> None:
    """Check that FILE, TOML or JSON, is an agreement without contradictions or unknown names.

    Prints the hash by which settlements name it. Exit codes: 0 it can be used, 2 it cannot.
    """
    from billproof.clearing.agreement.agreement import load_agreement
    from billproof.clearing.discounts.year import months_of

    found = load_agreement(file)
    months = months_of(found)
    if as_json:
        emit(
            "agreement-check",
            {
                "file": str(file),
                "hash": "0x" + found.hash.hex(),
                "name": found.name,
                "from": months[0],
                "to": months[-1],
                "settlement": found.settlement,
                "exchange": {
                    **{currency: str(rate) for currency, rate in found.exchange.items()},
                    **{
                        currency: {month: str(rate) for month, rate in rates.items()}
                        for currency, rates in found.monthly.items()
                    },
                },
                "operators": [party.operator for party in found.parties],
                "routes": len(found.routes),
                "zones": len(found.zones),
                "models": [model.name for model in found.models],
                "commitments": [commitment.name for commitment in found.commitments],
            },
        )
        return
    facts(
        f"✓ {found.name} can be used",
        [
            ("hash", "0x" + found.hash.hex()),
            ("parties", ", ".join(f"{party.operator} {party.name}" for party in found.parties)),
            ("months", f"{months[0]} to {months[-1]}"),
            ("settlement", found.settlement),
            *(
                (f"{currency} rates", f"{', '.join(sorted(rates))}: {len(rates)} of {len(months)} months")
                for currency, rates in sorted(found.monthly.items())
            ),
            ("routes", f"{len(found.routes):,} of {sum(map(len, found.routes.values())):,} prefixes"),
            ("zones", f"{len(found.zones):,}"),
            ("models", f"{len(found.models):,}"),
            ("commitments", f"{len(found.commitments):,} over several models"),
        ],
    )


@agreement.command(short_help="Say what a year's traffic costs by the discount models.")
@click.argument("file", type=options.FILE)
@click.option(
    "--volumes",
    type=options.FILE,
    required=True,
    help="CSV with the columns month, from, service, route, volume.",
)
@click.option(
    "--month", metavar="YYYY-MM", help="The last month that counts. [default: the last with traffic]"
)
@options.json_option
def evaluate(file: Path, volumes: Path, month: str | None, as_json: bool) -> None:
    """Say what the traffic in VOLUMES costs by the agreement in FILE: year to date, month, shortfall.

    Exit codes: 0 done, 2 a file cannot be used.
    """
    from billproof.clearing.agreement.agreement import load_agreement
    from billproof.clearing.discounts.volumes import read_volumes
    from billproof.clearing.discounts.year import evaluate, months_of

    found = load_agreement(file)
    if month is not None and month not in months_of(found):
        months = months_of(found)
        raise click.UsageError(f"--month is none of the agreement: {months[0]} to {months[-1]}")
    evaluation = evaluate(found, read_volumes(volumes, found), month)
    if as_json:
        emit("agreement-evaluation", _document(evaluation))
        return
    _print(evaluation)


@agreement.command(short_help="Check a settlement's document; make a workbook and pages of it.")
@click.argument("file", type=options.FILE)
@click.option("--xlsx", type=options.FILE, help="Write the workbook.")
@click.option("--pdf", type=options.FILE, help="Write the pages.")
@options.force_option
@options.json_option
def settlement(file: Path, xlsx: Path | None, pdf: Path | None, force: bool, as_json: bool) -> None:
    """Check that FILE, a settlement.json, adds up, and print the hash that both sides sign.

    With --xlsx and --pdf, make of it what people read: both sides get the same bytes. Exit codes: 0 it adds
    up, 2 it does not.
    """
    from billproof.clearing.agreement.agreement import month_of
    from billproof.clearing.settlement.reading import load_document
    from billproof.records import money

    found, signed = load_document(file)
    _write(found, signed, xlsx, pdf, force)
    net = found.net
    if as_json:
        emit(
            "settlement-check",
            {
                "file": str(file),
                "hash": "0x" + signed.hex(),
                "net": {
                    "from": net.payer.operator,
                    "to": net.payee.operator,
                    "amount": _exact(net.amount),
                    "currency": found.currency,
                },
                "disputed": _exact(found.disputed),
            },
        )
        return
    facts(
        f"✓ It adds up: {net.payer.name} pays {net.payee.name} {money(net.amount)} {found.currency}",
        [
            ("hash", "0x" + signed.hex()),
            ("due", found.due),
            *(
                (("no volumes of", ", ".join(map(month_of, found.year.missing))),)
                if found.year is not None and found.year.missing
                else ()
            ),
            *((("continues", "0x" + found.continues.hex()),) if found.continues else ()),
            *((("resolved", f"{len(found.resolved):,} claims"),) if found.resolved else ()),
            ("left open", f"{money(found.disputed)} {found.currency}, {len(found.disputes):,} claims"),
            *(("written", str(path)) for path in (xlsx, pdf) if path),
        ],
    )


def _write(found: Settlement, signed: bytes, xlsx: Path | None, pdf: Path | None, force: bool) -> None:
    """Workbook and pages, where they are asked for; nothing is written over without ``force``."""
    for path in (xlsx, pdf):
        if path and path.exists() and not force:
            raise InputError("is there already", file=path, advice="Use --force to overwrite.")
    if xlsx:
        from billproof.clearing.settlement.xlsx import workbook

        write_file(xlsx, workbook(found, signed))
    if pdf:
        from billproof.clearing.settlement.pdf import paper

        write_file(pdf, paper(found, signed))


def _document(evaluation: Evaluation) -> dict[str, Any]:
    """All months; money as decimal texts, so that nobody reads it as a binary fraction."""
    from billproof.clearing.discounts.models import CommonCommitment, Model
    from billproof.tariff import values

    found = evaluation.agreement
    return {
        "agreement": {"name": found.name, "hash": "0x" + found.hash.hex()},
        "currency": found.settlement,
        "months": [
            {
                "month": month,
                "net": _owed(evaluation, month),
                "models": [
                    _line(line, line.model) for line in evaluation.of(month) if isinstance(line.model, Model)
                ],
                "commitments": [
                    {"commitment": line.model.name, **_charged(line)}
                    for line in evaluation.of(month)
                    if isinstance(line.model, CommonCommitment)
                ],
            }
            for month in evaluation.months
        ],
        "uncovered": [
            {
                "month": each.month,
                "from": each.operator,
                "service": values.word_of(each.service),
                "route": each.route,
                "volume": _volume(each),
            }
            for each in evaluation.uncovered
        ],
    }


def _owed(evaluation: Evaluation, month: str) -> dict[str, Any]:
    """Who owes whom, of the year to date, and how much of it is the month's (negative: it comes back)."""
    to_date, share = evaluation.net(month)
    first, second = evaluation.agreement.parties
    payer, payee = (first, second) if to_date >= 0 else (second, first)
    sign = 1 if to_date >= 0 else -1
    return {
        "from": payer.operator,
        "to": payee.operator,
        "toDate": _exact(sign * to_date),
        "month": _exact(sign * share),
    }


def _line(line: Line, model: Model) -> dict[str, Any]:
    return {
        "model": model.name,
        **_charged(line),
        "volumeToDate": str(line.volume_to_date),
        "volume": str(line.volume),
        "unit": model.kind,
    }


def _charged(line: Line) -> dict[str, Any]:
    return {
        "from": line.payer.operator,
        "to": line.payee.operator,
        "toDate": _exact(line.to_date),
        "month": _exact(line.share),
        "used": _exact(line.used),
        "shortfall": _exact(line.shortfall),
        "open": _exact(line.open),
    }


def _exact(billionths: int) -> str:
    from billproof.tariff import values

    return values.decimal_of(billionths, values.MONEY_DECIMALS, 2)


def _print(evaluation: Evaluation) -> None:
    from billproof.records import money

    found, month = evaluation.agreement, evaluation.months[-1]
    to_date, share = evaluation.net(month)
    sign = 1 if to_date >= 0 else -1
    payer, payee = found.parties[::sign]
    facts(
        f"{payer.name} pays {payee.name} {money(sign * to_date)} {found.settlement} net, "
        f"{evaluation.months[0]} to {month}",
        [
            (f"of it {month}", f"{money(sign * share)} {found.settlement}"),
            ("agreement", found.name),
        ],
    )
    lines = evaluation.of(month)
    if lines:
        table(
            [
                "pays",
                "model or commitment",
                "to date",
                month,
                "shortfall due",
                "still open",
                "volume to date",
            ],
            [
                [
                    line.payer.name,
                    line.model.name,
                    money(line.to_date),
                    money(line.share),
                    *(map(money, (line.shortfall, line.open)) if line.committed else ("–", "–")),
                    _readable(line),
                ]
                for line in lines
            ],
        )
    for each in evaluation.uncovered:
        click.echo(
            printable(f"  in no model: {each.month}, from {found.party(each.operator).name}, {_stray(each)}")
        )


def _readable(line: Line) -> str:
    """The volume in the model's units, cut to three decimals; a common commitment has none."""
    from billproof.clearing.discounts.models import Model
    from billproof.tariff import values

    if not isinstance(line.model, Model):
        return "–"
    names = {values.SECONDS: "min", values.MESSAGES: "messages", values.BYTES: "MB"}
    sizes = {values.SECONDS: 60, values.MESSAGES: 1, values.BYTES: 10**6}
    thousandths = line.volume_to_date * 1000 / sizes[line.model.kind]
    whole, rest = divmod(int(thousandths), 1000)
    decimals = f"{rest:03d}".rstrip("0")
    return f"{whole:,}{'.' if decimals else ''}{decimals} {names[line.model.kind]}"


def _stray(volume: Volume) -> str:
    from billproof.tariff import values

    return f"{values.word_of(volume.service)}, {volume.route}: {_volume(volume)}"


def _volume(volume: Volume) -> str:
    """Exactly, in the unit that the books count in."""
    from billproof.tariff import values

    kind = values.KINDS[volume.service]
    return (
        values.quantity_words(kind, int(volume.volume))
        if volume.volume == int(volume.volume)
        else (f"{volume.volume} {kind}")
    )
