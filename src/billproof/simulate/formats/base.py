"""What every file format of the simulator offers: text columns, rows, a header, a mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import pyarrow as pa

from billproof.records import Service
from billproof.simulate import text
from billproof.simulate.month import Month
from billproof.simulate.numbering import Carrier, NumberPool
from billproof.simulate.text import Column
from billproof.simulate.traffic import Lines


@dataclass(frozen=True)
class Issuer:
    """Everything about one operator's month that a row of text needs beyond its numbers."""

    carrier: Carrier
    month: Month
    pool: NumberPool
    networks: pa.StringArray
    rates: pa.StringArray
    currency: str
    #: Whether records of the month before may be billed in this one: rows then say which month bills them.
    late: bool = False

    def accounts(self, lines: Lines) -> pa.StringArray:
        """Account numbers: a letter and seven digits."""
        return text.fixed(self.carrier.prefix, text.digits(lines.subscriber + 1, 7))

    def own_numbers(self, lines: Lines) -> pa.StringArray:
        """The subscribers' own numbers."""
        return self.pool.numbers.take(pa.array(self.pool.subscriber(self.carrier.index, lines.subscriber)))

    def others(self, lines: Lines) -> pa.StringArray:
        """Numbers called, empty for none."""
        return self.pool.numbers.take(pa.array(lines.number))

    def rate_names(self, lines: Lines) -> pa.StringArray:
        return self.rates.take(pa.array(lines.rate))

    def amounts(self, lines: Lines) -> pa.StringArray:
        """Amounts in units of the currency."""
        return text.decimals(lines.amount, 9)


class FileFormat:
    """One file format. Instances are made for an issuer and hold no state between blocks."""

    name: ClassVar[str]
    extension: ClassVar[str] = "csv"
    services: ClassVar[frozenset[Service]] = frozenset({Service.VOICE_ORIGINATED})
    #: Whether a row can say in which network it was used.
    carries_networks: ClassVar[bool] = False
    #: Whether rows stand in order of time, as switches write them, or account by account.
    chronological: ClassVar[bool] = True
    #: Plans (positions in ``PLANS``) whose rounding the format can express; none given means all.
    plans: ClassVar[tuple[int, ...]] = ()
    #: Field as intake names it → column, and text that cannot be read as that field.
    spoilt: ClassVar[Mapping[str, tuple[str, str]]]

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer

    def header(self) -> str:
        """What stands before the first row."""
        return ""

    def footer(self, rows: int) -> str:
        """What stands after the last of ``rows`` rows."""
        return ""

    def columns(self, lines: Lines) -> dict[str, Column]:
        """Text columns of the rows."""
        raise NotImplementedError

    def rows(self, columns: Mapping[str, Column], count: int) -> pa.StringArray:
        """Rows as they stand in the file, each with its line end."""
        raise NotImplementedError

    def mapping(self) -> str:
        """The mapping file (TOML) with which intake reads the format back."""
        raise NotImplementedError


def delimited(
    columns: Mapping[str, Column], names: Sequence[str], count: int, quoted: frozenset[str] = frozenset()
) -> pa.StringArray:
    """Comma-separated rows of ``names`` in order; the texts hold no commas and no quotes."""
    parts: list[Column] = []
    pending = ""
    for position, name in enumerate(names):
        mark = '"' if name in quoted else ""
        pending += ("," if position else "") + mark
        column = columns.get(name, "")
        if isinstance(column, str):
            pending += column
        else:
            parts += [pending, column] if pending else [column]
            pending = ""
        pending += mark
    return text.joined(*parts, pending + "\n", rows=count)
