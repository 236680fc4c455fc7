"""Statements → batch: account keys, hashes and the batch tree, for one chain, ledger and sequence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from billproof.batch_id import BatchId
from billproof.commitment import salts, structs, tree
from billproof.commitment.columns import Gathered
from billproof.commitment.keccak import ByteRows, rows_of
from billproof.leaves import fixed_binary, hash_records, padded_rows, text_column, text_source
from billproof.secret_store import Enrolment
from billproof.statement_tariffs import StatementTariffs
from billproof.statements import Statements

#: One row per account entry, in ascending order of ``account_key``: the order of the batch tree's leaves.
#: ``first`` and ``count`` say which rows of the batch's records are the statement's, ``tariff`` which of the
#: batch's tariffs it refers to.
ENTRIES = pa.schema(
    [
        pa.field("account_key", pa.binary(32), nullable=False),
        pa.field("statement", pa.binary(32), nullable=False),
        pa.field("records_root", pa.binary(32), nullable=False),
        pa.field("account", pa.string(), nullable=False),
        pa.field("first", pa.int64(), nullable=False),
        pa.field("count", pa.int64(), nullable=False),
        pa.field("total", pa.int64(), nullable=False),
        pa.field("currency", pa.string(), nullable=False),
        pa.field("holder", pa.binary(20), nullable=False),
        pa.field("tariff", pa.int32(), nullable=False),
    ]
)

#: Records hashed at a time: what their hashing takes beside the records is a few hundred bytes each.
_SLICE = 1 << 17


@dataclass(frozen=True)
class Commitment:
    """What a batch commits to. ``nodes`` is the batch tree, (2m-1, 32); its first row is the root.

    ``tariffs`` are the hashes that the entries' codes name.
    """

    entries: pa.Table
    nodes: ByteRows
    tariffs: tuple[bytes, ...]

    @property
    def root(self) -> bytes:
        return bytes(self.nodes[0])


@dataclass(frozen=True)
class RootedStatements:
    """Statements whose records are hashed: what is left of them is of the accounts' number, not the records'.

    ``first`` counts in the whole batch; ``roots`` are those of the records trees, (m, 32), ``opening_keys``
    (m, 32) what they were salted with. The order of statements is free.
    """

    accounts: pa.Array  # (m,) string
    currencies: pa.Array  # (m,) string
    first: NDArray[np.int64]  # (m,)
    count: NDArray[np.int64]  # (m,)
    total: NDArray[np.int64]  # (m,) billionths
    roots: ByteRows
    opening_keys: ByteRows

    def __len__(self) -> int:
        return len(self.accounts)

    @classmethod
    def joined(cls, parts: Sequence[RootedStatements]) -> RootedStatements:
        """Parts of a batch, their records laid end to end."""
        sizes = [int(part.count.sum()) for part in parts]
        starts = [sum(sizes[:at]) for at in range(len(parts))]
        return cls(
            pa.concat_arrays([part.accounts for part in parts]),
            pa.concat_arrays([part.currencies for part in parts]),
            np.concatenate([part.first + start for part, start in zip(parts, starts, strict=True)]),
            *(
                np.concatenate([getattr(part, name) for part in parts])
                for name in ("count", "total", "roots", "opening_keys")
            ),
        )


def commit(
    statements: Statements, batch: BatchId, enrolment: Enrolment, opening_keys: ByteRows, tariff: bytes
) -> Commitment:
    """Builds both trees. ``opening_keys`` is (m, 32), in the statements' order; ``tariff`` a hash or zero."""
    tariffs = StatementTariffs.one(tariff, len(statements))
    return commit_statements(root_statements(statements, opening_keys), batch, enrolment, tariffs)


def root_statements(statements: Statements, opening_keys: ByteRows) -> RootedStatements:
    """Builds the records trees of statements and keeps their roots."""
    nodes, starts = tree.build_forest(record_hashes(statements, opening_keys), statements.count)
    return RootedStatements(
        statements.accounts,
        statements.currencies,
        statements.first,
        statements.count,
        statements.total,
        nodes[starts],
        opening_keys,
    )


def commit_statements(
    statements: RootedStatements, batch: BatchId, enrolment: Enrolment, tariffs: StatementTariffs
) -> Commitment:
    """Builds the batch tree; ``enrolment`` and ``tariffs`` are in the statements' order."""
    roots = statements.roots
    keys = account_keys(statements.accounts, batch, enrolment)
    statement = statement_hashes(
        batch,
        tariffs,
        keys=keys,
        roots=roots,
        count=statements.count,
        currencies=statements.currencies,
        total=statements.total,
        total_salts=totals_salts(statements.opening_keys),
    )
    order = np.lexsort(np.ascontiguousarray(keys).view(">u8").T[::-1])
    ranked = keys[order]
    if len(order) > 1 and (ranked[1:] == ranked[:-1]).all(axis=1).any():
        raise ValueError("two accounts of a batch have the same key")
    take = pa.array(order)
    entries = pa.table(
        [
            fixed_binary(ranked),
            fixed_binary(statement[order]),
            fixed_binary(roots[order]),
            statements.accounts.take(take),
            pa.array(statements.first[order]),
            pa.array(statements.count[order]),
            pa.array(statements.total[order]),
            statements.currencies.take(take),
            fixed_binary(enrolment.holders[order]),
            pa.array(tariffs.codes[order]),
        ],
        schema=ENTRIES,
    )
    nodes = tree.build_tree(entry_hashes(ranked, statement[order]))
    return Commitment(entries, nodes, tariffs.hashes)


def record_hashes(statements: Statements, opening_keys: ByteRows) -> ByteRows:
    """``hashStruct(CallRecord)`` of every record: (n, 32)."""
    records, index = statements.records, statements.index
    owner = np.repeat(np.arange(len(statements)), statements.count)
    numbers = text_source(records["number"].dictionary_encode())  # people call the same few again and again
    hashes = np.empty((records.num_rows, 32), np.uint8)
    for start in range(0, len(index), _SLICE):
        part = slice(start, start + _SLICE)
        record_salts = salts.prf(Gathered(opening_keys, owner[part]), salts.PEER_SALT, index[part])
        peers = structs.hash_struct(structs.PEER, number=numbers.part(part), salt=record_salts)
        hashes[part] = hash_records(records.slice(start, _SLICE), index[part], peers)
    return hashes


def statement_hashes(
    batch: BatchId,
    tariffs: StatementTariffs,
    *,
    keys: ByteRows,
    roots: ByteRows,
    count: NDArray[np.int64],
    currencies: pa.Array,
    total: NDArray[np.int64],
    total_salts: ByteRows,
) -> ByteRows:
    """``hashStruct(Statement)`` of m statements of a batch, their totals under their salts: (m, 32)."""
    return structs.hash_struct(
        structs.STATEMENT,
        batchId=rows_of(batch.hash, 32),
        account=keys,
        recordsRoot=roots,
        recordCount=count,
        currency=padded_rows(currencies, 3),
        tariff=tariffs.column,
        totals=structs.hash_struct(structs.TOTALS, total=total, salt=total_salts),
    )


def account_keys(accounts: pa.Array, batch: BatchId, enrolment: Enrolment) -> ByteRows:
    """Each account's key in the batch, (m, 32): unlinkable to its key in any other batch."""
    subject = structs.hash_struct(
        structs.SUBJECT, accountId=text_column(accounts), keySecret=key_secrets(batch, enrolment.seeds)
    )
    return structs.hash_struct(structs.ACCOUNT_KEY, subject=subject, holder=enrolment.holders)


def key_secrets(batch: BatchId, seeds: ByteRows) -> ByteRows:
    """What an account key is opened with in this batch, (m, 32); the seed itself never leaves its file."""
    return structs.hash_struct(structs.KEY_SECRET, accountSeed=seeds, batchId=rows_of(batch.hash, 32))


def totals_salts(opening_keys: ByteRows) -> ByteRows:
    """The salt of each statement's total: (m, 32)."""
    return salts.prf(opening_keys, salts.TOTALS_SALT, rows_of(bytes(32), 32))


def entry_hashes(keys: ByteRows, statements: ByteRows) -> ByteRows:
    """Leaves of the batch tree from strictly ascending keys and their statements: (m, 32) → (m, 32)."""
    return structs.hash_struct(
        structs.ACCOUNT_ENTRY, account=keys, nextAccount=tree.next_of(keys), statement=statements
    )
