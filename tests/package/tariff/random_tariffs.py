"""Tariffs and statements by seed: valid, small, full of edges, to hold two implementations together.

Prices, prefixes and spans are drawn from few values, so that amounts tie, halves occur, and several rates
explain one wrong amount. Wrong amounts are made by the naive rater's own means: another rate, another mode,
a fee too many.
"""

from __future__ import annotations

import datetime as dt
from random import Random
from typing import Any

import naive
import naive_check

KINDS = [["voice-originated", "voice-terminated"], ["message-sent", "mms"], ["data"]]
UNITS = [("s", [1, 6, 7, 30, 60]), ("messages", [1, 2, 3]), ("B", [1, 10, 1000])]
PREFIXES = ["+1", "+12", "+123", "+13", "+2", "+21", "+3", "17", "174", "+", "0"]
NETWORKS = ["272-01", "272-02", "208-01", "208-10", "262-01", "262-02", "310-410", "310-41"]
PRICES = [
    "0",
    "0.1",
    "0.25",
    "0.0125",
    "0.333",
    "0.000000000001",
    "1",
    "0.10",
    "2.5",
    "0.00083",
    "0.999999999999",
]
MONEY = ["0", "0.05", "0.125", "0.5", "0.005", "1", "0.000000001"]
#: Where 64 bits no longer hold a price times a usage; the charge itself still fits.
LARGE = [10**6, 10**9 - 1, 86_400 * 31, 2_500_000_001]
FIRST_DAY = dt.date(2026, 10, 1)
NO_HASH, A_HASH = "0x" + "0" * 64, "0x" + "5" * 64


def parts(random: Random, items: list[str]) -> list[list[str]]:
    """A random partition of the items into groups."""
    groups: list[list[str]] = []
    for item in random.sample(items, len(items)):
        if groups and random.random() < 0.4:
            random.choice(groups).append(item)
        else:
            groups.append([item])
    return groups


def written(random: Random, prefix: str) -> str:
    """The same prefix, or with two zeros for its plus."""
    return prefix.replace("+", "00") if random.random() < 0.3 else prefix


def a_rounding(random: Random, may_be_invoice: bool) -> dict[str, Any]:
    at = random.choice(["increment", "call", "call", "invoice" if may_be_invoice else "call"])
    mode = {"mode": random.choice(naive.MODES)}
    if at == "invoice":
        return random.choice([{}, mode]) | {"at": at}
    return mode | {"at": at, "decimals": random.choice([0, 1, 2, 3, 9])}


def a_calendar(random: Random, with_holidays: bool) -> dict[str, Any]:
    """Bands that cover the week once: each day is cut at some minutes, and each piece given to a band."""
    bands = ["a", "b", "c"][: random.randint(1, 3)]
    spans: dict[str, list[dict[str, str]]] = {band: [] for band in bands}
    for days in random.choice([["mon-sun"], ["mon-fri", "sat-sun"], ["fri-mon", "tue,wed-thu"], naive.DAYS]):
        cuts = sorted(
            random.sample(["00:01", "06:00", "08:00", "12:30", "18:00", "23:59"], random.randint(0, 3))
        )
        for begins, ends in zip(["00:00", *cuts], [*cuts, "24:00"], strict=True):
            span = {"days": days, "from": begins, "until": ends}
            if begins == "00:00" and random.random() < 0.5:
                del span["from"]
            if ends == "24:00" and random.random() < 0.5:
                del span["until"]
            if days == "mon-sun" and random.random() < 0.5:
                del span["days"]
            spans[random.choice(bands)].append(span)
    calendar: dict[str, Any] = {band: spans[band] for band in bands if spans[band]}
    if random.random() < 0.5:
        calendar[random.choice(list(calendar))] = "rest"
    if with_holidays and random.random() < 0.5:
        calendar["holidays"] = {"list": "days", "as": random.choice(naive.DAYS)}
    return calendar


def bands_of(calendar: dict[str, Any]) -> list[str]:
    return [name for name in calendar if name != "holidays"]


def a_price(random: Random, kind: int) -> dict[str, Any]:
    word, sizes = UNITS[kind]
    if random.random() < 0.25:
        intervals, start = [], 0
        for _ in range(random.randint(1, 3)):
            increment = random.choice(sizes)
            intervals.append(
                {
                    "from": f"{start} {word}",
                    "price": random.choice(PRICES),
                    "unit": f"{random.choice(sizes)} {word}",
                    "increment": f"{increment} {word}",
                }
            )
            start += increment * random.randint(1, 3)
        return {"intervals": intervals}
    price: dict[str, Any] = {"price": random.choice(PRICES), "unit": f"{random.choice(sizes)} {word}"}
    if random.random() < 0.7:
        price["increment"] = f"{random.choice(sizes)} {word}"
    if random.random() < 0.4:
        price["first"] = f"{random.choice(sizes)} {word}"
    if random.random() < 0.3:
        above = sorted(random.sample([1, 2, 3, 10, 60, 61, 100, 1000], random.randint(1, 3)))
        price["tiers"] = [{"above": f"{each} {word}", "price": random.choice(PRICES)} for each in above]
    return price


def a_rate(random: Random, kind: int, may_be_invoice: bool) -> dict[str, Any]:
    rate = a_price(random, kind)
    if random.random() < 0.4:
        rate["connection"] = random.choice(MONEY)
    if random.random() < 0.2:
        rate["minimum"] = random.choice(MONEY)
    if random.random() < 0.2:
        rate["maximum"] = random.choice(["1", "1.005", "3"])
    if random.random() < 0.4:
        rate["rounding"] = a_rounding(random, may_be_invoice)
    return rate


def a_tariff(random: Random) -> dict[str, Any]:
    invoice = random.random() < 0.3
    tariff: dict[str, Any] = {
        "schema": "billproof/tariff/1",
        "name": "random",
        "version": "1",
        "currency": "EUR",
        "valid": {"from": FIRST_DAY.isoformat(), "until": "2026-11-01"},
        "rounding": a_rounding(random, invoice),
    }
    if random.random() < 0.2:
        del tariff["valid"]["until"]
    if invoice or random.random() < 0.3:
        tariff["total"] = {"mode": random.choice(naive.MODES), "decimals": random.randint(0, 4)}
    if random.random() < 0.2:
        tariff["exchange"] = {"currency": "XDR", "rate": random.choice(["1.25", "0.8", "1", "1.234567891"])}
    if random.random() < 0.8:
        tariff["home"] = random.choice([["272-01"], ["27201", "272-02"]])
    with_holidays = random.random() < 0.5
    if with_holidays:
        tariff["holidays"] = {"days": ["2026-10-05", "2026-10-10"]}
    calendars = {name: a_calendar(random, with_holidays) for name in ["x", "y"][: random.randint(0, 2)]}
    if calendars:
        tariff["calendars"] = calendars
    prefixes = random.sample(PREFIXES, random.randint(0, 6))
    names = ["near", "far", "wide"]
    destinations: dict[str, list[str]] = {}
    for prefix in prefixes:
        destinations.setdefault(random.choice(names), []).append(written(random, prefix))
    if destinations:
        tariff["destinations"] = destinations
    zones: dict[str, list[str]] = {}
    for network in random.sample(["208", "208-10", "262-01", "DEUD2", "310410", "310"], random.randint(0, 5)):
        zones.setdefault(random.choice(["eu", "world"]), []).append(network)
        if network == "DEUD2":
            tariff["tadig"] = {"DEUD2": "262-02"}
    if zones:
        tariff["zones"] = zones
    tariff["rates"] = some_rates(random, tariff, invoice)
    if random.random() < 0.6:
        tariff["allowances"] = some_allowances(random, tariff)
    some_lines(random, tariff)
    return tariff


def some_rates(random: Random, tariff: dict[str, Any], invoice: bool) -> list[dict[str, Any]]:
    rates: list[dict[str, Any]] = []
    zones = ["home", "elsewhere", *tariff.get("zones", {})]
    calendars = tariff.get("calendars", {})
    destinations = list(tariff.get("destinations", {}))
    for kind, services in enumerate(KINDS):
        for some_services in parts(random, services):
            for some_zones in parts(random, zones):
                if random.random() < 0.2 and rates:
                    continue  # no rate
                groups: list[list[str] | None] = [None]
                if random.random() < 0.7:
                    groups = [
                        *parts(random, random.sample(destinations, random.randint(0, len(destinations))))
                    ]
                    groups += [["elsewhere"]] if random.random() < 0.2 else []
                    groups += [None]
                for group in groups:
                    of = {"services": some_services, "zones": some_zones}
                    if some_zones == ["home"] and random.random() < 0.5:
                        del of["zones"]
                    if group is not None:
                        of["destinations"] = group
                    if calendars and random.random() < 0.5:
                        name = random.choice(list(calendars))
                        timed = [
                            {"calendar": name, "bands": b} for b in parts(random, bands_of(calendars[name]))
                        ]
                    else:
                        timed = [{}]
                    for bands in timed:
                        name = f"rate {len(rates)}"
                        rates.append({"name": name} | of | bands | a_rate(random, kind, invoice))
    random.shuffle(rates)
    return rates


def some_allowances(random: Random, tariff: dict[str, Any]) -> list[dict[str, Any]]:
    allowances = []
    calendars = tariff.get("calendars", {})
    for number in range(random.randint(1, 3)):
        kind = random.choice([0, 0, 1, 2])
        services = random.sample(KINDS[kind], random.randint(1, len(KINDS[kind])))
        allowance: dict[str, Any] = {"name": f"allowance {number}", "services": services}
        allowance["amount"] = f"{random.choice([1, 10, 60, 61, 100, 500])} {UNITS[kind][0]}"
        if random.random() < 0.3:
            allowance["zones"] = random.choice([["home", "elsewhere"], ["home", *tariff.get("zones", {})]])
        if random.random() < 0.4:
            names = ["elsewhere", *tariff.get("destinations", {})]
            allowance["destinations"] = random.sample(names, random.randint(1, len(names)))
        if calendars and random.random() < 0.4:
            allowance["calendar"] = name = random.choice(list(calendars))
            allowance["bands"] = random.choice(parts(random, bands_of(calendars[name])))
        if random.random() < 0.5:
            allowance["connection"] = random.random() < 0.5
        if random.random() < 0.3:
            allowance["rollover"] = {"cycles": 1, "at-most": allowance["amount"]}
        allowances.append(allowance)
    return allowances


def some_lines(random: Random, tariff: dict[str, Any]) -> None:
    """Fees, discounts, commitment and taxes."""
    times = ["once", "any"]
    tariff["fees"] = [
        {
            "name": f"fee {number}",
            "amount": random.choice([*MONEY, "9.99", "-1.5"]),
            "service": random.choice(["recurring", "one-off"]),
            "times": random.choice(times),
        }
        for number in range(random.randint(0, 2))
    ]
    tariff["discounts"] = []
    for number in range(random.randint(0, 2)):
        discount: dict[str, Any] = {
            "name": f"discount {number}",
            "percent": random.choice(["10", "2.5", "50", "33.333333333"]),
            "of": random.sample(
                ["voice-originated", "message-sent", "recurring", "one-off"], random.randint(1, 3)
            ),
            "times": random.choice(times),
        }
        if random.random() < 0.4:
            discount["above"] = random.choice(MONEY)
        if random.random() < 0.3 and tariff["fees"]:
            discount["rates"] = [random.choice(tariff["fees"])["name"]]
            if number and random.random() < 0.5:
                discount["of"].append("discount")
                discount["rates"].append("discount 0")
        tariff["discounts"].append(discount)
    tariff["taxes"] = []
    for number in range(random.randint(0, 2)):
        tax: dict[str, Any] = {"name": f"tax {number}", "percent": random.choice(["23", "0.5", "19.6", "50"])}
        if random.random() < 0.6:
            tax["of"] = random.sample(
                ["voice-originated", "recurring", "credit", "discount"], random.randint(1, 4)
            )
        if random.random() < 0.6:
            tax["rounding"] = {"mode": random.choice(naive.MODES), "decimals": random.choice([0, 2, 4, 9])}
        tariff["taxes"].append(tax)
    for key in ("fees", "discounts", "taxes"):
        if not tariff[key]:
            del tariff[key]
    if random.random() < 0.3:
        tariff["commitment"] = {
            "amount": random.choice(["5", "0.5", "50"]),
            "services": random.sample(
                ["voice-originated", "data", "recurring", "one-off"], random.randint(1, 3)
            ),
            "name": "commitment",
        }


# Statements


def a_start(random: Random) -> tuple[int, int]:
    """startedAt and utcOffset: mostly in October 2026, often at the edge of a band or a day."""
    day = FIRST_DAY + dt.timedelta(days=random.choice([-1, *range(32), 31]))
    second = random.choice([0, 60, 21600, 28800, 45000, 64800, 86340, random.randrange(86400)])
    offset = random.choice([0, 0, 60, 120, -330, 765])
    local = int(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC).timestamp()) + second
    return local + random.choice([0, 0, -1]) - 60 * offset, offset


def a_usage_record(random: Random) -> dict[str, Any]:
    started_at, offset = a_start(random)
    service = random.choice([1, 1, 1, 2, 4, 6, 6, 7, 8])
    edges = [0, 1, 2, 6, 7, 29, 30, 31, 59, 60, 61, 89, 90, 91, 120, 121, 180, random.randrange(1000)]
    return {
        "service": service,
        "startedAt": started_at,
        "utcOffset": offset,
        "usage": random.choice(edges) if random.random() < 0.97 else random.choice(LARGE),
        "number": written(random, random.choice(["", *PREFIXES])) + random.choice(["", "1", "2", "45"]),
        "network": random.choice(["", "", "272-01", *NETWORKS]),
        "rate": "printed",
        "corrects": A_HASH if random.random() < 0.03 else NO_HASH,
    }


def a_line(random: Random, tariff: dict[str, Any]) -> dict[str, Any]:
    """A record of services 32 and above, named as something of the tariff, or not."""
    lines = [(service, name or "any text") for _, service, name, _, _ in naive_check.lines_of(tariff)]
    service, name = random.choice([*lines, *lines, (36, "credit"), (33, "other"), (37, "rounding")])
    started_at, offset = a_start(random)
    return {
        "service": service,
        "startedAt": started_at,
        "utcOffset": offset,
        "usage": 0,
        "number": "",
        "network": "",
        "rate": name,
        "corrects": A_HASH if random.random() < 0.03 else NO_HASH,
    }


def a_wrong_amount(random: Random, tariff: dict[str, Any], record: dict[str, Any], rated: naive.Rated) -> int:
    """What an operator with one error would charge; sometimes what is due after all."""
    rate = rated.rate
    if rate is None or random.random() < 0.15:
        return rated.due + random.choice([0, 1, -1, 10_000_000, 5_000_000_000])
    free = random.choice([rated.free, rated.free, naive.Free()])
    choice = random.randrange(5)
    if choice == 0:
        kind = [set(group) & set(rate["services"]) for group in KINDS]
        others = [
            each for each in tariff["rates"] if any(group & set(each["services"]) for group in kind if group)
        ]
        other = random.choice(others)
        steps = naive.parts_of(naive.usage_of(record), naive.intervals_of(other))
        return naive.charge(tariff, other, steps, free)
    if choice == 1:
        steps = naive.parts_of(record["billedUsage"], naive.intervals_of(rate), to_increments=False)
        return naive.charge(tariff, rate, steps, free, price=rated.price)
    if choice == 2:
        return naive.charge(
            tariff, rate, rated.parts, free, price=rated.price, connections=random.randint(0, 2)
        )
    if choice == 3 and "tiers" in rate:
        prices = [rate["price"], *(tier["price"] for tier in rate["tiers"])]
        return naive.charge(tariff, rate, rated.parts, free, price=random.choice(prices))
    return naive.charge(tariff, rate, rated.parts, free, price=rated.price, mode=random.choice(naive.MODES))


def a_statement(
    random: Random, tariff: dict[str, Any], size: int
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Records in the protocol's order, and what was carried over for each allowance."""
    records = [
        a_usage_record(random) if random.random() < 0.85 else a_line(random, tariff) for _ in range(size)
    ]
    records.sort(key=lambda record: record["startedAt"])
    for index, record in enumerate(records):
        record["index"] = index
    balances = {
        each["name"]: random.choice([1, 30, 100])
        for each in tariff.get("allowances", [])
        if random.random() < 0.3
    }
    rated, _ = naive.rate_statement(tariff, records, balances)
    for record, its in zip(records, rated, strict=True):
        right = random.random() < 0.5
        near = [record["usage"], its.billed + random.choice([1, 60, -1, 6]), 0]
        record["billedUsage"] = its.billed if right or random.random() < 0.6 else max(random.choice(near), 0)
        record["amount"] = its.due if right else a_wrong_amount(random, tariff, record, its)
        if record["service"] >= 32:
            record["billedUsage"] = 0
            record["amount"] = random.choice([0, -1_500_000_000, 9_990_000_000, random.randrange(10**10)])
    for kind, service, name, _, item in naive_check.lines_of(tariff):
        for record in records:
            if record["service"] == service and name in (None, record["rate"]) and random.random() < 0.6:
                record["amount"] = naive_check.due_of_line(tariff, records, record, kind, item)
    return records, balances


def a_case(seed: int, size: int = 25) -> tuple[dict[str, Any], list[dict[str, Any]], dict[str, int]]:
    random = Random(seed)
    tariff = a_tariff(random)
    records, balances = a_statement(random, tariff, random.randint(1, 2 * size))
    return tariff, records, balances
