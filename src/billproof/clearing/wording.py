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
FINDINGS = {
    (Kind.TIME_ZONE, None): "start a whole quarter of an hour or more apart",
    (Kind.NUMBER, None): "have another number",
    (Kind.UNIT, None): "are counted in another unit",
    (Kind.DURATION, None): "differ in usage",
    (Kind.ROUNDING, None): "differ in billed usage",
    (Kind.CURRENCY, None): "differ as currencies do",
    (Kind.RATE, None): "differ in price",
    (Kind.MISSING, 0): "are missing in their book",
    (Kind.MISSING, 1): "are missing in our book",
    (Kind.DUPLICATE, 0): "are in our book twice",
    (Kind.DUPLICATE, 1): "are in their book twice",
    (Kind.CYCLE_SHIFT, 0): "are not in their book of this period, but at its edge",
    (Kind.CYCLE_SHIFT, 1): "are not in our book of this period, but at its edge",
}


def services(cause: Cause) -> list[str]:
    """The services of a cause, as the records' format calls them."""
    return [_SERVICES.get(service, f"service {service}") for service in cause.services]


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


def sentence(clearing: Clearing, cause: Cause) -> str:
    """What a cause is, and where."""
    dimension, value = place(clearing, cause)
    where = {"all": "", "period's end": ""}.get(dimension, f", {dimension} {value}")
    return f"{_what(cause)} ({', '.join(services(cause))}{where})"


def _what(cause: Cause) -> str:
    what = cause.what
    if cause.kind is Kind.TIME_ZONE:
        minutes = what["minutes"]
        return f"their clock is {abs(minutes)} minutes {'ahead' if minutes > 0 else 'behind'}"
    if cause.kind is Kind.UNIT:
        return f"{what['largerUnit']} count usage in a unit {what['ratio']:,} times as large"
    if cause.kind is Kind.DURATION:
        longer = what["theirsLonger"]
        return f"their usage is {abs(longer):,} {'more' if longer > 0 else 'less'} in every record"
    if cause.kind is Kind.ROUNDING:
        ours, theirs = (_rule(what[side], what["unit"]) for side in ("ours", "theirs"))
        return f"billed usage: ours {ours}, theirs {theirs}"
    if cause.kind is Kind.CURRENCY:
        return f"their amounts are ours times {what['factor']}, a ratio of exchange rates"
    if cause.kind is Kind.RATE:
        return f"their price is {what['ratio']} times ours"
    return f"records {FINDINGS[cause.kind, cause.side]}"


def _rule(rule: tuple[int, int], unit: str) -> str:
    first, step = rule
    words = f"in steps of {step:,} {unit}"
    return f"at least {first:,} {unit}, then {words}" if first else words
