"""Statements from proof files, invoices and stores beside the tariffs that they name.

A store is read range by range of its records, whole statements at a time: memory follows a range.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from billproof.bundle import documents as doc
from billproof.bundle.reading import open_document
from billproof.errors import InputError
from billproof.inclusion import include_bundle
from billproof.records import ZERO32, Service, money
from billproof.store import TARIFFS, StoredBatch
from billproof.tariff import Tariff, load_tariff
from billproof.tariff.balances import Balances
from billproof.tariff.check import Checker
from billproof.tariff.columns import CHECKED, table_of
from billproof.tariff.rating import RatingError
from billproof.tariff.result import Checked, Difference, Status

#: Records that are checked at a time, about.
_RANGE = 1 << 18

#: Lines that are no differences, and have not been checked either.
UNPRICED = (Status.OUTSIDE_VALIDITY, Status.NOT_PRICED)

_HASH_SHOWN = 10
_LAST_SECOND = 253_402_300_799  # of the year 9999


class Tariffs:
    """The tariffs given, by hash. ``assumed``: one was taken for a statement that names none.

    ``balances`` is what accounts carried over; where there are none given, a batch's own are taken.
    ``unnamed`` counts the statements of a store that were left out: they name no tariff, and none was given.
    """

    def __init__(self, paths: Sequence[Path], balances: Balances | None = None) -> None:
        self.assumed = False
        self.unnamed = 0
        self.balances = balances
        self._checkers: dict[bytes, Checker] = {}
        for path in paths:
            tariff = load_tariff(path)
            self._checkers.setdefault(tariff.hash, Checker(tariff))
        self._given = tuple(self._checkers.values())

    @property
    def given(self) -> bool:
        """Whether there are any, for statements that name none."""
        return bool(self._given)

    def of(self, named: bytes, currency: str, place: str, kept: Path | None = None) -> Checker:
        """The checker of the tariff that a statement names; ``kept`` is a copy of its file, as in a store.

        Raises :class:`InputError` where it is not among those given, or is in another currency, or the
        copy is of another.
        """
        if named == ZERO32:
            checker = self._only(place)
        elif named in self._checkers:
            checker = self._checkers[named]
        elif kept is not None:
            checker = self._checkers[named] = Checker(_kept(kept, named))
        else:
            shown = (f"0x{one.tariff.hash.hex()[:_HASH_SHOWN]}…" for one in self._given)
            given = ", ".join(shown) or "none"
            raise InputError(
                f"is priced by the tariff 0x{named.hex()}, which is not among those given: {given}",
                file=place,
                advice="Give that tariff's file, byte for byte, with --tariff; it may be repeated. Operators"
                " hand it out beside the bills (tariffs/), and their portal does at /tariffs/ and that hash.",
            )
        if checker.tariff.currency != currency:
            raise InputError(
                f"is in {currency}, the tariff {checker.tariff.words} is in {checker.tariff.currency}",
                file=place,
                advice="Give the tariff of this statement.",
            )
        return checker

    def _only(self, place: str) -> Checker:
        if len(self._given) != 1:
            raise InputError(
                "the statement names no tariff",
                file=place,
                advice="Give the one --tariff that it is priced by.",
            )
        self.assumed = True
        return self._given[0]


def _kept(path: Path, named: bytes) -> Tariff:
    """The tariff in a store's or bundles' own file, which has to be the one that its name says."""
    if path.is_file():
        tariff = load_tariff(path)
        if tariff.hash == named:
            return tariff
    raise InputError(
        "is not the tariff that its name says",
        file=path,
        advice="Restore it from a copy, or give that tariff's file with --tariff.",
    )


@dataclass(frozen=True)
class Part:
    """Statements of one tariff, checked. ``first`` are their beginnings in ``records``."""

    tariff: Tariff
    accounts: Sequence[str]
    records: pa.Table
    first: NDArray[np.int64]
    checked: Checked

    def line(self, found: Difference) -> Line:
        """The line that a difference is of."""
        account = self.accounts[found.statement]
        if found.line is None:
            return Line(account, "", "", "", found.name)
        row = self.records.slice(int(self.first[found.statement]) + found.line, 1).to_pylist()[0]
        service = row["service"]
        known = Service(service).name.lower().replace("_", "-") if service in set(Service) else str(service)
        return Line(account, _when(row["started_at"], row["utc_offset"]), known, row["number"], row["rate"])


@dataclass(frozen=True)
class Line:
    """A line of a statement, for naming it."""

    account: str
    when: str
    service: str
    number: str
    rate: str


@dataclass
class Totals:
    """What was found in all, money by currency."""

    statements: int = 0
    lines: Counter[Status] = field(default_factory=Counter)
    causes: Counter[str] = field(default_factory=Counter)
    differing: int = 0
    missing: int = 0
    lines_too_much: int = 0
    lines_too_little: int = 0
    too_much: Counter[str] = field(default_factory=Counter)
    too_little: Counter[str] = field(default_factory=Counter)
    unpriced: dict[Status, Counter[tuple[str, bool]]] = field(
        default_factory=lambda: {status: Counter() for status in UNPRICED}
    )
    """Money on lines that the tariff says nothing of: by currency, and whether it is charged or credited."""

    def add(self, part: Part) -> None:
        """One more part."""
        currency = part.tariff.currency
        self.statements += len(part.first)
        self.lines.update(part.checked.counts)
        for status, sums in self.unpriced.items():
            for amount in part.checked.due[part.checked.status == status].tolist():
                sums[currency, amount > 0] += abs(amount)
        for found in part.checked.differences:
            self.causes[found.cause] += 1
            self.differing += 1
            self.missing += found.line is None
            if found.difference > 0:
                self.lines_too_much += 1
                self.too_much[currency] += found.difference
            elif found.difference < 0:
                self.lines_too_little += 1
                self.too_little[currency] -= found.difference

    def document(self) -> dict[str, Any]:
        """As part of ``billproof/check/1``."""
        return {
            "statements": self.statements,
            "lines": {status.words: self.lines[status] for status in Status},
            "missing": self.missing,
            "causes": dict(self.causes.most_common()),
            "tooMuch": {currency: str(sum_) for currency, sum_ in sorted(self.too_much.items())},
            "tooLittle": {currency: str(sum_) for currency, sum_ in sorted(self.too_little.items())},
            "unpriced": {
                status.words: {
                    word: {
                        cur: str(sum_)
                        for (cur, plus), sum_ in sorted(sums.items())
                        if plus == charged and sum_
                    }
                    for word, charged in (("charged", True), ("credited", False))
                }
                for status, sums in self.unpriced.items()
            },
        }

    def unpriced_words(self, status: Status) -> str:
        """What lines of a status charge and credit, ``112.00 EUR charged``; empty where that is nothing."""
        sums: Counter[tuple[str, bool]] = self.unpriced.get(status, Counter())
        parts = []
        for word, charged in (("charged", True), ("credited", False)):
            money_ = Counter({cur: sum_ for (cur, plus), sum_ in sums.items() if plus == charged and sum_})
            if money_:
                parts.append(f"{_sums(money_)} {word}")
        return ", ".join(parts)

    @property
    def words(self) -> str:
        """Money first: ``42 lines charged too much, 3.10 EUR in all``."""
        parts = [
            f"{count:,} line{'s' * (count != 1)} charged too {what}, {_sums(sums)} in all"
            for count, what, sums in (
                (self.lines_too_much, "much", self.too_much),
                (self.lines_too_little, "little", self.too_little),
            )
            if count
        ]
        rest = self.differing - self.lines_too_much - self.lines_too_little
        if rest:
            parts.append(f"{rest:,} line{'s' * (rest != 1)} with another billed usage at the right price")
        if parts:
            return "; ".join(parts)
        if self.nothing:
            return "no line could be checked: the tariff prices none of them"
        return "every line that the tariff prices is charged as it says"

    @property
    def nothing(self) -> bool:
        """Whether nothing could be checked: no line differs, and none is priced either."""
        return not self.differing and not self.lines[Status.RIGHT]

    @property
    def open(self) -> bool:
        """Whether lines charge money of which the tariff says nothing, or it prices no line at all."""
        priced = self.lines.total() - sum(self.lines[status] for status in UNPRICED)
        return not priced or any(
            plus and sum_ for sums in self.unpriced.values() for (_, plus), sum_ in sums.items()
        )


def _when(started_at: int, utc_offset: int) -> str:
    """Local time, for people."""
    local = started_at + 60 * utc_offset
    if not 0 <= local <= _LAST_SECOND:
        return f"{started_at} s after 1970"
    return (datetime(1970, 1, 1) + timedelta(seconds=local)).strftime("%Y-%m-%d %H:%M:%S")


def _sums(sums: Counter[str]) -> str:
    return " and ".join(f"{money(sum_)} {currency}" for currency, sum_ in sorted(sums.items()))


def check_file(path: Path, tariffs: Tariffs) -> Part:
    """The statement of a proof file or of an invoice that carries one.

    Its tariff may lie beside it, as bundles are handed out. A bill that contradicts itself is refused.
    """
    document = open_document(path).document
    if not isinstance(document, doc.Bundle):
        raise InputError(
            "is a receipt, one line only", file=path, advice="Give the bill's own file, the bundle."
        )
    part = check_bundle(document, tariffs, str(path), path.parent / TARIFFS)
    if problems := include_bundle(document).problems:
        raise InputError(
            f"the bill contradicts itself: {problems[0].message}",
            file=path,
            advice="Somebody changed it: `billproof verify` tells all that is wrong with it.",
        )
    return part


def check_bundle(bundle: doc.Bundle, tariffs: Tariffs, name: str, kept: Path | None = None) -> Part:
    """The same of a proof file that was read already; ``name`` is what errors call it.

    ``kept`` is the directory of tariff files that was handed out beside it, if it is there.
    """
    statement = bundle.statement
    named = bytes.fromhex(statement.tariff[2:])
    files = [] if kept is None or named == ZERO32 else sorted(kept.glob(f"0x{named.hex()}*"))
    checker = tariffs.of(named, statement.currency, name, files[0] if files else None)
    records = table_of(bundle)
    first = np.zeros(1, np.int64)
    accounts, balances = [bundle.account.accountId], tariffs.balances or Balances()
    checked = _checked(checker, records, first, accounts, balances, name)
    return Part(checker.tariff, accounts, records, first, checked)


def _checked(
    checker: Checker,
    records: pa.Table,
    first: NDArray[np.int64],
    accounts: Sequence[str],
    balances: Balances,
    name: str,
) -> Checked:
    held = balances.of(pa.array(accounts, pa.string()), checker.tariff)
    try:
        return checker.check(records, first, balances=held.sums)
    except RatingError as error:
        raise InputError(
            f"account {accounts[error.statement]}: {error.message.removeprefix('usage: ')}",
            file=name,
            field="usage",
            advice=error.advice,
        ) from error


def check_batches(
    batches: Sequence[StoredBatch],
    tariffs: Tariffs,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Iterator[Part]:
    """Every statement of some batches, in the order of their records; ``progress``: records done, and all.

    Balances are those of one cycle: :class:`InputError` where some are given for batches of several.
    """
    if tariffs.balances and len({batch.id.period for batch in batches}) > 1:
        raise InputError(
            "are those of one cycle, here are several",
            file=tariffs.balances.source,
            field="--balances",
            advice="Check one period's batches at a time.",
        )
    total, done = sum(batch.record_count for batch in batches), 0
    for batch in batches:
        for part, records in _check_batch(batch, tariffs):
            yield from part
            done += records
            progress(done, total)


def _check_batch(batch: StoredBatch, tariffs: Tariffs) -> Iterator[tuple[list[Part], int]]:
    entries = batch.entries
    starts, counts = entries["first"].to_numpy(), entries["count"].to_numpy()
    kept = batch.balances_file
    balances = tariffs.balances or (Balances.read(kept) if kept else Balances())
    order = np.argsort(starts, kind="stable")
    groups = np.cumsum(counts[order]) // _RANGE
    for range_ in np.split(order, np.flatnonzero(np.diff(groups)) + 1):
        begin = int(starts[range_[0]])
        size = int(starts[range_[-1]] + counts[range_[-1]]) - begin
        records = batch.records_of(begin, size, [*CHECKED]).combine_chunks()
        yield list(_parts(batch, tariffs, balances, range_, records, begin)), size


def _parts(
    batch: StoredBatch,
    tariffs: Tariffs,
    balances: Balances,
    which: NDArray[np.int64],
    records: pa.Table,
    begin: int,
) -> Iterator[Part]:
    """The statements of a range, by tariff and currency."""
    entries = batch.entries.take(pa.array(which))
    codes = batch.tariffs.codes[which]
    starts, counts = entries["first"].to_numpy() - begin, entries["count"].to_numpy()
    currencies = np.array(entries["currency"].to_pylist())
    kinds = sorted({(int(code), str(currency)) for code, currency in zip(codes, currencies, strict=True)})
    for code, currency in kinds:
        named = batch.tariffs.hashes[code]
        own = np.flatnonzero((codes == code) & (currencies == currency))
        if named == ZERO32 and not tariffs.given:
            tariffs.unnamed += len(own)
            continue
        place, kept = str(batch.path), batch.tariff_file(named) if named != ZERO32 else None
        checker = tariffs.of(named, currency, place, kept)
        rows, first = records, starts
        if len(own) < len(which):
            first = np.cumsum(counts[own]) - counts[own]
            places = np.repeat(starts[own] - first, counts[own]) + np.arange(int(counts[own].sum()))
            rows = records.take(pa.array(places))
        accounts = entries["account"].take(pa.array(own)).to_pylist()
        checked = _checked(checker, rows, first, accounts, balances, place)
        yield Part(checker.tariff, accounts, rows, first, checked)
