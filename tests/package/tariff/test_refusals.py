"""Everything that section 9 of `docs/tariff.md` refuses, one by one: with its line, its key and a remedy."""

from __future__ import annotations

import json
import re
import time
import tomllib
from pathlib import Path

import pytest

from billproof.errors import InputError
from billproof.tariff import TariffError, load_tariff

SPECIFICATION = Path(__file__).resolve().parents[3] / "docs/tariff.md"

#: The numbers of its lines are part of the tests: from 1.
PLAN = """\
schema = "billproof/tariff/1"
name = "Plan"
version = "1"
currency = "EUR"
valid = { from = "2026-10-01", until = "2027-10-01" }
rounding = { mode = "half-up", decimals = 4, at = "call" }
home = ["272-01"]

[holidays]
ie = ["2026-10-26"]

[calendars.working]
peak = [{ days = "mon-fri", from = "08:00", until = "18:00" }]
off-peak = "rest"
holidays = { list = "ie", as = "sun" }

[destinations]
near = ["+44", "+33"]
far = ["+1"]

[zones]
eu = ["208", "DEUD2"]
us = ["310-410"]

[tadig]
DEUD2 = "262-02"

[[rates]]
name = "peak"
services = ["voice-originated"]
calendar = "working"
bands = ["peak"]
price = "0.10"
unit = "60 s"

[[rates]]
name = "off-peak"
services = ["voice-originated"]
calendar = "working"
bands = ["off-peak"]
intervals = [
  { from = "0 s", price = "0.10", unit = "60 s", increment = "60 s" },
  { from = "60 s", price = "0.05", unit = "60 s", increment = "1 s" },
]

[[rates]]
name = "data"
services = ["data"]
zones = ["home", "eu"]
price = "1.50"
unit = "1 GB"
increment = "10 kB"
minimum = "0.01"
maximum = "3.00"
tiers = [
  { above = "10 GB", price = "1.00" },
  { above = "20 GB", price = "0.50" },
]

[[allowances]]
name = "minutes"
services = ["voice-originated"]
amount = "100 min"
rollover = { cycles = 1, at-most = "100 min" }

[[fees]]
name = "monthly"
amount = "9.99"
service = "recurring"
times = "once"

[[discounts]]
name = "loyalty"
percent = "10"
of = ["recurring"]
times = "any"

[[taxes]]
name = "vat"
percent = "23"
"""

#: What is written instead of what → line, key, and what the message says.
CASES = {
    "key missing": ('version = "1"\n', "", 1, "", "version is missing"),
    "unknown key": ('version = "1"', 'version = "1"\nvintage = "1"', 4, "vintage", "is not a key"),
    "unknown key of a rate": ('unit = "1 GB"', 'units = "1 GB"', 51, "rates[3].units", "is not a key"),
    "number for text": ('version = "1"', "version = 1", 3, "version", "must be text"),
    "fraction for text": ('price = "1.50"', "price = 1.50", 50, "rates[3].price", "must be text"),
    "text for list": ('home = ["272-01"]', 'home = "272-01"', 7, "home", "must be a list"),
    "date without quotes": ('from = "2026-10-01"', "from = 2026-10-01", 5, "valid.from", "must be text"),
    "another schema": ("tariff/1", "tariff/2", 1, "schema", "is of the schema"),
    "currency": ('"EUR"', '"Euro"', 4, "currency", "'Euro' will not do"),
    "day": ('"2026-10-26"', '"2026-10-32"', 10, "holidays.ie[1]", "there is no day"),
    "mode": ('mode = "half-up"', 'mode = "half"', 6, "rounding.mode", "'half' is unknown"),
    "decimals": ("decimals = 4", "decimals = 10", 6, "rounding.decimals", "<= 9"),
    "rounding incomplete": ("decimals = 4, ", "", 6, "rounding", "decimals is missing"),
    "invoice without total": (
        'decimals = 4, at = "call"',
        'at = "invoice"',
        6,
        "rounding.at",
        "nothing says how",
    ),
    "invoice with decimals": ('at = "call"', 'at = "invoice"', 6, "rounding.decimals", "has no meaning"),
    "valid ends first": ('until = "2027-10-01"', 'until = "2026-10-01"', 5, "valid.until", "ends before"),
    "time of day": ('from = "08:00"', 'from = "8:00"', 13, "calendars.working.peak[1].from", "will not do"),
    "span backwards": (
        'from = "08:00"',
        'from = "18:00"',
        13,
        "calendars.working.peak[1].until",
        "is not after",
    ),
    "days": ('days = "mon-fri"', 'days = "mo-fr"', 13, "calendars.working.peak[1].days", "will not do"),
    "bands overlap": (
        'off-peak = "rest"',
        'off-peak = [{ days = "wed" }]',
        14,
        "calendars.working.off-peak[1]",
        "an overlap: wed 08:00 is 'peak' and 'off-peak'",
    ),
    "bands leave a gap": (
        'off-peak = "rest"',
        'off-peak = [{ days = "sat,sun" }]',
        12,
        "calendars.working",
        "a gap: mon 00:00 is in no band",
    ),
    "day twice in a band": (
        '"mon-fri"',
        '"mon-fri,wed"',
        13,
        "calendars.working.peak[1]",
        "an overlap: wed 08:00",
    ),
    "two rests": (
        'off-peak = "rest"',
        'off-peak = "rest"\nnight = "rest"',
        15,
        "calendars.working.night",
        "an overlap",
    ),
    "band is a word": (
        'off-peak = "rest"',
        'off-peak = "reste"',
        14,
        "calendars.working.off-peak",
        "is unknown",
    ),
    "holiday list": ('list = "ie"', 'list = "uk"', 15, "calendars.working.holidays.list", "'uk' is unknown"),
    "holiday as": ('as = "sun"', 'as = "son"', 15, "calendars.working.holidays.as", "'son' is unknown"),
    "prefix twice": (
        'far = ["+1"]',
        'far = ["+1", "+44"]',
        19,
        "destinations.far[2]",
        "'+44' is in 'near' too",
    ),
    "prefix with blank": ('far = ["+1"]', 'far = ["+1 2"]', 19, "destinations.far[1]", "will not do"),
    "destination's name taken": ("far = [", "elsewhere = [", 19, "destinations.elsewhere", "is taken"),
    "zone's name taken": ("us = [", "home = [", 23, "zones.home", "is taken"),
    "network in two zones": ('us = ["310-410"]', 'us = ["26202"]', 23, "zones.us[1]", "is in eu too"),
    "network at home": ('us = ["310-410"]', 'us = ["272-01"]', 23, "zones.us[1]", "is in home too"),
    "network": ('us = ["310-410"]', 'us = ["31-410"]', 23, "zones.us[1]", "will not do"),
    "tadig": ('us = ["310-410"]', 'us = ["USAAT"]', 23, "zones.us[1]", "TADIG code 'USAAT' is unknown"),
    "calendar": ('calendar = "working"', 'calendar = "work"', 31, "rates[1].calendar", "'work' is unknown"),
    "bands without calendar": ('calendar = "working"\n', "", 31, "rates[1].bands", "needs a calendar"),
    "band": ('bands = ["peak"]', 'bands = ["peek"]', 32, "rates[1].bands[1]", "the band 'peek' is unknown"),
    "destination": (
        'zones = ["home", "eu"]',
        'destinations = ["mars"]',
        49,
        "rates[3].destinations[1]",
        "'mars' is unknown",
    ),
    "zone": ('"home", "eu"]', '"home", "uk"]', 49, "rates[3].zones[2]", "the zone 'uk' is unknown"),
    "service": (
        'services = ["data"]',
        'services = ["date"]',
        48,
        "rates[3].services[1]",
        "'date' is unknown",
    ),
    "service without usage": (
        'services = ["data"]',
        'services = ["tax"]',
        48,
        "rates[3].services[1]",
        "is unknown",
    ),
    "two kinds": (
        'services = ["data"]',
        'services = ["data", "mms"]',
        48,
        "rates[3].services[2]",
        "counts in",
    ),
    "no band left": (
        'bands = ["peak"]\n',
        "",
        35,
        "rates[2]",
        "an overlap: 'peak' and 'off-peak' both apply",
    ),
    "rates overlap": (
        'bands = ["off-peak"]',
        'bands = ["peak", "off-peak"]',
        36,
        "rates[2]",
        "both apply to voice-originated at home to near on mon at 08:00",
    ),
    "rates leave a gap": (
        'bands = ["off-peak"]',
        'bands = ["off-peak"]\ndestinations = ["near"]',
        28,
        "rates[1]",
        "a gap: no rate applies to voice-originated at home to near on mon at 08:00",
    ),
    "intervals begin late": (
        '{ from = "0 s"',
        '{ from = "1 s"',
        42,
        "rates[2].intervals[1].from",
        "does not begin at 0",
    ),
    "intervals do not rise": (
        '{ from = "60 s"',
        '{ from = "0 s"',
        43,
        "rates[2].intervals[2].from",
        "does not rise",
    ),
    "interval no multiple": (
        '{ from = "60 s"',
        '{ from = "90 s"',
        43,
        "rates[2].intervals[2].from",
        "no multiple of its increment",
    ),
    "price beside intervals": (
        "intervals = [",
        'first = "6 s"\nintervals = [',
        41,
        "rates[2].first",
        "beside",
    ),
    "price without unit": ('unit = "60 s"\n', "", 28, "rates[1]", "unit is missing"),
    "increment of 0": ('"10 kB"', '"0 B"', 52, "rates[3].increment", "is 0"),
    "unit of 0": ('unit = "60 s"', 'unit = "0 s"', 34, "rates[1].unit", "is 0"),
    "first of 0": ('unit = "60 s"', 'unit = "60 s"\nfirst = "0 s"', 35, "rates[1].first", "is 0"),
    "unit of another kind": ('unit = "60 s"', 'unit = "60 B"', 34, "rates[1].unit", "is not in seconds"),
    "unit unknown": ('unit = "60 s"', 'unit = "60 sec"', 34, "rates[1].unit", "will not do"),
    "unit too large": ('"10 kB"', '"9999999999999 GB"', 52, "rates[3].increment", "is too large"),
    "negative price": ('price = "1.50"', 'price = "-1.50"', 50, "rates[3].price", "'-1.50' will not do"),
    "thirteen decimals": ('"1.50"', '"1.0000000000001"', 50, "rates[3].price", "will not do"),
    "minimum above maximum": (
        'minimum = "0.01"',
        'minimum = "3.01"',
        53,
        "rates[3].minimum",
        "is above maximum",
    ),
    "tiers do not rise": (
        'above = "20 GB"',
        'above = "10 GB"',
        57,
        "rates[3].tiers[2].above",
        "does not rise",
    ),
    "tiers of intervals": (
        'services = ["voice-originated"]\ncalendar = "working"\nbands = ["off-peak"]',
        'services = ["voice-originated"]\ncalendar = "working"\nbands = ["off-peak"]\n'
        'tiers = [{ above = "1 s", price = "1" }]',
        41,
        "rates[2].tiers",
        "one interval",
    ),
    "two rates of one name": ('name = "data"', 'name = "peak"', 47, "rates[3].name", "is there twice"),
    "allowance of 0": ('amount = "100 min"', 'amount = "0 min"', 63, "allowances[1].amount", "is 0"),
    "allowance not shared": (
        'amount = "100 min"',
        'amount = "100 min"\nshared = false',
        64,
        "allowances[1].shared",
        "only true",
    ),
    "rollover": ("cycles = 1", "cycles = 0", 64, "allowances[1].rollover.cycles", ">= 1"),
    "fee's service": ('service = "recurring"', 'service = "tax"', 69, "fees[1].service", "'tax' is unknown"),
    "fee and discount": (
        'name = "loyalty"',
        'name = "monthly"',
        73,
        "discounts[1].name",
        "among the fees too",
    ),
    "discount of all": ('of = ["recurring"]', 'of = ["discount"]', 75, "discounts[1].of", "a cycle"),
    "discount of itself": (
        'of = ["recurring"]',
        'of = ["discount"]\nrates = ["loyalty"]',
        76,
        "discounts[1].rates[1]",
        "a cycle",
    ),
    "tax of taxes": (
        'percent = "23"',
        'percent = "23"\nof = ["data", "tax"]',
        81,
        "taxes[1].of[2]",
        "a tax of",
    ),
    "negative percent": ('percent = "23"', 'percent = "-23"', 80, "taxes[1].percent", "will not do"),
    "name that cannot be printed": ('name = "vat"', 'name = "v\\u0007at"', 79, "taxes[1].name", "is no name"),
    "long name": ('name = "vat"', f'name = "{"v" * 65}"', 79, "taxes[1].name", "<= 64"),
    "exchange of 0": (
        "[holidays]",
        '[exchange]\ncurrency = "XDR"\nrate = "0.00"\n[holidays]',
        11,
        "exchange.rate",
        "is 0",
    ),
    "exchange into itself": (
        "[holidays]",
        '[exchange]\ncurrency = "EUR"\nrate = "1"\n[holidays]',
        10,
        "exchange.currency",
        "is the statements' currency too",
    ),
}


def refusal(content: str | bytes) -> TariffError:
    with pytest.raises(TariffError) as caught:
        load_tariff(content.encode() if isinstance(content, str) else content, name="plan.toml")
    return caught.value


def test_plan_that_the_cases_spoil_is_sound() -> None:
    assert [rate.name for rate in load_tariff(PLAN.encode()).rates] == ["peak", "off-peak", "data"]


@pytest.mark.parametrize("case", CASES)
def test_refuses_with_line_key_and_remedy(case: str) -> None:
    what, instead, line, key, message = CASES[case]
    assert what in PLAN
    error = refusal(PLAN.replace(what, instead, 1))
    assert (error.file, error.line, error.field or "") == ("plan.toml", line, key)
    assert message in error.message
    assert error.advice


@pytest.mark.parametrize("case", sorted(CASES.keys() - {"date without quotes"}))
def test_refuses_the_same_in_json_with_the_line_there(case: str) -> None:
    what, instead, _, key, message = CASES[case]
    spoilt = PLAN.replace(what, instead, 1)
    text = json.dumps(tomllib.loads(spoilt), indent=1, default=str)
    error = refusal(text)
    assert message in error.message
    if key:
        line = text.split("\n")[(error.line or 1) - 1]
        last = re.findall(r"[a-z0-9-]+", key)[-1] if not key.endswith("]") else ""
        assert last in line or key.startswith("rates")


def test_refuses_neither_rates_nor_fees() -> None:
    assert "neither rates nor fees" in refusal(PLAN[: PLAN.index("[[rates]]")]).message


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        (b"", 1, "does not say its schema"),
        (b"[]", 1, "is not TOML"),
        (b"{", 1, "is not JSON"),
        (b'{"a": 1,\n "b" 2}', 2, "is not JSON"),
        (b'{"schema": "x",\n "schema": "y"}', 2, "'schema' is there twice"),
        (b"a = 1\nb = = 2\n", 2, "is not TOML"),
        (b"a = 1\na = 2\n", 2, "is not TOML"),
        (b'a = """\n', 2, "is not TOML"),
        (b"a = 1\nb = '\xff'", 2, "is not UTF-8"),
        (b"\xef\xbb\xbfa = 1", 1, "byte order mark"),
        (b'{"a": ' + b"[" * 5000 + b"]" * 5000 + b"}", None, "nested too deeply"),
        (b"a = " + b"[" * 5000 + b"]" * 5000, None, "nested too deeply"),
        (b"a = 1\nb" + b".b" * 5000 + b" = 1", None, "nested too deeply"),
        (b"[a . " + b'"b".' * 16 + b"c]", None, "nested too deeply"),
        (b"a = '" + b"a." * 40 + b"' # " + b"b." * 40, 1, "does not say its schema"),
        (
            b"{" + b",".join(b'"k%d": 1' % n for n in range(40_000)) + b', "z": 1, "z": 2}',
            1,
            "'z' is there twice",
        ),
        (b'{"schema": "billproof/tariff/1", "a": NaN}', None, "NaN is no number"),
        (b'{"schema": "billproof/tariff/1",\n "home": null}', 2, "is null"),
        (b"a = " + b"9" * 5000, None, "number too long"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_refuses_what_cannot_be_read(content: bytes, line: int | None, message: str) -> None:
    error = refusal(content)
    assert message in error.message
    assert line is None or error.line == line


def test_refuses_what_is_too_large() -> None:
    many = "".join(f'z{n} = ["{n}"]\n' for n in range(100, 1000))
    far = "".join(f'd{n} = ["+9{n}"]\n' for n in range(30_000))
    plan = (
        PLAN.replace("[zones]\neu", f"[zones]\n{many}eu")
        .replace('"208", ', "")
        .replace("[zones]", far + "[zones]")
    )
    assert "more than can be rated" in refusal(plan).message
    calendars = "".join(f'[calendars.c{n}]\na = "rest"\n' for n in range(64))
    assert (
        "more than 64 calendars"
        in refusal(PLAN.replace("[destinations]", calendars + "[destinations]")).message
    )
    days = ", ".join(['"2026-12-25"'] * 2001)
    assert "more than 2,000 holidays" in refusal(PLAN.replace('"2026-10-26"', days)).message


def test_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        load_tariff(tmp_path / "none.toml")


def test_specifications_example_is_a_tariff() -> None:
    text = SPECIFICATION.read_text()
    example = text[text.index("```toml\n") + 8 :]
    tariff = load_tariff(example[: example.index("```")].encode())
    assert tariff.words == "Flex (2026-10)"
    assert tariff.currency == "EUR"


def test_toml_and_json_give_the_same_tariff() -> None:
    assert load_tariff(PLAN.encode()) != load_tariff(
        json.dumps(tomllib.loads(PLAN)).encode()
    )  # by their hashes
    one, other = (
        load_tariff(content) for content in (PLAN.encode(), json.dumps(tomllib.loads(PLAN)).encode())
    )
    assert (one.rates, one.zones, one.calendars) == (other.rates, other.zones, other.calendars)


def test_refuses_tables_that_would_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    def with_rate(rest: str) -> str:
        return f'{PLAN}[[rates]]\nname = "x"\nservices = ["voice-terminated"]\n{rest}\n'

    steps = "".join(f'{{ from = "{n} s", price = "1", unit = "1 s" }},' for n in range(1001))
    assert "more than 1,000 intervals" in refusal(with_rate(f"intervals = [{steps}]")).message
    monkeypatch.setattr("billproof.tariff.coherence.MOST_BYTES", 1 << 14)
    load_tariff(PLAN.encode())
    tiers = ", ".join(f'{{ above = "{n} s", price = "1" }}' for n in range(1, 30))
    error = refusal(with_rate(f'price = "1"\nunit = "1 s"\ntiers = [{tiers}]'))
    assert "rates and tiers of up to" in error.message
    assert "more prefixes than can be rated" in refusal(PLAN.replace('["+1"]', f'["+1{"2" * 90}"]')).message
    monkeypatch.undo()
    monkeypatch.setattr("billproof.tariff.calendars._MOST_SLOTS", 1)
    assert "more than 1 different times" in refusal(PLAN).message


def test_finds_the_bad_entry_of_large_tables_in_a_few_tries() -> None:
    many = "".join(f'd{n} = ["+9{n}"]\n' for n in range(5_000))
    lists = "".join(f'h{n} = ["2026-10-26"]\n' for n in range(5_000))
    plan = PLAN.replace("[zones]", f"{many}[zones]").replace("[holidays]", f"[holidays]\n{lists}")
    for bad in (0, 2_500, 4_999):
        begun = time.process_time()
        error = refusal(plan.replace(f'\nd{bad} = ["+9{bad}"]', f"\nd{bad} = [1]"))
        assert f"destinations.d{bad}[1]: must be text" in error.message
        assert time.process_time() - begun < 5
