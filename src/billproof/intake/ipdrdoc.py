"""Reads IPDR documents in XML (``IPDRDoc`` 3.x) into text columns, as a stream.

Document type declarations are refused outright, and with them every entity: no IPDR document has one, and
they are what makes XML dangerous to read. Depth, text and record sizes are bounded.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn
from xml.parsers.expat import ExpatError, ParserCreate, errors

from billproof.errors import InputError
from billproof.intake.rows import MAX_ROW, BadRow, Rows, from_lists
from billproof.intake.source import Digest, raw_blocks

#: Elements within elements; IPDR documents have three levels.
MAX_DEPTH = 32
#: Bytes of one record or comment, markup included.
_LONGEST = 8 * MAX_ROW
_BATCH = 50_000
_BLOCK = 1 << 20


class IpdrReader:
    """One pass over one document. ``record``: local name of the element that is one row."""

    def __init__(
        self,
        path: Path,
        record: str,
        needed: frozenset[str],
        *,
        strip: bool = False,
        digest: Digest | None = None,
    ) -> None:
        self._path = path
        self._digest = digest
        self._record = record
        self._needed = sorted(needed)
        self._strip = strip
        self._depth = 0
        self._inside: list[str] = []
        self._row: dict[str, list[str]] | None = None
        self._text: list[str] = []
        self._size = 0
        self._begun = 0
        self._line = 0
        self._count = 0
        self._stated: int | None = None
        self._kept = b""
        self._kept_from = 0
        self._clear()
        self._parser = ParserCreate()
        self._parser.buffer_text = True
        self._parser.SetParamEntityParsing(0)
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.EntityDeclHandler = self._refuse
        self._parser.ExternalEntityRefHandler = self._refuse
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._characters

    def __iter__(self) -> Iterator[Rows]:
        """The document's records. Raises :class:`InputError`: not well-formed, hostile, cut short,
        miscounted.
        """
        try:
            for piece in raw_blocks(self._path, block=_BLOCK, digest=self._digest):
                self._keep(piece)
                self._parser.Parse(piece, False)
                self._bound()
                if len(self._lines) >= _BATCH:
                    yield self._take()
            self._parser.Parse(b"", True)
        except ExpatError as error:
            raise self._error(
                f"is not well-formed XML: {errors.messages[error.code]}" if error.code else "is not XML",
                "fetch the document again; the rows before this line were read",
                error.lineno,
            ) from error
        except (ValueError, LookupError) as error:
            raise self._error(
                f"states an encoding that is not known here ({error})", "save it as UTF-8"
            ) from error
        if self._lines:
            yield self._take()
        if self._stated is not None and self._stated != self._count:
            raise self._error(
                f"IPDRDoc.End states {self._stated} records, and there are {self._count}",
                "the document was cut or changed: fetch it again",
            )

    def _clear(self) -> None:
        self._lines: list[int] = []
        self._columns: dict[str, list[str]] = {name: [] for name in self._needed}
        self._raws: list[str] = []
        self._bad: list[BadRow] = []

    def _take(self) -> Rows:
        rows = from_lists(self._lines, self._columns, self._raws, self._bad)
        self._clear()
        return rows

    def _keep(self, piece: bytes) -> None:
        """Hold the bytes of the record that is being read, for its raw text."""
        start = self._begun if self._row is not None else self._kept_from + len(self._kept)
        self._kept = self._kept[start - self._kept_from :] + piece
        self._kept_from = start

    def _bound(self) -> None:
        """Refuse records and markup that never end: they would have to be held in memory."""
        waiting = self._kept_from + len(self._kept) - self._parser.CurrentByteIndex
        if max(waiting, len(self._kept) if self._row is not None else 0) > _LONGEST:
            raise self._error(
                f"has a record or comment of more than {_LONGEST} bytes", "this is no IPDR document"
            )

    def _error(self, message: str, advice: str, line: int | None = None) -> InputError:
        return InputError(
            message, file=self._path, line=line or self._parser.CurrentLineNumber, advice=advice
        )

    def _refuse(self, *_: object) -> NoReturn:
        raise self._error(
            "has a document type declaration or an entity, which an IPDR document never needs",
            "do not trust this file; ask its sender for one without <!DOCTYPE …>",
        )

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(":")[2]
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._error(f"has elements nested deeper than {MAX_DEPTH}", "this is no IPDR document")
        if self._depth == 1 and local != "IPDRDoc":
            raise self._error(
                f"is a {local!r} document, not an IPDRDoc", "choose the format that the file is in"
            )
        if self._row is not None:
            self._inside.append(local)
            self._text = []
        elif local == self._record:
            self._row, self._inside, self._text, self._size = {}, [], [], 0
            self._begun, self._line = self._parser.CurrentByteIndex, self._parser.CurrentLineNumber
        elif local == "IPDRDoc.End":
            count = attributes.get("count", "").strip()
            if count.isascii() and count.isdigit() and len(count) < 19:
                self._stated = int(count)

    def _characters(self, text: str) -> None:
        if self._row is None:
            return
        self._size += len(text)
        if self._size > MAX_ROW:
            raise self._error(f"has a record of more than {MAX_ROW} characters", "this is no IPDR document")
        self._text.append(text)

    def _end(self, name: str) -> None:
        self._depth -= 1
        if self._row is None:
            return
        if self._inside:
            text = "".join(self._text)
            self._text = []
            path = ".".join(self._inside)
            if text.strip() or path not in self._row:
                self._row.setdefault(path, []).append(text.strip() if self._strip else text)
            self._inside.pop()
            return
        row, self._row = self._row, None
        self._count += 1
        self._lines.append(self._line)
        for column, texts in self._columns.items():
            texts.append(";".join(row.get(column, ())))
        end = self._parser.CurrentByteIndex + len(f"</{name}>")
        raw = self._kept[self._begun - self._kept_from : end - self._kept_from]
        self._raws.append(raw.decode("utf-8", "backslashreplace"))
