"""Text columns over a block of bytes: laid on without copying, unquoted, checked for being text at all."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from billproof.intake.rows import Ints, Spans


def overlay(text: bytes, spans: Spans) -> pa.StringArray:
    """The fields as every other element of a string array over the text itself."""
    if not len(spans):
        return pa.array([""], pa.string())
    return pa.StringArray.from_buffers(2 * len(spans) - 1, pa.py_buffer(spans), pa.py_buffer(text))


def undouble(texts: pa.StringArray, quote: int) -> pa.StringArray:
    """Doubled quotes are one. Outside quoted fields no quote survives :func:`cut`, so all texts can be
    treated.
    """
    mark = chr(quote)
    return pc.replace_substring(texts, mark + mark, mark)


def spoilt(text: bytes, bounds: Ints) -> dict[int, str]:
    """Rows that hold NUL or bytes that are not text, by index: why."""
    found: dict[int, str] = {}
    if not len(bounds[0]):
        return found
    position = text.find(b"\0")
    while position >= 0:
        index = int(np.searchsorted(bounds[1], position, "right"))
        if index >= len(bounds[0]):
            break
        inside = bool(bounds[0, index] <= position)
        if inside:
            found[index] = "holds a NUL byte"
        position = text.find(b"\0", int(bounds[int(inside), index]))
    if text.isascii():
        return found
    position = 0
    view = memoryview(text)
    while True:
        try:
            str(view[position:], "utf-8")
        except UnicodeDecodeError as error:
            place = position + error.start
            index = int(np.searchsorted(bounds[1], place, "right"))
            if index >= len(bounds[0]):
                return found
            inside = bool(bounds[0, index] <= place)
            if inside:
                found.setdefault(index, "is not valid text in the file's encoding")
            position = int(bounds[int(inside), index])
        else:
            return found


def show(raw: bytes) -> str:
    """A row as text, without its line ending; bytes that are not text as ``\\xNN``."""
    return raw.removesuffix(b"\n").removesuffix(b"\r").decode("utf-8", "backslashreplace")
