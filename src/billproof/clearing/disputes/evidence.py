"""A statement of a book, from its store or its proof file, → what proves some of its records.

Stores need the operator's secrets: they open the account's lines, as bundles are cut.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from billproof.bundle import documents as doc
from billproof.bundle.columns import Frame, Lines, line_columns
from billproof.bundle.cut import Cutter
from billproof.bundle.reading import open_document
from billproof.bundle.text import hexes, one_line_lists
from billproof.clearing.books.sources import BatchSource
from billproof.clearing.kernel import Ints
from billproof.commitment import tree
from billproof.commitment.keccak import ByteRows, rows_of
from billproof.errors import InputError
from billproof.inclusion import hash_lines
from billproof.secret_store import SecretStore
from billproof.store import StoredBatch
from billproof.tariff.columns import table_of

#: Records whose text is made at a time: some 10 MB.
_TEXTS = 1 << 12


@dataclass(frozen=True)
class Statement:
    """One statement that is open: what stands around its lines, and the lines, hashed, in slices."""

    source: BatchSource
    frame: Frame
    lines: Callable[[], Iterator[Lines]]

    @property
    def count(self) -> int:
        """How many records it has."""
        return int(self.frame.statement.recordCount)

    def proved(self, wanted: Ints, progress: Callable[[int], None]) -> Iterator[dict[str, pa.Array]]:
        """Records by their index, ascending: their fields as text, and ``proof``, some thousands at a time.

        Hashes the whole statement, of which 96 bytes a record are held. ``progress`` is told how many records
        were hashed. Raises :class:`InputError` where they do not lead to the statement.
        """
        leaves = np.empty((self.count, 32), np.uint8)
        records, salts, done = [], [], 0
        for lines in self.lines():
            end = done + len(lines.hashes)
            leaves[done:end] = lines.hashes
            begin, stop = np.searchsorted(wanted, [done, end]).tolist()
            at = wanted[begin:stop] - done
            records.append(lines.records.take(pa.array(at)))
            salts.append(lines.salts[at])
            done = end
            progress(len(lines.hashes))
        nodes = tree.build_tree(leaves)
        del leaves
        if "0x" + nodes[0].tobytes().hex() != self.frame.statement.recordsRoot:
            raise InputError(
                "the records do not lead to the statement",
                file=self.source.path,
                advice="They were changed: `billproof audit` says more. Take the store from its backup.",
            )
        table, salted = pa.concat_tables(records).unify_dictionaries(), np.concatenate(salts)
        for begin in range(0, len(wanted), _TEXTS):
            rows = slice(begin, min(begin + _TEXTS, len(wanted)))
            nodes_of, ends = tree.proofs(nodes, wanted[rows])
            yield {
                **line_columns(table.slice(begin, rows.stop - begin), wanted[rows], salted[rows]),
                "proof": one_line_lists(hexes(nodes_of), ends),
            }


def open_statement(source: BatchSource, secrets: Path | None) -> Statement:
    """The statement of a source; ``secrets`` is the directory that opens stores."""
    if not source.path.is_dir():
        document = open_document(source.path).document
        if not isinstance(document, doc.Bundle):
            raise InputError("is a receipt", file=source.path, advice="Give the bundle.")
        frame = Frame(document.batch, document.account, document.statement, document.entry)
        return Statement(source, frame, lambda: iter([_lines_of(document)]))
    if secrets is None:
        raise InputError(
            "proofs of a store's records need the secrets that it was made with",
            file=source.path,
            field="--secrets",
            advice="Name their directory, or give the account's bundles instead of the store.",
        )
    store = SecretStore(secrets, source.operator)
    cutter = Cutter(StoredBatch.open(source.path), store, [source.account])
    return Statement(source, cutter.frame(source.account), lambda: cutter.hashed(source.account))


def _lines_of(bundle: doc.Bundle) -> Lines:
    hashed = hash_lines(bundle.records)
    count = len(bundle.records)
    return Lines(
        at=np.zeros(1, np.int64),
        count=np.array([count]),
        records=table_of(bundle),
        index=np.arange(count),
        salts=_salts(bundle),
        peers=hashed.peers,
        hashes=hashed.hashes,
    )


def _salts(bundle: doc.Bundle) -> ByteRows:
    return rows_of(bytes.fromhex("".join(record.salt[2:] for record in bundle.records)), 32)
