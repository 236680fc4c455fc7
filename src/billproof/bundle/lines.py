"""Lines of a bill in words, for people who compare them with a phone's call log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from billproof.bundle import documents as doc
from billproof.printable import printable
from billproof.records import NANO, Service

_WORDS = {
    Service.VOICE_ORIGINATED: "call to",
    Service.VOICE_TERMINATED: "call from",
    Service.VOICE_FORWARDED: "call forwarded to",
    Service.MESSAGE_SENT: "message to",
    Service.MESSAGE_RECEIVED: "message from",
    Service.DATA: "data",
    Service.MMS: "MMS to",
    Service.CONTENT: "content",
    Service.RECURRING: "monthly fee",
    Service.ONE_OFF: "fee",
    Service.DISCOUNT: "discount",
    Service.TAX: "tax",
    Service.CREDIT: "credit",
    Service.ROUNDING: "rounding",
}
_VOICE = (Service.VOICE_ORIGINATED, Service.VOICE_TERMINATED, Service.VOICE_FORWARDED)
_LAST_SECOND = 253_402_300_799  # of the year 9999


@dataclass(frozen=True)
class Line:
    """One line in words. ``number`` counts from 1, as on paper; ``when`` is local time where charged."""

    number: int
    when: str
    what: str
    party: str
    used: str
    billed: str
    amount: str
    rate: str

    @property
    def thing(self) -> str:
        """What it is and with whom, also where the bill does not show the number."""
        withheld = "a withheld number" if self.what.endswith((" to", " from")) else ""
        return f"{self.what} {self.party or withheld}".strip()

    def __str__(self) -> str:
        parts = (self.when, self.thing, self.billed, self.amount)
        return ", ".join(part for part in parts if part)


def line_of(record: doc.Record | doc.ReceiptRecord, currency: str) -> Line:
    """A record in words; texts from the file are made safe to print."""
    service = int(record.service)
    known = service in set(Service)
    return Line(
        number=int(record.index) + 1,
        when=_when(int(record.startedAt), int(record.utcOffset)),
        what=_WORDS[Service(service)] if known else f"service {service}",
        party=printable(record.number or "", 128),
        used=_quantity(service, int(record.usage)),
        billed=_quantity(service, int(record.billedUsage)),
        amount=amount(int(record.amount), currency),
        rate=printable(record.rate, 512),
    )


def _when(started_at: int, utc_offset: int) -> str:
    local = started_at + 60 * utc_offset
    if not 0 <= local <= _LAST_SECOND:
        return f"{started_at} s after 1970"
    return (datetime.fromtimestamp(0, UTC) + timedelta(seconds=local)).strftime("%Y-%m-%d %H:%M:%S")


def _quantity(service: int, used: int) -> str:
    if service in _VOICE:
        return duration(used)
    if service == Service.DATA:
        return f"{used / 1e6:,.3f} MB"
    return f"{used}×" if used else ""


def duration(seconds: int) -> str:
    """Minutes and seconds; from an hour on with what each number counts, or 197:35 would read as hours."""
    if seconds < 3600:
        return f"{seconds // 60}:{seconds % 60:02d} min"
    hours, rest = divmod(seconds, 3600)
    parts = ((hours, "h"), (rest // 60, "min"), (rest % 60, "s"))
    return " ".join(f"{count:,} {unit}" for count, unit in parts if count)


def amount(billionths: int, currency: str) -> str:
    """Money, exact: with the currency's usual decimals, or as many more as it takes."""
    units, rest = divmod(abs(billionths), NANO)
    decimals = f"{rest:09d}".rstrip("0").ljust(_decimals(currency), "0")
    point = "." if decimals else ""
    return f"{'-' if billionths < 0 else ''}{units:,}{point}{decimals} {currency}"


@cache
def _decimals(currency: str) -> int:
    from babel.numbers import get_currency_precision

    return get_currency_precision(currency)


def has_tax(bundle: doc.Bundle) -> bool:
    """Whether tax is charged in lines of its own, and so is in the amount of no other line."""
    return any(int(record.service) == Service.TAX for record in bundle.records)
