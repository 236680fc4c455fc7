"""Stored batch → bundles and receipts, many at once; bundle → receipt.

The batch's files are mapped, not read: what a bundle needs of them is an account's records, its entry and
its proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from itertools import pairwise
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from billproof import commit
from billproof.bundle import documents as doc
from billproof.bundle import text
from billproof.bundle.columns import Frame, Lines
from billproof.bundle.text import Template, hexes, integers, texts
from billproof.commitment import salts, tree
from billproof.commitment.columns import Gathered
from billproof.commitment.keccak import ByteRows
from billproof.commitment.structs import TOTALS, hash_one, hash_struct
from billproof.errors import InputError
from billproof.files import write_file, write_files
from billproof.inclusion import hash_lines
from billproof.inorder import in_order
from billproof.leaves import byte_rows, hash_peers, hash_records
from billproof.secret_store import Enrolment, SecretStore
from billproof.store import StoredBatch

#: Lines that are worked on at a time, or a statement's where it has more: some 20 MB of bundles.
_LINES = 1 << 15

#: Receipts that are written at a time: some 10 MB.
_RECEIPTS = 1 << 12

#: The columns of records that files show.
_READ = ["service", "started_at", "utc_offset", "usage", "billed_usage", "number", "network", "amount"]
_READ += ["rate", "corrects"]

_LINE = Template.of(doc.Record, depth=2).around("  ", ",\n")
_BEFORE, _AFTER = Template.of(doc.Bundle).cut("records")
_LINE_BYTES = sum(map(len, _LINE.pieces[::2]))  # those that every line of a bundle has
_HEAD, _TAIL = _BEFORE.around("", "[\n"), _AFTER.around("\n ]", "\n")


class Cutter:
    """Cuts the bundles and receipts of a stored batch, of all its accounts or of those asked for.

    ``accounts`` says which: those asked for in their order, else all whose opening keys were not erased, in
    the order of the records. Opening them reads the secrets once; after that an account's bundle takes
    milliseconds. An account that has no statement or whose key was erased raises :class:`InputError` when
    asked for, and so do a batch that was made with other secrets than these and a bundle that would be larger
    than verifiers read.
    """

    def __init__(
        self, stored: StoredBatch, secrets: SecretStore, accounts: Sequence[str] | None = None
    ) -> None:
        held = stored.entries["account"].combine_chunks()
        openable = secrets.openable(stored.id, held)
        rows = np.flatnonzero(openable) if accounts is None else _rows_of(held, accounts, stored.path)
        if accounts is None:  # in the order of the records, so that those are read once
            rows = rows[np.argsort(stored.entries["first"].to_numpy()[rows])]
        self.stored = stored
        self._rows = rows
        self._entries = stored.entries.take(pa.array(rows)).combine_chunks()
        self.accounts: pa.Array = self._entries["account"].chunk(0) if len(rows) else held.slice(0, 0)
        # The holder is that of the time: the one enrolled now may be another.
        seeds = secrets.enrolled(self.accounts).seeds
        self._enrolment = Enrolment(seeds, byte_rows(self._entries["holder"], 20))
        self._opening_keys = secrets.opening_keys(stored.id, self.accounts)
        self._totals_salts = commit.totals_salts(self._opening_keys)
        self._check_secrets()
        self._key_secrets = commit.key_secrets(stored.id, seeds)

    @cached_property
    def _places(self) -> dict[str, int]:
        """Where each account stands among those opened."""
        return {account: at for at, account in enumerate(self.accounts.to_pylist())}

    def _place(self, account: str) -> int:
        if account not in self._places:
            raise _no_statement(account, self.stored.path)
        return self._places[account]

    @property
    def tariff_files(self) -> list[Path]:
        """The files of the tariffs that these accounts' statements refer to, as far as the batch has them."""
        used = self.stored.tariffs.take(self._rows).used
        return [file for tariff in used if (file := self.stored.tariff_file(tariff)) is not None]

    def bundle(self, account: str) -> bytes:
        """The bundle of one account, as its file holds it."""
        return self._bundles(self._read(np.array([self._place(account)])))[0][1]

    def bundles(self) -> Iterator[tuple[str, bytes]]:
        """Account number and bundle of each account, as its file holds it; worked out on all cores."""
        pieces = map(self._read, self._pieces())
        for found in in_order(partial(self._bundles, piece) for piece in pieces):
            yield from found

    def frame(self, account: str) -> Frame:
        """The bundle of one account without its lines."""
        columns = self._statement_columns(np.array([self._place(account)]))
        head, tail = (part.fill(columns)[0].as_py() for part in (_HEAD, _TAIL))
        return msgspec.json.decode(head + tail, type=Frame)

    def hashed(self, account: str) -> Iterator[Lines]:
        """The lines of one account's statement, hashed, some thousands at a time."""
        place = np.array([self._place(account)])
        first, count = (self._entries[name][int(place[0])].as_py() for name in ("first", "count"))
        for begin in range(0, count, _LINES):
            records = self.stored.records_of(first + begin, min(_LINES, count - begin), _READ)
            yield self._hashed(place, np.array([records.num_rows]), records, begin)

    def receipts(self, *, show_number: bool) -> Iterator[tuple[str, int, bytes]]:
        """Account number, line (from 0) and receipt of every line of each account, as its file holds it."""
        hidden = () if show_number else ("number", "salt")
        template = Template.of(doc.Receipt, without=hidden).around("", "\n")
        for found in in_order(self._receipt_work(template)):
            yield from found

    def _receipt_work(self, template: Template) -> Iterator[Callable[[], list[tuple[str, int, bytes]]]]:
        for at, records in map(self._read, self._pieces()):
            lines = self._lines(at, records)
            forest = tree.build_forest(lines.hashes, lines.count)
            statements = {**self._statement_columns(at), "totals": hexes(self._totals(at))}
            for start in range(0, len(lines.index), _RECEIPTS):
                rows = slice(start, min(start + _RECEIPTS, len(lines.index)))
                yield partial(self._receipts, lines, forest, statements, rows, template)

    def _pieces(self) -> Iterator[NDArray[np.int64]]:
        """Which of the statements are read at a time: consecutive ones that lie together."""
        first, count = self._entries["first"].to_numpy(), self._entries["count"].to_numpy()
        apart = first[1:] != (first + count)[:-1]
        full = np.diff((np.cumsum(count) - count) // _LINES) > 0
        yield from np.split(np.arange(len(first)), np.flatnonzero(apart | full) + 1) if len(first) else []

    def _read(self, at: NDArray[np.int64]) -> tuple[NDArray[np.int64], pa.Table]:
        """Statements and their records."""
        first = self._entries["first"][int(at[0])].as_py()
        count = self._entries["count"].to_numpy()[at]
        return at, self.stored.records_of(first, int(count.sum()), _READ)

    def _lines(self, at: NDArray[np.int64], records: pa.Table) -> Lines:
        return self._hashed(at, self._entries["count"].to_numpy()[at], records)

    def _hashed(
        self, at: NDArray[np.int64], count: NDArray[np.int64], records: pa.Table, start: int = 0
    ) -> Lines:
        """``records`` are ``count`` lines of each statement, from line ``start`` on."""
        index = np.arange(records.num_rows) - np.repeat(np.cumsum(count) - count, count) + start
        keys = Gathered(self._opening_keys, np.repeat(at, count))
        record_salts = salts.prf(keys, salts.PEER_SALT, index)
        peers = hash_peers(records["number"], record_salts)
        hashes = hash_records(records, index, peers)
        return Lines(at, count, records, index, record_salts, peers, hashes)

    def _bundles(self, read: tuple[NDArray[np.int64], pa.Table]) -> list[tuple[str, bytes]]:
        accounts = self.accounts.take(pa.array(read[0])).to_pylist()
        for account, count in zip(accounts, self._entries["count"].to_numpy()[read[0]].tolist(), strict=True):
            self._require_readable(account, count * _LINE_BYTES)  # before memory is taken for what is in vain
        lines = self._lines(*read)
        written, starts = text.values(
            _LINE.fill({**lines.columns(slice(0, len(lines.index))), "hash": hexes(lines.hashes)})
        )
        columns = self._statement_columns(lines.at)
        heads, tails = (part.fill(columns).to_pylist() for part in (_HEAD, _TAIL))
        ends = starts[np.concatenate(([0], np.cumsum(lines.count)))].tolist()
        contents = [
            b"".join((head.encode(), written[begin : end - len(",\n")], tail.encode()))
            for head, (begin, end), tail in zip(heads, pairwise(ends), tails, strict=True)
        ]
        for account, content in zip(accounts, contents, strict=True):
            self._require_readable(account, len(content))
        return list(zip(accounts, contents, strict=True))

    def _require_readable(self, account: str, size: int) -> None:
        """Refuses to write what no verifier reads."""
        if size > doc.MAX_BYTES:
            raise InputError(
                f"the bundle of account {account} is larger than {doc.MAX_BYTES >> 20} MiB, which no verifier"
                " reads",
                file=self.stored.path,
                advice="Its lines can be proved one by one with `billproof receipts`. For bundles, split the"
                " account's CDR files among several batches, each with a --region of its own.",
            )

    def _receipts(
        self,
        lines: Lines,
        forest: tuple[ByteRows, NDArray[np.int64]],
        statements: dict[str, pa.Array | str],
        rows: slice,
        template: Template,
    ) -> list[tuple[str, int, bytes]]:
        nodes, starts = forest
        of, index = np.repeat(np.arange(len(lines.at)), lines.count)[rows], lines.index[rows]
        proofs, ends = tree.proofs(nodes, index, starts=starts[of], counts=lines.count[of])
        repeated = {
            name: column if isinstance(column, str) else column.take(pa.array(of))
            for name, column in statements.items()
            if name in template.pieces
        }
        columns = {
            **repeated,
            **lines.columns(rows),
            "peer": hexes(lines.peers[rows]),
            "recordProof": text.lists(hexes(proofs), ends, depth=0),
        }
        written, at = text.values(template.fill(columns))
        accounts = self.accounts.take(pa.array(lines.at[of])).to_pylist()
        contents = [bytes(written[begin:end]) for begin, end in pairwise(at.tolist())]
        return list(zip(accounts, index.tolist(), contents, strict=True))

    def _statement_columns(self, at: NDArray[np.int64]) -> dict[str, pa.Array | str]:
        """The fields of statements, their accounts and entries: k texts each, or one for all."""
        entries, nodes = self._entries.take(pa.array(at)), self.stored.nodes
        following = (self._rows[at] + 1) % self.stored.entries.num_rows
        next_accounts = self.stored.entries["account_key"].take(pa.array(following))
        proofs, ends = tree.proofs(nodes, self._rows[at])
        return {
            **self.stored.id.fields,
            "accountId": texts(entries["account"]),
            "keySecret": hexes(self._key_secrets[at]),
            "holder": hexes(self._enrolment.holders[at]),
            "account": hexes(byte_rows(entries["account_key"], 32)),
            "recordsRoot": hexes(byte_rows(entries["records_root"], 32)),
            "recordCount": integers(entries["count"].to_numpy()),
            "currency": texts(entries["currency"]),
            "tariff": self._tariff_texts(self._rows[at]),
            "total": integers(entries["total"].to_numpy()),
            "totalSalt": hexes(self._totals_salts[at]),
            "nextAccount": hexes(byte_rows(next_accounts, 32)),
            "proof": text.lists(hexes(proofs), ends, depth=1),
        }

    def _tariff_texts(self, rows: NDArray[np.int64]) -> pa.Array | str:
        """The tariffs' hashes of the entries at ``rows``: one text where the whole batch has one."""
        tariffs = self.stored.tariffs
        hashes = ["0x" + tariff.hex() for tariff in tariffs.hashes]
        return hashes[0] if len(hashes) == 1 else texts(pa.array(hashes)).take(pa.array(tariffs.codes[rows]))

    def _totals(self, at: NDArray[np.int64]) -> ByteRows:
        """What hides the totals of statements in their receipts: (k, 32)."""
        total = self._entries["total"].to_numpy()[at]
        return hash_struct(TOTALS, total=total, salt=self._totals_salts[at])

    def _check_secrets(self) -> None:
        entries = self._entries
        recomputed = commit.statement_hashes(
            self.stored.id,
            self.stored.tariffs.take(self._rows),
            keys=commit.account_keys(self.accounts, self.stored.id, self._enrolment),
            roots=byte_rows(entries["records_root"], 32),
            count=entries["count"].to_numpy(),
            currencies=entries["currency"],
            total=entries["total"].to_numpy(),
            total_salts=self._totals_salts,
        )
        if not np.array_equal(recomputed, byte_rows(entries["statement"], 32)):
            raise InputError(
                "this batch was made with other secrets",
                file=self.stored.path,
                advice="Restore them from the backup.",
            )


def bundles(
    stored: StoredBatch, secrets: SecretStore, accounts: Sequence[str] | None = None
) -> Iterator[tuple[str, doc.Bundle]]:
    """Account number and bundle of each account of the batch, or of those asked for: see :class:`Cutter`."""
    for account, content in Cutter(stored, secrets, accounts).bundles():
        yield account, msgspec.json.decode(content, type=doc.Bundle)


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


def _rows_of(held: pa.Array, accounts: Sequence[str], path: Path) -> NDArray[np.int64]:
    at = pc.index_in(pa.array(accounts, pa.string()), held).to_pylist()
    for account, row in zip(accounts, at, strict=True):
        if row is None:
            raise _no_statement(account, path)
    return np.array(at, np.int64)


def _no_statement(account: str, path: Path) -> InputError:
    return InputError(
        f"no statement of account {account}", file=path, advice="See the account numbers in your CDRs."
    )


def _hex(row: ByteRows) -> str:
    return "0x" + row.tobytes().hex()
