"""The naive rater's check of a statement: `docs/tariff.md`, sections 7 and 8, word by word, line by line."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from naive import (
    MODES,
    NANO,
    SERVICES,
    Free,
    Rate,
    Rated,
    Record,
    Tariff,
    billed_of,
    charge,
    connections_due,
    intervals_of,
    parts_of,
    rate_statement,
    rates_at,
    rounded,
    usage_of,
)

# 7. Lines that are no usage


def percent_of(percent: str, total: int, mode: str = "half-up", decimals: int = 9) -> int:
    return int(rounded(Fraction(percent) * total / 100 / NANO, mode, decimals) * NANO)


def due_of_line(tariff: Tariff, records: list[Record], record: Record | None, kind: str, item: Any) -> int:
    """What the line of a fee, discount, commitment, tax or the total costs; `record` is the line, if any."""
    others = [each for each in records if each is not record]

    def total(services: list[str], rates: list[str] | None = None) -> int:
        numbers = [SERVICES[name] for name in services]
        return sum(
            each["amount"]
            for each in others
            if each["service"] in numbers and (rates is None or each["rate"] in rates)
        )

    if kind == "fee":
        return int(Fraction(item["amount"]) * NANO)
    if kind == "discount":
        base = total(item["of"], item.get("rates"))
        above = int(Fraction(item.get("above", "0")) * NANO)
        return -percent_of(item["percent"], base) if base > above else 0
    if kind == "commitment":
        return max(int(Fraction(item["amount"]) * NANO) - total(item["services"]), 0)
    if kind == "tax":
        taxed = item.get("of", [name for name in SERVICES if name not in ("tax", "rounding")])
        rounding = item.get("rounding", {"mode": "half-up", "decimals": 9})
        return percent_of(item["percent"], total(taxed), rounding["mode"], rounding["decimals"])
    amount = sum(each["amount"] for each in others)
    whole = rounded(Fraction(amount, NANO), item["mode"], item["decimals"])
    return int(whole * NANO) - amount


def lines_of(tariff: Tariff) -> list[tuple[str, int, str | None, str, Any]]:
    """(kind, service, printed rate, times, item) of what section 7 prices; any text is the total's."""
    lines: list[tuple[str, int, str | None, str, Any]] = []
    for fee in tariff.get("fees", []):
        lines.append(("fee", SERVICES[fee["service"]], fee["name"], fee["times"], fee))
    for discount in tariff.get("discounts", []):
        lines.append(("discount", 34, discount["name"], discount["times"], discount))
    if "commitment" in tariff:
        lines.append(("commitment", 33, tariff["commitment"]["name"], "once", tariff["commitment"]))
    for tax in tariff.get("taxes", []):
        lines.append(("tax", 35, tax["name"], "at most once", tax))
    if "total" in tariff:
        lines.append(("total", 37, None, "at most once", tariff["total"]))
    return lines


# 8. Checking a statement


@dataclass
class Verdict:
    status: str
    rate: str = ""
    billed: int | None = None
    due: int | None = None
    free: int = 0
    cause: str = ""


def check_statement(
    tariff: Tariff, records: list[Record], balances: dict[str, int] | None = None
) -> tuple[list[Verdict], list[tuple[str, int]], dict[str, int]]:
    """A verdict for each record, the lines that are missing (name, due), and what is left of allowances."""
    rated, left = rate_statement(tariff, records, balances)
    verdicts = [_check_usage(tariff, *each) for each in zip(records, rated, strict=True)]
    missing = []
    amendment = bool(records) and all(int(record["corrects"], 16) for record in records)
    for kind, service, name, times, item in lines_of(tariff):
        found = [
            i
            for i, record in enumerate(records)
            if record["service"] == service
            and (name is None or record["rate"] == name)
            and int(record["corrects"], 16) == 0
        ]
        found.sort(key=lambda i: records[i]["index"])
        for place, i in enumerate(found):
            repeated = place > 0 and times != "any"
            due = 0 if repeated else due_of_line(tariff, records, records[i], kind, item)
            right = records[i]["amount"] == due
            cause = "" if right else "repeated" if repeated else kind
            verdicts[i] = Verdict(
                "right" if right else "wrong", name or records[i]["rate"], None, due, 0, cause
            )
        if not found and times == "once" and not amendment:
            due = due_of_line(tariff, records, None, kind, item)
            missing += [(str(name), due)] if due else []
    return verdicts, missing, left


def _check_usage(tariff: Tariff, record: Record, rated: Rated) -> Verdict:
    if rated.status == "no rate":
        return Verdict("no rate", due=0, cause="no-rate" if record["amount"] else "")
    if rated.rate is None:
        return Verdict(rated.status)
    verdict = Verdict("right", rated.rate["name"], rated.billed, rated.due, rated.free.usage)
    if billed_of(record) != rated.billed or record["amount"] != rated.due:
        verdict.status, verdict.cause = "wrong", _cause(tariff, record, rated)
    return verdict


def _cause(tariff: Tariff, record: Record, rated: Rated) -> str:
    assert rated.rate is not None
    charged, rate, parts, free = record["amount"], rated.rate, rated.parts, rated.free

    if billed_of(record) != rated.billed:
        as_billed = parts_of(billed_of(record), intervals_of(rate), to_increments=False)
        if charged in (rated.due, charge(tariff, rate, as_billed, free, price=rated.price)):
            return "billed-usage"
    if free.usage and charged == charge(tariff, rate, parts, Free(), price=rated.price):
        return "allowance"

    def explains(other: Rate) -> bool:
        if other is rate:
            return False
        its_parts = parts_of(usage_of(record), intervals_of(other))
        return charged in (charge(tariff, other, its_parts, free), charge(tariff, other, its_parts, Free()))

    zones = {"home", "elsewhere", *tariff.get("zones", {})} - {rated.zone}
    destinations = {"elsewhere", *tariff.get("destinations", {})} - {rated.destination}
    if any(explains(r) for zone in zones for r in rates_at(tariff, record, zone, rated.destination)):
        return "zone"
    at_other_times = rates_at(tariff, record, rated.zone, rated.destination, any_band=True)
    if any(explains(other) for other in at_other_times):
        return "band"
    if any(explains(r) for other in destinations for r in rates_at(tariff, record, rated.zone, other)):
        return "destination"
    for price in [rate.get("price"), *(tier["price"] for tier in rate.get("tiers", []))]:
        if "tiers" in rate and charged == charge(tariff, rate, parts, free, price=price):
            return "tier"
    if rate.get("rounding", tariff["rounding"])["at"] != "invoice":
        for mode in MODES:
            if charged == charge(tariff, rate, parts, free, price=rated.price, mode=mode):
                return "rounding"
    due = connections_due(rated.billed, free)
    for connections in {due - 1, due + 1} - {-1}:
        if charged == charge(tariff, rate, parts, free, price=rated.price, connections=connections):
            return "connection"
    return "price"
