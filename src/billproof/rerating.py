"""The statements of a billing run beside their tariffs, before they are committed.

Every usage line is priced again, every fee and tax line computed again; what differs goes to a file, line by
line. Statements are checked part by part: memory follows a part and what differs in it.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow.csv import CSVWriter

from billproof.account_tariffs import UNNAMED, AccountTariffs
from billproof.carrying import Carrying
from billproof.errors import DifferenceError, InputError
from billproof.files import replacing
from billproof.records import Service, money
from billproof.statements import Statements
from billproof.tariff import Tariff, load_tariff
from billproof.tariff.balances import Balances
from billproof.tariff.check import Checker
from billproof.tariff.result import Difference, Status

if TYPE_CHECKING:
    from billproof.engine import Engine

_EPOCH = date(1970, 1, 1)

_SERVICES = {int(service): service.name.lower() for service in Service}

#: Accounts that an error names.
_NAMED = 5

#: What to do when lines differ: refuse the batch, or let it pass and say so; or compare nothing.
REFUSE, REPORT, UNCHECKED = "refuse", "report", "unchecked"
MODES = (REFUSE, REPORT, UNCHECKED)

#: What is written of each difference; amounts are in units of the currency.
DIFFERENCES = pa.schema(
    [
        pa.field(name, pa.string(), nullable=False)
        for name in (
            *("account", "record", "started_at", "service", "number", "rate", "currency"),
            *("charged", "due", "difference", "billed_usage", "due_billed_usage", "cause", "words"),
            *("tariff", "source", "line"),
        )
    ]
)


@dataclass(frozen=True)
class Pricing:
    """The accounts' tariffs, and what becomes of a batch whose lines differ from them.

    ``copy`` gets differing lines whatever becomes of the batch. ``balances`` is what accounts carried over,
    ``balances_out`` gets what they carry on.
    """

    tariffs: AccountTariffs = field(default_factory=AccountTariffs)
    mode: str = REFUSE
    copy: Path | None = None
    balances: Balances | None = None
    balances_out: Path | None = None

    @property
    def checked(self) -> bool:
        return bool(self.tariffs.files) and self.mode != UNCHECKED

    def document(self, found: Rerated | None) -> dict[str, Any]:
        """What ``batch.json`` says of the comparison with tariffs; nothing where there are none."""
        if not self.tariffs.files:
            return {}
        return {"tariffCheck": found.document(self.mode) if found else {"differences": UNCHECKED}}


@dataclass(frozen=True)
class Rerated:
    """What re-rating found. Money is billionths by currency; ``missing`` lines stand on no statement."""

    lines: Counter[Status] = field(default_factory=Counter)
    missing: int = 0
    causes: Counter[str] = field(default_factory=Counter)
    too_much: Counter[str] = field(default_factory=Counter)
    too_little: Counter[str] = field(default_factory=Counter)
    unnamed: tuple[str, ...] = ()
    foreign: tuple[str, ...] = ()
    """Accounts that no tariff is named for, and those billed in another currency than their tariff's."""

    @property
    def differing(self) -> int:
        """How many lines, there or missing, are not as the tariffs say."""
        return self.causes.total()

    def __add__(self, other: Rerated) -> Rerated:
        return Rerated(
            self.lines + other.lines,
            self.missing + other.missing,
            self.causes + other.causes,
            self.too_much + other.too_much,
            self.too_little + other.too_little,
            self.unnamed + other.unnamed,
            self.foreign + other.foreign,
        )

    @property
    def words(self) -> str:
        """Money first: ``EUR 12.34 too much, EUR 0.50 too little, on 17 lines``."""
        sums = [
            f"{currency} {money(amount)} {what}"
            for what, amounts in (("too much", self.too_much), ("too little", self.too_little))
            for currency, amount in sorted(amounts.items())
        ]
        count = f"{self.differing:,} line{'' if self.differing == 1 else 's'}"
        return f"{', '.join(sums) or 'no money, but billed usage'}, on {count}"

    def document(self, mode: str) -> dict[str, Any]:
        """What ``batch.json`` and ``--json`` say of it."""
        return {
            "differences": mode,
            "lines": {status.words: self.lines[status] for status in Status if self.lines[status]},
            "missing": self.missing,
            "causes": dict(sorted(self.causes.items(), key=lambda item: (-item[1], item[0]))),
            "tooMuch": {currency: str(amount) for currency, amount in sorted(self.too_much.items())},
            "tooLittle": {currency: str(amount) for currency, amount in sorted(self.too_little.items())},
        }


class Rerating:
    """Checks statements of any accounts against the accounts' tariffs; from several threads at once too."""

    def __init__(
        self, tariffs: AccountTariffs, balances: Balances | None = None, *, carry_on: bool = False
    ) -> None:
        self._tariffs = tariffs
        self._checkers = [Checker(load_tariff(file.content, name=str(file.path))) for file in tariffs.files]
        loaded = [checker.tariff for checker in self._checkers]
        self.carrying = Carrying(tariffs, loaded, balances or Balances())
        self._carry_on = carry_on

    def require_valid_in(self, period: int) -> None:
        """Raises :class:`DifferenceError` for a tariff that is valid on no day of a billing period."""
        year, month = divmod(period, 100)
        begin = (date(year, month, 1) - _EPOCH).days
        end = (date(year + month // 12, month % 12 + 1, 1) - _EPOCH).days
        for file, checker in zip(self._tariffs.files, self._checkers, strict=True):
            tariff = checker.tariff
            if tariff.valid_from < end and (tariff.valid_until is None or begin < tariff.valid_until):
                continue
            until = "" if tariff.valid_until is None else f" until {_day(tariff.valid_until)}"
            raise DifferenceError(
                f"{file.path}: {tariff.words} is valid from {_day(tariff.valid_from)}{until}:"
                f" on no day of {period}",
                advice="Name the version that was valid then; --tariff-differences report lets it pass.",
            )

    def __call__(self, statements: Statements) -> tuple[Rerated, pa.Table]:
        """What was found, and the differences as :data:`DIFFERENCES`."""
        codes = self._tariffs.codes(statements.accounts)
        unnamed = statements.accounts.filter(pa.array(codes == UNNAMED)).to_pylist()
        total, rows = Rerated(unnamed=tuple(unnamed)), []
        for code in np.unique(codes[codes != UNNAMED]).tolist():
            found, own = self._check(statements, np.flatnonzero(codes == code), self._checkers[code])
            total += found
            rows += own
        rows.sort(key=itemgetter(0))
        columns = zip(*(row for _, row in rows), strict=True) if rows else ([] for _ in DIFFERENCES)
        return total, pa.table([pa.array(column, pa.string()) for column in columns], schema=DIFFERENCES)

    def _check(
        self, statements: Statements, which: NDArray[np.int64], checker: Checker
    ) -> tuple[Rerated, list[tuple[int, tuple[str, ...]]]]:
        """Those statements that one tariff prices; differences with their statements."""
        tariff = checker.tariff
        currencies = statements.currencies.take(pa.array(which))
        others = pc.not_equal(currencies, tariff.currency).to_numpy(zero_copy_only=False)
        if others.any():
            return Rerated(foreign=tuple(statements.accounts.take(pa.array(which[others])).to_pylist())), []
        records, first = _records_of(statements, which)
        held = self.carrying.held(statements.accounts.take(pa.array(which)), tariff)
        checked = checker.check(records, first, balances=held.sums)
        if self._carry_on:
            self.carrying.carry_on(held, checked.rated.left)
        lines = Counter({status: int(count) for status, count in checked.counts.items() if count})
        causes: Counter[str] = Counter()
        sums: dict[bool, int] = {True: 0, False: 0}
        rows = []
        missing = 0
        for found in checked.differences:
            causes[found.cause] += 1
            missing += found.line is None
            sums[found.difference > 0] += abs(found.difference)
            statement = int(which[found.statement])
            rows.append((statement, _row(statements, statement, found, tariff)))
        too_much, too_little = (
            Counter({tariff.currency: sums[key]} if sums[key] else {}) for key in (True, False)
        )
        return Rerated(lines, missing, causes, too_much, too_little), rows


class DifferenceFile:
    """A CSV file of differences, there once the first one comes. A context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: pa.NativeFile | None = None
        self._writer: CSVWriter | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with suppress(OSError):
            self.close()

    def add(self, differences: pa.Table) -> None:
        """The next ones."""
        if differences.num_rows == 0:
            return
        if self._writer is None:
            self.path.touch(mode=0o600)
            self._file = pa.OSFile(str(self.path), "wb")
            self._writer = CSVWriter(self._file, DIFFERENCES)
        self._writer.write_table(differences)

    def close(self) -> None:
        """No more come."""
        for stream in (self._writer, self._file):
            if stream is not None:
                stream.close()
        self._writer = self._file = None


def rerating_of(pricing: Pricing, engine: Engine, period: int, *, amending: bool) -> Rerating | None:
    """What prices lines again; None where nothing is to be compared, as in an amendment, which corrects.

    A tariff that is valid on no day of the period prices nothing: unless differences are let pass, it is
    refused with :class:`DifferenceError`.
    """
    if not pricing.checked or amending:
        if pricing.balances or pricing.balances_out:
            raise InputError(
                "an amendment is compared with nothing" if amending else "no line is compared with a tariff",
                field="--balances" if pricing.balances else "--balances-out",
                advice="Leave it out: what is carried over belongs to the comparison with tariffs.",
            )
        return None
    if not engine.rerates:
        raise InputError(
            "this engine does not compare lines with their tariffs",
            field="--engine",
            advice="Leave it out, or commit without a comparison: --tariff-differences unchecked."
            " The root is the same.",
        )
    rerating = Rerating(pricing.tariffs, pricing.balances, carry_on=pricing.balances_out is not None)
    if pricing.mode == REFUSE:
        rerating.require_valid_in(period)
    return rerating


def judge(found: Rerated, pricing: Pricing, details: Path, beside: Path | None) -> None:
    """Hands out the differing lines of ``details``; raises where the batch is refused because of them.

    ``beside`` is where those of a refused batch go unless the operator has named a place; None for nowhere.
    """
    require_checkable(found, pricing.tariffs)
    refused = pricing.mode == REFUSE and found.differing > 0
    place = pricing.copy or (beside if refused else None)
    if found.differing and place:
        with replacing(place, mode=0o600) as copy:
            shutil.copyfile(details, copy)
    if refused:
        said = f"{place} has every line." if place else "Give --differences FILE to see every line."
        if pricing.copy:
            said += " Before the next run remove it, or name another file."
        most = ", ".join(f"{count:,}× {cause}" for cause, count in found.causes.most_common(3))
        raise DifferenceError(
            f"not what the tariffs say: {found.words} ({most})",
            advice=f"{said} Correct the rating or name the right tariffs; --tariff-differences report"
            " commits the bills as they are and says so.",
        )


def require_checkable(found: Rerated, tariffs: AccountTariffs) -> None:
    """Raises :class:`InputError` for accounts without a tariff, or with one of another currency."""
    tariffs.require_named(found.unnamed)
    if found.foreign:
        several = ", …" if len(found.foreign) > _NAMED else ""
        raise InputError(
            f"{len(found.foreign):,} accounts are billed in another currency than that of their tariff:"
            f" {', '.join(found.foreign[:_NAMED])}{several}",
            field="currency",
            advice="Name a tariff in the currency of their bills.",
        )


def _records_of(statements: Statements, which: NDArray[np.int64]) -> tuple[pa.Table, NDArray[np.int64]]:
    """The records of some statements, one after another, and where each begins."""
    if len(which) == len(statements):
        return statements.records, statements.first
    first, count = statements.first[which], statements.count[which]
    begins = np.cumsum(count) - count
    rows = np.repeat(first - begins, count) + np.arange(int(count.sum()))
    return statements.records.take(pa.array(rows)), begins


def _row(statements: Statements, statement: int, found: Difference, tariff: Tariff) -> tuple[str, ...]:
    account, currency = statements.accounts[statement].as_py(), statements.currencies[statement].as_py()
    line: Mapping[str, Any] = {}
    if found.line is not None:
        (line,) = statements.records.slice(int(statements.first[statement]) + found.line, 1).to_pylist()
    at = line.get("started_at")
    service = line.get("service")
    return (
        account,
        "" if found.line is None else str(found.line),
        "" if at is None else datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "" if service is None else _SERVICES.get(service, str(service)),
        line.get("number", ""),
        line.get("rate", ""),
        currency,
        *(_plain(amount) for amount in (found.charged, found.due, found.difference)),
        str(found.billed),
        str(found.due_billed),
        found.cause,
        found.words,
        tariff.words,
        line.get("source", ""),
        str(line.get("line", "")),
    )


def _day(days: int) -> str:
    return (_EPOCH + timedelta(days)).isoformat()


def _plain(billionths: int) -> str:
    return money(billionths).replace(",", "")
