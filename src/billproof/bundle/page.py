"""What an invoice's pages say, against what its attachment says.

The attachment is laid out and printed again as the file says that it was. Where every object comes out the
same, nothing can differ; else the texts of the pages are compared one by one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from billproof.bundle import documents as doc
from billproof.bundle.invoice import VERSION, Cell, Layout, Look
from billproof.bundle.pdfread import Name, Operator, PdfFile, Reference, Scanner, Stream, refused
from billproof.errors import InputError
from billproof.printable import printable

#: Statements with more lines are not laid out again.
_MOST_LINES = 50_000

_FURTHER_PAGES = 2  # than one for each line
_MOST_SHOWN = 100
_SHAPES = "a font of the operator's own draws them, whose shapes can say anything: only the attachment counts"
_BOX = "\0\ufffd"
_SOFT = ("date", "time")  # words and order are the locale's business: the digits must agree


@dataclass(frozen=True)
class Difference:
    """A text of the page that is not what the attachment says; ``line`` counts from 0."""

    message: str
    line: int | None = None


@dataclass(frozen=True)
class Comparison:
    """``differences`` condemn the page; ``doubt`` says why it could not be compared."""

    texts: int = 0
    differences: tuple[Difference, ...] = ()
    doubt: str = ""


def compare(file: PdfFile, content: bytes, bundle: doc.Bundle) -> Comparison:
    """Compares the pages of an invoice with the bundle attached to it, of which ``content`` is the text."""
    try:
        return _compared(file, content, bundle)
    except InputError as error:
        return Comparison(doubt=error.message)


def _compared(file: PdfFile, content: bytes, bundle: doc.Bundle) -> Comparison:
    look, version, other_font = _look(file)
    if len(bundle.records) > _MOST_LINES:
        return Comparison(doubt="it has too many lines to lay them out again")
    if len(_pages(file)) > len(bundle.records) + _FURTHER_PAGES:
        return Comparison(doubt="it has more pages than its lines can fill")
    shown = list(shown_texts(file))
    if version != VERSION:
        return Comparison(len(shown), doubt="another version of Billproof laid it out")
    differences = tuple(_differences(list(Layout(bundle, look).texts()), shown))
    if differences:
        return Comparison(len(shown), differences)
    if other_font:  # its shapes may show other words than its codes mean
        return Comparison(len(shown), doubt=_SHAPES)
    from billproof.bundle.pdf import Printer

    again = PdfFile(Printer(look).invoice(content, bundle))
    same = _normal(again) == _normal(file)
    return Comparison(
        len(shown), doubt="" if same else "the words agree, but they are drawn in another way than ours"
    )


def shown_texts(file: PdfFile) -> Iterator[str]:
    """The texts on the pages, one for each place that is written at, in the order of drawing."""
    for page in _pages(file):
        fonts = _fonts(file, page)
        font: dict[int, str] = {}
        text, operands = None, []
        for word in _drawing(file, page):
            if not isinstance(word, Operator):
                operands.append(word)
                continue
            if word == "Tf" and operands:
                font = fonts.get(str(operands[0]), {})
            elif word in ("Tm", "ET"):
                if text is not None:
                    yield text
                text = None
            elif word in ("Tj", "TJ", "'", '"'):
                pieces = operands[-1] if operands and isinstance(operands[-1], list) else operands[-1:]
                codes = b"".join(piece for piece in pieces if isinstance(piece, bytes))
                text = (text or "") + "".join(font.get(code, "\ufffd") for code in codes)
            operands = []
        if text is not None:
            yield text


def _look(file: PdfFile) -> tuple[Look, int, bool]:
    """How the file says that it was printed."""
    try:
        piece = file.dictionary(file.dictionary(file.root.get("PieceInfo"), "it").get("Billproof"), "it")
        facts = file.dictionary(piece.get("Private"), "it")
    except InputError as error:
        raise refused("another program drew its pages") from error
    texts = [facts.get(name) for name in ("Locale", "Operator", "Link")]
    if not all(isinstance(text, bytes) and len(text) < 4096 for text in texts):
        raise refused("it does not say how it was printed")
    locale, operator, link = (text_of(text) for text in texts)
    version = facts.get("Version")
    return (
        Look(locale, operator, link),
        version if isinstance(version, int) else 0,
        bool(facts.get("OtherFont")),
    )


def text_of(value: Any) -> str:
    """A PDF text string, in UTF-16 with its mark or in (what we use of) PDFDocEncoding."""
    if value[:2] == b"\xfe\xff":
        return bytes(value[2:]).decode("utf-16-be", "replace")
    return bytes(value).decode("latin-1")


def _pages(file: PdfFile) -> list[dict[str, Any]]:
    if not isinstance(file.root.get("Pages"), Reference):
        raise refused("the list of pages is damaged")
    tree = file.dictionary(file.root.get("Pages"), "the list of pages")
    kids = tree.get("Kids")
    if not isinstance(kids, list) or not kids or not all(isinstance(kid, Reference) for kid in kids):
        raise refused("the list of pages is damaged")
    pages = [file.dictionary(kid, "a page") for kid in kids]
    if any(page.get("Type") != "Page" for page in pages):
        raise refused("its pages are listed in another way than ours")
    drawings = [page.get("Contents") for page in pages]
    if not all(isinstance(drawing, Reference) for drawing in drawings):
        raise refused("a page is drawn in several pieces")
    if len(set(kids)) < len(kids) or len(set(drawings)) < len(drawings):
        raise refused("a page is there several times")
    return pages


def _drawing(file: PdfFile, page: dict[str, Any]) -> Iterator[Any]:
    stream = file.get(page.get("Contents"))
    if not isinstance(stream, Stream):
        raise refused("a page is drawn in several pieces")
    scanner = Scanner(stream.unpacked())
    while not scanner.ended():
        yield scanner.value()


def _fonts(file: PdfFile, page: dict[str, Any]) -> dict[str, dict[int, str]]:
    """Code → character, for each font of a page."""
    resources = file.dictionary(page.get("Resources"), "a page's list of fonts")
    fonts = file.dictionary(resources.get("Font"), "a page's list of fonts")
    return {name: _characters(file, file.dictionary(font, "a font")) for name, font in fonts.items()}


def _characters(file: PdfFile, font: dict[str, Any]) -> dict[int, str]:
    stream = file.get(font["ToUnicode"]) if "ToUnicode" in font else None
    if not isinstance(stream, Stream):
        return {code: chr(code) for code in range(32, 127)}
    found: dict[int, str] = {}
    scanner, held = Scanner(stream.unpacked()), []
    while not scanner.ended():
        word = scanner.value()
        if not isinstance(word, Operator):
            held.append(word)
        elif word.startswith("begin"):
            held = []
        elif word == "endbfchar":
            for code, character in zip(held[::2], held[1::2], strict=False):
                found[_code(code)] = _utf16(character)
        elif word == "endbfrange":
            for first, last, target in zip(held[::3], held[1::3], held[2::3], strict=False):
                found.update(_range(_code(first), _code(last), target))
    return found


def _range(first: int, last: int, target: Any) -> dict[int, str]:
    if last > 0xFFFF or last - first > 0xFF:
        raise refused("a font is damaged")
    codes = range(first, last + 1)
    if isinstance(target, list):
        return {code: _utf16(character) for code, character in zip(codes, target, strict=False)}
    start = _utf16(target)
    if len(start) != 1 or ord(start) + last - first > 0x10FFFF:
        raise refused("a font is damaged")
    return {code: chr(ord(start) + code - first) for code in codes}


def _code(value: Any) -> int:
    if not isinstance(value, bytes) or not 1 <= len(value) <= 2:
        raise refused("a font is damaged")
    return int.from_bytes(value)


def _utf16(value: Any) -> str:
    if not isinstance(value, bytes):
        raise refused("a font is damaged")
    return value.decode("utf-16-be", "replace")


def _differences(expected: list[Cell], shown: list[str]) -> Iterator[Difference]:
    found = 0
    for cell, text in zip_longest(expected, shown):
        if cell is not None and text is not None and _agree(cell, text):
            continue
        if cell is None:
            yield Difference(f"the page also says {_quoted(text)}, which the attachment does not")
        else:
            place = (
                f"in line {cell.of[0] + 1}, {cell.of[1]}" if cell.of and cell.of[0] >= 0 else "on the page"
            )
            line = cell.of[0] if cell.of and cell.of[0] >= 0 else None
            says = "nothing" if text is None else _quoted(text)
            yield Difference(
                f"the page shows {says} and the attachment says {_quoted(cell.text)} ({place})", line
            )
        found += 1
        if found == _MOST_SHOWN or len(expected) != len(shown):
            return  # what follows is only shifted


def _agree(cell: Cell, text: str) -> bool:
    one, other = (re.sub(r"\s+", " ", words) for words in (cell.text, text))
    if cell.of and (cell.of[1] in _SOFT or cell.of[0] < 0):
        return re.findall(r"\d+", one) == re.findall(r"\d+", other)
    if one == other:
        return True
    from billproof.bundle.pdf import lacks

    boxes = lacks(one)  # whose place a box may have, without a text of its own
    return len(one) == len(other) and all(
        a == b or (a in boxes and b in _BOX) for a, b in zip(one, other, strict=True)
    )


def _quoted(text: str | None) -> str:
    return f"“{printable(text or '', 60)}”"


def _normal(file: PdfFile) -> dict[int, Any]:
    """All objects but how their streams are packed."""
    return {number: _unpacked(value) for number, value in file.objects.items()}


def _unpacked(value: Any) -> Any:
    if not isinstance(value, Stream):
        return _typed(value)
    facts = {key: _typed(item) for key, item in value.facts.items() if key != "Length"}
    return facts, value.unpacked()


def _typed(value: Any) -> Any:
    """A value that is equal to no value of another type."""
    if isinstance(value, dict):
        return {key: _typed(item) for key, item in value.items()}
    if type(value) is list:
        return [_typed(item) for item in value]
    return (type(value) is Name, value)
