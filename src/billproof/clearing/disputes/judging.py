"""Disputed pairs, judged again from their records and the agreement alone: kinds, money, and sums by cause.

Whole books decide which of two twins a difference is (a unit is a duration, too, and a currency's rate a
price): both are true of the records, and either is accepted where it is. What only whole books can show, that
a record has no pair, is not judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa

from billproof.clearing.agreement.agreement import Agreement
from billproof.clearing.books.book import NO_USAGE, Book, Codes, book_of, times, within
from billproof.clearing.books.sides import turned
from billproof.clearing.disputes import form
from billproof.clearing.disputes.reading import NumberedLine
from billproof.clearing.document.form import DisputeForm
from billproof.clearing.kernel import Ints
from billproof.clearing.loops import QUARTER
from billproof.clearing.pairs.differences import FREE, Kind, claims_of, compare, factors, in_unit, scaled
from billproof.clearing.pairs.passes import UNITS
from billproof.inclusion import Problem
from billproof.records import NANO

#: Kinds of which whole books decide which it is; the second is what the records show by themselves.
_TWINS = ((Kind.UNIT, Kind.DURATION), (Kind.CURRENCY, Kind.RATE))
#: Kinds of records without a pair.
SINGLE = [kind.word for kind in (Kind.MISSING, Kind.DUPLICATE, Kind.CYCLE_SHIFT)]

#: Those that only whole books can show.
ALONE = [Kind.MISSING.word, Kind.CYCLE_SHIFT.word]
_KINDS = {kind.word: kind for kind in Kind}
_INTEGERS = {
    "service": "service",
    "started_at": "startedAt",
    "usage": "usage",
    "billed_usage": "billedUsage",
    "amount": "amount",
}
_NEAR = 2  # seconds, at which records are paired whatever the agreement tolerates


#: Fields of a line by side.
NAMES, DOUBLES = ("ours", "theirs"), ("ourDouble", "theirDouble")


#: A dispute: its number, who claims it, and whether it is a credit.
Claim = tuple[int, int, bool]


@dataclass
class Sums:
    """What the lines add up to: by dispute, of how many records how much."""

    header: form.Header
    found: dict[Claim, tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._kinds = {_claim(each): each.kind for each in self.header.disputes}

    def add(self, at: int, line: form.Line[Any, Any]) -> Problem | None:
        """Counts line ``at`` of the file; what is wrong about its claims."""
        ours, theirs = line.claims
        if not ours and not theirs:
            return Problem("money", "is claimed by nobody: nothing is disputed", at)
        if int(line.money) != ours - theirs:
            return Problem("money", "is not what we claim less what they claim", at)
        claims = [
            ((line.number, side.operator, amount < 0), amount)
            for side, amount in zip(self.header.sides, line.claims, strict=True)
            if amount
        ]
        for claim, _ in claims:
            kind = self._kinds.get(claim)
            if kind is None:
                what = f"that {claim[1]} claims as a {'credit' if claim[2] else 'debt'}"
                return Problem("number", f"the header has no dispute {line.number} {what}", at)
            if paying(line.kinds) != kind:
                return Problem("kinds", f"dispute {line.number} is of money of the kind {kind}", at)
        for claim, claimed in claims:
            count, amount = self.found.get(claim, (0, 0))
            self.found[claim] = count + 1, amount + claimed
        return None

    def problems(self) -> list[Problem]:
        """Where the header says something else than its lines add up to."""
        problems = []
        for at, dispute in enumerate(self.header.disputes):
            found = self.found.get(_claim(dispute), (0, 0))
            for name, told, added in zip(
                ("count", "amount"), (dispute.count, int(dispute.amount)), found, strict=True
            ):
                if told != added:
                    message = f"the header says {told}, the lines add up to {added}"
                    problems.append(Problem(f"disputes[{at}].{name}", message, 1))
        return problems

    def document(self) -> list[dict[str, Any]]:
        """Claims as JSON values, with what was added up."""
        claims = []
        for each in self.header.disputes:
            count, amount = self.found.get(_claim(each), (0, 0))
            told = {"number": each.number, "kind": each.kind, "words": each.words, "claimant": each.claimant}
            claims.append({**told, "count": count, "amount": str(amount)})
        return claims


def _claim(dispute: DisputeForm) -> Claim:
    return dispute.number, dispute.claimant, dispute.amount[0] == "-"


def paying(kinds: Sequence[str]) -> str | None:
    """The kind that the money of a line belongs to; None of those that say nothing of money."""
    return next((kind for kind in kinds if _KINDS[kind] not in FREE), None)


@dataclass(frozen=True)
class Judge:
    """Judges lines, some at a time. ``agreement`` has the month's exchange rates."""

    agreement: Agreement
    header: form.Header

    def problems(self, lines: Sequence[NumberedLine]) -> list[Problem]:
        """What is wrong about lines whose records have been followed."""
        found: list[Problem] = []
        known = [each for each in lines if self._usable(each, found)]
        codes = Codes()
        pairs = [each for each in known if each[1].ours is not None and each[1].theirs is not None]
        if pairs:
            ours, theirs = (self._book(pairs, side, codes) for side in (0, 1))
            found += self._pairs(pairs, turned((ours, theirs), self._ours), codes)
        for side in (0, 1):
            single = [each for each in known if each[1].sides[1 - side] is None]
            if single:
                found += _single(single, side, self._book(single, side, codes))
            doubled = [each for each in known if each[1].doubles[side] is not None]
            if doubled:
                copies = self._book(doubled, side, codes)
                found += _doubled(doubled, side, copies, self._book(doubled, side, codes, doubles=True))
        return found

    @property
    def _ours(self) -> int:
        """Which of the payee's and the payer's books is ours, 0 or 1."""
        return 1 if self.header.payer == self.header.ours.operator else 0

    def _usable(self, each: NumberedLine, found: list[Problem]) -> bool:
        """Whether numbers are within a book's limits, and currencies have rates."""
        number, line = each
        sides = (*zip(NAMES, self.header.sides, line.sides, strict=True),)
        sides += (*zip(DOUBLES, self.header.sides, line.doubles, strict=True),)
        for name, side, record in sides:
            if record is not None and (fault := self._fault(name, side, record)):
                found.append(Problem(*fault, number))
                return False
        return True

    def _fault(
        self, name: str, side: form.SideForm, record: form.Proved | form.Told
    ) -> tuple[str, str] | None:
        """Field and words of what keeps a record from being judged."""
        booked: form.ProvedRecord | form.Told
        if isinstance(record, form.Told):
            booked, place, statement = record, name, name
        else:
            booked, place = record.record, f"{name}.record"
            statement = f"{name}.statements[{record.statement}]"
        for column, key in _INTEGERS.items():
            if not within(column, int(getattr(booked, key))):
                return f"{place}.{key}", "is more than can be"
        currency = _currency(record, side)
        rate = self.agreement.exchange.get(currency)
        if rate is None:
            return f"{statement}.currency", f"the agreement has no exchange rate for {currency}"
        if not within("amount", times(int(booked.amount), round(rate * NANO))):
            return f"{place}.amount", f"is more than can be in {self.agreement.settlement}"
        return None

    def _book(self, lines: Sequence[NumberedLine], side: int, codes: Codes, *, doubles: bool = False) -> Book:
        """One side's records of lines as a book, or what they are copies of: each line has one."""
        records: list[Any] = [(line.doubles if doubles else line.sides)[side] for _, line in lines]
        booked: list[Any] = [each if isinstance(each, form.Told) else each.record for each in records]
        currencies = [_currency(each, self.header.sides[side]) for each in records]
        columns = {
            name: pa.array([int(getattr(each, key)) for each in booked], pa.int64())
            for name, key in _INTEGERS.items()
        }
        for name in ("number", "network", "rate"):
            columns[name] = pa.array([getattr(each, name) for each in booked], pa.string())
        columns["currency"] = pa.array(currencies, pa.string())
        if isinstance(records[0], form.Proved):
            corrects = [bytes.fromhex(each.corrects[2:]) for each in booked]
            columns["corrects"] = pa.array(corrects, pa.binary(32))
        return book_of(pa.table(columns), self.agreement, None, codes, NAMES[side])

    def _pairs(self, lines: Sequence[NumberedLine], books: tuple[Book, Book], codes: Codes) -> list[Problem]:
        """What is wrong about pairs: whether they are one, their kinds and their money; the payee's first."""
        (ours, theirs), every = books, np.arange(len(lines))
        nothing = np.zeros(0, np.uint8)
        grains = self._grain(ours, codes), self._grain(theirs, codes)
        found = compare(books, every, every, self.agreement, grains, (nothing, nothing))
        apart = np.abs(theirs.started_at - ours.started_at - found.shift)
        far = (apart > max(self.agreement.tolerance.start, _NEAR)) & (ours.service < NO_USAGE)
        told = np.array([sum(1 << _KINDS[kind] for kind in set(line.kinds)) for _, line in lines])
        units = np.zeros(len(lines), bool)
        for unit in range(1, len(UNITS) + 1):
            for either in (unit, -unit):
                units |= in_unit((ours.usage, theirs.usage), either)
        currencies = np.zeros(len(lines), bool)
        for factor in factors(self.agreement):
            currencies |= scaled(ours.settled, theirs.settled, factor, grains)
        true = _plain(told) == _plain(found.kinds.astype(np.int64))
        true &= units | (told & 1 << Kind.UNIT == 0)
        true &= currencies | (told & 1 << Kind.CURRENCY == 0)
        claims = claims_of(ours.settled, theirs.settled)
        problems: list[Problem] = []
        for at, (number, line) in enumerate(lines):
            if far[at] or ours.service[at] != theirs.service[at]:
                what = "times" if far[at] else "services"
                problems.append(Problem("theirs", f"no pair: the records are of different {what}", number))
                continue
            problems += _claimed(number, line, turned((int(claims[0][at]), int(claims[1][at])), self._ours))
            if not true[at] or line.kinds != form.words_of(int(told[at])):
                message = (
                    f"the records differ in {', '.join(form.words_of(int(found.kinds[at]))) or 'nothing'}"
                )
                problems.append(Problem("kinds", message, number))
        return problems

    def _grain(self, book: Book, codes: Codes) -> Ints:
        """The power of ten that each amount is a multiple of, in the settlement currency: (n,).

        Its book's is no greater: whatever differs as currencies do there, does here.
        """
        power = np.ones(len(book), np.int64)
        for _ in range(9):
            power[book.amount % (10 * power) == 0] *= 10
        rates = [self.agreement.exchange.get(currency, 0) for currency in codes.currencies.texts]
        scaled = power * np.array(rates, float)[book.currency]
        found: Ints = np.maximum(1, np.ceil(scaled)).astype(np.int64)
        return found


def _currency(record: form.Proved | form.Told, side: form.SideForm) -> str:
    if isinstance(record, form.Told):
        return record.currency
    return side.statements[record.statement].currency


def _single(lines: Sequence[NumberedLine], side: int, book: Book) -> list[Problem]:
    """What is wrong about one side's records without a pair."""
    problems = []
    for (number, line), settled in zip(lines, book.settled.tolist(), strict=True):
        problems += _claimed(number, line, turned((settled, 0), side))
        if len(line.kinds) != 1 or line.kinds[0] not in SINGLE:
            message = f"a record without a pair is one of {', '.join(SINGLE)}"
            problems.append(Problem("kinds", message, number))
    return problems


def _doubled(lines: Sequence[NumberedLine], side: int, of: Book, double: Book) -> list[Problem]:
    """Which duplicates are no copies of the record that they name, but for the clocks of batches."""
    apart = np.abs(of.started_at - double.started_at)
    same = (of.service == double.service) & (of.number == double.number) & (of.usage == double.usage)
    same &= (of.number != 0) | (of.network == double.network)
    same &= np.abs(apart - (apart + QUARTER // 2) // QUARTER * QUARTER) <= _NEAR
    return [
        Problem(DOUBLES[side], "is another call, not a copy of the record", lines[at][0])
        for at in np.flatnonzero(~same).tolist()
    ]


def _plain(kinds: Ints) -> Ints:
    """Kinds with what the records show by themselves in place of its twin; both at once are none: (n,)."""
    found = kinds.copy()
    for twin, plain in _TWINS:
        has = kinds & 1 << twin != 0
        both = has & (kinds & 1 << plain != 0)
        found[has] ^= 1 << twin
        found[has] |= 1 << plain
        found[both] = -1
    return found


def _claimed(number: int, line: form.Line[Any, Any], claims: tuple[int, int]) -> list[Problem]:
    """What is wrong about the money of a line, whose records say what either side claims."""
    names = "money", "ourClaim", "theirClaim"
    told = zip(names, (int(line.money), *line.claims), (claims[0] - claims[1], *claims), strict=True)
    return [
        Problem(name, f"is {given}, and the records come to {computed}", number)
        for name, given, computed in told
        if given != computed
    ][:1]
