"""Stored batch → bundles, and bundle → receipt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from billproof import commit
from billproof.bundle import documents as doc
from billproof.commitment import salts, tree
from billproof.commitment.keccak import ByteRows, keccak
from billproof.commitment.structs import TOTALS, hash_one
from billproof.errors import InputError
from billproof.files import write_file, write_files
from billproof.inclusion import hash_lines
from billproof.leaves import byte_rows, hash_peers, hash_records
from billproof.secret_store import Enrolment, SecretStore
from billproof.store import StoredBatch, batch_fields

_MAX_NAME = 120


@dataclass(frozen=True)
class _Openings:
    """What opens the entries asked for, in their order: seeds, holders, opening keys."""

    enrolment: Enrolment
    key_secrets: ByteRows
    opening_keys: ByteRows
    totals_salts: ByteRows


def bundles(
    stored: StoredBatch, secrets: SecretStore, accounts: Sequence[str] | None = None
) -> Iterator[tuple[str, doc.Bundle]]:
    """Account number and bundle of each account of the batch, or of those asked for.

    Accounts whose opening keys were erased have none: they are left out, or an :class:`InputError` when
    asked for. So is a batch that was made with other secrets than these.
    """
    held = stored.entries["account"].combine_chunks()
    openable = secrets.openable(stored.id, held)
    rows = np.flatnonzero(openable) if accounts is None else _rows_of(stored.entries, accounts, stored.path)
    if accounts is None:  # in the order of the records, so that those are read once
        rows = rows[np.argsort(stored.entries["first"].to_numpy()[rows])]
    openings = _open(stored, secrets, rows)
    for at, row in enumerate(rows.tolist()):
        yield held[row].as_py(), _cut(stored, openings, at, row)


def account_keys(stored: StoredBatch, secrets: SecretStore) -> Iterator[tuple[str, doc.AccountKeyFile]]:
    """Account number and account key file of each account of the batch."""
    accounts = stored.entries["account"].combine_chunks()
    enrolment = secrets.enrolled(accounts)
    for row, account in enumerate(accounts.to_pylist()):
        yield (
            account,
            doc.AccountKeyFile(
                schema=doc.ACCOUNT_KEY,
                chainId=str(stored.id.chain_id),
                ledger=stored.id.ledger,
                operatorId=str(stored.id.operator_id),
                accountId=account,
                accountSeed=_hex(enrolment.seeds[row]),
                holder=_hex(enrolment.holders[row]),
            ),
        )


def file_name(account: str) -> str:
    """A file name for an account number, different for each: itself where that is safe, else percent-encoded.

    A long one is cut and ends with its hash.
    """
    name = "".join(
        c if c.isascii() and (c.isalnum() or c in "-_+@" or (c == "." and at)) else _percent(c)
        for at, c in enumerate(account)
    )
    return name if len(name) <= _MAX_NAME else f"{name[:_MAX_NAME]}~{keccak(account.encode()).hex()}"


def write_document(path: Path, document: doc.Bundle | doc.Receipt | doc.AccountKeyFile) -> None:
    """Writes a document readable by its owner only: it is personal data."""
    write_file(path, doc.encode(document), mode=0o600)


def write_documents(documents: Iterable[tuple[Path, doc.Bundle | doc.AccountKeyFile]]) -> Iterator[Path]:
    """The same for many; yields each path when it is safely on the disk."""
    return write_files(((path, doc.encode(document)) for path, document in documents), mode=0o600)


def receipt(bundle: doc.Bundle, index: int, *, show_number: bool) -> doc.Receipt:
    """Cuts one record out of a bundle, with or without the number called."""
    if not 0 <= index < len(bundle.records):
        raise InputError(
            f"there is no record {index}",
            field="record",
            advice=f"Records are 0 to {len(bundle.records) - 1}.",
        )
    lines = hash_lines(bundle.records)
    nodes = tree.build_tree(lines.hashes)
    record, statement = bundle.records[index], bundle.statement
    totals = hash_one(TOTALS, {"total": int(statement.total), "salt": bytes.fromhex(statement.totalSalt[2:])})
    return doc.Receipt(
        schema=doc.RECEIPT,
        batch=bundle.batch,
        statement=doc.ReceiptStatement(
            account=statement.account,
            recordCount=statement.recordCount,
            currency=statement.currency,
            tariff=statement.tariff,
            totals="0x" + totals.hex(),
        ),
        record=doc.ReceiptRecord(
            index=record.index,
            service=record.service,
            startedAt=record.startedAt,
            utcOffset=record.utcOffset,
            usage=record.usage,
            billedUsage=record.billedUsage,
            peer=_hex(lines.peers[index]),
            network=record.network,
            amount=record.amount,
            rate=record.rate,
            corrects=record.corrects,
            number=record.number if show_number else None,
            salt=record.salt if show_number else None,
        ),
        recordProof=["0x" + node.hex() for node in tree.proof_of(nodes, index)],
        entry=bundle.entry,
    )


def _rows_of(entries: pa.Table, accounts: Sequence[str], path: Path) -> NDArray[np.int64]:
    at = pc.index_in(pa.array(accounts, pa.string()), entries["account"]).to_pylist()
    for account, row in zip(accounts, at, strict=True):
        if row is None:
            raise InputError(
                f"no statement of account {account}",
                file=path,
                advice="See the account numbers in your CDRs.",
            )
    return np.array(at, np.int64)


def _open(stored: StoredBatch, secrets: SecretStore, rows: NDArray[np.int64]) -> _Openings:
    entries = stored.entries.take(pa.array(rows))
    accounts = entries["account"].combine_chunks()
    # The holder is that of the time: the one enrolled now may be another.
    enrolment = Enrolment(secrets.enrolled(accounts).seeds, byte_rows(entries["holder"], 20))
    keys = secrets.opening_keys(stored.id, accounts)
    total_salts = commit.totals_salts(keys)
    recomputed = commit.statement_hashes(
        stored.id,
        stored.tariff,
        keys=commit.account_keys(accounts, stored.id, enrolment),
        roots=byte_rows(entries["records_root"], 32),
        count=entries["count"].to_numpy(),
        currencies=entries["currency"],
        total=entries["total"].to_numpy(),
        total_salts=total_salts,
    )
    if not np.array_equal(recomputed, byte_rows(entries["statement"], 32)):
        raise InputError(
            "this batch was made with other secrets",
            file=stored.path,
            advice="Restore them from the backup.",
        )
    return _Openings(enrolment, commit.key_secrets(stored.id, enrolment.seeds), keys, total_salts)


def _cut(stored: StoredBatch, openings: _Openings, at: int, row: int) -> doc.Bundle:
    entry = {name: stored.entries[name][row].as_py() for name in stored.entries.column_names}
    neighbour = (row + 1) % stored.entries.num_rows
    return doc.Bundle(
        schema=doc.BUNDLE,
        batch=doc.BatchFields(**batch_fields(stored.id)),
        account=doc.AccountOpening(
            accountId=entry["account"],
            keySecret=_hex(openings.key_secrets[at]),
            holder=_hex(openings.enrolment.holders[at]),
        ),
        statement=doc.StatementFields(
            account="0x" + entry["account_key"].hex(),
            recordsRoot="0x" + entry["records_root"].hex(),
            recordCount=str(entry["count"]),
            currency=entry["currency"],
            tariff="0x" + stored.tariff.hex(),
            total=str(entry["total"]),
            totalSalt=_hex(openings.totals_salts[at]),
        ),
        records=_lines(stored.records_of(entry["first"], entry["count"]), openings.opening_keys[at]),
        entry=doc.Entry(
            nextAccount="0x" + stored.entries["account_key"][neighbour].as_py().hex(),
            proof=["0x" + node.hex() for node in tree.proof_of(stored.nodes, row)],
        ),
    )


def _lines(records: pa.Table, opening_key: ByteRows) -> list[doc.Record]:
    index = np.arange(records.num_rows)
    record_salts = salts.prf(opening_key[None, :], salts.PEER_SALT, salts.index_words(index))
    hashes = hash_records(records, index, hash_peers(records["number"], record_salts))
    columns = {name: records[name].to_pylist() for name in _LINE_COLUMNS}
    corrects = byte_rows(records["corrects"], 32)
    return [
        doc.Record(
            index=str(at),
            service=str(columns["service"][at]),
            startedAt=str(columns["started_at"][at]),
            utcOffset=str(columns["utc_offset"][at]),
            usage=str(columns["usage"][at]),
            billedUsage=str(columns["billed_usage"][at]),
            number=columns["number"][at],
            salt=_hex(record_salts[at]),
            network=columns["network"][at],
            amount=str(columns["amount"][at]),
            rate=columns["rate"][at],
            corrects=_hex(corrects[at]),
            hash=_hex(hashes[at]),
        )
        for at in range(records.num_rows)
    ]


_LINE_COLUMNS = (
    "service",
    "started_at",
    "utc_offset",
    "usage",
    "billed_usage",
    "number",
    "network",
    "amount",
    "rate",
)


def _hex(row: ByteRows) -> str:
    return "0x" + row.tobytes().hex()


def _percent(character: str) -> str:
    return "".join(f"%{byte:02X}" for byte in character.encode())
