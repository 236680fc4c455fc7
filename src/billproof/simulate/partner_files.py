"""A month of two partners as their files: each operator's records by region, in its own form of CSV.

Beside them a mapping for each operator, the agreement, and apart from both what is wrong (``labels.csv``) and
what a clearing has to find (``expected.json``). See ``docs/simulator.md``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from billproof.errors import InputError
from billproof.files import json_bytes, write_file
from billproof.records import Service
from billproof.simulate import partner_truth, text
from billproof.simulate.month import Month, zone
from billproof.simulate.partner_month import (
    MERIDIAN,
    PARTNERS,
    ROUTES,
    SKYLARK,
    Book,
    Direction,
    Int64s,
    Partner,
    PartnerMonth,
    Region,
    partner_month,
)
from billproof.simulate.partner_terms import MAPPINGS, agreement

AGREEMENT, LABELS, EXPECTED, MAPPING = "agreement.toml", "labels.csv", "expected.json", "mapping.toml"

_LABEL_COLUMNS = "from,kind,dimension,value,holder,started_at,service,number,network,money\n"


@dataclass(frozen=True)
class PartnerFiles:
    """What was written under ``out``: of each operator its mapping, and a file of records a region."""

    out: Path
    period: int
    records: int

    def mapping(self, partner: Partner) -> Path:
        """How ``billproof batch`` reads an operator's files."""
        return self.out / f"operator-{partner.operator}" / MAPPING

    def file(self, partner: Partner, region: Region) -> Path:
        """An operator's records of one region, both directions."""
        return self.out / f"operator-{partner.operator}" / f"region-{region.number}.csv"

    @property
    def agreement(self) -> Path:
        """What the two have agreed."""
        return self.out / AGREEMENT

    @property
    def labels(self) -> Path:
        """Every record that is booked differently, and why."""
        return self.out / LABELS

    @property
    def expected(self) -> Path:
        """What a clearing has to find."""
        return self.out / EXPECTED

    def document(self) -> dict[str, Any]:
        """Where everything is; paths are relative to ``out``."""

        def below(path: Path) -> str:
            return path.relative_to(self.out).as_posix()

        operators = [
            {
                "operator": partner.operator,
                "name": partner.name,
                "mapping": below(self.mapping(partner)),
                "accounts": [account_of(partner, payer) for payer in PARTNERS],
                "regions": [
                    {
                        "region": region.number,
                        "zone": region.zone,
                        "currency": region.currency,
                        "file": below(self.file(partner, region)),
                    }
                    for region in partner.regions
                ],
            }
            for partner in PARTNERS
        ]
        return {
            "period": self.period,
            "records": self.records,
            "agreement": AGREEMENT,
            "labels": LABELS,
            "expected": EXPECTED,
            "operators": operators,
        }


def account_of(partner: Partner, payer: Partner) -> str:
    """The account under which ``partner`` keeps the traffic that ``payer`` hands over."""
    other = SKYLARK if partner is MERIDIAN else MERIDIAN
    return f"{other.name.upper()}-{'OUT' if payer is partner else 'IN'}"


def write_partner_files(
    out: Path, *, records: int, period: int, seed: int, overwrite: bool = False
) -> PartnerFiles:
    """Writes about ``records`` records that Meridian hands over, fewer the other way, as both booked them.

    The same arguments give the same bytes. Raises :class:`InputError` for numbers that make no sense, and
    when files are there already and ``overwrite`` is not set.
    """
    month = partner_month(records, period, seed)
    files = PartnerFiles(out, period, sum(len(direction.traffic) for direction in month.directions))
    content = {files.agreement: agreement(month).encode(), files.labels: _labels(month)}
    content[files.expected] = json_bytes(partner_truth.document(month, seed))
    for partner in PARTNERS:
        content[files.mapping(partner)] = MAPPINGS[partner.operator].encode()
        for place, region in enumerate(partner.regions):
            content[files.file(partner, region)] = _records(month, partner, place)
    there = next((path for path in content if path.exists()), None)
    if there is not None and not overwrite:
        raise InputError("is there already", file=there, advice="Use --force to overwrite.")
    for path, octets in content.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_file(path, octets)
    return files


def _records(month: PartnerMonth, partner: Partner, place: int) -> bytes:
    """One region's file: both directions in order of time."""
    header, row = _FORMS[partner.operator]
    parts, starts = [], []
    for direction in month.directions:
        book = direction.books[partner.operator - 1]
        book = book.take(np.flatnonzero(direction.traffic.region[partner.operator - 1][book.id] == place))
        parts.append(row(month, direction, book, partner.regions[place]))
        starts.append(book.start)
    rows = pa.concat_arrays(parts).take(pa.array(np.argsort(np.concatenate(starts), kind="stable")))
    return header.encode() + b"".join(rows.cast(pa.binary()).to_pylist())


def _offsets(month: PartnerMonth, region: Region, start: Int64s) -> Int64s:
    """Minutes east of UTC: (n,)."""
    local = Month(month.period, zone(region.zone))
    quarters, at = np.unique(start // 900, return_inverse=True)
    return np.array([local.offset(quarter * 900) for quarter in quarters.tolist()], np.int64)[at]


def _months(month: PartnerMonth, book: Book) -> pa.StringArray:
    return pa.array([str(month.period), str(month.following)]).take(pa.array(book.late.astype(np.int64)))


def _services(direction: Direction, book: Book, names: dict[int, str]) -> pa.StringArray:
    codes = pa.array([names.get(code, "") for code in range(max(names) + 1)])
    return codes.take(pa.array(direction.traffic.service[book.id]))


def _rates(direction: Direction, book: Book) -> pa.StringArray:
    service, route = direction.traffic.service[book.id], direction.traffic.route[book.id]
    names = pa.array([*(name for name, *_ in ROUTES), "sms", "data"])
    at = np.select(
        [service == Service.MESSAGE_SENT, service == Service.DATA], [len(ROUTES), len(ROUTES) + 1], route
    )
    return names.take(pa.array(at))


def _meridian(month: PartnerMonth, direction: Direction, book: Book, region: Region) -> pa.StringArray:
    at = pa.array(book.id)
    offset = _offsets(month, region, book.start)
    return text.joined(
        account_of(MERIDIAN, direction.traffic.payer) + ",",
        _services(direction, book, {1: "MOC", 4: "SMS-MO", 6: "GPRS"}), ",",
        text.timestamp(book.start + offset * 60, "T"), text.offsets(offset), ",",
        text.integers(book.usage), ",", text.integers(book.billed), ",",
        direction.traffic.numbers.take(at), ",", direction.traffic.networks.take(at), ",",
        text.decimals(book.amount, 9), f",{region.currency},", _rates(direction, book), ",",
        _months(month, book), "\n",
        rows=len(book.id),
    )  # fmt: skip


def _skylark(month: PartnerMonth, direction: Direction, book: Book, region: Region) -> pa.StringArray:
    at = pa.array(book.id)
    offset = _offsets(month, region, book.start)
    local = book.start + offset * 60
    (year, number, day), (hour, minute, second) = text.dates(local), text.clock(local)
    return text.joined(
        "out;" if direction.traffic.payer is SKYLARK else "in;",
        text.fixed(day, "/", number, "/", year, ";", hour, ":", minute, ":", second), ";",
        text.offsets(offset), ";", _services(direction, book, {1: "call", 4: "sms", 6: "data"}), ";",
        direction.traffic.numbers.take(at), ";", direction.traffic.networks.take(at), ";",
        text.integers(book.usage), ";", text.integers(book.billed), ";",
        pc.replace_substring(text.decimals(book.amount, 7), ".", ","), f";{region.currency};",
        _rates(direction, book), ";", _months(month, book), "\n",
        rows=len(book.id),
    )  # fmt: skip


_Row = Callable[[PartnerMonth, Direction, Book, Region], pa.StringArray]
_FORMS: dict[int, tuple[str, _Row]] = {
    1: ("partner,kind,start,usage,billed,called,network,amount,currency,rate,month\n", _meridian),
    2: ("way;date;time;utc;kind;number;plmn;units;charged;minor_units;currency;rate;cycle\n", _skylark),
}


def _labels(month: PartnerMonth) -> bytes:
    """Every record that is booked differently, and why."""
    lines = []
    for direction in month.directions:
        traffic = direction.traffic
        for label in direction.labels:
            at = pa.array(label.ids)
            named = pa.array([Service(code).name.lower() for code in traffic.service[label.ids].tolist()])
            rows = text.joined(
                f"{traffic.payer.operator},{label.kind},{','.join(label.place)},{label.holder or 'both'},",
                text.timestamp(traffic.start[label.ids], "T"), "Z,", named, ",",
                traffic.numbers.take(at), ",", traffic.networks.take(at), ",",
                text.decimals(partner_truth.money(direction, label), 9), "\n",
                rows=len(label.ids),
            )  # fmt: skip
            lines += rows.to_pylist()
    return (_LABEL_COLUMNS + "".join(lines)).encode()
