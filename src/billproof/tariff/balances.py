"""What accounts carry over of their allowances, from one cycle to the next (``docs/tariff.md``, section 6).

The file is a CSV with the columns account, allowance, left and age: units of usage that were carried for
``age`` cycles by now. What is oldest is used first, and lost first. It stays in columns: there may be a
million accounts. An allowance is that of the account's own tariff.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from billproof.errors import InputError
from billproof.intake.keys import nearest
from billproof.tariff.model import Allowance, Tariff

Ints = NDArray[np.int64]

#: The file's columns.
BALANCES = pa.schema(
    [
        pa.field("account", pa.string(), nullable=False),
        pa.field("allowance", pa.string(), nullable=False),
        pa.field("left", pa.int64(), nullable=False),
        pa.field("age", pa.int64(), nullable=False),
    ]
)

_LARGEST = 1 << 62
_TEXTS = ("account", "allowance", "left", "age")


@dataclass(frozen=True)
class Held:
    """What some accounts hold of one tariff's allowances, ordered by owner, place and age, the oldest first.

    ``owner`` is a row's place in ``accounts``, ``place`` that of the allowance in the tariff.
    """

    tariff: Tariff
    accounts: pa.Array
    owner: Ints
    place: Ints
    age: Ints
    left: Ints

    def __len__(self) -> int:
        return len(self.owner)

    @property
    def sums(self) -> Mapping[tuple[int, int], int]:
        """(owner, place) → units, of whatever age: what a rater takes."""
        starts = _starts(self.owner, self.place)
        if not len(starts):
            return {}
        keys = zip(self.owner[starts].tolist(), self.place[starts].tolist(), strict=True)
        return dict(zip(keys, np.add.reduceat(self.left, starts).tolist(), strict=True))

    @property
    def whole(self) -> Ints:
        """(accounts, allowances): what there is at a cycle's start, its own amount too."""
        amounts = [allowance.amount for allowance in self.tariff.allowances]
        whole = np.tile(np.array(amounts, np.int64), (len(self.accounts), 1))
        np.add.at(whole, (self.owner, self.place), self.left)
        return whole

    def carried_on(self, left: Ints) -> Held:
        """What goes into the next cycle, when ``left``, (accounts, allowances), is left of :attr:`whole`."""
        allowances = self.tariff.allowances
        lasting = np.flatnonzero([allowance.cycles > 0 for allowance in allowances])
        count = len(self.accounts)
        owner = np.concatenate([self.owner, np.repeat(np.arange(count), len(lasting))])
        place = np.concatenate([self.place, np.tile(lasting, count)])
        age = np.concatenate([self.age, np.zeros(count * len(lasting), np.int64)])
        units = np.concatenate([self.left, np.tile(_of(allowances, "amount")[lasting], count)])
        order = np.lexsort((-age, place, owner))
        owner, place, age, units = owner[order], place[order], age[order], units[order]
        used = (self.whole - left)[owner, place]
        units = units - np.clip(used - _earlier(units, owner, place), 0, units)
        stays = age < _of(allowances, "cycles")[place]
        owner, place, age, units = owner[stays], place[stays], age[stays], units[stays]
        earlier = _earlier(units, owner, place)
        beyond = _totals(units, owner, place) - _of(allowances, "at_most")[place]
        units = units - np.clip(beyond - earlier, 0, units)
        some = units > 0
        return Held(self.tariff, self.accounts, owner[some], place[some], age[some] + 1, units[some])

    @property
    def table(self) -> pa.Table:
        """As rows of :data:`BALANCES`."""
        names = pa.array([allowance.name for allowance in self.tariff.allowances], pa.string())
        columns = [self.accounts.take(pa.array(self.owner)), names.take(pa.array(self.place))]
        return pa.table([*columns, pa.array(self.left), pa.array(self.age)], schema=BALANCES)


@dataclass(frozen=True)
class Balances:
    """A file's content, by account. ``first[k]`` to ``first[k + 1]`` are the rows of the k-th one.

    ``name`` is a row's place in ``names``, ``line`` where it stands in the file.
    """

    source: Path | None = None
    accounts: pa.Array = field(default_factory=lambda: pa.array([], pa.string()), repr=False)
    names: tuple[str, ...] = ()
    first: Ints = field(default_factory=lambda: np.zeros(1, np.int64), repr=False)
    name: Ints = field(default_factory=lambda: np.empty(0, np.int64), repr=False)
    left: Ints = field(default_factory=lambda: np.empty(0, np.int64), repr=False)
    age: Ints = field(default_factory=lambda: np.empty(0, np.int64), repr=False)
    line: Ints = field(default_factory=lambda: np.empty(0, np.int64), repr=False)

    @classmethod
    def read(cls, path: Path) -> Balances:
        """What is in a file; :class:`InputError` with the line of what cannot be."""
        table = _table(path)
        left, age = _numbers(table["left"], "left", 0, path), _numbers(table["age"], "age", 1, path)
        accounts = pc.utf8_normalize(table["account"], form="NFC").dictionary_encode()
        names = table["allowance"].dictionary_encode()
        owner, name = (column.indices.to_numpy().astype(np.int64) for column in (accounts, names))
        order = np.lexsort((-age, name, owner))
        owner, name, left, age, line = owner[order], name[order], left[order], age[order], order + 2
        again = (owner[1:] == owner[:-1]) & (name[1:] == name[:-1]) & (age[1:] == age[:-1])
        if again.any():
            place = int(line[1:][again].min())
            raise InputError("the account's allowance of that age is there twice", file=path, line=place)
        starts = _starts(owner, name)
        if len(starts):
            large = np.add.reduceat(left.astype(np.float64), starts) >= _LARGEST
            if large.any():
                place = int(line[starts[large]].min())
                raise InputError("is too large", file=path, line=place, field="left")
        first = np.searchsorted(owner, np.arange(len(accounts.dictionary) + 1))
        texts = tuple(names.dictionary.to_pylist())
        return cls(path, accounts.dictionary, texts, first, name, left, age, line)

    def of(self, accounts: pa.Array, tariff: Tariff) -> Held:
        """What accounts of that tariff hold; :class:`InputError` for what it does not carry over.

        No account is there twice.
        """
        # Of a part's accounts and a million others: few are put into a table, the many are looked up in it.
        found = pc.index_in(self.accounts, accounts)
        which = np.flatnonzero(found.is_valid().to_numpy(zero_copy_only=False))
        owners = found.drop_null().to_numpy().astype(np.int64)
        rows, owner = self._rows(which), np.repeat(owners, np.diff(self.first)[which])
        known = {allowance.name: place for place, allowance in enumerate(tariff.allowances)}
        places = np.array([known.get(name, -1) for name in self.names], np.int64)
        place, age = places[self.name[rows]], self.age[rows]
        cycles = np.append(_of(tariff.allowances, "cycles"), 0)[place]
        wrong = (place < 0) | (age > cycles)
        if wrong.any():
            at = int(np.flatnonzero(wrong)[self.line[rows][wrong].argmin()])
            raise self._refusal(int(rows[at]), int(cycles[at]) if place[at] >= 0 else None, tariff)
        order = np.lexsort((-age, place, owner))
        return Held(tariff, accounts, owner[order], place[order], age[order], self.left[rows][order])

    def taken(self, which: Ints) -> pa.Table:
        """The rows of some of the accounts, by their places, as :data:`BALANCES`."""
        rows = self._rows(which)
        names = pa.array(self.names, pa.string()).take(pa.array(self.name[rows]))
        owner = self.accounts.take(pa.array(np.repeat(which, np.diff(self.first)[which])))
        return pa.table([owner, names, pa.array(self.left[rows]), pa.array(self.age[rows])], schema=BALANCES)

    def _rows(self, which: Ints) -> Ints:
        """The rows of accounts, one account's after another's."""
        count = np.diff(self.first)[which]
        return np.repeat(self.first[which] - (np.cumsum(count) - count), count) + np.arange(int(count.sum()))

    def _refusal(self, row: int, cycles: int | None, tariff: Tariff) -> InputError:
        name = self.names[int(self.name[row])]
        place = int(self.line[row])
        if cycles is None:
            known = tuple(allowance.name for allowance in tariff.allowances)
            return InputError(
                f"{name!r} is no allowance of {tariff.words}",
                file=self.source,
                line=place,
                field="allowance",
                advice=nearest(name, known),
            )
        said = f"{name!r} is carried over for {cycles} cycles, not {int(self.age[row])}"
        return InputError(said, file=self.source, line=place, field="age")


def write_balances(tables: Iterable[pa.Table]) -> bytes:
    """The file: rows of :data:`BALANCES` by account, in which each account's stand in one table."""
    table = pa.concat_tables([BALANCES.empty_table(), *tables]).combine_chunks()
    numbered = table.append_column("row", pa.array(np.arange(table.num_rows)))
    table = table.take(pc.sort_indices(numbered, [("account", "ascending"), ("row", "ascending")]))
    cells = [_cells(table["account"]), _cells(table["allowance"])]
    cells += [table[name].cast(pa.string()) for name in ("left", "age")]
    lines = pc.binary_join_element_wise(*cells, ",").to_pylist()
    return "\n".join(["account,allowance,left,age", *lines, ""]).encode()


def _cells(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts as a CSV has them: in quotes where that is needed."""
    doubled = pc.replace_substring(texts, '"', '""')
    quoted = pc.binary_join_element_wise('"', doubled, '"', "")
    return pc.if_else(pc.match_substring_regex(texts, '[,"\r\n]'), quoted, texts)


def _table(path: Path) -> dict[str, pa.Array]:
    """The file's columns as texts; ``age`` is 1 where it is missing or empty."""
    broken: list[int] = []

    def note(row: pyarrow.csv.InvalidRow) -> str:
        broken.append(row.number or 1)
        return "error"

    try:
        table = pyarrow.csv.read_csv(
            path,
            read_options=pyarrow.csv.ReadOptions(use_threads=False),  # otherwise bad rows have no number
            parse_options=pyarrow.csv.ParseOptions(
                newlines_in_values=True, ignore_empty_lines=False, invalid_row_handler=note
            ),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types=dict.fromkeys(_TEXTS, pa.string()), strings_can_be_null=False
            ),
        )
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror or error}", file=path) from error
    except pa.ArrowException as error:
        line = broken[0] if broken else None
        raise InputError(f"is not CSV in UTF-8: {error}", file=path, line=line) from error
    if not {"account", "allowance", "left"} <= set(table.column_names):
        raise InputError(
            "no header account,allowance,left",
            file=path,
            line=1,
            advice="Write it, with age or without.",
        )
    columns = {name: table[name].combine_chunks() for name in _TEXTS if name in table.column_names}
    age = columns.setdefault("age", pa.array([""], pa.string()).take(pa.array(np.zeros(table.num_rows, int))))
    return {**columns, "age": pc.if_else(pc.equal(age, ""), "1", age)}


def _numbers(texts: pa.Array, column: str, least: int, path: Path) -> Ints:
    right = pc.match_substring_regex(texts, "^[0-9]{1,19}$")
    values = pc.if_else(right, texts, "0").cast(pa.uint64()).to_numpy()
    wrong = ~right.to_numpy(zero_copy_only=False) | (values < least) | (values >= _LARGEST)
    if wrong.any():
        row = int(wrong.argmax())
        raise InputError(
            f"{texts[row].as_py()!r} is not a whole number of at least {least}",
            file=path,
            line=row + 2,
            field=column,
        )
    numbers: Ints = values.astype(np.int64)
    return numbers


def _of(allowances: Iterable[Allowance], name: str) -> Ints:
    return np.array([getattr(allowance, name) for allowance in allowances], np.int64)


def _starts(owner: Ints, place: Ints) -> Ints:
    """Where each owner's rows of a place begin."""
    if not len(owner):
        return np.zeros(0, np.int64)
    changes = (owner[1:] != owner[:-1]) | (place[1:] != place[:-1])
    return np.flatnonzero(np.concatenate(([True], changes)))


def _earlier(units: Ints, owner: Ints, place: Ints) -> Ints:
    """The sum of the rows before each, of the same owner and place."""
    starts = _starts(owner, place)
    earlier = np.cumsum(units) - units  # may run over: what ran over is subtracted again
    return earlier - np.repeat(earlier[starts], np.diff(np.append(starts, len(units))))


def _totals(units: Ints, owner: Ints, place: Ints) -> Ints:
    """The sum of each row's owner and place."""
    starts = _starts(owner, place)
    if not len(starts):
        return units
    return np.repeat(np.add.reduceat(units, starts), np.diff(np.append(starts, len(units))))
