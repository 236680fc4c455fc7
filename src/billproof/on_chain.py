"""A document's fields as a call of the ledger's own code: ``verifyRecord`` or ``verifyStatement``."""

from __future__ import annotations

from typing import Any

from billproof.batch_id import BatchId
from billproof.bundle import documents as doc
from billproof.commitment.structs import hash_texts
from billproof.records import NETWORK_BYTES


def ledger_call(document: doc.Bundle | doc.Receipt, batch: BatchId) -> tuple[str, list[Any]]:
    """The view that verifies the document, and its arguments in the ABI's order.

    A receipt is verified whole; a bundle by its statement, whose records root and total the caller has
    recomputed from the lines.
    """
    key = (batch.operator_id, batch.period, batch.region, batch.sequence)
    entry = document.entry
    next_account, entry_proof = _bytes(entry.nextAccount), [_bytes(node) for node in entry.proof]
    if isinstance(document, doc.Receipt):
        record_proof = [_bytes(node) for node in document.recordProof]
        arguments = [key, _terms(document.statement), next_account, _record(document.record)]
        return "verifyRecord", [*arguments, record_proof, entry_proof]
    statement = document.statement
    opening = {
        "account": _bytes(statement.account),
        "recordsRoot": _bytes(statement.recordsRoot),
        "recordCount": int(statement.recordCount),
        "currency": statement.currency.encode(),
        "tariff": _bytes(statement.tariff),
        "total": int(statement.total),
        "totalSalt": _bytes(statement.totalSalt),
    }
    return "verifyStatement", [key, opening, next_account, entry_proof]


def _terms(statement: doc.ReceiptStatement) -> dict[str, Any]:
    return {
        "account": _bytes(statement.account),
        "recordCount": int(statement.recordCount),
        "currency": statement.currency.encode(),
        "tariff": _bytes(statement.tariff),
        "totals": _bytes(statement.totals),
    }


def _record(record: doc.ReceiptRecord) -> dict[str, Any]:
    return {
        "index": int(record.index),
        "service": int(record.service),
        "startedAt": int(record.startedAt),
        "utcOffset": int(record.utcOffset),
        "usage": int(record.usage),
        "billedUsage": int(record.billedUsage),
        "peer": _bytes(record.peer),
        "network": record.network.encode().ljust(NETWORK_BYTES, b"\0"),
        "amount": int(record.amount),
        "rate": _rate(record.rate),
        "corrects": _bytes(record.corrects),
    }


def _rate(line: str) -> bytes:
    return hash_texts([line]).tobytes()


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
