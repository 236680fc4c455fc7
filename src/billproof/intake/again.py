"""A second look into a file: the texts of rows whose place in it is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np

from billproof.intake.rows import Ints, Rows, kept


def texts_at(reader: Iterable[Rows], lines: Ints) -> Iterator[Mapping[int, str]]:
    """The texts of the rows that begin on ``lines``, by line, in the file's order and a few at a time.

    Where several rows begin on a line, as they may in XML, its text is empty.
    """
    found: dict[int, str] = {}
    for rows in reader:
        at = np.flatnonzero(np.isin(rows.lines, lines))
        for line, text in zip(rows.lines[at].tolist(), rows.raw(at), strict=True):
            found[line] = "" if line in found else kept(text)
        if len(found) > 1:
            last = found.popitem()  # the next rows may begin on this line, too
            yield found
            found = dict([last])
    if found:
        yield found
