"""Causes and findings of a clearing in words, for people who settle the bill."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from billproof.clearing.differences import Kind
from billproof.records import Service

if TYPE_CHECKING:
    from billproof.clearing.causes import Cause
    from billproof.clearing.clearing import Clearing

_SERVICES = {service.value: service.name.lower().replace("_", "-") for service in Service}
_DAY = 86_400

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


def place(clearing: Clearing, cause: Cause) -> tuple[str, str]:
    """The dimension of a cause and its value there, both in words; the value of all is empty."""
    codes, code = clearing.codes, cause.code
    value = ""
    if cause.dimension.endswith("batch"):
        value = codes.batches.texts[code]
    elif cause.dimension == "route":
        value = clearing.agreement.route_names[code]
    elif cause.dimension == "network":
        value = codes.networks.texts[code] or "none"
    elif cause.dimension == "day":
        rows = cause.rows if cause.side is not None else clearing.pairs.ours[cause.rows]
        start = int(clearing.books[cause.side or 0].started_at[rows[0]])
        value = datetime.fromtimestamp(start - start % _DAY, UTC).strftime("%Y-%m-%d")
    return cause.dimension, value


def sentence(clearing: Clearing, cause: Cause, names: Names) -> str:
    """What a cause is, and where."""
    dimension, value = place(clearing, cause)
    where = {"all": "", "period's end": ""}.get(dimension, f", {dimension} {value}")
    for own, name in zip(("our batch", "their batch"), names, strict=True):
        where = where.replace(f", {own} ", f", {name}'s batch ")
    return f"{_what(cause, names)} ({', '.join(services(cause))}{where})"


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
        return f"{theirs}'s price is {what['ratio']} times {ours}'s"
    return finding(cause.kind, cause.side, names)


def _rule(rule: tuple[int, int], unit: str) -> str:
    first, step = rule
    words = f"in steps of {_counted(step, unit)}"
    return f"at least {_counted(first, unit)}, then {words}" if first else words


def _counted(count: int, unit: str) -> str:
    return f"{count:,} {unit if count != 1 else unit.removesuffix('s')}"
