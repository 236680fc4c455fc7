"""What a verdict says of the tariff that a statement names: every status, and that the verdict stays."""

from __future__ import annotations

import calendar
from typing import Any

import msgspec
import pytest

from billproof.bundle import cut
from billproof.bundle import documents as doc
from billproof.commitment.keccak import keccak
from billproof.errors import CannotCheckError
from billproof.inclusion import include_bundle
from billproof.ledger import tariff_reads
from billproof.ledger.artifact import TARIFF_BOOK
from billproof.ledger.calls import encode_call
from billproof.ledger.client import BatchAnchor
from billproof.ledger.deploy import deploy_book
from billproof.ledger.states import TariffState
from billproof.ledger.tariff_book import TariffBook
from billproof.ledger.transactions import broadcast, sign
from billproof.records import ZERO32
from billproof.report import Report, Verdict
from billproof.verification import Verifier

ROWS = [
    "A1,call,2026-10-03T10:00:00+01:00,61,+353209100001,0.50,national 0.25/min,",
    "A1,call,2026-10-31T23:59:00+00:00,61,+353209100001,0.50,national 0.25/min,",
    "A2,fee,2026-10-01T00:00:00+01:00,0,,20.00,monthly fee,",
]


def at(*moment: int) -> int:
    return calendar.timegm((*moment, 0, 0, 0)[:6])


OCTOBER, NOVEMBER = at(2026, 10, 1), at(2026, 11, 1)


class Case:
    """Batches of the world's month, each with a tariff of its own, and the chain's clock."""

    def __init__(self, world: Any) -> None:
        self.world = world
        self.chain = world.client.endpoint
        deploy_book(self.chain, world.client.signer, world.client.deployment)
        self.book = TariffBook(world.client)
        self.plain = world.batch(ROWS)
        self.region = 0

    def bundle(self, tariff: bytes | None, account: str = "A1") -> Any:
        """An account's bundle that names the file with these bytes, alone in its batch, anchored in
        November."""
        self.region += 1
        plain = self.world.bundle(account, self.plain)
        named = ZERO32 if tariff is None else keccak(tariff)
        bundle = msgspec.structs.replace(
            plain,
            batch=msgspec.structs.replace(plain.batch, region=str(self.region), sequence="1"),
            statement=msgspec.structs.replace(plain.statement, tariff="0x" + named.hex()),
            entry=doc.Entry(nextAccount=plain.statement.account, proof=[]),
        )
        self.chain.set_time(NOVEMBER + 86_400)
        root = include_bundle(bundle).root
        self.world.client.anchor(1, BatchAnchor(202610, self.region, 1, root, b"\1" * 32))
        return bundle

    def publish(self, tariff: bytes, when: int, valid: int = OCTOBER, until: int = 0) -> None:
        self.chain.set_time(when)
        self.book.publish(1, keccak(tariff), valid, until)

    def withdraw(self, tariff: bytes, when: int) -> None:
        """With gas of its own choice: an embedded chain estimates by this machine's clock."""
        client = self.world.client
        data = encode_call("withdraw", [1, keccak(tariff), when], TARIFF_BOOK)
        broadcast(self.chain, sign(self.chain, client.signer, self.book.address, data, gas=100_000).raw)

    def verify(self, document: Any, **changes: Any) -> Report:
        options = {"rpc": [self.world.rpc], "pins": self.world.pins, **changes}
        return Verifier(**options).verify(self.world.write("case.json", document))


@pytest.fixture(scope="module")
def case(september: Any) -> Case:
    """Published in September, in this order, since a chain's clock does not go back."""
    case = Case(september)
    case.publish(b"timely", at(2026, 9, 20), until=at(2027, 10, 1))
    case.publish(b"withdrawn in time", at(2026, 9, 20))
    case.publish(b"withdrawn later", at(2026, 9, 21))
    case.publish(b"of november", at(2026, 9, 22), valid=NOVEMBER)
    case.publish(b"ended", at(2026, 9, 22), valid=at(2026, 9, 1), until=at(2026, 10, 31))
    case.publish(b"at the last second", OCTOBER)
    case.publish(b"late", OCTOBER + 1)
    case.publish(b"late by its days", at(2026, 10, 4), valid=at(2026, 10, 3))
    case.publish(b"within the month", at(2026, 10, 5), valid=at(2026, 10, 20))
    case.chain.set_time(at(2026, 10, 10))
    case.withdraw(b"withdrawn in time", at(2026, 10, 31))
    case.withdraw(b"withdrawn later", NOVEMBER)
    return case


def steps(report: Report) -> dict[str, str]:
    return {step.name: step.message for step in report.steps}


def test_priced_by_a_published_version(case: Case) -> None:
    report = case.verify(case.bundle(b"timely"))
    assert report.verdict is Verdict.VALID
    assert steps(report)["tariff"] == (
        f"priced by the tariff 0x{keccak(b'timely').hex()[:8]}… published on 2026-09-20T00:00:00Z,"
        " valid from 2026-10-01 up to and including 2027-09-30"
    )
    assert not report.notes
    assert report.facts["tariff"] == {
        "status": "published",
        "hash": "0x" + keccak(b"timely").hex(),
        "publishedAt": at(2026, 9, 20),
        "validFrom": OCTOBER,
        "validUntil": at(2027, 10, 1),
        "withdrawnFrom": None,
    }


def test_a_receipt_tells_it_too(case: Case) -> None:
    receipt = cut.receipt(case.bundle(b"timely"), 0, show_number=False)
    assert case.verify(receipt).facts["tariff"]["status"] == "published"


def test_names_none_and_asks_nobody(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = case.bundle(None)
    monkeypatch.setattr(tariff_reads, "book_address", lambda ledger: pytest.fail("somebody was asked"))
    report = case.verify(bundle)
    assert report.verdict is Verdict.VALID
    step = next(step for step in report.steps if step.name == "tariff")
    assert (step.message, step.remark) == ("the statement names no tariff", True)
    assert report.facts["tariff"] == {"status": "none"}


@pytest.mark.parametrize(
    ("tariff", "status", "words"),
    [
        (b"never", "unpublished", "never published"),
        (b"late", "late", "published after the period or a line that it prices began"),
        (
            b"withdrawn in time",
            "withdrawn",
            "withdrawn from 2026-10-31T00:00:00Z on: withdrawn before the last line",
        ),
        (b"of november", "outside", "valid from 2026-11-01 on: not valid for every line"),
        (b"ended", "outside", "up to and including 2026-10-30: not valid for every line"),
        (b"within the month", "outside", "published on 2026-10-05"),
    ],
)
def test_what_is_wrong_is_told_and_the_verdict_stays(
    case: Case, tariff: bytes, status: str, words: str
) -> None:
    report = case.verify(case.bundle(tariff))
    assert report.verdict is Verdict.VALID
    assert report.facts["tariff"]["status"] == status
    assert "tariff" not in steps(report)
    (note,) = report.notes
    assert words in note


def test_several_things_are_told_at_once(case: Case) -> None:
    (note,) = case.verify(case.bundle(b"late by its days")).notes
    assert note.endswith("published after the period or a line that it prices began")
    case.publish(b"late and ended", NOVEMBER + 2 * 86_400, until=at(2026, 10, 2))
    (note,) = case.verify(case.bundle(b"late and ended")).notes
    assert note.endswith(
        ": published after the period or a line that it prices began, not valid for every line"
    )


@pytest.mark.parametrize("tariff", [b"at the last second", b"withdrawn later"])
def test_the_edges_are_in_order(case: Case, tariff: bytes) -> None:
    """In the period's first second, and withdrawn from the second after its last."""
    assert case.verify(case.bundle(tariff)).facts["tariff"]["status"] == "published"


def test_a_tariffs_days_are_those_of_the_lines(case: Case) -> None:
    """The last line began at 23:59 of 31 October in Dublin; one of a fee has no say, the period has."""
    case.publish(b"october alone", NOVEMBER + 3 * 86_400, until=NOVEMBER)
    assert "not valid" not in case.verify(case.bundle(b"october alone")).notes[0]
    fee = case.verify(case.bundle(b"of november", account="A2"))
    assert fee.facts["tariff"]["status"] == "outside"


def test_another_operators_publication_says_nothing(case: Case) -> None:
    rival = TariffBook(
        type(case.world.client)(case.chain, case.world.client.deployment, case.world.client.signer)
    )
    number, _ = rival.client.register_operator("Mallory", "", "")
    rival.publish(number, keccak(b"somebody else's"), OCTOBER)
    assert case.verify(case.bundle(b"somebody else's")).facts["tariff"]["status"] == "unpublished"


def test_a_ledger_without_a_book(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = case.bundle(b"timely")
    monkeypatch.setattr(tariff_reads, "book_address", lambda ledger: "0x" + "ab" * 20)
    report = case.verify(bundle)
    assert report.verdict is Verdict.VALID
    assert report.facts["tariff"]["status"] == "no-book"
    assert "no tariff book" in report.notes[0]


def test_a_node_that_fails_or_lies_about_it_changes_no_verdict(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = case.bundle(b"timely")

    def fails(*_: Any) -> TariffState:
        raise CannotCheckError("the node is tired", advice="try again")

    monkeypatch.setattr("billproof.answers.tariff_state", fails)
    report = case.verify(bundle)
    assert report.verdict is Verdict.VALID
    assert [step.name for step in report.steps] == ["file", "inclusion", "anchoring", "identity"]
    assert "could not be looked up: the node is tired" in report.notes[0]
    assert report.facts["tariff"]["status"] == "unknown"


def test_asked_once_for_all_files_of_a_tariff(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = case.bundle(b"timely")
    asked: list[str] = []

    def counting(endpoint: Any, deployment: Any, operator_id: int, tariff: bytes, block: str) -> Any:
        asked.append(block)
        return tariff_reads.tariff_state(endpoint, deployment, operator_id, tariff, block)

    monkeypatch.setattr("billproof.answers.tariff_state", counting)
    verifier = Verifier(rpc=[case.world.rpc], pins=case.world.pins)
    for line in range(2):
        receipt = cut.receipt(bundle, line, show_number=True)
        assert verifier.verify(case.world.write(f"line-{line}.json", receipt)).verdict is Verdict.VALID
    assert len(asked) == 1
    assert asked[0].startswith("0x")  # at the block of the root, not at the newest
