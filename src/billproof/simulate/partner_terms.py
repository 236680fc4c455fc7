"""What the simulated partners have agreed, and how the files of each are read: texts."""

from __future__ import annotations

from datetime import date

from billproof.simulate import partner_truth
from billproof.simulate.partner_month import (
    CLOSE_BYTES,
    CLOSE_MONEY,
    CLOSE_SECONDS,
    MEGABYTE_PRICE,
    PARTNERS,
    ROUTES,
    PartnerMonth,
)

#: By operator: how ``billproof batch`` reads its files.
MAPPINGS = {
    1: """\
# Meridian's wholesale records of one region: euros, local times with their offset.

[account]
column = "partner"

[service]
column = "kind"
values = { "MOC" = "voice_originated", "SMS-MO" = "message_sent", "GPRS" = "data" }

[time]
column = "start"

[usage]
column = "usage"

[billed_usage]
column = "billed"

[number]
column = "called"

[network]
column = "network"

[amount]
column = "amount"

[currency]
column = "currency"

[rate]
column = "rate"

[period]
from = "column"
column = "month"
format = "%Y%m"
""",
    2: """\
# Skylark's wholesale records of one region: its currency in hundredths, local times, the offset beside them.

[file]
delimiter = ";"
decimal = ","

[account]
column = "way"
values = { "in" = "MERIDIAN-IN", "out" = "MERIDIAN-OUT" }

[service]
column = "kind"
values = { "call" = "voice_originated", "sms" = "message_sent", "data" = "data" }

[time]
column = ["date", "time"]
format = "%d/%m/%Y %H:%M:%S"
offset_column = "utc"
offset_unit = "hh:mm"

[usage]
column = "units"

[billed_usage]
column = "charged"

[number]
column = "number"

[network]
column = "plmn"

[amount]
column = "minor_units"
unit = "cent"

[currency]
column = "currency"

[rate]
column = "rate"

[period]
from = "column"
column = "cycle"
format = "%Y%m"
""",
}


def agreement(month: PartnerMonth) -> str:
    """The agreement's file: a year that begins with the month."""
    first = date(month.period // 100, month.period % 100, 1)
    parties = "\n".join(
        f'[[parties]]\noperator = {each.operator}\nname = "{each.name}"\ncurrency = "{each.currency}"'
        for each in PARTNERS
    )
    regions = [(partner, region) for partner in PARTNERS for region in partner.regions]
    rates = {region.currency: region.rate for _, region in regions if region.currency != "EUR"}
    agreed = partner_truth.terms(month)
    return _AGREEMENT.format(
        first=first,
        until=first.replace(year=first.year + 1),
        parties=parties,
        exchange="\n".join(f'{name} = "{rate / 10_000:.4f}"' for name, rate in rates.items()),
        seconds=CLOSE_SECONDS,
        bytes=CLOSE_BYTES,
        money=f"{CLOSE_MONEY / 10**9:.3f}",
        routes="\n".join(f'{name} = ["{prefix}"]' for name, prefix, *_ in ROUTES),
        zones="\n".join(
            f'{partner.name.lower()}-{region.number} = ["{region.network}"]' for partner, region in regions
        ),
        tiered=partner_truth.TIERED,
        price=f"{ROUTES[0][3] / 1000:.3f}",
        cheaper=f"{partner_truth.CHEAPER / 1000:.3f}",
        tier=agreed.tier,
        megabyte=f"{MEGABYTE_PRICE / 1000:.3f}",
        commitment=agreed.commitment,
    )


_AGREEMENT = """\
schema = "billproof/agreement/1"
name = "Meridian and Skylark, wholesale and roaming"
valid = {{ from = "{first}", until = "{until}" }}
settlement = "EUR"

{parties}

[exchange]                       # euros for one
{exchange}

[tolerance]
start = "60 s"
usage = "{seconds} s"
data = "{bytes} B"
amount = "{money}"

[routes]
{routes}

[zones]                          # of data, which has no number
{zones}

[[models]]                       # a cheaper tier for what Meridian hands over
name = "calls"
model = "tiers"
from = 1
services = ["voice-originated"]
routes = ["{tiered}"]
mode = "incremental"
tiers = [{{ above = "0 min", price = "{price}" }}, {{ above = "{tier} min", price = "{cheaper}" }}]

[[models]]                       # send or pay: what Skylark has promised to hand over in a year
name = "data"
model = "flat"
from = 2
services = ["data"]
unit = "1 MB"
price = "{megabyte}"
commitment = {{ money = "{commitment}", accrues = "month" }}
"""
