"""``billproof/clear/1`` → what a clearing has found, or an error that says which line and why.

Checked is what can be without the books: that everything is a side's, and that it adds up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path as FilePath
from typing import Any

from billproof.clearing.books.book import NO_USAGE
from billproof.clearing.document import wording
from billproof.clearing.document.form import (
    AGREED,
    KINDS,
    SCHEMA,
    SIDES,
    CauseForm,
    DayForm,
    File,
    FindingForm,
    RouteForm,
    ServiceForm,
)
from billproof.clearing.document.totals import EXAMPLES
from billproof.clearing.pairs.differences import FREE, Kind
from billproof.documents import source as documents
from billproof.documents.positions import Path
from billproof.documents.shape import shaped
from billproof.tariff.values import service_of

_FREE = frozenset(kind.word for kind in FREE)
_KINDS = {kind.word: kind for kind in Kind}
_AGAIN = "clear the books again"

Slice = DayForm | RouteForm | ServiceForm


class ClearError(documents.DocumentError):
    """A clear document that cannot be used: names file, line and key, and says what is wrong."""


KIND = documents.Kind("a clear document", "see docs/clearing.md, section 1", SCHEMA, File, ClearError)
ClearSource = documents.Source[File]


def load_clear(source: FilePath | str | bytes, *, name: str = "") -> File:
    """The document in a file or in its bytes; raises :class:`ClearError` where it does not add up."""
    found = documents.read(source, KIND, name)
    file = shaped(found)
    _Checks(found, file).all()
    return file


class _Checks:
    """The document that is being checked."""

    def __init__(self, source: ClearSource, file: File) -> None:
        self.source = source
        self.file = file

    def all(self) -> None:
        """Raises for the first thing that cannot be."""
        self._sides()
        self._once()
        self._days()
        self._kinds()
        self._records()
        self._slices()
        self._told()
        self._disputes()

    def _equal(self, path: Path, given: Any, computed: Any) -> None:
        if given != computed:
            message = f"is {given}, and the entries come to {computed}"
            raise self.source.error(path, message, _AGAIN)

    def _sides(self) -> None:
        """Operators, the month and the ledger are the same everywhere."""
        file, fail = self.file, self.source.error
        ours, theirs = file.sides
        if ours.operator == theirs.operator:
            raise fail(("theirs", "operator"), "is ours too", "a clearing is of two operators")
        if ours.name == theirs.name:
            raise fail(("theirs", "name"), "is ours too", "two operators have two names")
        if file.payer not in (ours.operator, theirs.operator):
            raise fail(("payer",), "is neither operator", f"write {ours.operator} or {theirs.operator}")
        for key, side in zip(SIDES, file.sides, strict=True):
            if bool(side.batches) != (side.ledger is not None):
                raise fail((key, "ledger"), "goes with batches, and they with it", _AGAIN)
            for at, batch in enumerate(side.batches):
                if batch.period != file.period:
                    raise fail((key, "batches", at, "period"), "is not the clearing's", _AGAIN)
        if ours.ledger and theirs.ledger and ours.ledger != theirs.ledger:
            raise fail(("theirs", "ledger"), "is another than ours", "clear books of one ledger")

    def _once(self) -> None:
        """Nothing is told twice."""
        file = self.file
        keys: list[tuple[Path, list[Any]]] = [
            (("traffic",), [(each.service, each.route) for each in file.traffic]),
            (("days",), [each.day for each in file.days]),
            (("routes",), [each.route for each in file.routes]),
            (("services",), [each.service for each in file.services]),
            (("disputes",), [(each.number, each.claimant, each.amount[0] == "-") for each in file.disputes]),
        ]
        for side, of in zip(SIDES, file.sides, strict=True):
            batches = [(each.region, each.sequence) for each in of.batches]
            keys.append(((side, "batches"), batches))
        for path, found in keys:
            seen: set[Any] = set()
            for at, key in enumerate(found):
                if key in seen:
                    raise self.source.error((*path, at), "is there twice", "keep one of them")
                seen.add(key)

    def _days(self) -> None:
        days: list[tuple[Path, str | None]] = [
            (("days", at, "day"), each.day) for at, each in enumerate(self.file.days)
        ]
        for at, cause in enumerate(self.file.causes):
            days += [(("causes", at, "from"), cause.from_), (("causes", at, "until"), cause.until)]
        for path, day in days:
            try:
                date.fromisoformat(day or "1970-01-01")
            except ValueError:
                raise self.source.error(path, f"there is no day {day}", 'write "YYYY-MM-DD"') from None

    def _kinds(self) -> None:
        """Each difference by kind names all of them."""
        file = self.file
        found: list[tuple[Path, Iterable[str], tuple[str, ...]]] = [
            (("atStake",), file.at_stake, (AGREED, *KINDS)),
            (("counts",), file.counts, KINDS),
        ]
        for name, slices in self._of():
            found += [
                ((name, at, "atStake"), each.at_stake, (AGREED, *KINDS)) for at, each in enumerate(slices)
            ]
        for path, given, wanted in found:
            if missing := set(wanted) - set(given):
                raise self.source.error(path, f"{min(missing)} is missing", _AGAIN)

    def _of(self) -> list[tuple[str, Sequence[Slice]]]:
        return [("days", self.file.days), ("routes", self.file.routes), ("services", self.file.services)]

    def _records(self) -> None:
        """Records and totals of both books, and the difference."""
        file = self.file
        for key, side in zip(SIDES, file.sides, strict=True):
            self._equal((key, "records"), side.records, file.pairs + side.unpaired)
        self._equal(("difference",), int(file.difference), int(file.ours.total) - int(file.theirs.total))
        self._equal(("pairs",), file.pairs, sum(each.records for each in file.traffic))
        for at, each in enumerate(file.traffic):
            if service_of(each.service) >= NO_USAGE:
                self._equal(("traffic", at, "volume"), int(each.volume), 0)

    def _slices(self) -> None:
        """Days, routes and services each add up to the whole, and to what is undisputed."""
        file = self.file
        undisputed: dict[Any, list[int]] = defaultdict(
            lambda: [0, 0]
        )  # pairs and money, by route and service
        for each in file.traffic:
            for key in (("routes", each.route), ("services", each.service), "all"):
                for place, value in enumerate((each.records, int(each.amount))):
                    undisputed[key][place] += value
        for name, slices in self._of():
            for at, one in enumerate(slices):
                difference = int(one.ours.total) - int(one.theirs.total)
                at_stake = sum(map(int, one.at_stake.values()))
                self._equal((name, at, "atStake"), at_stake, difference)
                if isinstance(one, ServiceForm):
                    volume = sum(int(each.volume) for each in file.traffic if each.service == one.service)
                    self._equal((name, at, "volume"), int(one.volume), volume)
                if not isinstance(one, DayForm):
                    key = name, one.route if isinstance(one, RouteForm) else one.service
                    self._equal((name, at), [one.pairs, int(one.undisputed)], undisputed[key])
            for side, of in zip(SIDES, file.sides, strict=True):
                books = [getattr(one, side) for one in slices]
                self._equal((name,), sum(book.records for book in books), of.records)
                self._equal((name,), sum(int(book.total) for book in books), int(of.total))
            sums = [sum(one.pairs for one in slices), sum(int(one.undisputed) for one in slices)]
            self._equal((name,), sums, undisputed["all"])
            self._equal(("agreed",), file.agreed, sum(one.agreed for one in slices))
            for kind in (AGREED, *KINDS):
                money = sum(int(one.at_stake[kind]) for one in slices)
                self._equal(("atStake", kind), int(file.at_stake[kind]), money)

    def _told(self) -> None:
        """Causes and findings are numbered on, and come to each kind's count and money."""
        file = self.file
        names = file.ours.name, file.theirs.name
        count: dict[str, int] = defaultdict(int)
        money: dict[str, int] = defaultdict(int)
        seen: set[Any] = set()
        for number, (path, each) in enumerate(self._all(), 1):
            self._equal((*path, "number"), each.number, number)
            if len(each.examples) != min(EXAMPLES, each.count):
                raise self.source.error((*path, "examples"), "are not as many as there could be", _AGAIN)
            for at, example in enumerate(each.examples):
                given = [side for side in SIDES if getattr(example, side) is not None]
                if given != ([each.side] if each.side in SIDES else list(SIDES)):
                    raise self.source.error((*path, "examples", at), "is of another side", _AGAIN)
            self._side_of(path, each)
            if isinstance(each, CauseForm) and each.until and (not each.from_ or each.until < each.from_):
                raise self.source.error((*path, "until"), "goes with from, and is no day before it", _AGAIN)
            if isinstance(each, FindingForm):
                side = SIDES.index(each.side) if each.side in SIDES else None
                self._equal((*path, "words"), each.words, wording.finding(_KINDS[each.kind], side, names))
                if (each.kind, each.side) in seen:
                    raise self.source.error(path, "is there twice", "keep one of them")
                seen.add((each.kind, each.side))
            count[each.kind] += each.count
            money[each.kind] += int(each.money)
        for kind in KINDS:
            self._equal(("counts", kind), file.counts[kind], count[kind])
            self._equal(("atStake", kind), int(file.at_stake[kind]), money[kind])

    def _all(self) -> list[tuple[Path, CauseForm | FindingForm]]:
        causes: list[tuple[Path, CauseForm | FindingForm]] = [
            (("causes", at), each) for at, each in enumerate(self.file.causes)
        ]
        return [*causes, *((("findings", at), each) for at, each in enumerate(self.file.findings))]

    def _side_of(self, path: Path, each: CauseForm | FindingForm) -> None:
        """Kinds of pairs are of both sides, kinds of records without one of either."""
        if (each.side == "both") != (_KINDS[each.kind] < Kind.MISSING):
            raise self.source.error((*path, "side"), f"is none that {each.kind} has", _AGAIN)

    def _disputes(self) -> None:
        """What is claimed comes to the money of causes and findings, and with the rest to both totals."""
        file, fail = self.file, self.source.error
        told = dict(enumerate(self._all(), 1))
        operators = [side.operator for side in file.sides]
        claimed: dict[tuple[int, int], int] = defaultdict(int)
        counted: dict[tuple[int, int], int] = defaultdict(int)
        for at, each in enumerate(file.disputes):
            path: Path = ("disputes", at)
            if each.number not in told:
                raise fail((*path, "number"), "is no cause's and no finding's", _AGAIN)
            of = told[each.number][1]
            if each.claimant not in operators:
                raise fail((*path, "claimant"), "is neither operator", _AGAIN)
            side = operators.index(each.claimant)
            if of.side not in ("both", SIDES[side]):
                raise fail((*path, "claimant"), "does not have these records", _AGAIN)
            self._equal((*path, "kind"), each.kind, of.kind)
            self._equal((*path, "words"), each.words, of.words)
            if each.kind in _FREE:
                raise fail(path, f"nothing is claimed for {each.kind}", _AGAIN)
            if each.amount == "0":
                raise fail((*path, "amount"), "is nothing", "leave the dispute out")
            counted[each.number, side] += each.count
            if counted[each.number, side] > of.count:
                raise fail((*path, "count"), "is more than there are differences", _AGAIN)
            claimed[each.number, side] += int(each.amount)
        for number, (path, of) in told.items():
            if of.kind not in _FREE:
                self._equal((*path, "money"), int(of.money), claimed[number, 0] - claimed[number, 1])
        undisputed = sum(int(each.amount) for each in file.traffic)
        for place, (key, one) in enumerate(zip(SIDES, file.sides, strict=True)):
            claims = sum(money for (_, side), money in claimed.items() if side == place)
            self._equal((key, "total"), int(one.total), undisputed + claims + int(one.tolerated))
