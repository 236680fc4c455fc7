"""A file from anywhere → the bundle or receipt in it: JSON, an invoice (PDF), a receipt's code as text."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from billproof.bundle import documents as doc
from billproof.bundle import receiptcode
from billproof.bundle.pdfread import PdfFile
from billproof.errors import InputError

_HEAD = 4096
_MARKS = re.compile(rb"\xef\xbb\xbf|\xff\xfe|\xfe\xff")  # of byte order
_SVG = re.compile(rb"(<[?!][^>]*>\s*)*<svg[\s>]")
_PICTURES = (b"\x89PNG", b"\xff\xd8\xff")


@dataclass(frozen=True)
class Opened:
    """A document, its JSON, and the invoice that carried it, if any did."""

    document: doc.Bundle | doc.Receipt
    content: bytes
    pdf: PdfFile | None = None


def open_document(source: Path | str) -> Opened:
    """The bundle or receipt in a file, or in a code's text; the errors are :func:`documents.parse`'s."""
    if isinstance(source, str) and source.startswith(receiptcode.PREFIX):
        content = receiptcode.decode(source)
        return Opened(_parsed(content, source[:24] + "…"), content)
    path = Path(source)
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise InputError("not a file", file=path, advice="Give a bundle or receipt, a .json file.")
            content = stream.read(doc.MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"cannot read: {error.strerror}", file=path) from error
    if not content.strip():
        raise InputError("is empty", file=path, advice="Fetch it again.")
    pdf = None
    _check_kind(content, path)
    try:
        if content.startswith(b"%PDF"):
            pdf = PdfFile(content)
            content = pdf.attachment().unpacked()
        elif content.lstrip()[: len(receiptcode.PREFIX)] == receiptcode.PREFIX.encode():
            content = receiptcode.decode(receiptcode.text_of(content))
    except InputError as error:
        raise InputError(error.message, file=path, advice=error.advice) from error
    document = _parsed(content, str(path))
    if pdf and not isinstance(document, doc.Bundle):
        raise InputError("the file attached to this PDF is no bundle", file=path)
    return Opened(document, content, pdf)


def _check_kind(content: bytes, path: Path) -> None:
    """Raises InputError for what people mistake for the bill: their phone's log, or a picture of a code."""
    head = _MARKS.sub(b"", content[:_HEAD].replace(b"\0", b""), count=1).lstrip()  # UTF-16 has zeros
    if head.startswith((b"SQLite format 3", b"sep=")) or (
        head.startswith(b"<") and re.search(rb"<(calls|smses)[\s>/]", head)
    ):
        raise InputError(
            "this looks like a phone log, not a bill",
            file=path,
            advice="`billproof match BILL LOG` lays a log beside the bill: the bill comes first.",
        )
    if content.startswith(_PICTURES) or _SVG.match(head):
        raise InputError(
            "this is a picture, which is not read here",
            file=path,
            advice="Give the text of its code, as a scanner shows it, or the PDF or .json file of the bill;"
            " the web page reads pictures of codes.",
        )


def _parsed(content: bytes, name: str) -> doc.Bundle | doc.Receipt:
    document = doc.parse(content, name)
    if isinstance(document, doc.AccountKeyFile):
        raise InputError(
            "this is an account key, not a bundle",
            file=name,
            advice="Keep it secret; verify the bundle instead.",
        )
    return document


def read_document(path: Path) -> doc.Bundle | doc.Receipt:
    """The same without what it was carried in."""
    return open_document(path).document
