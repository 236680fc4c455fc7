"""Clear documents → what two operators settle of a month, and the year's volumes.

Of every pair so much is undisputed as is in both books; what either has beyond that, and records without a
pair, it claims (``docs/clearing.md``, section 7). Documents have both: no record is looked at again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from billproof.clearing.agreement.agreement import Agreement, month_of
from billproof.clearing.discounts.year import Volume, evaluate, model_of, months_of
from billproof.clearing.document.form import File, SideForm
from billproof.clearing.settlement.settlement import (
    Amount,
    BatchReference,
    Charge,
    Dispute,
    Settlement,
    Year,
    settle,
)
from billproof.errors import InputError
from billproof.printable import printable
from billproof.records import Service
from billproof.tariff import values

_LONGEST = 1000  # of words
_AGAIN = "Clear the books again."


def settle_documents(
    documents: Sequence[File],
    agreement: Agreement,
    issued: str,
    due: str,
    deadline: str,
    *,
    before: Iterable[Volume] = (),
    number: int = 1,
) -> Settlement:
    """The undisputed part of a month; ``before`` are the year's volumes that were settled before.

    Raises :class:`InputError` for documents that are not of one month, agreement and ledger, and of one
    direction each.
    """
    period, ledger = check_together(documents, agreement)
    before = list(before)
    documents = sorted(documents, key=lambda each: each.payer)
    disputes: list[Dispute] = []
    after = 0
    for each in documents:
        of = traffic_words(agreement.party(each.payer).name) if len(documents) > 1 else ""
        disputes += disputes_of(each, deadline, after=after, of=of)
        after += len(each.causes) + len(each.findings)
    return settle(
        agreement,
        period,
        issued,
        due,
        amounts=[amount for each in documents for amount in amounts_of(each)],
        charges=charges_of(documents, agreement, month_of(period), before) if agreement.models else (),
        disputes=disputes,
        batches=batches_of(documents),
        ledger=ledger,
        number=number,
        year=year_of(agreement, month_of(period), before),
    )


def year_of(agreement: Agreement, month: str, before: Iterable[Volume]) -> Year | None:
    """Of which months up to ``month`` there are volumes; None for an agreement without discount models."""
    if not agreement.models:
        return None
    known = {each.month for each in before if each.volume} | {month}
    months = [(int(each.replace("-", "")), each in known) for each in months_of(agreement) if each <= month]
    return Year(
        tuple(each for each, there in months if there), tuple(each for each, there in months if not there)
    )


def check_together(documents: Sequence[File], agreement: Agreement) -> tuple[int, tuple[int, str] | None]:
    """The documents' month (YYYYMM) and ledger; InputError where they make no settlement."""
    for each in documents:
        if each.agreement.hash != "0x" + agreement.hash.hex():
            raise InputError(
                f"the document in which operator {each.payer} pays is of another agreement or version,"
                f" {printable(each.agreement.name)!r}",
                file=agreement.file or None,
                advice=f"Give the file that the books were cleared under, of hash {each.agreement.hash}:"
                " billproof agreement check.",
            )
        if each.period is None:
            raise InputError(
                "the document does not say its month", field="period", advice="Clear with --month YYYY-MM."
            )
        named = [(side.operator, side.name) for side in each.sides]
        if sorted(named) != [(party.operator, party.name) for party in agreement.parties]:
            raise InputError("its operators are not the agreement's", field="ours", advice=_AGAIN)
        if each.settlement != agreement.settlement:
            raise InputError("is not the agreement's currency", field="settlement", advice=_AGAIN)
        for one in each.traffic:
            if one.route not in agreement.route_names:
                raise InputError(f"the agreement has no route {one.route!r}", field="traffic", advice=_AGAIN)
    if len({each.payer for each in documents}) < len(documents):
        raise InputError(
            "both documents are of one direction",
            field="payer",
            advice="Give one of each: the other is cleared with --payer ours.",
        )
    periods = {int(each.period or 0) for each in documents}
    if len(periods) > 1:
        raise InputError(
            f"the documents are of {' and '.join(map(str, sorted(periods)))}",
            field="period",
            advice="A settlement is of one month.",
        )
    ledgers = {
        (int(side.ledger.chain_id), side.ledger.address)
        for each in documents
        for side in each.sides
        if side.ledger is not None
    }
    if len(ledgers) > 1:
        raise InputError("the documents' batches stand in two ledgers", field="ledger")
    month = month_of(min(periods))
    if month not in months_of(agreement):
        raise InputError(f"{month} is no month of the agreement", field="period")
    return min(periods), next(iter(ledgers), None)


def amounts_of(document: File) -> list[Amount]:
    """What is undisputed of one direction, by service."""
    sums: dict[Service, list[int]] = defaultdict(lambda: [0, 0, 0])
    for each in document.traffic:
        for place, value in enumerate((each.records, int(each.volume), int(each.amount))):
            sums[values.service_of(each.service)][place] += value
    return [Amount(document.payer, service, *of) for service, of in sums.items()]


def volumes_of(documents: Iterable[File], month: str) -> list[Volume]:
    """The volumes that the documents settle, of ``month`` ("2026-03")."""
    found = [
        Volume(month, document.payer, values.service_of(each.service), each.route, int(each.volume))
        for document in documents
        for each in document.traffic
        if values.service_of(each.service) in values.KINDS
    ]
    return sorted(found, key=lambda each: (each.operator, each.service, each.route))


def charges_of(
    documents: Sequence[File], agreement: Agreement, month: str, before: Iterable[Volume] = ()
) -> list[Charge]:
    """What the discount models make of a month; ``before``: the year's volumes settled before."""
    now = volumes_of(documents, month)
    booked: dict[tuple[str, int], int] = defaultdict(int)
    for document in documents:
        for each in document.traffic:
            service = values.service_of(each.service)
            model = model_of(agreement, Volume(month, document.payer, service, each.route, 0))
            if model is not None:
                booked[model.name, document.payer] += int(each.amount)
    lines = evaluate(agreement, [*before, *now], month).of(month)
    return [Charge.of(line, booked[line.model.name, line.payer.operator]) for line in lines]


def disputes_of(document: File, deadline: str, *, after: int = 0, of: str = "") -> list[Dispute]:
    """What is claimed; numbers are the document's, ``after`` higher, and words go on with ``of``."""
    return [
        Dispute(
            after + each.number,
            each.kind,
            worded(each.words, of),
            each.claimant,
            document.payer,
            each.count,
            int(each.amount),
            deadline,
        )
        for each in document.disputes
    ]


def traffic_words(payer: str) -> str:
    """How a dispute's words go on where a settlement is of both directions."""
    return f", traffic of {printable(payer)}"


def worded(words: str, ending: str) -> str:
    """Words and their ending, no longer than a settlement has them."""
    return words[: _LONGEST - len(ending)] + ending


def batches_of(documents: Iterable[File]) -> list[BatchReference]:
    """The batches of all books, each once; InputError where two documents have two roots of one."""
    found: dict[tuple[int, int, int, int], BatchReference] = {}
    for document in documents:
        for side in document.sides:
            for each in _references(side):
                key = each.operator, each.period, each.region, each.sequence
                if found.setdefault(key, each) != each:
                    raise InputError(
                        f"the documents have two roots of the batch {each.region}-{each.sequence}"
                        f" of operator {each.operator}",
                        field="batches",
                        advice="Clear both directions with the same batches.",
                    )
    return list(found.values())


def _references(side: SideForm) -> list[BatchReference]:
    return [
        BatchReference(
            side.operator,
            int(each.period),
            int(each.region),
            int(each.sequence),
            bytes.fromhex(each.root[2:]),
        )
        for each in side.batches
    ]
