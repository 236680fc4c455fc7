"""Stored records against the entries that were made of them, read a slice at a time.

Memory follows the slice and the number of accounts, however many records there are or one account has.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from billproof.commit import RootedStatements, commit_statements
from billproof.commitment import salts, tree
from billproof.commitment.columns import Gathered
from billproof.commitment.keccak import ByteRows, keccak
from billproof.errors import DifferenceError
from billproof.leaves import byte_rows, hash_peers, hash_records
from billproof.printable import printable
from billproof.records import ZERO32
from billproof.secret_store import Enrolment, SecretStore
from billproof.statements import totals_by_currency
from billproof.store import SCHEMA, TARIFFS, StoredBatch

#: Records read at a time; hashing them takes some hundred bytes each.
_SLICE = 1 << 16


@dataclass(frozen=True)
class _Slice:
    """Records of a batch, one after another: n of them, cut without regard to statements."""

    records: pa.Table
    owner: NDArray[np.int64]  # (n,) which entry's statement, in the order of the records
    index: NDArray[np.int64]  # (n,) place in the statement


def audit_entries(stored: StoredBatch) -> pa.Table:
    """The entries, when every text of theirs lies within the file: one that does not ends the process.

    Raises :class:`DifferenceError` where the file is no table of entries.
    """
    file = stored.path / "entries.arrow"
    try:
        entries = stored.entries
        entries.validate(full=True)
    except (OSError, pa.ArrowException) as error:
        raise DifferenceError(f"{file}: is no table of entries ({printable(str(error))})") from None
    return entries


def audit_records(stored: StoredBatch) -> int:
    """The entries cover the records, each once, and their counts and totals are right; returns how many.

    Raises :class:`DifferenceError` for the first difference.
    """
    file, ranked = stored.path / "entries.arrow", _ranked(stored)
    first, count = ranked["first"].to_numpy(), ranked["count"].to_numpy()
    if count.sum() != stored.record_count or (count < 1).any() or (np.cumsum(count) - count != first).any():
        raise DifferenceError(f"{file}: its statements do not cover the records, each once")
    accounts, sums = ranked["account"].combine_chunks(), np.zeros(len(count), np.int64)
    for piece in _slices(stored, first, count):
        owners = accounts.take(pa.array(piece.owner))
        if not pc.all(pc.equal(piece.records["account"].cast(pa.string()), owners)).as_py():
            raise DifferenceError(f"{file}: a statement holds another account's record")
        np.add.at(sums, piece.owner, piece.records["amount"].to_numpy())
    if (sums != ranked["total"].to_numpy()).any():
        raise DifferenceError(f"{file}: a total is not the sum of its records")
    summary = stored.summary
    said = (summary["records"], summary["statements"], summary["totals"])
    totals = {currency: str(total) for currency, total in totals_by_currency(ranked, "total").items()}
    if said != (str(count.sum()), str(len(count)), totals):
        raise DifferenceError(
            f"{stored.path / 'batch.json'}: its counts or totals are not those of the entries"
        )
    intake = json.loads((stored.path / "intake.json").read_bytes())
    if intake["committed"] != count.sum():
        raise DifferenceError(f"{stored.path / 'intake.json'}: counts {intake['committed']} records")
    return int(count.sum())


def audit_openings(stored: StoredBatch, secrets: SecretStore) -> None:
    """Commits the stored records once more; everything must come out the same (:class:`DifferenceError`).

    The entries must cover the records: see :func:`audit_records`.
    """
    entries, ranked = stored.entries, _ranked(stored)
    accounts = ranked["account"].combine_chunks()
    secrets.openable(stored.id, accounts)
    # The holder is that of the time: the one enrolled now may be another.
    enrolment = Enrolment(secrets.enrolled(accounts).seeds, byte_rows(ranked["holder"], 20))
    keys = secrets.opening_keys(stored.id, accounts)
    first, count = ranked["first"].to_numpy(), ranked["count"].to_numpy()
    again = commit_statements(
        RootedStatements(
            accounts,
            ranked["currency"].combine_chunks(),
            first,
            count,
            ranked["total"].to_numpy(),
            _roots(_slices(stored, first, count), count, keys),
            keys,
        ),
        stored.id,
        enrolment,
        stored.tariffs.take(_order(stored)),
    )
    for name in ("account_key", "records_root", "statement"):
        if again.entries[name].combine_chunks() != entries[name].combine_chunks():
            raise DifferenceError(
                f"{stored.path / 'entries.arrow'}: {name} does not follow from records and secrets",
                advice="Where SHA256SUMS agrees with the batch's files, the secrets are damaged: compare them"
                " with the backup.",
            )


def audit_tariffs(stored: StoredBatch) -> int:
    """Every statement has a tariff of the batch's, and every file is the one that its name says.

    Returns how many statements refer to a tariff; raises :class:`DifferenceError` for the first difference.
    """
    tariffs = stored.tariffs
    if len(tariffs) and not 0 <= int(tariffs.codes.min()) <= int(tariffs.codes.max()) < len(tariffs.hashes):
        raise DifferenceError(f"{stored.path / 'entries.arrow'}: a statement has a tariff that is not listed")
    for tariff in tariffs.used if stored.summary["schema"] == SCHEMA else ():
        file = stored.tariff_file(tariff)
        if file is None:
            raise DifferenceError(f"{stored.path / TARIFFS}: the file of tariff 0x{tariff.hex()} is missing")
        if keccak(file.read_bytes()) != tariff:
            raise DifferenceError(f"{file}: not the tariff that its name says")
    named = np.array([tariff != ZERO32 for tariff in tariffs.hashes])
    return int(named[tariffs.codes].sum())


def _order(stored: StoredBatch) -> NDArray[np.int64]:
    """The entries' places in the order of the records."""
    return np.argsort(stored.entries["first"].to_numpy(), kind="stable")


def _ranked(stored: StoredBatch) -> pa.Table:
    """The entries in the order of the records."""
    return stored.entries.take(pa.array(_order(stored)))


def _slices(stored: StoredBatch, first: NDArray[np.int64], count: NDArray[np.int64]) -> Iterator[_Slice]:
    """All records of a batch; ``first`` and ``count`` are those of its statements, which cover them: (m,)."""
    ends = first + count
    for start in range(0, int(count.sum()), _SLICE):
        records = stored.records_of(start, min(_SLICE, int(count.sum()) - start))
        place = np.arange(start, start + records.num_rows)
        owner = np.searchsorted(ends, place, side="right")
        yield _Slice(records, owner, place - first[owner])


def _roots(slices: Iterator[_Slice], count: NDArray[np.int64], keys: ByteRows) -> ByteRows:
    """The roots of the records trees: statements of ``count`` lines under ``keys`` (m, 32) → (m, 32)."""
    roots = np.empty((len(count), 32), np.uint8)
    waiting: list[ByteRows] = []  # leaves of statements whose last record is still to come
    done = 0
    for piece in slices:
        record_salts = salts.prf(Gathered(keys, piece.owner), salts.PEER_SALT, piece.index)
        peers = hash_peers(piece.records["number"], record_salts)
        waiting.append(hash_records(piece.records, piece.index, peers))
        last = int(piece.owner[-1])
        whole = last + int(piece.index[-1] + 1 == count[last])
        if whole > done:
            leaves = np.concatenate(waiting)
            ready = int(count[done:whole].sum())
            nodes, starts = tree.build_forest(leaves[:ready], count[done:whole])
            roots[done:whole] = nodes[starts]
            waiting, done = [leaves[ready:]], whole
    return roots
