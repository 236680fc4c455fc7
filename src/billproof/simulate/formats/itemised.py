"""``itemised-bill``: the bill as subscribers see it, one row for each call, message and data session.

Day-month-year and minutes by the clock on the wall, seconds for calls, megabytes (10**6 bytes) for data,
the billing month in a column of its own; and, beyond the bare bill, number, billed quantity and rate.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from billproof.records import Service
from billproof.simulate import text
from billproof.simulate.formats.base import FileFormat, delimited
from billproof.simulate.numbering import carrier
from billproof.simulate.text import Column
from billproof.simulate.traffic import Int64s, Lines

COLUMNS = (
    "user_id", "date", "duration", "item", "month", "network", "network_type", "total_cost", "number",
    "billed", "rate",
)  # fmt: skip

_ITEMS = {Service.VOICE_ORIGINATED: "call", Service.MESSAGE_SENT: "sms", Service.DATA: "data"}


class ItemisedBill(FileFormat):
    name = "itemised-bill"
    services = frozenset(_ITEMS)
    chronological = False
    spoilt = {  # noqa: RUF012 - declared ClassVar in the base
        "amount": ("total_cost", "gratis"),
        "time": ("date", "32-13-2026 24:61"),
        "usage": ("duration", "-1"),
        "account": ("user_id", ""),
        "service": ("item", "fax"),
    }

    def header(self) -> str:
        return ",".join(COLUMNS) + "\n"

    def columns(self, lines: Lines) -> dict[str, Column]:
        issuer = self.issuer
        local = lines.started_at + lines.offset * 60
        year, month, day = text.dates(local)
        hour, minute, _ = text.clock(local)
        network, kind = self._networks(lines)
        items = pa.array([_ITEMS.get(Service(k), "") if k in _CODES else "" for k in range(38)], pa.string())
        return {
            "user_id": issuer.accounts(lines),
            "date": text.fixed(day, "-", month, "-", year, " ", hour, ":", minute),
            "duration": _quantity(lines.usage, lines.service),
            "item": items.take(pa.array(lines.service)),
            "month": text.fixed(year, "-", month),
            "network": network,
            "network_type": kind,
            "total_cost": issuer.amounts(lines),
            "number": issuer.others(lines),
            "billed": _quantity(lines.billed, lines.service),
            "rate": issuer.rate_names(lines),
        }

    def rows(self, columns: Mapping[str, Column], count: int) -> pa.StringArray:
        return delimited(columns, COLUMNS, count)

    def mapping(self) -> str:
        return _MAPPING.format(zone=self.issuer.month.zone.key, currency=self.issuer.currency)

    def _networks(self, lines: Lines) -> tuple[pa.StringArray, pa.StringArray]:
        """Name and type of the other party's network, from where its number stands in the pool."""
        pool = self.issuer.pool
        bounds = [1 + k * pool.subscribers for k in range(pool.operators)]
        bounds += [pool.landlines.first, pool.near.first, pool.far.first, pool.short.first]
        names = ["data", *(carrier(k).name for k in range(pool.operators))]
        names += ["landline", "world", "world", "special"]
        kinds = ["data", *["mobile"] * pool.operators, "landline", "world", "world", "special"]
        place = pa.array(np.searchsorted(np.array(bounds), lines.number, side="right"))
        return pa.array(names, pa.string()).take(place), pa.array(kinds, pa.string()).take(place)


_CODES = frozenset(int(service) for service in _ITEMS)


def _quantity(values: Int64s, service: Int64s) -> pa.StringArray:
    """Seconds and messages as they are, bytes as megabytes with all six decimals where needed."""
    data = service == Service.DATA
    return pc.if_else(pa.array(data), text.decimals(values, 6, least=1), text.integers(values))


_MAPPING = """\
# Itemised bill, extended by number, billed quantity and rate.

[account]
column = "user_id"

[service]
column = "item"
values = {{ call = "voice_originated", sms = "message_sent", data = "data" }}

[time]
column = "date"
format = "%d-%m-%Y %H:%M"
zone = "{zone}"

[usage]
cases = [
  {{ when = {{ item = "data" }}, column = "duration", unit = "MB" }},
  {{ column = "duration", unit = "1" }},
]

[billed_usage]
cases = [
  {{ when = {{ item = "data" }}, column = "billed", unit = "MB" }},
  {{ column = "billed", unit = "1" }},
]

[number]
column = "number"

[amount]
column = "total_cost"

[currency]
value = "{currency}"

[rate]
column = "rate"

[period]
from = "column"
column = "month"
format = "%Y-%m"
"""
