"""Every field of a record: how it is read, and every way in which it is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from billproof.errors import InputError
from billproof.intake.rows import CUT, MAX_ROW, RAW_KEPT

Run = Callable[..., Any]


def change(plain: str, section: str, body: str) -> str:
    """``plain`` with one section's body replaced, or added."""
    parts = plain.split(f"[{section}]\n")
    rest = parts[1][parts[1].index("[") if "[" in parts[1] else len(parts[1]) :] if len(parts) > 1 else ""
    return f"{parts[0]}{rest}\n[{section}]\n{body}\n"


def row(**texts: str) -> str:
    """A good row with some fields changed."""
    base = {
        "acc": "A1",
        "kind": "call",
        "at": "2026-11-05T10:00:00",
        "use": "60",
        "who": "+353861234567",
        "price": "0.25",
    }
    return ",".join({**base, **texts}.values()) + "\n"


@pytest.mark.parametrize("size", [RAW_KEPT - 100, 5000, MAX_ROW + 10])
def test_rejects_hold_the_beginning_of_long_rows(run: Run, good: tuple[str, str], size: int) -> None:
    text = row(price="ü" * size)
    found = run(good[0] + text)
    assert len(found.rejects) == 1
    wanted = text.rstrip("\n")
    assert found.rejects[0]["raw"] == (wanted if size < RAW_KEPT else wanted[:RAW_KEPT] + CUT)


def test_a_good_row(run: Run, good: tuple[str, str]) -> None:
    (record,) = run("".join(good)).records
    assert record == {
        "account": "A1",
        "service": 1,
        "started_at": 1793872800,
        "utc_offset": 0,
        "usage": 60,
        "billed_usage": 60,
        "number": "+353861234567",
        "network": "",
        "amount": 250_000_000,
        "currency": "EUR",
        "rate": "",
        "corrects": bytes(32),
        "source": "calls.csv",
        "line": 2,
    }


@pytest.mark.parametrize(
    ("texts", "field", "reason"),
    [
        ({"acc": ""}, "account", "is empty (column 'acc')"),
        ({"acc": "x" * 257}, "account", "has more than 256 characters"),
        ({"acc": "a\x1fb"}, "account", "holds a control character"),
        ({"acc": "a\u0085b"}, "account", "holds a control character"),
        ({"kind": "fax"}, "service", "is not in the mapping's table of values"),
        ({"at": "yesterday"}, "time", "is not a time in the format of the mapping"),
        ({"use": ""}, "usage", "is empty (column 'use')"),
        ({"use": "-1"}, "usage", "is negative"),
        ({"use": "1.5"}, "usage", "is no whole number in the record's unit"),
        ({"use": "1e3"}, "usage", "is not a decimal number"),
        ({"use": "9223372036854775808"}, "usage", "is too large"),
        ({"use": "99999999999999999999999"}, "usage", "is too large"),
        ({"who": "7" * 129}, "number", "has more than 128 characters"),
        ({"who": "1\t2"}, "number", "holds a control character"),
        ({"price": ""}, "amount", "is empty (column 'price')"),
        ({"price": "0,25"}, "row", "7 columns instead of 6"),
        ({"price": "free"}, "amount", "is not a decimal number"),
        ({"price": "٣"}, "amount", "is not a decimal number"),
        ({"price": "0.1234567891"}, "amount", "has more than nine decimals"),
        ({"price": "9223372036.854775808"}, "amount", "does not fit 64 bits of billionths of the unit"),
        ({"price": "1E2"}, "amount", "is not a decimal number"),
        ({"price": "NaN"}, "amount", "is not a decimal number"),
    ],
)
def test_refused(run: Run, good: tuple[str, str], texts: dict[str, str], field: str, reason: str) -> None:
    bad = row(**texts)
    result = run(good[0] + good[1] + bad + good[1])
    assert result.reasons == [(3, field, reason)]
    assert [record["line"] for record in result.records] == [2, 4]
    assert result.rejects[0]["raw"] == bad.removesuffix("\n")


def test_a_reject_can_be_corrected_and_fed_in_again(run: Run, good: tuple[str, str]) -> None:
    first = run(good[0] + row(price="0.2S"))
    again = run(good[0] + first.rejects[0]["raw"].replace("S", "5") + "\n")
    assert again.column("amount") == [250_000_000]


def test_account_by_direction(run: Run, good: tuple[str, str], plain: str) -> None:
    body = 'cases = [{ when = { kind = ["sms", "data"] }, column = "who" }, { column = "acc" }]'
    result = run(good[0] + row() + row(kind="sms"), change(plain, "account", body))
    assert result.column("account") == ["A1", "+353861234567"]


def test_constant_and_normalised_accounts(run: Run, good: tuple[str, str], plain: str) -> None:
    assert run(good[0] + row(acc=""), change(plain, "account", 'value = "one"')).column("account") == ["one"]
    assert run(good[0] + row(acc="Zoe\u0301")).column("account") == ["Zo\u00e9"]


def test_service_by_several_columns(run: Run, good: tuple[str, str], plain: str) -> None:
    body = """cases = [
      { when = { kind = "call", who = { matches = "\\\\+353.*" } }, value = "voice_terminated" },
      { when = { kind = "call", acc = { not = ["A1", "A2"] } }, value = 3 },
      { when = { acc = "A1" }, column = "kind", values = { data = "data" }, otherwise = "mms" },
    ]"""
    content = (
        good[0]
        + row()
        + row(who="1", acc="A9")
        + row(kind="data")
        + row(kind="?")
        + row(acc="A5", kind="sms")
    )
    result = run(content, change(plain, "service", body))
    assert result.column("service") == [2, 3, 6, 7]
    assert result.reasons == [(6, "service", "no case of the mapping fits the row")]
    result = run(good[0] + row(), change(plain, "service", 'column = "kind"'))
    assert result.reasons == [(2, "service", "is not a service")]


@pytest.mark.parametrize(
    ("body", "text", "value"),
    [
        ('column = "use"\nunit = "MB"', "34.429", 34_429_000),
        ('column = "use"\nunit = "KiB"', "1.5", 1536),
        ('column = "use"\nunit = 128', "3", 384),
        ('column = "use"\nunit = "ms"\nround = "up"', "20600", 21),
        ('column = "use"\nunit = "ms"\nround = "half-even"', "20500", 20),
        ('column = "use"\nunit = "min"', "1.5", 90),
        ('column = "use"\nunit = "h:m:s"', "1:02:03", 3723),
        ('column = "use"\nunit = "h:m:s"', "62:03", 3723),
        ('column = "use"\nunit = "h:m:s"', "1:62:03", None),
        ('column = "use"\nunit = "h:m:s"', "1:02:60", None),
        ('column = "use"\nunit = "h:m:s"', "62", None),
        ('column = "use"\nempty = "0"', "", 0),
        ('column = "use"', "-0", 0),
        ('column = ["use", "price"]\nround = "down"', "59.9", 59),
        ('value = "1"', "x", 1),
        ("value = 7", "x", 7),
        ('end = "use"', "2026-11-05T10:01:05", 65),
        ('end = "use"', "2026-11-05T09:59:59", None),
        ('end = "use"', "", None),
    ],
)
def test_usage(run: Run, good: tuple[str, str], plain: str, body: str, text: str, value: int | None) -> None:
    result = run(good[0] + row(use=text), change(plain, "usage", body))
    assert result.column("usage") == ([] if value is None else [value])
    assert {row["field"] for row in result.rejects} == (set() if value is not None else {"usage"})


def test_billed_usage_by_service(run: Run, good: tuple[str, str], plain: str) -> None:
    body = """cases = [
      { when = { kind = "sms" }, value = "1" },
      { when = { kind = "data" }, column = "use", unit = "kB" },
      { column = "use", unit = "min", round = "up" },
    ]"""
    content = good[0] + row(use="2") + row(use="3", kind="sms") + row(use="4", kind="data")
    result = run(content, change(plain, "billed_usage", body))
    assert result.column("billed_usage") == [120, 1, 4000]
    assert result.column("usage") == [2, 3, 4]


@pytest.mark.parametrize(
    ("body", "text", "number"),
    [
        ('column = "who"', "Zoe\u0301 (voicemail)", "Zo\u00e9 (voicemail)"),
        ('column = "who"', "", ""),
        ('column = "who"\nregion = "IE"', "086 123 4567", "+353861234567"),
        ('column = "who"\nregion = "IE"', "00353861234567", "+353861234567"),
        ('column = "who"\nregion = "IE"', "+44 20 7031 3000", "+442070313000"),
        ('column = "who"\nregion = "IE"', "+353861234567", "+353861234567"),
        ('column = "who"\nregion = "IE"', "50123", "50123"),
        ('column = "who"\nregion = "IE"', "Vodafone", "Vodafone"),
        ('column = "who"\nregion = "IE"', "5049@192.168.1.243", "5049@192.168.1.243"),
        ('column = "who"\nregion = "IE"', "", ""),
        ('column = "who"\ninternational = true', "353861234567", "+353861234567"),
        ('column = "who"\ninternational = true', "12", "12"),
        ('column = "who"\nipv4 = true', "-1062731277", "192.168.1.243"),
        ('column = "who"\nipv4 = true', "405072652", "24.36.235.12"),
        ('column = "who"\nvalues = { x = "+1" }\notherwise = "none"', "y", "none"),
        ('value = ""', "y", ""),
    ],
)
def test_numbers(run: Run, good: tuple[str, str], plain: str, body: str, text: str, number: str) -> None:
    result = run(good[0] + row(who=text) + row(who="+15551234567"), change(plain, "number", body))
    assert result.column("number")[:1] == [number]


def test_no_address(run: Run, good: tuple[str, str], plain: str) -> None:
    content = good[0] + row(who="4294967296") + row(who="a") + row(who="--1") + row(who="²")
    result = run(content, change(plain, "number", 'column = "who"\nipv4 = true'))
    assert [line for line, field, _ in result.reasons if field == "number"] == [2, 3, 4, 5]


@pytest.mark.parametrize(
    ("text", "fine"), [("272-01", 1), ("310-410", 1), ("", 1), ("27201", 0), ("272-1", 0), ("272-0123", 0)]
)
def test_networks(run: Run, good: tuple[str, str], plain: str, text: str, fine: int) -> None:
    result = run(good[0] + row(who=text), change(plain, "network", 'column = "who"'))
    assert (len(result.records), {row["field"] for row in result.rejects}) == (
        fine,
        set() if fine else {"network"},
    )
    result = run(good[0] + row(), change(plain, "network", f'value = "{text}"'))
    assert len(result.records) == fine


def test_amount_units_signs_and_marks(run: Run, good: tuple[str, str], plain: str) -> None:
    cents = change(plain, "amount", 'column = "price"\nunit = "cent"')
    assert run(good[0] + row(price="12.5"), cents).column("amount") == [125_000_000]
    negated = change(plain, "amount", 'column = "price"\nnegate = true')
    assert run(good[0] + row(price="12.5") + row(price="-1"), negated).column("amount") == [
        -12_500_000_000,
        10**9,
    ]
    nano = change(plain, "amount", 'column = "price"\nunit = "nano"')
    assert run(good[0] + row(price="1.5"), nano).reasons == [
        (2, "amount", "is finer than a billionth of the currency unit")
    ]
    comma = '[file]\ndecimal = ","\nthousands = "."\ndelimiter = ";"\n' + plain
    content = (good[0] + row(price="#")).replace(",", ";").replace("#", "-1.234,5")
    assert run(content, comma).column("amount") == [-1_234_500_000_000]


def test_currency_rate_and_corrects(run: Run, good: tuple[str, str], plain: str) -> None:
    mapping = change(plain, "currency", 'column = "acc"')
    assert run(good[0] + row(acc="USD"), mapping).column("currency") == ["USD"]
    assert run(good[0] + row(acc="usd"), mapping).reasons == [(2, "currency", "is not three capital letters")]
    mapping = change(plain, "rate", 'template = "{kind} {{x}} {price}/min"')
    assert run(good[0] + row(), mapping).column("rate") == ["call {x} 0.25/min"]
    mapping = change(plain, "rate", 'template = "{acc}{acc}"')
    assert run(good[0] + row(acc="x" * 256), mapping).column("rate") == ["x" * 512]
    mapping = change(plain, "rate", 'template = "{acc}{acc}!"')
    assert run(good[0] + row(acc="x" * 256), mapping).reasons == [(2, "rate", "has more than 512 characters")]
    mapping = change(plain, "corrects", 'column = "who"')
    digest = "0x" + "aB" * 32
    result = run(good[0] + row(who=digest) + row(who="") + row(who="0xab"), mapping)
    assert result.column("corrects") == [bytes.fromhex("ab" * 32), bytes(32)]
    assert result.reasons == [(4, "corrects", "is not 0x and 64 hexadecimal digits")]


def test_skipped_rows_are_rejects(run: Run, good: tuple[str, str], plain: str) -> None:
    rule = '[[skip]]\nwhen = { kind = "sms", price = "0" }\nreason = "free of charge"\n'
    content = good[0] + row(kind="sms") + row(kind="sms", price="0", at="") + row(price="0")
    result = run(content, plain + rule)
    assert result.reasons == [(3, "row", "skipped by the mapping: free of charge")]
    assert len(result.records) == 2


@pytest.mark.parametrize(
    ("body", "times", "members"),
    [
        (
            "",
            ["2026-10-31T23:59:59", "2026-11-01T00:00:00", "2026-11-30T23:59:59", "2026-12-01T00:00:00"],
            [1, 2],
        ),
        ('from = "any"', ["2026-10-31T23:59:59", "1999-01-01"], [0, 1]),
        (
            "cycle_day = 15",
            ["2026-11-14T23:59:59", "2026-11-15T00:00:00", "2026-12-14T23:59:59", "2026-12-15"],
            [1, 2],
        ),
        (
            'cycle_day = 15\nnamed_by = "end"',
            ["2026-10-14", "2026-10-15", "2026-11-14T23:59:59", "2026-11-15"],
            [1, 2],
        ),
    ],
)
def test_periods(
    run: Run, good: tuple[str, str], plain: str, body: str, times: list[str], members: list[int]
) -> None:
    result = run(good[0] + "".join(row(at=time) for time in times), change(plain, "period", body))
    assert [line - 2 for line in result.column("line")] == members
    assert result.other_periods == len(times) - len(members)


def test_the_month_is_the_local_one(run: Run, good: tuple[str, str], plain: str) -> None:
    mapping = change(plain, "time", 'column = "at"\nzone = "Asia/Tokyo"\nclock = "utc"')
    result = run(good[0] + row(at="2026-10-31T15:00:00") + row(at="2026-11-30T15:00:00"), mapping)
    assert result.column("line") == [2]


def test_stated_periods(run: Run, good: tuple[str, str], plain: str) -> None:
    mapping = change(plain, "period", 'from = "column"\ncolumn = "acc"\nformat = "%m/%Y"')
    content = good[0] + "".join(row(acc=text) for text in ("11/2026", "10/2026", "13/2026", "2026/11", ""))
    result = run(content, mapping)
    assert (result.column("line"), result.other_periods) == ([2], 1)
    assert result.reasons == [(line, "period", "is not a billing month as %m/%Y") for line in (4, 5, 6)]


def test_bad_rows_of_other_periods_are_only_counted(run: Run, good: tuple[str, str]) -> None:
    result = run(good[0] + row(at="2026-10-05T10:00:00", price="x"))
    assert (result.rejects, result.other_periods) == ([], 1)


def test_headers(run: Run, good: tuple[str, str], plain: str) -> None:
    assert len(run("\ufeff" + good[0].replace(",", " , ") + good[1]).records) == 1
    assert run(good[0]).rows == 0
    with pytest.raises(InputError) as caught:
        run("acc,kind,at,use,number,price\n" + good[1])
    for part in ("calls.csv:1:who", "'who'", "acc, kind, at, use, number, price"):
        assert part in str(caught.value)
    with pytest.raises(InputError, match="PK\ufffd\ufffd"):
        run(b"PK\x03\x1b[2J\n")
    with pytest.raises(InputError, match="named twice"):
        run("acc,kind,at,use,who,price,who\n")
    with pytest.raises(InputError, match="header cannot be read"):
        run('acc,"kind\n')
    with pytest.raises(InputError, match="not valid text"):
        run(b"acc,\xff,kind\n")
    with pytest.raises(InputError, match="no header line"):
        run("\n\n")
    with pytest.raises(InputError, match="no header line"):
        run("one\n", "[file]\nskip_lines = 3\n" + plain)
    assert run("junk\n\n" + "".join(good), "[file]\nskip_lines = 2\n" + plain).column("line") == [4]
