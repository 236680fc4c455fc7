"""Disputed records → the roots that they lead to, every hash recomputed; and receipts of single ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import cast

import numpy as np

from billproof.batch_id import BatchId
from billproof.bundle import documents as doc
from billproof.clearing.disputes import form
from billproof.commitment import tree
from billproof.commitment.keccak import ByteRows, rows_of
from billproof.inclusion import Problem, account_key, hash_lines, to_root

#: A record, its side and the number of its line in the file.
NumberedRecord = tuple[int, form.Proved]


@dataclass(frozen=True)
class OpenStatement:
    """A statement of the header, and what it leads to."""

    place: str  # in the header
    batch: BatchId
    form: form.StatementForm

    @cached_property
    def fields(self) -> doc.ReceiptStatement:
        """The statement as a receipt has it."""
        return doc.ReceiptStatement(
            account="0x" + account_key(self.form.account, self.batch).hex(),
            recordCount=self.form.record_count,
            currency=self.form.currency,
            tariff=self.form.tariff,
            totals=self.form.totals,
        )

    @property
    def count(self) -> int:
        """How many records it has."""
        return int(self.form.record_count)

    @property
    def records_root(self) -> bytes:
        """The root of its records."""
        return _bytes(self.form.records_root)

    @cached_property
    def root(self) -> bytes:
        """The root that it leads to."""
        totals = _bytes(self.form.totals)
        return to_root(self.batch, self.fields, self.records_root, totals, self.form.entry, []).root


def open_statements(header: form.Header) -> tuple[list[OpenStatement], list[OpenStatement]]:
    """The statements of both sides."""
    ours, theirs = (
        [
            OpenStatement(
                f"{name}.statements[{at}]",
                BatchId(
                    int(header.ledger.chain_id),
                    header.ledger.address,
                    side.operator,
                    int(header.period),
                    int(each.region),
                    int(each.sequence),
                ),
                each,
            )
            for at, each in enumerate(side.statements)
        ]
        for name, side in zip(("ours", "theirs"), header.sides, strict=True)
    )
    return ours, theirs


def follow(
    records: Sequence[NumberedRecord], statements: Sequence[OpenStatement], side: str
) -> list[Problem]:
    """Why some of one side's records do not lead to the statements that they name; ``line`` is the file's."""
    problems: list[Problem] = []
    placed = []
    for line, proved in records:
        problem = _misplaced(proved, statements, side)
        if problem is None:
            placed.append((line, proved))
        else:
            problems.append(Problem(problem[0], problem[1], line))
    hashable, hashes = _hashed(placed, side, problems)
    if not hashable:
        return problems
    lengths = [len(proved.proof) for _, proved in hashable]
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    nodes = bytes.fromhex("".join(node[2:] for _, proved in hashable for node in proved.proof))
    found = tree.roots_from_proofs(hashes, rows_of(nodes, 32), offsets)
    expected = rows_of(b"".join(statements[proved.statement].records_root for _, proved in hashable), 32)
    for at in np.flatnonzero((found != expected).any(axis=1)).tolist():
        line, proved = hashable[at]
        message = (
            f"the record does not lead to {statements[proved.statement].place}: record, proof or statement"
            " was changed"
        )
        problems.append(Problem(side, message, line))
    return problems


def _misplaced(proved: form.Proved, statements: Sequence[OpenStatement], side: str) -> tuple[str, str] | None:
    """The field and the words of what is wrong about where a record says that it is."""
    if proved.statement >= len(statements):
        return f"{side}.statement", f"the header has {len(statements)} statements on this side"
    statement = statements[proved.statement]
    index = int(proved.record.index)
    if index >= statement.count:
        return f"{side}.record.index", f"the statement has {statement.count} records, counted from 0"
    if len(proved.proof) != tree.proof_length(statement.count, index):
        return f"{side}.proof", "has not the length that the record's place demands"
    return None


def _hashed(
    records: list[NumberedRecord], side: str, problems: list[Problem]
) -> tuple[list[NumberedRecord], ByteRows]:
    """The records whose fields have the types that are hashed, and their hashes: (n, 32)."""
    if not records:
        return [], np.empty((0, 32), np.uint8)
    try:
        return records, hash_lines(_lines(records)).hashes
    except doc.SchemaError as error:
        if len(records) == 1:
            problems.append(
                Problem(f"{side}.record", error.message.removeprefix("records[0]."), records[0][0])
            )
            return [], np.empty((0, 32), np.uint8)
    parts = [_hashed([record], side, problems) for record in records]  # one is beyond its type: find it
    return [each for some, _ in parts for each in some], np.concatenate([hashes for _, hashes in parts])


def _lines(records: Sequence[NumberedRecord]) -> Sequence[doc.Record]:
    """Records have the fields of a bundle's line but its hash, which is what is computed."""
    return cast("Sequence[doc.Record]", [proved.record for _, proved in records])


def receipt(proved: form.Proved, statement: OpenStatement, *, show_number: bool) -> doc.Receipt:
    """The record as a receipt, which the ledger's ``verifyRecord`` answers for."""
    record = proved.record
    peer = hash_lines(_lines([(0, proved)])).peers[0]
    return doc.Receipt(
        schema=doc.RECEIPT,
        batch=doc.BatchFields(**statement.batch.fields),
        statement=statement.fields,
        record=doc.ReceiptRecord(
            index=record.index,
            service=record.service,
            startedAt=record.startedAt,
            utcOffset=record.utcOffset,
            usage=record.usage,
            billedUsage=record.billedUsage,
            peer="0x" + peer.tobytes().hex(),
            network=record.network,
            amount=record.amount,
            rate=record.rate,
            corrects=record.corrects,
            number=record.number if show_number else None,
            salt=record.salt if show_number else None,
        ),
        recordProof=proved.proof,
        entry=statement.form.entry,
    )


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text[2:])
