"""Rows of Android backups, converted a batch at a time.

They come by the hundred thousand and all alike: those whose tags have the same attributes in the same order
are gathered as they are and converted together. A batch with anything odd in it is gone through row by row,
which says what each row means, and names the odd ones.
"""

from collections.abc import Callable
from typing import TypeVar

import numpy as np
import pyarrow as pa

from billproof.handset import android_rows, values
from billproof.handset.problems import RowError
from billproof.handset.rows import (
    APP,
    CALL,
    IN,
    MESSAGE,
    NO,
    OUT,
    UNKNOWN,
    YES,
    Entries,
    Ints,
    Row,
)

BATCH = 8192
Result = TypeVar("Result")
Columns = dict[str, list[str]]


class Batch:
    """Rows whose tags are alike."""

    def __init__(
        self,
        entries: Entries,
        together: Callable[[Entries, Columns, int], None],
        single: Callable[[dict[str, str]], Row | None],
    ) -> None:
        self._entries = entries
        self._together = together
        self._single = single
        self._flat: list[str] = []
        self._lines: list[int] = []
        self._width = 0

    def add(self, attributes: list[str], line: int) -> None:
        """``attributes``: name, value, name, value …"""
        if len(attributes) != self._width or len(self._lines) >= BATCH:
            self.flush()
            self._width = len(attributes)
        self._flat += attributes
        self._lines.append(line)

    def flush(self) -> None:
        """What was gathered goes to the entries."""
        if self._lines:
            try:
                self._together(self._entries, self._columns(), len(self._lines))
            except (ValueError, KeyError):  # pa.ArrowInvalid is a ValueError.
                self._one_by_one()
            self._flat.clear()
            self._lines.clear()

    def _columns(self) -> Columns:
        count, width, flat = len(self._lines), self._width, self._flat
        names = flat[0:width:2]
        for place, name in enumerate(names):
            if flat[2 * place :: width].count(name) != count:
                raise ValueError("tags differ")
        return {name: flat[2 * place + 1 :: width] for place, name in enumerate(names)}

    def _one_by_one(self) -> None:
        for place, line in enumerate(self._lines):
            row = self._flat[place * self._width : (place + 1) * self._width]
            try:
                made = self._single(dict(zip(row[::2], row[1::2], strict=True)))
            except RowError as problem:
                self._entries.reject(line, problem)
            else:
                if made is not None:
                    self._entries.add(made)


def calls(entries: Entries, column: Columns, count: int) -> None:
    """Raises when anything is odd, before anything was added."""
    at = _seconds(column["date"])
    seconds = np.array(_each(column["duration"], _duration), np.int64)
    code = _codes(column["type"], 7)
    out = code == 2
    answered = np.where(out, np.where(seconds > 0, YES, NO), np.where((code == 1) | (code == 7), YES, NO))
    seconds = np.where((code == 7) & (seconds == 0), -1, seconds)
    number = _each(column["number"], _number)
    if (presentation := column.get("presentation")) and presentation.count("1") != count:
        withheld = android_rows.WITHHELD
        number = ["" if p in withheld else n for n, p in zip(number, presentation, strict=True)]
    components = column.get("subscription_component_name", [""] * count)
    app = np.array(_each(components, android_rows.through_app), np.bool_)
    entries.add_columns(
        (np.where(app, APP, CALL), np.where(out, OUT, IN), answered),
        pa.array(number, pa.string()),
        at,
        seconds,
        np.zeros(count, np.int64),
        pa.array(_each(column.get("subscription_id", [""] * count), android_rows.sim), pa.string()),
    )


_ANSWERED = np.array([UNKNOWN, YES, YES, UNKNOWN, UNKNOWN, NO, UNKNOWN], np.int64)


def messages(entries: Entries, column: Columns, count: int) -> None:
    """Raises when anything is odd, drafts among it, before anything was added."""
    at = _seconds(column["date"])
    code = _codes(column["type"], 6)
    if (code == 3).any():
        raise ValueError("a draft")
    number = _each(column["address"], _number)
    parts = np.fromiter(map(values.segments, column["body"]), np.int64, count)
    entries.add_columns(
        (np.full(count, MESSAGE), np.where(code == 1, IN, OUT), _ANSWERED[code]),
        pa.array(number, pa.string()),
        at,
        np.zeros(count, np.int64),
        parts,
        pa.array(_each(column.get("sub_id", [""] * count), android_rows.sim), pa.string()),
    )


def _each(column: list[str], convert: Callable[[str], Result]) -> list[Result]:
    """``convert`` of each text, worked out once for each different one."""
    known = {text: convert(text) for text in set(column)}
    return [known[text] for text in column]


def _duration(text: str) -> int:
    try:
        return values.duration("duration", values.whole("duration", text))
    except RowError as problem:
        raise ValueError("duration") from problem


def _number(text: str) -> str:
    try:
        return values.clean_number(text)
    except RowError as problem:
        raise ValueError("number") from problem


def _codes(column: list[str], last: int) -> Ints:
    """Types: one digit, from 1."""
    if not set(column) <= {str(code) for code in range(1, last + 1)}:
        raise ValueError("type")
    return np.frombuffer("".join(column).encode(), np.uint8).astype(np.int64) - ord("0")


def _seconds(column: list[str]) -> Ints:
    """Epoch milliseconds to seconds."""
    at = _integers(column) // 1000
    if at.max() > values.LAST_SECOND:
        raise ValueError("out of range")
    return at


def _integers(column: list[str]) -> Ints:
    """Digits only; anything else raises ValueError."""
    together = "".join(column)
    if not (together.isascii() and together.isdigit()):
        raise ValueError("not whole numbers")
    if max(map(len, column)) > 18:
        raise ValueError("too many digits")
    numbers = pa.array(column, pa.string()).cast(pa.int64())
    return numbers.to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]
