"""Reads delimited text into columns, without making a Python object per row or field.

A block of the file stays one buffer. Fields are an Arrow string array laid over it without copying: its
offsets are start and end of every field in turn, so that element ``2k`` is field ``k`` (the odd ones are
what lies between). A column is then one ``take``, and columns that no mapping names cost nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from billproof.errors import InputError
from billproof.intake.overlay import overlay, show, spoilt, undouble
from billproof.intake.rows import MAX_ROW, RAW_KEPT, BadRow, Bools, Coded, Ints, Octets, Rows, Spans
from billproof.intake.scanner import scanner
from billproof.intake.source import Digest, text_blocks
from billproof.intake.splitting import MISPLACED, Dialect, cut

_SMALLEST_WINDOW = 1 << 12


@dataclass(frozen=True)
class Layout:
    """How a delimited file is written; see ``[file]`` in docs/formats.md. ``columns`` empty: a header names
    them.
    """

    encoding: str
    dialect: Dialect
    skip_lines: int
    columns: tuple[str, ...]
    min_columns: int | None


@dataclass
class _Block:
    """Rows found in a block: positions of fields, and of rows (``bounds``: start, end), within it."""

    spans: list[Spans]
    first: list[Ints]
    counts: list[Ints]
    bounds: list[Ints]
    lines: list[Ints]
    bad: list[BadRow]
    doubled: bool = False
    fields: int = 0


class WithinRow(Exception):
    """Text that something follows ends within a row."""


class DelimitedReader:
    """One pass over one file. ``needed``: the columns that the mapping names, ``unlike`` those in which texts
    hardly repeat.

    ``followed``: the text is the beginning of more; where it does not end with a row, :class:`WithinRow`.
    """

    def __init__(
        self,
        path: Path,
        layout: Layout,
        needed: frozenset[str],
        *,
        unlike: frozenset[str] = frozenset(),
        block: int | None = None,
        digest: Digest | None = None,
        followed: bool = False,
    ) -> None:
        self._path = path
        self._layout = layout
        self._followed = followed
        self._needed = needed
        self._repeating = needed - unlike
        self._block = block
        self._size = path.stat().st_size if path.is_file() else 0
        self._digest = digest
        self._names = layout.columns
        self._line = 1
        self._skip = layout.skip_lines
        self._dropping: BadRow | None = None
        if self._names:
            self._check_names(None)

    def __iter__(self) -> Iterator[Rows]:
        """The file's rows, some 8 MiB at a time. Raises :class:`InputError` for files that cannot be read
        at all.
        """
        rest = b""
        for piece in text_blocks(self._path, self._layout.encoding, block=self._block, digest=self._digest):
            rows, rest = self._rows(rest + piece, final=False)
            if rows is not None:
                yield rows
        if self._followed and (rest or self._dropping):
            raise WithinRow
        rows, _ = self._rows(rest, final=True)
        if rows is not None:
            yield rows
        if not self._names:
            raise InputError(
                "has no header line", file=self._path, advice="check file.skip_lines, or name file.columns"
            )

    def _rows(self, text: bytes, *, final: bool) -> tuple[Rows | None, bytes]:
        """Rows of the text and what is left of it, which the next piece continues."""
        text = self._skip_lines(text)
        if self._skip:
            return None, text
        found = _Block([], [], [], [], [], [])
        buffer = np.frombuffer(text, np.uint8)
        position = self._drop(text, 0, final, found)
        window = len(text)
        while position < len(text):
            stop = min(position + window, len(text))
            last = final and stop == len(text)
            used, fault = self._window(buffer[position:stop], position, last, found)
            position += used
            if fault or (stop == len(text) and len(text) - position > MAX_ROW):
                position = self._give_up_line(text, position, fault, final, found)
                window = _SMALLEST_WINDOW
            elif stop == len(text):
                break
            else:
                window *= 2
        return self._gather(text, buffer, found), text[position:]

    def _skip_lines(self, text: bytes) -> bytes:
        """Drop the lines before the header."""
        while self._skip:
            head, end, rest = text.partition(b"\n")
            if not end:
                return b"" if len(head) > MAX_ROW else text
            text = rest
            self._skip -= 1
            self._line += 1
        return text

    def _window(self, window: Octets, base: int, final: bool, found: _Block) -> tuple[int, str]:
        """Find the rows of a window at ``base``; how many bytes are done, and why it stopped early."""
        loops, part = scanner(self._size), None
        if loops is not None:
            part = loops.cut(window, self._layout.dialect, final=final)
        if part is None:
            part = cut(window, self._layout.dialect, final=final)
        if len(part.rows) > 1:
            found.spans.append(part.spans + np.int32(base) if base else part.spans)
            lines = np.searchsorted(part.newlines, part.rows[:-1]) + self._line
            for row in part.spoilt.tolist():
                raw = show(window[part.rows[row] : part.rows[row + 1]].tobytes())
                found.bad.append(BadRow(int(lines[row]), "row", MISPLACED, raw))
            whole = np.ones(len(lines), np.bool_)
            whole[part.spoilt] = False
            kept = slice(None) if whole.all() else whole
            found.first.append(part.first[:-1][kept] + found.fields)
            found.counts.append(np.diff(part.first)[kept])
            found.bounds.append(np.stack((part.rows[:-1][kept], part.rows[1:][kept])) + base)
            found.lines.append(lines[kept])
            found.fields += len(part.spans)
            found.doubled |= part.doubled
        self._line += int(np.searchsorted(part.newlines, part.consumed))
        return part.consumed, part.fault

    def _give_up_line(self, text: bytes, position: int, fault: str, final: bool, found: _Block) -> int:
        """Reject the line at ``position``; where the next one begins."""
        reason = fault or f"is longer than {MAX_ROW} bytes, or a quote is opened and never closed"
        end = text.find(b"\n", position, position + MAX_ROW)
        enough = position + 4 * (
            RAW_KEPT + 1
        )  # bytes for more characters than are kept, so that it is marked
        raw = text[position : end if end >= 0 else enough]
        self._dropping = BadRow(
            self._line, "row", f"the row {reason}" if reason[:2] == "is" else reason, show(raw)
        )
        return self._drop(text, position, final, found)

    def _drop(self, text: bytes, position: int, final: bool, found: _Block) -> int:
        """Finish a line that is being given up, which may reach into the next block."""
        if self._dropping is None:
            return position
        end = text.find(b"\n", position)
        if end < 0 and not final:
            return len(text)
        found.bad.append(self._dropping)
        self._dropping = None
        self._line += 1
        return len(text) if end < 0 else end + 1

    def _gather(self, text: bytes, buffer: Octets, found: _Block) -> Rows | None:
        """Put the block's rows together: header off, empty lines off, rows of the wrong shape aside."""
        if not found.lines and not found.bad:
            return None
        none = np.zeros(0, np.int64)
        first, counts, lines = (
            np.concatenate(parts) if len(parts) > 1 else parts[0] if parts else none
            for parts in (found.first, found.counts, found.lines)
        )
        none_yet = np.zeros((0, 2), np.int32)
        spans = found.spans[0] if len(found.spans) == 1 else np.concatenate([none_yet, *found.spans])
        bounds = np.concatenate(found.bounds, axis=1) if found.bounds else np.zeros((2, 0), np.int64)
        filled = np.flatnonzero((counts > 1) | (spans[first, 0] < spans[first, 1]))
        fields = overlay(text, spans)
        if not self._names:
            filled = self._header(filled, first, counts, lines, fields, found)
            if not self._names:
                return None
        good = np.ones(len(filled), np.bool_)
        broken = spoilt(text, bounds[:, filled])
        self._wrong_shape(counts[filled], good, broken)
        bad = list(found.bad)
        for index in np.flatnonzero(~good).tolist():
            row = filled[index]
            reason = broken.get(index) or self._shape_reason(int(counts[row]))
            bad.append(BadRow(int(lines[row]), "row", reason, show(text[bounds[0, row] : bounds[1, row]])))
        kept = filled[good]
        if not len(kept) and not bad:
            return None
        first, counts, bounds = first[kept], counts[kept], bounds[:, kept]
        places = {name: place for place, name in enumerate(self._names)}
        ragged = self._layout.min_columns is not None

        def column(name: str) -> pa.StringArray:
            place = places[name]
            index = (first + place) * 2
            if ragged:
                texts = fields.take(pa.array(index, mask=counts <= place)).fill_null("")
            else:
                texts = fields.take(pa.array(index))
            return undouble(texts, self._layout.dialect.quote) if found.doubled else texts

        known: dict[str, Coded] = {}

        def coded(name: str) -> Coded:
            loops = scanner()
            if loops is None or ragged or name not in self._repeating:
                return Coded.of(column(name))
            if not known:
                wanted = sorted(self._repeating)
                found_codes = loops.code(buffer, spans, first, np.array([places[name] for name in wanted]))
                for each, (codes, met) in zip(wanted, found_codes, strict=True):
                    distinct = fields.take(pa.array(met * 2))
                    if found.doubled:
                        distinct = undouble(distinct, self._layout.dialect.quote)
                    known[each] = Coded(distinct, codes)
            return known[name]

        def raw(rows: Ints) -> list[str]:
            return [show(text[begin:end]) for begin, end in bounds[:, rows].T.tolist()]

        return Rows(lines[kept], column, raw, bad, coded)

    def _header(
        self, filled: Ints, first: Ints, counts: Ints, lines: Ints, fields: pa.StringArray, found: _Block
    ) -> Ints:
        """Take the names from the first row; the remaining rows."""
        worst = min(found.bad, key=lambda row: row.line, default=None)
        if worst and (not len(filled) or worst.line < lines[filled[0]]):
            raise InputError(
                f"the header cannot be read: {worst.reason}",
                file=self._path,
                line=worst.line,
                advice="check file.quote, file.encoding and file.skip_lines in the mapping",
            )
        if not len(filled):
            return filled
        row = filled[0]
        line = int(lines[row])
        try:
            names = [fields[int(index)].as_py() for index in (first[row] + np.arange(counts[row])) * 2]
        except UnicodeDecodeError as error:
            raise InputError(
                "the header is not valid text",
                file=self._path,
                line=line,
                advice="state file.encoding in the mapping",
            ) from error
        mark = chr(max(self._layout.dialect.quote, 0))
        self._names = tuple(name.replace(mark * 2, mark).strip(" \t\ufeff") for name in names)
        self._check_names(line)
        return filled[1:]

    def _check_names(self, line: int | None) -> None:
        """Every needed column is there, once."""
        listed = ", ".join(self._names[:40])
        shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in listed)
        if len(shown) > 1000:
            shown = shown[:1000] + " …"
        for name in sorted(self._needed):
            count = self._names.count(name)
            if count != 1:
                what = "is named twice in" if count else "is not in"
                where = f"the header ({shown})" if line else f"file.columns ({shown})"
                raise InputError(
                    f"the mapping uses the column {name!r}, which {what} {where}",
                    file=self._path,
                    line=line,
                    field=name,
                    advice="correct the column name, file.delimiter or file.skip_lines in the mapping",
                )

    def _wrong_shape(self, counts: Ints, good: Bools, broken: dict[int, str]) -> None:
        """Mark rows with too few or too many columns, and those that are not text."""
        most = len(self._names)
        least = most if self._layout.min_columns is None else self._layout.min_columns
        good &= (counts >= least) & (counts <= most)
        good[list(broken)] = False

    def _shape_reason(self, count: int) -> str:
        most = len(self._names)
        least = self._layout.min_columns
        wanted = f"{most}" if least is None else f"{least} to {most}"
        return f"{count} columns instead of {wanted}"
