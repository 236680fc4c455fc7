"""A rater as simple as it can be: `docs/tariff.md`, sections 2 to 6, word by word, record after record.

`naive_check.py` goes on with sections 7 and 8.

It knows nothing of the package. Tariffs are the plain dictionaries that a TOML or JSON parser gives, assumed
to be valid (section 9); records are dictionaries with the protocol's fields as whole numbers and texts. It is
the second opinion on the engine, so it looks everything up again for every record, and is slow.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

SERVICES = {
    "voice-originated": 1,
    "voice-terminated": 2,
    "voice-forwarded": 3,
    "message-sent": 4,
    "message-received": 5,
    "data": 6,
    "mms": 7,
    "content": 8,
    "recurring": 32,
    "one-off": 33,
    "discount": 34,
    "tax": 35,
    "credit": 36,
    "rounding": 37,
}
COUNTED_IN_MESSAGES = {4, 5, 7, 8}
UNITS = {
    "s": 1,
    "min": 60,
    "h": 3600,
    "message": 1,
    "messages": 1,
    "B": 1,
    "kB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
}
DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
NANO = 10**9
MODES = ["up", "down", "half-up", "half-even"]

Tariff = dict[str, Any]
Rate = dict[str, Any]
Record = dict[str, Any]


# 2. Numbers


def amount_of_usage(text: str) -> int:
    number, unit = text.split()
    return int(number) * UNITS[unit]


def rounded(value: Fraction, mode: str, decimals: int) -> Fraction:
    """To a multiple of 10^-decimals; of the absolute value, so that -0.5 goes where 0.5 goes."""
    scaled = abs(value) * 10**decimals
    whole, rest = divmod(scaled.numerator, scaled.denominator)
    half = Fraction(rest, scaled.denominator) - Fraction(1, 2)
    if mode == "up":
        more = rest > 0
    elif mode == "down":
        more = False
    elif mode == "half-up":
        more = half >= 0
    else:
        more = half > 0 or (half == 0 and whole % 2 == 1)
    result = Fraction(whole + more, 10**decimals)
    return -result if value < 0 else result


# 3. Which rate


def local_time(record: Record) -> dt.datetime:
    epoch = dt.datetime(1970, 1, 1)
    return epoch + dt.timedelta(seconds=record["startedAt"], minutes=record["utcOffset"])


def is_valid_on(tariff: Tariff, record: Record) -> bool:
    day = local_time(record).date().isoformat()
    valid = tariff["valid"]
    return valid["from"] <= day and ("until" not in valid or day < valid["until"])


def same_network(one: str, other: str) -> bool:
    return one.replace("-", "") == other.replace("-", "")


def zone_of(tariff: Tariff, record: Record) -> str:
    network = record["network"]
    if network == "" or any(same_network(network, home) for home in tariff.get("home", [])):
        return "home"
    tadig = tariff.get("tadig", {})
    for name, networks in tariff.get("zones", {}).items():
        if any(same_network(network, tadig.get(listed, listed)) for listed in networks):
            return name
    for name, networks in tariff.get("zones", {}).items():
        if network[:3] in networks:
            return name
    return "elsewhere"


def destination_of(tariff: Tariff, record: Record) -> str:
    best, best_length = "elsewhere", 0
    number = with_plus(record["number"])
    for name, prefixes in tariff.get("destinations", {}).items():
        for prefix in map(with_plus, prefixes):
            if number.startswith(prefix) and len(prefix) > best_length:
                best, best_length = name, len(prefix)
    return best


def with_plus(text: str) -> str:
    """Two zeros at the beginning are +."""
    return re.sub("^00", "+", text)


def days_of(text: str) -> set[str]:
    days = set()
    for part in text.split(","):
        first, _, last = part.strip().partition("-")
        day = DAYS.index(first)
        days.add(first)
        while DAYS[day] != (last or first):
            day = (day + 1) % 7
            days.add(DAYS[day])
    return days


def minutes_of(text: str) -> int:
    hours, minutes = text.split(":")
    return 60 * int(hours) + int(minutes)


def band_of(tariff: Tariff, calendar_name: str, record: Record) -> str:
    calendar = tariff["calendars"][calendar_name]
    now = local_time(record)
    day, minute = DAYS[now.weekday()], 60 * now.hour + now.minute
    holidays = calendar.get("holidays")
    if holidays and now.date().isoformat() in tariff["holidays"][holidays["list"]]:
        day = holidays["as"]
    for name, spans in calendar.items():
        if name == "holidays" or spans == "rest":
            continue
        for span in spans:
            begins, ends = minutes_of(span.get("from", "00:00")), minutes_of(span.get("until", "24:00"))
            if day in days_of(span.get("days", "mon-sun")) and begins <= minute < ends:
                return name
    return next(name for name, spans in calendar.items() if spans == "rest")


def names_service(item: dict[str, Any], record: Record) -> bool:
    return record["service"] in [SERVICES[name] for name in item["services"]]


def names_band(tariff: Tariff, item: dict[str, Any], record: Record) -> bool:
    return "calendar" not in item or band_of(tariff, item["calendar"], record) in item["bands"]


def takes_destination(tariff: Tariff, rate: Rate, record: Record, zone: str, destination: str) -> bool:
    if "destinations" in rate:
        return destination in rate["destinations"]
    return not any(
        destination in other.get("destinations", [])
        for other in tariff.get("rates", [])
        if names_service(other, record) and zone in other.get("zones", ["home"])
    )


def rates_at(
    tariff: Tariff, record: Record, zone: str, destination: str, any_band: bool = False
) -> list[Rate]:
    """The rates that apply to a record of that zone and destination: at most one, unless at any band."""
    return [
        rate
        for rate in tariff.get("rates", [])
        if names_service(rate, record)
        and zone in rate.get("zones", ["home"])
        and takes_destination(tariff, rate, record, zone, destination)
        and (any_band or names_band(tariff, rate, record))
    ]


# 4. The charge of one record


@dataclass(frozen=True)
class Interval:
    begins: int
    ends: int | None
    price: Fraction
    unit: int
    increment: int


def intervals_of(rate: Rate, price: str | None = None) -> list[Interval]:
    if "intervals" in rate:
        starts = [amount_of_usage(each["from"]) for each in rate["intervals"]]
        return [
            Interval(
                start,
                end,
                Fraction(each["price"]),
                amount_of_usage(each["unit"]),
                amount_of_usage(each.get("increment", each["unit"])),
            )
            for each, start, end in zip(rate["intervals"], starts, [*starts[1:], None], strict=True)
        ]
    money = Fraction(price if price is not None else rate["price"])
    unit = amount_of_usage(rate["unit"])
    increment = amount_of_usage(rate.get("increment", rate["unit"]))
    first = amount_of_usage(rate["first"]) if "first" in rate else increment
    if first == increment:
        return [Interval(0, None, money, unit, increment)]
    return [Interval(0, first, money, unit, first), Interval(first, None, money, unit, increment)]


def usage_of(record: Record) -> int:
    return 1 if record["usage"] == 0 and record["service"] in COUNTED_IN_MESSAGES else record["usage"]


def billed_of(record: Record) -> int:
    return usage_of(record) if record["usage"] == record["billedUsage"] == 0 else record["billedUsage"]


def parts_of(usage: int, intervals: list[Interval], to_increments: bool = True) -> list[int]:
    """What of the usage lies in each interval, in whole increments."""
    parts = []
    for each in intervals:
        end = usage if each.ends is None else min(usage, each.ends)
        part = max(end - each.begins, 0)
        parts.append(-(-part // each.increment) * each.increment if to_increments else part)
    return parts


@dataclass(frozen=True)
class Free:
    """Free usage of a record, and whether the connection fee falls away with it."""

    usage: int = 0
    connection: bool = False


def connections_due(billed: int, free: Free) -> int:
    return 0 if billed == 0 or (free.usage > 0 and free.connection) else 1


def charge(
    tariff: Tariff,
    rate: Rate,
    parts: list[int],
    free: Free,
    *,
    connections: int | None = None,
    mode: str | None = None,
    price: str | None = None,
) -> int:
    """Billionths. Without `connections`, the fee is charged as often as it is due: once or not at all."""
    rounding = rate.get("rounding", tariff["rounding"])
    mode = mode or rounding.get("mode", "")  # rounded to an invoice, calls have none
    billed = sum(parts)
    if connections is None:
        connections = connections_due(billed, free)
    exchange = Fraction(tariff["exchange"]["rate"]) if "exchange" in tariff else Fraction(1)
    fee = Fraction(rate.get("connection", "0")) * exchange
    if rounding["at"] == "increment":
        fee = rounded(fee, mode, rounding["decimals"])
    total = connections * fee
    for each, part in zip(intervals_of(rate, price), parts, strict=True):
        to_pay = part - min(max(free.usage - each.begins, 0), part)
        step = each.price * each.increment / each.unit * exchange
        if rounding["at"] == "increment":
            step = rounded(step, mode, rounding["decimals"])
        total += to_pay * step / each.increment
    total = (
        rounded(total, mode, rounding["decimals"])
        if rounding["at"] == "call"
        else rounded(total, "half-even", 9)
    )
    if "minimum" in rate and billed > free.usage:
        total = max(total, Fraction(rate["minimum"]))
    if "maximum" in rate:
        total = min(total, Fraction(rate["maximum"]))
    return int(total * NANO)


# 5 and 6. Tiers and allowances: what a record costs depends on those before it


@dataclass
class Rated:
    """What the tariff says of one usage record."""

    status: str  # "rated", "no rate", "outside validity", "not priced"
    zone: str = ""
    destination: str = ""
    rate: Rate | None = None
    billed: int = 0
    free: Free = field(default_factory=Free)
    price: str | None = None  # of the tier
    due: int = 0

    @property
    def parts(self) -> list[int]:
        assert self.rate is not None
        return parts_of(self.billed, intervals_of(self.rate))


def in_order(records: list[Record]) -> list[int]:
    return sorted(range(len(records)), key=lambda i: (records[i]["startedAt"], records[i]["index"]))


def rate_statement(
    tariff: Tariff, records: list[Record], balances: dict[str, int] | None = None
) -> tuple[list[Rated], dict[str, int]]:
    """Every record as the tariff has it, and what is left of each allowance."""
    result = [_find(tariff, record) for record in records]
    order = [i for i in in_order(records) if result[i].status == "rated"]

    before: dict[str, int] = {}
    for i in order:
        rated = result[i]
        assert rated.rate is not None
        name = rated.rate["name"]
        for tier in rated.rate.get("tiers", []):
            if amount_of_usage(tier["above"]) <= before.get(name, 0):
                rated.price = tier["price"]
        before[name] = before.get(name, 0) + rated.billed

    left = {}
    for allowance in tariff.get("allowances", []):
        rest = amount_of_usage(allowance["amount"]) + (balances or {}).get(allowance["name"], 0)
        for i in order:
            rated = result[i]
            if not _allows(tariff, allowance, records[i], rated):
                continue
            used = min(rest, rated.billed - rated.free.usage)
            rest -= used
            if used and rated.free.usage == 0:
                rated.free = Free(used, allowance.get("connection", True))
            else:
                rated.free = Free(rated.free.usage + used, rated.free.connection)
        left[allowance["name"]] = rest

    for i in order:
        rated = result[i]
        assert rated.rate is not None
        rated.due = charge(tariff, rated.rate, rated.parts, rated.free, price=rated.price)
    return result, left


def carried_over(allowance: dict[str, Any], carried: list[int], left: int) -> list[int]:
    """What goes into the next cycle, unit by unit: each is the number of cycles for which it was carried.

    `carried` is what came into this cycle, in the same form; `left` of that and of the amount is left.
    """
    rollover = allowance.get("rollover", {"cycles": 0, "at-most": "0 s"})
    units = sorted(carried, reverse=True) + [0] * amount_of_usage(allowance["amount"])
    units = units[len(units) - left :]  # the oldest were used first
    older = [age + 1 for age in units if age + 1 <= rollover["cycles"]]
    at_most = amount_of_usage(rollover["at-most"])
    return older[max(len(older) - at_most, 0) :]


def _find(tariff: Tariff, record: Record) -> Rated:
    if record["service"] >= 32 or int(record["corrects"], 16) != 0:
        return Rated("not priced")
    if not is_valid_on(tariff, record):
        return Rated("outside validity")
    zone, destination = zone_of(tariff, record), destination_of(tariff, record)
    rates = rates_at(tariff, record, zone, destination)
    if not rates:
        return Rated("no rate", zone, destination)
    (rate,) = rates
    billed = sum(parts_of(usage_of(record), intervals_of(rate)))
    return Rated("rated", zone, destination, rate, billed)


def _allows(tariff: Tariff, allowance: dict[str, Any], record: Record, rated: Rated) -> bool:
    return (
        names_service(allowance, record)
        and rated.zone in allowance.get("zones", ["home"])
        and ("destinations" not in allowance or rated.destination in allowance["destinations"])
        and names_band(tariff, allowance, record)
    )
