"""File → verdict, in the protocol's order: schema, hashes, root, ledger's own code, identity.

Nothing of the file leaves the machine: nodes are asked for the root of the batch, the operator, and the
tariff that a statement names, all public, and no more, unless the caller chooses ``on_chain="node"``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from billproof.answers import Answers, key_of
from billproof.batch_id import BatchId
from billproof.bundle import documents as doc
from billproof.bundle.lines import line_of
from billproof.bundle.reading import Opened, open_document
from billproof.bundle.reading import read_document as read_document
from billproof.errors import BillproofError, InputError
from billproof.identity import Identity, identify
from billproof.inclusion import (
    Inclusion,
    Problem,
    amendment_problems,
    include_bundle,
    include_receipt,
    line_of_problem,
    raising_lines,
)
from billproof.ledger.lookup import RootAnswer
from billproof.ledger.rpc import connect
from billproof.on_chain import ledger_call
from billproof.publication import NONE, PUBLISHED, judge, tariff_of, unknown, unnamed
from billproof.report import Report, Step, Verdict
from billproof.trust import Pins
from billproof.wording import anchoring, anchoring_facts, description, facts, first, raising

_COMPLAIN = (
    "Fetch the file again from the operator. If it stays invalid, keep both: the operator must explain it."
)
_PAGE_LIES = "Believe neither. Ask the operator for the invoice again, and who changed this one."
_SHOW = "Go by `billproof show`: it prints the attachment, which is what was checked, not the pages."


@dataclass
class Verifier:
    """Verifies files against the user's choice of nodes, deployments and pins; answers are asked once.

    ``rpc`` names nodes of the user's own choice; without it, the deployment's list is asked. ``on_chain``
    is ``""``, ``"local"`` (the ledger's code in this process) or ``"node"`` (discloses the fields to it).
    """

    pins: Pins
    rpc: Sequence[str] = ()
    deployment: Path | None = None
    on_chain: str = ""
    testnets: bool = False
    identify: Callable[..., Identity] = identify
    _statements: dict[tuple[BatchId, bytes], tuple[bytes, Report]] = field(default_factory=dict)
    _lines: dict[tuple[object, ...], tuple[BatchId, str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        chosen = [connect(spec) for spec in self.rpc]
        self._answers = Answers(chosen, self.deployment, self.testnets, self.identify, self.pins)

    def verify(self, path: Path | str) -> Report:
        """The verdict on one file, a bundle, a receipt, an invoice or a receipt's code."""
        report = Report(str(path) if isinstance(path, Path) else f"{path[:24]}…")
        try:
            opened = open_document(path)
        except doc.SchemaError as error:
            report.add("file", Verdict.INVALID, f"claims our format and breaks it: {error.message}")
            return report
        except InputError as error:
            report.add("file", Verdict.UNUSABLE, error.message, error.advice)
            return report
        self.verify_document(opened.document, report)
        if opened.pdf is not None and report.batch is not None:
            _compare_page(report, opened)
        return report

    def verify_document(self, document: doc.Bundle | doc.Receipt, report: Report) -> Report:
        """The same for a document that has been parsed already."""
        report.kind = "bundle" if isinstance(document, doc.Bundle) else "receipt"
        try:
            inclusion = _include(document)
        except doc.SchemaError as error:
            report.add("file", Verdict.INVALID, f"claims our format and breaks it: {error.message}")
            return report
        report.batch = inclusion.batch
        report.lines = partial(_line, document)
        report.facts = facts(document, inclusion)
        report.add("file", Verdict.VALID, description(document))
        if inclusion.problems:
            message = first(inclusion.problems)
            report.add("inclusion", Verdict.INVALID, message, _COMPLAIN, problems=inclusion.problems)
            return report
        try:
            answer = self._answers.root(inclusion.batch)
            if not self._anchored(report, document, inclusion, answer):
                return report
            if self.on_chain and not self._agreed(report, document, inclusion, answer):
                return report
        except BillproofError as error:
            report.add("anchoring", Verdict(error.exit_code), error.message, error.advice)
            return report
        if not self._consistent(report, inclusion):
            return report
        self._identified(report, inclusion.batch)
        self._priced(report, document, inclusion.batch)
        if isinstance(document, doc.Bundle):
            self._compare_with_earlier(report, document, inclusion.batch)
        return report

    # --- the root ----------------------------------------------------------------------------------

    def _anchored(
        self, report: Report, document: doc.Bundle | doc.Receipt, inclusion: Inclusion, answer: RootAnswer
    ) -> bool:
        """Compares roots and says when and by whose word."""
        if answer.root != inclusion.root:
            return report.add(
                "inclusion",
                Verdict.INVALID,
                "the file does not lead to the root that was anchored for this batch:"
                " it was changed, or it was never part of the batch",
                _COMPLAIN,
            )
        if answer.state.amends:
            problems = amendment_problems(document)
            if problems:
                return report.add("inclusion", Verdict.INVALID, first(problems), problems=problems)
        elif raised := raising_lines(document):
            report.notes.append(raising(raised))
        lines = len(document.records) if isinstance(document, doc.Bundle) else 1
        report.add(
            "inclusion",
            Verdict.VALID,
            f"every hash recomputed: {lines} line{'s' * (lines != 1)} in the anchored batch",
        )
        report.facts |= anchoring_facts(answer)
        if answer.state.repudiated:
            return report.add(
                "anchoring",
                Verdict.CANNOT_CHECK,
                "the operator has repudiated this batch: it says that a stolen key anchored it",
                "Keep the file. Ask the operator for the bundle of the batch that replaces it.",
            )
        if answer.state.ring_fault:
            return report.add(
                "anchoring",
                Verdict.CANNOT_CHECK,
                "this batch is flagged on the ledger: the operator committed contradicting accounts in it",
                "Keep the file. There may be another version of this statement; ask the operator to explain.",
            )
        report.notes += self._answers.amendments(inclusion.batch)
        return report.add("anchoring", Verdict.VALID, anchoring(inclusion.batch, answer))

    # --- the ledger's own code ---------------------------------------------------------------------

    def _agreed(
        self, report: Report, document: doc.Bundle | doc.Receipt, inclusion: Inclusion, answer: RootAnswer
    ) -> bool:
        """Has the ledger's own code verify the fields, in this process or on the node."""
        from billproof.ledger.local_evm import call_node, run_locally  # an EVM, only when asked for

        lookup = self._answers.lookup(inclusion.batch)
        name, arguments = ledger_call(document, inclusion.batch)
        if self.on_chain == "node":
            node = lookup.answering[0]
            reason = call_node(node, lookup.deployment, name, arguments, hex(answer.block.number))
            where = node.name
        else:
            reason = run_locally(lookup.deployment, key_of(inclusion.batch), answer, name, arguments)
            where = "an EVM on this machine"
        if reason:
            return report.add(
                "ledger code", Verdict.INVALID, f"the ledger's own code, run by {where}: {reason.words}"
            )
        return report.add("ledger code", Verdict.VALID, f"{name} agrees, run by {where}")

    # --- who the operator is -----------------------------------------------------------------------

    def _identified(self, report: Report, batch: BatchId) -> None:
        identity = self._answers.identity(batch)
        if isinstance(identity, BillproofError):
            report.add("identity", Verdict(identity.exit_code), identity.message, identity.advice)
            return
        report.facts["operator"] = {
            "name": identity.name,
            "domain": identity.domain,
            "identity": identity.status,
        }
        if identity.status in ("pinned", "bound"):
            report.add("identity", Verdict.VALID, identity.how)
        else:
            report.add(
                "identity", Verdict.CANNOT_CHECK, f"operator unverified: {identity.how}", identity.advice
            )

    # --- the tariff --------------------------------------------------------------------------------

    def _priced(self, report: Report, document: doc.Bundle | doc.Receipt, batch: BatchId) -> None:
        """Tells which published version of a tariff the statement names. The verdict stays as it is, and so
        do the nodes: this comes last."""
        tariff = tariff_of(document)
        found = unnamed()
        if tariff:
            state = self._answers.tariff(batch, tariff)
            if isinstance(state, BillproofError):
                found = unknown(tariff, state.message)
            else:
                found = judge(document, batch, tariff, state)
        report.facts["tariff"] = found.document()
        if found.status in (PUBLISHED, NONE):
            step = Step("tariff", Verdict.VALID, found.message, remark=found.status == NONE)
            report.steps.append(step)
        else:
            report.notes.append(found.message)

    # --- several files -----------------------------------------------------------------------------

    def _consistent(self, report: Report, inclusion: Inclusion) -> bool:
        """One account has one statement in a batch: a second one, in another file, condemns both."""
        place = (inclusion.batch, inclusion.account)
        statement, other = self._statements.setdefault(place, (inclusion.statement, report))
        if statement == inclusion.statement:
            return True
        for one, against in ((report, other), (other, report)):
            one.add(
                "inclusion",
                Verdict.INVALID,
                f"contradicts {against.file}: two statements for one account in one batch, both committed",
                "Keep both files: they prove it. `billproof audit` on the batch's manifest says more.",
            )
        return False

    def _compare_with_earlier(self, report: Report, bundle: doc.Bundle, batch: BatchId) -> None:
        """Notes lines that an earlier file, of another batch, charged as well."""
        twice: list[tuple[str, str]] = []
        for record in bundle.records:
            if int(record.service) >= 32:  # fees recur by design
                continue
            triple = (batch.chain_id, batch.ledger, batch.operator_id)
            line = (*triple, record.service, record.startedAt, record.number, record.usage)
            seen, file = self._lines.setdefault(line, (batch, report.file))
            if seen != batch:
                twice.append((record.index, file))
        for index, file in twice:
            report.notes.append(f"line {int(index) + 1} is in {file} too: a possible double charge")


def verify(
    path: Path | str,
    *,
    rpc: Sequence[str] | str = (),
    deployment: Path | None = None,
    trust: Path | None = None,
    on_chain: str = "",
    testnets: bool = False,
) -> Report:
    """Verifies one bundle or receipt. For many files keep a :class:`Verifier`, which asks nodes once."""
    return Verifier(
        rpc=[rpc] if isinstance(rpc, str) else rpc,
        deployment=deployment,
        pins=Pins.load(trust),
        on_chain=on_chain,
        testnets=testnets,
    ).verify(Path(path))


def _line(document: doc.Bundle | doc.Receipt, index: int) -> str:
    record = line_of_problem(document, index) if isinstance(document, doc.Bundle) else document.record
    return str(line_of(record, document.statement.currency))


def _compare_page(report: Report, opened: Opened) -> None:
    """Whether an invoice's pages say what its attachment says: those are what people read."""
    from billproof.bundle.page import compare  # what prints, only when there is a page

    if opened.pdf is None or not isinstance(opened.document, doc.Bundle):
        return
    found = compare(opened.pdf, opened.content, opened.document)
    if found.differences:
        first_of = found.differences[0]
        problems = tuple(Problem("page", each.message, each.line) for each in found.differences)
        step = Step("page", Verdict.INVALID, first_of.message, _PAGE_LIES, problems)
        report.steps.insert(1, step)  # graver than what the chain says of an attachment that nobody sees
    elif found.doubt:
        report.add("page", Verdict.CANNOT_CHECK, f"the pages cannot be compared: {found.doubt}", _SHOW)
    else:
        report.add("page", Verdict.VALID, f"the pages say what the attachment says, {found.texts} texts")


def _include(document: doc.Bundle | doc.Receipt) -> Inclusion:
    return include_bundle(document) if isinstance(document, doc.Bundle) else include_receipt(document)
