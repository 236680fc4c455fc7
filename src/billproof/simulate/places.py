"""In which order lines stand on their bills: by the time that intake reads in the file of each."""

from __future__ import annotations

import numpy as np

from billproof.simulate.formats import Issuer
from billproof.simulate.labels import homes, read_times
from billproof.simulate.traffic import Int64s, Lines


def bill_order(issuer: Issuer, formats: tuple[str, ...], lines: Lines) -> Int64s:
    """Positions of ``lines``, which are sorted by subscriber and start, as they stand on the bills."""
    if formats == ("csv",):
        return np.arange(len(lines), dtype=np.int64)
    place = homes(formats, lines)
    at = read_times(issuer, formats, lines, place)
    return np.lexsort((np.arange(len(lines)), place, at, lines.subscriber))
