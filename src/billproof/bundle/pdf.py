"""Bundle → itemised PDF invoice that carries the bundle; PDF → the bundle in it.

The same bundle, look and versions give the same bytes. The file is as plain as PDF can be (one
cross-reference table, no object streams, no encryption), so that a browser reads it back with a page of code.
"""

from __future__ import annotations

import base64
import io
import multiprocessing
import os
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from functools import lru_cache
from importlib import resources
from itertools import chain, islice
from pathlib import Path
from typing import Any

import msgspec
from reportlab import rl_config
from reportlab.pdfbase import pdfdoc, pdfmetrics
from reportlab.pdfbase.ttfonts import TTFError, TTFNameBytes, TTFont
from reportlab.pdfgen.canvas import Canvas

from billproof.bundle import documents as doc
from billproof.bundle.invoice import HEIGHT, LEFT, RIGHT, VERSION, WIDTH, Cell, Layout, Look
from billproof.bundle.pdfread import read_attachment
from billproof.bundle.qr import runs
from billproof.commitment.keccak import keccak
from billproof.errors import InputError

__all__ = ["ATTACHMENT", "Look", "Printer", "link_of", "print_all", "read_attachment"]

#: The name of the attached bundle.
ATTACHMENT = "bundle.json"

#: A bundle that fits beside its digest is in the link itself: more, and a phone cannot read the code.
_MOST_IN_LINK = 900

#: Invoices that are printed before other processes are worth their start.
_BEFORE_CORES = 64

_REGULAR, _BOLD, _OTHER = "BillproofSans", "BillproofSans-Bold", "BillproofOther"


def link_of(url: str, content: bytes) -> str:
    """What the code on an invoice says: the page's address, the bundle's Keccak digest, the bundle if small.

    ``URL#d=<64 hex digits>`` and perhaps ``&z=<base64url of zlib>``; browsers send no fragment to a server.
    """
    link = f"{url}#d={keccak(content).hex()}"
    packed = base64.urlsafe_b64encode(zlib.compress(content, 9)).decode().rstrip("=")
    return f"{link}&z={packed}" if len(link) + len(packed) <= _MOST_IN_LINK else link


class Printer:
    """Prints invoices of one look; ``font`` is a TrueType file for what the built-in fonts lack.

    ``missing`` collects the characters that neither font has; they are drawn as boxes.
    """

    def __init__(self, look: Look, font: Path | None = None) -> None:
        look.parsed()
        if look.link and not look.link.startswith(("https://", "http://", "file://")):
            raise InputError(
                "no address of a web page", field="link", advice="Give one that starts with https://."
            )
        self.look = look
        self.missing: set[str] = set()
        self._fonts = built_in_fonts()
        self._other = _load(font) if font else None

    def invoice(self, content: bytes, bundle: doc.Bundle | None = None) -> bytes:
        """The invoice of a bundle, of which ``content`` is the file."""
        bundle = bundle or msgspec.json.decode(content, type=doc.Bundle)
        layout = Layout(bundle, self.look)
        rl_config.useA85 = 0
        out = io.BytesIO()
        canvas = Canvas(
            out,
            pagesize=(WIDTH, HEIGHT),
            invariant=1,
            pageCompression=1,
            initialFontName=_REGULAR,
            pdfVersion=(1, 7),
        )
        canvas.setTitle(f"{bundle.account.accountId} {bundle.batch.period}")
        canvas.setAuthor(self.look.operator)
        canvas.setSubject("")
        canvas.setCreator("Billproof")
        canvas.setProducer("Billproof")
        for page in layout.pages:
            canvas.setFillGray(0.95)
            for y, height in page.shades:
                canvas.rect(LEFT - 3, y, RIGHT - LEFT + 6, height, stroke=0, fill=1)
            canvas.setFillGray(0)
            canvas.setLineWidth(0.5)
            for y, left, right in page.rules:
                canvas.line(left, y, right, y)
            if page is layout.pages[0] and self.look.link:
                _draw_code(canvas, link_of(self.look.link, content), layout.code)
            writing = canvas.beginText()
            for cell in page.cells:
                self._write(writing, cell)
            canvas.drawText(writing)
            canvas.showPage()
        _attach(canvas._doc, content, self.look, other_font=self._other is not None)
        canvas.save()
        return out.getvalue()

    def _write(self, writing: Any, cell: Cell) -> None:
        font = self._fonts[cell.bold]
        if not cell.text.isascii():
            lacking = _lacking(font, cell.text)
            if lacking and self._other:
                font = self._other
                lacking = _lacking(font, cell.text)
            self.missing |= lacking
        room, size = cell.right - cell.left, cell.size
        width = font.stringWidth(cell.text, size)
        if width > room:
            size = max(int(size * room / width * 20) / 20, 1)
            width = font.stringWidth(cell.text, size)
        writing.setFont(font.fontName, size)
        writing.setTextOrigin(cell.right - width if cell.to_right else cell.left, cell.y)
        writing.textOut(cell.text)


def print_all(
    files: Iterable[tuple[str, bytes]], look: Look, font: Path | None = None
) -> Iterator[tuple[str, bytes, set[str]]]:
    """Invoices of many bundles, each with its name and the characters that no font has; on all cores."""
    printer = Printer(look, font)
    waiting_files = iter(files)
    for name, content in islice(waiting_files, _BEFORE_CORES):
        yield name, printer.invoice(content), printer.missing
    following = next(waiting_files, None)
    if following is None:
        return
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    apart = multiprocessing.get_context("spawn")  # the caller may have threads
    waiting: deque[tuple[str, Future[tuple[bytes, set[str]]]]] = deque()
    with ProcessPoolExecutor(cores, apart, _prepare, (look, font)) as pool:
        for name, content in chain([following], waiting_files):
            waiting.append((name, pool.submit(_print, content)))
            if len(waiting) > 4 * cores:
                done, result = waiting.popleft()
                yield done, *result.result()
        for done, result in waiting:
            yield done, *result.result()


_printers: list[Printer] = []  # of a process of print_all's


def _prepare(look: Look, font: Path | None) -> None:
    _printers.append(Printer(look, font))


def _print(content: bytes) -> tuple[bytes, set[str]]:
    return _printers[0].invoice(content), _printers[0].missing


def _draw_code(canvas: Canvas, text: str, place: tuple[float, float, float]) -> None:
    left, bottom, side = place
    across, dark = runs(text)
    step = side / across
    path = canvas.beginPath()
    for row, start, length in dark:
        path.rect(left + start * step, bottom + side - (row + 1) * step, length * step, step)
    canvas.drawPath(path, stroke=0, fill=1)


def _attach(document: Any, content: bytes, look: Look, *, other_font: bool) -> None:
    """Puts the bundle in, and what a verifier needs to print the page again."""
    name, string = pdfdoc.PDFName, pdfdoc.PDFString
    packed = zlib.compress(content, 6)
    details = {"Type": name("EmbeddedFile"), "Subtype": "/application#2Fjson", "Filter": name("FlateDecode")}
    details["Params"] = pdfdoc.PDFDictionary({"Size": len(content)})
    stream = pdfdoc.PDFStream(pdfdoc.PDFDictionary(details), packed, filters=[])
    held = document.Reference(stream, "billproof.file")
    specification = pdfdoc.PDFDictionary(
        {
            "Type": name("Filespec"),
            "F": string(ATTACHMENT),
            "UF": string(ATTACHMENT),
            "AFRelationship": name("Source"),
            "EF": pdfdoc.PDFDictionary({"F": held, "UF": held}),
        }
    )
    file = document.Reference(specification, "billproof.specification")
    tree = pdfdoc.PDFDictionary({"Names": pdfdoc.PDFArray([string(ATTACHMENT), file])})
    facts = {
        "Version": VERSION,
        "OtherFont": "true" if other_font else "false",
        "Locale": string(look.locale),
        "Operator": string(look.operator),
    }
    private = pdfdoc.PDFDictionary({**facts, "Link": string(look.link)})
    stamp = string("D:20000101000000+00'00'")
    piece = pdfdoc.PDFDictionary({"LastModified": stamp, "Private": private})
    catalog = document.Catalog
    catalog.__NoDefault__ = [*catalog.__NoDefault__, "AF", "PieceInfo"]
    catalog.Names = pdfdoc.PDFDictionary({"EmbeddedFiles": tree})
    catalog.AF = pdfdoc.PDFArray([file])
    catalog.PieceInfo = pdfdoc.PDFDictionary({"Billproof": piece})


@lru_cache(maxsize=1)
def built_in_fonts() -> tuple[TTFont, TTFont]:
    """Regular and bold, with the Latin, Greek and Cyrillic scripts."""
    home = resources.files("billproof.bundle") / "fonts"
    files = ((_REGULAR, "DejaVuSans.ttf"), (_BOLD, "DejaVuSans-Bold.ttf"))
    regular, bold = (_registered(name, (home / file).read_bytes()) for name, file in files)
    return regular, bold


def _registered(name: str, content: bytes) -> TTFont:
    """A font under a name of ours: of two faces of one name, reportlab would take the first."""
    font = TTFont(name, io.BytesIO(content))
    font.face.name = TTFNameBytes(name.encode())
    pdfmetrics.registerFont(font)
    return font


def lacks(text: str) -> set[str]:
    """The characters of a text that the built-in fonts do not have."""
    return _lacking(built_in_fonts()[0], text)


def _lacking(font: TTFont, text: str) -> set[str]:
    return {c for c in text if ord(c) not in font.face.charToGlyph}


def _load(path: Path) -> TTFont:
    try:
        content = path.read_bytes()
        return _registered(f"{_OTHER}-{keccak(content).hex()[:16]}", content)
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", file=path) from error
    except (TTFError, ValueError, KeyError, IndexError) as error:
        raise InputError("no TrueType font", file=path, advice="Give a .ttf file.") from error
