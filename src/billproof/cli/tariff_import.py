"""``billproof tariff import``: a CGRateS tariff plan as a tariff's file."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import click

from billproof.cli import options
from billproof.cli.output import emit, say
from billproof.errors import InputError

#: Service → the unit of its amounts.
_WORDS = {
    "voice-originated": "s",
    "voice-terminated": "s",
    "voice-forwarded": "s",
    "message-sent": "messages",
    "message-received": "messages",
    "mms": "messages",
    "content": "messages",
    "data": "B",
}


@click.command("import", short_help="Make a tariff's file of a CGRateS tariff plan.")
@click.argument("folder", type=options.FOLDER)
@click.option("--out", type=options.FILE, required=True, help="The tariff's file, TOML.")
@click.option("--plan", metavar="RP_ID", help="The rating plan. [default: the only one]")
@click.option("--currency", required=True, metavar="ISO", help="Of its prices: CGRateS does not say.")
@click.option(
    "--valid-from", required=True, metavar="DAY", help="The first day on which it is used: 2026-10-01."
)
@click.option("--service", type=click.Choice(list(_WORDS)), default="voice-originated", show_default=True)
@click.option(
    "--prefixes",
    type=click.Choice(["e164", "dialled"]),
    help="What prefixes without + are: international numbers, or dialled as they stand.",
)
@click.option(
    "--home", multiple=True, metavar="MCC-MNC", help="A network that is not roaming; may be repeated."
)
@click.option("--tariff-version", "version", default="1", show_default=True, help="Its version, printed.")
@options.force_option
@options.json_option
def import_plan(
    folder: Path,
    out: Path,
    plan: str | None,
    currency: str,
    valid_from: str,
    service: str,
    prefixes: str | None,
    home: tuple[str, ...],
    version: str,
    force: bool,
    as_json: bool,
) -> None:
    """Make a tariff's file of the CGRateS tariff plan in FOLDER (docs/tariff.md, section 11).

    Reads Timings, Destinations, Rates, DestinationRates and RatingPlans (.csv). What a tariff cannot say is
    refused with file and line. Accounts, balances and profiles are not read: add allowances and fees.
    """
    from billproof.files import write_file
    from billproof.tariff import load_tariff
    from billproof.tariff.cgrates import read_plan
    from billproof.tariff.cgrates_files import FILES
    from billproof.tariff.cgrates_week import tariff_text

    try:
        first_day = date.fromisoformat(valid_from)
    except ValueError:
        raise InputError(
            f"{valid_from!r} is no day", field="--valid-from", advice="write 2026-10-01"
        ) from None
    if not re.fullmatch("[A-Z]{3}", currency):
        raise InputError(
            f"{currency!r} is no currency", field="--currency", advice="write three letters: EUR"
        )
    for network in home:
        if not re.fullmatch(r"[0-9]{3}-?[0-9]{2,3}", network):
            raise InputError(f"{network!r} is no network", field="--home", advice="write MCC-MNC: 272-01")
    if out.exists() and not force:
        raise InputError("there is such a file", file=out, advice="choose another name, or give --force")
    word = _WORDS[service]
    found = read_plan(folder, plan, voice=word == "s", prefixes=prefixes)
    text = tariff_text(
        found,
        service=service,
        word=word,
        head={"version": version, "currency": currency, "from": first_day.isoformat()},
        home=home,
    )
    content = text.encode()
    tariff = load_tariff(content, name=str(out))
    write_file(out, content)
    others = sorted(path.name for path in folder.glob("*.csv") if path.name not in FILES)
    if as_json:
        document = {"file": str(out), "hash": "0x" + tariff.hash.hex(), "plan": found.name}
        emit(
            "tariff-import",
            {**document, "rates": len(tariff.rates), "notRead": others, "notes": list(found.notes)},
        )
        return
    say(
        f"{out}: {len(tariff.rates):,} rates of {found.name}. Read it over: `billproof tariff explain {out}`."
    )
    for note in found.notes:
        say(f"{note}.")
    if others:
        say(f"Not read, since they hold no prices of a plan: {', '.join(others)}.")
    if "" not in found.offers:
        say("The plan has no *any: numbers that begin with none of its prefixes have no rate.")
