"""A bill's lines and what became of them, put side by side; everything from strangers made safe to print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from billproof.bundle import documents as doc
from billproof.bundle.lines import Line, amount, duration, has_tax, line_of
from billproof.errors import InputError
from billproof.matching import asking, telling
from billproof.matching.confirming import is_confirmed, most_confirmed
from billproof.matching.report import words
from billproof.printable import printable

if TYPE_CHECKING:
    from billproof.handset.entries import PhoneLog

SCHEMA = "billproof/match/1"
_LAST_SECOND = 253_402_300_799


@dataclass(frozen=True)
class Row:
    """One line. ``start`` is local time in seconds; ``stake`` and ``amount`` are billionths."""

    line: Line
    kind: str
    reason: str
    why: str
    service: int
    start: int
    usage: int
    amount: int
    stake: int
    confidence: int | None
    talked: int | None
    entry: tuple[int, int] | None
    hash: str
    elsewhere: bool

    @property
    def finding(self) -> bool:
        return self.kind in words.FINDINGS and not self.question

    @property
    def question(self) -> bool:
        """Whether only the subscriber can say if it is right."""
        return self.reason == "unknown"

    @property
    def says(self) -> str:
        """What it is to the subscriber, in a word for spreadsheets."""
        told = {"finding": self.finding, "question": self.question, "not compared": self.uncompared}
        return next((word for word, holds in told.items() if holds), "")

    @property
    def uncompared(self) -> bool:
        """Whether it costs something and could not be laid beside any log."""
        apart = self.kind in ("not-covered", "not-comparable") or self.reason == "uncovered"
        return apart and self.amount > 0

    @property
    def phone(self) -> str:
        """What the phone says of it: a duration, or that it is there."""
        if self.talked is not None:
            return duration(self.talked)
        return "there" if self.entry else "–"


@dataclass(frozen=True)
class Price:
    """What is charged above the tariff; ``index`` is None for a credit that is missing, ``name`` its name.

    ``stake`` is what the phone does not dispute already, and ``already`` the rest of what is too much.
    """

    index: int | None
    name: str
    words: str
    stake: int
    already: int


@dataclass(frozen=True)
class Match:
    """A result and its bundle; ``logs`` are the phone logs it was made from, where they are at hand."""

    result: Mapping[str, Any]
    bundle: doc.Bundle
    logs: Sequence[PhoneLog] = ()

    def __post_init__(self) -> None:
        result, bundle = self.result, self.bundle
        if result.get("schema") != SCHEMA:
            raise InputError(f"not a {SCHEMA} object", advice="Make it with `billproof match --json`.")
        same = (str(result["period"]), result["currency"]) == (bundle.batch.period, bundle.statement.currency)
        if not same or [line["index"] for line in result["lines"]] != [int(r.index) for r in bundle.records]:
            raise InputError("the result is of another bill", advice="Match this bundle again.")

    @cached_property
    def rows(self) -> list[Row]:
        bundle, lines, region = self.bundle, self.result["lines"], self.result.get("region")
        fates = [(line["index"], line["class"], line["reason"], line["entry"] is not None) for line in lines]
        twins = telling.twins(bundle, fates, region)
        asked = [at for at, _, reason, _ in fates if reason == "unknown"]
        elsewhere = telling.elsewhere(bundle, asked, self.logs, region)
        return [
            _row(record, line, bundle.statement.currency, twins.get(at), at in elsewhere)
            for at, (record, line) in enumerate(zip(bundle.records, lines, strict=True))
        ]

    @cached_property
    def findings(self) -> list[Row]:
        """What may be disputed: most money first."""
        found = [row for row in self.rows if row.finding]
        return sorted(found, key=lambda row: (-row.stake, row.line.number))

    @cached_property
    def prices(self) -> list[Price]:
        """What costs more than the tariff says, above what is in dispute already: most money first."""
        found = [
            Price(
                index=each["index"],
                name=printable(each["name"], 64),
                words=printable(each["words"], 500),
                stake=int(each["stake"]),
                already=int(each["charged"]) - int(each["due"]) - int(each["stake"]),
            )
            for each in self.result.get("prices", ())
        ]
        return sorted((each for each in found if each.stake), key=lambda each: -each.stake)

    @cached_property
    def priced(self) -> dict[int, Price]:
        """The same by line, of those that are on the bill."""
        return {each.index: each for each in self.prices if each.index is not None}

    @property
    def overcharged(self) -> str:
        return self.money(sum(each.stake for each in self.prices))

    @property
    def disputes(self) -> int:
        """How many lines may be disputed, because of the phone or of the tariff."""
        return len(self.findings) + len(self.besides)

    @cached_property
    def besides(self) -> list[Price]:
        """What only the tariff disputes."""
        return [each for each in self.prices if each.index is None or not self.rows[each.index].finding]

    @cached_property
    def questions(self) -> list[asking.Question]:
        """What only the subscriber can answer, most money first: one question a number."""
        return asking.questions(
            asking.Asked(row.line, row.service, row.amount, row.elsewhere)
            for row in self.rows
            if row.question
        )

    @property
    def asked(self) -> str:
        return self.money(sum(each.amount for each in self.questions))

    @cached_property
    def uncompared(self) -> list[Row]:
        """What costs something and could not be laid beside any log."""
        return [row for row in self.rows if row.uncompared]

    @property
    def unchecked(self) -> str:
        return self.money(sum(row.amount for row in self.uncompared))

    @property
    def questions_head(self) -> str:
        return asking.questions_head(self.questions, self.asked)

    @property
    def uncompared_head(self) -> str:
        return asking.uncompared_head(len(self.uncompared), self.unchecked)

    def uncompared_reasons(self) -> list[str]:
        lines = [(row.reason, row.service, row.amount) for row in self.uncompared]
        return asking.reasons(lines, self.kinds, self.money)

    @property
    def hint(self) -> str:
        """What log to give besides; empty when nothing is missing."""
        return asking.hint([row.service for row in self.rows], self.kinds)

    @cached_property
    def kinds(self) -> set[str]:
        """The kinds that any log covers."""
        return {kind for log in self.result["logs"] for kind, span in log["coverage"].items() if span}

    @cached_property
    def classes(self) -> Counter[str]:
        return Counter(row.kind for row in self.rows)

    @property
    def stake(self) -> str:
        stakes = [row.stake for row in self.findings] + [each.stake for each in self.prices]
        return self.money(sum(stakes))

    def money(self, billionths: int) -> str:
        return amount(billionths, self.bundle.statement.currency)

    @property
    def by_tariff(self) -> bool:
        """Whether the lines were priced by a tariff too."""
        return "prices" in self.result

    @cached_property
    def confirmed(self) -> int:
        """How many lines the phone has too, and nothing disputes."""
        return sum(is_confirmed(row) for at, row in enumerate(self.rows) if at not in self.priced)

    @cached_property
    def most_confirmed(self) -> bool:
        return most_confirmed(self.rows)

    @property
    def operator(self) -> str:
        return f"operator {self.bundle.batch.operatorId}"

    @property
    def period(self) -> str:
        return f"{self.bundle.batch.period[:4]}-{self.bundle.batch.period[4:]}"

    @property
    def account(self) -> str:
        return printable(self.bundle.account.accountId, 256)

    @cached_property
    def unbilled(self) -> Counter[str]:
        """Entries without a line, by what became of them."""
        kinds = Counter(str(entry["class"]) for log in self.result["entries"] for entry in log)
        del kinds["billed"]
        return kinds

    @property
    def foreign(self) -> bool:
        """Whether the logs are most likely of another phone."""
        return any(row.reason == "foreign" for row in self.rows)

    @property
    def taxed(self) -> bool:
        """Whether tax is charged in lines of its own, which stakes leave out."""
        return has_tax(self.bundle)

    def verdict(self) -> str:
        """The first sentence of a report."""
        if self.foreign:
            return "This phone log does not seem to belong to this bill"
        if self.disputes:
            one = self.disputes == 1
            tax = ", before tax" if self.taxed else ""
            return f"{self.disputes} line{'' if one else 's'} to dispute, {self.stake} at stake{tax}"
        if self.confirmed or self.questions:
            far = " so far" if self.questions else ""
            confirmed = asking.confirmed(self.confirmed, len(self.rows), most=self.most_confirmed)
            return f"Nothing to dispute{far}{confirmed}"
        return "Nothing could be compared"

    def notes(self) -> list[str]:
        """What is to be known about each log: its clock, and what it covers."""
        return [note for log in self.result["logs"] for note in _log_notes(log)]


def moment(seconds: int, form: str = "%Y-%m-%d %H:%M") -> str:
    """Wall-clock seconds as a date and time."""
    if not 0 <= seconds <= _LAST_SECOND:
        return f"{seconds} s after 1970"
    return (datetime.fromtimestamp(0, UTC) + timedelta(seconds=seconds)).strftime(form)


def _row(
    record: doc.Record, found: Mapping[str, Any], currency: str, twin: int | None, elsewhere: bool
) -> Row:
    line, service, talked = line_of(record, currency), int(record.service), found["talked"]
    return Row(
        line=line,
        kind=str(found["class"]),
        reason=str(found["reason"]),
        why=words.why(
            str(found["class"]),
            str(found["reason"]),
            service=service,
            twin=twin,
            missing=asking.missing(service, elsewhere, named=bool(line.party)),
            talked="-" if talked is None else duration(talked),
            used=line.used,
            billed=line.billed,
        ),
        service=service,
        start=int(record.startedAt) + 60 * int(record.utcOffset),
        usage=int(record.usage),
        amount=int(record.amount),
        stake=int(found["stake"]),
        confidence=found["confidence"],
        talked=talked,
        entry=None if found["entry"] is None else (found["log"], found["entry"]),
        hash=record.hash,
        elsewhere=elsewhere,
    )


def _log_notes(log: Mapping[str, Any]) -> list[str]:
    name, clock = printable(str(log["name"]), 120), log["clock"]
    notes = [f"{name}: {log['entries']:,} entries, read as {printable(str(log['format']), 40)}."]
    if not clock["known"]:
        notes.append(
            f"{name}: too few lines and entries agree to tell how its clock runs; it was taken to be right."
        )
    elif clock["offset"]:
        way = "ahead of" if clock["offset"] > 0 else "behind"
        notes.append(
            f"{name}: its clock is {words.span(clock['offset'])} {way} the bill's, as {clock['support']}"
            " lines agree; this is allowed for."
        )
    for shift in clock["shifts"]:
        notes.append(
            f"{name}: {words.span(shift['offset'])} {'ahead' if shift['offset'] > 0 else 'behind'} around"
            f" {moment(shift['from'])} to {moment(shift['to'])} (another time zone, or the clock was set), as"
            f" {shift['support']} lines agree."
        )
    for kind, covered in log["coverage"].items():
        kinds = "MMS" if kind == "mms" else f"{kind}s"
        if covered:
            notes.append(f"{name}: covers {kinds} from {moment(covered[0])} to {moment(covered[1])}.")
        else:
            notes.append(f"{name}: has no {kinds}, so such lines cannot be compared with it.")
    return notes
