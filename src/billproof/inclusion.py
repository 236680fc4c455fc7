"""Bundle or receipt → the root it leads to, recomputing every hash from fields.

The second of the verifier's steps; it asks nobody. Problems name the check and, where there is one, the
line of the statement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from billproof.batch_id import BatchId
from billproof.bundle import documents as doc
from billproof.commitment import structs, tree
from billproof.commitment.keccak import ByteRows, rows_of
from billproof.leaves import fixed_binary, hash_peers, hash_records, padded_rows
from billproof.records import ZERO32, money

_INT64 = range(-(1 << 63), 1 << 63)


@dataclass(frozen=True)
class Problem:
    """Why a document is invalid. ``line`` is the record's index in the statement, None for the whole.

    Where the file's lines are not in order, it is the place in the file (see :func:`line_of_problem`)."""

    check: str
    message: str
    line: int | None = None


@dataclass(frozen=True)
class Inclusion:
    """The outcome: the batch the document names, its account key and statement hash, the root that they
    lead to, and every problem found."""

    batch: BatchId
    account: bytes
    statement: bytes
    root: bytes
    problems: list[Problem]


@dataclass(frozen=True)
class LineHashes:
    """Hashes recomputed from a bundle's lines: (n, 32) each."""

    peers: ByteRows
    hashes: ByteRows


def batch_of(document: doc.Bundle | doc.Receipt) -> BatchId:
    """The batch that a document says it belongs to; integers outside their types raise SchemaError."""
    fields = document.batch
    limits = {"chainId": 256, "operatorId": 64, "period": 32, "region": 32, "sequence": 32}
    for name, bits in limits.items():
        if int(getattr(fields, name)) >= 1 << bits:
            raise doc.SchemaError(f"batch.{name} does not fit {bits} bits")
    return BatchId(
        int(fields.chainId),
        fields.ledger,
        int(fields.operatorId),
        int(fields.period),
        int(fields.region),
        int(fields.sequence),
    )


def include_bundle(bundle: doc.Bundle) -> Inclusion:
    """Recomputes a bundle from its lines up to the root of the batch."""
    batch = batch_of(bundle)
    statement, count = bundle.statement, len(bundle.records)
    problems: list[Problem] = []

    account = account_key(bundle.account, batch)
    if account != _bytes(statement.account):
        message = "the account does not open to this key in this batch: account or batch was changed"
        problems.append(Problem("account key", message))
    lines = hash_lines(bundle.records)
    indexes = [int(record.index) for record in bundle.records]
    rising = _rising(indexes)
    for at, record in enumerate(bundle.records):
        if rising and indexes[at] != (before := indexes[at - 1] if at else -1) + 1:
            problems.append(_gap(before, indexes[at]))
        elif not rising and indexes[at] != at:
            problems.append(Problem("line order", f"this line says that it is number {record.index}", at))
        if lines.hashes[at].tobytes() != _bytes(record.hash):
            message = "the line is not what was committed: its fields give another hash"
            problems.append(Problem("line", message, indexes[at] if rising else at))
    if int(statement.recordCount) != count:
        problems.append(
            Problem("line count", f"the statement has {statement.recordCount} lines, the file holds {count}")
        )
    if int(statement.total) not in _INT64:
        raise doc.SchemaError("statement.total does not fit 64 bits")
    total = sum(int(record.amount) for record in bundle.records)
    if int(statement.total) != total:
        problems.append(
            Problem(
                "total",
                f"the lines add up to {money(total)} {statement.currency},"
                f" the statement says {money(int(statement.total))}",
            )
        )
    records_root = tree.build_tree(lines.hashes)[0].tobytes()
    if records_root != _bytes(statement.recordsRoot):
        problems.append(Problem("lines root", "the lines together do not give the statement's records root"))
    totals = structs.hash_one(
        structs.TOTALS, {"total": int(statement.total), "salt": _bytes(statement.totalSalt)}
    )
    return to_root(batch, statement, records_root, totals, bundle.entry, problems)


def line_of_problem(bundle: doc.Bundle, line: int) -> doc.Record:
    """The record that a problem's ``line`` means: its index where they rise, else its place in the file."""
    if _rising([int(record.index) for record in bundle.records]):
        return next(record for record in bundle.records if int(record.index) == line)
    return bundle.records[line]


def _rising(indexes: list[int]) -> bool:
    return all(index > before for before, index in pairwise([-1, *indexes]))


def _gap(before: int, after: int) -> Problem:
    """Lines that were taken out: said once, where they are missing, not of each line that follows."""
    missing = after - before - 1
    if before < 0:
        return Problem(
            "line order",
            "the first line is missing" if missing == 1 else f"the first {missing} lines are missing",
        )
    lines = "a line is" if missing == 1 else f"{missing} lines are"
    return Problem("line order", f"{lines} missing after this one", before)


def include_receipt(receipt: doc.Receipt) -> Inclusion:
    """Recomputes a receipt from its record up to the root of the batch."""
    batch = batch_of(receipt)
    record, statement = receipt.record, receipt.statement
    problems: list[Problem] = []
    index, count = int(record.index), int(statement.recordCount)
    peer = rows_of(_bytes(record.peer), 32)
    if (record.number is None) != (record.salt is None):
        raise doc.SchemaError("record.number and record.salt are both there or both left out")
    if record.number is not None and record.salt is not None:
        opened = hash_peers(pa.array([record.number]), rows_of(_bytes(record.salt), 32))
        if not np.array_equal(opened, peer):
            problems.append(Problem("number", "the number shown is not the one that was committed", index))
    if index >= count:
        problems.append(Problem("line count", f"line {index} of a statement of {count} lines", index))
    elif len(receipt.recordProof) != tree.proof_length(count, index):
        message = "the proof does not fit a statement of this many lines"
        problems.append(Problem("proof length", message, index))
    leaf = _hash_records([record], peer).tobytes()
    records_root = tree.root_from_proof(leaf, [_bytes(node) for node in receipt.recordProof])
    return to_root(batch, statement, records_root, _bytes(statement.totals), receipt.entry, problems)


def amendment_problems(document: doc.Bundle | doc.Receipt) -> list[Problem]:
    """What an amendment may not do: raise a total, or hold a line that corrects nothing."""
    records: Sequence[doc.Record | doc.ReceiptRecord] = (
        document.records if isinstance(document, doc.Bundle) else [document.record]
    )
    problems = [
        Problem("amendment", "a line of an amendment must name what it corrects", int(record.index))
        for record in records
        if _bytes(record.corrects) == ZERO32
    ]
    if isinstance(document, doc.Bundle) and int(document.statement.total) > 0:
        problems.append(Problem("amendment", "an amendment may only lower a bill, its total is positive"))
    return problems


def raising_lines(document: doc.Bundle | doc.Receipt) -> list[int]:
    """The lines, by index, that name a line which they correct and raise what it cost."""
    records: Sequence[doc.Record | doc.ReceiptRecord] = (
        document.records if isinstance(document, doc.Bundle) else [document.record]
    )
    return [
        int(record.index)
        for record in records
        if _bytes(record.corrects) != ZERO32 and int(record.amount) > 0
    ]


def hash_lines(records: Sequence[doc.Record]) -> LineHashes:
    """Peer and record hashes of a bundle's lines, each at the index that it states."""
    peers = hash_peers(
        pa.array([record.number for record in records], pa.string()),
        rows_of(b"".join(_bytes(record.salt) for record in records), 32),
    )
    return LineHashes(peers, _hash_records(records, peers))


def _hash_records(records: Sequence[doc.Record] | Sequence[doc.ReceiptRecord], peers: ByteRows) -> ByteRows:
    """Record hashes of lines; an integer outside its type raises SchemaError."""
    table = _table(records)
    try:
        return hash_records(table, table["index"].to_numpy(), peers)
    except ValueError as error:
        raise doc.SchemaError(str(error)) from error


def _table(records: Sequence[Any]) -> pa.Table:
    """Lines as the columns that are hashed; an integer beyond 64 bits raises SchemaError."""

    def integers(name: str) -> Any:
        values = [int(getattr(record, name)) for record in records]
        for at, value in enumerate(values):
            if value not in _INT64:
                raise doc.SchemaError(f"records[{at}].{name} does not fit 64 bits")
        return pa.array(values, pa.int64())

    return pa.table(
        {
            "index": integers("index"),
            "service": integers("service"),
            "started_at": integers("startedAt"),
            "utc_offset": integers("utcOffset"),
            "usage": integers("usage"),
            "billed_usage": integers("billedUsage"),
            "network": pa.array([record.network for record in records], pa.string()),
            "amount": integers("amount"),
            "rate": pa.array([record.rate for record in records], pa.string()),
            "corrects": fixed_binary(rows_of(b"".join(_bytes(record.corrects) for record in records), 32)),
        }
    )


def account_key(opening: doc.AccountOpening, batch: BatchId) -> bytes:
    """The key that an account has in a batch: what the opening opens."""
    subject = structs.hash_one(
        structs.SUBJECT, {"accountId": opening.accountId, "keySecret": _bytes(opening.keySecret)}
    )
    return structs.hash_one(structs.ACCOUNT_KEY, {"subject": subject, "holder": _bytes(opening.holder)})


def to_root(
    batch: BatchId,
    statement: doc.StatementFields | doc.ReceiptStatement,
    records_root: bytes,
    totals: bytes,
    entry: doc.Entry,
    problems: list[Problem],
) -> Inclusion:
    """The root that a statement leads to; a count outside its type raises SchemaError."""
    count = int(statement.recordCount)
    if count >= 1 << 32:
        raise doc.SchemaError("statement.recordCount does not fit 32 bits")
    statement_hash = structs.hash_one(
        structs.STATEMENT,
        {
            "batchId": batch.hash,
            "account": _bytes(statement.account),
            "recordsRoot": records_root,
            "recordCount": count,
            "currency": padded_rows(pa.array([statement.currency]), 3).tobytes(),
            "tariff": _bytes(statement.tariff),
            "totals": totals,
        },
    )
    leaf = structs.hash_one(
        structs.ACCOUNT_ENTRY,
        {
            "account": _bytes(statement.account),
            "nextAccount": _bytes(entry.nextAccount),
            "statement": statement_hash,
        },
    )
    root = tree.root_from_proof(leaf, [_bytes(node) for node in entry.proof])
    return Inclusion(batch, _bytes(statement.account), statement_hash, root, problems)


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
