"""Tariff files: each plan of an operator in the format of ``docs/tariff.md``, and which account has which.

They say what ``tariffs`` charges, no more and no less: prices, steps, peak time, the prefixes of numbers that
are the operator's own, networks abroad, free usage, fees, tax. A file is the same for every month of a year.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa

from billproof.records import NANO
from billproof.simulate import text
from billproof.simulate.formats import Issuer
from billproof.simulate.numbering import (
    ABROAD_FAR,
    ABROAD_NEAR,
    LANDLINES,
    SHORT_CODES,
    SUBSCRIBER_BLOCKS,
    network_names,
)
from billproof.simulate.tariffs import (
    LOYALTY_PERCENT,
    PLANS,
    SIM_REPLACEMENT,
    VAT_PERCENT,
    Kind,
    Plan,
    Pool,
    Rate,
    rates,
)
from billproof.simulate.traffic import Int64s

ACCOUNTS = "accounts.csv"

#: Accounts written at a time.
_PIECE = 1 << 16

#: Service, zones and destinations of each kind of traffic; no destinations are whatever others leave.
_REACH: dict[Kind, tuple[str, tuple[str, ...], tuple[str, ...]]] = {
    Kind.ON_NET: ("voice-originated", ("home",), ("on-net",)),
    Kind.OFF_NET: ("voice-originated", ("home",), ()),
    Kind.LANDLINE: ("voice-originated", ("home",), ("landline",)),
    Kind.NEAR: ("voice-originated", ("home",), ("near",)),
    Kind.FAR: ("voice-originated", ("home",), ("far",)),
    Kind.SHORT: ("voice-originated", ("home",), ("short",)),
    Kind.ROAMING_OUT: ("voice-originated", ("partners",), ()),
    Kind.ROAMING_IN: ("voice-terminated", ("partners",), ()),
    Kind.FORWARDED: ("voice-forwarded", ("home", "partners"), ()),
    Kind.TEXT: ("message-sent", ("home", "partners"), ()),
    Kind.TEXT_ABROAD: ("message-sent", ("home", "partners"), ("near", "far")),
    Kind.TEXT_PREMIUM: ("message-received", ("home", "partners"), ()),
    Kind.PICTURE: ("mms", ("home", "partners"), ()),
    Kind.DATA: ("data", ("home",), ()),
    Kind.ROAMING_DATA: ("data", ("partners",), ()),
    Kind.CONTENT: ("content", ("home", "partners"), ()),
}

#: For what a price is given, by its service: voice as in the table, data by the megabyte.
_MEGABYTE = 1_000_000


def write(out: Path, folder: str, issuer: Issuer, plans: Int64s, *, closed: bool) -> str:
    """Writes the files of all plans to ``folder`` below ``out``; gives the path of the accounts' list there.

    ``plans`` is each subscriber's position in ``PLANS``; bills that are not ``closed`` have no fees, no tax.
    """
    for plan in PLANS:
        path = out / folder / f"{plan.name}.toml"
        path.write_text("\n".join(_document(plan, issuer, closed)) + "\n", encoding="utf-8", newline="\n")
    names = pa.array([f"{plan.name}.toml" for plan in PLANS], pa.string())
    with (out / folder / ACCOUNTS).open("wb") as stream:
        stream.write(b"account,tariff\n")
        for start in range(0, len(plans), _PIECE):
            piece = plans[start : start + _PIECE]
            numbers = pa.array(range(start + 1, start + 1 + len(piece)))
            accounts = text.fixed(issuer.carrier.prefix, text.digits(numbers.to_numpy(), 7))
            rows = text.joined(accounts, ",", names.take(pa.array(piece)), "\n", rows=len(piece))
            stream.write("".join(rows.to_pylist()).encode())
    return f"{folder}/{ACCOUNTS}"


def _document(plan: Plan, issuer: Issuer, closed: bool) -> Iterator[str]:
    year = (issuer.month.first_day - timedelta(days=1)).year
    yield 'schema = "billproof/tariff/1"'
    yield f'name = "{issuer.carrier.name} {plan.name}"'
    yield f'version = "{year}"'
    yield f'currency = "{issuer.currency}"'
    yield f'valid = {{ from = "{year}-01-01" }}'
    yield f"home = {_list([network_names(issuer.carrier.index)[1]])}"
    yield ""
    yield "[rounding]"
    yield 'mode = "half-up"'
    yield f"decimals = {len(str(NANO // plan.grain)) - 1}"
    yield 'at = "call"'
    if closed:
        yield from ("", "[total]", 'mode = "half-up"', "decimals = 2")
    yield from ("", "[calendars.working]", 'peak = [{ days = "mon-fri", from = "08:00", until = "18:00" }]')
    yield 'off-peak = "rest"'
    yield from ("", "[destinations]")
    for name, prefixes in _destinations(issuer).items():
        yield f"{name} = {_list(prefixes)}"
    yield from ("", "[zones]", f"partners = {_list(network_names(issuer.carrier.index)[2:])}")
    first = PLANS.index(plan) * 2 * len(Kind)
    for kind in Kind:
        off_peak, peak = rates()[first + 2 * kind], rates()[first + 2 * kind + 1]
        if off_peak.name == peak.name:
            yield from _rate(off_peak, kind, "")
        else:
            yield from _rate(peak, kind, "peak")
            yield from _rate(off_peak, kind, "off-peak")
    yield from _allowances(plan)
    if closed:
        yield from _closing(plan)


def _rate(rate: Rate, kind: Kind, band: str) -> Iterator[str]:
    service, zones, destinations = _REACH[kind]
    usage = "s" if service.startswith("voice") else "B" if service == "data" else "message"
    unit = _MEGABYTE if usage == "B" else rate.unit

    def price(billionths: int) -> str:
        return _money(billionths * unit // rate.unit)

    yield from ("", "[[rates]]", f'name = "{rate.name}"', f'services = ["{service}"]')
    if zones != ("home",):
        yield f"zones = {_list(zones)}"
    if destinations:
        yield f"destinations = {_list(destinations)}"
    if band:
        yield from ('calendar = "working"', f'bands = ["{band}"]')
    if rate.connection:
        yield f'connection = "{_money(rate.connection)}"'
    if rate.opening != rate.price:
        yield "intervals = ["
        for start, each, step in ((0, rate.opening, rate.first), (rate.first, rate.price, rate.step)):
            yield (
                f'  {{ from = "{start} {usage}", price = "{price(each)}", unit = "{_usage(unit, usage)}",'
                f' increment = "{_usage(step, usage)}" }},'
            )
        yield "]"
        return
    yield f'price = "{price(rate.price)}"'
    yield f'unit = "{_usage(unit, usage)}"'
    yield f'increment = "{_usage(rate.step, usage)}"'
    if rate.first != rate.step:
        yield f'first = "{_usage(rate.first, usage)}"'
    if rate.tier_price:
        above = _usage(rate.tier_above, usage)
        yield f'tiers = [{{ above = "{above}", price = "{price(rate.tier_price)}" }}]'


def _allowances(plan: Plan) -> Iterator[str]:
    at_home = ("on-net", "off-net", "landline")
    for pool, name, service, destinations, usage in (
        (Pool.MINUTES, "free minutes", "voice-originated", at_home, "s"),
        (Pool.MESSAGES, "free messages", "message-sent", at_home, "message"),
        (Pool.DATA, "free data", "data", (), "B"),
    ):
        if not plan.free[pool]:
            continue
        zones = ("home", "partners") if pool is Pool.MESSAGES else ("home",)
        yield from ("", "[[allowances]]", f'name = "{name}"', f'services = ["{service}"]')
        yield f"zones = {_list(zones)}"
        if destinations:
            yield f"destinations = {_list(destinations)}"
        yield f'amount = "{_usage(plan.free[pool], usage)}"'


def _closing(plan: Plan) -> Iterator[str]:
    """Fees, discount and tax, named as the lines of ``invoice``."""
    for name, amount, service, times in (
        ("plan/monthly-fee", plan.fee, "recurring", "once"),
        ("service/sim-replacement", SIM_REPLACEMENT, "one-off", "any"),
    ):
        yield from ("", "[[fees]]", f'name = "{name}"', f'amount = "{_money(amount)}"')
        yield from (f'service = "{service}"', f'times = "{times}"')
    yield from ("", "[[discounts]]", f'name = "discount/loyalty-{LOYALTY_PERCENT}"')
    yield f'percent = "{LOYALTY_PERCENT}"'
    yield from ('of = ["recurring"]', 'rates = ["plan/monthly-fee"]', 'times = "any"')
    yield from ("", "[[taxes]]", f'name = "tax/vat-{VAT_PERCENT}"', f'percent = "{VAT_PERCENT}"')


def _destinations(issuer: Issuer) -> dict[str, list[str]]:
    pool, index = issuer.pool, issuer.carrier.index
    on_net = own_prefixes(index * pool.subscribers, pool.subscribers)
    others = [block for block, _, _ in SUBSCRIBER_BLOCKS if block not in on_net]
    return {
        "on-net": on_net,
        "off-net": others,
        "landline": [LANDLINES[0]],
        "near": [block for block, _, _ in ABROAD_NEAR],
        "far": [block for block, _, _ in ABROAD_FAR],
        "short": list(SHORT_CODES),
    }


def own_prefixes(first: int, count: int) -> list[str]:
    """The fewest prefixes that exactly ``count`` subscribers' numbers from the ``first`` on have."""
    found: list[str] = []
    for block, digits, size in SUBSCRIBER_BLOCKS:
        start, stop = min(max(first, 0), size), min(max(first + count, 0), size)
        while start < stop:
            fixed = digits  # as few digits as make a prefix whose numbers all lie in the range
            while fixed and start % 10 ** (digits - fixed + 1) == 0:
                if start + 10 ** (digits - fixed + 1) > stop:
                    break
                fixed -= 1
            span = 10 ** (digits - fixed)
            found.append(block + (f"{start // span:0{fixed}d}" if fixed else ""))
            start += span
        first -= size
    return found


def _usage(count: int, unit: str) -> str:
    """Usage as tariffs write it: ``60 s``, ``100 kB``, ``1 message``."""
    if unit == "B":
        for size, name in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
            if count % size == 0:
                return f"{count // size} {name}"
    return f"{count} {unit}"


def _money(billionths: int) -> str:
    return f"{(Decimal(billionths) / NANO).normalize():f}"


def _list(texts: list[str] | tuple[str, ...]) -> str:
    return "[" + ", ".join(f'"{one}"' for one in texts) + "]"
