"""A CGRateS tariff plan (a folder of CSV files) → what a tariff needs of it (``docs/tariff.md``, "Import").

What a tariff cannot say is refused with file and line, never left out. :mod:`cgrates_files` reads the files,
:mod:`cgrates_week` resolves weights and times into bands and writes the tariff.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from billproof.printable import printable
from billproof.tariff.cgrates_files import Row, decimal_text, duration, read_rows, refuse

ANY = "*any"
_METHODS = {"*up": "up", "*middle": "half-up", "*down": "down"}


@dataclass(frozen=True)
class Slot:
    """What a rate charges from some usage on."""

    begins: int
    price: str
    unit: int
    increment: int


@dataclass(frozen=True)
class Price:
    """A rate with its rounding and limit, as one row of DestinationRates says. Equal ones are one rate."""

    rate: str
    connection: str
    slots: tuple[Slot, ...]
    mode: str
    decimals: int
    maximum: str


@dataclass(frozen=True)
class Offer:
    """A price at a time, by one row of RatingPlans; where several are, the greater weight decides."""

    price: Price
    timing: str
    weight: Decimal
    row: Row


@dataclass(frozen=True)
class Span:
    """Some days of the week (0 is Monday), from one minute of the day until another."""

    days: frozenset[int]
    begins: int
    ends: int


@dataclass(frozen=True)
class Plan:
    """One rating plan: prefix → its offers. The empty prefix is ``*any``; ``tags`` names prefixes.

    ``notes`` say what of the plan is no price, and therefore not in the tariff.
    """

    name: str
    offers: dict[str, list[Offer]]
    tags: dict[str, str]
    timings: dict[str, Span]
    notes: tuple[str, ...]


def read_plan(folder: Path, wanted: str | None, *, voice: bool, prefixes: str | None) -> Plan:
    """The plan ``wanted``, or the only one. ``prefixes``: ``e164``, ``dialled``, None where all have a +."""
    rows = read_rows(folder, "RatingPlans.csv")
    names = list(dict.fromkeys(row["Id"] for row in rows))
    if not names:
        refuse(folder / "RatingPlans.csv", "no rating plan", "give a folder with at least one")
    if wanted is None and len(names) > 1:
        refuse(folder, f"{len(names)} rating plans", f"choose one with --plan: {', '.join(names)}")
    if wanted is not None and wanted not in names:
        refuse(folder, f"no rating plan {printable(wanted)}", f"there are {', '.join(names)}")
    chosen = [row for row in rows if row["Id"] == (wanted or names[0])]

    destinations = _destinations(folder)
    rates, timings = _rates(folder, voice), _timings(folder)
    prices = read_rows(folder, "DestinationRates.csv")
    offers: dict[str, list[Offer]] = {}
    tags: dict[str, str] = {}
    notes: list[str] = []
    for row in chosen:
        of_plan = [price for price in prices if price["Id"] == row["DestinationRatesId"]]
        if not of_plan:
            refuse(row, _unknown(row["DestinationRatesId"]), "name one of DestinationRates.csv")
        if row["TimingTag"] not in timings:
            refuse(row, _unknown(row["TimingTag"]), "name one of Timings.csv, or *any for all times")
        weight = _weight(row)
        for its in of_plan:
            offer = Offer(_price(its, rates), row["TimingTag"], weight, row)
            if its["MaxCostStrategy"] == "*disconnect":
                whose = f"{printable(its['Id'])} for {printable(its['DestinationId'])}"
                notes.append(
                    f"MaxCost {its['MaxCost']} of {whose} ends calls (*disconnect) and is no price: "
                    "a call costs what its length costs"
                )
            for prefix in _prefixes(its, destinations, prefixes):
                offers.setdefault(prefix, []).append(offer)
                tag = its["DestinationId"]
                known = tags.setdefault(prefix, tag).split("+")
                tags[prefix] = "+".join(known if tag in known else [*known, tag])
    return Plan(chosen[0]["Id"], offers, tags, timings, tuple(dict.fromkeys(notes)))


def _unknown(tag: str) -> str:
    return f"{printable(tag)} is not defined" if tag else "a name is missing"


def _weight(row: Row) -> Decimal:
    text = row["Weight"] or "0"
    if not re.fullmatch(r"-?[0-9]{1,9}(\.[0-9]{1,9})?", text):
        refuse(row, f"{printable(text)} is no weight", "write a number", "Weight")
    return Decimal(text)


def _destinations(folder: Path) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in read_rows(folder, "Destinations.csv"):
        if not re.fullmatch(r"\+?[0-9]{1,20}", row["Prefix"]):
            refuse(
                row, f"{printable(row['Prefix'])} is no prefix", "write digits, with or without +", "Prefix"
            )
        found.setdefault(row["Id"], []).append(row)
    return found


def _prefixes(row: Row, destinations: dict[str, list[Row]], written: str | None) -> Iterator[str]:
    tag = row["DestinationId"]
    if tag == ANY:
        yield ""
        return
    if tag not in destinations:
        refuse(row, _unknown(tag), "name one of Destinations.csv, or *any", "DestinationId")
    for destination in destinations[tag]:
        prefix = destination["Prefix"]
        if written is None and not prefix.startswith("+"):
            refuse(
                destination,
                f"prefix {prefix} has no +",
                "say with `--prefixes e164` that such prefixes are international numbers without their +, or "
                "with `--prefixes dialled` that they are dialled as they stand",
            )
        yield f"+{prefix}" if written == "e164" and not prefix.startswith("+") else prefix


def _rates(folder: Path, voice: bool) -> dict[str, tuple[str, tuple[Slot, ...]]]:
    """Tag → its connection fee, and its slots in order."""
    rows: dict[str, list[Row]] = {}
    for row in read_rows(folder, "Rates.csv"):
        rows.setdefault(row["Id"], []).append(row)
    rates = {}
    for tag, of_tag in rows.items():
        of_tag.sort(key=lambda row: duration(row, "GroupIntervalStart", voice))
        rates[tag] = decimal_text(of_tag[0], "ConnectFee", 9), tuple(_slots(of_tag, voice))
    return rates


def _slots(rows: list[Row], voice: bool) -> list[Slot]:
    slots: list[Slot] = []
    fee = decimal_text(rows[0], "ConnectFee", 9)
    for row in rows:
        begins = duration(row, "GroupIntervalStart", voice)
        unit, increment = duration(row, "RateUnit", voice), duration(row, "RateIncrement", voice)
        if unit == 0 or increment == 0:
            refuse(row, "a unit or increment of 0", "write at least 1s, or 1 for messages and bytes")
        if not slots and begins:
            refuse(
                row, "the rate begins after 0", "add a row with GroupIntervalStart 0s", "GroupIntervalStart"
            )
        if slots and (begins == slots[-1].begins or (begins - slots[-1].begins) % slots[-1].increment):
            refuse(
                row,
                f"begins {begins - slots[-1].begins} after the row before, no multiple of its increment "
                f"{slots[-1].increment}",
                "an increment may not run over into the next row: change GroupIntervalStart or RateIncrement",
                "GroupIntervalStart",
            )
        if decimal_text(row, "ConnectFee", 9) not in ("0", fee):
            refuse(
                row,
                "another ConnectFee than the first row's",
                "it is charged once: write 0 here",
                "ConnectFee",
            )
        slots.append(Slot(begins, decimal_text(row, "Rate", 12), unit, increment))
    return slots


def _price(row: Row, rates: dict[str, tuple[str, tuple[Slot, ...]]]) -> Price:
    if row["RatesTag"] not in rates:
        refuse(row, _unknown(row["RatesTag"]), "name one of Rates.csv", "RatesTag")
    if row["RoundingMethod"] not in _METHODS:
        refuse(
            row,
            f"rounding {printable(row['RoundingMethod']) or 'is empty'}",
            f"write one of {', '.join(_METHODS)}",
            "RoundingMethod",
        )
    if not re.fullmatch("[0-9]", row["RoundingDecimals"]):
        refuse(
            row, "RoundingDecimals is not 0 to 9", "write how many decimals a call has", "RoundingDecimals"
        )
    maximum = decimal_text(row, "MaxCost", 9)
    if maximum != "0" and row["MaxCostStrategy"] not in ("*free", "*disconnect"):
        refuse(row, "a MaxCost without strategy", "write *free or *disconnect", "MaxCostStrategy")
    connection, slots = rates[row["RatesTag"]]
    decimals = int(row["RoundingDecimals"])
    _check_parts(row, connection, slots, decimals)
    if row["MaxCostStrategy"] == "*disconnect":
        maximum = "0"
    return Price(row["RatesTag"], connection, slots, _METHODS[row["RoundingMethod"]], decimals, maximum)


def _check_parts(row: Row, connection: str, slots: tuple[Slot, ...], decimals: int) -> None:
    """CGRateS rounds each slot's part of a call, and not the fee; a tariff rounds their sum, once.

    Both agree where only the last part of a call can have more decimals than the rounding leaves.
    """
    parts = [
        Fraction(slot.price) * (after.begins - slot.begins) / slot.unit for slot, after in pairwise(slots)
    ]
    if any((part * 10**decimals).denominator > 1 for part in (Fraction(connection), *parts)):
        refuse(
            row,
            f"{printable(row['RatesTag'])} has a ConnectFee, or a price up to the next GroupIntervalStart, "
            f"with more than {decimals} decimals",
            "CGRateS rounds such parts one by one, a tariff rounds the whole call: raise RoundingDecimals",
            "RoundingDecimals",
        )


def _timings(folder: Path) -> dict[str, Span]:
    timings = {ANY: Span(frozenset(range(7)), 0, 1440)}
    for row in read_rows(folder, "Timings.csv"):
        for column in ("Years", "Months", "MonthDays"):
            if row[column] not in (ANY, ""):
                refuse(
                    row,
                    f"{column} is {printable(row[column])}",
                    "bands repeat every week: take the timing out, and where its days are to count as "
                    "another day of the week, name them in [holidays] of the tariff",
                    column,
                )
        if row["Tag"] in timings:
            refuse(
                row, f"{printable(row['Tag'])} is there twice", "give each timing a name of its own", "Tag"
            )
        begins, _, ends = row["Time"].partition(";")
        timings[row["Tag"]] = Span(_days(row), _minute(row, begins), _minute(row, ends) if ends else 1440)
    return timings


def _days(row: Row) -> frozenset[int]:
    if row["WeekDays"] in (ANY, ""):
        return frozenset(range(7))
    days = row["WeekDays"].split(";")
    if not all(re.fullmatch("[0-7]", day) for day in days):
        refuse(
            row, f"weekdays {printable(row['WeekDays'])}", "write 1 (Monday) to 7, with ; between", "WeekDays"
        )
    return frozenset((int(day) - 1) % 7 for day in days)


def _minute(row: Row, text: str) -> int:
    if text in (ANY, ""):
        return 0
    if text == "23:59:59":
        return 1440
    match = re.fullmatch(r"([01][0-9]|2[0-3]):([0-5][0-9])(:00)?", text)
    if not match:
        advice = "write a time of day with whole minutes, as 08:00:00"
        if text == "*asap":
            advice = "the time at which a plan is loaded is no time band: write 00:00:00"
        refuse(row, f"time {printable(text)}", advice, "Time")
    return 60 * int(match[1]) + int(match[2])
