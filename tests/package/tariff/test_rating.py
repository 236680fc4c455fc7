"""The rating engine where columns, 64 bits, clocks and statements meet their ends."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import naive
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from records import table

from billproof.errors import InputError
from billproof.tariff import load_tariff
from billproof.tariff.formula import MODES, divide, formula_of
from billproof.tariff.places import Prefixes
from billproof.tariff.rating import Rater, RatingError
from billproof.tariff.result import NO_RATE, NO_USAGE, OUTSIDE
from billproof.tariff.vectors import BeyondError, Formulas

NONE = "0x" + "0" * 64
OCTOBER = 1_790_812_800  # 2026-10-01 00:00 UTC

PLAN = """
schema = "billproof/tariff/1"
name = "Plan"
version = "1"
currency = "EUR"
valid = { from = "2026-10-01", until = "2026-11-01" }
rounding = { mode = "half-up", decimals = 4, at = "call" }
[holidays]
ie = ["2026-10-26"]
[calendars.c]
day = [{ days = "mon-fri", from = "08:00", until = "20:00" }]
night = "rest"
holidays = { list = "ie", as = "sun" }
[[rates]]
name = "day"
services = ["voice-originated"]
zones = ["home", "elsewhere"]
calendar = "c"
bands = ["day"]
price = "0.60"
unit = "60 s"
increment = "1 s"
[[rates]]
name = "night"
services = ["voice-originated"]
zones = ["home", "elsewhere"]
calendar = "c"
bands = ["night"]
price = "0.06"
unit = "60 s"
increment = "1 s"
"""
FREE = """
[[allowances]]
name = "free"
services = ["voice-originated"]
amount = "100 s"
"""


def record(**changes: Any) -> dict[str, Any]:
    plain = {"service": 1, "startedAt": OCTOBER, "utcOffset": 0, "usage": 60, "billedUsage": 60, "number": ""}
    return {**plain, "network": "", "amount": 0, "rate": "", "corrects": NONE, **changes}


def rater(text: str) -> Rater:
    return Rater(load_tariff(text.encode()))


def names(text: str, records: list[dict[str, Any]]) -> list[str]:
    engine = rater(text)
    words = {NO_RATE: "no rate", OUTSIDE: "outside", NO_USAGE: "no usage"}
    rates = engine.rate(table(records)).rate.tolist()
    return [words.get(rate) or engine.tariff.rates[rate].name for rate in rates]


def at(moment: str, zone: str = "Europe/Dublin") -> dict[str, Any]:
    """A record that begins at this local time."""
    local = datetime.fromisoformat(moment).replace(tzinfo=ZoneInfo(zone))
    offset = local.utcoffset()
    assert offset is not None
    return record(startedAt=int(local.timestamp()), utcOffset=int(offset.total_seconds()) // 60)


@pytest.mark.parametrize(
    ("moment", "zone", "name"),
    [
        ("2026-10-01T07:59:59", "Europe/Dublin", "night"),
        ("2026-10-01T08:00:00", "Europe/Dublin", "day"),
        ("2026-10-01T19:59:59", "Europe/Dublin", "day"),
        ("2026-10-01T20:00:00", "Europe/Dublin", "night"),
        ("2026-10-23T12:00:00", "Europe/Dublin", "day"),  # a Friday
        ("2026-10-24T00:00:00", "Europe/Dublin", "night"),
        ("2026-10-26T12:00:00", "Europe/Dublin", "night"),  # a holiday
        ("2026-10-27T07:59:59", "Europe/Dublin", "night"),
        ("2026-10-27T08:00:00", "Europe/Dublin", "day"),
        ("2026-10-25T23:59:59", "Europe/Dublin", "night"),
        ("2026-10-25T01:30:00", "Europe/Dublin", "night"),  # the clock goes back at 2
        ("2026-10-26T08:00:00", "America/New_York", "night"),  # the holiday there
        ("2026-10-27T08:00:00", "Asia/Kathmandu", "day"),
        ("2026-10-27T07:59:59", "Asia/Kathmandu", "night"),
        ("2026-10-01T00:00:00", "Pacific/Kiritimati", "night"),
        ("2026-09-30T23:59:59", "Pacific/Kiritimati", "outside"),
        ("2026-10-31T23:59:59", "Pacific/Pago_Pago", "night"),
        ("2026-11-01T00:00:00", "Pacific/Pago_Pago", "outside"),
    ],
)
def test_time_is_local_time_at_the_start(moment: str, zone: str, name: str) -> None:
    assert names(PLAN, [at(moment, zone)]) == [name]


def test_the_hour_that_is_there_twice_is_told_by_its_offset() -> None:
    before, after = (
        record(startedAt=1_792_886_400, utcOffset=60),
        record(startedAt=1_792_890_000, utcOffset=0),
    )
    assert {
        datetime.fromtimestamp(r["startedAt"] + 60 * r["utcOffset"], UTC).hour for r in (before, after)
    } == {1}
    assert names(PLAN, [before, after]) == ["night", "night"]


def test_empty_inputs() -> None:
    engine = rater(PLAN + FREE)
    assert len(engine.rate(table([])).rate) == 0
    assert engine.rate(table([]), np.zeros(0, np.int64)).left.shape == (0, 1)
    only_fees = PLAN[: PLAN.index("[[rates]]")] + (
        '[[fees]]\nname = "f"\namount = "1"\nservice = "one-off"\ntimes = "any"\n'
    )
    assert names(only_fees, [record(), record(service=33)]) == ["no rate", "no usage"]


def test_what_is_no_usage_or_corrects_is_passed_over() -> None:
    correcting = record(corrects="0x" + "1" * 64)
    assert names(PLAN, [record(service=35), correcting, record(service=9), record(service=6)]) == [
        "no usage",
        "no usage",
        "no rate",
        "no rate",
    ]


def test_times_beyond_all_calendars_are_outside() -> None:
    far = [record(startedAt=(1 << 63) - 1, utcOffset=840), record(startedAt=0, utcOffset=-840)]
    assert names(PLAN, far) == ["outside", "outside"]


def test_usage_near_64_bits_is_rated_exactly() -> None:
    usages = [1 << 40, 1 << 52, (1 << 57) - 1, 10**18]
    engine = rater(PLAN.replace('"0.06"', '"0.000000000007"'))
    rated = engine.rate(table([record(usage=usage) for usage in usages]))
    tariff = naive_plan('"0.06"', '"0.000000000007"')
    for usage, billed, charge in zip(usages, rated.billed.tolist(), rated.charge.tolist(), strict=True):
        assert (billed, charge) == naive_charge(tariff, usage)


def naive_plan(what: str, instead: str) -> dict[str, Any]:
    import tomllib

    return tomllib.loads(PLAN.replace(what, instead))


def naive_charge(tariff: dict[str, Any], usage: int) -> tuple[int, int]:
    ((rated,), _) = naive.rate_statement(tariff, [{**record(usage=usage), "index": 0}])
    return rated.billed, rated.due


@pytest.mark.parametrize("usage", [1 << 62, (1 << 63) - 1])
def test_a_charge_beyond_64_bits_is_refused_with_its_place_and_not_wrapped(usage: int) -> None:
    records = [record(), record(), record(), record(usage=usage)]
    with pytest.raises(RatingError, match="of record 2 does not fit 64 bits") as caught:
        rater(PLAN).rate(table(records), np.array([0, 2]))
    assert (caught.value.statement, caught.value.record) == (1, 1)


def test_billed_usage_beyond_64_bits_is_refused_and_not_wrapped() -> None:
    with pytest.raises(InputError, match="does not fit 64 bits"):
        rater(PLAN.replace('"0.06"', '"0"').replace('"1 s"', '"8 s"')).rate(
            table([record(usage=(1 << 63) - 1)])
        )


def test_allowances_and_tiers_of_sums_beyond_64_bits() -> None:
    text = PLAN.replace('"0.06"', '"0"').replace('"0.60"', '"0"') + FREE
    records = [record(usage=1 << 61) for _ in range(9)]
    rated = rater(text).rate(table(records))
    assert rated.free.tolist() == [100] + [0] * 8
    assert rated.left.tolist() == [[0]]


usages = st.one_of(st.integers(0, 4_000), st.integers(0, 1 << 56))


@settings(max_examples=300, deadline=None)
@given(
    price=st.integers(0, 10**13),
    unit=st.integers(1, 10**10),
    increment=st.integers(1, 10**7),
    first=st.integers(1, 10**7),
    connection=st.integers(0, 10**13),
    exchange=st.sampled_from(["1", "1.2345", "0.000000001", "31.5"]),
    mode=st.sampled_from(MODES),
    decimals=st.integers(0, 9),
    where=st.sampled_from(["call", "increment"]),
    usage=st.lists(usages, min_size=1, max_size=20),
    data=st.data(),
)
def test_columns_give_what_exact_integers_give(
    price: int,
    unit: int,
    increment: int,
    first: int,
    connection: int,
    exchange: str,
    mode: str,
    decimals: int,
    where: str,
    usage: list[int],
    data: st.DataObject,
) -> None:
    def decimal(value: int) -> str:
        return f"{value // 10**12}.{value % 10**12:012d}"

    text = f"""
schema = "billproof/tariff/1"
name = "Plan"
version = "1"
currency = "EUR"
valid = {{ from = "2026-10-01" }}
rounding = {{ mode = "{mode}", decimals = {decimals}, at = "{where}" }}
exchange = {{ currency = "XDR", rate = "{exchange}" }}
[[rates]]
name = "r"
services = ["data"]
connection = "{decimal(connection)}"
price = "{decimal(price)}"
unit = "{unit} B"
increment = "{increment} B"
first = "{first} B"
"""
    tariff = load_tariff(text.encode())
    formula = formula_of(tariff, tariff.rates[0])
    columns, form = Formulas([formula]), np.zeros(len(usage), np.int32)
    given_usage = np.array(usage, np.int64)
    parts = [formula.parts(each) for each in usage]
    billed = columns.billed(form, given_usage)
    assert billed.tolist() == [sum(each) for each in parts]
    free = np.array([data.draw(st.integers(0, sum(each))) for each in parts], np.int64)
    waived = np.array([data.draw(st.booleans()) for _ in usage])
    exact = [
        formula.charge(each, int(taken), formula.connections(sum(each), bool(fee)))
        for each, taken, fee in zip(parts, free, waived, strict=True)
    ]
    if max(exact) >= 1 << 63:
        with pytest.raises(BeyondError):
            columns.charge(form, given_usage, billed, free, waived)
    else:
        assert columns.charge(form, given_usage, billed, free, waived).tolist() == exact


@given(st.integers(-(10**30), 10**30), st.integers(1, 10**20), st.sampled_from(MODES))
def test_division_rounds_as_the_naive_rater_does(numerator: int, divisor: int, mode: str) -> None:
    from fractions import Fraction

    assert divide(numerator, divisor, mode) == naive.rounded(Fraction(numerator, divisor), mode, 0)


@given(
    st.dictionaries(st.text("+012#", min_size=1, max_size=5), st.sampled_from("abc"), max_size=12),
    st.lists(st.text("+012#9é", max_size=7), min_size=1, max_size=30),
    st.integers(0, 3),
)
def test_longest_prefix(prefixes: dict[str, str], numbers: list[str], skipped: int) -> None:
    prefixes = {naive.with_plus(prefix): name for prefix, name in prefixes.items()}
    destinations = {name: tuple(p for p, owner in prefixes.items() if owner == name) for name in "abc"}
    found = Prefixes(destinations).of(pa.array(numbers).slice(skipped)).tolist()
    expected = []
    for number in numbers[skipped:]:
        fitting = [prefix for prefix in prefixes if naive.with_plus(number).startswith(prefix)]
        expected.append("abc".index(prefixes[max(fitting, key=len)]) if fitting else 3)
    assert found == expected
    zeros = {
        name: tuple(re.sub(r"^\+", "00", prefix) for prefix in of) for name, of in destinations.items()
    }  # however they are written
    assert Prefixes(zeros).of(pa.array(numbers).slice(skipped)).tolist() == expected
    assert Prefixes(destinations).of(pa.array(numbers, pa.large_string()).slice(skipped)).tolist() == expected


def test_statements_are_rated_apart_in_whatever_order_their_records_stand() -> None:
    one = [record(startedAt=OCTOBER + second, usage=60) for second in (300, 100, 200)]
    engine = rater(PLAN + FREE)
    both = engine.rate(table([*one, *one]), np.array([0, 3]))
    assert both.free.tolist() == [0, 60, 40] * 2
    assert both.left.tolist() == [[0], [0]]
    assert engine.rate(table(one)).free.tolist() == [0, 60, 40]


def test_ties_of_time_are_in_order_of_index() -> None:
    assert rater(PLAN + FREE).rate(table([record(usage=80), record(usage=80)])).free.tolist() == [80, 20]


def test_balances_of_one_statement_are_not_anothers() -> None:
    records = table([record(usage=500), record(usage=500)])
    rated = rater(PLAN + FREE).rate(records, np.array([0, 1]), balances={(1, 0): 250})
    assert rated.free.tolist() == [100, 350]
    with pytest.raises(InputError, match="cannot be"):
        rater(PLAN + FREE).rate(records, np.array([0, 1]), balances={(1, 0): -1})


@pytest.mark.parametrize("coded", [False, True])
def test_tables_in_pieces_and_codes_and_slices_give_the_same(coded: bool) -> None:
    records = [record(number=f"+{n}", network=("", "272-01")[n % 2], usage=n) for n in range(60)]
    records[7]["corrects"] = "0x" + "1" * 64
    whole = table(records)
    engine = rater(PLAN)
    expected = engine.rate(whole)
    pieces = pa.concat_tables([whole.slice(0, 13), whole.slice(13, 30), whole.slice(43)])
    if coded:
        pieces = pa.table(
            {
                name: pieces[name].dictionary_encode()
                if name in ("number", "network", "corrects")
                else pieces[name]
                for name in pieces.column_names
            }
        )
    assert engine.rate(pieces).charge.tolist() == expected.charge.tolist()
    assert engine.rate(pieces.slice(5, 40)).rate.tolist() == expected.rate.tolist()[5:45]


def test_many_records_cross_blocks() -> None:
    many = [record(startedAt=OCTOBER + 7 * n, usage=n % 130) for n in range(300)]
    engine = rater(PLAN + FREE)
    single = engine.rate(table(many))
    copies = pa.concat_tables([table(many)] * 150)
    together = engine.rate(copies, np.arange(150) * 300)
    assert together.charge.tolist() == single.charge.tolist() * 150
    assert together.free.tolist() == single.free.tolist() * 150
