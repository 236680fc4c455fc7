"""Volumes of traffic from a CSV file, for discount models: month, from, service, route, volume."""

from __future__ import annotations

import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import NoReturn, TextIO

from billproof.clearing.agreement.agreement import ELSEWHERE, Agreement
from billproof.clearing.discounts.year import Volume, months_of
from billproof.errors import InputError
from billproof.intake.keys import nearest
from billproof.printable import printable
from billproof.records import Service
from billproof.tariff import values

#: Instead of a file: there was no traffic in the months before.
NO_TRAFFIC = Path("none")

COLUMNS = ("month", "from", "service", "route", "volume")

#: Of a bare number.
_UNITS = {values.SECONDS: "min", values.MESSAGES: "messages", values.BYTES: "MB"}
#: What books count in. No unit is a smaller one, so that a volume has no more decimals in these.
_EXACT = {values.SECONDS: "s", values.MESSAGES: "messages", values.BYTES: "B"}
_DECIMALS = 9
_VOLUME = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)(?: ([A-Za-z]{1,8}))?")
_LONGEST = 200
_MOST = 10**18  # seconds, messages or bytes


def read_volumes(path: Path, agreement: Agreement) -> Iterator[Volume]:
    """The file's rows; raises :class:`InputError` with file, line and column for the first that cannot be."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            yield from _Rows(path, stream, agreement).read()
    except OSError as error:
        raise InputError(
            f"cannot read: {error.strerror}", file=path, advice="Give a CSV file of volumes."
        ) from error
    except UnicodeDecodeError:
        raise InputError("is not UTF-8 text", file=path, advice="Save it as UTF-8.") from None


def volumes_before(file: Path | None, agreement: Agreement, month: str) -> list[Volume]:
    """The volumes of the months before ``month`` ("2026-03"); none where the file is :data:`NO_TRAFFIC`.

    Raises :class:`InputError` as :func:`read_volumes` does, where one is not before, and without a file where
    the agreement's discounts and commitments are of months before.
    """
    first = months_of(agreement)[0]
    if file is None and agreement.models and month > first:
        raise InputError(
            f"what is due for {month} depends on the volumes of the year from {first} on",
            field="--before",
            advice=(
                "Give the VOLUMES.csv that last month's `billproof settle --volumes` wrote, or"
                " `--before none` if there was no traffic."
            ),
        )
    found = [] if file is None or file == NO_TRAFFIC else list(read_volumes(file, agreement))
    for each in found:
        if each.month >= month:
            raise InputError(
                f"has traffic of {each.month}, which is not before {month}",
                file=file,
                field="month",
                advice="Give the file that --volumes wrote with the month before.",
            )
    return found


def volumes_csv(volumes: Iterable[Volume]) -> bytes:
    """A file that :func:`read_volumes` reads, a row for each traffic; InputError beyond 18 digits."""
    sums: dict[tuple[str, int, Service, str], Fraction] = defaultdict(Fraction)
    for each in volumes:
        sums[each.month, each.operator, each.service, each.route] += each.volume
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(COLUMNS)
    for (month, operator, service, route), volume in sorted(sums.items()):
        if volume >= _MOST:
            said = f"{month}, {values.word_of(service)}, {route}"
            raise InputError(f"{said}: more than a file of volumes can say", field="volume")
        if volume:
            amount = values.decimal_of(int(volume * 10**_DECIMALS), _DECIMALS)
            unit = _EXACT[values.KINDS[service]]
            rows.writerow((month, operator, values.word_of(service), route, f"{amount} {unit}"))
    return text.getvalue().encode()


class _Rows:
    """The row that is being read, and where it stands."""

    def __init__(self, path: Path, stream: TextIO, agreement: Agreement) -> None:
        self.path = path
        self._rows = csv.reader(stream, strict=True)
        self._months = frozenset(months_of(agreement))
        self._parties = {str(party.operator): party.operator for party in agreement.parties}
        self._services = {values.word_of(service): service for service in values.KINDS}
        self._names = agreement.route_names
        self._routes = frozenset(self._names)

    def read(self) -> Iterator[Volume]:
        try:
            places = self._header(next(self._rows, []))
            for row in self._rows:
                if not row:
                    continue
                if len(row) != len(COLUMNS):
                    self._refuse("", f"has {len(row)} cells, the header {len(COLUMNS)}", "fill every column")
                yield self._volume({name: row[place].strip() for name, place in places.items()})
        except csv.Error as error:
            self._refuse("", f"is not CSV: {error}", "write cells with commas or line ends in quotes")

    def _header(self, header: list[str]) -> dict[str, int]:
        names = [name.strip() for name in header]
        for name in COLUMNS:
            if names.count(name) != 1:
                found = "is missing" if name not in names else "is there twice"
                self._refuse("", f"the column {name} {found}", f"begin with {','.join(COLUMNS)}")
        for name in names:
            if name not in COLUMNS:
                self._refuse("", f"{name!r} is no column", nearest(name, COLUMNS))
        return {name: place for place, name in enumerate(names)}

    def _volume(self, row: dict[str, str]) -> Volume:
        if row["month"] not in self._months:
            months = f"{min(self._months)} to {max(self._months)}"
            self._refuse("month", f"{row['month']!r} is no month of the agreement", f"write {months}")
        if row["from"] not in self._parties:
            parties = " or ".join(self._parties)
            self._refuse("from", f"{row['from']!r} is no party", f"write the operator's number: {parties}")
        service = self._services.get(row["service"])
        if service is None:
            advice = nearest(row["service"], tuple(self._services))
            self._refuse("service", f"{row['service']!r} is no service with usage", advice)
        route = row["route"] or ELSEWHERE
        if route not in self._routes:
            self._refuse("route", f"{route!r} is no route of the agreement", nearest(route, self._names))
        kind = values.KINDS[service]
        amount = self._amount(row["volume"], kind)
        return Volume(row["month"], self._parties[row["from"]], service, route, amount)

    def _amount(self, text: str, kind: str) -> Fraction:
        matched = _VOLUME.fullmatch(text)
        advice = f'write "1200 {_UNITS[kind]}", or a number of them'
        if matched is None:
            self._refuse("volume", f"{text!r} is no volume", advice)
        try:
            found, size = values.quantity(f"1 {matched[2] or _UNITS[kind]}")
        except KeyError:
            self._refuse("volume", f"{matched[2]!r} is no unit", advice)
        if found != kind:
            self._refuse("volume", f"is in {found}, the service in {kind}", advice)
        return Fraction(matched[1]) * size

    def _refuse(self, field: str, message: str, advice: str) -> NoReturn:
        line = max(self._rows.line_num, 1)
        raise InputError(
            printable(message, _LONGEST), file=self.path, line=line, field=field or None, advice=advice
        )
