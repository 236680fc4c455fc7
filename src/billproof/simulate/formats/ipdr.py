"""``ipdr-csv`` and ``ipdr-xml``: VoIP usage documents of IPDR 3.x with a price added.

Field names and units are those of the published VoIP 3.0 schema: durations in milliseconds, the time
zone in hours. The schema has no price, so rate, price and currency are extension fields, in XML in a
namespace of the carrier. Times are UTC: epoch seconds in CSV, ``dateTimeMsec`` in XML.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pyarrow as pa

from billproof.simulate import text
from billproof.simulate.formats.base import FileFormat, delimited
from billproof.simulate.formats.calls import Calls
from billproof.simulate.text import Column
from billproof.simulate.traffic import Int64s, Lines

NAMESPACE = "http://www.ipdr.org/namespaces/ipdr"

_OWN = (
    "subscriberID", "hostname", "startTime", "endTime", "timeZoneOffset", "callCompletionCode",
    "uniqueCallId", "disconnectReason", "destinationId", "ani", "callSetupDuration", "callDuration",
    "totalDuration", "type", "unitsConsumed",
)  # fmt: skip
_EXTENSION = ("rate", "price", "currency")
COLUMNS = (*_OWN, *_EXTENSION)


class _Ipdr(FileFormat):
    #: ``format`` of the mapping's time section.
    _clock: ClassVar[str]
    spoilt = {  # noqa: RUF012 - declared ClassVar in the base
        "amount": ("price", "1;5"),
        "time": ("startTime", "yesterday"),
        "usage": ("callDuration", "-3000"),
        "account": ("subscriberID", ""),
        "currency": ("currency", "Euro"),
    }

    def columns(self, lines: Lines) -> dict[str, Column]:
        issuer = self.issuer
        calls = Calls.of(issuer, lines)
        return {
            "subscriberID": issuer.accounts(lines),
            "hostname": f"sbc.{issuer.carrier.domain}",
            "startTime": self._time(calls.answer),
            "endTime": self._time(calls.end),
            "timeZoneOffset": _hours(lines.offset),
            "callCompletionCode": "CC",
            "uniqueCallId": text.joined(calls.identifier(16), f"@{issuer.carrier.domain}", rows=len(lines)),
            "disconnectReason": "NormalCallClearing",
            "destinationId": issuer.others(lines),
            "ani": issuer.own_numbers(lines),
            "callSetupDuration": text.integers((calls.answer - calls.start) * 1000),
            "callDuration": text.integers(lines.usage * 1000),
            "totalDuration": text.integers((calls.end - calls.start) * 1000),
            "type": "V",
            "unitsConsumed": text.integers(lines.billed),
            "rate": issuer.rate_names(lines),
            "price": issuer.amounts(lines),
            "currency": issuer.currency,
        }

    def _time(self, times: Int64s) -> pa.StringArray:
        raise NotImplementedError

    def mapping(self) -> str:
        return _MAPPING.format(clock=self._clock)


class IpdrCsv(_Ipdr):
    name = "ipdr-csv"
    _clock = "epoch_s"

    def header(self) -> str:
        commas = "," * (len(COLUMNS) - 1)
        return f"VoIP3.0-A.0ID.xsd{commas}\n{NAMESPACE}{commas}\n{','.join(COLUMNS)}\n"

    def rows(self, columns: Mapping[str, Column], count: int) -> pa.StringArray:
        return delimited(columns, COLUMNS, count)

    def _time(self, times: Int64s) -> pa.StringArray:
        return text.integers(times)


class IpdrXml(_Ipdr):
    name = "ipdr-xml"
    extension = "xml"
    _clock = "iso"

    def header(self) -> str:
        carrier, month = self.issuer.carrier, self.issuer.month
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<IPDRDoc xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            f'xmlns:x="http://{carrier.domain}/ipdr" docId="{carrier.domain}-{month.period}" version="3.0" '
            f'creationTime="{month.next_month.isoformat()}T06:00:00Z" IPDRRecorderInfo="{carrier.domain}">\n'
        )

    def footer(self, rows: int) -> str:
        end = self.issuer.month.next_month.isoformat()
        return f'<IPDRDoc.End count="{rows}" endTime="{end}T06:00:00Z"/>\n</IPDRDoc>\n'

    def rows(self, columns: Mapping[str, Column], count: int) -> pa.StringArray:
        parts: list[Column] = []
        pending = '<IPDR xsi:type="VoIP">'
        for name in COLUMNS:
            tag = f"x:{name}" if name in _EXTENSION else name
            column = columns[name]
            if isinstance(column, str):
                pending += f"<{tag}>{column}</{tag}>"
            else:
                parts += [f"{pending}<{tag}>", column]
                pending = f"</{tag}>"
        return text.joined(*parts, f"{pending}</IPDR>\n", rows=count)

    def _time(self, times: Int64s) -> pa.StringArray:
        return text.joined(text.timestamp(times, "T"), "Z", rows=len(times))


def _hours(minutes: Int64s) -> pa.StringArray:
    """Offsets in hours: ``1``, ``-4``, ``5.5``."""
    values, position = np.unique(minutes, return_inverse=True)
    names = [f"{value / 60:g}" for value in values.tolist()]
    return pa.array(names, pa.string()).take(pa.array(position))


_MAPPING = """\
# IPDR 3.x VoIP documents with rate, price and currency as extension fields.

[account]
column = "subscriberID"

[service]
value = "voice_originated"

[time]
column = "startTime"
format = "{clock}"
offset_column = "timeZoneOffset"
offset_unit = "hours"

[usage]
column = "callDuration"
unit = "ms"

[billed_usage]
column = "unitsConsumed"
unit = "s"

[number]
column = "destinationId"

[amount]
column = "price"

[currency]
column = "currency"

[rate]
column = "rate"
"""
