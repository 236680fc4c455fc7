"""A file from anywhere → the bundle or receipt in it: JSON, an invoice (PDF), a receipt's code as text."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from pathlib import Path

from billproof.bundle import documents as doc
from billproof.bundle import receiptcode
from billproof.bundle.pdfread import PdfFile
from billproof.errors import InputError


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
    pdf = None
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
