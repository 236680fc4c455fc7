"""A tariff in words, and the price of one record step by step, for people who want to follow it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

import numpy as np
import pyarrow as pa

from billproof.records import NANO, Service, money
from billproof.tariff import model, values, words
from billproof.tariff.formula import divide
from billproof.tariff.rating import Rater
from billproof.tariff.result import NO_RATE, OUTSIDE
from billproof.tariff.values import PRICE_DECIMALS, decimal_of, quantity_words

#: A title and what it says.
Fact = tuple[str, str]

_PRICE = 10**PRICE_DECIMALS
_SHOWN = 8


@dataclass(frozen=True)
class Usage:
    """One record, as far as rating reads it. ``at``: local time."""

    service: Service
    usage: int
    at: datetime
    number: str = ""
    network: str = ""


def describe(tariff: model.Tariff) -> list[Fact]:
    """The whole tariff."""
    currency = tariff.exchange_currency or tariff.currency
    facts = [
        ("tariff", f"{tariff.words}, hash 0x{tariff.hash.hex()}"),
        ("valid", f"from {_day(tariff.valid_from)}{_until(tariff.valid_until)}, local time"),
        ("currency", _currency(tariff)),
        ("home", ", ".join(sorted(tariff.home)) or "records without a network"),
    ]
    facts += [(f"zone {name}", _some(sorted(networks))) for name, networks in tariff.zones.items()]
    facts += [(f"numbers {name}", _some(prefixes)) for name, prefixes in tariff.destinations.items()]
    for rate in tariff.rates:
        facts.append((f"rate {rate.name}", f"{_applies(tariff, rate.applies)}: {_price(rate, currency)}"))
    for given in tariff.allowances:
        rest = f", {given.cycles}× up to {quantity_words(given.kind, given.at_most)} carried over"
        facts.append(
            (
                f"free {given.name}",
                f"{quantity_words(given.kind, given.amount)} a cycle of {_applies(tariff, given.applies)}"
                f"{rest if given.cycles else ''}",
            )
        )
    facts += list(_lines(tariff))
    return facts


def _lines(tariff: model.Tariff) -> Iterator[Fact]:
    """What section 7 prices."""
    for fee in tariff.fees:
        often = "in every statement" if fee.once else "wherever it stands"
        yield f"fee {fee.name}", f"{money(fee.amount)} {tariff.currency}, {often}"
    if tariff.commitment:
        least = tariff.commitment
        yield (
            f"commitment {least.name}",
            f"at least {money(least.amount)} {tariff.currency} for {_services(least.services)}",
        )
    for discount in tariff.discounts:
        of = _some(sorted(discount.rates)) if discount.rates else _services(discount.services)
        above = f", where they are above {money(discount.above)}" if discount.above else ""
        yield f"discount {discount.name}", f"{_percent(discount.percent)} of {of}{above}"
    for tax in tariff.taxes:
        yield f"tax {tax.name}", f"{_percent(tax.percent)} of {_services(tax.services)}"
    if tariff.total:
        yield "total", f"rounded {tariff.total.mode} to {tariff.total.decimals} decimals"


def steps(tariff: model.Tariff, record: Usage) -> list[Fact]:
    """How one record's price comes about, without what allowances and tiers of a whole statement do to it."""
    rater = Rater(tariff)
    alone = Rater(replace(tariff, allowances=()))
    rated = alone.rate(_table(record))
    place = int(rated.rate[0])
    _, zone, destination, _ = np.unravel_index(int(rated.cell[0]), alone.grid.rates.shape)
    facts = [
        ("record", f"{_record(record)}"),
        ("network", _network(record.network, rater.grid.zones[zone])),
        ("number", _number(tariff, record.number, rater.grid.destinations[destination])),
    ]
    if place == OUTSIDE:
        return [*facts, ("charge", "none: the tariff is not valid on that day")]
    if place == NO_RATE:
        return [*facts, ("charge", "none: the tariff has no rate for it")]
    rate = tariff.rates[place]
    if rate.applies.calendar:
        band = _band(tariff.calendars[rate.applies.calendar], record.at)
        facts.append(("time", f"{record.at:%A %H:%M} is {band} ({rate.applies.calendar})"))
    facts.append(("rate", rate.name))
    usage = int(rater.counted_usage(np.array([record.service]), np.array([record.usage]))[0])
    return facts + _arithmetic(tariff, rate, usage, int(rated.charge[0]), rater)


def _arithmetic(tariff: model.Tariff, rate: model.Rate, usage: int, charge: int, rater: Rater) -> list[Fact]:
    formula = rater.formulas.exact[rater.forms[tariff.rates.index(rate)]]
    parts = formula.parts(usage)
    currency = tariff.exchange_currency or tariff.currency
    facts = [("billed", f"{quantity_words(rate.kind, usage)} → {quantity_words(rate.kind, sum(parts))}")]
    if not sum(parts):
        return [*facts, ("charge", f"{money(0)} {tariff.currency}: nothing was used")]
    facts += (
        _by_increment(tariff, rate, parts)
        if rate.rounding.at == "increment"
        else _by_call(tariff, rate, parts)
    )
    if rate.minimum is not None and charge == rate.minimum:
        facts.append(("minimum", f"{money(rate.minimum)} {tariff.currency}"))
    if rate.maximum is not None and charge == rate.maximum:
        facts.append(("maximum", f"{money(rate.maximum)} {tariff.currency}"))
    for tier in rate.tiers:
        each = words.price_words(tier.price, rate.intervals[0].unit, rate.kind, currency)
        facts.append(("later", f"{each}, once {quantity_words(rate.kind, tier.above)} were billed"))
    facts += [
        ("free", f"unless {given.name} is left ({quantity_words(given.kind, given.amount)} a cycle)")
        for at, given in enumerate(tariff.allowances)
        if rater.grid.allowed[at].any() and _takes(rater, at, rate)
    ]
    return [*facts, ("charge", f"{money(charge)} {tariff.currency}")]


def _by_call(tariff: model.Tariff, rate: model.Rate, parts: list[int]) -> list[Fact]:
    """The sum first, then its rounding."""
    currency = tariff.exchange_currency or tariff.currency
    facts = []
    total = Fraction(rate.connection, _PRICE)
    if rate.connection:
        facts.append(("connection", f"{_decimal(total)} {currency}"))
    for interval, part in zip(rate.intervals, parts, strict=True):
        if part:
            price = Fraction(interval.price * part, interval.unit * _PRICE)
            total += price
            each = words.price_words(interval.price, interval.unit, rate.kind, currency)
            said = f"{quantity_words(rate.kind, part)} at {each}: {_decimal(price)}"
            facts.append((_since(rate, interval), said))
    facts.append(("sum", f"{_decimal(total)} {currency}"))
    if tariff.exchange_currency:
        total *= Fraction(tariff.exchange, NANO)
        facts.append(
            ("exchange", f"× {decimal_of(tariff.exchange, 9)} = {_decimal(total)} {tariff.currency}")
        )
    return [*facts, ("rounding", _rounding(rate.rounding))]


def _by_increment(tariff: model.Tariff, rate: model.Rate, parts: list[int]) -> list[Fact]:
    """Each price rounded, then the sum."""
    exchange = Fraction(tariff.exchange, NANO)
    facts = []
    if rate.connection:
        facts.append(("connection", _rounded(Fraction(rate.connection, _PRICE) * exchange, tariff, rate)[1]))
    for interval, part in zip(rate.intervals, parts, strict=True):
        if part:
            count = part // interval.increment
            one = Fraction(interval.price * interval.increment, interval.unit * _PRICE) * exchange
            price, said = _rounded(one, tariff, rate)
            increments = f"{count:,} × {quantity_words(rate.kind, interval.increment)}"
            facts.append((_since(rate, interval), f"{increments} at {said}: {_decimal(count * price)}"))
    return facts


def _rounded(price: Fraction, tariff: model.Tariff, rate: model.Rate) -> tuple[Fraction, str]:
    scale = 10**rate.rounding.decimals
    rounded = Fraction(divide(price.numerator * scale, price.denominator, rate.rounding.mode), scale)
    mode = f"rounded {rate.rounding.mode} to {rate.rounding.decimals} decimals"
    return rounded, f"{_decimal(rounded)} {tariff.currency} ({_decimal(price)} {mode})"


def _since(rate: model.Rate, interval: model.Interval) -> str:
    return f"from {quantity_words(rate.kind, interval.start)}" if interval.start else "price"


def _takes(rater: Rater, allowance: int, rate: model.Rate) -> bool:
    """Whether the allowance has records of the rate."""
    place = rater.tariff.rates.index(rate)
    return bool((rater.grid.allowed[allowance] & (rater.grid.rates == place)).any())


def _table(record: Usage) -> pa.Table:
    local = record.at.replace(tzinfo=UTC)
    return pa.table(
        {
            "service": pa.array([int(record.service)], pa.uint8()),
            "started_at": pa.array([int(local.timestamp())], pa.int64()),
            "utc_offset": pa.array([0], pa.int16()),
            "usage": pa.array([record.usage], pa.int64()),
            "number": pa.array([record.number], pa.string()),
            "network": pa.array([record.network], pa.string()),
            "corrects": pa.array([bytes(32)], pa.binary(32)),
        }
    )


def _record(record: Usage) -> str:
    kind = values.KINDS[record.service]
    to = f" to {record.number}" if record.number else ""
    return (
        f"{values.word_of(record.service)}{to}, {quantity_words(kind, record.usage)},"
        f" {record.at:%Y-%m-%d %H:%M} local time"
    )


def _network(network: str, zone: str) -> str:
    return f"{network or 'none named'}: {words.zone_words(zone)}"


def _number(tariff: model.Tariff, number: str, destination: str) -> str:
    if destination == model.ELSEWHERE:
        return (
            f"{number or 'none named'}: no destination's"
            if tariff.destinations
            else "the tariff has no destinations"
        )
    begins = values.international(number).startswith
    fitting = (each for each in tariff.destinations[destination] if begins(values.international(each)))
    prefix = max(fitting, key=lambda each: len(values.international(each)))
    return f"{number}: {destination}, {prefix} is the longest prefix"


def _band(calendar: model.Calendar, at: datetime) -> str:
    day = (at.date() - datetime(1970, 1, 1).date()).days
    weekday = calendar.holiday_as if day in calendar.holidays else at.weekday()
    holiday = ", a holiday" if day in calendar.holidays else ""
    return calendar.bands[calendar.week[weekday][60 * at.hour + at.minute]] + holiday


def _price(rate: model.Rate, currency: str) -> str:
    parts = []
    if rate.connection:
        parts.append(f"{decimal_of(rate.connection, PRICE_DECIMALS, 2)} {currency} a connection")
    for interval in rate.intervals:
        since = f"from {quantity_words(rate.kind, interval.start)} on " if interval.start else ""
        each = words.price_words(interval.price, interval.unit, rate.kind, currency)
        parts.append(f"{since}{each} by {quantity_words(rate.kind, interval.increment)}")
    for tier in rate.tiers:
        each = words.price_words(tier.price, rate.intervals[0].unit, rate.kind, currency)
        parts.append(f"{each} above {quantity_words(rate.kind, tier.above)} a cycle")
    if rate.minimum is not None:
        parts.append(f"at least {money(rate.minimum)}")
    if rate.maximum is not None:
        parts.append(f"at most {money(rate.maximum)}")
    return ", ".join([*parts, _rounding(rate.rounding)])


def _applies(tariff: model.Tariff, applies: model.Applies) -> str:
    zones = " or ".join(words.zone_words(zone) for zone in sorted(applies.zones))
    to = _some(sorted(applies.destinations)) if applies.destinations else "all other numbers"
    to = f" to {to}" if tariff.destinations else ""
    bands = f", {' or '.join(sorted(applies.bands))} ({applies.calendar})" if applies.bands else ""
    return f"{_services(applies.services)}, {zones}{to}{bands}"


def _rounding(rounding: model.Rounding) -> str:
    where = {"increment": "each increment", "call": "the charge", "invoice": "only the bill"}[rounding.at]
    if rounding.at == "invoice":
        return f"{where} is rounded"
    return f"{where} is rounded {rounding.mode} to {rounding.decimals} decimals"


def _services(services: frozenset[Service]) -> str:
    return _some([values.word_of(service) for service in sorted(services)])


def _some(texts: list[str] | tuple[str, ...]) -> str:
    more = f" and {len(texts) - _SHOWN:,} more" if len(texts) > _SHOWN else ""
    return ", ".join(texts[:_SHOWN]) + more


def _currency(tariff: model.Tariff) -> str:
    if tariff.exchange_currency is None:
        return tariff.currency
    return f"{tariff.currency}; prices in {tariff.exchange_currency}, 1 is {decimal_of(tariff.exchange, 9)}"


def _percent(percent: int) -> str:
    return f"{decimal_of(percent, 9)} %"


def _day(day: int) -> str:
    return str((datetime(1970, 1, 1) + timedelta(days=day)).date())


def _until(day: int | None) -> str:
    return "" if day is None else f" to {_day(day - 1)}"


def _decimal(value: Fraction) -> str:
    """At most twelve decimals; … where there are more."""
    scaled = value * _PRICE
    text = decimal_of(int(scaled), PRICE_DECIMALS, 2)
    return text if scaled.denominator == 1 else text + "…"
