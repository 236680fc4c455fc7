"""Every error that a user can meet, each with what to do next.

One tree: ``except BillproofError`` catches all that is not a bug. The command line prints
``str(error)`` and exits with ``error.exit_code``; nothing here carries a traceback to the user.
"""

from __future__ import annotations

from pathlib import Path


class BillproofError(Exception):
    """Base of all errors. ``advice`` says what the user can do about it."""

    exit_code = 2

    def __init__(self, message: str, *, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice

    def __str__(self) -> str:
        return f"{self.message}\n  → {self.advice}" if self.advice else self.message


class InputError(BillproofError):
    """A file or option that cannot be used. Names the file, line (from 1) and field where it can."""

    def __init__(
        self,
        message: str,
        *,
        file: str | Path | None = None,
        line: int | None = None,
        field: str | None = None,
        advice: str = "",
    ) -> None:
        place = ":".join(str(part) for part in (file, line, field) if part is not None)
        super().__init__(f"{place}: {message}" if place else message, advice=advice)
        self.file = file
        self.line = line
        self.field = field


class DifferenceError(BillproofError):
    """Two things that must agree do not: control totals, a store and its checksums."""

    exit_code = 1


class NotAnchoredError(BillproofError):
    """The ledger has no such batch, or it is not final yet."""

    exit_code = 3


class CannotCheckError(BillproofError):
    """The chain could not be asked, or its answer cannot be relied upon."""

    exit_code = 4


class LedgerError(BillproofError):
    """The ledger contract refused a transaction; the message is its custom error in words."""

    exit_code = 1
