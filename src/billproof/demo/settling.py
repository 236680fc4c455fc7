"""The demo's month, once it is cleared: settled, proved, signed by both, and confirmed on the chain."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from billproof.answers import Answers
from billproof.clearing.disputes.check import DisputesChecker, uncovered
from billproof.clearing.disputes.writing import write_disputes
from billproof.clearing.document.form import File, tree_of
from billproof.clearing.house.files import read_part, write_part
from billproof.clearing.house.parts import Terms, agree, propose, require_part
from billproof.clearing.house.parts import sign as add_signature
from billproof.clearing.report.page import html_report
from billproof.clearing.settlement.filling import settle_documents
from billproof.clearing.settlement.form import document, document_hash
from billproof.clearing.settlement.pdf import paper
from billproof.clearing.settlement.reading import load_document
from billproof.clearing.settlement.settlement import Settlement
from billproof.clearing.settlement.xlsx import workbook
from billproof.commitment.keccak import keccak
from billproof.demo import clearing_cases, clearing_labels
from billproof.files import write_file
from billproof.identity import identify
from billproof.ledger.house_reads import clearing_state, part_state
from billproof.ledger.house_states import PartState, PartStatus
from billproof.ledger.rpc import connect
from billproof.records import money
from billproof.report import Verdict
from billproof.trust import Pins

if TYPE_CHECKING:
    from billproof.demo.clearing import Month

_PAYMENT = b"transfer 4711"
_DUE, _OPEN = 30, 60  # days


def settle(month: Month, found: dict[int, list[File]]) -> Settlement:
    """One makes the settlement, also for people to read; the other compares it with its own."""
    with month.demo.stage.step("settle the month") as (step, _):
        issued = date.today()
        days = [(issued + timedelta(days)).isoformat() for days in (0, _DUE, _OPEN)]
        content = document(settle_documents(found[1], month.agreement, *days))
        for number in found:
            write_file(month.home(number) / "settlement.json", content, mode=0o600)
        got, signed = load_document(month.home(2) / "settlement.json")
        if content != document(settle_documents(found[2], month.agreement, *days)):
            month.problems.append("the two operators would not settle the same")
        page = html_report([tree_of(each) for each in found[1]], got)
        for name, octets in (
            ("report.html", page.encode()),
            ("settlement.xlsx", workbook(got, signed)),
            ("settlement.pdf", paper(got, signed)),
        ):
            write_file(month.home(1) / name, octets, mode=0o600)
        net = got.net
        step.detail = (
            f"{net.payer.name} owes {net.payee.name} {money(net.amount)} {got.currency};"
            f" {money(got.disputed)} stay open"
        )
    return got


def prove(month: Month, settlement: Settlement) -> None:
    """One writes every disputed record with both sides' proofs; the other follows and judges each again."""
    demo = month.demo
    with demo.stage.step("prove what is disputed", len(month.laid_over)) as (step, advance):
        pins = Pins.load(demo.out / "trust.json")
        answers = Answers([connect(demo.rpc)], None, False, identify, pins)
        checker = DisputesChecker(answers, month.agreement, settlement)
        count, headers = 0, []
        for payer, (found, file, sides) in month.laid_over.items():
            path = month.home(1) / f"disputes-{payer}.jsonl"
            count += write_disputes(path, found, file, sides, secrets=demo.secrets)
            report = checker.check(path)
            headers += [report.header] if report.header else []
            if report.verdict is not Verdict.VALID:
                failed = next(each for each in report.steps if each.verdict is report.verdict)
                month.problems.append(f"{path.name}: {failed.message}")
            advance(1)
        if uncovered(settlement, headers):
            month.problems.append("the settlement has disputes that nothing proves")
        step.detail = f"{count:,} records or pairs, by both sides' proofs, add up to what stays open"


def sign(month: Month, clearing: bytes, settlement: Settlement) -> PartState:
    """One proposes, both compare and sign, the creditor confirms that it was paid."""
    demo, house = month.demo, month.house
    with demo.stage.step("sign the net amount") as (step, _):
        state = clearing_state(demo.chain, demo.deployment, clearing)
        path = demo.out / "clearing" / "part.json"
        signed = document_hash(document(settlement))
        write_part(propose(house[1].client, state, settlement, signed, Terms()), path)
        month.refusals += clearing_cases.forged(house[2], path, month.home(2) / "settlement.json")
        for number in state.operators:
            own, its_hash = load_document(month.home(number) / "settlement.json")
            part = read_part(path)
            require_part(house[number].client, part, own, its_hash)
            write_part(add_signature(house[number], part), path)
        part = read_part(path)
        month.refusals.append(clearing_cases.signed_by_another(house[1], month.anchorer[2], part))
        done = agree(house[2], part)
        step.gas += done.gas_used if done else 0
        month.refusals.append(clearing_cases.twice(house[2], part))
        month.refusals.append(clearing_cases.confirmed_by_debtor(house[part.debtor], part))
        payment = keccak(part.amount.opening.salt + _PAYMENT)
        step.gas += house[part.creditor].confirm(clearing, part.number, payment).gas_used
        month.problems += clearing_labels.compare_amount(month.files, demo, part)
        stored = part_state(demo.chain, demo.deployment, clearing, part.number)
        if stored.status is not PartStatus.CONFIRMED:
            month.problems.append(f"the part is {stored.status.word} on the chain")
        step.detail = f"part {part.number}, signed by both, {stored.status.word.lower()} by the creditor"
    return stored
