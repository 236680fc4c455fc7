"""What records that correct others may do.

Verifiers refuse an amendment that is not what is required here, and point out records of other batches that
raise what they correct.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from billproof.errors import InputError
from billproof.leaves import byte_rows
from billproof.records import ZERO32
from billproof.statements import Statements

_ADVICE = (
    "Map the `corrects` column to the corrected line's `hash`, which stands in the bundle; only lower bills."
)


def require_amending(statements: Statements) -> None:
    """Raises :class:`InputError` for a record that corrects nothing, or a statement that raises a bill."""
    vague = pc.equal(statements.records["corrects"], pa.scalar(ZERO32, pa.binary(32)))
    at = pc.index(vague, True).as_py()
    if at >= 0:
        record = statements.records.slice(at, 1)
        raise InputError(
            "every line of an amendment names the record that it corrects",
            file=record["source"][0].as_py(),
            line=record["line"][0].as_py(),
            field="corrects",
            advice=_ADVICE,
        )
    raised = int((statements.total > 0).sum())
    if raised:
        raise InputError(
            f"{raised} statements of this amendment raise a bill", field="amount", advice=_ADVICE
        )


def raising(statements: Statements) -> int:
    """How many records name one that they correct, and raise the bill.

    In an amendment its total bounds them. Elsewhere nothing does, and what corrects something is compared
    with no phone log and no tariff.
    """
    column = statements.records["corrects"]
    if not any(byte_rows(chunk, 32).view(np.int64).any() for chunk in column.chunks):
        return 0  # as nearly always, and quickly
    words = byte_rows(column, 32).view(np.int64)
    return int((words.any(axis=1) & (statements.records["amount"].to_numpy() > 0)).sum())
