"""``billproof/disputes/1`` → its header and lines, or an error that names the line and the field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from billproof.clearing.disputes import form
from billproof.clearing.pairs.differences import Kind
from billproof.errors import InputError
from billproof.printable import printable

#: A line of the file, and its number: the header is line 1.
NumberedLine = tuple[int, form.Line[Any, Any]]

_PLACE = re.compile(r"(?P<message>.*) - at `\$\.?(?P<field>.*)`", re.DOTALL)
_AGAIN = "Have the file written again."


class DisputesError(InputError):
    """A file that claims to be of disputed records, and is not: names the line and the field."""

    exit_code = 1


class _Claim(msgspec.Struct):
    """What a line says that it is."""

    schema: str = ""


@dataclass(frozen=True)
class DisputesFile:
    """A file of disputed records whose header has been read."""

    path: Path
    header: form.Header

    @classmethod
    def open(cls, path: Path) -> DisputesFile:
        """Reads the header. InputError for what is no such file, :class:`DisputesError` for a broken one."""
        try:
            with path.open("rb") as stream:
                first = stream.readline(form.MAX_HEADER)
        except OSError as error:
            raise InputError(f"cannot read: {error.strerror}", file=path) from error
        try:
            schema = msgspec.json.decode(first, type=_Claim).schema
        except (msgspec.DecodeError, UnicodeDecodeError):
            schema = ""
        if schema != form.SCHEMA:
            raise InputError(
                f"this is no {form.SCHEMA} file",
                file=path,
                advice="Give one that `billproof clear --proofs` wrote.",
            )
        header: form.Header = _decoded(first, form.Header, path, 1)
        _check(header, path)
        return cls(path, header)

    def lines(self) -> Iterator[NumberedLine]:
        """The lines below the header, one after another, each with its number."""
        kind = form.kind_of_line(self.header)
        with self.path.open("rb") as stream:
            stream.readline(form.MAX_HEADER)
            number = 1
            while content := stream.readline(form.MAX_LINE):
                number += 1
                line: form.Line[Any, Any] = _decoded(content, kind, self.path, number)
                if line.ours is None and line.theirs is None:
                    raise DisputesError("has no record", file=self.path, line=number, advice=_AGAIN)
                for name, record, other, double in zip(
                    ("ourDouble", "theirDouble"), line.sides, line.sides[::-1], line.doubles, strict=True
                ):
                    alone = record is not None and other is None
                    if (double is not None) != (alone and line.kinds == [Kind.DUPLICATE.word]):
                        raise DisputesError(
                            "a duplicate names the record that it is a copy of, and nothing else does",
                            file=self.path,
                            line=number,
                            field=name,
                            advice=_AGAIN,
                        )
                yield number, line

    def line(self, wanted: int) -> form.Line[Any, Any]:
        """One line by its number, from 2; InputError where the file is shorter."""
        number = 1
        for number, line in self.lines():
            if number == wanted:
                return line
        raise InputError(f"there is no line {wanted}", file=self.path, advice=f"It has {number} lines.")


def _decoded(content: bytes, kind: Any, path: Path, number: int) -> Any:
    """A line as its type; it has to be written as we write it, so that nothing is there twice."""
    if not content.endswith(b"\n"):
        raise DisputesError("is cut off, or too long", file=path, line=number, advice="Fetch the file again.")
    try:
        line = msgspec.json.decode(content, type=kind)
    except (msgspec.ValidationError, msgspec.DecodeError, UnicodeDecodeError) as error:
        found = _PLACE.fullmatch(str(error))
        raise DisputesError(
            printable(found["message"] if found else str(error)),
            file=path,
            line=number,
            field=printable(found["field"]) if found else None,
            advice=_AGAIN,
        ) from error
    if msgspec.json.encode(line) + b"\n" != content:
        raise DisputesError(
            "is not written as such lines are: something is there twice, or in another order",
            file=path,
            line=number,
            advice=_AGAIN,
        )
    return line


def _check(header: form.Header, path: Path) -> None:
    """Raises for what no shape says: strangers, and what is told twice."""

    def error(field: str, message: str) -> DisputesError:
        return DisputesError(message, file=path, line=1, field=field, advice=_AGAIN)

    operators = [side.operator for side in header.sides]
    if operators[0] == operators[1]:
        raise error("theirs.operator", "is ours, too")
    if header.payer not in operators:
        raise error("payer", f"is neither {operators[0]} nor {operators[1]}")
    if not any(side.statements for side in header.sides):
        raise error("theirs.statements", "neither side has a statement")
    for name, side in zip(("ours", "theirs"), header.sides, strict=True):
        seen: set[Any] = set()
        for at, statement in enumerate(side.statements):
            place = f"{name}.statements[{at}]"
            for field, value in (
                ("region", statement.region),
                ("sequence", statement.sequence),
                ("recordCount", statement.record_count),
            ):
                if int(value) >= 1 << 32:
                    raise error(f"{place}.{field}", "does not fit 32 bits")
            key = statement.region, statement.sequence, statement.account.accountId
            if key in seen:
                raise error(place, "is there twice")
            seen.add(key)
    claims: set[Any] = set()
    for at, dispute in enumerate(header.disputes):
        if dispute.claimant not in operators:
            raise error(f"disputes[{at}].claimant", f"is neither {operators[0]} nor {operators[1]}")
        claim = dispute.number, dispute.claimant, dispute.amount[0] == "-"
        if claim in claims:
            raise error(f"disputes[{at}]", "is there twice")
        claims.add(claim)
