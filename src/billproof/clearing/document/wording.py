"""Causes and findings of a clearing in words, for people who settle the bill."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from billproof.clearing.pairs.differences import Kind
from billproof.records import Service

if TYPE_CHECKING:
    from billproof.clearing.agreement.agreement import Agreement
    from billproof.clearing.books.book import Codes
    from billproof.clearing.causes.causes import Cause

_SERVICES = {service.value: service.name.lower().replace("_", "-") for service in Service}

#: What a kind is called where nothing more is known of it, by side of the book that has the records.
_FINDINGS = {
    (Kind.TIME_ZONE, None): "start a whole quarter of an hour or more apart",
    (Kind.NUMBER, None): "have another number",
    (Kind.UNIT, None): "are counted in another unit",
    (Kind.DURATION, None): "differ in usage",
    (Kind.ROUNDING, None): "differ in billed usage",
    (Kind.CURRENCY, None): "differ as currencies do",
    (Kind.RATE, None): "differ in price",
    (Kind.MISSING, 0): "are missing in {theirs}'s book",
    (Kind.MISSING, 1): "are missing in {ours}'s book",
    (Kind.DUPLICATE, 0): "are in {ours}'s book twice",
    (Kind.DUPLICATE, 1): "are in {theirs}'s book twice",
    (Kind.CYCLE_SHIFT, 0): "are not in {theirs}'s book of this period, but at its edge",
    (Kind.CYCLE_SHIFT, 1): "are not in {ours}'s book of this period, but at its edge",
}

#: What the two operators are called: ours, theirs.
Names = tuple[str, str]


def finding(kind: Kind, side: int | None, names: Names) -> str:
    """What records of a kind are that no cause explains."""
    ours, theirs = names
    return "records that " + _FINDINGS[kind, side].format(ours=ours, theirs=theirs)


def services(cause: Cause) -> list[str]:
    """The services of a cause, as the records' format calls them."""
    return [service(code) for code in cause.services]


def service(code: int) -> str:
    """A service, as the records' format calls it."""
    return _SERVICES.get(code, f"service {code}")


def place(cause: Cause, codes: Codes, agreement: Agreement) -> tuple[str, str]:
    """The dimension of a cause and its value there, both in words; the value of all is empty."""
    code, value = cause.code, ""
    if cause.dimension.endswith("batch"):
        value = codes.batches.texts[code]
    elif cause.dimension == "route":
        value = agreement.route_names[code]
    elif cause.dimension == "network":
        value = codes.networks.texts[code] or "none"
    elif cause.dimension == "day":
        value = str(np.datetime64(code, "D"))
    return cause.dimension, value


def days(cause: Cause) -> tuple[str | None, str | None]:
    """The day that a cause began on and the one that it ended on; none where it was always so, or lasts."""
    first, last = (None if day is None else str(np.datetime64(day, "D")) for day in (cause.first, cause.last))
    return first, last


def sentence(cause: Cause, names: Names, codes: Codes, agreement: Agreement) -> str:
    """What a cause is, and where."""
    dimension, value = place(cause, codes, agreement)
    where = {"all": "", "period's end": ""}.get(dimension, f", {dimension} {value}")
    for own, name in zip(("our batch", "their batch"), names, strict=True):
        where = where.replace(f", {own} ", f", {name}'s batch ")
    return f"{_what(cause, names)} ({', '.join(services(cause))}{where}{span(*days(cause))})"


def span(first: str | None, last: str | None) -> str:
    """When a cause holds, as it follows upon where; nothing where it always does."""
    if first is None:
        return ""
    if first == last:
        return f", on {first}"
    return f", from {first} " + (f"to {last}" if last else "on")


def _what(cause: Cause, names: Names) -> str:
    what = cause.what
    ours, theirs = names
    if cause.kind is Kind.TIME_ZONE:
        minutes = what["minutes"]
        return f"{theirs}'s clock is {abs(minutes)} minutes {'ahead' if minutes > 0 else 'behind'}"
    if cause.kind is Kind.UNIT:
        name = ours if what["largerUnit"] == "ours" else theirs
        return f"{name} counts usage in a unit {what['ratio']:,} times as large"
    if cause.kind is Kind.DURATION:
        longer = what["theirsLonger"]
        return f"{theirs}'s usage is {abs(longer):,} {'more' if longer > 0 else 'less'} in every record"
    if cause.kind is Kind.ROUNDING:
        mine, other = (_rule(what[side], what["unit"]) for side in ("ours", "theirs"))
        return f"billed usage: {ours}'s {mine}, {theirs}'s {other}"
    if cause.kind is Kind.CURRENCY:
        return f"{theirs}'s amounts are {ours}'s times {what['factor']}, a ratio of exchange rates"
    if cause.kind is Kind.RATE:
        told = f"{theirs}'s price is {what['ratio']} times {ours}'s"
        if "unit" not in what:
            return told
        return f"{told}: {what['theirs']} a {what['unit']}, {ours}'s {what['ours']}"
    return finding(cause.kind, cause.side, names)


def _rule(rule: tuple[int, int], unit: str) -> str:
    first, step = rule
    words = f"in steps of {_counted(step, unit)}"
    return f"at least {_counted(first, unit)}, then {words}" if first else words


def _counted(count: int, unit: str) -> str:
    return f"{count:,} {unit if count != 1 else unit.removesuffix('s')}"
