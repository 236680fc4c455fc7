"""Bundle → the cells of an itemised invoice: what is written where, in which words; draws nothing.

The verifier lays out the same bundle again and compares what the page says, so nothing here may depend on a
font: a text that is too wide is cut by its number of characters, or drawn smaller.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton, format_time
from babel.numbers import format_currency, format_decimal, get_currency_precision

from billproof.bundle import documents as doc
from billproof.bundle.words import Words, words
from billproof.errors import InputError
from billproof.printable import printable
from billproof.records import NANO, Service

#: The version of the layout, written into each file; to be raised when a page comes to read differently.
VERSION = 1

#: A4 in points.
WIDTH, HEIGHT = 595, 842
LEFT, RIGHT, BOTTOM = 42, 553, 56

_LEADING = 12.5
_VOICE = (Service.VOICE_ORIGINATED, Service.VOICE_TERMINATED, Service.VOICE_FORWARDED)
_LAST_SECOND = 253_402_214_400  # a day before the end of the year 9999
_EPOCH = datetime.fromtimestamp(0, UTC)

#: Columns of the lines: name, left edge, right edge, right-aligned.
_COLUMNS = (
    ("line", 42, 62, True),
    ("date", 66, 120, False),
    ("time", 122, 168, False),
    ("service", 171, 243, False),
    ("number", 246, 324, False),
    ("used", 325, 369, True),
    ("charged", 371, 417, True),
    ("rate", 423, 510, False),
    ("amount", 511, 553, True),
)
_MOST = {"number": 22, "rate": 24, "service": 28}


@dataclass(frozen=True)
class Look:
    """How an operator prints its invoices; written into each file, so that a verifier can print it again."""

    locale: str = "en"
    operator: str = ""
    link: str = ""

    def parsed(self) -> Locale:
        """Babel's locale; :class:`InputError` where it knows none of this name."""
        plain = re.fullmatch("[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8}){0,3}", self.locale)
        try:
            return Locale.parse(self.locale.replace("-", "_") if plain else "")
        except (UnknownLocaleError, ValueError, TypeError) as error:
            raise InputError(
                f"no locale {printable(repr(self.locale), 60)}",
                field="locale",
                advice="Give a language and a country, for example de_DE.",
            ) from error


@dataclass(frozen=True)
class Cell:
    """One text on a page, from ``left`` to ``right`` at height ``y``; ``of``: what it shows of which line."""

    text: str
    left: float
    right: float
    y: float
    size: float = 7
    bold: bool = False
    to_right: bool = False
    of: tuple[int, str] | None = None


@dataclass
class Page:
    """Cells, horizontal rules (y, left, right) and shaded rows (y, height), in points from below."""

    cells: list[Cell] = field(default_factory=list)
    rules: list[tuple[float, float, float]] = field(default_factory=list)
    shades: list[tuple[float, float]] = field(default_factory=list)


class Layout:
    """Lays out one bundle: :attr:`pages`. The first has room for a code at ``code``, (left, y, side)."""

    code = (453.0, 696.0, 100.0)

    def __init__(self, bundle: doc.Bundle, look: Look) -> None:
        self._bundle = bundle
        self._locale = look.parsed()
        self._words = words(self._locale.language)
        self._currency = bundle.statement.currency
        self.pages = [Page()]
        self._y = 0.0
        self._head(look)
        self._summary()
        self._lines()
        self._feet()

    def texts(self) -> Iterator[Cell]:
        """All cells in the order of their drawing."""
        for page in self.pages:
            yield from page.cells

    def _put(self, text: str, left: float, right: float, **how: object) -> None:
        if not text.isascii():  # PDF fonts address no more than the basic plane
            text = "".join(c if ord(c) < 0x10000 else "\ufffd" for c in text)
        if text:
            self.pages[-1].cells.append(Cell(text, left, right, **{"y": self._y, **how}))  # type: ignore[arg-type]

    def _head(self, look: Look) -> None:
        bundle, say = self._bundle, self._words
        batch, has_code = bundle.batch, bool(look.link)
        operator = printable(look.operator, 60) or f"{batch.chainId}:{batch.operatorId}"
        edge = self.code[0] - 12 if has_code else RIGHT
        self._y = 782
        self._put(operator, LEFT, edge, size=17, bold=True)
        self._y = 752
        self._put(say.invoice, LEFT, edge, size=12)
        month = date(int(batch.period[:4]), int(batch.period[4:]), 1)
        facts = (
            (say.account, _cut(printable(bundle.account.accountId, 256), 48)),
            (say.period, format_skeleton("yMMMM", month, locale=self._locale)),
            (say.batch, f"{batch.operatorId} / {batch.period} / {batch.region}-{batch.sequence}"),
        )
        self._y = 726
        for name, value in facts:
            self._put(name, LEFT, 150, size=8.5)
            self._put(value, 154, edge, size=8.5, bold=True, of=(-1, name) if name == say.period else None)
            self._y -= 14
        self._put(say.check, LEFT, edge, size=7)
        self._y -= 34

    def _summary(self) -> None:
        """One row for each kind of service, then net, taxes and the total."""
        say, records = self._words, self._bundle.records
        found: dict[int, tuple[int, int, int]] = {}
        for record in records:
            service = int(record.service)
            count, charged, amount = found.get(service, (0, 0, 0))
            found[service] = count + 1, charged + int(record.billedUsage), amount + int(record.amount)
        self._row((say.summary, say.count, say.charged, say.amount), bold=True)
        self._rule()
        for service in sorted(found):
            self._room()
            count, charged, amount = found[service]
            cells = (
                say.of(service),
                self._number(count),
                self._quantity(service, charged),
                self._money(amount),
            )
            self._row(cells)
        taxes = found.get(Service.TAX, (0, 0, 0))[2]
        total = sum(amount for _, _, amount in found.values())
        self._rule()
        for name, amount in ((say.net, total - taxes), (say.taxes, taxes)):
            self._room()
            self._row((name, "", "", self._money(amount)))
        self._room()
        self._rule()
        stated = int(self._bundle.statement.total)
        self._row((say.total, "", "", self._price(stated)), bold=True, size=10)
        self._y -= 22

    def _row(self, cells: tuple[str, str, str, str], *, bold: bool = False, size: float = 8.5) -> None:
        edges = ((LEFT, 250, False), (252, 310, True), (314, 420, True), (424, RIGHT, True))
        for text, (left, right, to_right) in zip(cells, edges, strict=True):
            self._put(text, left, right, to_right=to_right, bold=bold, size=size)
        self._y -= 14

    def _rule(self) -> None:
        self.pages[-1].rules.append((self._y + 10.5, LEFT, RIGHT))
        self._y -= 2

    def _room(self) -> bool:
        """Starts a new page where this one is full."""
        if self._y >= BOTTOM + 4:
            return False
        self.pages.append(Page())
        self._y = HEIGHT - 56
        return True

    def _lines(self) -> None:
        say = self._words
        if self._y < BOTTOM + 60:
            self._y = 0
            self._room()
        self._put(say.lines, LEFT, RIGHT, size=10, bold=True)
        self._y -= 18
        self._line_head()
        for at, record in enumerate(self._bundle.records):
            if self._room():
                self._line_head()
            if at % 2:
                self.pages[-1].shades.append((self._y - 3.4, _LEADING))
            values = self._values(record)
            for (name, left, right, to_right), text in zip(_COLUMNS, values, strict=True):
                self._put(text, left, right, to_right=to_right, of=(at, name))
            self._y -= _LEADING

    def _line_head(self) -> None:
        for name, left, right, to_right in _COLUMNS[1:]:
            text = getattr(self._words, name)
            if name == "amount":
                text = self._currency
            self._put(text, left, right, to_right=to_right, bold=True)
        self.pages[-1].rules.append((self._y - 3.6, LEFT, RIGHT))
        self._y -= _LEADING + 2

    def _values(self, record: doc.Record) -> tuple[str, ...]:
        service = int(record.service)
        day, clock = self._when(int(record.startedAt), int(record.utcOffset))
        used = self._quantity(service, int(record.usage))
        charged = self._quantity(service, int(record.billedUsage))
        return (
            str(int(record.index) + 1),
            day,
            clock,
            _cut(self._words.of(service), _MOST["service"]),
            _cut(printable(record.number, 128), _MOST["number"]),
            used,
            charged,
            _cut(printable(record.rate, 512), _MOST["rate"]),
            self._money(int(record.amount)),
        )

    def _when(self, started_at: int, utc_offset: int) -> tuple[str, str]:
        local = started_at + 60 * utc_offset
        if not 0 <= local <= _LAST_SECOND:
            return str(started_at), ""
        days, seconds = divmod(local, 86_400)
        return _day(days, self._locale), _clock(seconds, self._locale)

    def _quantity(self, service: int, amount: int) -> str:
        if service in _VOICE:
            return f"{amount // 60}:{amount % 60:02d} {self._words.minutes}"
        if service == Service.DATA:
            return f"{self._number(Decimal(amount) / 1_000_000, '#,##0.000')} MB"
        return self._number(amount) if amount else ""

    def _number(self, value: int | Decimal, pattern: str = "#,##0") -> str:
        return _decimal(value, pattern, self._locale)

    def _money(self, billionths: int) -> str:
        """The exact amount without its currency, with the currency's decimals at least."""
        least = min(get_currency_precision(self._currency), 9)
        digits = "0" * least + "#" * (9 - least)
        return self._number(Decimal(billionths) / NANO, f"#,##0.{digits}")

    def _price(self, billionths: int) -> str:
        amount = Decimal(billionths) / NANO
        return format_currency(amount, self._currency, locale=self._locale, decimal_quantization=False)

    def _feet(self) -> None:
        account = _cut(printable(self._bundle.account.accountId, 256), 48)
        for at, page in enumerate(self.pages, start=1):
            text = self._words.page.format(page=at, pages=len(self.pages))
            page.cells.append(Cell(account, LEFT, 300, 30))
            page.cells.append(Cell(text, 304, RIGHT, 30, to_right=True))


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


@lru_cache(maxsize=4096)
def _day(days: int, locale: Locale) -> str:
    return format_date((_EPOCH + timedelta(days=days)).date(), "medium", locale=locale)


@lru_cache(maxsize=1 << 16)
def _clock(seconds: int, locale: Locale) -> str:
    hours, rest = divmod(seconds, 3600)
    return format_time(time(hours, rest // 60, rest % 60), "medium", locale=locale)


@lru_cache(maxsize=1 << 16)
def _decimal(value: int | Decimal, pattern: str, locale: Locale) -> str:
    return format_decimal(value, pattern, locale=locale)


__all__ = ["Cell", "Layout", "Look", "Page", "Words"]
