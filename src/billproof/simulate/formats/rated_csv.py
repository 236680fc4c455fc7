"""``csv``: the rated export of a billing system, one row for every line of every bill.

Grouped by account and in order of time, so that tax and rounding close each account. Times carry their
offset from UTC: the repeated hour in autumn stays unambiguous.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from billproof.records import Service
from billproof.simulate import text
from billproof.simulate.formats.base import FileFormat, Issuer, delimited
from billproof.simulate.text import Column
from billproof.simulate.traffic import Lines

#: What the billing system calls each service.
CODES = {
    Service.VOICE_ORIGINATED: "MOC",
    Service.VOICE_TERMINATED: "MTC",
    Service.VOICE_FORWARDED: "CFW",
    Service.MESSAGE_SENT: "SMS-MO",
    Service.MESSAGE_RECEIVED: "SMS-MT",
    Service.DATA: "GPRS",
    Service.MMS: "MMS",
    Service.CONTENT: "VAS",
    Service.RECURRING: "FEE",
    Service.ONE_OFF: "ONCE",
    Service.DISCOUNT: "DISC",
    Service.TAX: "TAX",
    Service.CREDIT: "CRED",
    Service.ROUNDING: "ROUND",
}

COLUMNS = (
    "account", "kind", "start", "usage", "billed", "other_party", "network", "amount", "currency", "rate",
)  # fmt: skip

#: The billing month; a column only where a row's own time does not tell it.
PERIOD = "period"


class RatedCsv(FileFormat):
    name = "csv"
    services = frozenset(Service)
    carries_networks = True
    chronological = False
    spoilt = {  # noqa: RUF012 - declared ClassVar in the base
        "amount": ("amount", "1.2.3"),
        "time": ("start", "not-a-date"),
        "usage": ("usage", "-7"),
        "service": ("kind", "???"),
        "account": ("account", ""),
    }

    def __init__(self, issuer: Issuer) -> None:
        super().__init__(issuer)
        names = [""] * (max(CODES) + 1)
        for service, code in CODES.items():
            names[service] = code
        self._codes = pa.array(names, pa.string())
        self._names = (*COLUMNS, PERIOD) if issuer.late else COLUMNS

    def header(self) -> str:
        return ",".join(self._names) + "\n"

    def columns(self, lines: Lines) -> dict[str, Column]:
        issuer = self.issuer
        local = text.timestamp(lines.started_at + lines.offset * 60, "T")
        columns: dict[str, Column] = {
            "account": issuer.accounts(lines),
            "kind": self._codes.take(pa.array(lines.service)),
            "start": text.joined(local, text.offsets(lines.offset), rows=len(lines)),
            "usage": text.integers(lines.usage),
            "billed": text.integers(lines.billed),
            "other_party": issuer.others(lines),
            "network": issuer.networks.take(pa.array(lines.network)),
            "amount": issuer.amounts(lines),
            "currency": issuer.currency,
            "rate": issuer.rate_names(lines),
        }
        if issuer.late:
            columns[PERIOD] = str(issuer.month.period)
        return columns

    def rows(self, columns: Mapping[str, Column], count: int) -> pa.StringArray:
        return delimited(columns, self._names, count)

    def mapping(self) -> str:
        values = "\n".join(f'"{code}" = "{service.name.lower()}"' for service, code in CODES.items())
        mapping = _MAPPING.format(zone=self.issuer.month.zone.key, values=values)
        return mapping + (_PERIOD_MAPPING if self.issuer.late else "")


_MAPPING = """\
# Rated export of the billing system: every line of every bill.

[account]
column = "account"

[service]
column = "kind"

[service.values]
{values}

[time]
column = "start"
zone = "{zone}"

[usage]
column = "usage"

[billed_usage]
column = "billed"

[number]
column = "other_party"

[network]
column = "network"

[amount]
column = "amount"

[currency]
column = "currency"

[rate]
column = "rate"
"""

_PERIOD_MAPPING = """
# Records that arrive late are billed a month later than they were used.
[period]
from = "column"
column = "period"
format = "%Y%m"
"""
