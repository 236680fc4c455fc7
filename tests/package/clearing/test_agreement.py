"""Reading `billproof/agreement/1`: what it holds, and what is refused, with line, key and remedy."""

from __future__ import annotations

import json
import random
import re
import tomllib
from fractions import Fraction
from pathlib import Path

import jsonschema
import pyarrow as pa
import pytest

from billproof.clearing.agreement import form as agreement_form
from billproof.clearing.agreement.agreement import Agreement, Party, Rounding, Tolerance, load_agreement
from billproof.clearing.agreement.building import AgreementError
from billproof.errors import InputError
from billproof.records import Service

SPECIFICATION = Path(__file__).resolve().parents[3] / "docs/clearing.md"

#: The numbers of its lines are part of the tests: from 1.
AGREEMENT = """\
schema = "billproof/agreement/1"
name = "Meridian and Skylark, roaming"
valid = { from = "2026-01-01", until = "2027-01-01" }
settlement = "EUR"

[[parties]]
operator = 2
name = "Skylark"
currency = "GBP"
[[parties]]
operator = 1
name = "Meridian"
currency = "EUR"

[exchange]
GBP = "1.1834"
USD = "1/1.08"

[tolerance]
start = "60 s"
usage = "2 s"
data = "1 kB"
amount = "0.005"

[routes]
uk = ["+44"]
uk-mobile = ["+447", "+4479"]

[zones]
alps = ["228", "DEUD2"]

[tadig]
DEUD2 = "262-02"

[[models]]
name = "mobile"
model = "tiers"
from = 1
services = ["voice-originated", "voice-forwarded"]
routes = ["uk-mobile"]
mode = "incremental"
tiers = [
  { above = "0 min", price = "0.05" },
  { above = "1000 min", price = "0.04" },
]
commitment = { volume = "5000 min", price = "0.03" }

[[models]]
name = "fixed"
model = "flat"
from = 1
services = ["voice-originated"]
routes = ["uk", "elsewhere"]
price = "0.02"

[[models]]
name = "data"
model = "balanced"
services = ["data"]
unit = "1 GB"
balanced = "1.50"
unbalanced = "0.90"
"""

COMMITMENT = """
[[models]]
name = "mms"
model = "flat"
from = 1
services = ["mms"]
price = "0.20"
[[commitments]]
name = "fixed and mms"
from = 1
models = ["fixed", "mms"]
money = "500"
accrues = "month"
"""

#: What is written instead of what → line, key, and what the message says.
CASES = {
    "key missing": ('settlement = "EUR"\n', "", 1, "", "settlement is missing"),
    "unknown key": ('settlement = "EUR"', 'settlement = "EUR"\nvintage = 1', 5, "vintage", "is not a key"),
    "unknown key of a model": ('unit = "1 GB"', 'units = "1 GB"', 60, "models[3].units", "is not a key"),
    "unknown key of a commitment": (
        'price = "0.03" }',
        'at = "0.03" }',
        46,
        "models[1].commitment.at",
        "is not a key",
    ),
    "another schema": ("agreement/1", "tariff/1", 1, "schema", "is of the schema"),
    "number for text": ('"1.1834"', "1.1834", 16, "exchange.GBP", "must be text or a table"),
    "currency": ('"EUR"', '"Euro"', 4, "settlement", "'Euro' will not do"),
    "date without quotes": ('from = "2026-01-01"', "from = 2026-01-01", 3, "valid.from", "must be text"),
    "day": ('"2027-01-01"', '"2027-02-30"', 3, "valid.until", "there is no day"),
    "ends first": ('until = "2027-01-01"', 'until = "2026-01-01"', 3, "valid.until", "ends before"),
    "no end": (', until = "2027-01-01"', "", 3, "valid", "until is missing"),
    "half a month": ('until = "2027-01-01"', 'until = "2026-12-15"', 3, "valid.until", "not the first"),
    "begins in a month": ('from = "2026-01-01"', 'from = "2026-01-02"', 3, "valid.from", "not the first"),
    "two years": (
        'until = "2027-01-01"',
        'until = "2028-01-01"',
        3,
        "valid.until",
        "more than twelve months",
    ),
    "one party twice": ("operator = 1", "operator = 2", 11, "parties[2].operator", "the first party's too"),
    "operator 0": ("operator = 1", "operator = 0", 11, "parties[2].operator", ">= 1"),
    "three parties": (
        "[exchange]",
        '[[parties]]\noperator = 3\nname = "Third"\ncurrency = "EUR"\n[exchange]',
        15,
        "parties[3]",
        "two parties",
    ),
    "party's name twice": ('"Meridian"', '"Skylark"', 12, "parties[2].name", "there twice"),
    "name with a space": ('"Skylark"', '" Skylark"', 8, "parties[1].name", "is no name"),
    "no exchange rate": ('GBP = "1.1834"\n', "", 9, "parties[1].currency", "GBP has no exchange rate"),
    "rate of the settlement currency": (
        'USD = "',
        'EUR = "',
        17,
        "exchange.EUR",
        "is the settlement currency",
    ),
    "rate of 0": ('"1.1834"', '"0.000"', 16, "exchange.GBP", "is 0"),
    "rate of next to nothing": (
        '"1.1834"',
        '"0.000000001/3"',
        16,
        "exchange.GBP",
        "is nothing in nine decimals",
    ),
    "rate of more than a billion": (
        '"1.1834"',
        '"999999999/0.5"',
        16,
        "exchange.GBP",
        "is more than 1,000,000,000",
    ),
    "tolerance of starts beyond all pairs": (
        '"60 s"',
        '"121 min"',
        20,
        "tolerance.start",
        "is more than two hours",
    ),
    "tolerance of data beyond everything": (
        '"1 kB"',
        '"9007200 GB"',
        22,
        "tolerance.data",
        "more than records can differ",
    ),
    "tolerance of amounts beyond everything": (
        '"0.005"',
        '"9007200"',
        23,
        "tolerance.amount",
        "more than records can differ",
    ),
    "rate over 0": ('"1/1.08"', '"1/0"', 17, "exchange.USD", "is 0"),
    "rate of a month that is not in it": (
        '"1.1834"',
        '{ "2026-01" = "1.1", "2027-01" = "1.2" }',
        16,
        "exchange.GBP.2027-01",
        "is no month of the agreement",
    ),
    "rate of no month": ('"1.1834"', '{ "2026-1" = "1.1" }', 16, "exchange.GBP.2026-1", "is no month"),
    "rate of a day": ('"1.1834"', '{ "2026-01-01" = "1.1" }', 16, "exchange.GBP.2026-01-01", "is no month"),
    "rate of a month, number for text": (
        '"1.1834"',
        '{ "2026-01" = "1.1", "2026-02" = 1.2 }',
        16,
        "exchange.GBP.2026-02",
        "must be text",
    ),
    "rate of a month, negative": (
        '"1.1834"',
        '{ "2026-01" = "1.1", "2026-02" = "-1" }',
        16,
        "exchange.GBP.2026-02",
        "will not do",
    ),
    "rate of a month, 0": (
        '"1.1834"',
        '{ "2026-01" = "1.1", "2026-02" = "0/1" }',
        16,
        "exchange.GBP.2026-02",
        "is 0",
    ),
    "rate of no months": ('"1.1834"', "{}", 16, "exchange.GBP", "has no month"),
    "months of the settlement currency": (
        'USD = "1/1.08"',
        'EUR = { "2026-01" = "1" }',
        17,
        "exchange.EUR",
        "is the settlement currency",
    ),
    "rate negative": ('"1.1834"', '"-1"', 16, "exchange.GBP", "will not do"),
    "tolerance in bytes": ('usage = "2 s"', 'usage = "2 kB"', 21, "tolerance.usage", "is in bytes"),
    "tolerance of data in time": ('"1 kB"', '"1 s"', 22, "tolerance.data", "is in seconds"),
    "tolerance without unit": ('"60 s"', '"60"', 20, "tolerance.start", "will not do"),
    "tolerance of money": ('"0.005"', '"0.0000000001"', 23, "tolerance.amount", "will not do"),
    "unknown tolerance": ('data = "1 kB"', 'bytes = "1 kB"', 22, "tolerance.bytes", "is not a key"),
    "prefix": ('"+44"]', '"44"]', 26, "routes.uk[1]", "will not do"),
    "prefix twice": ('"+4479"', '"+44"', 27, "routes.uk-mobile[2]", "is in 'uk' too"),
    "route's name taken": ("uk = [", "elsewhere = [", 26, "routes.elsewhere", "is taken"),
    "zone of a route's name": ("alps = [", "uk = [", 30, "zones.uk", "is a route too"),
    "TADIG code": ('"DEUD2"]', '"DEUD1"]', 30, "zones.alps[2]", "is unknown"),
    "model unknown": ('model = "flat"', 'model = "fiat"', 50, "models[2].model", "'fiat' is unknown"),
    "model's name twice": ('name = "fixed"', 'name = "mobile"', 49, "models[2].name", "there twice"),
    "stranger": (
        'from = 1\nservices = ["voice-originated"]',
        'from = 3\nservices = ["voice-originated"]',
        51,
        "models[2].from",
        "operator 3 is no party",
    ),
    "route unknown": (
        'routes = ["uk-mobile"]',
        'routes = ["uk-mobil"]',
        40,
        "models[1].routes[1]",
        "is no route",
    ),
    "service unknown": ('["data"]', '["date"]', 59, "models[3].services[1]", "'date' is unknown"),
    "services of two kinds": (
        '"voice-forwarded"',
        '"message-sent"',
        39,
        "models[1].services",
        "are counted in",
    ),
    "flat without price": ('price = "0.02"\n', "", 48, "models[2]", "price is missing"),
    "flat with tiers": (
        'price = "0.02"',
        'price = "0.02"\nmode = "all"',
        55,
        "models[2].mode",
        "has no meaning",
    ),
    "flat without direction": (
        'from = 1\nservices = ["voice-originated"]',
        'services = ["voice-originated"]',
        48,
        "models[2]",
        "from is missing",
    ),
    "balanced of one direction": (
        'model = "balanced"',
        'model = "balanced"\nfrom = 1',
        59,
        "models[3].from",
        "both directions'",
    ),
    "balanced commitment": (
        'balanced = "1.50"',
        'balanced = "1.50"\ncommitment = { money = "1" }',
        62,
        "models[3].commitment",
        "has no meaning",
    ),
    "tiers without mode": ('mode = "incremental"\n', "", 35, "models[1]", "mode is missing"),
    "no tier from 0": ('"0 min"', '"1 min"', 43, "models[1].tiers[1].above", "nothing says"),
    "tiers descend": ('"1000 min"', '"0 min"', 44, "models[1].tiers[2].above", "is not above"),
    "tier of another kind": ('"1000 min"', '"1 GB"', 44, "models[1].tiers[2].above", "is in bytes"),
    "unit of another kind": ('unit = "1 GB"', 'unit = "1 min"', 60, "models[3].unit", "is in seconds"),
    "unit of 0": ('unit = "1 GB"', 'unit = "0 GB"', 60, "models[3].unit", "is 0"),
    "price too exact": ('price = "0.02"', 'price = "0.0000000000001"', 54, "models[2].price", "will not do"),
    "commitment of both": (
        'price = "0.03" }',
        'money = "5" }',
        46,
        "models[1].commitment",
        "money or of a volume",
    ),
    "commitment of neither": (
        'volume = "5000 min", price = "0.03"',
        "",
        46,
        "models[1].commitment",
        "money or of a volume",
    ),
    "price of money": (
        'volume = "5000 min"',
        'money = "5000"',
        46,
        "models[1].commitment.price",
        "has no meaning",
    ),
    "commitment of another kind": ('"5000 min"', '"5 GB"', 46, "models[1].commitment.volume", "is in bytes"),
    "models overlap": (
        '["uk", "elsewhere"]',
        '["uk", "uk-mobile"]',
        48,
        "models[2]",
        "that 'mobile' has too",
    ),
}


@pytest.fixture(scope="module")
def agreement() -> Agreement:
    return load_agreement(AGREEMENT.encode(), name="agreement.toml")


def refusal(content: str | bytes) -> AgreementError:
    with pytest.raises(AgreementError) as caught:
        load_agreement(content.encode() if isinstance(content, str) else content, name="agreement.toml")
    return caught.value


def test_holds_what_the_file_says(agreement: Agreement) -> None:
    assert agreement.name == "Meridian and Skylark, roaming"
    assert agreement.parties == (Party(1, "Meridian", "EUR"), Party(2, "Skylark", "GBP"))
    assert agreement.other(1) == agreement.party(2)
    assert agreement.other(2) == agreement.party(1)
    assert agreement.tolerance == Tolerance(60, 2, 1000, 5_000_000)
    assert agreement.rounding == Rounding("half-up", 2)
    assert (agreement.valid_until - agreement.valid_from, agreement.settlement) == (365, "EUR")


def test_exchange_rates_are_exact(agreement: Agreement) -> None:
    assert agreement.exchange == {"EUR": 1, "GBP": Fraction(11834, 10000), "USD": Fraction(100, 108)}
    assert agreement.exchange_of("2026-05") == agreement.exchange_of(None) == agreement.exchange
    assert agreement.rate_of("USD", None) == Fraction(25, 27)
    with pytest.raises(InputError, match=r"no exchange rate for CHF in 2026-05"):
        agreement.rate_of("CHF", "2026-05", file="book.parquet")


@pytest.mark.parametrize(
    ("number", "network", "route"),
    [
        ("+447911123456", "", "uk-mobile"),
        ("+441632960961", "", "uk"),
        ("00447911123456", "", "uk-mobile"),
        ("0447911123456", "", "elsewhere"),
        ("+44", "", "uk"),
        ("+4", "", "elsewhere"),
        ("", "", "elsewhere"),
        ("", "228-01", "alps"),
        ("", "26202", "alps"),
        ("", "262-03", "elsewhere"),
        ("+33123", "228-01", "alps"),
        ("+447911", "228-01", "uk-mobile"),
    ],
)
def test_route_is_the_longest_prefix_else_the_zone(
    agreement: Agreement, number: str, network: str, route: str
) -> None:
    assert agreement.route_of(number, network) == route


def test_routes_of_columns(agreement: Agreement) -> None:
    numbers = pa.array(["+4479", "", "+1", "+44"])
    networks = pa.array(["", "228-01", "", "228-01"]).dictionary_encode()
    places = agreement.routes_of(numbers, networks)
    assert [agreement.route_names[place] for place in places] == ["uk-mobile", "alps", "elsewhere", "uk"]
    assert len(agreement.routes_of(numbers[:0], networks[:0])) == 0


def test_models_are_exact(agreement: Agreement) -> None:
    mobile, fixed, data = agreement.models
    assert mobile.services == {Service.VOICE_ORIGINATED, Service.VOICE_FORWARDED}
    assert [(tier.above, tier.price) for tier in mobile.tiers] == [
        (0, Fraction(1, 20)),
        (60_000, Fraction(1, 25)),
    ]
    assert mobile.commitment is not None
    assert (mobile.commitment.volume, mobile.commitment.price) == (300_000, Fraction(3, 100))
    assert (fixed.unit, fixed.price, fixed.operator) == (60, Fraction(1, 50), 1)
    assert (data.unit, data.operator, data.routes) == (10**9, None, None)


def test_what_is_left_out_is_not_tolerated() -> None:
    begin, end = AGREEMENT.index("[tolerance]"), AGREEMENT.index("[routes]")
    assert load_agreement((AGREEMENT[:begin] + AGREEMENT[end:]).encode()).tolerance == Tolerance(0, 0, 0, 0)


@pytest.mark.parametrize("case", CASES)
def test_refuses_with_line_key_and_remedy(case: str) -> None:
    what, instead, line, key, message = CASES[case]
    assert what in AGREEMENT
    error = refusal(AGREEMENT.replace(what, instead, 1))
    assert message in error.message
    assert (error.file, error.line, error.field or "") == ("agreement.toml", line, key)
    assert error.advice


@pytest.mark.parametrize("case", sorted(CASES.keys() - {"date without quotes"}))
def test_refuses_the_same_in_json(case: str) -> None:
    what, instead, _, key, message = CASES[case]
    error = refusal(json.dumps(tomllib.loads(AGREEMENT.replace(what, instead, 1)), indent=1))
    assert message in error.message
    assert (error.field or "") == key


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"a = 1\na = 2", b"\xff", b"\xef\xbb\xbfa = 1", b"a = " + b"[" * 99, b"{" * 999],
)
def test_refuses_what_is_no_agreement(content: bytes) -> None:
    assert refusal(content).advice


def test_refuses_more_than_could_be_laid_out() -> None:
    many = ", ".join(f'"+8{number:06d}"' for number in range(100_001))
    assert "more than 100,000 prefixes" in refusal(AGREEMENT.replace('"+447", ', many + ", ")).message
    models = "".join(
        f'[[models]]\nname = "{n}"\nmodel = "flat"\nfrom = 1\nservices = ["mms"]\nprice = "0"\n'
        for n in range(500)
    )
    assert "more than 500 models" in refusal(AGREEMENT + models).message


def test_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read"):
        load_agreement(tmp_path / "none.toml")


def test_toml_and_json_are_one(agreement: Agreement, tmp_path: Path) -> None:
    path = tmp_path / "agreement.json"
    path.write_text(json.dumps(tomllib.loads(AGREEMENT)))
    other = load_agreement(path)
    assert (other.models, other.exchange, other.routes) == (
        agreement.models,
        agreement.exchange,
        agreement.routes,
    )
    assert other.hash != agreement.hash


def test_schema_takes_the_agreement_and_no_unknown_key() -> None:
    schema = agreement_form.json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    tree = tomllib.loads(AGREEMENT)
    jsonschema.validate(tree, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**tree, "vintage": 1}, schema)


def test_specifications_example_is_an_agreement() -> None:
    text = SPECIFICATION.read_text()
    found = re.findall(r"```toml\n(.*?)```", text[text.index("## 2.") : text.index("## 3.")], re.DOTALL)
    agreement = load_agreement(found[0].encode())
    assert [party.name for party in agreement.parties] == ["Meridian", "Skylark"]
    assert agreement.route_of("+447911") == "uk-mobile"
    models = re.findall(r"```toml\n(.*?)```", text[text.index("## 6.") : text.index("## 7.")], re.DOTALL)
    both = load_agreement((found[0] + models[0]).encode())
    assert [model.name for model in both.models] == [
        "mobile",
        "data, both ways",
        "calls back",
        "messages back",
    ]
    (commitment,) = both.commitments
    assert (commitment.commits, commitment.models) == (50_000, {"calls back", "messages back"})
    assert both.rounding == agreement.rounding


def test_damaged_files_are_read_or_refused() -> None:
    """Whatever was done to the bytes, an agreement or an error with a remedy comes of it."""
    damage = random.Random(7)
    more = AGREEMENT.replace('"1.1834"', '{ "2026-01" = "1.1834", "2026-02" = "1/0.8391" }') + COMMITMENT
    files = [
        content
        for text in (AGREEMENT, more)
        for content in (text.encode(), json.dumps(tomllib.loads(text), indent=1).encode())
    ]
    pieces = [
        b'"',
        b"{",
        b"]",
        b"=",
        b"\n",
        b"0",
        b"null",
        b"[]",
        b'""',
        b"1e9",
        b"\xff",
        b'"elsewhere"',
        b'"0 s"',
    ]
    for _ in range(1500):
        content = bytearray(damage.choice(files))
        for _ in range(damage.randint(1, 3)):
            at = damage.randrange(len(content))
            content[at : at + damage.choice([0, 0, 1, 20])] = damage.choice(pieces)
        refused = _refused(bytes(content))
        assert refused is None or refused.advice


def _refused(content: bytes) -> AgreementError | None:
    try:
        load_agreement(content)
    except AgreementError as error:
        return error
    return None
