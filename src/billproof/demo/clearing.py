"""The demo's two operators clear their month: committed, opened, laid over each other, settled and signed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from billproof.clearing.agreement.agreement import load_agreement, month_of
from billproof.clearing.books.book import Codes, load_book
from billproof.clearing.books.sides import Sides, sides_of
from billproof.clearing.clearing import Clearing
from billproof.clearing.clearing import clear as lay_over
from billproof.clearing.document.document import document as document_of
from billproof.clearing.document.form import File, tree_of
from billproof.clearing.house.books import (
    book_of_store,
    check_book,
    commit_book,
    place_of,
    require_anchored,
    reveal_book,
)
from billproof.clearing.house.files import read_book
from billproof.clearing.settlement.settlement import Settlement
from billproof.demo import clearing_cases, clearing_labels, partners, settling
from billproof.demo.clearing_cases import Refusal
from billproof.files import json_bytes, write_file
from billproof.ledger.clearing_house import ClearingHouse
from billproof.ledger.house_reads import clearing_state
from billproof.ledger.house_states import ClearingState, Deadlines, PartState
from billproof.ledger.reads import block_ref
from billproof.simulate.partner_files import PartnerFiles

if TYPE_CHECKING:
    from billproof.demo.run import Demo

OPERATORS = (1, 2)
_DAY = 86_400


@dataclass
class Cleared:
    """What has become of the month: documents of both directions, what both signed, and what was tried.

    ``problems`` are what is not as the labels of the simulated traffic have it; there should be none.
    """

    home: Path
    agreement: Path
    state: ClearingState
    found: list[File]
    settlement: Settlement
    part: PartState
    refusals: list[Refusal]
    problems: list[str]

    @property
    def good(self) -> bool:
        """Whether everything is as the labels have it, and whoever cheated was refused."""
        return not self.problems and all(refusal.expected for refusal in self.refusals)

    def document(self) -> dict[str, Any]:
        """For ``summary.json``; money in billionths of the settlement currency."""
        net = self.settlement.net
        return {
            "id": "0x" + self.state.id.hex(),
            "state": self.state.state.word,
            "part": self.part.status.word,
            "net": {
                "payer": net.payer.operator,
                "payee": net.payee.operator,
                "amount": str(net.amount),
                "currency": self.settlement.currency,
            },
            "open": {"claims": len(self.settlement.disputes), "amount": str(self.settlement.disputed)},
            "causes": [
                {
                    "from": each.payer,
                    "kind": cause.kind,
                    "words": cause.words,
                    "count": cause.count,
                    "money": cause.money,
                }
                for each in self.found
                for cause in each.causes
            ],
            "problems": self.problems,
            "cases": {refusal.name: refusal.document() for refusal in self.refusals},
            "report": str(self.home / "report.html"),
        }


def run(demo: Demo, files: PartnerFiles, admins: tuple[int, int], anchorers: tuple[int, int]) -> Cleared:
    """Takes the month from the anchored batches to a net amount that both have signed."""
    house = {
        number: ClearingHouse(demo.client(admin)) for number, admin in zip(OPERATORS, admins, strict=True)
    }
    return Month(demo, files, house, anchorers).run()


class Month:
    """One clearing while it is made: each operator in a folder of its own, as on a machine of its own."""

    def __init__(
        self, demo: Demo, files: PartnerFiles, house: dict[int, ClearingHouse], anchorers: tuple[int, int]
    ) -> None:
        self.demo, self.files, self.house = demo, files, house
        self.anchorer = {
            number: ClearingHouse(demo.client(account))
            for number, account in zip(OPERATORS, anchorers, strict=True)
        }
        self.agreement = load_agreement(files.agreement).in_month(month_of(demo.period))
        self.laid_over: dict[int, tuple[Clearing, File, Sides]] = {}  # by payer, as operator 1 cleared it
        self.refusals: list[Refusal] = []
        self.problems: list[str] = []

    def home(self, operator: int) -> Path:
        """Where an operator keeps what it has of the clearing."""
        return self.demo.out / "clearing" / f"operator-{operator}"

    def run(self) -> Cleared:
        clearing = self._commit()
        self._hand_over(clearing)
        found = self._clear()
        settlement = settling.settle(self, found)
        settling.prove(self, settlement)
        part = settling.sign(self, clearing, settlement)
        self.problems += clearing_labels.compare(self.files, found[1], settlement)
        state = clearing_state(self.demo.chain, self.demo.deployment, clearing)
        return Cleared(
            self.home(1),
            self.files.agreement,
            state,
            found[1],
            settlement,
            part,
            self.refusals,
            self.problems,
        )

    def _commit(self) -> bytes:
        """Both commit to what is anchored before either sees the other's, then both open."""
        demo = self.demo
        with demo.stage.step("commit to both books") as (step, _):
            now = block_ref(demo.chain, "latest").time  # type: ignore[union-attr]
            limits = Deadlines(*(now + days * _DAY for days in (7, 14, 60, 90)))
            clearing, receipt = self.anchorer[1].open(*OPERATORS, demo.period, limits)
            step.gas += receipt.gas_used
            place = place_of(demo.deployment, clearing_state(demo.chain, demo.deployment, clearing))
            for number in OPERATORS:
                accounts = [partners.accounts(number, payer) for payer in OPERATORS]
                book, batches = book_of_store(demo.store, place, number, accounts)
                anchored = require_anchored(demo.chain, demo.deployment, batches)
                path = self.home(number) / "book.json"
                path.parent.mkdir(parents=True)
                done = commit_book(self.anchorer[number], book, anchored, path)
                step.gas += done.gas_used if done else 0
                if number == 1:
                    self.refusals.append(clearing_cases.peek(self.anchorer[1], path))
            self.refusals.append(clearing_cases.other_book(self.anchorer[2], self.home(2) / "book.json"))
            for number in OPERATORS:
                done = reveal_book(self.anchorer[number], read_book(self.home(number) / "book.json"))
                step.gas += done.gas_used if done else 0
            step.detail = f"clearing 0x{clearing.hex()[:8]}…: anchored, committed, then opened by both"
        return clearing

    def _hand_over(self, clearing: bytes) -> None:
        """Each gives the other its statements, and compares what it got with what was committed to."""
        demo = self.demo
        with demo.stage.step("hand over the books", len(OPERATORS)) as (step, advance):
            state = clearing_state(demo.chain, demo.deployment, clearing)
            count = records = 0
            for number in OPERATORS:
                partner = state.partner(number)
                got = partners.hand_over(demo, partner, self.home(number) / "received")
                checked = check_book(demo.chain, demo.deployment, state, partner, got)
                self.problems += checked.problems
                count, records = count + checked.statements, records + checked.records
                advance(1)
            self.refusals.append(clearing_cases.left_out(demo, state, self.home(1) / "received"))
            step.detail = f"{count} statements of {records:,} lines: what both had committed to"

    def _clear(self) -> dict[int, list[File]]:
        """What each operator finds: its own store beside the proof files of the other, in both directions."""
        demo = self.demo
        with demo.stage.step("clear both directions", len(OPERATORS) ** 2) as (step, advance):
            found: dict[int, list[File]] = {}
            for number in OPERATORS:
                found[number] = []
                for payer in OPERATORS:
                    file = self._laid_over(number, payer)
                    write_file(
                        self.home(number) / f"clear-{payer}.json", json_bytes(tree_of(file)), mode=0o600
                    )
                    found[number].append(file)
                    advance(1)
            differences = sum(
                each.pairs - each.agreed + each.ours.unpaired + each.theirs.unpaired for each in found[1]
            )
            pairs, causes = sum(each.pairs for each in found[1]), sum(len(each.causes) for each in found[1])
            step.detail = f"{pairs:,} pairs, {differences:,} differences, nearly all of {causes} causes"
        return found

    def _laid_over(self, number: int, payer: int) -> File:
        partner = OPERATORS[2 - number]
        codes = Codes()
        ours, theirs = (
            load_book(path, self.agreement, codes, account=[partners.accounts(operator, payer)])
            for operator, path in (
                (number, self.demo.store / str(number)),
                (partner, self.home(number) / "received"),
            )
        )
        sides = sides_of((ours, theirs), self.agreement, payer=0 if payer == number else 1)
        found = lay_over(*sides.turned((ours, theirs)), self.agreement, codes)
        file = document_of(found, sides)
        if number == 1:
            self.laid_over[payer] = found, file, sides
        return file
