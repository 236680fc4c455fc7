"""Character-separated files: their encoding, their separator, their rows with line numbers."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass

from billproof.handset.problems import PhoneLogError, RowError
from billproof.handset.source import Source

SEPARATORS = ",;\t|"
MAX_COLUMNS = 1000
MAX_FIELD = 131_072
"""Characters in one field: the csv module's own limit."""
_ADVICE = "Export it again as CSV, without opening it in another program."


@dataclass(frozen=True)
class Sheet:
    """``header``: the names of the columns, in lower case, without spaces around them."""

    name: str
    header: list[str]
    header_line: int
    text: str
    separator: str

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row after the header, with the line on which it begins (from 1); not the blank ones."""
        for line, row in _rows(self.name, self.text, self.separator):
            if line > self.header_line and (len(row) > 1 or (row and row[0].strip())):
                yield line, row


def check_width(row: list[str], width: int) -> None:
    """Raises RowError when the row has fewer columns."""
    if len(row) < width:
        raise RowError("", f"has {len(row)} columns, not {width}")


def decode(source: Source) -> str:
    """The text: UTF-16 with a byte order mark, UTF-8, or else Latin-1; ends of lines are made one kind."""
    return decode_bytes(source.name, source.whole())


def decode_bytes(name: str, data: bytes) -> str:
    try:
        if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
            text = data.decode("utf-16")
        else:
            try:
                text = data.decode("utf-8-sig")
            except UnicodeDecodeError:
                text = data.decode("latin-1")
    except UnicodeDecodeError as error:
        raise PhoneLogError("encoding", "is not good UTF-16", file=name, advice=_ADVICE) from error
    if "\0" in text:
        raise PhoneLogError("unknown", "is no text", file=name, advice=_ADVICE)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def open_sheet(name: str, text: str) -> Sheet | None:
    """The sheet, when the first line that is not blank (nor ``sep=``) has two columns or more; else None."""
    separator = ""
    for number, line in enumerate(io.StringIO(text, newline="\n"), 1):
        line = line.rstrip("\n")
        if line.startswith("sep=") and len(line) == 5 and line[4] in SEPARATORS:
            separator = line[4]
            continue
        if not line.strip():
            if number > 20:
                return None
            continue
        if len(line) > MAX_FIELD:
            return None
        separator = separator or max(SEPARATORS, key=line.count)
        if separator not in line:
            return None
        try:
            header = next(csv.reader([line], delimiter=separator))
        except csv.Error:
            return None
        if len(header) > MAX_COLUMNS:
            return None
        return Sheet(name, [cell.strip().lower() for cell in header], number, text, separator)
    return None


def _rows(name: str, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline="\n"), delimiter=separator)
    line = 1
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise PhoneLogError(
                "malformed", f"cannot be split into columns ({error})", file=name, line=line, advice=_ADVICE
            ) from error
        yield line, row
        line = reader.line_num + 1
