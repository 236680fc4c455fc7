"""A file of disputed records → what is proved, by whom, and what it adds up to.

Every record is followed to the root of its batch and the chain is asked for the root; every pair is judged
again by the agreement; sums are compared with the header and with the settlement that both sides signed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

import numpy as np

from billproof.answers import Answers
from billproof.clearing.agreement.agreement import Agreement, month_of
from billproof.clearing.disputes import form
from billproof.clearing.disputes.judging import ALONE, DOUBLES, NAMES, Judge, Sums
from billproof.clearing.disputes.proofs import OpenStatement, follow, open_statements
from billproof.clearing.disputes.reading import DisputesError, DisputesFile, NumberedLine
from billproof.clearing.kernel import Ints
from billproof.clearing.settlement.filling import traffic_words, worded
from billproof.clearing.settlement.settlement import Settlement
from billproof.errors import BillproofError, InputError
from billproof.inclusion import Problem
from billproof.ledger.lookup import RootAnswer
from billproof.printable import printable
from billproof.report import GRAVEST_FIRST, Report, Step, Verdict

#: Problems of a step that are kept; of all others there is the number.
MOST = 1000

_LINES = 1 << 11
_ASK = "Ask for the file again. If it stays so, keep both: whoever wrote it must explain it."


@dataclass
class DisputesReport(Report):
    """The report on a file of disputed records; problems' lines are the file's, counted from 1."""

    kind: str = "disputes"
    header: form.Header | None = None

    @property
    def verdict(self) -> Verdict:
        """The gravest of its steps: they do not build upon each other."""
        found = {step.verdict for step in self.steps}
        return next(verdict for verdict in GRAVEST_FIRST if verdict in found)


@dataclass
class _Found:
    """Problems of a step: the first ones, and how many there are."""

    problems: list[Problem] = field(default_factory=list)
    count: int = 0

    def add(self, problems: list[Problem]) -> None:
        self.count += len(problems)
        self.problems += problems[: MOST - len(self.problems)]

    def step(self, report: Report, name: str, valid: str, advice: str = _ASK) -> None:
        """Adds the step: valid where there is no problem."""
        if not self.count:
            report.add(name, Verdict.VALID, valid)
            return
        self.problems.sort(key=lambda problem: problem.line or 0)
        first = self.problems[0]
        more = f" (and {self.count - 1:,} more)" if self.count > 1 else ""
        place = f"line {first.line}, " if first.line else ""
        report.add(
            name, Verdict.INVALID, f"{place}{first.check}: {first.message}{more}", advice, self.problems
        )


@dataclass
class DisputesChecker:
    """Checks files; ``answers`` are the chain's. ``progress`` is told lines done and lines in all.

    Without ``agreement`` nothing is judged, and without ``settlement`` sums are compared with the header's
    alone.
    """

    answers: Answers
    agreement: Agreement | None = None
    settlement: Settlement | None = None
    progress: Callable[[int, int], None] = lambda done, total: None

    def check(self, path: Path) -> DisputesReport:
        """The report on one file."""
        report = DisputesReport(str(path))
        try:
            file = DisputesFile.open(path)
            report.header = file.header
            self._checked(file, report)
        except DisputesError as error:
            report.add("file", Verdict.INVALID, error.message, error.advice)
        except InputError as error:
            report.add("file", Verdict.UNUSABLE, error.message, error.advice)
        return report

    def _checked(self, file: DisputesFile, report: DisputesReport) -> None:
        header = file.header
        statements = open_statements(header)
        judge, unjudged = self._judge(header)
        sums, total = Sums(header), sum(dispute.count for dispute in header.disputes)
        inclusion, judgement, added = _Found(), _Found(), _Found()
        once = [_Once(name) for name in NAMES]
        count = 0
        for lines in _chunks(file.lines()):
            faulty = set()
            for side, name in enumerate(NAMES):
                if header.sides[side].statements:
                    records = [(at, record) for at, line in lines if (record := line.sides[side]) is not None]
                    problems = follow(records, statements[side], name)
                    inclusion.add(problems)
                    doubles = [(at, of) for at, line in lines if (of := line.doubles[side]) is not None]
                    wrong = follow(doubles, statements[side], DOUBLES[side])
                    inclusion.add(wrong)
                    faulty |= {problem.line for problem in (*problems, *wrong)}
                    once[side].add(each for each in records if each[0] not in faulty)
                    once[side].double(dict(records), (each for each in doubles if each[0] not in faulty))
            if judge is not None:
                judgement.add(judge.problems([each for each in lines if each[0] not in faulty]))
            added.add([problem for at, line in lines if (problem := sums.add(at, line))])
            count += len(lines)
            self.progress(count, total)
        for seen in once:
            inclusion.add(seen.problems())
        added.add(sums.problems())
        names = " and ".join(map(_named, header.sides))
        what = f"{count:,} disputed records of {names}, {month_of(int(header.period))}"
        report.add("file", Verdict.VALID, what)
        inclusion.step(report, "inclusion", "every record leads to its statement, every hash recomputed")
        if unjudged is not None:
            report.steps.append(unjudged)
        else:
            judgement.step(report, "judgement", "kinds and money follow from the records and the agreement")
        added.step(report, "sums", f"the lines add up to the {len(header.disputes):,} claims of the header")
        self._settled(report, header, statements)
        self._anchored(report, statements)
        for name, of in zip(NAMES, header.sides, strict=True):
            if not of.statements:
                message = f"{name}: {printable(of.name)}'s records are told, not proved"
                report.add("proofs", Verdict.CANNOT_CHECK, message, "Ask for its book as proof files.")
        singles = sum(each.count for each in header.disputes if each.kind in ALONE)
        if singles:
            report.notes.append(
                f"{singles:,} records are without a pair: that no other book has them is not proved here,"
                " for it takes the whole books (`billproof clear`)"
            )
        report.facts["currency"] = header.currency
        report.facts["disputes"] = sums.document()

    # --- the agreement -----------------------------------------------------------------------------

    def _judge(self, header: form.Header) -> tuple[Judge | None, Step | None]:
        """What judges the lines, or the step that says why they cannot be judged."""
        agreement = self.agreement
        if agreement is None:
            message = "kinds and money were not judged: they follow from the agreement"
            return None, Step("judgement", Verdict.CANNOT_CHECK, message, "Give its file with --agreement.")
        parties = {party.operator: party.name for party in agreement.parties}
        told: list[tuple[str, object, object]] = [
            ("agreement.hash", header.agreement.hash, "0x" + agreement.hash.hex()),
            ("agreement.name", header.agreement.name, agreement.name),
            ("currency", header.currency, agreement.settlement),
        ]
        for name, side in zip(NAMES, header.sides, strict=True):
            told.append((f"{name}.operator", side.operator in parties, True))
            told.append((f"{name}.name", side.name, parties.get(side.operator, side.name)))
        for field_name, one, other in told:
            if one != other:
                message = f"line 1, {field_name}: is not what the agreement says"
                problem = Problem(field_name, "is not what the agreement says", 1)
                advice = "Give the agreement that the file is of."
                return None, Step("judgement", Verdict.INVALID, message, advice, (problem,))
        return Judge(agreement.in_month(month_of(int(header.period))), header), None

    # --- the settlement ----------------------------------------------------------------------------

    def _settled(
        self, report: Report, header: form.Header, statements: tuple[list[OpenStatement], ...]
    ) -> None:
        """Compares disputes and batches with those of the settlement."""
        settlement = self.settlement
        if settlement is None:
            return
        found = _Found()
        told: list[tuple[str, object, object]] = [
            ("agreement.hash", header.agreement.hash, "0x" + settlement.agreement_hash.hex()),
            ("currency", header.currency, settlement.currency),
            ("period", int(header.period), settlement.period),
            ("payer", header.payer in _payers(settlement, header), True),
        ]
        message = "is not what the settlement says"
        found.add([Problem(field, message, 1) for field, one, other in told if one != other])
        claims = claims_of(settlement)
        called = keys_of(settlement, header)
        for at, (each, name) in enumerate(zip(header.disputes, called, strict=True)):
            claim = claims.get(name)
            if claim is None:
                found.add([Problem(f"disputes[{at}]", "the settlement has no such dispute", 1)])
            elif claim != (each.count, int(each.amount)):
                message = f"the settlement says {claim[0]} records, {claim[1]}"
                found.add([Problem(f"disputes[{at}]", message, 1)])
        batches = {
            (each.operator, each.period, each.region, each.sequence): each.root for each in settlement.batches
        }
        for statement in chain(*statements):
            batch = statement.batch
            key = (batch.operator_id, batch.period, batch.region, batch.sequence)
            if batches.get(key) != statement.root:
                message = "another root" if key in batches else "no such batch"
                found.add([Problem(statement.place, f"the settlement has {message}", 1)])
        found.step(report, "settlement", "disputes and batches are those of the settlement")

    # --- the chain ---------------------------------------------------------------------------------

    def _anchored(self, report: Report, statements: tuple[list[OpenStatement], ...]) -> None:
        """Asks the chain for the root of each batch."""
        gravest: tuple[Verdict, str, str] | None = None
        problems: list[Problem] = []
        batches = set()
        for statement in chain(*statements):
            batches.add(statement.batch)
            verdict, message, advice = self._root(statement)
            if verdict is Verdict.VALID:
                continue
            problems.append(Problem(statement.place, message, 1))
            if gravest is None or GRAVEST_FIRST.index(verdict) < GRAVEST_FIRST.index(gravest[0]):
                gravest = verdict, f"{statement.place}: {statement.batch}: {message}", advice
        if gravest is not None:
            report.add("anchoring", gravest[0], gravest[1], gravest[2], problems)
            return
        many = f"{len(batches)} batches" if len(batches) > 1 else "1 batch"
        report.add("anchoring", Verdict.VALID, f"the chain has the roots of {many} that the records lead to")
        notes = [f"{batch}: {note}" for batch in batches for note in self.answers.amendments(batch)]
        report.notes += sorted(notes)

    def _root(self, statement: OpenStatement) -> tuple[Verdict, str, str]:
        try:
            answer = self.answers.root(statement.batch)
        except BillproofError as error:
            return Verdict(error.exit_code), error.message, error.advice
        if answer.root != statement.root:
            return Verdict.INVALID, "the statement does not lead to the root that was anchored", _ASK
        return _standing(answer)


#: A dispute as settlements and files call it: kind, words, claimant, and whether it is a credit.
Called = tuple[str, str, int, bool]


def claims_of(settlement: Settlement) -> dict[Called, tuple[int, int]]:
    """Count and amount of a settlement's disputes.

    Numbers are left out: a settlement of both directions has its own.
    """
    found: dict[Called, tuple[int, int]] = {}
    for each in settlement.disputes:
        key = each.kind, each.words, each.claimant, each.amount < 0
        count, amount = found.get(key, (0, 0))
        found[key] = count + each.count, amount + each.amount
    return found


def keys_of(settlement: Settlement, header: form.Header) -> list[Called]:
    """The disputes of a file as the settlement calls them.

    A settlement of both directions says whose traffic each is about.
    """
    claims = claims_of(settlement)
    payer = next(side.name for side in header.sides if side.operator == header.payer)
    candidates = [
        [
            (each.kind, worded(each.words, ending), each.claimant, int(each.amount) < 0)
            for each in header.disputes
        ]
        for ending in ("", traffic_words(payer))
    ]
    return max(candidates, key=lambda keys: sum(key in claims for key in keys))


def _payers(settlement: Settlement, header: form.Header) -> set[int]:
    """Who may have paid for a file's traffic: in a settlement of one direction, as its amounts say."""
    payers = {each.payer for each in settlement.amounts}
    words = {each.words for each in settlement.disputes}
    one_direction = all(each.words in words for each in header.disputes)
    return payers if payers and one_direction else {side.operator for side in header.sides}


def uncovered(settlement: Settlement, headers: Iterable[form.Header]) -> int:
    """How many disputes of a settlement are in none of the files."""
    told = {key for header in headers for key in keys_of(settlement, header)}
    return len(set(claims_of(settlement)) - told)


def _named(side: form.SideForm) -> str:
    """An operator, and the accounts that its statements are of."""
    accounts = sorted({statement.account.accountId for statement in side.statements})
    words = f" (account {', '.join(accounts)})" if accounts else ""
    return printable(side.name + words)


def _standing(answer: RootAnswer) -> tuple[Verdict, str, str]:
    """What is wrong about a batch whose root is the one that was anchored."""
    if answer.state.repudiated:
        return (
            Verdict.CANNOT_CHECK,
            "the operator has repudiated this batch: it says that a stolen key anchored it",
            "Clear the books again, with the batch that replaces it.",
        )
    if answer.state.ring_fault:
        return (
            Verdict.CANNOT_CHECK,
            "this batch is flagged on the ledger: the operator committed contradicting accounts in it",
            "There may be another version of this statement; ask the operator to explain.",
        )
    return Verdict.VALID, "", ""


def _key(proved: form.Proved) -> int:
    """A record of one side as a number: its statement and index."""
    return proved.statement << 32 | int(proved.record.index)


@dataclass
class _Once:
    """The records of one side, each of which may be disputed once. Sixteen bytes a record.

    Nor may a duplicate be the copy of another one: each would say that the other is the record.
    """

    name: str
    _keys: list[Ints] = field(default_factory=list)
    _lines: list[Ints] = field(default_factory=list)
    _copies: list[Ints] = field(default_factory=list)  # (3, n): line, the record, and what it is a copy of

    def add(self, records: Iterable[tuple[int, form.Proved]]) -> None:
        """Takes records and their lines, which rise."""
        found = [(at, _key(proved)) for at, proved in records]
        self._lines.append(np.array([at for at, _ in found], np.int64))
        self._keys.append(np.array([key for _, key in found], np.int64))

    def double(self, records: Mapping[int, form.Proved], doubles: Iterable[tuple[int, form.Proved]]) -> None:
        """Takes what duplicates are copies of, by line; ``records`` has the duplicates."""
        found = [(at, _key(records[at]), _key(of)) for at, of in doubles]
        self._copies.append(np.array(found, np.int64).reshape(-1, 3).T)

    def problems(self) -> list[Problem]:
        """Records that are there a second time."""
        if not self._keys:
            return []
        keys, lines = np.concatenate(self._keys), np.concatenate(self._lines)
        order = np.argsort(keys, kind="stable")
        again = np.flatnonzero(keys[order][1:] == keys[order][:-1])
        firsts, seconds = lines[order][again].tolist(), lines[order][again + 1].tolist()
        at, copy, of = np.concatenate(self._copies, axis=1)
        mutual = at[np.isin(of, copy)].tolist()
        return [
            *(
                Problem(f"{self.name}.record", f"the same record as in line {first}", second)
                for first, second in zip(firsts, seconds, strict=True)
            ),
            *(
                Problem(f"{self.name}.record", "is the copy of a record that is disputed as a copy", line)
                for line in mutual
            ),
        ]


def _chunks(lines: Iterator[NumberedLine]) -> Iterator[list[NumberedLine]]:
    while chunk := list(islice(lines, _LINES)):
        yield chunk
