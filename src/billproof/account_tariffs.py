"""Which tariff file each account is billed by, as the operator says: one for all, or a list of accounts.

The list is a CSV with the columns ``account`` and ``tariff``, which is the path of the file, from where the
list lies. It stays in columns: a code for each account, into the few different files.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from billproof.commitment.keccak import keccak
from billproof.documents.source import MAX_BYTES
from billproof.errors import InputError
from billproof.records import ZERO32
from billproof.statement_tariffs import StatementTariffs

#: Code of an account that the list does not name, where there is no tariff for the rest.
UNNAMED = -1

#: Accounts without a tariff that an error names.
_NAMED = 5


@dataclass(frozen=True)
class TariffFile:
    """A tariff's file: its exact bytes are what statements refer to."""

    path: Path
    content: bytes = field(repr=False)
    hash: bytes

    @classmethod
    def read(cls, path: Path, *, named_by: Path | None = None, line: int | None = None) -> TariffFile:
        """The file's bytes; the error says which list names it, if one does."""
        try:
            content = _content(path, listed=named_by is not None)
        except (OSError, ValueError) as error:
            why = (error.strerror if isinstance(error, OSError) else None) or "is no path"
            raise InputError(
                f"cannot read the tariff {path}: {why}" if named_by else f"cannot read the tariff: {why}",
                file=named_by or path,
                line=line,
                field="tariff" if named_by else None,
                advice="Paths are taken from where the list lies." if named_by else "",
            ) from error
        return cls(path, content, keccak(content))

    @property
    def stored_name(self) -> str:
        """Its name in a store and beside bundles: the hash as statements have it, and its kind."""
        suffix = self.path.suffix.lower()
        return f"0x{self.hash.hex()}{suffix if re.fullmatch('[.][a-z0-9]{1,8}', suffix) else ''}"


def _content(path: Path, *, listed: bool) -> bytes:
    """The bytes of a file that is no larger than a tariff may be; of a pipe only where a person names it."""
    if listed and path.is_fifo():
        raise OSError(0, "is no file")
    with path.open("rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise OSError(0, f"larger than {MAX_BYTES >> 20} MiB")
    return content


@dataclass(frozen=True)
class AccountTariffs:
    """The tariff of every account of a run. ``files`` are different ones; there may be none at all."""

    files: tuple[TariffFile, ...] = ()
    rest: int | None = None
    """Which of them accounts have that the list does not name; None refuses those."""
    accounts: pa.Array = field(default_factory=lambda: pa.array([], pa.string()), repr=False)
    listed: NDArray[np.int32] = field(default_factory=lambda: np.empty(0, np.int32), repr=False)
    source: Path | None = None

    @classmethod
    def one(cls, path: Path) -> AccountTariffs:
        """One tariff for all accounts."""
        return cls((TariffFile.read(path),), rest=0)

    @classmethod
    def read(cls, source: Path, rest: Path | None = None) -> AccountTariffs:
        """The list in ``source``, and the tariff of accounts that it does not name."""
        accounts, names = _columns(source)
        coded = names.dictionary_encode()
        lines = np.full(len(coded.dictionary), -1)
        at = coded.indices.to_numpy()
        lines[at[::-1]] = np.arange(len(at))[::-1] + 2
        files: list[TariffFile] = []
        places: dict[bytes, int] = {}

        def place(file: TariffFile) -> int:
            if file.hash not in places:
                places[file.hash] = len(files)
                files.append(file)
            return places[file.hash]

        known = [
            place(TariffFile.read(source.parent / name, named_by=source, line=line))
            for name, line in zip(coded.dictionary.to_pylist(), lines.tolist(), strict=True)
        ]
        others = None if rest is None else place(TariffFile.read(rest))
        codes = np.array(known, np.int32)[at] if known else np.empty(0, np.int32)
        return cls(tuple(files), others, accounts, codes, source)

    @property
    def hashes(self) -> tuple[bytes, ...]:
        return tuple(file.hash for file in self.files) or (ZERO32,)

    def codes(self, accounts: pa.Array) -> NDArray[np.int32]:
        """Each account's place in ``hashes``: (m,) int32, ``UNNAMED`` for one that has none."""
        without = 0 if self.source is None else UNNAMED
        codes = np.full(len(accounts), without if self.rest is None else self.rest, np.int32)
        if len(self.accounts):
            found = pc.index_in(accounts, self.accounts)
            named = found.is_valid().to_numpy(zero_copy_only=False)
            codes[named] = self.listed[found.drop_null().to_numpy()]
        return codes

    def of(self, accounts: pa.Array) -> StatementTariffs:
        """Each account's tariff, and no other; :class:`InputError` where one has none."""
        codes = self.codes(accounts)
        self.require_named(accounts.filter(pa.array(codes == UNNAMED)).to_pylist())
        used, places = np.unique(codes, return_inverse=True)
        return StatementTariffs(tuple(self.hashes[code] for code in used.tolist()), places.astype(np.int32))

    def files_of(self, tariffs: StatementTariffs) -> list[TariffFile]:
        """The files of those that statements refer to."""
        return [file for file in self.files if file.hash in tariffs.hashes]

    def require_named(self, unnamed: Sequence[str]) -> None:
        """Raises :class:`InputError` where there are accounts without a tariff."""
        if unnamed:
            several = ", …" if len(unnamed) > _NAMED else ""
            raise InputError(
                f"names no tariff for {len(unnamed):,} accounts: {', '.join(unnamed[:_NAMED])}{several}",
                file=self.source,
                advice="Add them, or name a tariff for all others with --tariff.",
            )


def _columns(source: Path) -> tuple[pa.Array, pa.Array]:
    """The columns of a list, account numbers as intake writes them."""
    try:
        table = pyarrow.csv.read_csv(
            source,
            parse_options=pyarrow.csv.ParseOptions(newlines_in_values=False, ignore_empty_lines=False),
            convert_options=pyarrow.csv.ConvertOptions(
                include_columns=["account", "tariff"],
                column_types={"account": pa.string(), "tariff": pa.string()},
            ),
        )
    except (OSError, pa.ArrowException) as error:
        raise InputError(
            f"cannot read: {error}",
            file=source,
            advice="Write a CSV with the columns account,tariff; tariff is the path of the tariff's file.",
        ) from error
    columns = [table[name].combine_chunks() for name in ("account", "tariff")]
    for name, column in zip(table.column_names, columns, strict=True):
        empty = pc.index(pc.equal(pc.utf8_trim_whitespace(column), ""), True).as_py()
        if empty >= 0:
            raise InputError("is empty", file=source, line=empty + 2, field=name)
    accounts = pc.utf8_normalize(columns[0], form="NFC")
    first = pc.index_in(accounts, pc.unique(accounts))
    if len(accounts) and pc.max(first).as_py() + 1 < len(accounts):
        seen = np.unique(first.to_numpy(), return_index=True)[1]
        again = int(np.setdiff1d(np.arange(len(accounts)), seen, assume_unique=True)[0])
        raise InputError(
            f"account {accounts[again]} stands here twice", file=source, line=again + 2, field="account"
        )
    return accounts, columns[1]
