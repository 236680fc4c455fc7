"""What can be wrong with a phone log: one error for a file, one for a row."""

from pathlib import Path

from billproof.errors import InputError


class PhoneLogError(InputError):
    """A file that cannot be read as a phone log. ``code`` is the same in every implementation:

    ``empty``, ``unknown``, ``bundle``, ``pdf``, ``archive``, ``database``, ``encoding``, ``entities``,
    ``nested``, ``malformed``, ``too-large``, ``ambiguous``, ``mapping``, ``unreadable``.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        file: str | Path | None = None,
        line: int | None = None,
        field: str | None = None,
        advice: str = "",
    ) -> None:
        super().__init__(message, file=file, line=line, field=field, advice=advice)
        self.code = code


class RowError(Exception):
    """A row that cannot be used; becomes a reject, and the rows around it stay."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason
