"""``asterisk`` and ``freeswitch``: call records as the two soft switches write them, with a price.

Both keep the switch's local clock. Asterisk has one column to spare, the user field, and a rating script
puts the price there; with no place for billed seconds, only accounts billed by the second live on it.
FreeSWITCH writes whatever its template names, so billed seconds, rate and price stand in columns of
their own, the price as ``mod_nibblebill`` calls it.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

from billproof.simulate import text
from billproof.simulate.formats.base import FileFormat, delimited
from billproof.simulate.formats.calls import Calls
from billproof.simulate.tariffs import PLANS
from billproof.simulate.text import Column
from billproof.simulate.traffic import Lines

ASTERISK_COLUMNS = (
    "accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata",
    "start", "answer", "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield",
)  # fmt: skip

FREESWITCH_COLUMNS = (
    "caller_id_name", "caller_id_number", "destination_number", "context", "start_stamp", "answer_stamp",
    "end_stamp", "duration", "billsec", "hangup_cause", "uuid", "bleg_uuid", "accountcode", "read_codec",
    "write_codec", "billed_seconds", "rate_name", "nibble_total_billed",
)  # fmt: skip


class Asterisk(FileFormat):
    name = "asterisk"
    plans = tuple(k for k, plan in enumerate(PLANS) if plan.first == plan.step == 1)
    spoilt = {  # noqa: RUF012 - declared ClassVar in the base
        "amount": ("userfield", "free"),
        "time": ("answer", "31/02 25:00"),
        "usage": ("billsec", "-1"),
        "account": ("accountcode", ""),
    }

    def columns(self, lines: Lines) -> dict[str, Column]:
        issuer, n = self.issuer, len(lines)
        calls = Calls.of(issuer, lines)
        account, own, other = issuer.accounts(lines), issuer.own_numbers(lines), issuer.others(lines)
        channel = calls.identifier(8)
        return {
            "accountcode": account,
            "src": own,
            "dst": other,
            "dcontext": issuer.rate_names(lines),
            "clid": text.joined('""', account, '"" <', own, ">", rows=n),
            "channel": text.joined("PJSIP/", account, "-", channel, rows=n),
            "dstchannel": text.joined("PJSIP/trunk-", channel, rows=n),
            "lastapp": "Dial",
            "lastdata": text.joined("PJSIP/", other, "@trunk,60", rows=n),
            "start": calls.local(calls.start),
            "answer": calls.local(calls.answer),
            "end": calls.local(calls.end),
            "duration": text.integers(calls.end - calls.start),
            "billsec": text.integers(lines.usage),
            "disposition": "ANSWERED",
            "amaflags": "BILLING",
            "uniqueid": text.joined(text.integers(calls.start), ".", text.integers(lines.subscriber), rows=n),
            "userfield": issuer.amounts(lines),
        }

    def rows(self, columns: Mapping[str, Column], count: int) -> pa.StringArray:
        quoted = frozenset(ASTERISK_COLUMNS) - {"duration", "billsec"}
        return delimited(columns, ASTERISK_COLUMNS, count, quoted)

    def mapping(self) -> str:
        return _ASTERISK.format(zone=self.issuer.month.zone.key, currency=self.issuer.currency)


class FreeSwitch(FileFormat):
    name = "freeswitch"
    spoilt = {  # noqa: RUF012 - declared ClassVar in the base
        "amount": ("nibble_total_billed", "-"),
        "time": ("answer_stamp", "0000-00-00 00:00:00"),
        "usage": ("billsec", "many"),
        "account": ("accountcode", ""),
    }

    def columns(self, lines: Lines) -> dict[str, Column]:
        issuer = self.issuer
        calls = Calls.of(issuer, lines)
        own = issuer.own_numbers(lines)
        return {
            "caller_id_name": own,
            "caller_id_number": own,
            "destination_number": issuer.others(lines),
            "context": "default",
            "start_stamp": calls.local(calls.start),
            "answer_stamp": calls.local(calls.answer),
            "end_stamp": calls.local(calls.end),
            "duration": text.integers(calls.end - calls.start),
            "billsec": text.integers(lines.usage),
            "hangup_cause": "NORMAL_CLEARING",
            "uuid": calls.uuid(0),
            "bleg_uuid": calls.uuid(1),
            "accountcode": issuer.accounts(lines),
            "read_codec": "PCMA",
            "write_codec": "PCMA",
            "billed_seconds": text.integers(lines.billed),
            "rate_name": issuer.rate_names(lines),
            "nibble_total_billed": issuer.amounts(lines),
        }

    def rows(self, columns: Mapping[str, Column], count: int) -> pa.StringArray:
        return delimited(columns, FREESWITCH_COLUMNS, count, frozenset(FREESWITCH_COLUMNS))

    def mapping(self) -> str:
        names = ", ".join(f'"{name}"' for name in FREESWITCH_COLUMNS)
        return _FREESWITCH.format(zone=self.issuer.month.zone.key, currency=self.issuer.currency, names=names)


_ASTERISK = """\
# Asterisk Master.csv: the rating script leaves the price in the user field, the rate in the context.

[account]
column = "accountcode"

[service]
value = "voice_originated"

[time]
column = "answer"
format = "%Y-%m-%d %H:%M:%S"
zone = "{zone}"

[usage]
column = "billsec"
unit = "s"

[number]
column = "dst"

[amount]
column = "userfield"

[currency]
value = "{currency}"

[rate]
column = "dcontext"
"""

_FREESWITCH = """\
# FreeSWITCH mod_cdr_csv: the example template and three columns of the rating.

[file]
header = false
columns = [{names}]

[account]
column = "accountcode"

[service]
value = "voice_originated"

[time]
column = "answer_stamp"
format = "%Y-%m-%d %H:%M:%S"
zone = "{zone}"

[usage]
column = "billsec"
unit = "s"

[billed_usage]
column = "billed_seconds"
unit = "s"

[number]
column = "destination_number"

[amount]
column = "nibble_total_billed"

[currency]
value = "{currency}"

[rate]
column = "rate_name"
"""
