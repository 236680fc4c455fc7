"""QR codes as rows of dark modules, and as SVG or PNG files."""

from __future__ import annotations

import io
from itertools import groupby
from pathlib import Path

import segno

from billproof.errors import InputError

_QUIET = 4  # modules of white around a code that stands alone


def code_of(text: str) -> segno.QRCode:
    """The smallest code of a text; :class:`InputError` where none is large enough."""
    try:
        return segno.make_qr(text, error="L")
    except segno.DataOverflowError as error:
        raise InputError("too long for a QR code", advice="Send the file itself.") from error


def runs(text: str) -> tuple[int, list[tuple[int, int, int]]]:
    """How many modules a code has across, and its dark ones as (row, start, length)."""
    matrix = code_of(text).matrix
    found = []
    for row, modules in enumerate(matrix):
        column = 0
        for dark, group in groupby(modules):
            length = len(list(group))
            if dark:
                found.append((row, column, length))
            column += length
    return len(matrix), found


def picture(text: str, file: Path) -> bytes:
    """A code as the kind of picture that the file's name asks for: SVG or PNG."""
    out = io.BytesIO()
    kind = file.suffix.lower()
    if kind == ".svg":
        code_of(text).save(out, kind="svg", border=_QUIET, scale=4, xmldecl=False, light="#fff")
    elif kind == ".png":
        code_of(text).save(out, kind="png", border=_QUIET, scale=6)
    else:
        raise InputError("neither .svg nor .png", file=file, advice="Name the picture code.svg, or code.png.")
    return out.getvalue()
